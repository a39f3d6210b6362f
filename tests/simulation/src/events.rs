//! The events of a world. Each setting gives each event a weight. An event is drawn from those that are possible for a
//! random phone.

use granary_client_core::ids::HouseholdId;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{Book, DocumentKey, Part};

use crate::dice::Dice;
use crate::phone::{book, season};
use crate::trade_events::TradeEvent;
use crate::world::{Correction, Line, Setting, World, household};

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A phone records a lot.
    Record,
    /// A phone corrects the weight of a lot.
    Correct,
    /// A phone sets a household's village, in a document that packers may not read.
    Move,
    /// A phone records the weight of a lot in the warehouse.
    Weigh,
    /// A phone syncs over a line that may fail.
    Sync,
    /// A phone's program restarts.
    Restart,
    /// A phone breaks for good.
    Break,
    /// A person gets another phone.
    Join,
    /// A phone is copied from a backup of it.
    Copy,
    /// A bit flips on a phone's disk.
    Damage,
    /// A phone's clock is wrong by years, in either direction.
    PhoneClock,
    /// A device is revoked.
    Revoke,
    /// A device's grant is changed.
    Grant,
    /// A phone exports its outbox as a file, and may break then.
    ExportOutbox,
    /// Outbox files are imported, and old requests are delivered once more.
    DeliverLate,
    /// Somebody opens pages of the console, and writes from them later.
    ConsolePage,
    /// Somebody corrects the note or the place of a lot in the console.
    ConsoleCorrect,
    /// Somebody records the receipt of a lot in the console.
    ConsoleReceive,
    /// Somebody names a product or sets its price in the console.
    ConsoleCatalogue,
    /// Somebody settles a case in the console.
    ConsoleSettle,
    /// The server's machine stops.
    ServerStop,
    /// The server is backed up.
    BackUp,
    /// The server is restored from a backup.
    Restore,
    /// The server's clock jumps.
    ServerClock,
    /// Something of trade.
    Trade(TradeEvent),
}

/// The weights of a county.
const COUNTY: &[(Event, u64)] = &[
    (Event::Record, 30),
    (Event::Correct, 8),
    (Event::Move, 2),
    (Event::Weigh, 4),
    (Event::Sync, 35),
    (Event::Restart, 1),
    (Event::Break, 1),
    (Event::Join, 3),
    (Event::Copy, 1),
    (Event::Damage, 1),
    (Event::PhoneClock, 2),
    (Event::Revoke, 1),
    (Event::Grant, 1),
    (Event::ExportOutbox, 1),
    (Event::DeliverLate, 2),
    (Event::ConsolePage, 2),
    (Event::ConsoleCorrect, 3),
    (Event::ConsoleReceive, 1),
    (Event::ConsoleCatalogue, 2),
    (Event::ConsoleSettle, 2),
    (Event::ServerStop, 3),
    (Event::BackUp, 3),
    (Event::Restore, 1),
    (Event::ServerClock, 1),
];

/// Among phones of one household, more syncs, copies, damages and restorations, and clocks that are right.
const HOUSEHOLD: &[(Event, u64)] = &[
    (Event::Record, 22),
    (Event::Correct, 8),
    (Event::Move, 2),
    (Event::Weigh, 4),
    (Event::Sync, 43),
    (Event::Restart, 1),
    (Event::Break, 1),
    (Event::Join, 3),
    (Event::Copy, 2),
    (Event::Damage, 2),
    (Event::Revoke, 1),
    (Event::Grant, 1),
    (Event::ExportOutbox, 1),
    (Event::DeliverLate, 2),
    (Event::ConsolePage, 2),
    (Event::ConsoleCorrect, 3),
    (Event::ConsoleReceive, 1),
    (Event::ConsoleCatalogue, 2),
    (Event::ConsoleSettle, 2),
    (Event::ServerStop, 3),
    (Event::BackUp, 3),
    (Event::Restore, 2),
];

/// Where goods are sold, most of all orders come in and go on, and more restorations than elsewhere take some of them.
const TRADE: &[(Event, u64)] = &[
    (Event::Record, 5),
    (Event::Correct, 2),
    (Event::Weigh, 6),
    (Event::Sync, 40),
    (Event::Restart, 1),
    (Event::Break, 1),
    (Event::Join, 2),
    (Event::Copy, 1),
    (Event::Damage, 1),
    (Event::Revoke, 1),
    (Event::Grant, 1),
    (Event::ExportOutbox, 1),
    (Event::DeliverLate, 2),
    (Event::ServerStop, 3),
    (Event::BackUp, 3),
    (Event::Restore, 2),
    (Event::Trade(TradeEvent::Sell), 25),
    (Event::Trade(TradeEvent::TellAgain), 16),
    (Event::Trade(TradeEvent::Export), 3),
    (Event::Trade(TradeEvent::SayComplete), 4),
    (Event::Trade(TradeEvent::PlanStream), 4),
    (Event::Trade(TradeEvent::WantPacks), 4),
    (Event::Trade(TradeEvent::EndStream), 1),
    (Event::Trade(TradeEvent::Pack), 8),
    (Event::Trade(TradeEvent::GoodsIn), 6),
    (Event::Trade(TradeEvent::Count), 4),
    (Event::Trade(TradeEvent::Lose), 2),
    (Event::Trade(TradeEvent::MoveBin), 2),
    (Event::Trade(TradeEvent::Recall), 1),
    (Event::Trade(TradeEvent::Withdraw), 1),
    (Event::Trade(TradeEvent::NameSku), 1),
    (Event::Trade(TradeEvent::MapLine), 2),
    (Event::Trade(TradeEvent::Round), 16),
    (Event::Trade(TradeEvent::Openings), 1),
];

/// The weight of each event in a setting.
fn weights(setting: Setting) -> &'static [(Event, u64)] {
    match setting {
        Setting::County => COUNTY,
        Setting::Household => HOUSEHOLD,
        Setting::Trade => TRADE,
    }
}

/// Draws this phone's next event.
pub(crate) fn draw(world: &mut World, phone: usize) -> Event {
    let may_happen: Vec<(Event, u64)> =
        weights(world.setting).iter().copied().filter(|(event, _)| event.may_happen(world, phone)).collect();
    let mut roll = world.dice.roll(may_happen.iter().map(|(_, weight)| weight).sum());
    for (event, weight) in may_happen {
        match roll.checked_sub(weight) {
            None => return event,
            Some(left) => roll = left,
        }
    }
    Event::Restart
}

impl Event {
    /// The coordinator's phone, the first of its co-operative, is never lost: properties compare the others with it.
    fn may_happen(self, world: &World, phone: usize) -> bool {
        let one = &world.phones[phone];
        let is_coordinator = one.role == Role::Coordinator;
        let has_room = world.phones.len() < world.setting.phones_max();
        match self {
            Self::Break | Self::Revoke | Self::Grant => !is_coordinator,
            Self::Join => has_room && !is_coordinator,
            Self::Copy => has_room && world.is_copyable,
            // One at a time: two damages together may destroy the only two copies of a change.
            Self::Damage => !one.was_damaged,
            Self::Restore => world.is_restorable,
            Self::Trade(event) => event.may_happen(world, phone),
            _ => true,
        }
    }

    /// Applies the event to this phone, or to the server.
    pub(crate) fn happen(self, world: &mut World, phone: usize) -> Result<(), String> {
        let now = world.now;
        match self {
            Self::Record => record(world, phone),
            Self::Correct => {
                let (about, nth, grams) = draw_lot(world, phone);
                world.log(format!("phone {phone} corrects"));
                world.phones[phone].correct(about, nth, grams, now);
            }
            Self::Move => {
                let (about, village) = (draw_household(world, phone), world.new_note());
                world.log(format!("phone {phone} writes where a household is"));
                world.phones[phone].set_village(about, &village, now);
            }
            Self::Weigh => {
                let (about, nth, grams) = draw_lot(world, phone);
                world.log(format!("phone {phone} weighs"));
                world.phones[phone].weigh(about, nth, grams, now);
            }
            Self::Sync => sync(world, phone)?,
            Self::Restart => {
                world.log(format!("phone {phone} restarts"));
                world.phones[phone].restart(0)?;
            }
            Self::Break => {
                world.log(format!("phone {phone} breaks"));
                world.break_phone(phone);
            }
            Self::Join => {
                let (coop, role) = (world.phones[phone].coop, world.phones[phone].role);
                world.log(format!("another phone joins as {role}"));
                world.enrol(coop, role)?;
            }
            Self::Copy => {
                world.log(format!("phone {phone} is copied from a backup"));
                world.copy_phone(phone)?;
            }
            Self::Damage => damage(world, phone)?,
            Self::PhoneClock => {
                let off = i64::try_from(world.dice.roll(600_000_000_000)).unwrap() - 300_000_000_000;
                world.log(format!("phone {phone}'s clock is off by {off} ms"));
                world.count("phone's clock off by up to ten years");
                world.phones[phone].clock_offset_ms = off;
            }
            Self::Revoke => {
                world.log(format!("phone {phone} is revoked"));
                world.revoke(phone)?;
            }
            Self::Grant => grant(world, phone)?,
            Self::ExportOutbox => {
                world.log(format!("phone {phone} exports its outbox"));
                world.export_outbox(phone)?;
                if world.dice.percent(30) && world.phones[phone].role != Role::Coordinator {
                    world.log(format!("phone {phone} breaks"));
                    world.break_phone(phone);
                }
            }
            Self::DeliverLate => {
                world.log("late requests are delivered, and outbox files are imported".into());
                world.deliver_late_requests()?;
                world.import_outbox_files()?;
                world.deliver_late_calls()?;
            }
            Self::Trade(event) => event.happen(world, phone)?,
            Self::ConsolePage => open_page(world, phone)?,
            Self::ConsoleCorrect | Self::ConsoleReceive | Self::ConsoleCatalogue | Self::ConsoleSettle => {
                world.inject_server_disk_fault();
                let is_done = edit_in_console(self, world, phone)?;
                world.log(format!("a person edits in the console, {self:?}: {is_done}"));
                world.clear_server_disk_fault();
            }
            Self::ServerStop => {
                world.log("the server crashes".into());
                world.crash_server();
            }
            Self::BackUp => {
                world.log("the server is backed up".into());
                world.back_up();
            }
            Self::Restore => {
                world.log("the server is restored".into());
                world.restore()?;
            }
            Self::ServerClock => {
                world.log("the server's clock jumps".into());
                world.count("server's clock jumps by up to a day");
                world.now += i64::try_from(world.dice.roll(200_000_000)).unwrap() - 100_000_000;
            }
        }
        Ok(())
    }
}

/// A household whose book a phone writes: its own, or a random one.
fn draw_household(world: &mut World, phone: usize) -> HouseholdId {
    let households = u64::from(world.setting.households());
    match world.phones[phone].role {
        Role::Household(own) => own,
        _ => household(1 + u8::try_from(world.dice.roll(households)).unwrap()),
    }
}

/// A household, one of its lots, and a weight.
fn draw_lot(world: &mut World, phone: usize) -> (HouseholdId, usize, i64) {
    let about = draw_household(world, phone);
    (about, usize::try_from(world.dice.roll(50)).unwrap(), grams(&mut world.dice))
}

fn grams(dice: &mut Dice) -> i64 {
    1_000 + i64::try_from(dice.roll(9_000)).unwrap()
}

fn record(world: &mut World, phone: usize) {
    let (about, grams, mut note) = (draw_household(world, phone), grams(&mut world.dice), world.new_note());
    if world.dice.percent(30) {
        note.extend(std::iter::repeat_with(|| world.dice.roll(u64::MAX).to_string()).take(20));
    }
    let now = world.now;
    world.log(format!("phone {phone} records"));
    world.phones[phone].record(about, grams, note, now);
}

/// What the line does to an exchange.
pub(crate) fn draw_line(dice: &mut Dice) -> Line {
    match dice.roll(20) {
        0 | 1 => Line::RequestLost,
        2..=4 => Line::ReplyLost,
        5 => Line::Twice,
        6 => Line::AgainLater,
        _ => Line::Whole,
    }
}

fn sync(world: &mut World, phone: usize) -> Result<(), String> {
    world.inject_server_disk_fault();
    let ended = world.sync(phone, draw_line)?;
    world.log(format!("phone {phone} syncs: {ended:?}"));
    world.clear_server_disk_fault();
    Ok(())
}

fn damage(world: &mut World, phone: usize) -> Result<(), String> {
    let which = world.dice.roll(10_000);
    let lost = world.phones[phone].lose_any_row(which)?;
    if lost.is_some() {
        world.count("record of a phone damaged");
    }
    world.log(format!("a record of phone {phone} is damaged: {lost:?}"));
    Ok(())
}

fn grant(world: &mut World, phone: usize) -> Result<(), String> {
    let households = u64::from(world.setting.households());
    let role = match world.dice.roll(4) {
        0 => Role::Packer,
        other => Role::Household(household(u8::try_from(other.min(households)).unwrap())),
    };
    world.log(format!("phone {phone} may now do what a {role} may"));
    world.change_grant(phone, role)
}

/// Somebody of a phone's co-operative who edits in the console.
fn draw_person(world: &mut World, phone: usize) -> usize {
    let nth = usize::try_from(world.dice.roll(2)).unwrap();
    world.person(world.phones[phone].coop, nth)
}

fn open_page(world: &mut World, phone: usize) -> Result<(), String> {
    let (person, about) = (draw_person(world, phone), draw_household(world, phone));
    world.log("a person opens pages of the console".into());
    for key in
        [DocumentKey::Catalogue(Part::FIRST), DocumentKey::ReceiptBook(Book::first(about, season())), book(about)]
    {
        world.open_page(person, key)?;
    }
    Ok(())
}

fn edit_in_console(what: Event, world: &mut World, phone: usize) -> Result<bool, String> {
    let person = draw_person(world, phone);
    let (about, nth, grams) = draw_lot(world, phone);
    match what {
        Event::ConsoleCorrect => {
            let field = if world.dice.percent(50) { Correction::Note } else { Correction::Place };
            world.console_correct(person, about, nth, field)
        }
        Event::ConsoleReceive => {
            let weighed = world.dice.percent(80).then_some(grams);
            world.console_receive(person, about, nth, weighed)
        }
        Event::ConsoleCatalogue => {
            let fen = world.dice.percent(50).then_some(grams);
            let code = if world.dice.percent(50) { "millet" } else { "walnut" };
            world.console_name_product(person, code, fen)
        }
        _ => world.console_settle(person, about, nth),
    }
}
