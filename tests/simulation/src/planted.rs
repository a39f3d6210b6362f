//! Bugs that can be planted in the code (`granary_client_core::planted!`). Each must be caught by a world of some seeds in
//! any setting, or by a story.

use std::ops::Range;

use granary_client_core::planted::{plant, uproot_all};

use crate::run::{Verdict, run_world};
use crate::stories::{panic_message, stories};
use crate::world::Setting;

/// Where a bug is expected to be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtBy {
    /// The world of a seed.
    Seed,
    /// A story. No seed of some hundreds gives that order of events.
    Story,
}

/// A bug that can be planted.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// The name at its point in the code.
    pub name: &'static str,
    /// Its effect.
    pub what: &'static str,
    /// Where to look first.
    pub expected: CaughtBy,
}

/// All of them.
pub const PLANTED: &[Planted] = &[
    Planted {
        name: "answer_before_flush",
        what: "the server answers before it flushes what it ingested",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "edit_not_in_outbox",
        what: "now and then an edit is kept and not put in the outbox",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "failed_edit_stays_in_memory",
        what: "what a full disk refused stays in memory",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "unwritten_document_is_kept",
        what: "a document that was read from unwritten rows outlives their failure",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "nothing_is_given_back",
        what: "after a restoration a phone gives nothing back",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "unknown_documents_are_not_given_back",
        what: "documents that the server lost altogether are not missed",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "cut_off_changes_are_not_given_back",
        what: "changes that a damage had cut off are in no reconciliation",
        expected: CaughtBy::Story,
    },
    Planted {
        name: "own_orphans_are_not_given_back",
        what: "what a phone sent is in no reconciliation while what it builds on is not here",
        expected: CaughtBy::Story,
    },
    Planted {
        name: "attestations_are_not_kept",
        what: "a phone can't show that the server had what others wrote",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "first_document_of_a_reply_is_skipped",
        what: "the first document of a reply is not applied",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "forgotten_document_lacks_what_is_acknowledged",
        what: "what the server took of a forgotten document is not there again",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "refused_document_does_not_come_again",
        what: "a document of which something was refused is not fetched",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "ended_grant_leaves_documents",
        what: "documents stay when the grant to read them ends",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "orphans_are_forgotten",
        what: "a change whose dependencies have not come is dropped",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "unsent_is_not_put_back_after_damage",
        what: "unsent changes are not put back into a damaged document",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "damaged_phone_does_not_reconcile",
        what: "a damaged phone goes on from its cursor",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "only_the_first_refused_change_is_quarantined",
        what: "what builds on a refused change stays in the outbox",
        expected: CaughtBy::Story,
    },
    Planted {
        name: "phone_reuses_an_actor",
        what: "a phone writes under one actor in all its openings",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "server_reuses_an_actor",
        what: "the server writes under one actor in all its starts",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "branch_under_the_own_actor",
        what: "an edit of an older page is written under the actor that wrote since",
        expected: CaughtBy::Seed,
    },
    Planted { name: "feed_ignores_grants", what: "the feed gives out what may not be read", expected: CaughtBy::Seed },
    Planted {
        name: "walk_ignores_grants",
        what: "a grant's walk gives out what may not be read",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "full_page_skips_a_position",
        what: "a full page skips the position that did not fit",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "feed_leaves_out_a_copys_entries",
        what: "the feed leaves out all entries of the device",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "entry_is_adopted_unsaid",
        what: "a replica adopts an entry that holds more than its request",
        expected: CaughtBy::Seed,
    },
    Planted { name: "every_cursor_fits", what: "a cursor of another log is believed", expected: CaughtBy::Seed },
    Planted {
        name: "receipt_chain_skips",
        what: "an entry's receipt chain leads through entries that its replica does not have",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "repeat_gets_no_receipt",
        what: "a repeat is acknowledged without a receipt",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "forgetful_replica_keeps_its_chain",
        what: "a phone that forgot a document does not get back what it sent itself",
        expected: CaughtBy::Story,
    },
    Planted {
        name: "outbox_file_is_not_kept",
        what: "an outbox file is acknowledged and not kept",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "pools_row_is_not_written",
        what: "now and then a pool's row is not written with the order that it counts",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "pack_over_is_not_marked",
        what: "a told order above the grant is taken as if it were within",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "retry_is_counted_twice",
        what: "an order that is told again is counted again",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "order_given_back_is_not_marked",
        what: "an order that a phone gives back above the grant is not marked",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "order_called_off_keeps_its_packs",
        what: "the packs of an order that was called off are not free again",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "restored_server_promises",
        what: "a server that may lack orders promises packs",
        expected: CaughtBy::Seed,
    },
];

/// Plants a bug, and gives the world or story that catches it, with its message.
pub fn caught(bug: &Planted, seeds: Range<u64>, steps: usize) -> Option<String> {
    let by_seed = || by_seed(bug, seeds.clone(), steps);
    match bug.expected {
        CaughtBy::Seed => by_seed().or_else(|| by_story(bug)),
        CaughtBy::Story => by_story(bug).or_else(by_seed),
    }
}

/// The first seed whose world fails with the bug, and holds without it.
fn by_seed(bug: &Planted, seeds: Range<u64>, steps: usize) -> Option<String> {
    let failure = |seed, setting| match panic_message(|| run_world(seed, steps, setting).verdict) {
        Ok(Verdict::Held) => None,
        Ok(verdict) => Some(format!("{verdict:?}")),
        Err(words) => Some(format!("it panics: {words}")),
    };
    let mut worlds =
        seeds.flat_map(|seed| [(seed, Setting::County), (seed, Setting::Household), (seed, Setting::Trade)]);
    worlds.find_map(|(seed, setting)| {
        let words = with(bug, || failure(seed, setting))?;
        let is_cause = failure(seed, setting).is_none();
        is_cause.then(|| format!("seed {seed} of {setting:?}: {words}"))
    })
}

/// The first story that fails with the bug, and holds without it.
fn by_story(bug: &Planted) -> Option<String> {
    stories().into_iter().find_map(|story| {
        let words = with(bug, || story.run()).err()?;
        let is_cause = story.run().is_ok();
        is_cause.then(|| format!("story {}: {}", story.name, words.replace('\n', " ")))
    })
}

fn with<R>(bug: &Planted, run: impl FnOnce() -> R) -> R {
    plant(bug.name);
    let ran = run();
    uproot_all();
    ran
}
