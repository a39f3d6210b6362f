//! What a person has written is on the next page that they open. Admission and read models follow an acknowledged edit
//! after a moment, so a page waits for them, within bounds; else it says that it may be behind.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use granary_client_core::schema::DocumentKey;

use super::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// The longest wait of a reply for its own edit to be shown, after it was admitted.
pub(crate) const REPLY_WAIT: Duration = Duration::from_secs(3);
/// The longest wait of a later page.
pub(crate) const PAGE_WAIT: Duration = Duration::from_secs(1);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Sessions whose edits are waited for at most; each is a person whose last edit is not shown yet.
const SESSIONS_MAX: usize = 1_000;

/// An edit that a person wants to see.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    key: DocumentKey,
    /// The position from which on it is in the log; none until it was admitted.
    position: Option<u64>,
}

impl Awaited {
    pub(super) fn of(key: DocumentKey) -> Self {
        Self { key, position: None }
    }
}

/// The edits of each session that are not shown yet, by its token.
#[derive(Debug, Default)]
pub(super) struct OwnWords {
    by_session: Mutex<HashMap<String, Vec<Awaited>>>,
}

impl Granary {
    /// Takes out the edits that the read models contain.
    fn drop_shown(&self, number: CooperativeNumber, awaited: &mut Vec<Awaited>) -> Result<(), Error> {
        let (cooperative, models) = (self.cooperative(number)?, self.read_models(number)?);
        awaited.retain_mut(|one| {
            if cooperative.has_undecided_of(&one.key) {
                return true;
            }
            let Some(document) = cooperative.document_number(&one.key) else { return false };
            let position = *one.position.get_or_insert_with(|| cooperative.last_position(document));
            models.written_through(document) < position
        });
        Ok(())
    }

    /// Keeps in mind what was edited in a session, and waits until it is shown, at most so long.
    pub(crate) fn edited_in(
        &self,
        number: CooperativeNumber,
        token: &str,
        awaited: Vec<Awaited>,
        most: Duration,
    ) -> Result<(), Error> {
        let mut sessions = self.own_words.by_session.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() < SESSIONS_MAX || sessions.contains_key(token) {
            sessions.entry(token.to_owned()).or_default().extend(awaited);
        }
        drop(sessions);
        self.is_behind(number, token, most).map(drop)
    }

    /// True when a page for this session would not show all that was written in it, even after a wait.
    pub(crate) fn is_behind(&self, number: CooperativeNumber, token: &str, most: Duration) -> Result<bool, Error> {
        let until = Instant::now() + most;
        loop {
            let mut sessions = self.own_words.by_session.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(awaited) = sessions.get_mut(token) else { return Ok(false) };
            self.drop_shown(number, awaited)?;
            if awaited.is_empty() {
                sessions.remove(token);
                return Ok(false);
            }
            drop(sessions);
            if Instant::now() >= until {
                return Ok(true);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
