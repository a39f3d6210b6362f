//! Deeds of a stock book: each entry as it was written, and that one was taken back. Balances are the server's, and no deeds.

use std::collections::{BTreeSet, HashMap};

use super::{Deed, DeedKind, Id, cut};
use crate::crdt::change::{Action, ChangeRecord, Key, Object, OperationId};
use crate::quantities::Instant;
use crate::schema::holding::{EntryId, HoldingId};
use crate::schema::key::DocumentKey;
use crate::schema::lot_key::LotKey;

/// Before the kind of an entry that was taken back.
pub const TAKEN_BACK: &str = "taken-back ";

/// An entry as it was written.
#[derive(Default)]
struct Written {
    fields: HashMap<String, String>,
}

impl Written {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Grams first, then words; of a count what should have been there stands before it, of a move the bin that it came from.
    fn told(&self) -> (String, String) {
        let field = |name| self.field(name);
        match field("what") {
            "in" => (String::new(), format!("{} {} {}", field("grams"), field("product"), field("grade"))),
            "loss" => (String::new(), format!("{} {}", field("grams"), field("reason"))),
            "count" => (field("computed").to_owned(), field("counted").to_owned()),
            "move" => (field("from").to_owned(), format!("{} {}", field("grams"), field("to"))),
            _ => (String::new(), field("reason").to_owned()),
        }
    }

    /// The holding that it is about: goods that came in are one of their own.
    fn thing(&self, book: &DocumentKey, (counter, actor): &Id) -> Option<String> {
        let holding = match self.field("what") {
            "in" => {
                let key: LotKey = format!("{counter}@{actor}").parse().ok()?;
                HoldingId::In(EntryId::in_book(book, key)?)
            }
            _ => self.field("holding").parse().ok()?,
        };
        Some(format!("holding:{holding}"))
    }
}

/// The entries of a book: one deed for each that a change wrote or took back.
pub(super) fn entries<'a>(
    book: &DocumentKey,
    changes: impl IntoIterator<Item = (Instant, &'a ChangeRecord)>,
) -> Vec<Deed> {
    let (mut list, mut known, mut deeds) = (None::<Id>, HashMap::<Id, Written>::new(), Vec::new());
    for (at, record) in changes {
        let resolve = |id: OperationId| Some((id.counter, record.actor_at(id.actor)?.clone()));
        let (mut new, mut taken_back) = (BTreeSet::<Id>::new(), BTreeSet::<Id>::new());
        for (counter, operation) in (record.start_operation..).zip(&record.operations) {
            let id = (counter, record.actor.clone());
            match (operation.object, operation.action, &operation.key) {
                (Object::Root, Action::MakeList, Key::Map(name)) if name == "entries" => list = Some(id),
                (Object::Made(made), Action::MakeMap, _) if operation.insert && resolve(made) == list => {
                    known.insert(id.clone(), Written::default());
                    new.insert(id);
                }
                (Object::Made(made), Action::Set, Key::Map(name)) => {
                    let Some(id) = resolve(made) else { continue };
                    let Some(written) = known.get_mut(&id) else { continue };
                    if name == "withdrawn" {
                        taken_back.insert(id);
                    } else {
                        // What an entry says is what it was written with.
                        if new.contains(&id) {
                            written.fields.insert(name.clone(), operation.value.told());
                        }
                    }
                }
                _ => {}
            }
        }
        let tell = |id: &Id, is_taken_back: bool| {
            let written = known.get(id)?;
            let (before, after) = written.told();
            let what = written.field("what");
            let (field, before, after) = match is_taken_back {
                true => (format!("{TAKEN_BACK}{what}"), after, String::new()),
                false => (what.to_owned(), before, after),
            };
            let thing = written.thing(book, id)?;
            let (actor, kind) = (record.actor.clone(), DeedKind::Stock);
            Some(Deed { at, actor, kind, thing, field, before: cut(&before), after: cut(&after) })
        };
        deeds.extend(new.iter().filter_map(|id| tell(id, false)));
        deeds.extend(taken_back.iter().filter_map(|id| tell(id, true)));
    }
    deeds
}
