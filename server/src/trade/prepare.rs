//! Makes an order's documents before the writer decides on it: they are new, so nothing has to be read. Only what is above a
//! grant is known in the writer alone.

use granary_client_core::crdt::DocumentFault;
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ActorId, CooperativeId};
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::protocol::messages::write_message;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::order::{self, AfterSale, TakenOrder, ToldStatus};
use granary_client_core::schema::{Document, DocumentKey, receiver};
use ring::digest::{SHA256, digest};

use super::ledger::{BuyerMark, PoolName, Want};
use super::told::ToldOrder;

/// An order that is ready for the writer.
pub(super) struct Prepared {
    pub(super) told: ToldOrder,
    pub(super) wants: Vec<Want>,
    pub(super) buyer: Option<BuyerMark>,
    /// The checksum of all that was told, but for when.
    pub(super) digest: u64,
    /// The checksum of what is asked for.
    pub(super) asked: u64,
    /// The order's document, for what is above a grant.
    document: Document,
    changes: Vec<VerifiedChange>,
    receiver: Option<DocumentChanges>,
}

impl Prepared {
    /// Writes the documents. The order's lines have their SKUs, and its pool.
    pub(super) fn new(
        told: ToldOrder,
        cooperative: CooperativeId,
        actor: &ActorId,
        now: Instant,
    ) -> Result<Self, DocumentFault> {
        let key = DocumentKey::Order(told.name.clone());
        let mut document = Document::new(key)?;
        // Its first change is there already: it is read, not made once more.
        let mut changes = document.changes_since(&[])?;
        let (_, change) = document.edit(actor, now, |automerge| order::take(automerge, &told.order))?;
        changes.extend(change);
        let receiver = match &told.receiver {
            Some(told_receiver) if !told_receiver.is_empty() => {
                let key = DocumentKey::Receiver(told.name.clone());
                let mut document = Document::new(key.clone())?;
                let mut changes = document.changes_since(&[])?;
                let (_, change) = document.edit(actor, now, |automerge| receiver::set(automerge, told_receiver))?;
                change.map(|change| {
                    changes.push(change);
                    DocumentChanges { key, changes }
                })
            }
            _ => None,
        };
        let wants = wants_of_told(&told.order);
        let buyer = told.buyer_token.as_deref().map(|token| buyer_mark(cooperative, &told.name.platform, token));
        let (digest, asked) = (digest_of(&told), asked_of(&wants));
        Ok(Self { told, wants, buyer, digest, asked, document, changes, receiver })
    }

    /// The changes of its order, with these packs marked over, and those of its receiver.
    pub(super) fn into_changes(
        mut self,
        over: &[(String, u32)],
        actor: &ActorId,
        now: Instant,
    ) -> Result<(DocumentChanges, Option<DocumentChanges>), DocumentFault> {
        if !over.is_empty() {
            let (_, change) = self.document.edit(actor, now, |automerge| {
                over.iter().try_for_each(|(line, packs)| order::mark_over(automerge, line, *packs))
            })?;
            self.changes.extend(change);
        }
        Ok((DocumentChanges { key: self.document.key().clone(), changes: self.changes }, self.receiver))
    }
}

/// A mark of a buyer, the same for one platform's token in one co-operative; nobody can turn it back into the token.
fn buyer_mark(cooperative: CooperativeId, platform: &str, token: &str) -> BuyerMark {
    let mut text = cooperative.as_bytes().to_vec();
    text.extend_from_slice(platform.as_bytes());
    text.push(0);
    text.extend_from_slice(token.as_bytes());
    let hash = digest(&SHA256, &text);
    hash.as_ref().first_chunk::<16>().copied().unwrap_or_default()
}

/// What an order that was just told wants of its channel.
pub(super) fn wants_of_told(order: &TakenOrder) -> Vec<Want> {
    if order.told == ToldStatus::Closed {
        return Vec::new();
    }
    let is_open = matches!(order.told, ToldStatus::ToShip | ToldStatus::PartShipped);
    let lines = order.lines.iter().filter(|line| !(is_open && line.after_sale == AfterSale::Refunded));
    let want = |line: &order::TakenLine| {
        let sku = line.sku.as_deref()?;
        Some(Want { line: line.line_id.clone(), pool: PoolName::new(&order.pool, sku), packs: line.packs })
    };
    lines.filter_map(want).collect()
}

/// A checksum of what was told but for when.
pub(super) fn digest_of(told: &ToldOrder) -> u64 {
    let order = TakenOrder { told_at: Instant(0), ..told.order.clone() };
    let mut bytes = write_message(&order);
    if let Some(receiver) = &told.receiver {
        let texts = [&receiver.name, &receiver.phone, &receiver.address, &receiver.buyer_note, &receiver.seller_note];
        for text in texts {
            bytes.extend_from_slice(text.as_deref().unwrap_or_default().as_bytes());
            bytes.push(u8::from(text.is_some()));
        }
        bytes.push(u8::from(receiver.is_sealed));
        bytes.extend_from_slice(&receiver.address_changed_at.map_or(0, |at| at.0).to_be_bytes());
    }
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

/// A checksum of what is asked for: an order told again with the same is the same.
pub(super) fn asked_of(wants: &[Want]) -> u64 {
    let mut text = String::new();
    for want in wants {
        text.push_str(&format!("{}\u{0}{}\u{0}{}\u{0}", want.line, want.pool.sku, want.packs));
    }
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}
