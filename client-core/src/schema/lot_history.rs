//! A lot's history, derived from the changes of its books: who wrote which fields when.

use std::collections::BTreeMap;

use super::harvest::{LotKey, touched};
use super::lot_id::LotId;
use super::question::{self, QuestionId};
use crate::conflicts::{SETTLING, UNDOING, unusual_name};
use crate::crdt::change::{Action, ChangeRecord, Key, Object, Operation, OperationId, Value};
use crate::ids::ActorId;
use crate::quantities::Instant;

/// One change of a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotEvent {
    /// Its author.
    pub actor: ActorId,
    /// Its time by the phone's clock.
    pub recorded: Instant,
    /// The fields it wrote, with their values as text.
    pub fields: Vec<(String, String)>,
    /// The kind of event.
    pub kind: LotEventKind,
}

/// The kind of a lot's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LotEventKind {
    /// The household recorded it.
    Recorded,
    /// Somebody wrote fields of it.
    Corrected,
    /// A coordinator settled concurrent values.
    Settled,
    /// A coordinator undid a settlement.
    Undone,
    /// Somebody withdrew it.
    Withdrawn,
    /// The warehouse received it or sent it back.
    Weighed,
    /// A coordinator found it right as it is.
    LookedAt,
    /// A coordinator asked the household about it.
    Asked,
    /// Somebody of the household answered.
    Answered,
}

impl LotEventKind {
    /// Its name in words and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Corrected => "corrected",
            Self::Settled => "settled",
            Self::Undone => "undone",
            Self::Withdrawn => "withdrawn",
            Self::Weighed => "weighed",
            Self::LookedAt => "looked-at",
            Self::Asked => "asked",
            Self::Answered => "answered",
        }
    }
}

/// The event of a lot that a change of its harvest book is; none where it is of other lots.
pub fn harvest_event(record: &ChangeRecord, lot: &LotKey) -> Option<LotEvent> {
    if !touched(record).contains(lot) {
        return None;
    }
    let own = |id: OperationId| record.actor_at(id.actor).is_some_and(|actor| lot.is_of_operation(id.counter, actor));
    let mut fields = BTreeMap::new();
    let (mut made, mut withdrawn) = (false, false);
    for (counter, operation) in (record.start_operation..).zip(&record.operations) {
        made |= operation.insert && lot.is_of_operation(counter, &record.actor);
        withdrawn |= operation.action == Action::Delete && matches!(operation.key, Key::Element(id) if own(id));
        if let (Object::Made(id), Key::Map(field)) = (operation.object, &operation.key)
            && own(id)
        {
            fields.insert(field.clone(), operation.value.told());
        }
    }
    if !made && !withdrawn && fields.is_empty() {
        return None;
    }
    let kind = match () {
        () if made => LotEventKind::Recorded,
        () if withdrawn => LotEventKind::Withdrawn,
        () => decided(record).unwrap_or(LotEventKind::Corrected),
    };
    Some(event(record, fields, kind))
}

/// The kind of a change that settles or undoes.
fn decided(record: &ChangeRecord) -> Option<LotEventKind> {
    match record.message.as_str() {
        SETTLING => Some(LotEventKind::Settled),
        UNDOING => Some(LotEventKind::Undone),
        _ => None,
    }
}

/// The lots that a change of a harvest book records, each with its weight in grams where it has one.
pub fn recorded_in(record: &ChangeRecord) -> Vec<Option<i64>> {
    let made = (record.start_operation..).zip(&record.operations).filter(|(_, operation)| operation.insert);
    let mut lots: BTreeMap<u64, Option<i64>> = made.map(|(counter, _)| (counter, None)).collect();
    for operation in &record.operations {
        if let (Object::Made(id), Key::Map(field)) = (operation.object, &operation.key)
            && id.actor == 0
            && field == "grams"
            && let Some(grams) = lots.get_mut(&id.counter)
        {
            *grams = match operation.value {
                Value::Unsigned(number) => i64::try_from(number).ok(),
                Value::Signed(_, number) => Some(number),
                _ => None,
            };
        }
    }
    lots.into_values().collect()
}

/// The event of a lot that a change of its receipt book is.
pub fn receipt_event(record: &ChangeRecord, lot: &LotId) -> Option<LotEvent> {
    let lot = lot.season_name();
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
            fields.insert(field.clone(), operation.value.told());
        }
    }
    let kind = decided(record).unwrap_or(LotEventKind::Weighed);
    (!fields.is_empty()).then(|| event(record, fields, kind))
}

/// The question about a lot that a change of its receipt book asks, with its id.
pub fn question_event(record: &ChangeRecord, lot: &LotId) -> Option<(QuestionId, LotEvent)> {
    let (counter, id) = (record.start_operation..).zip(&record.operations).find_map(|(counter, operation)| {
        let (Object::Root, Key::Map(name)) = (operation.object, &operation.key) else { return None };
        Some((counter, question::asked_in(name)?))
    })?;
    let field = |wanted: &str| {
        let is_it = |operation: &&Operation| {
            matches!(operation.object, Object::Made(made) if made.actor == 0 && made.counter == counter)
                && matches!(&operation.key, Key::Map(field) if field == wanted)
        };
        record.operations.iter().find(is_it).map(|operation| operation.value.told())
    };
    if field("lot")? != lot.season_name() {
        return None;
    }
    let fields = BTreeMap::from([("question".to_owned(), field("text")?)]);
    Some((id, event(record, fields, LotEventKind::Asked)))
}

/// The answer to one of these questions that a change of a harvest book gives.
pub fn answer_event(record: &ChangeRecord, asked: &[QuestionId]) -> Option<LotEvent> {
    let text = record.operations.iter().find_map(|operation| {
        let (Object::Root, Key::Map(name)) = (operation.object, &operation.key) else { return None };
        asked.contains(&question::answered_in(name)?).then(|| operation.value.told())
    })?;
    Some(event(record, BTreeMap::from([("answer".to_owned(), text)]), LotEventKind::Answered))
}

/// What the changes of a lot's receipt book and harvest book ask and answer about it.
pub fn question_events<'c>(
    receipts: impl Iterator<Item = &'c ChangeRecord>,
    harvest: impl Iterator<Item = &'c ChangeRecord>,
    lot: &LotId,
) -> Vec<LotEvent> {
    let (asked, mut events): (Vec<_>, Vec<_>) = receipts.filter_map(|change| question_event(change, lot)).unzip();
    events.extend(harvest.filter_map(|change| answer_event(change, &asked)));
    events
}

/// Somebody's look at an unusual lot, which stands in its case book.
pub fn look_event(record: &ChangeRecord, lot: &LotId) -> Option<LotEvent> {
    let name = unusual_name(lot);
    let is_of_it = |operation: &&Operation| {
        matches!(&operation.key, Key::Map(field) if field == "case") && operation.value.told() == name
    };
    record.operations.iter().find(is_of_it)?;
    Some(event(record, BTreeMap::new(), LotEventKind::LookedAt))
}

fn event(record: &ChangeRecord, fields: BTreeMap<String, String>, kind: LotEventKind) -> LotEvent {
    LotEvent {
        actor: record.actor.clone(),
        recorded: Instant::from_seconds(record.time_seconds),
        fields: fields.into_iter().collect(),
        kind,
    }
}
