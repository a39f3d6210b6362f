//! A world's life: some hundred things happen, most of them bad; then everything heals, and what must hold is looked
//! at.

use crate::events::draw;
use crate::properties::LEAKED;
use crate::world::{Line, Setting, Synced, Tally, World};

/// Rounds of syncs until everything must have healed.
const HEALING_ROUNDS: usize = 12;

/// What a world came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything held.
    Held,
    /// Something was lost, or did not heal.
    Lost(String),
    /// Somebody got what they may not read.
    Leaked(String),
}

/// What became of a world.
#[derive(Debug)]
pub struct Lived {
    /// What it came to.
    pub verdict: Verdict,
    /// What happened, one line each.
    pub story: Vec<String>,
    /// How often each fault happened.
    pub faults: Tally,
}

/// Lives one world through. `steps` is how many things happen.
pub fn live(seed: u64, steps: usize, setting: Setting) -> Lived {
    let mut world = match World::new(seed, setting) {
        Ok(world) => world,
        Err(why) => return Lived { verdict: Verdict::Lost(why), story: Vec::new(), faults: Tally::new() },
    };
    let ended = (0..steps)
        .try_for_each(|_| step(&mut world))
        .and_then(|()| heal(&mut world))
        .and_then(|()| world.must_hold_once_healed());
    let verdict = match ended {
        Ok(()) => Verdict::Held,
        Err(why) if why.starts_with(LEAKED) => Verdict::Leaked(why),
        Err(why) => Verdict::Lost(why),
    };
    // What everyone ended with is part of the story: the same seed must make the same bytes.
    for phone in &mut world.phones {
        let heads = phone.heads();
        world.story.push(format!("{} ends with {heads:?}", phone.device));
    }
    Lived { verdict, story: world.story, faults: world.tally }
}

/// The fewest steps after which a seed still fails.
pub fn shrink(seed: u64, steps: usize, setting: Setting) -> usize {
    (1..=steps).find(|fewer| live(seed, *fewer, setting).verdict != Verdict::Held).unwrap_or(steps)
}

fn step(world: &mut World) -> Result<(), String> {
    world.now += i64::try_from(world.dice.roll(3_600_000)).unwrap();
    let phone = usize::try_from(world.dice.roll(world.phones.len() as u64)).unwrap();
    if world.phones[phone].is_broken {
        return Ok(());
    }
    let event = draw(world, phone);
    world.phones_disk_may_fail(phone);
    event.happen(world, phone)?;
    if world.phones[phone].is_broken {
        return Ok(());
    }
    world.phones_disk_is_well(phone)?;
    world.must_hold(phone)
}

/// All faults end; everyone syncs until nothing is left to say.
pub(crate) fn heal(world: &mut World) -> Result<(), String> {
    world.healing_begins()?;
    world.late_requests_arrive()?;
    world.files_are_handed_in()?;
    world.say_again_who_is_revoked()?;
    world.say_again_what_is_granted()?;
    let mut before = None;
    for _ in 0..HEALING_ROUNDS {
        // Nothing happens any more after a round in which nothing happened.
        let now = world.standing()?;
        if before.replace(now.clone()) == Some(now) {
            break;
        }
        for phone in 0..world.phones.len() {
            if world.phones[phone].is_broken {
                continue;
            }
            for _ in 0..3 {
                let ended = world.syncs(phone, |_| Line::Whole)?;
                if ended == Synced::Done || ended == Synced::Refused {
                    break;
                }
            }
        }
    }
    Ok(())
}
