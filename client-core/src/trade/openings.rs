//! The balances at the beginning of a month, so that a phone can do without what was before. They hold what came in and what stands
//! in the stock books of earlier months. Orders, parcels, batches and returns are not in them: their documents are never left out.
//! What arrives late changes them, and the server writes them again.

use std::collections::{BTreeMap, BTreeSet};

use super::cases::StockCase;
use super::counts::Counts;
use super::facts::Facts;
use super::stock::sums;
use crate::quantities::Day;
use crate::schema::stock_book::{Balance, Deed};
use crate::schema::{EntryId, HoldingId, Part, StockMonth};

/// The first part of a month's book, by which the month is named.
pub(super) fn first_part(month: &StockMonth) -> StockMonth {
    month.at(Part::FIRST)
}

fn is_before(entry: &EntryId, month: &StockMonth) -> bool {
    (entry.month().year(), entry.month().month()) < (month.year(), month.month())
}

fn came_before(day: Option<Day>, month: &StockMonth) -> bool {
    // What has no day came in before everything.
    let first = i16::try_from(month.year()).ok().zip(i8::try_from(month.month()).ok());
    let first = first.and_then(|(year, month)| Day::new(year, month, 1).ok());
    day.is_none() || day < first
}

/// The counts that apply, of all holdings.
pub(super) fn applying(facts: &Facts) -> BTreeSet<EntryId> {
    let mut counts: BTreeMap<&HoldingId, Counts<'_>> = BTreeMap::new();
    for (id, entry) in facts.entries.iter().filter(|(_, entry)| !entry.is_withdrawn) {
        if let Some(Deed::Count(count)) = &entry.deed {
            counts.entry(&count.holding).or_default().add(id, count);
        }
    }
    counts.values().flat_map(|of| of.applying()).map(|(entry, _)| entry.clone()).collect()
}

/// The balances at the beginning of a month, as they follow from documents that reach back to the beginning. A holding of which
/// nothing is left is in them only where something after that speaks of it.
pub fn openings(facts: &Facts, month: &StockMonth) -> BTreeMap<HoldingId, Balance> {
    let applying = applying(facts);
    let is_of_before = |(id, entry): &(&EntryId, &crate::schema::stock_book::Entry)| {
        let counts = !matches!(&entry.deed, Some(Deed::Count(_))) || applying.contains(*id);
        is_before(id, month) && counts
    };
    let alone = |(id, entry): (&EntryId, &crate::schema::stock_book::Entry)| {
        let mut entry = entry.clone();
        // Which of them apply is decided above, also by counts of this month.
        if let Some(Deed::Count(count)) = &mut entry.deed {
            count.knew.retain(|known| applying.contains(known));
        }
        (id.clone(), entry)
    };
    let before = Facts {
        lots: facts
            .lots
            .iter()
            .filter(|(_, lot)| came_before(lot.day, month))
            .map(|(id, lot)| (id.clone(), lot.clone()))
            .collect(),
        entries: facts.entries.iter().filter(is_of_before).map(alone).collect(),
        ..Facts::default()
    };
    let later =
        facts.entries.iter().filter(|(id, _)| !is_before(id, month)).filter_map(|(_, entry)| entry.deed.as_ref());
    let mut named: BTreeSet<&HoldingId> = later.filter_map(Deed::holding).collect();
    named.extend(facts.orders.values().flat_map(|order| order.takes.keys()));
    named.extend(facts.packed.keys().chain(facts.planned.keys()));
    named.extend(facts.flows.keys().map(|flow| &flow.holding));
    let holdings = sums(&before).holdings.into_iter();
    let left = holdings.filter_map(|(id, mut holding)| {
        holding.by_bin.retain(|_, grams| *grams != 0);
        let grams = holding.present();
        let is_empty = grams == 0 && holding.by_bin.is_empty();
        let balance = Balance {
            is_known: holding.is_known,
            product: holding.product,
            grade: holding.grade,
            received_on: holding.received_on,
            expiry: holding.expiry,
            is_recalled: holding.is_recalled,
            grams,
            by_bin: holding.by_bin,
        };
        (!is_empty || balance.is_recalled || named.contains(&id)).then_some((id, balance))
    });
    left.collect()
}

/// The facts with a month's balances in the place of what they hold; none where the server has not written any.
pub fn covered(facts: &Facts, month: &StockMonth) -> Option<Facts> {
    let brought = facts.openings.get(&first_part(month))?.clone();
    let mut rest = facts.clone();
    rest.lots.retain(|_, lot| !came_before(lot.day, month));
    rest.entries.retain(|entry, _| !is_before(entry, month));
    rest.brought = brought;
    Some(rest)
}

/// Where balances that the server wrote are not what the documents say.
pub fn differing(facts: &Facts) -> Vec<StockCase> {
    let mut cases = Vec::new();
    for (month, said) in &facts.openings {
        let found = openings(facts, month);
        let holdings: BTreeSet<&HoldingId> = said.keys().chain(found.keys()).collect();
        for holding in holdings {
            let [said, found] = [said, &found].map(|balances| balances.get(holding).map_or(0, |balance| balance.grams));
            if said != found {
                cases.push(StockCase::OpeningDiffers { month: month.clone(), holding: holding.clone(), said, found });
            }
        }
    }
    cases
}
