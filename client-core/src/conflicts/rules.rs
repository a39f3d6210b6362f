//! Conflicts that are found by rule: one harvest recorded twice, more weighed than recorded, and what somebody wrote who may not.

use std::collections::BTreeMap;

use crate::ids::{ActorId, DeviceId};
use crate::quantities::{Day, Grams, Permille};
use crate::schema::harvest::{Lot, LotKey};
use crate::schema::{Document, DocumentKind, Trespass, order, stream};

/// Two weights of one harvest differ by this much at most, in permille: two people read one scale.
const SAME_WEIGHT_PERMILLE: u64 = 20;
/// Lots of one product and day that are compared at most.
const ALIKE_MAX: usize = 64;

/// Two lots of one book that look like one harvest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DuplicateLots {
    /// The older one.
    pub first: LotKey,
    /// The newer one.
    pub second: LotKey,
}

/// Lots that look like one harvest recorded twice: of one product and day, with nearly one weight, recorded by
/// different devices; or by one device, one behind the other and alike in every field.
pub fn duplicate_lots(lots: &[Lot]) -> Vec<DuplicateLots> {
    let mut alike: BTreeMap<(&str, Day), Vec<&Lot>> = BTreeMap::new();
    // In one order on all replicas, so that they find the same pairs.
    let mut counted: Vec<&Lot> = lots.iter().filter(|lot| lot.merged_into.is_none()).collect();
    counted.sort_by(|one, other| (one.key.counter(), &one.key).cmp(&(other.key.counter(), &other.key)));
    for lot in counted {
        if let (Some(product), Some(day)) = (&lot.product, lot.day) {
            let group = alike.entry((product, day)).or_default();
            if group.len() < ALIKE_MAX {
                group.push(lot);
            }
        }
    }
    let mut found = Vec::new();
    for group in alike.values() {
        for (place, one) in group.iter().enumerate() {
            for other in group.iter().skip(place.saturating_add(1)) {
                if look_like_one(one, other) {
                    found.push(DuplicateLots { first: one.key.clone(), second: other.key.clone() });
                }
            }
        }
    }
    found.sort();
    found
}

fn look_like_one(one: &Lot, other: &Lot) -> bool {
    let (Some(left), Some(right)) = (one.quantity, other.quantity) else { return false };
    if device_of(one) == device_of(other) {
        // One phone records many sacks of one day. Only a repeated tap is alike in every field.
        let neighbours = one.key.counter().abs_diff(other.key.counter()) <= 12;
        return neighbours && left == right && are_alike_beside_weight(one, other);
    }
    let (left, right) = (left.get().unsigned_abs(), right.get().unsigned_abs());
    left.abs_diff(right).saturating_mul(1000) <= left.max(right).saturating_mul(SAME_WEIGHT_PERMILLE)
}

/// Who recorded a lot: a device, under whatever actor; or an actor that no device has.
fn device_of(lot: &Lot) -> Option<Result<DeviceId, ActorId>> {
    lot.key.actor().map(|actor| actor.device().ok_or(actor))
}

/// True when two lots of one product and day are alike but for what they weigh.
fn are_alike_beside_weight(one: &Lot, other: &Lot) -> bool {
    (&one.grade, one.moisture, &one.place, &one.note) == (&other.grade, other.moisture, &other.place, &other.note)
}

/// The surplus that no product says otherwise about: every gram is told.
pub const SURPLUS_TOLERATED: Permille = Permille::NONE;

/// True when the warehouse weighed more than was recorded, by more than this share of what was recorded.
pub fn is_overweight(recorded: Grams, weighed: Grams, tolerated: Permille) -> bool {
    let surplus = weighed.get().saturating_sub(recorded.get());
    surplus > 0 && surplus.saturating_mul(1_000) > recorded.get().saturating_mul(tolerated.get())
}

/// What only the server may write into a document, and somebody else wrote: it counts for nothing, and a person has to know.
pub fn trespasses(document: &Document, server: DeviceId) -> Vec<Trespass> {
    match document.key().kind() {
        DocumentKind::Order => order::read(document, server).trespasses,
        DocumentKind::Stream => stream::read(document, server).trespasses,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(key: &str, grams: i64) -> Lot {
        Lot {
            key: key.parse().unwrap(),
            product: Some("millet".into()),
            quantity: Grams::new(grams).ok(),
            quantity_by: None,
            grade: None,
            moisture: None,
            day: "2026-10-03".parse().ok(),
            place: None,
            note: None,
            merged_into: None,
            in_conflict: false,
            damaged: vec![],
        }
    }

    #[test]
    fn lots_of_two_phones_with_one_weight_are_duplicates() {
        let found = duplicate_lots(&[lot("9@0202", 10_000), lot("3@0101", 10_150)]);
        assert_eq!(found, [DuplicateLots { first: "3@0101".parse().unwrap(), second: "9@0202".parse().unwrap() }]);
        assert!(duplicate_lots(&[lot("9@0202", 10_000), lot("3@0101", 12_000)]).is_empty(), "another weight");
        let mut merged = lot("3@0101", 10_000);
        merged.merged_into = "9@0202".parse().ok();
        assert!(duplicate_lots(&[lot("9@0202", 10_000), merged]).is_empty(), "they were made one already");
    }

    #[test]
    fn surplus_within_its_tolerance_is_no_case() {
        let is = |recorded, weighed, permille| {
            let grams = |grams| Grams::new(grams).unwrap();
            is_overweight(grams(recorded), grams(weighed), Permille::new(permille).unwrap())
        };
        assert!(is(10_000, 10_001, 0) && !is(10_000, 10_000, 0) && !is(10_000, 9_000, 0));
        assert!(!is(10_000, 10_200, 20) && is(10_000, 10_201, 20));
        assert!(!is(1_000_000_000, 1_000_000_000, 1_000) && is(1, 1_000_000_000, 1_000));
    }

    #[test]
    fn lots_of_one_phone_are_duplicates_only_by_repeated_tap() {
        assert!(duplicate_lots(&[lot("3@0101", 10_000), lot("12@0101", 10_100)]).is_empty());
        assert_eq!(duplicate_lots(&[lot("3@0101", 10_000), lot("12@0101", 10_000)]).len(), 1);
        assert!(duplicate_lots(&[lot("3@0101", 10_000), lot("92@0101", 10_000)]).is_empty());
    }

    #[test]
    fn lots_of_two_openings_of_one_phone_are_no_duplicates() {
        let (before, after) = (lot("3@a1a2a3a4a5a6a7a800000001", 10_000), lot("31@a1a2a3a4a5a6a7a800000002", 10_100));
        assert!(duplicate_lots(&[before.clone(), after]).is_empty());
        let another = lot("31@b1b2b3b4b5b6b7b800000002", 10_100);
        assert_eq!(duplicate_lots(&[before, another]).len(), 1, "two phones");
    }
}
