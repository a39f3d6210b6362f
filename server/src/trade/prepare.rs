//! Makes an order's documents before the writer decides on it: they are new, so nothing has to be read, and their changes are written
//! without a document of Automerge. Only what is above a grant is known in the writer alone.

use std::sync::OnceLock;

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
    /// The first change of the order's document, and the one that takes it.
    first: VerifiedChange,
    taken: VerifiedChange,
    receiver: Option<DocumentChanges>,
}

/// The first change of a document of this kind, which is the same whatever the order is called.
fn first_change(kept: &OnceLock<VerifiedChange>, key: &DocumentKey) -> Result<VerifiedChange, DocumentFault> {
    match kept.get() {
        Some(first) => Ok(first.clone()),
        None => Document::first_change(key).map(|first| kept.get_or_init(|| first).clone()),
    }
}

static FIRST_OF_ORDERS: OnceLock<VerifiedChange> = OnceLock::new();
static FIRST_OF_RECEIVERS: OnceLock<VerifiedChange> = OnceLock::new();

impl Prepared {
    /// Writes the documents. The order's lines have their SKUs, and its pool; the checksum is that of what was told.
    pub(super) fn new(
        told: ToldOrder,
        digest: u64,
        cooperative: CooperativeId,
        actor: &ActorId,
        now: Instant,
    ) -> Result<Self, DocumentFault> {
        let first = first_change(&FIRST_OF_ORDERS, &DocumentKey::Order(told.name.clone()))?;
        let taken = order::taken_change(&first, &told.order, actor, now)?;
        let receiver = match &told.receiver {
            Some(receiver) if !receiver.is_empty() => {
                let key = DocumentKey::Receiver(told.name.clone());
                let first = first_change(&FIRST_OF_RECEIVERS, &key)?;
                let set = receiver::set_change(&first, receiver, actor, now)?;
                set.map(|set| DocumentChanges { key, changes: vec![first, set] })
            }
            _ => None,
        };
        let wants = wants_of_told(&told.order);
        let buyer = told.buyer_token.as_deref().map(|token| buyer_mark(cooperative, &told.name.platform, token));
        let asked = asked_of(&wants);
        Ok(Self { told, wants, buyer, digest, asked, first, taken, receiver })
    }

    /// The changes of its order, with these packs marked over, and those of its receiver.
    pub(super) fn into_changes(
        self,
        over: &[(String, u32)],
        actor: &ActorId,
        now: Instant,
    ) -> Result<(DocumentChanges, Option<DocumentChanges>), DocumentFault> {
        let marked = order::over_change(&self.taken, over, actor, now)?;
        let changes = [self.first, self.taken].into_iter().chain(marked).collect();
        Ok((DocumentChanges { key: DocumentKey::Order(self.told.name), changes }, self.receiver))
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
