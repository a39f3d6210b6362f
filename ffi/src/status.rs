//! The status of the sync, and its observer.

use granary_client_core::phone::{Observer, Status, SyncState as CoreState};
use granary_client_core::schema::DocumentKey;
use granary_client_core::words::Words;
use std::sync::Arc;

use crate::language;

/// What the sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SyncState {
    /// No sync runs.
    Idle,
    /// A sync runs.
    Syncing,
    /// The device was revoked; nothing will be sent or received any more.
    Revoked,
}

/// The status of the sync.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncStatus {
    /// What the sync is doing.
    pub state: SyncState,
    /// How many changes that people made the server lacks.
    pub unsent: u64,
    /// How many changes of this phone were set aside and are not delivered; a coordinator can take them in. All is delivered
    /// only when this and `unsent` are 0.
    pub undelivered: u64,
    /// True when this phone was taken out of the co-operative. It goes on recording, and nothing is sent.
    pub revoked: bool,
    /// When a sync last succeeded, in milliseconds since 1970.
    pub last_success_millis: Option<i64>,
    /// Bytes sent since the app was started, TLS included.
    pub bytes_up: u64,
    /// Bytes received since the app was started, TLS included.
    pub bytes_down: u64,
    /// Why the last sync failed, as a sentence in the language of `set_language`; none when it succeeded.
    pub last_error: Option<String>,
    /// The same for programs, such as `sign-in-first`, `intercepted` or `wrong-date`.
    pub last_error_code: Option<String>,
    /// The changes that the server or this phone quarantined and why, a sentence each, newest last.
    pub quarantined: Vec<String>,
    /// How the app's observer last failed since the app was started, for whoever writes the app; none when it did not.
    pub observer_error: Option<String>,
    /// Why the server takes what waits only later, as a sentence in the language of `set_language`; none when it goes out as
    /// usual. Nothing is lost, and the phone goes on recording.
    pub held_back: Option<String>,
    /// The same for programs: `day-share-used`, `share-used` or `no-room`.
    pub held_back_code: Option<String>,
}

impl From<Status> for SyncStatus {
    fn from(status: Status) -> Self {
        Self {
            state: match status.state {
                CoreState::Idle => SyncState::Idle,
                CoreState::Syncing => SyncState::Syncing,
                CoreState::Revoked => SyncState::Revoked,
            },
            unsent: status.unsent,
            undelivered: status.undelivered,
            revoked: status.revoked,
            last_success_millis: status.last_success.map(|at| at.0),
            bytes_up: status.bytes_up,
            bytes_down: status.bytes_down,
            last_error_code: status.last_error.as_ref().map(|error| error.code.clone()),
            last_error: status.last_error.map(|error| error.words(language::now())),
            quarantined: status.quarantined.iter().map(|notice| notice.words(language::now())).collect(),
            observer_error: status.observer_error,
            held_back_code: status.held_back.map(|reason| reason.code().to_owned()),
            held_back: status.held_back.map(|reason| reason.words(language::now())),
        }
    }
}

/// What came of taking back what was set aside.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Recovered {
    /// The files that were taken back, under their new names. They are kept.
    pub files: Vec<String>,
    /// Files of which nothing could be read; they are left as they are.
    pub unreadable: Vec<String>,
    /// Changes that were not on the phone.
    pub changes: u64,
    /// Changes that wait to be sent again.
    pub unsent: u64,
}

impl From<granary_client_core::phone::Recovered> for Recovered {
    fn from(recovered: granary_client_core::phone::Recovered) -> Self {
        let shown = |paths: &[std::path::PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
        let (files, unreadable) = (shown(&recovered.files), shown(&recovered.unreadable));
        Self { files, unreadable, changes: recovered.changes, unsent: recovered.unsent }
    }
}

/// Implemented by the app. Calls come from a background thread: dispatch to the app's own thread before touching the
/// screen, and do not call the phone's `stop` from here. An error or a panic in it does not end the sync; the status shows
/// it as `observer_error`.
#[uniffi::export(with_foreign)]
pub trait PhoneObserver: Send + Sync {
    /// The status of the sync has changed.
    fn status_changed(&self, status: SyncStatus);
    /// Others' changes to documents of these kinds have arrived: `cooperative`, `household`, `catalogue`, `harvest`,
    /// `receipts`, `cases`, `order`, `receiver`, `stock`, `stream`. Read the lists again.
    fn documents_changed(&self, kinds: Vec<String>);
}

pub(crate) struct Told(pub(crate) Arc<dyn PhoneObserver>);

impl Observer for Told {
    fn status_changed(&self, status: Status) {
        self.0.status_changed(status.into());
    }

    fn documents_changed(&self, documents: Vec<DocumentKey>) {
        let mut kinds: Vec<String> = documents.iter().map(|key| key.kind().name().to_owned()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        self.0.documents_changed(kinds);
    }
}
