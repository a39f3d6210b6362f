//! Order files: brought, looked at, taken. A file that waits is kept in memory alone, within bounds and for a day: it names buyers,
//! and what was never on the disk need not be erased there. A file that was taken is remembered by its hash.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::order::map_line;
use granary_client_core::schema::{DocumentKey, Part, catalogue, sku};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::Granary;
use super::audit::put_line;
use super::own_edits::Edits;
use crate::access::AuditAction;
use crate::access::Principal;
use crate::error::Error;
use crate::imports::{self, Ask, Preview, Profiles, SkuNames, Together};
use crate::log::CooperativeNumber;
use crate::log::keys::key;
use crate::trade::{ORDERS_MAX, Verdict};

/// A waiting file with its id.
type Named = (String, Arc<Waiting>);

/// Files that wait, all together.
const WAITING_BYTES_MAX: usize = 80 * 1024 * 1024;
const WAITING_MAX: usize = 100;
const WAITING_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Orders that were refused are named up to this many.
const NAMED_MAX: usize = 100;
/// Orders whose lines are mapped in one go.
const MAPPED_AT_ONCE_MAX: u32 = 2_000;

/// A file as somebody brings it.
#[derive(Debug, Clone)]
pub struct Brought {
    /// What it is called.
    pub file_name: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// The shop whose orders these are; empty where there is one on the platform.
    pub shop: String,
    /// The profile to read it by, where it fits two.
    pub profile: Option<String>,
}

/// A file that was brought.
#[derive(Debug, Clone)]
pub struct Import {
    /// Its name for as long as it waits.
    pub id: String,
    /// The shop.
    pub shop: String,
    /// What it says by the SKUs that are known now; of a pair, what both say together.
    pub preview: Preview,
    /// The file that it is read together with.
    pub partner: Option<String>,
    /// That file's id.
    pub partner_id: Option<String>,
    /// Set where it was taken before and holds no more than then: there is nothing to do.
    pub taken: Option<TakenFile>,
    /// Orders that were taken of it, and of how many, while it is being taken.
    pub progress: Option<(usize, usize)>,
}

/// A file that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct TakenFile {
    /// What it was called.
    pub file_name: String,
    /// The profile that it was read by.
    pub profile: String,
    /// The shop.
    pub shop: String,
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// Who took it: a device or `operator`.
    pub by: String,
    /// Rows of it that were refused.
    pub refused_rows: usize,
    /// Lines of it.
    pub lines: usize,
    /// Orders that were new.
    pub accepted: usize,
    /// New orders with packs above the grant.
    pub over: usize,
    /// Known orders of which it told something new.
    pub updated: usize,
    /// Known orders of which it told nothing new.
    pub known: usize,
    /// Orders that were not taken, with field and code; the first hundred.
    pub not_taken: Vec<(String, String, String)>,
    /// How many were not taken.
    pub not_taken_count: usize,
}

struct Waiting {
    number: CooperativeNumber,
    brought: Brought,
    hash: [u8; 32],
    at: Instant,
    is_being_taken: AtomicBool,
    done: AtomicUsize,
    of: AtomicUsize,
}

/// Files that wait, and the profiles by which they are read.
#[derive(Default)]
pub(crate) struct OrderFiles {
    profiles: RwLock<Option<Arc<Profiles>>>,
    waiting: Mutex<HashMap<String, Arc<Waiting>>>,
}

impl OrderFiles {
    fn waiting(&self, now: Instant) -> MutexGuard<'_, HashMap<String, Arc<Waiting>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, file| now.0.saturating_sub(file.at.0) < WAITING_MILLIS);
        waiting
    }
}

fn taken_key(number: CooperativeNumber, hash: &[u8; 32]) -> Vec<u8> {
    key(number, b'i', hash)
}

fn hash_of(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().first_chunk().copied().unwrap_or_default()
}

impl Granary {
    /// Reads order files by these profiles from now on.
    pub fn set_order_profiles(&self, profiles: Profiles) {
        *self.order_files.profiles.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(profiles));
    }

    /// The profiles that order files are read by.
    pub fn order_profiles(&self) -> Arc<Profiles> {
        let set = self.order_files.profiles.read().unwrap_or_else(PoisonError::into_inner).clone();
        set.unwrap_or_else(|| Arc::new(Profiles::own()))
    }

    fn sku_names(&self, number: CooperativeNumber) -> Result<SkuNames, Error> {
        let parts = self.parts(number, &DocumentKey::Catalogue(Part::FIRST))?;
        Ok(SkuNames::of_catalogue(&catalogue::read_parts(&parts)))
    }

    fn read_order_file(&self, brought: &Brought, skus: &SkuNames, at: Instant) -> Result<Preview, Error> {
        let profiles = self.order_profiles();
        let ask = Ask {
            file_name: brought.file_name.clone(),
            profiles: profiles.all(),
            profile: brought.profile.as_deref(),
            skus,
            uploaded_at: at,
        };
        Ok(imports::read(&brought.bytes, &ask)?)
    }

    /// Takes a file in to be looked at; nothing of it is taken yet. It waits for a day. A file that can't be read is refused.
    pub fn preview_import(&self, number: CooperativeNumber, brought: Brought, now: Instant) -> Result<Import, Error> {
        self.cooperative(number)?;
        self.read_order_file(&brought, &self.sku_names(number)?, now)?;
        let hash = hash_of(&brought.bytes);
        let id: [u8; 12] = self.random()?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = Waiting {
            number,
            brought,
            hash,
            at: now,
            is_being_taken: AtomicBool::new(false),
            done: AtomicUsize::new(0),
            of: AtomicUsize::new(0),
        };
        {
            let mut waiting = self.order_files.waiting(now);
            // The same file again waits once.
            let is_same = |other: &Waiting| {
                other.number == number && other.hash == hash && !other.is_being_taken.load(Ordering::SeqCst)
            };
            waiting.retain(|_, other| !(is_same(other) && other.brought.shop == file.brought.shop));
            waiting.insert(id.clone(), Arc::new(file));
            make_room(&mut waiting, &id);
        }
        self.waiting_import(number, &id, now)
    }

    /// A file that waits, by the SKUs that are known now.
    pub fn waiting_import(&self, number: CooperativeNumber, id: &str, now: Instant) -> Result<Import, Error> {
        Ok(self.looked_at(number, id, now)?.0)
    }

    /// How far the taking of a file is: orders done, and of how many; without reading the file.
    pub fn import_progress(&self, number: CooperativeNumber, id: &str, now: Instant) -> Option<(usize, usize)> {
        let file = self.order_files.waiting(now).get(id).filter(|file| file.number == number).cloned()?;
        file.is_being_taken
            .load(Ordering::SeqCst)
            .then(|| (file.done.load(Ordering::SeqCst), file.of.load(Ordering::SeqCst)))
    }

    /// A file, and the files that are taken with it: itself, and its partner.
    fn looked_at(&self, number: CooperativeNumber, id: &str, now: Instant) -> Result<(Import, Vec<Named>), Error> {
        let all: Vec<Named> = {
            let waiting = self.order_files.waiting(now);
            let own = waiting.iter().filter(|(_, file)| file.number == number);
            own.map(|(id, file)| (id.clone(), Arc::clone(file))).collect()
        };
        let missing = || Error::NotFound { what: "order file", name: id.to_owned() };
        let file = all.iter().find(|(other, _)| other == id).map(|(_, file)| Arc::clone(file)).ok_or_else(missing)?;
        let skus = self.sku_names(number)?;
        let preview = self.read_order_file(&file.brought, &skus, file.at)?;
        let mut files = vec![(id.to_owned(), Arc::clone(&file))];
        let (mut shown, mut partner, mut partner_id) = (preview.clone(), None, None);
        if preview.lines_in.is_some() || preview.orders_in.is_some() {
            for (other_id, other) in all.iter().filter(|(other, _)| other != id) {
                if other.brought.shop != file.brought.shop {
                    continue;
                }
                let Ok(read) = self.read_order_file(&other.brought, &skus, other.at) else { continue };
                if let Some(together) = Together::of(&preview, &read).or_else(|| Together::of(&read, &preview)) {
                    shown = together.preview;
                    partner = Some(other.brought.file_name.clone());
                    partner_id = Some(other_id.clone());
                    files.push((other_id.clone(), Arc::clone(other)));
                    break;
                }
            }
        }
        let mut taken = Some(TakenFile::default());
        for (_, file) in &files {
            let row = self.store().get(&taken_key(number, &file.hash))?;
            let before: Option<TakenFile> = row.and_then(|row| read_message(&row).ok());
            // More of it can be read than then, as with a state that an operator added since.
            taken = taken.and(before.filter(|before| shown.lines().count() <= before.lines));
        }
        let progress = file
            .is_being_taken
            .load(Ordering::SeqCst)
            .then(|| (file.done.load(Ordering::SeqCst), file.of.load(Ordering::SeqCst)));
        let shop = file.brought.shop.clone();
        Ok((Import { id: id.to_owned(), shop, preview: shown, partner, partner_id, taken, progress }, files))
    }

    /// Takes a file's orders, which are durable when this returns. It can be called again after a failure: what was taken is known
    /// then. An order never goes back to an older told time.
    pub fn take_import(
        &self,
        by: Principal,
        number: CooperativeNumber,
        id: &str,
        now: Instant,
    ) -> Result<TakenFile, Error> {
        by.must_coordinate(self.cooperative(number)?.as_ref())?;
        self.take_file(by.id(), number, id, now)
    }

    /// As [`Self::take_import`], for whoever may take orders by another right, such as an API key; `by` is its id for the audit.
    pub(crate) fn take_file(
        &self,
        by: String,
        number: CooperativeNumber,
        id: &str,
        now: Instant,
    ) -> Result<TakenFile, Error> {
        let cooperative = self.cooperative(number)?;
        let (import, files) = self.looked_at(number, id, now)?;
        if let Some(before) = import.taken {
            return Err(Error::FileTaken { at: Instant(before.at_millis) });
        }
        let Some((_, file)) = files.first() else {
            return Err(Error::NotFound { what: "order file", name: id.into() });
        };
        if file.is_being_taken.swap(true, Ordering::SeqCst) {
            return Err(Error::invalid("file", ("it is being taken already", "正在收这个文件")));
        }
        let took = self.take_orders_of(number, file, &import.preview, now);
        file.is_being_taken.store(false, Ordering::SeqCst);
        let mut record = took?;
        record.by = by;
        let (stored, hashes): (TakenFile, Vec<[u8; 32]>) =
            (record.clone(), files.iter().map(|(_, file)| file.hash).collect());
        self.write(move |group| {
            for hash in &hashes {
                group.put_visible(taken_key(number, hash), write_message(&stored));
            }
            let detail = format!("orders {} +{} ~{}", stored.profile, stored.accepted, stored.updated);
            put_line(&cooperative, group, now, &stored.by, AuditAction::Imported, &detail);
            Ok(())
        })?;
        let mut waiting = self.order_files.waiting(now);
        for (id, _) in files {
            waiting.remove(&id);
        }
        Ok(record)
    }

    fn take_orders_of(
        &self,
        number: CooperativeNumber,
        file: &Waiting,
        preview: &Preview,
        now: Instant,
    ) -> Result<TakenFile, Error> {
        let mut orders = preview.told_orders(&file.brought.shop);
        if orders.is_empty() {
            let other = preview.lines_in.as_ref().or(preview.orders_in.as_ref());
            return Err(match other {
                Some(other) => Error::invalid(
                    "file",
                    crate::said::Said::new(
                        format!("it is one of two files: bring the other one too ({other})"),
                        format!("这是两个文件里的一个：请把另一个也拿来（{other}）"),
                    ),
                ),
                None => Error::invalid("file", ("there is no order in it to take", "里面没有可以收的订单")),
            });
        }
        file.of.store(orders.len(), Ordering::SeqCst);
        file.done.store(0, Ordering::SeqCst);
        let mut record = TakenFile {
            file_name: preview.file.clone(),
            profile: preview.profile.clone(),
            shop: file.brought.shop.clone(),
            at_millis: now.0,
            refused_rows: preview.refused.len(),
            lines: preview.lines().count(),
            ..TakenFile::default()
        };
        while !orders.is_empty() {
            let rest = orders.split_off(orders.len().min(ORDERS_MAX));
            let page = std::mem::replace(&mut orders, rest);
            let names: Vec<String> = page.iter().map(|told| told.name.outside_id.clone()).collect();
            for (name, answer) in names.into_iter().zip(self.take_orders(number, page, now)?) {
                record.count(name, answer.verdict)?;
                file.done.fetch_add(1, Ordering::SeqCst);
            }
        }
        Ok(record)
    }

    /// Files that wait, the latest first: id, name, profile's choice and when each was brought.
    pub fn waiting_imports(&self, number: CooperativeNumber, now: Instant) -> Vec<(String, String, Instant)> {
        let waiting = self.order_files.waiting(now);
        let own = waiting.iter().filter(|(_, file)| file.number == number);
        let mut files: Vec<_> = own.map(|(id, file)| (id.clone(), file.brought.file_name.clone(), file.at)).collect();
        files.sort_by_key(|(id, _, at)| (std::cmp::Reverse(*at), id.clone()));
        files
    }

    /// Drops a file that waits.
    pub fn drop_import(&self, number: CooperativeNumber, id: &str, now: Instant) {
        self.order_files.waiting(now).retain(|other, file| !(other == id && file.number == number));
    }

    /// Files that were taken, the latest first.
    pub fn imports(&self, number: CooperativeNumber) -> Result<Vec<TakenFile>, Error> {
        let rows = self.store().scan_all(&key(number, b'i', &[]))?;
        let mut files: Vec<TakenFile> = rows.into_iter().filter_map(|row| read_message(&row.value?).ok()).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.at_millis));
        // A pair is one taking.
        files.dedup_by(|one, other| one == other);
        Ok(files)
    }

    /// Says which SKU a shop's code is, or its name where it gives no code: once for all. Files that wait find it, and lines of orders
    /// that were taken with it are mapped too; gives how many those were. Of very many the server maps the rest within some seconds.
    pub fn map_unmapped(
        &self,
        number: CooperativeNumber,
        device: DeviceId,
        (code, name): (&str, &str),
        sku_code: &str,
        now: Instant,
    ) -> Result<usize, Error> {
        let parts = self.parts(number, &DocumentKey::Catalogue(Part::FIRST))?;
        if !catalogue::read_parts(&parts).skus.contains_key(sku_code) {
            return Err(Error::NotFound { what: "SKU", name: sku_code.to_owned() });
        }
        let (of, code, name) = (sku_code.to_owned(), code.to_owned(), name.to_owned());
        let (own_code, own_name) = (code.clone(), name.clone());
        let learn = Edits::one(DocumentKey::Catalogue(Part::FIRST), move |doc| match own_code.as_str() {
            "" => sku::map_name(doc, &of, &own_name),
            code => sku::map_code(doc, &of, code),
        });
        self.edit_as(number, device, now, vec![learn])?;
        let waiting = self.read_models(number)?.read(|models| models.unmapped_lines(MAPPED_AT_ONCE_MAX))?;
        let is_same = |line: &granary_client_core::projection::UnmappedLine| match code.as_str() {
            "" => line.code.is_empty() && line.title == name,
            code => line.code == code,
        };
        let edits: Vec<Edits> = waiting
            .into_iter()
            .filter(is_same)
            .map(|line| {
                let of = sku_code.to_owned();
                Edits::one(DocumentKey::Order(line.order), move |doc| map_line(doc, &line.line, &of))
            })
            .collect();
        let count = edits.len();
        if count > 0 {
            self.edit_as(number, device, now, edits)?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;

impl TakenFile {
    fn count(&mut self, name: String, verdict: Verdict) -> Result<(), Error> {
        let add = |count: &mut usize| *count = count.saturating_add(1);
        let refused = match verdict {
            Verdict::Accepted | Verdict::AcceptedOver(_) | Verdict::Known | Verdict::Updated => {
                match verdict {
                    Verdict::Known => add(&mut self.known),
                    Verdict::Updated => add(&mut self.updated),
                    _ => add(&mut self.accepted),
                }
                if matches!(verdict, Verdict::AcceptedOver(_)) {
                    add(&mut self.over);
                }
                return Ok(());
            }
            // What was taken stays taken; the file is not remembered and can be taken again.
            Verdict::TryLater => {
                return Err(Error::invalid(
                    "file",
                    ("the server has no room now; try again later", "服务器现在没有空间，请过一会儿再收"),
                ));
            }
            Verdict::SoldOut { .. } => ("packs", "sold-out"),
            Verdict::OverLimit => ("buyer_token", "over-limit"),
            Verdict::Refused { field, code } => (field, code),
        };
        add(&mut self.not_taken_count);
        if self.not_taken.len() < NAMED_MAX {
            self.not_taken.push((name, refused.0.to_owned(), refused.1.to_owned()));
        }
        Ok(())
    }
}

/// The oldest files go where there are too many; one that is being taken, and this one, stay.
fn make_room(waiting: &mut HashMap<String, Arc<Waiting>>, keep: &str) {
    loop {
        let bytes: usize = waiting.values().map(|file| file.brought.bytes.len()).sum();
        if bytes <= WAITING_BYTES_MAX && waiting.len() <= WAITING_MAX {
            return;
        }
        let can_go = |id: &str, file: &Waiting| id != keep && !file.is_being_taken.load(Ordering::SeqCst);
        let oldest = waiting.iter().filter(|(id, file)| can_go(id, file)).min_by_key(|(_, file)| file.at);
        let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { return };
        waiting.remove(&oldest);
    }
}
