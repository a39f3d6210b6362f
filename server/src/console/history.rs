//! A lot's history: what its changes say, and when the server received each.

use granary_client_core::crdt::change::ChangeRecord;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::lot_history::{
    LotEvent, answer_event, harvest_event, look_event, question_event, receipt_event,
};
use granary_client_core::schema::{LotId, QuestionId};

use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// One change of a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryEvent {
    /// What it says.
    pub(super) event: LotEvent,
    /// Its time of receipt at the server.
    pub(super) received: Instant,
}

/// All changes of a lot, in the order of their admission.
pub(super) fn of_lot(granary: &Granary, number: CooperativeNumber, lot: &LotId) -> Result<Vec<HistoryEvent>, Error> {
    type Read<'a> = dyn Fn(&ChangeRecord) -> Option<LotEvent> + 'a;
    let changes = |book| granary.changes_of(number, &book);
    let (harvest, receipts, decisions) =
        (changes(lot.book())?, changes(lot.receipt_book())?, changes(lot.case_book())?);
    let question = |change: &ChangeRecord| question_event(change, lot);
    let asked: Vec<QuestionId> =
        receipts.iter().filter_map(|(_, change)| question(change.record())).map(|(id, _)| id).collect();
    let books: [(_, &Read<'_>); 3] = [
        (harvest, &|change| harvest_event(change, lot.key()).or_else(|| answer_event(change, &asked))),
        (receipts, &|change| receipt_event(change, lot).or_else(|| question(change).map(|(_, event)| event))),
        (decisions, &|change| look_event(change, lot)),
    ];
    let mut events = Vec::new();
    for (changes, read) in books {
        let of_it = |(received, change): (Instant, granary_client_core::crdt::change::VerifiedChange)| {
            Some(HistoryEvent { event: read(change.record())?, received })
        };
        events.extend(changes.into_iter().filter_map(of_it));
    }
    events.sort_by_key(|event| event.received);
    Ok(events)
}
