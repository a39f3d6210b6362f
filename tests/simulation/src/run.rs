//! A world's life: some hundred things happen, most of them bad; then everything heals, and what must
//! hold is looked at.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::conflicts::twins;
use granary_client_core::documents::DocumentKey;
use granary_client_core::documents::harvest::LotId;
use granary_client_core::ids::DocumentId;

use crate::events::draw;
use crate::phone::book;
use crate::world::{Line, Setting, Synced, Tally, World, household};

/// Rounds of syncs until everything must have healed.
const HEALING_ROUNDS: usize = 12;

/// The actor of documents' first changes (`genesis`), in hexadecimal.
const BEGINNING: &str = "67656e65736973";

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
    let ended =
        (0..steps).try_for_each(|_| step(&mut world)).and_then(|()| heal(&mut world)).and_then(|()| check(&mut world));
    let verdict = match ended {
        Ok(()) => Verdict::Held,
        Err(why) if why.starts_with("LEAKED") => Verdict::Leaked(why),
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

/// What must hold once everything has healed.
pub(crate) fn check(world: &mut World) -> Result<(), String> {
    for coop in 0..world.setting.coops() {
        let of_coop: Vec<usize> = (0..world.phones.len()).filter(|phone| world.phones[*phone].coop == coop).collect();
        let coordinator = of_coop[0];
        // A copy has used numbers that what a restoration took had as well: see RELIABILITY.md for what may
        // then be there twice, as a case of the coordinator's, or wait on the server.
        let has_two_pasts = world.was_restored() && world.has_copies();
        // What a restoration and a damage have both taken holds back what builds on it in its document.
        let cooperative = world.phones[coordinator].cooperative;
        // What a copy said that is gone for good gets no other name when the other one has used its number, and
        // what builds on it waits.
        let a_copy_is_gone =
            has_two_pasts && of_coop.iter().any(|phone| world.phones[*phone].is_gone() && world.is_a_copy(*phone));
        let damaged: BTreeSet<DocumentId> = of_coop
            .iter()
            .filter(|_| world.was_restored())
            .flat_map(|phone| world.phones[*phone].damaged.iter().copied())
            .collect();
        let lost_twice = |key: &DocumentKey| damaged.contains(&key.id(cooperative));
        let number = world.coops[coop];
        let waits = world.server()?.cooperative(number).map_err(|error| error.to_string())?.statistics().pending;
        // What a damage took from a phone that then broke is nowhere, and what builds on it waits.
        let is_gone =
            of_coop.iter().map(|phone| &world.phones[*phone]).any(|one| one.was_ever_damaged && one.is_gone());
        if waits > 0 && !world.was_restored() && !world.has_copies() && !is_gone {
            return Err(format!("{waits} entries wait on the server for what does not come"));
        }
        let all = world.phones[coordinator].heads();
        let mut here = BTreeSet::new();
        let mut of_newer = BTreeSet::new();
        for number in 1..=world.setting.households() {
            of_newer.extend(world.phones[coordinator].new_fields(household(number)));
            let lots = world.phones[coordinator].lots(household(number));
            let cases: BTreeSet<LotId> = twins(&lots).into_iter().flat_map(|pair| [pair.first, pair.second]).collect();
            for lot in lots {
                let is_case = has_two_pasts && cases.contains(&lot.id);
                if let Some(note) = lot.note.filter(|note| !here.insert(note.clone()) && !is_case) {
                    return Err(format!("{note} is there twice"));
                }
            }
        }
        for phone in of_coop {
            if world.phones[phone].is_revoked || world.phones[phone].is_broken {
                continue;
            }
            let pending = world.phones[phone].replica.pending();
            if pending > 0 {
                return Err(format!("phone {phone} still has {pending} changes to send"));
            }
            // Whoever may read a document has it as the coordinator has it.
            let role = world.phones[phone].role;
            let own = world.phones[phone].heads();
            let mut wanted = all.clone();
            wanted.retain(|key, _| role.may_read(key));
            if let Some(key) = differing(&wanted, &own, |key| !lost_twice(key)) {
                let (theirs, own) = (world.phones[coordinator].changes(&key), world.phones[phone].changes(&key));
                let lacks: Vec<_> = theirs.difference(&own).collect();
                let has_more: Vec<_> = own.difference(&theirs).collect();
                // What only phones that may not write it still have of a phone that was revoked, or has
                // lost it too, is not given back after a restoration: nobody could tell it from a forgery.
                let gone: Vec<String> = world
                    .phones
                    .iter()
                    .filter(|one| one.is_gone() || one.was_ever_damaged)
                    .map(|one| one.device.to_string())
                    .collect();
                let of_revoked = |change: &&String| {
                    change.starts_with(BEGINNING) || gone.iter().any(|device| change.starts_with(device.as_str()))
                };
                if lacks.is_empty() && world.was_restored() && has_more.iter().all(of_revoked) {
                    continue;
                }
                return Err(format!(
                    "{waits} entries wait on the server; phone {phone} ({role}, device {}) differs in {key:?} from the coordinator's: it lacks {lacks:?}, and has \
                     besides {has_more:?}",
                    world.phones[phone].device
                ));
            }
            if world.phones[phone].is_newer
                && let Some(note) =
                    world.phones[phone].recorded.keys().find(|note| !of_newer.contains(*note) && here.contains(*note))
            {
                return Err(format!("what a newer phone {phone} wrote of {note} besides is lost"));
            }
            let recorded = world.phones[phone].recorded.clone();
            let may_wait = a_copy_is_gone && waits > 0 && world.phones[phone].disk.count(b"w") > 0;
            for (lot, household) in recorded {
                let is_excused = may_wait || lost_twice(&book(household));
                if !here.contains(&lot) && !world.phones[phone].was_granted_otherwise && !is_excused {
                    return Err(format!("phone {phone} recorded {lot} in {:?}, and it is lost", book(household)));
                }
            }
        }
        // What the server has acknowledged stays, whoever brought it.
        let of_coop = world.phones.iter().filter(|phone| phone.coop == coop);
        for (note, household) in of_coop.flat_map(|phone| &phone.acknowledged) {
            if !here.contains(note) && !world.was_restored() {
                return Err(format!("{note} of {household} was acknowledged, and it is lost"));
            }
        }
        for (_, note, household) in world.handed_in.iter().filter(|(of, ..)| *of == coop) {
            if !here.contains(note) && !world.was_restored() {
                return Err(format!("{note} of {household} was handed in as a file, and it is lost"));
            }
        }
        // The server has what the coordinator has.
        for (key, heads) in &all {
            let document = world.server()?.document(number, key).map_err(|error| error.to_string())?;
            if document.map(|mut document| document.heads()).as_ref() != Some(heads) && !lost_twice(key) {
                return Err(format!("the server differs in {key:?}"));
            }
        }
        // Nothing of the other co-operative.
        let strangers: Vec<String> = world
            .phones
            .iter()
            .filter(|phone| phone.coop != coop)
            .flat_map(|phone| phone.recorded.keys().cloned())
            .collect();
        if let Some(lot) = strangers.iter().find(|lot| here.contains(lot.as_str())) {
            return Err(format!("LEAKED {lot} into another co-operative"));
        }
    }
    Ok(())
}

fn differing<V: PartialEq>(
    wanted: &BTreeMap<DocumentKey, V>,
    own: &BTreeMap<DocumentKey, V>,
    of: impl Fn(&DocumentKey) -> bool,
) -> Option<DocumentKey> {
    wanted.keys().chain(own.keys()).find(|key| of(key) && wanted.get(key) != own.get(key)).cloned()
}
