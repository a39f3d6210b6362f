//! Regression stories: the shortest forms of failing seeds. Each is a test, and can also be run with a planted bug.

/// The stories of a file, each also as a test of its name.
macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        pub(super) const ALL: &[Story] = &[$(Story { name: stringify!($name), run: $name }),*];

        #[cfg(test)]
        mod tests {
            $(#[test]
            fn $name() {
                super::$name();
            })*
        }
    };
}

mod console;
mod copies;
mod grants;
mod restorations;

use granary_client_core::schema::access::Role;

use crate::phone::{SimPhone, book};
use crate::run::recover;
use crate::world::{Line, Setting, Synced, World, household};

/// One of the stories.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Its name, which is also its test's.
    pub name: &'static str,
    run: fn(),
}

impl Story {
    /// Runs it. The error is the message of the failed assertion.
    pub fn run(self) -> Result<(), String> {
        panic_message(self.run)
    }
}

/// All stories.
pub fn stories() -> Vec<Story> {
    [console::ALL, copies::ALL, grants::ALL, restorations::ALL].concat()
}

/// Runs a function, and gives the message of a panic as an error.
pub(crate) fn panic_message<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

const COORDINATOR: usize = 0;
/// Reads what it may not write.
const PACKER: usize = 1;
/// A phone of the first household.
const LI: usize = 2;

fn world() -> World {
    World::new(2, Setting::County).unwrap()
}

fn record(world: &mut World, phone: usize, note: &str) {
    let now = world.now;
    assert!(world.phones[phone].record(household(1), 1_000, note.into(), now));
}

/// Six lots like this are more than a small page holds.
fn record_at_length(world: &mut World, phone: usize) {
    let note = at_length(world);
    record(world, phone, &note);
}

fn at_length(world: &mut World) -> String {
    std::iter::repeat_with(|| world.dice.roll(u64::MAX).to_string()).take(20).collect()
}

fn use_small_pages(world: &mut World, phone: usize) {
    world.phones[phone].has_poor_line = true;
    (0..8).for_each(|_| world.phones[phone].pace.failed());
}

fn sync(world: &mut World, phone: usize) {
    assert_eq!(world.sync(phone, |_| Line::Whole).unwrap(), Synced::Done);
}

/// Syncs until the request of this exchange, counted from 1, is lost.
fn sync_until_line_breaks(world: &mut World, phone: usize, mut exchanges: u32) {
    let ended = world.sync(phone, |_| {
        exchanges -= 1;
        if exchanges == 0 { Line::RequestLost } else { Line::Whole }
    });
    assert_eq!(ended.unwrap(), Synced::LineFailed);
}

fn copy_phone(world: &mut World, phone: usize) -> usize {
    world.copy_phone(phone).unwrap();
    world.phones.len() - 1
}

fn enrol_another_of_household(world: &mut World) -> usize {
    world.enrol(0, Role::Household(household(1))).unwrap();
    world.phones.len() - 1
}

fn damage(phone: &mut SimPhone, kind: u8) {
    assert!(phone.lose_row(0, |key| key.first() == Some(&kind)).unwrap().is_some());
}

/// One phone's lot reaches another phone; a restoration loses it, and the first phone breaks.
fn restoration_loses_lot(world: &mut World, author: usize, reader: usize) {
    world.back_up();
    record(world, author, "of a phone that broke");
    sync(world, author);
    sync(world, reader);
    world.break_phone(author);
    world.restore().unwrap();
}

/// Recovers, checks all properties, and checks that the coordinator has exactly these lots.
fn assert_lots_after_recovery(world: &mut World, notes: &[&str]) {
    recover(world).unwrap();
    world.must_hold_after_recovery().unwrap();
    let mut there = world.phones[COORDINATOR].notes(household(1));
    there.sort();
    assert_eq!(there, notes);
}
