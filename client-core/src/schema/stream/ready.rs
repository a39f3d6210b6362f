//! What was made ready for a live-stream: labels, bags and hands, as people counted them. Nothing else here knows of them.

use automerge::{AutoCommit, ROOT};

use super::{PACKS, put};
use crate::crdt::DocumentFault;
use crate::schema::order::PACKS_MAX;
use crate::schema::view::Fields;

/// The most people who pack.
pub const HANDS_MAX: u32 = 10_000;

/// See the module. What nobody counted is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ready {
    /// Labels that are printed or can be.
    pub labels: Option<u32>,
    /// Bags.
    pub bags: Option<u32>,
    /// People who pack.
    pub hands: Option<u32>,
    /// Packs that one of them packs in an hour.
    pub packs_an_hour: Option<u32>,
}

impl Ready {
    /// How many minutes it takes to pack so many packs, rounded up; none where nobody said by how many hands and how fast.
    pub fn minutes_for(&self, packs: u64) -> Option<u64> {
        let an_hour = u64::from(self.hands?).checked_mul(u64::from(self.packs_an_hour?))?;
        if an_hour == 0 {
            return None;
        }
        Some(packs.saturating_mul(60).div_ceil(an_hour))
    }
}

/// Says what is ready.
pub fn set_ready(automerge: &mut AutoCommit, ready: &Ready) -> Result<(), DocumentFault> {
    let Ready { labels, bags, hands, packs_an_hour } = *ready;
    let counts = [("labels", labels, PACKS_MAX), ("bags", bags, PACKS_MAX)];
    let people = [("hands", hands, HANDS_MAX), ("pace", packs_an_hour, PACKS_MAX)];
    for (field, count, most) in counts.into_iter().chain(people) {
        if count.is_some_and(|count| count > most) {
            return Err(DocumentFault::NotNow(PACKS));
        }
        put(automerge, &ROOT, field, count.map_or_else(|| "".into(), |count| i64::from(count).into()))?;
    }
    Ok(())
}

pub(super) fn read(fields: &mut Fields<'_>) -> Ready {
    let within = |most: u32| move |count: i64| u32::try_from(count).ok().filter(|count| *count <= most);
    Ready {
        labels: fields.unless_empty("labels", within(PACKS_MAX)),
        bags: fields.unless_empty("bags", within(PACKS_MAX)),
        hands: fields.unless_empty("hands", within(HANDS_MAX)),
        packs_an_hour: fields.unless_empty("pace", within(PACKS_MAX)),
    }
}
