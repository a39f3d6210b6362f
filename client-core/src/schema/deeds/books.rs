//! Deeds of harvest and receipt books.

use std::collections::{BTreeSet, HashMap};

use super::{Deed, DeedKind, Earlier, Id, cut};
use crate::conflicts::{SETTLING, UNDOING};
use crate::crdt::change::{Action, ChangeRecord, Key, Object, OperationId};
use crate::quantities::Instant;
use crate::schema::book::Book;
use crate::schema::harvest::{FIELDS, LotKey};
use crate::schema::key::DocumentKey;
use crate::schema::lot_id::LotId;

/// Ends the name of the field of a lot that was withdrawn.
pub(super) const WITHDRAWN: &str = " withdrawn";

/// True for what a harvest book has and other deeds tell: what is written into a lot as it is recorded, and what a settlement
/// writes, which is told as a decision.
pub(super) fn is_told_elsewhere(key: &DocumentKey, record: &ChangeRecord, path: &str) -> bool {
    let lot = || path.split('\n').nth(1).and_then(|lot| lot.parse::<LotKey>().ok());
    let is_new = || {
        lot().is_some_and(|lot| {
            u64::from(lot.counter()) >= record.start_operation && lot.actor().as_ref() == Some(&record.actor)
        })
    };
    matches!(key, DocumentKey::HarvestBook(_)) && (matches!(record.message.as_str(), SETTLING | UNDOING) || is_new())
}

/// The name of a lot's field in deeds; none for what is told of no lot.
pub(super) fn lot_field(key: &DocumentKey, lot: &str, rest: &[&str]) -> Option<String> {
    let lot = LotId::in_book(key, lot.parse().ok()?)?;
    let of_lot = format!("{} {}", lot.season().year(), lot.season_name());
    match rest {
        [] => Some(format!("{of_lot}{WITHDRAWN}")),
        [field] if FIELDS.contains(field) || *field == "merged" => Some(format!("{of_lot} {field}")),
        _ => None,
    }
}

/// The weight of the lot at this path as it stood.
pub(super) fn weight_of(path: &str, earlier: &Earlier) -> String {
    earlier.fields.get(&format!("{path}\ngrams")).cloned().unwrap_or_default()
}

/// A receipt as it was written.
#[derive(Default)]
struct Written {
    lot: String,
    fields: HashMap<String, String>,
    before: String,
}

impl Written {
    /// `received DAY GRAMS GRADE` or `rejected DAY REASON`, as [`crate::schema::receipt::Weighing`].
    fn told(&self) -> String {
        let field = |name: &str| self.fields.get(name).map(String::as_str).unwrap_or_default();
        match field("state") {
            "received" => format!("received {} {} {}", field("day"), field("grams"), field("grade")),
            state => format!("{state} {} {}", field("day"), field("reason")),
        }
        .trim_end()
        .to_owned()
    }
}

/// The receipts of a book: one deed for each that a change wrote.
pub(super) fn receipts<'a>(book: &Book, changes: impl IntoIterator<Item = (Instant, &'a ChangeRecord)>) -> Vec<Deed> {
    let (mut known, mut deeds) = (HashMap::<Id, Written>::new(), Vec::new());
    for (at, record) in changes {
        let resolve = |id: OperationId| Some((id.counter, record.actor_at(id.actor)?.clone()));
        let mut touched: BTreeSet<Id> = BTreeSet::new();
        for (counter, operation) in (record.start_operation..).zip(&record.operations) {
            let Key::Map(name) = &operation.key else { continue };
            match (operation.object, operation.action) {
                (Object::Made(_), Action::MakeMap)
                    if LotId::from_season_name(book.household, book.season, name).is_some() =>
                {
                    let replaced = operation.predecessors.iter().filter_map(|id| known.get(&resolve(*id)?));
                    let before = replaced.map(Written::told).collect::<Vec<_>>().join(" / ");
                    let id = (counter, record.actor.clone());
                    known.insert(id.clone(), Written { lot: name.clone(), before, ..Written::default() });
                    touched.insert(id);
                }
                (Object::Made(made), Action::Set) => {
                    let Some(id) = resolve(made) else { continue };
                    let Some(written) = known.get_mut(&id) else { continue };
                    if touched.insert(id) {
                        written.before = written.told();
                    }
                    written.fields.insert(name.clone(), operation.value.told());
                }
                _ => {}
            }
        }
        // What a settlement writes is told as a decision.
        if matches!(record.message.as_str(), SETTLING | UNDOING) {
            continue;
        }
        for written in touched.iter().filter_map(|id| known.get(id)) {
            let (before, after) = (cut(&written.before), cut(&written.told()));
            if before != after && !record.actor.is_genesis() {
                deeds.push(Deed {
                    at,
                    actor: record.actor.clone(),
                    kind: DeedKind::Receipt,
                    thing: format!("household:{}", book.household),
                    field: format!("{} {}", book.season.year(), written.lot),
                    before,
                    after,
                });
            }
        }
    }
    deeds
}
