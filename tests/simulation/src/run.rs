//! Runs a world: some hundred random events, most of them faults, then recovery, then the check of all properties.

use crate::events::draw;
use crate::properties::LEAKED;
use crate::world::{Line, Setting, Synced, Tally, World};

/// Rounds of syncs after which every world must have recovered.
const RECOVERY_ROUNDS_MAX: usize = 12;

/// The result of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All properties held.
    Held,
    /// Data was lost, or the world did not recover.
    Lost(String),
    /// A phone got data that it may not read.
    Leaked(String),
}

/// A world that was run.
#[derive(Debug)]
pub struct WorldRun {
    /// Its result.
    pub verdict: Verdict,
    /// One line for each event.
    pub story: Vec<String>,
    /// How often each fault happened.
    pub faults: Tally,
}

/// Runs one world with this many events.
pub fn run_world(seed: u64, steps: usize, setting: Setting) -> WorldRun {
    let mut world = match World::new(seed, setting) {
        Ok(world) => world,
        Err(why) => return WorldRun { verdict: Verdict::Lost(why), story: Vec::new(), faults: Tally::new() },
    };
    let ended = (0..steps)
        .try_for_each(|_| step(&mut world))
        .and_then(|()| recover(&mut world))
        .and_then(|()| world.must_hold_after_recovery());
    let verdict = match ended {
        Ok(()) => Verdict::Held,
        Err(why) if why.starts_with(LEAKED) => Verdict::Leaked(why),
        Err(why) => Verdict::Lost(why),
    };
    // The final heads are part of the story, since the same seed must give the same bytes.
    for phone in &mut world.phones {
        let heads = phone.heads();
        world.story.push(format!("{} ends with {heads:?}", phone.device));
    }
    WorldRun { verdict, story: world.story, faults: world.tally }
}

/// The smallest number of steps with which a seed still fails.
pub fn shrink(seed: u64, steps: usize, setting: Setting) -> usize {
    (1..=steps).find(|fewer| run_world(seed, *fewer, setting).verdict != Verdict::Held).unwrap_or(steps)
}

fn step(world: &mut World) -> Result<(), String> {
    world.now += i64::try_from(world.dice.roll(3_600_000)).unwrap();
    let phone = usize::try_from(world.dice.roll(world.phones.len() as u64)).unwrap();
    if world.phones[phone].is_broken {
        return Ok(());
    }
    let event = draw(world, phone);
    world.inject_phone_disk_fault(phone);
    event.happen(world, phone)?;
    if world.phones[phone].is_broken {
        return Ok(());
    }
    world.clear_phone_disk_fault(phone)?;
    world.must_hold(phone)
}

/// Ends all faults, and syncs all phones until a round changes nothing.
pub(crate) fn recover(world: &mut World) -> Result<(), String> {
    world.recovery_begins()?;
    world.deliver_late_requests()?;
    world.import_outbox_files()?;
    world.revoke_again()?;
    world.grant_again()?;
    let mut before = None;
    for _ in 0..RECOVERY_ROUNDS_MAX {
        // Rounds are deterministic, so a round without progress is the last.
        let now = world.progress()?;
        if before.replace(now.clone()) == Some(now) {
            break;
        }
        for phone in 0..world.phones.len() {
            if world.phones[phone].is_broken {
                continue;
            }
            for _ in 0..3 {
                let ended = world.sync(phone, |_| Line::Whole)?;
                if ended == Synced::Done || ended == Synced::Refused {
                    break;
                }
            }
        }
        world.take_in_what_was_given_back()?;
        world.recover_trade()?;
    }
    Ok(())
}
