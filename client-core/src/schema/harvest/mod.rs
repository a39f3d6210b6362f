//! The harvest book: the lots that a household records in a season. Lots are elements of a list. A lot's key in its book is
//! its Automerge object id, which costs no bytes and is unique there.

mod apart;

use std::collections::BTreeSet;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ReadDoc};

use super::key::Document;
#[cfg(feature = "sqlite")]
use super::view::operation_of;
use super::view::{Fields, author_of, maps_in_list, part};
use crate::crdt::DocumentFault;
use crate::crdt::change::{ChangeRecord, Key, Object, OperationId};
use crate::ids::ActorId;
use crate::quantities::{Day, Grams, Permille, QuantityFault, TextField, checked_text, optional_text};
use crate::words::Phrase;

pub use super::lot_key::LotKey;
pub use apart::lots_apart;

/// What a name did not name.
pub(crate) const LOT: Phrase = Phrase::new("lot", "lot", "批次");
const NUMBER: Phrase = Phrase::new("number", "number", "数字");
const FIELD: Phrase = Phrase::new("field", "field", "字段");

/// A lot to record. Checked by [`LotDraft::checked`] before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotDraft {
    /// The product's code in the catalogue, such as `millet`.
    pub product: String,
    /// The weight.
    pub quantity: Grams,
    /// The grade as the household judges it, such as `A`; empty for none.
    pub grade: String,
    /// The moisture, where it was measured.
    pub moisture: Option<Permille>,
    /// The day of the harvest.
    pub day: Day,
    /// The collecting place or field; empty for none.
    pub place: String,
    /// Anything else; empty for nothing.
    pub note: String,
    /// References to photos.
    pub photos: Vec<String>,
}

/// A field of a lot with a new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LotEdit {
    /// Another product.
    Product(String),
    /// Another weight.
    Quantity(Grams),
    /// Another grade.
    Grade(String),
    /// Another moisture.
    Moisture(Permille),
    /// Another day.
    Day(Day),
    /// Another place.
    Place(String),
    /// Another note.
    Note(String),
}

impl LotDraft {
    /// A lot with only these three fields.
    pub fn new(product: &str, quantity: Grams, day: Day) -> Self {
        Self {
            product: product.to_owned(),
            quantity,
            grade: String::new(),
            moisture: None,
            day,
            place: String::new(),
            note: String::new(),
            photos: Vec::new(),
        }
    }

    fn checked(&self) -> Result<Self, QuantityFault> {
        Ok(Self {
            product: checked_text(TextField::ProductCode, &self.product)?,
            grade: optional_text(TextField::Grade, &self.grade)?,
            place: optional_text(TextField::Place, &self.place)?,
            note: optional_text(TextField::Note, &self.note)?,
            photos: self.photos.iter().map(|photo| checked_text(TextField::Photo, photo)).collect::<Result<_, _>>()?,
            ..*self
        })
    }
}

/// A lot as it is read. A missing or damaged field is none; `damaged` names those that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Its key in this book.
    pub key: LotKey,
    /// The product's code.
    pub product: Option<String>,
    /// The weight.
    pub quantity: Option<Grams>,
    /// Who wrote the weight last.
    pub quantity_by: Option<ActorId>,
    /// The grade.
    pub grade: Option<String>,
    /// The moisture.
    pub moisture: Option<Permille>,
    /// The day of the harvest.
    pub day: Option<Day>,
    /// The place.
    pub place: Option<String>,
    /// The note.
    pub note: Option<String>,
    /// The lot into which this one was merged. A merged lot does not count.
    pub merged_into: Option<LotKey>,
    /// True when a field has concurrent values.
    pub in_conflict: bool,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// The fields of a lot that may have concurrent values.
pub const FIELDS: [&str; 7] = ["product", "grams", "grade", "moisture", "day", "place", "note"];

/// Records a lot and returns its key.
pub fn record(automerge: &mut AutoCommit, draft: &LotDraft) -> Result<LotKey, DocumentFault> {
    let draft = draft.checked()?;
    let list = part(automerge, "lots", ObjType::List).ok_or(DocumentFault::Damaged("lots"))?;
    let lot = automerge.insert_object(&list, automerge.length(&list), ObjType::Map)?;
    automerge.put(&lot, "product", draft.product)?;
    automerge.put(&lot, "grams", draft.quantity.get())?;
    automerge.put(&lot, "day", draft.day.to_string())?;
    for (field, text) in [("grade", draft.grade), ("place", draft.place), ("note", draft.note)] {
        if !text.is_empty() {
            automerge.put(&lot, field, text)?;
        }
    }
    if let Some(moisture) = draft.moisture {
        automerge.put(&lot, "moisture", moisture.get())?;
    }
    if !draft.photos.is_empty() {
        let photos = automerge.put_object(&lot, "photos", ObjType::List)?;
        for (index, photo) in draft.photos.into_iter().enumerate() {
            automerge.insert(&photos, index, photo)?;
        }
    }
    Ok(LotKey::of_object(&lot))
}

/// Writes a field of a lot. The value replaces all concurrent values of that field.
pub fn correct(automerge: &mut AutoCommit, lot: &LotKey, edit: &LotEdit) -> Result<(), DocumentFault> {
    let (_, object) = find(automerge, lot)?;
    match edit {
        LotEdit::Product(text) => {
            automerge.put(&object, "product", checked_text(TextField::ProductCode, text)?)?;
        }
        LotEdit::Quantity(grams) => automerge.put(&object, "grams", grams.get())?,
        LotEdit::Moisture(permille) => automerge.put(&object, "moisture", permille.get())?,
        LotEdit::Day(day) => automerge.put(&object, "day", day.to_string())?,
        LotEdit::Grade(text) => automerge.put(&object, "grade", optional_text(TextField::Grade, text)?)?,
        LotEdit::Place(text) => automerge.put(&object, "place", optional_text(TextField::Place, text)?)?,
        LotEdit::Note(text) => automerge.put(&object, "note", optional_text(TextField::Note, text)?)?,
    }
    Ok(())
}

/// As [`correct`], but always writes a new operation, also for the value that is shown already. Otherwise Automerge would
/// only delete the other values, and of two concurrent settlements nobody could tell which one lost.
pub fn settle(automerge: &mut AutoCommit, lot: &LotKey, edit: &LotEdit) -> Result<(), DocumentFault> {
    let (_, object) = find(automerge, lot)?;
    let (field, _) = edit.as_text();
    if automerge.get(&object, field)?.is_some() {
        automerge.delete(&object, field)?;
    }
    correct(automerge, lot, edit)
}

/// Deletes a lot from the book. A concurrent edit does not restore it.
pub fn withdraw(automerge: &mut AutoCommit, lot: &LotKey) -> Result<(), DocumentFault> {
    let list = part(automerge, "lots", ObjType::List).ok_or(DocumentFault::Damaged("lots"))?;
    let (place, _) = find(automerge, lot)?;
    automerge.delete(&list, place)?;
    Ok(())
}

/// The index in the list and the Automerge object of a lot in the book. Searches the list, since Automerge panics on the id
/// of an unknown object.
pub(crate) fn find(automerge: &AutoCommit, lot: &LotKey) -> Result<(usize, ObjId), DocumentFault> {
    let list = part(automerge, "lots", ObjType::List).ok_or(DocumentFault::Damaged("lots"))?;
    let (counter, actor) = (u64::from(lot.counter()), lot.actor());
    let is_it = |id: &ObjId| match id {
        ObjId::Id(of, by, _) => *of == counter && actor.as_ref().is_some_and(|actor| actor.as_bytes() == by.to_bytes()),
        ObjId::Root => false,
    };
    automerge
        .list_range(&list, ..)
        .map(|item| item.id())
        .enumerate()
        .find(|(_, id)| is_it(id))
        .ok_or_else(|| DocumentFault::NotFound { what: LOT, name: lot.to_string() })
}

/// All lots, in the order of the book.
pub fn lots(document: &Document) -> Vec<Lot> {
    let automerge = document.automerge();
    let Some(list) = part(automerge, "lots", ObjType::List) else { return Vec::new() };
    maps_in_list(automerge, &list).into_iter().map(|object| read_lot(automerge, object)).collect()
}

/// The operation that wrote each lot's weight last.
#[cfg(feature = "sqlite")]
pub(crate) fn weight_operations(document: &Document) -> Vec<(LotKey, ObjId)> {
    let automerge = document.automerge();
    let Some(list) = part(automerge, "lots", ObjType::List) else { return Vec::new() };
    let lots = maps_in_list(automerge, &list).into_iter();
    lots.filter_map(|object| Some((LotKey::of_object(&object), operation_of(automerge, &object, "grams")?))).collect()
}

/// The operation that wrote a lot's weight last; none where it has none.
#[cfg(feature = "sqlite")]
pub(crate) fn weight_operation(document: &Document, lot: &LotKey) -> Option<ObjId> {
    let automerge = document.automerge();
    let (_, object) = find(automerge, lot).ok()?;
    operation_of(automerge, &object, "grams")
}

/// One lot; none when it is not in the book.
pub fn lot(document: &Document, lot: &LotKey) -> Option<Lot> {
    let automerge = document.automerge();
    find(automerge, lot).ok().map(|(_, object)| read_lot(automerge, object))
}

/// Marks a lot as merged into another one, or removes the mark. The lot keeps its fields.
pub fn set_merged(automerge: &mut AutoCommit, lot: &LotKey, into: Option<&LotKey>) -> Result<(), DocumentFault> {
    let (_, object) = find(automerge, lot)?;
    match into {
        Some(into) => automerge.put(&object, "merged", into.as_str())?,
        None => automerge.delete(&object, "merged")?,
    }
    Ok(())
}

/// The lots that a change may have recorded, edited or deleted. May include keys of other objects.
pub fn touched(change: &ChangeRecord) -> BTreeSet<LotKey> {
    let mut touched = BTreeSet::new();
    let mut add = |id: OperationId| {
        if let Some(actor) = change.actor_at(id.actor) {
            touched.insert(LotKey::of_operation(id.counter, actor));
        }
    };
    for (counter, operation) in (change.start_operation..).zip(&change.operations) {
        if let Object::Made(id) = operation.object {
            add(id);
        }
        // What is inserted names the lot before it, which stays as it is.
        if let (Key::Element(id), false) = (&operation.key, operation.insert) {
            add(*id);
        }
        if operation.insert {
            add(OperationId { counter, actor: 0 });
        }
    }
    touched
}

impl LotEdit {
    /// The edit that writes this text into the field of this name, as [`FIELDS`] has it.
    pub fn parse(field: &str, text: &str) -> Result<Self, DocumentFault> {
        let number = || {
            let fault = |_| DocumentFault::NotFound { what: NUMBER, name: text.chars().take(40).collect() };
            text.trim().parse::<i64>().map_err(fault)
        };
        Ok(match field {
            "product" => Self::Product(text.to_owned()),
            "grams" => Self::Quantity(Grams::new(number()?)?),
            "grade" => Self::Grade(text.to_owned()),
            "moisture" => Self::Moisture(Permille::new(number()?)?),
            "day" => Self::Day(text.trim().parse()?),
            "place" => Self::Place(text.to_owned()),
            "note" => Self::Note(text.to_owned()),
            _ => return Err(DocumentFault::NotFound { what: FIELD, name: field.chars().take(40).collect() }),
        })
    }

    /// The field's name and the value as text.
    pub fn as_text(&self) -> (&'static str, String) {
        match self {
            Self::Product(text) => ("product", text.clone()),
            Self::Quantity(grams) => ("grams", grams.get().to_string()),
            Self::Grade(text) => ("grade", text.clone()),
            Self::Moisture(permille) => ("moisture", permille.get().to_string()),
            Self::Day(day) => ("day", day.to_string()),
            Self::Place(text) => ("place", text.clone()),
            Self::Note(text) => ("note", text.clone()),
        }
    }
}

impl Lot {
    /// A field's value as text; empty for none.
    pub fn field(&self, field: &str) -> String {
        match field {
            "product" => self.product.clone(),
            "grams" => self.quantity.map(|grams| grams.get().to_string()),
            "grade" => self.grade.clone(),
            "moisture" => self.moisture.map(|permille| permille.get().to_string()),
            "day" => self.day.map(|day| day.to_string()),
            "place" => self.place.clone(),
            "note" => self.note.clone(),
            _ => None,
        }
        .unwrap_or_default()
    }
}

fn read_lot(automerge: &AutoCommit, object: ObjId) -> Lot {
    let key = LotKey::of_object(&object);
    let in_conflict =
        FIELDS.iter().any(|field| automerge.get_all(&object, *field).is_ok_and(|values| values.len() > 1));
    let quantity_by = author_of(automerge, &object, "grams");
    let mut fields = Fields::new(automerge, object);
    Lot {
        key,
        product: fields.text("product"),
        quantity: fields.integer("grams", |grams| Grams::new(grams).ok()),
        quantity_by,
        grade: fields.optional_text("grade"),
        moisture: fields.optional_integer("moisture", |permille| Permille::new(permille).ok()),
        day: fields.parsed("day", |day| day.parse().ok()),
        place: fields.optional_text("place"),
        note: fields.optional_text("note"),
        merged_into: fields.optional_text("merged").and_then(|lot| lot.parse().ok()),
        in_conflict,
        damaged: fields.damaged(),
    }
}

#[cfg(test)]
mod tests;
