//! What happened to one holding, for whoever asks why so much is left.

use super::cases::Source;
use super::facts::Facts;
use crate::ids::DeviceId;
use crate::quantities::{Day, Instant};
use crate::schema::HoldingId;
use crate::schema::stock_book::{Deed, Entry};

/// One thing that happened to a holding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingEvent {
    /// When, by its author's clock; none for what has only a day, or none.
    pub at: Option<Instant>,
    /// The day on which goods came in.
    pub day: Option<Day>,
    /// What happened: `in`, `loss`, `count`, `move`, `recall`, `order`, `packed`, `parcel`, `batch`, `return`.
    pub what: &'static str,
    /// What it added, or took when negative; 0 for what changes no sum. In grams.
    pub grams: i64,
    /// What names it; none for the receipt of a lot.
    pub source: Option<Source>,
    /// The device that wrote it, where that is known.
    pub by: Option<DeviceId>,
    /// The reason of a loss or recall, whom goods were bought from, or the bins of a move (`A → B`); empty for none.
    pub note: String,
    /// False for what does not count: it was taken back, or another count applies.
    pub counts: bool,
}

fn of_entry(holding: &HoldingId, id: &crate::schema::EntryId, entry: &Entry, applies: bool) -> Option<HoldingEvent> {
    let deed = entry.deed.as_ref()?;
    let (grams, note, day) = match deed {
        Deed::In(goods) if *holding == HoldingId::In(id.clone()) => {
            (goods.quantity.get(), goods.from.clone(), Some(goods.day))
        }
        Deed::In(_) => return None,
        _ if deed.holding() != Some(holding) => return None,
        Deed::Loss { quantity, reason, .. } => (quantity.get().saturating_neg(), reason.clone(), None),
        Deed::Count(count) => (count.delta(), String::new(), None),
        Deed::Move { from, to, .. } => (0, format!("{from} → {to}").trim().to_owned(), None),
        Deed::Recall { reason, .. } => (0, reason.clone(), None),
    };
    Some(HoldingEvent {
        at: Some(entry.at),
        day,
        what: deed.name(),
        grams,
        source: Some(Source::Entry(id.clone())),
        by: id.made_by(),
        note,
        counts: applies && !entry.is_withdrawn,
    })
}

/// What happened to a holding: first how it came in, then by time, then what has none.
pub fn history(facts: &Facts, holding: &HoldingId) -> Vec<HoldingEvent> {
    let plain = |what, grams, source| HoldingEvent {
        at: None,
        day: None,
        what,
        grams,
        source,
        by: None,
        note: String::new(),
        counts: true,
    };
    let mut events = Vec::new();
    if let HoldingId::Lot(lot) = holding
        && let Some(received) = facts.lots.get(lot)
    {
        events.push(HoldingEvent { day: received.day, ..plain("in", received.grams, None) });
    }
    if let Some(made) = facts.made.get(holding) {
        events.push(HoldingEvent { day: made.day, ..plain("in", made.grams, None) });
    }
    let applying = super::openings::applying(facts);
    let mut entries: Vec<HoldingEvent> = facts
        .entries
        .iter()
        .filter_map(|(id, entry)| {
            let applies = !matches!(&entry.deed, Some(Deed::Count(_))) || applying.contains(id);
            of_entry(holding, id, entry, applies)
        })
        .collect();
    entries.sort_by_key(|event| (event.what != "in", event.at));
    events.extend(entries);
    for (flow, grams) in facts.flows.iter().filter(|(flow, _)| flow.holding == *holding) {
        let back = flow.kind == super::FlowKind::Restocked;
        let grams = if back { *grams } else { grams.saturating_neg() };
        events.push(plain(flow.kind.code(), grams, Some(Source::of_flow(flow))));
    }
    for (order, of) in &facts.orders {
        if let Some(grams) = of.takes.get(holding) {
            let what = if of.is_packed { "packed" } else { "order" };
            events.push(plain(what, grams.saturating_neg(), Some(Source::Order(order.clone()))));
        }
    }
    events
}
