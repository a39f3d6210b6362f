//! Stories that seeds have told, each in its fewest steps: what was lost in them, or was there twice. Each is a test, and
//! can be told by whoever has planted a bug.

/// The stories of a file, each also as a test of its name.
macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        pub(super) const ALL: &[Story] = &[$(Story { name: stringify!($name), tell: $name }),*];

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
use crate::run::heal;
use crate::world::{Line, Setting, Synced, World, household};

/// One of the stories.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Its name, which is also its test's.
    pub name: &'static str,
    tell: fn(),
}

impl Story {
    /// Tells it; what does not hold in it, if anything.
    pub fn tell(self) -> Result<(), String> {
        words_of_panic(self.tell)
    }
}

/// All stories.
pub fn stories() -> Vec<Story> {
    [console::ALL, copies::ALL, grants::ALL, restorations::ALL].concat()
}

/// Runs it, and gives the words of a panic as an error.
pub(crate) fn words_of_panic<R>(run: impl FnOnce() -> R) -> Result<R, String> {
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

fn records(world: &mut World, phone: usize, note: &str) {
    let now = world.now;
    assert!(world.phones[phone].records(household(1), 1_000, note.into(), now));
}

/// Six lots like this are more than a small page holds.
fn records_at_length(world: &mut World, phone: usize) {
    let note = at_length(world);
    records(world, phone, &note);
}

fn at_length(world: &mut World) -> String {
    std::iter::repeat_with(|| world.dice.roll(u64::MAX).to_string()).take(20).collect()
}

fn has_small_pages(world: &mut World, phone: usize) {
    world.phones[phone].has_poor_line = true;
    (0..8).for_each(|_| world.phones[phone].pace.failed());
}

fn syncs(world: &mut World, phone: usize) {
    assert_eq!(world.syncs(phone, |_| Line::Whole).unwrap(), Synced::Done);
}

/// The line breaks in the last of so many exchanges.
fn syncs_until_the_line_breaks(world: &mut World, phone: usize, mut exchanges: u32) {
    let ended = world.syncs(phone, |_| {
        exchanges -= 1;
        if exchanges == 0 { Line::RequestLost } else { Line::Whole }
    });
    assert_eq!(ended.unwrap(), Synced::LineFailed);
}

fn is_copied(world: &mut World, phone: usize) -> usize {
    world.is_copied(phone).unwrap();
    world.phones.len() - 1
}

fn another_of_the_household(world: &mut World) -> usize {
    world.enrols(0, Role::Household(household(1))).unwrap();
    world.phones.len() - 1
}

fn damage(phone: &mut SimPhone, kind: u8) {
    assert!(phone.loses(0, |key| key.first() == Some(&kind)).unwrap().is_some());
}

/// What one phone recorded and another has read is then lost with a restoration, and the first of them breaks.
fn a_restoration_takes_the_lot(world: &mut World, author: usize, reader: usize) {
    world.backs_up();
    records(world, author, "of a phone that broke");
    syncs(world, author);
    syncs(world, reader);
    world.breaks(author);
    world.is_restored().unwrap();
}

/// Everything heals, everything holds, and the coordinator has these lots, each once.
fn ends_with(world: &mut World, notes: &[&str]) {
    heal(world).unwrap();
    world.must_hold_once_healed().unwrap();
    let mut there = world.phones[COORDINATOR].notes(household(1));
    there.sort();
    assert_eq!(there, notes);
}
