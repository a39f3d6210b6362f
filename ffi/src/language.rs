//! The language of the sentences that an app shows.

use std::sync::atomic::{AtomicBool, Ordering};

use granary_client_core::words::Language;

static CHINESE: AtomicBool = AtomicBool::new(false);

/// Chooses the language of all sentences from now on, by a tag such as `zh-CN` or `en`. English until this is called, and for
/// tags of other languages; false for these.
#[uniffi::export]
pub fn set_language(tag: String) -> bool {
    let language = Language::from_code(&tag);
    CHINESE.store(language == Some(Language::Chinese), Ordering::Relaxed);
    language.is_some()
}

pub(crate) fn now() -> Language {
    if CHINESE.load(Ordering::Relaxed) { Language::Chinese } else { Language::English }
}
