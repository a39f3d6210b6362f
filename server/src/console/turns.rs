//! One form of a co-operative is worked on at a time: what a form was held against is what it then changes. A form that was done and
//! is sent once more, by a second click or by a browser that heard no answer, leads where the first one led and does nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::forms::Form;
use crate::environment::digest_begins;
use crate::log::CooperativeNumber;

/// Forms that were done and are remembered; the oldest goes first.
const DONE_MAX: usize = 1_000;

/// A form as it was sent by a session: its token is of one showing of a page.
type Sent = [u8; 32];

/// See the module.
#[derive(Default)]
pub(super) struct Turns {
    waiting: Mutex<HashMap<CooperativeNumber, Arc<tokio::sync::Mutex<()>>>>,
    done: Mutex<VecDeque<(Sent, String)>>,
}

impl Turns {
    /// Waits until no other form of the co-operative is worked on.
    pub(super) async fn take(&self, cooperative: CooperativeNumber) -> OwnedMutexGuard<()> {
        let turn = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(waiting.entry(cooperative).or_default())
        };
        turn.lock_owned().await
    }

    /// Where a form led that was done already.
    pub(super) fn led_to(&self, sent: &Sent) -> Option<String> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.iter().find(|(other, _)| other == sent).map(|(_, to)| to.clone())
    }

    pub(super) fn note_done(&self, sent: Sent, to: String) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() >= DONE_MAX {
            done.pop_front();
        }
        done.push_back((sent, to));
    }
}

/// A form as a session sent it to an address.
pub(super) fn sent(session: &str, action: &str, form: &Form) -> Sent {
    let mut text = format!("{session}\n{action}");
    for (name, value) in form.everything() {
        text.push_str(&format!("\n{} {name} {value}", value.len()));
    }
    digest_begins(text.as_bytes())
}
