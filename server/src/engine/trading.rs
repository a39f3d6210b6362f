//! What trade keeps in memory: the SKUs and streams that orders are read by, which documents it has to follow, and which channels'
//! figures have changed. All of it can be made again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use granary_client_core::projection::OrderCursor;
use granary_client_core::schema::catalogue::Catalogue;
use granary_client_core::schema::sku::SkuIndex;
use granary_client_core::schema::stream::Stream;
use granary_client_core::schema::{DocumentKey, OrderName, StreamCode};

use tokio::sync::Notify;

use crate::log::keys::DocumentNumber;
use crate::log::{Cooperative, CooperativeNumber};

/// A document that was admitted, and the position of the log at which it was.
pub(crate) type Admitted = (CooperativeNumber, DocumentNumber, u64);

/// An order with its place in the order of acceptance.
pub(crate) type InSequence = (u64, OrderName);

/// What is to be decided on about goods in a co-operative.
#[derive(Debug, Clone, Default)]
pub(crate) struct Open {
    /// Orders whose plan lacks something.
    pub(crate) orders: BTreeSet<InSequence>,
    /// Streams whose pools are to be set.
    pub(crate) streams: BTreeSet<StreamCode>,
    /// True where what is there may have changed.
    pub(crate) has_stock: bool,
}

#[derive(Default)]
struct Waiting {
    open: BTreeMap<CooperativeNumber, Open>,
    /// Channels whose figures are not in their streams' documents yet.
    unserved: BTreeSet<(CooperativeNumber, String)>,
    /// In the order of the log, each document once; the position is its last.
    documents: BTreeMap<(CooperativeNumber, DocumentNumber), u64>,
    channels: BTreeSet<(CooperativeNumber, String)>,
    /// Where to go on with lines that nobody had mapped; none for the beginning.
    mapping: BTreeMap<CooperativeNumber, Option<OrderCursor>>,
}

/// A context with the count of changes before it was read.
struct Kept {
    changes: u64,
    context: Option<Arc<TradeContext>>,
}

/// What orders of a co-operative are read by.
pub(crate) struct TradeContext {
    /// The SKUs.
    pub(crate) catalogue: Catalogue,
    /// The same by what shops write.
    pub(crate) skus: SkuIndex,
    /// The streams that are announced, on or over, by their code.
    pub(crate) streams: BTreeMap<StreamCode, Stream>,
}

/// See the module.
pub(crate) struct Trading {
    waiting: Mutex<Waiting>,
    woken: Notify,
    contexts: Mutex<HashMap<CooperativeNumber, Kept>>,
    /// Held while what is told of known orders is written: each reads the document that the one before it wrote.
    pub(crate) telling: Mutex<()>,
    /// Held while what an order holds is made to follow its document: two that do so at once would mix an older reading of it
    /// with a newer one.
    pub(crate) following: Mutex<()>,
}

impl Default for Trading {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            woken: Notify::new(),
            contexts: Mutex::default(),
            telling: Mutex::default(),
            following: Mutex::default(),
        }
    }
}

impl Trading {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn contexts(&self) -> MutexGuard<'_, HashMap<CooperativeNumber, Kept>> {
        self.contexts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a document was admitted at a position; those that no trade follows from are let go.
    pub(crate) fn admitted(&self, cooperative: &Cooperative, document: DocumentNumber, key: &DocumentKey) {
        let number = cooperative.number();
        if matches!(key, DocumentKey::Catalogue(_) | DocumentKey::Stream(_)) {
            let mut contexts = self.contexts();
            let kept = contexts.entry(number).or_insert_with(|| Kept { changes: 0, context: None });
            kept.changes = kept.changes.wrapping_add(1);
            kept.context = None;
        }
        if matches!(key, DocumentKey::Catalogue(_)) {
            self.map_anew(number);
        }
        if is_followed(key) {
            self.waiting().documents.insert((number, document), cooperative.last_position(document));
            self.woken.notify_one();
        }
    }

    /// Notes that the figures of these channels have changed.
    pub(crate) fn channels_changed(&self, number: CooperativeNumber, channels: impl IntoIterator<Item = String>) {
        self.waiting().channels.extend(channels.into_iter().map(|channel| (number, channel)));
    }

    /// Takes the documents that wait, in the order of the log, at most so many.
    pub(crate) fn take_documents(&self, most: usize) -> Vec<Admitted> {
        let mut waiting = self.waiting();
        let mut documents: Vec<Admitted> =
            waiting.documents.iter().map(|((number, document), position)| (*number, *document, *position)).collect();
        documents.sort_unstable_by_key(|(_, _, position)| *position);
        documents.truncate(most);
        for (number, document, _) in &documents {
            waiting.documents.remove(&(*number, *document));
        }
        documents
    }

    /// True while documents wait to be followed.
    #[cfg(test)]
    pub(crate) fn has_documents(&self) -> bool {
        !self.waiting().documents.is_empty()
    }

    /// True while documents wait to be followed, or something is to be decided on.
    #[cfg(test)]
    pub(crate) fn has_work(&self) -> bool {
        let waiting = self.waiting();
        !waiting.documents.is_empty() || !waiting.open.is_empty() || !waiting.mapping.is_empty()
    }

    /// Has all lines that nobody had mapped looked at again.
    pub(crate) fn map_anew(&self, number: CooperativeNumber) {
        self.waiting().mapping.insert(number, None);
    }

    /// Keeps in mind where to go on, unless it begins anew.
    pub(crate) fn map_later(&self, number: CooperativeNumber, after: Option<OrderCursor>) {
        self.waiting().mapping.entry(number).or_insert(after);
    }

    /// Takes where to go on with lines that nobody had mapped.
    pub(crate) fn take_mapping(&self) -> BTreeMap<CooperativeNumber, Option<OrderCursor>> {
        std::mem::take(&mut self.waiting().mapping)
    }

    /// Puts documents back that could not be followed.
    pub(crate) fn put_back(&self, documents: Vec<Admitted>) {
        let mut waiting = self.waiting();
        for (number, document, position) in documents {
            waiting.documents.entry((number, document)).or_insert(position);
        }
    }

    /// Takes the channels whose figures have changed.
    pub(crate) fn take_channels(&self) -> BTreeSet<(CooperativeNumber, String)> {
        std::mem::take(&mut self.waiting().channels)
    }

    /// Keeps in mind that these streams' pools are to be set, and whether what is there may have changed.
    pub(crate) fn decide_later(&self, number: CooperativeNumber, streams: &BTreeSet<StreamCode>, has_stock: bool) {
        if streams.is_empty() && !has_stock {
            return;
        }
        let mut waiting = self.waiting();
        let open = waiting.open.entry(number).or_default();
        open.streams.extend(streams.iter().cloned());
        open.has_stock |= has_stock;
    }

    /// Keeps in mind orders whose plan lacks something.
    pub(crate) fn plan_later(&self, number: CooperativeNumber, orders: impl IntoIterator<Item = InSequence>) {
        let mut orders = orders.into_iter().peekable();
        if orders.peek().is_some() {
            self.waiting().open.entry(number).or_default().orders.extend(orders);
        }
    }

    /// Takes what is to be decided on.
    pub(crate) fn take_open(&self) -> BTreeMap<CooperativeNumber, Open> {
        std::mem::take(&mut self.waiting().open)
    }

    /// Puts back what could not be decided on yet.
    pub(crate) fn put_open(&self, number: CooperativeNumber, open: Open) {
        self.decide_later(number, &open.streams, open.has_stock);
        self.plan_later(number, open.orders);
    }

    /// Keeps in mind that a channel's figures are to be written into its stream.
    pub(crate) fn serve_later(&self, number: CooperativeNumber, channel: String) {
        self.waiting().unserved.insert((number, channel));
    }

    /// The channels whose figures wait to be written into their streams.
    pub(crate) fn take_unserved(&self) -> BTreeSet<(CooperativeNumber, String)> {
        std::mem::take(&mut self.waiting().unserved)
    }

    /// Has another round follow.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Waits until there is a document to follow.
    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// What orders of a co-operative are read by, as `read` gives it unless it is kept.
    pub(crate) fn context<E>(
        &self,
        number: CooperativeNumber,
        read: impl FnOnce() -> Result<TradeContext, E>,
    ) -> Result<Arc<TradeContext>, E> {
        let changes = {
            let mut contexts = self.contexts();
            let kept = contexts.entry(number).or_insert_with(|| Kept { changes: 0, context: None });
            if let Some(context) = &kept.context {
                return Ok(Arc::clone(context));
            }
            kept.changes
        };
        let context = Arc::new(read()?);
        let mut contexts = self.contexts();
        // What was read is not kept where it may be older than a change that came meanwhile.
        if let Some(kept) = contexts.get_mut(&number).filter(|kept| kept.changes == changes) {
            kept.context = Some(Arc::clone(&context));
        }
        Ok(context)
    }
}

/// True for documents that trade follows: what is sold, what is set aside, and what is there.
pub(crate) fn is_followed(key: &DocumentKey) -> bool {
    matches!(
        key,
        DocumentKey::Order(_) | DocumentKey::Stream(_) | DocumentKey::StockBook(_) | DocumentKey::ReceiptBook(_)
    )
}
