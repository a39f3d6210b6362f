//! How the sync stands, and who is told when it changes.

use granary_client_core::phone::{Observer, Status, SyncState as CoreState};
use granary_client_core::schema::DocumentKey;
use std::sync::Arc;

/// What the sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SyncState {
    /// Nothing is under way.
    Idle,
    /// A sync is under way.
    Syncing,
    /// The device was revoked; nothing will be sent or received any more.
    Revoked,
}

/// How the sync stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncStatus {
    /// What the sync is doing.
    pub state: SyncState,
    /// Changes that the server has not acknowledged.
    pub pending: u64,
    /// When a sync last ended well, in milliseconds since 1970.
    pub last_success_millis: Option<i64>,
    /// Bytes that went up since the app was started, TLS included.
    pub bytes_up: u64,
    /// Bytes that came down since the app was started, TLS included.
    pub bytes_down: u64,
    /// Why the last sync failed, as a sentence; none when it did not.
    pub last_error: Option<String>,
    /// What was not taken and why, newest last.
    pub set_aside: Vec<String>,
}

impl From<Status> for SyncStatus {
    fn from(status: Status) -> Self {
        Self {
            state: match status.state {
                CoreState::Idle => SyncState::Idle,
                CoreState::Syncing => SyncState::Syncing,
                CoreState::Revoked => SyncState::Revoked,
            },
            pending: status.pending,
            last_success_millis: status.last_success.map(|at| at.0),
            bytes_up: status.bytes_up,
            bytes_down: status.bytes_down,
            last_error: status.last_error,
            set_aside: status.set_aside,
        }
    }
}

/// Implemented by the app. Calls come from a background thread: hand them to the app's own before
/// touching the screen, and do not call back into the phone's `stop` from here.
#[uniffi::export(with_foreign)]
pub trait PhoneObserver: Send + Sync {
    /// The sync's standing has changed.
    fn status_changed(&self, status: SyncStatus);
    /// Documents of these kinds have changed by what others did: `cooperative`, `household`,
    /// `catalogue`, `harvest`, `receipts`, `order`. Ask for the lists again.
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
