//! The feed to a device: the log after its cursor, filtered by its grants; whole documents after a grant; heads when
//! its cursor does not fit this log. Its cost grows with the changes, not with the store. It loads no document: the
//! entries' changes are bundled again.

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ChangeHash, DeviceId, DocumentId};
use granary_client_core::planted;
use granary_client_core::protocol::attestation::{Code, tips};
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::protocol::limits;
use granary_client_core::protocol::messages::{
    Cursor, DocumentHeads, Fetched, Notice, Receipt, SyncReply, SyncRequest, Walk, WalkMode,
};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::access::{Grants, ListedHousehold};
use granary_client_core::store::{Store, StoreFault};

use super::Cooperative;
use super::ingest::Ingested;
use super::keys::{CooperativeNumber, DocumentMeta, DocumentNumber, Entry, LogEvent, entry_key, key, log_key, short};
use super::receipts::OwnEntries;
use super::records::DeviceRecord;
use super::reply_page::Page;
use super::rows::{parse, read_record};
use super::set_aside::{SetAside, place_of};
use crate::error::Error;

/// Log records that one request reads at most.
const RECORDS_MAX: u64 = 20_000;
/// Notices in one reply at most.
const NOTICES_MAX: usize = 16;

/// The content of a log position, for one device.
enum Source {
    Entry {
        entry: u64,
        device: DeviceId,
    },
    /// The document was erased.
    Erased(DocumentKey),
    Other,
}

/// A document's positions after `after`, in rising order.
pub(crate) fn positions_of(
    store: &dyn Store,
    cooperative: CooperativeNumber,
    meta: &DocumentMeta,
    after: u64,
) -> Result<Vec<u64>, StoreFault> {
    let mut positions = Vec::new();
    let mut position = meta.last;
    while position > after {
        positions.push(position);
        position = match read_record(store, cooperative, position)?.event {
            LogEvent::Admitted { previous, .. } | LogEvent::Erased { previous, .. } if previous < position => previous,
            _ => return Err(StoreFault::Damaged(log_key(cooperative, position))),
        };
    }
    positions.reverse();
    Ok(positions)
}

/// The changes of admitted entries, in the order of their positions.
pub(crate) fn read_positions(
    store: &dyn Store,
    cooperative: CooperativeNumber,
    positions: &[u64],
) -> Result<Vec<DocumentChanges>, StoreFault> {
    let mut documents = Vec::new();
    for position in positions {
        if let Some((_, changes)) = read_admitted(store, cooperative, *position)? {
            documents.extend(changes);
        }
    }
    Ok(documents)
}

/// When the entry at a position was received, and its changes; none where the log has another event, or the entry is none that
/// came from anybody.
pub(crate) fn admitted_at(
    store: &dyn Store,
    cooperative: CooperativeNumber,
    position: u64,
) -> Result<Option<(Instant, Vec<DocumentChanges>)>, StoreFault> {
    let admitted = read_admitted(store, cooperative, position)?;
    Ok(admitted.map(|(entry, documents)| (Instant(entry.received_millis), documents)))
}

/// The entry at a position with its changes; none where the log has another event.
fn read_admitted(
    store: &dyn Store,
    cooperative: CooperativeNumber,
    position: u64,
) -> Result<Option<(Entry, Vec<DocumentChanges>)>, StoreFault> {
    let LogEvent::Admitted { entry, .. } = read_record(store, cooperative, position)?.event else { return Ok(None) };
    let key = entry_key(cooperative, entry);
    let entry: Entry = parse(&key, store.get(&key)?.as_deref())?;
    let documents = entry.documents().map_err(|_| StoreFault::Damaged(key))?;
    Ok(Some((entry, documents)))
}

/// The server's code over the tips of what it gives out of a document.
pub(crate) type Attest<'a> = dyn Fn(DocumentId, &[ChangeHash]) -> Code + 'a;

/// A sync request whose changes were ingested.
pub(crate) struct FeedRequest<'a> {
    pub(crate) device: DeviceId,
    pub(crate) record: &'a DeviceRecord,
    pub(crate) request: &'a SyncRequest,
    pub(crate) ingested: Ingested,
    /// True when this log gave the cursor.
    pub(crate) fits: bool,
    /// The time that the phone is told.
    pub(crate) now: Instant,
    /// The households that a recorder or a packer is told by name, asked for with new grants.
    pub(crate) listed: &'a dyn Fn() -> Result<Vec<ListedHousehold>, Error>,
}

impl Cooperative {
    /// All admitted changes of a document, each with the time at which it was received.
    pub(crate) fn changes_of(
        &self,
        store: &dyn Store,
        number: DocumentNumber,
    ) -> Result<Vec<(Instant, VerifiedChange)>, StoreFault> {
        let meta = self.state().documents.get(number).map(|(_, meta)| meta.clone());
        let Some(meta) = meta else { return Ok(Vec::new()) };
        let mut changes = Vec::new();
        for position in positions_of(store, self.number(), &meta, 0)? {
            if let Some((entry, documents)) = read_admitted(store, self.number(), position)? {
                let received = Instant(entry.received_millis);
                let all = documents.into_iter().flat_map(|document| document.changes);
                changes.extend(all.map(|change| (received, change)));
            }
        }
        Ok(changes)
    }

    /// Answers a sync.
    pub(crate) fn reply(
        &self,
        store: &dyn Store,
        attest: &Attest<'_>,
        feed_request: FeedRequest<'_>,
    ) -> Result<SyncReply, Error> {
        let FeedRequest { device, record, request, ingested, fits, now, listed } = feed_request;
        let grants = record.grants_now();
        let visible = self.state().heads.visible();
        let mut cursor = request.cursor;
        let mut new_grants = None;
        let is_new = cursor == Cursor::default();
        if !fits {
            // Another log gave the cursor, as before a restoration: both sides reconcile.
            cursor = Cursor { walk: Some(Walk { mode: WalkMode::Reconcile, document: 0, through: 0 }), ..cursor };
            (cursor.position, cursor.tags.position) = (visible.position, short(visible.position_tag));
            (cursor.receipt, cursor.tags.receipt) = (Receipt::None, 0);
            cursor.grants_version = grants.version;
            new_grants = Some(grants.clone());
        } else if cursor.walk.is_none() && (is_new || cursor.grants_version != grants.version) {
            let before = cursor.grants_version;
            cursor.walk = Some(Walk { mode: WalkMode::Grant(before), document: 0, through: 0 });
            cursor.grants_version = grants.version;
            new_grants = Some(grants.clone());
            if is_new {
                (cursor.position, cursor.tags.position) = (visible.position, short(visible.position_tag));
            }
        }
        if let Some((receipt, tag)) = ingested.receipt {
            (cursor.receipt, cursor.tags.receipt) = (receipt, tag);
        }

        let page_bytes = usize::from(request.page_kilobytes).saturating_mul(1024);
        let page_bytes = page_bytes.clamp(limits::PAGE_BYTES_MIN, limits::PAGE_BYTES_MAX);
        let mut page = Page::new(store, self.number(), page_bytes);
        let (mut heads, mut reconciles) = (Vec::new(), false);
        let fetched = self.fetch(&mut page, &grants, request)?;
        match cursor.walk {
            Some(Walk { mode: WalkMode::Grant(before), .. }) => {
                self.walk_whole(&mut page, &grants, &record.grants_of(before), &mut cursor)?;
            }
            Some(Walk { mode: WalkMode::Reconcile, .. }) => {
                reconciles = true;
                heads = self.walk_heads(&mut page, &grants, page_bytes, &mut cursor);
            }
            None => {}
        }
        if cursor.walk.is_none() && !page.is_full() {
            self.read_log(&mut page, &grants, device, &mut cursor, visible.position)?;
        }
        let attestations = match grants.is_coordinator() {
            true => Vec::new(),
            false => page
                .documents()
                .flat_map(|document| attest(document.key.id(self.id()), &tips(&document.changes)).0)
                .collect(),
        };
        let more = cursor.walk.is_some() || cursor.position < visible.position;
        Ok(SyncReply {
            more,
            refused: ingested.refused,
            listed: if new_grants.is_some() { listed()? } else { Vec::new() },
            grants: new_grants,
            bundle: page.into_bundle(),
            attestations,
            reconciles,
            heads,
            fetched,
            notices: self.notices(store, device, request.notices_read)?,
            told_seconds: now.seconds(),
            cursor,
        })
    }

    /// Adds whole documents that the device may read now and could not before.
    fn walk_whole(
        &self,
        page: &mut Page<'_>,
        grants: &Grants,
        before: &Grants,
        cursor: &mut Cursor,
    ) -> Result<(), StoreFault> {
        while let Some(walk) = cursor.walk {
            let Some((key, meta)) = self.state().documents.get(DocumentNumber(walk.document)).cloned() else {
                cursor.walk = None;
                return Ok(());
            };
            let mut through = walk.through;
            if (grants.may_read(&key) || planted!("walk_ignores_grants")) && !before.may_read(&key) {
                if page.is_full() {
                    return Ok(());
                }
                let positions = positions_of(page.store, self.number(), &meta, walk.through)?;
                through = self.add_positions(page, &positions, walk.through)?;
            } else {
                through = through.max(meta.last);
            }
            let next = Walk { document: walk.document.saturating_add(1), through: 0, ..walk };
            cursor.walk = Some(if through >= meta.last { next } else { Walk { through, ..walk } });
            if through < meta.last {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Adds entries until the page is full; gives the last position that it holds.
    fn add_positions(&self, page: &mut Page<'_>, positions: &[u64], after: u64) -> Result<u64, StoreFault> {
        let mut through = after;
        for position in positions {
            let added = match read_record(page.store, self.number(), *position)?.event {
                LogEvent::Admitted { entry, .. } => page.add(entry)?,
                LogEvent::Erased { document, .. } => {
                    self.document_key(document).is_none_or(|key| page.say_erased(&key))
                }
                LogEvent::Access { .. } => true,
            };
            if !added {
                break;
            }
            through = *position;
        }
        Ok(through)
    }

    /// The heads of the documents that the device may read, a page of them.
    fn walk_heads(
        &self,
        page: &mut Page<'_>,
        grants: &Grants,
        page_bytes: usize,
        cursor: &mut Cursor,
    ) -> Vec<DocumentHeads> {
        let state = self.state();
        let mut heads = Vec::new();
        let mut bytes = 0usize;
        while let Some(walk) = cursor.walk {
            let Some((key, meta)) = state.documents.get(DocumentNumber(walk.document)) else {
                cursor.walk = None;
                break;
            };
            if bytes >= page_bytes {
                break;
            }
            if grants.may_read(key) && meta.is_erased {
                bytes = bytes.saturating_add(meta.key.len());
                page.say_erased(key);
            } else if grants.may_read(key) && meta.last > 0 {
                bytes = bytes.saturating_add(meta.heads.len().saturating_mul(34)).saturating_add(meta.key.len());
                heads.push(DocumentHeads { key: meta.key.clone(), heads: meta.heads.clone() });
            }
            cursor.walk = Some(Walk { document: walk.document.saturating_add(1), ..walk });
        }
        heads
    }

    /// Adds the documents that the request fetches by key.
    fn fetch(&self, page: &mut Page<'_>, grants: &Grants, request: &SyncRequest) -> Result<Vec<Fetched>, StoreFault> {
        let mut fetched = Vec::with_capacity(request.fetch.len().min(1024));
        for fetch in request.fetch.iter().take(1024) {
            let key = DocumentKey::from_bytes(&fetch.key).ok().filter(|key| grants.may_read(key));
            let meta = key.and_then(|key| {
                let state = self.state();
                let number = state.documents.number(&key.id(self.id()))?;
                state.documents.get(number).map(|(_, meta)| meta.clone())
            });
            // A document that the device may not read looks like one that does not exist.
            let Some(meta) = meta else {
                fetched.push(Fetched { through: fetch.through, complete: true });
                continue;
            };
            if page.is_full() {
                fetched.push(Fetched { through: fetch.through, complete: false });
                continue;
            }
            let positions = positions_of(page.store, self.number(), &meta, fetch.through)?;
            let through = self.add_positions(page, &positions, fetch.through)?;
            fetched.push(Fetched { through, complete: through >= meta.last });
        }
        Ok(fetched)
    }

    /// Adds the log after the cursor, without the replica's own entries.
    fn read_log(
        &self,
        page: &mut Page<'_>,
        grants: &Grants,
        device: DeviceId,
        cursor: &mut Cursor,
        last: u64,
    ) -> Result<(), StoreFault> {
        let few = self.state().documents.readable_since(grants, cursor.position);
        let mut own = OwnEntries::behind(cursor.receipt, page.store, self.number(), device);
        let (positions, end) = match few {
            Some(metas) => {
                let mut positions = Vec::new();
                for meta in metas {
                    positions.extend(positions_of(page.store, self.number(), &meta, cursor.position)?);
                }
                positions.sort_unstable();
                positions.retain(|position| *position <= last);
                (positions, last)
            }
            None => {
                let end = last.min(cursor.position.saturating_add(RECORDS_MAX));
                ((cursor.position.saturating_add(1)..=end).collect(), end)
            }
        };
        let (mut before, mut reached) = (cursor.position, end);
        for position in positions {
            let has_room = match self.source(page.store, grants, position)? {
                Source::Entry { entry, device: author } if author == device && own.has(entry)? => true,
                Source::Entry { entry, .. } => page.add(entry)?,
                Source::Erased(key) => page.say_erased(&key),
                Source::Other => true,
            };
            if !has_room {
                reached = if planted!("full_page_skips_a_position") { position } else { before };
                break;
            }
            before = position;
        }
        if reached > cursor.position {
            cursor.position = reached;
            cursor.tags.position = short(read_record(page.store, self.number(), reached)?.tag);
        }
        Ok(())
    }

    fn source(&self, store: &dyn Store, grants: &Grants, position: u64) -> Result<Source, StoreFault> {
        Ok(match read_record(store, self.number(), position)?.event {
            LogEvent::Admitted { entry, document, device, .. } => {
                let readable = self.state().documents.get(document).is_some_and(|(key, _)| grants.may_read(key));
                let readable = readable || planted!("feed_ignores_grants");
                if readable { Source::Entry { entry, device } } else { Source::Other }
            }
            LogEvent::Erased { document, .. } => {
                let key = self.document_key(document).filter(|key| grants.may_read(key));
                key.map_or(Source::Other, Source::Erased)
            }
            LogEvent::Access { .. } => Source::Other,
        })
    }

    fn notices(&self, store: &dyn Store, device: DeviceId, read: u64) -> Result<Vec<Notice>, StoreFault> {
        let prefix = key(self.number(), b'x', device.as_bytes());
        let after = [prefix.as_slice(), &read.to_be_bytes()].concat();
        let rows = store.scan(&prefix, Some(&after), NOTICES_MAX)?;
        let mut notices = Vec::new();
        for row in rows {
            let aside: SetAside = parse(&row.key, row.value.as_deref())?;
            let (_, entry) = place_of(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            notices.extend(aside.notice(entry));
        }
        Ok(notices)
    }
}
