//! A lot's history: what its changes say, and when the server received each.

use granary_client_core::crdt::change::ChangeRecord;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::LotId;
use granary_client_core::schema::lot_history::{LotEvent, harvest_event, look_event, receipt_event};

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
    let books: [(_, &Read<'_>); 3] = [
        (lot.book(), &|change| harvest_event(change, lot.key())),
        (lot.receipt_book(), &|change| receipt_event(change, lot)),
        (lot.case_book(), &|change| look_event(change, lot)),
    ];
    let mut events = Vec::new();
    for (book, read) in books {
        let changes = granary.changes_of(number, &book)?;
        let of_it = |(received, change): (Instant, granary_client_core::crdt::change::VerifiedChange)| {
            Some(HistoryEvent { event: read(change.record())?, received })
        };
        events.extend(changes.into_iter().filter_map(of_it));
    }
    events.sort_by_key(|event| event.received);
    Ok(events)
}
