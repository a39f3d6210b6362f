//! Who gets an order and where it goes: the only document of an order that holds anything about a person, so that it can be
//! forgotten as a whole. The platform may have sealed name, phone and address; then they are its tokens, which only it can read.

use automerge::{AutoCommit, ROOT, ReadDoc, ScalarValue};
use serde::{Deserialize, Serialize};

use super::key::Document;
use super::view::Fields;
use crate::crdt::change::VerifiedChange;
use crate::crdt::{DocumentFault, Fill, Filled, NewChange};
use crate::ids::ActorId;
use crate::quantities::{Instant, TextField, optional_text};

/// Who gets an order, as far as it is known; an empty one where the document was forgotten or nothing was told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Receiver {
    /// The name, as told: it may be masked or sealed.
    pub name: Option<String>,
    /// The telephone number, as told: it may be masked or sealed.
    pub phone: Option<String>,
    /// The address, as told: it may be masked or sealed. Of a document from before there were fields, all that was written.
    pub address: Option<String>,
    /// True where name, phone and address are tokens that only the platform can read.
    pub is_sealed: bool,
    /// What the buyer wrote to the shop.
    pub buyer_note: Option<String>,
    /// What the shop wrote for itself.
    pub seller_note: Option<String>,
    /// When the buyer changed the address last, as the platform told.
    pub address_changed_at: Option<Instant>,
    /// The fields that can't be read.
    #[serde(skip)]
    pub damaged: Vec<&'static str>,
}

impl Receiver {
    /// True where nothing is known of anybody.
    pub fn is_empty(&self) -> bool {
        let texts = [&self.name, &self.phone, &self.address, &self.buyer_note, &self.seller_note];
        texts.into_iter().all(Option::is_none)
    }

    /// Name and address in one line, for lists; the telephone and notes are left out.
    pub fn in_short(&self) -> String {
        let parts: Vec<&str> = [&self.name, &self.address].into_iter().filter_map(Option::as_deref).collect();
        parts.join(" ")
    }
}

/// Writes what is said of a receiver, as one edit: what is none stays as it was, and what stands there already is not written
/// again. Gives whether anything was written.
pub fn set(automerge: &mut AutoCommit, receiver: &Receiver) -> Result<bool, DocumentFault> {
    let mut is_new = false;
    for (field, value) in values(receiver)? {
        let stands = match automerge.get(ROOT, field)? {
            Some((found, _)) => found.as_scalar() == Some(&ScalarValue::from(value.clone())),
            None => is_usual(&value),
        };
        if !stands {
            automerge.fill(&ROOT, field, value)?;
            is_new = true;
        }
    }
    Ok(is_new)
}

/// The change that says it of a receiver, as [`set`] makes it of a document with its first change alone; none where nothing is said.
pub fn set_change(
    first: &VerifiedChange,
    receiver: &Receiver,
    actor: &ActorId,
    now: Instant,
) -> Result<Option<VerifiedChange>, DocumentFault> {
    let mut change = NewChange::after(first, actor, now);
    let root = change.root();
    for (field, value) in values(receiver)?.into_iter().filter(|(_, value)| !is_usual(value)) {
        change.fill(&root, field, value)?;
    }
    change.finish()
}

/// True for a value that a field has which nobody wrote.
fn is_usual(value: &Filled) -> bool {
    *value == Filled::Truth(false)
}

fn values(receiver: &Receiver) -> Result<Vec<(&'static str, Filled)>, DocumentFault> {
    let texts = [
        ("name", TextField::ReceiverName, &receiver.name),
        ("phone", TextField::ReceiverPhone, &receiver.phone),
        ("address", TextField::ReceiverAddress, &receiver.address),
        ("buyer_note", TextField::BuyerNote, &receiver.buyer_note),
        ("seller_note", TextField::SellerNote, &receiver.seller_note),
    ];
    let mut values: Vec<(&str, Filled)> = Vec::new();
    let mut names_somebody = false;
    for (field, kind, text) in texts {
        let Some(text) = text else { continue };
        let text = optional_text(kind, text)?;
        if !text.is_empty() {
            names_somebody |= matches!(field, "name" | "phone" | "address");
            values.push((field, text.into()));
        }
    }
    if names_somebody {
        values.push(("sealed", receiver.is_sealed.into()));
    }
    if let Some(at) = receiver.address_changed_at {
        values.push(("address_changed", at.0.into()));
    }
    Ok(values)
}

/// Reads a receiver. A document from before there were fields has one text, which reads as the address.
pub fn read(document: &Document) -> Receiver {
    let mut fields = Fields::new(document.automerge(), ROOT);
    let mut text = |field, kind: TextField| {
        let text = fields.optional_text(field)?;
        if text.chars().count() > kind.most() {
            fields.damage(field);
            return None;
        }
        Some(text).filter(|text| !text.is_empty())
    };
    let (name, phone) = (text("name", TextField::ReceiverName), text("phone", TextField::ReceiverPhone));
    let address = text("address", TextField::ReceiverAddress).or_else(|| text("buyer", TextField::ReceiverAddress));
    let buyer_note = text("buyer_note", TextField::BuyerNote);
    let seller_note = text("seller_note", TextField::SellerNote);
    let is_sealed = fields.optional_truth("sealed");
    let address_changed_at = fields.optional_integer("address_changed", Instant::told);
    Receiver { name, phone, address, is_sealed, buyer_note, seller_note, address_changed_at, damaged: fields.damaged() }
}

#[cfg(test)]
mod tests {
    use automerge::transaction::Transactable;
    use proptest::prelude::*;

    use super::*;
    use crate::schema::{DocumentKey, OrderName};

    fn edit<R>(document: &mut Document, edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>) -> R {
        document.edit(&ActorId::from_bytes(&[1; 12]).unwrap(), Instant(0), edit).unwrap().0
    }

    fn new_receiver() -> Document {
        Document::new(DocumentKey::Receiver(OrderName::of("douyin", "6912"))).unwrap()
    }

    /// Before there were fields, all of it was one text.
    #[test]
    fn text_of_before_there_were_fields_reads_as_the_address() {
        let mut document = new_receiver();
        edit(&mut document, |doc| Ok(doc.put(ROOT, "buyer", "何女士, 太原市")?));
        let old = read(&document);
        assert_eq!((old.address.as_deref(), old.in_short().as_str()), (Some("何女士, 太原市"), "何女士, 太原市"));
        edit(&mut document, |doc| set(doc, &Receiver { address: Some("太原市 9 号".into()), ..Receiver::default() }));
        assert_eq!(read(&document).address.as_deref(), Some("太原市 9 号"));
    }

    #[test]
    fn what_is_said_again_writes_nothing_and_what_is_not_said_stays() {
        let mut document = new_receiver();
        let who = Receiver { name: Some("测**".into()), phone: Some("138****0001".into()), ..Receiver::default() };
        assert!(edit(&mut document, |doc| set(doc, &who)));
        assert!(!edit(&mut document, |doc| set(doc, &who)));
        let note = Receiver { buyer_note: Some("放门口\r\n谢谢".into()), ..Receiver::default() };
        assert!(edit(&mut document, |doc| set(doc, &note)));
        let both = Receiver { buyer_note: Some("放门口\n谢谢".into()), ..who };
        assert_eq!(read(&document), both);
        assert!(!edit(&mut document, |doc| set(doc, &Receiver::default())));
        assert!(Receiver::default().is_empty() && !both.is_empty());
    }

    proptest! {
        /// A change that is made without a document is that which Automerge makes, byte for byte.
        #[test]
        fn change_of_a_new_receiver_is_that_of_its_document(
            texts in proptest::array::uniform5(proptest::option::of("[何a-z0-9* \\n]{0,20}")),
            is_sealed in any::<bool>(),
            changed in proptest::option::of(1_790_000_000_000i64..1_790_000_100_000),
        ) {
            let [name, phone, address, buyer_note, seller_note] = texts;
            let address_changed_at = changed.map(Instant);
            let said =
                Receiver { name, phone, address, is_sealed, buyer_note, seller_note, address_changed_at, damaged: Vec::new() };
            let mut document = new_receiver();
            let first = document.changes_since(&[]).unwrap().remove(0);
            let actor = ActorId::from_bytes(&[1; 12]).unwrap();
            let by_document = document.edit(&actor, Instant(0), |doc| set(doc, &said));
            let alone = set_change(&first, &said, &actor, Instant(0));
            prop_assert_eq!(alone, by_document.map(|(_, change)| change));
        }
    }

    #[test]
    fn hostile_fields_are_damaged_and_the_rest_is_read() {
        let mut document = new_receiver();
        edit(&mut document, |doc| {
            doc.put(ROOT, "name", 7)?;
            doc.put(ROOT, "phone", "1".repeat(5_000))?;
            doc.put(ROOT, "sealed", "yes")?;
            doc.put(ROOT, "address_changed", i64::MAX)?;
            Ok(doc.put(ROOT, "address", "太原市")?)
        });
        let read = read(&document);
        assert_eq!(read.damaged, ["name", "phone", "sealed", "address_changed"]);
        assert_eq!((read.address.as_deref(), read.phone), (Some("太原市"), None));
    }
}
