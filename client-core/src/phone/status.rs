//! How the sync stands, in numbers and in words.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::error::Error;
use crate::protocol::problem::ProblemKind;
use crate::quantities::Instant;
use crate::sync::Summary;
use crate::transport::Used;

/// What the sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SyncState {
    /// Nothing is under way.
    #[default]
    Idle,
    /// A sync is under way.
    Syncing,
    /// The device was revoked; nothing will be sent or received any more.
    Revoked,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Status {
    /// What the sync is doing.
    pub state: SyncState,
    /// Changes that the server has not acknowledged.
    pub pending: u64,
    /// When a sync last ended well.
    pub last_success: Option<Instant>,
    /// Bytes that went up since the app was started, TLS included.
    pub bytes_up: u64,
    /// Bytes that came down since the app was started, TLS included.
    pub bytes_down: u64,
    /// Of the bytes up, those above TLS, HTTP included.
    pub content_up: u64,
    /// Of the bytes down, those above TLS, HTTP included.
    pub content_down: u64,
    /// Exchanges since the app was started.
    pub exchanges: u64,
    /// Why the last sync failed; none when it did not.
    pub last_error: Option<String>,
    /// What the server or this phone did not take, newest last.
    pub set_aside: Vec<String>,
}

/// Sentences of what was set aside that are kept.
const SET_ASIDE_MAX: usize = 20;

impl Status {
    /// Notes what went over the line so far.
    pub(super) fn used(&mut self, used: Used) {
        (self.bytes_up, self.bytes_down) = (used.up, used.down);
        (self.content_up, self.content_down) = (used.content_up, used.content_down);
        self.exchanges = used.exchanges;
    }

    pub(super) fn ended(&mut self, now: Instant, used: Used, result: &Result<Summary, Error>) {
        self.used(used);
        self.state = SyncState::Idle;
        match result {
            Ok(summary) => {
                self.last_success = Some(now);
                self.last_error = None;
                for aside in &summary.received.quarantined {
                    self.set_aside.push(format!("{}: {}", aside.key.kind().name(), aside.reason));
                }
                let over = self.set_aside.len().saturating_sub(SET_ASIDE_MAX);
                self.set_aside.drain(..over);
            }
            Err(error) => {
                if matches!(error, Error::Refused { kind: ProblemKind::DeviceRevoked, .. }) {
                    self.state = SyncState::Revoked;
                }
                self.last_error = Some(error.to_string());
            }
        }
    }
}
