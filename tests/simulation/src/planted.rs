//! Bugs that can be planted in the code (`granary_client_core::planted!`), and who catches each: the worlds of some seeds
//! of both settings, and the stories.

use std::ops::Range;

use granary_client_core::planted::{plant, uproot_all};

use crate::run::{Verdict, live};
use crate::stories::{stories, words_of_panic};
use crate::world::Setting;

/// Who is expected to catch a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtBy {
    /// The world of a seed.
    Seed,
    /// A story: no seed among some hundreds comes to that order of things.
    Story,
}

/// A bug that can be planted.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// As the point in the code names it.
    pub name: &'static str,
    /// What goes wrong where it is planted.
    pub what: &'static str,
    /// Who is asked first.
    pub expected: CaughtBy,
}

/// All of them.
pub const PLANTED: &[Planted] = &[
    Planted {
        name: "answer_before_flush",
        what: "the server answers before what it took is flushed",
        expected: CaughtBy::Seed,
    },
    Planted {
        name: "edit_not_in_outbox",
        what: "now and then an edit is kept and not put in the outbox",
        expected: CaughtBy::Seed,
    },
];

/// Plants a bug and looks for who catches it; gives which, with its words.
pub fn caught(bug: &Planted, seeds: Range<u64>, steps: usize) -> Option<String> {
    let by_seed = || by_seed(bug, seeds.clone(), steps);
    match bug.expected {
        CaughtBy::Seed => by_seed().or_else(|| by_story(bug)),
        CaughtBy::Story => by_story(bug).or_else(by_seed),
    }
}

/// The first seed whose world fails with the bug, and holds without it.
fn by_seed(bug: &Planted, seeds: Range<u64>, steps: usize) -> Option<String> {
    let lives = |seed, setting| match words_of_panic(|| live(seed, steps, setting).verdict) {
        Ok(Verdict::Held) => None,
        Ok(verdict) => Some(format!("{verdict:?}")),
        Err(words) => Some(format!("it panics: {words}")),
    };
    let mut worlds = seeds.flat_map(|seed| [(seed, Setting::County), (seed, Setting::Household)]);
    worlds.find_map(|(seed, setting)| {
        let words = with(bug, || lives(seed, setting))?;
        let is_its_doing = lives(seed, setting).is_none();
        is_its_doing.then(|| format!("seed {seed} of {setting:?}: {words}"))
    })
}

/// The first story that fails with the bug, and holds without it.
fn by_story(bug: &Planted) -> Option<String> {
    stories().into_iter().find_map(|story| {
        let words = with(bug, || story.tell()).err()?;
        let is_its_doing = story.tell().is_ok();
        is_its_doing.then(|| format!("story {}: {}", story.name, words.replace('\n', " ")))
    })
}

fn with<R>(bug: &Planted, run: impl FnOnce() -> R) -> R {
    plant(bug.name);
    let ran = run();
    uproot_all();
    ran
}
