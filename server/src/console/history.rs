//! A lot's history, derived from its changes: author, phone, time of recording, time of receipt at the server, changed
//! fields.

use std::collections::BTreeMap;

use granary_client_core::conflicts::{SETTLING, UNDOING, unusual_name};
use granary_client_core::crdt::change::{Action, BytesKind, ChangeRecord, Key, Object, Value, VerifiedChange};
use granary_client_core::ids::ActorId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::LotId;
use granary_client_core::schema::harvest::{LotKey, touched};

use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// One change of a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryEvent {
    /// Its author.
    pub(super) actor: ActorId,
    /// Its time by the phone's clock.
    pub(super) recorded: Instant,
    /// Its time of receipt at the server.
    pub(super) received: Instant,
    /// The fields it wrote, with their values as text.
    pub(super) fields: Vec<(String, String)>,
    /// The kind of event.
    pub(super) kind: HistoryKind,
}

/// The kind of a lot's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HistoryKind {
    Recorded,
    Corrected,
    Settled,
    Undone,
    Withdrawn,
    Weighed,
    LookedAt,
}

impl HistoryKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Corrected => "corrected",
            Self::Settled => "settled",
            Self::Undone => "undone",
            Self::Withdrawn => "withdrawn",
            Self::Weighed => "weighed",
            Self::LookedAt => "looked-at",
        }
    }
}

/// All changes of a lot, in the order of their admission.
pub(super) fn of_lot(granary: &Granary, number: CooperativeNumber, lot: &LotId) -> Result<Vec<HistoryEvent>, Error> {
    let mut events = Vec::new();
    for (received, change) in granary.changes_of(number, &lot.book())? {
        events.extend(harvest_event(received, &change, lot.key()));
    }
    for (received, change) in granary.changes_of(number, &lot.receipt_book())? {
        events.extend(receipt_event(received, &change, lot));
    }
    for (received, change) in granary.changes_of(number, &lot.case_book())? {
        events.extend(look_event(received, &change, lot));
    }
    events.sort_by_key(|event| event.received);
    Ok(events)
}

fn harvest_event(received: Instant, change: &VerifiedChange, lot: &LotKey) -> Option<HistoryEvent> {
    let record = change.record();
    if !touched(record).contains(lot) {
        return None;
    }
    let own = |id: granary_client_core::crdt::change::OperationId| {
        record.actor_at(id.actor).is_some_and(|actor| lot.is_of_operation(id.counter, actor))
    };
    let mut fields = BTreeMap::new();
    let (mut made, mut withdrawn) = (false, false);
    for (counter, operation) in (record.start_operation..).zip(&record.operations) {
        made |= operation.insert && lot.is_of_operation(counter, &record.actor);
        withdrawn |= operation.action == Action::Delete && matches!(operation.key, Key::Element(id) if own(id));
        if let (Object::Made(id), Key::Map(field)) = (operation.object, &operation.key)
            && own(id)
        {
            fields.insert(field.clone(), text_of(&operation.value));
        }
    }
    if !made && !withdrawn && fields.is_empty() {
        return None;
    }
    let kind = match () {
        () if made => HistoryKind::Recorded,
        () if withdrawn => HistoryKind::Withdrawn,
        () if record.message == SETTLING => HistoryKind::Settled,
        () if record.message == UNDOING => HistoryKind::Undone,
        () => HistoryKind::Corrected,
    };
    Some(event(received, record, fields, kind))
}

fn receipt_event(received: Instant, change: &VerifiedChange, lot: &LotId) -> Option<HistoryEvent> {
    let (record, lot) = (change.record(), lot.season_name());
    let made: Vec<u64> = (record.start_operation..)
        .zip(&record.operations)
        .filter(|(_, operation)| matches!(&operation.key, Key::Map(name) if *name == lot))
        .map(|(counter, _)| counter)
        .collect();
    let mut fields = BTreeMap::new();
    for operation in &record.operations {
        if let (Object::Made(id), Key::Map(field)) = (operation.object, &operation.key)
            && id.actor == 0
            && made.contains(&id.counter)
        {
            fields.insert(field.clone(), text_of(&operation.value));
        }
    }
    (!fields.is_empty()).then(|| event(received, record, fields, HistoryKind::Weighed))
}

/// Somebody's look at an unusual lot, which stands in the case book.
fn look_event(received: Instant, change: &VerifiedChange, lot: &LotId) -> Option<HistoryEvent> {
    let (record, name) = (change.record(), unusual_name(lot));
    let is_of_it = |operation: &&granary_client_core::crdt::change::Operation| {
        matches!(&operation.key, Key::Map(field) if field == "case") && text_of(&operation.value) == name
    };
    record.operations.iter().find(is_of_it)?;
    Some(event(received, record, BTreeMap::new(), HistoryKind::LookedAt))
}

fn event(
    received: Instant,
    record: &ChangeRecord,
    fields: BTreeMap<String, String>,
    kind: HistoryKind,
) -> HistoryEvent {
    HistoryEvent {
        actor: record.actor.clone(),
        recorded: Instant::from_seconds(record.time_seconds),
        received,
        fields: fields.into_iter().collect(),
        kind,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Unsigned(number) => number.to_string(),
        Value::Signed(_, number) => number.to_string(),
        Value::Bytes(BytesKind::Text, bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Bytes(_, bytes) => format!("{} bytes", bytes.len()),
    }
}
