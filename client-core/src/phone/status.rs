//! The status of the sync, in numbers and sentences.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::error::Error;
use crate::protocol::aside::AsideReason;
use crate::protocol::messages::RefusalReason;
use crate::protocol::problem::ProblemKind;
use crate::quantities::Instant;
use crate::schema::DocumentKind;
use crate::sync::Summary;
use crate::transport::Used;
use crate::words::{Phrase, Words};

/// Why a sync failed, kept in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct LastError {
    /// For programs, such as `sign-in-first`.
    pub code: String,
    chinese: String,
    english: String,
}

impl From<&Error> for LastError {
    fn from(error: &Error) -> Self {
        Self { code: error.code().to_owned(), chinese: error.chinese(), english: error.to_string() }
    }
}

impl std::fmt::Display for LastError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.english)
    }
}

impl Words for LastError {
    fn chinese(&self) -> String {
        self.chinese.clone()
    }
}

/// What the sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SyncState {
    /// No sync runs.
    #[default]
    Idle,
    /// A sync runs.
    Syncing,
    /// The device was revoked. Nothing is sent or received any more.
    Revoked,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Status {
    /// What the sync is doing.
    pub state: SyncState,
    /// How many changes that people made the server lacks.
    pub unsent: u64,
    /// How many changes of this phone were set aside, by the server or here, and are not delivered. A coordinator can take
    /// them in.
    pub undelivered: u64,
    /// When a sync last succeeded.
    pub last_success: Option<Instant>,
    /// Bytes sent since the app was started, TLS included.
    pub bytes_up: u64,
    /// Bytes received since the app was started, TLS included.
    pub bytes_down: u64,
    /// The sent bytes above TLS, HTTP included.
    pub content_up: u64,
    /// The received bytes above TLS, HTTP included.
    pub content_down: u64,
    /// Exchanges since the app was started.
    pub exchanges: u64,
    /// Why the last sync failed; none when it succeeded.
    pub last_error: Option<LastError>,
    /// True once the server said that this phone was taken out of the co-operative, until it belongs again. It goes on
    /// recording; what it records waits.
    pub revoked: bool,
    /// The changes that the server or this phone quarantined and why, newest last.
    pub quarantined: Vec<NotTaken>,
    /// How the app's observer last failed since the app was started, for whoever writes the app; none when it did not.
    pub observer_error: Option<String>,
    /// Why the server takes what waits only later: another day, or once somebody has made room. None when it goes out as usual.
    pub held_back: Option<RefusalReason>,
}

/// That changes of a document were set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct NotTaken {
    /// The document's kind, as [`DocumentKind::name`] has it.
    kind: String,
    /// Why.
    pub reason: AsideReason,
}

impl NotTaken {
    fn kind(&self) -> Phrase {
        DocumentKind::ALL.into_iter().find(|kind| kind.name() == self.kind).map_or(DOCUMENT, DocumentKind::words)
    }
}

impl std::fmt::Display for NotTaken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.kind(), self.reason)
    }
}

impl Words for NotTaken {
    fn chinese(&self) -> String {
        format!("{}：{}", self.kind().chinese, self.reason.chinese())
    }
}

/// A document of a kind that this version does not know.
const DOCUMENT: Phrase = Phrase::new("document", "a document", "文档");

/// Notices of quarantined changes that are kept.
const QUARANTINED_MAX: usize = 20;

impl Status {
    /// Takes over the traffic so far.
    pub(super) fn used(&mut self, used: Used) {
        (self.bytes_up, self.bytes_down) = (used.up, used.down);
        (self.content_up, self.content_down) = (used.content_up, used.content_down);
        self.exchanges = used.exchanges;
    }

    /// Forgets the sentences once all that was set aside of this phone is delivered.
    pub(super) fn count_undelivered(&mut self, undelivered: u64) {
        if self.undelivered > 0 && undelivered == 0 {
            self.quarantined.clear();
        }
        self.undelivered = undelivered;
    }

    /// The phone was invited again.
    pub(super) fn end_revocation(&mut self) {
        (self.revoked, self.state, self.last_error) = (false, SyncState::Idle, None);
    }

    pub(super) fn ended(&mut self, now: Instant, used: Used, result: &Result<Summary, Error>) {
        self.used(used);
        self.state = SyncState::Idle;
        match result {
            Ok(summary) => {
                self.last_success = Some(now);
                self.last_error = None;
                self.revoked = false;
                self.held_back = summary.received.held_back;
                for notice in &summary.received.quarantined {
                    self.quarantined
                        .push(NotTaken { kind: notice.key.kind().name().to_owned(), reason: notice.reason });
                }
                let over = self.quarantined.len().saturating_sub(QUARANTINED_MAX);
                self.quarantined.drain(..over);
            }
            Err(error) => {
                if matches!(error, Error::Refused { kind: ProblemKind::DeviceRevoked, .. }) {
                    self.revoked = true;
                }
                // No other error says that it belongs again.
                if self.revoked {
                    self.state = SyncState::Revoked;
                }
                self.last_error = Some(error.into());
            }
        }
    }
}
