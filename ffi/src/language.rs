//! The language of the sentences that an app shows, and the unit of the weights in them.

use std::sync::atomic::{AtomicBool, Ordering};

use granary_client_core::quantities::typed::WeightUnit;
use granary_client_core::words::Language;

static CHINESE: AtomicBool = AtomicBool::new(false);
static JIN: AtomicBool = AtomicBool::new(false);

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

/// Chooses the unit of weights in sentences from now on, `kg` or `jin`. Kilograms until this is called, and for other texts; false
/// for these. Weights in records are grams in any case.
#[uniffi::export]
pub fn set_weight_unit(code: String) -> bool {
    let unit = WeightUnit::from_code(&code).filter(|unit| *unit != WeightUnit::Gram);
    JIN.store(unit == Some(WeightUnit::Jin), Ordering::Relaxed);
    unit.is_some()
}

pub(crate) fn unit() -> WeightUnit {
    if JIN.load(Ordering::Relaxed) { WeightUnit::Jin } else { WeightUnit::Kilogram }
}
