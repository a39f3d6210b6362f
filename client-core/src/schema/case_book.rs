//! The case book: coordinators' decisions about a household's cases in a season, each with its author, time and undo. It
//! only grows; the last decision about a case counts. Households can't write it.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ReadDoc};
use serde::{Deserialize, Serialize};

use super::harvest::LotKey;
use super::key::Document;
use super::view::{Fields, maps_in_list, part};
use crate::crdt::DocumentFault;
use crate::ids::ActorId;
use crate::quantities::{Instant, TextField, checked_text};

/// The longest list of values to restore, in bytes. A settlement changes a few fields.
const RESTORE_BYTES_MAX: usize = 4_000;
/// The longest list of values that stood in a case, in bytes: a dozen long notes. Of a longer one the latest are kept.
const VALUES_BYTES_MAX: usize = 16_000;

/// The kind of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DecisionKind {
    /// A value was chosen, or two lots were merged.
    Settled,
    /// It was left as it is, with a note.
    Left,
    /// The last decision was undone. The case is open again.
    Undone,
}

impl DecisionKind {
    /// Its name in documents and rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Left => "left",
            Self::Undone => "undone",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Settled, Self::Left, Self::Undone].into_iter().find(|kind| kind.name() == name)
    }
}

/// A field of a lot with the value that it had before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The lot, in the book of the case's lots.
    pub lot: LotKey,
    /// The field.
    pub field: String,
    /// Its value then, as text; empty for none.
    pub value: String,
    /// What the decision wrote there beside what it chose, such as the weight of two lots that were made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
}

/// One of several concurrent values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contender {
    /// The value, as text.
    pub value: String,
    /// The actor who wrote it, in hexadecimal; empty when unknown.
    pub actor: String,
    /// When, by the author's clock.
    pub at: Instant,
    /// True when it was written to settle a conflict.
    pub settles: bool,
}

impl Contender {
    /// Who wrote it.
    pub fn author(&self) -> Option<ActorId> {
        let actor = automerge::ActorId::try_from(self.actor.as_str()).ok()?;
        ActorId::from_bytes(actor.to_bytes())
    }
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which case of this household's season, as [`crate::conflicts::CaseId::season_name`] writes it.
    pub case: String,
    /// Its kind; none when it can't be read.
    pub kind: Option<DecisionKind>,
    /// Who decided, by name.
    pub by: String,
    /// When, by the clock of the person who decided.
    pub at: Instant,
    /// The value that was chosen, as text; empty for none.
    pub chosen: String,
    /// The person's note; empty for none.
    pub note: String,
    /// The values before the decision, for undoing it.
    pub restore: Vec<Restore>,
    /// One name for all decisions that were made at once, by which they are undone at once; empty for one made alone.
    pub group: String,
    /// The concurrent values that were decided about, the shown one last: after an undo they can be chosen from again.
    pub values: Vec<Contender>,
}

/// Values as text, the latest of them as far as they have room.
fn values_text(values: &[Contender]) -> String {
    let mut from = 0usize;
    loop {
        let text = serde_json::to_string(values.get(from..).unwrap_or_default()).unwrap_or_default();
        if text.len() <= VALUES_BYTES_MAX || from >= values.len() {
            return text;
        }
        from = from.saturating_add(1);
    }
}

/// Adds a decision.
pub fn decide(automerge: &mut AutoCommit, decision: &Decision) -> Result<(), DocumentFault> {
    let list = part(automerge, "decisions", ObjType::List).ok_or(DocumentFault::Damaged("decisions"))?;
    let entry = automerge.insert_object(&list, automerge.length(&list), ObjType::Map)?;
    automerge.put(&entry, "case", checked_text(TextField::Case, &decision.case)?)?;
    automerge.put(&entry, "kind", decision.kind.unwrap_or(DecisionKind::Left).name())?;
    automerge.put(&entry, "by", checked_text(TextField::PersonName, &decision.by)?)?;
    automerge.put(&entry, "at", decision.at.seconds())?;
    for (field, kind, text) in
        [("chosen", TextField::Chosen, &decision.chosen), ("note", TextField::Note, &decision.note)]
    {
        if !text.trim().is_empty() {
            automerge.put(&entry, field, checked_text(kind, text)?)?;
        }
    }
    if !decision.group.is_empty() {
        automerge.put(&entry, "group", checked_text(TextField::Code, &decision.group)?)?;
    }
    if !decision.restore.is_empty() {
        let restore = serde_json::to_string(&decision.restore).unwrap_or_default();
        automerge.put(&entry, "restore", restore)?;
    }
    if !decision.values.is_empty() {
        automerge.put(&entry, "values", values_text(&decision.values))?;
    }
    Ok(())
}

/// All decisions, in the order of the book.
pub fn decisions(document: &Document) -> Vec<Decision> {
    let automerge = document.automerge();
    let Some(list) = part(automerge, "decisions", ObjType::List) else { return Vec::new() };
    maps_in_list(automerge, &list)
        .into_iter()
        .filter_map(|entry| {
            let mut fields = Fields::new(automerge, entry);
            let values = fields.optional_text("values").filter(|text| text.len() <= VALUES_BYTES_MAX);
            let restore = fields.optional_text("restore").filter(|text| text.len() <= RESTORE_BYTES_MAX);
            Some(Decision {
                case: fields.text("case")?,
                kind: fields.parsed("kind", DecisionKind::from_name),
                by: fields.text("by").unwrap_or_default(),
                at: Instant::from_seconds(fields.integer("at", Some).unwrap_or(0)),
                chosen: fields.optional_text("chosen").unwrap_or_default(),
                note: fields.optional_text("note").unwrap_or_default(),
                restore: restore.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
                group: fields.optional_text("group").unwrap_or_default(),
                values: values.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            })
        })
        .collect()
}
