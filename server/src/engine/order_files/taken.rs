//! Files that were taken, remembered by what they are.

use granary_client_core::protocol::messages::{read_message, write_message};
use serde::{Deserialize, Serialize};

use super::fault::ImportFault;
use super::waiting::{FileId, Waiting};
use crate::access::By;
use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::{key, rest};
use crate::log::writer::GroupCommit;
use crate::trade::Verdict;

/// Orders that were refused are named up to this many.
const NAMED_MAX: usize = 100;
const KIND: u8 = b'i';

/// A file that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub(crate) struct TakenFile {
    /// The name that it waited under.
    #[serde(default)]
    pub(crate) id: String,
    /// What it was called.
    pub(crate) file_name: String,
    /// The profile that it was read by.
    pub(crate) profile: String,
    /// That profile's platform.
    #[serde(default)]
    pub(crate) platform: String,
    /// The shop.
    pub(crate) shop: String,
    /// When, in milliseconds since 1970.
    pub(crate) at_millis: i64,
    /// Who took it: a device, `key:` and a key, or `operator`.
    pub(crate) by: String,
    /// Rows of it that were refused.
    pub(crate) refused_rows: usize,
    /// Lines of it.
    pub(crate) lines: usize,
    /// Orders that were new.
    pub(crate) accepted: usize,
    /// New orders with packs above the grant.
    pub(crate) over: usize,
    /// Known orders of which it told something new.
    pub(crate) updated: usize,
    /// Known orders of which it told nothing new.
    pub(crate) known: usize,
    /// Orders that were not taken, with field and code; the first hundred.
    pub(crate) not_taken: Vec<(String, String, String)>,
    /// How many were not taken.
    pub(crate) not_taken_count: usize,
}

impl TakenFile {
    /// Counts what became of an order.
    pub(super) fn count(&mut self, name: String, verdict: Verdict) -> Result<(), ImportFault> {
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
            Verdict::TryLater => return Err(ImportFault::NoRoom),
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

    /// True where both are of one taking, as of the two files of a pair.
    fn is_of_taking(&self, other: &Self) -> bool {
        let blank = |file: &Self| Self { id: String::new(), ..file.clone() };
        blank(self) == blank(other)
    }
}

/// Remembers that a file was taken.
pub(super) fn remember(group: &mut GroupCommit<'_>, file: &Waiting, taken: &TakenFile) {
    let stored = TakenFile { id: file.id().to_string(), ..taken.clone() };
    group.put_visible(key(file.number, KIND, &file.id().0), write_message(&stored));
}

impl Granary {
    fn taken_of(&self, number: CooperativeNumber, id: FileId) -> Result<Option<TakenFile>, Error> {
        let row = self.store().get(&key(number, KIND, &id.0))?;
        Ok(row.and_then(|row| read_message(&row).ok()))
    }

    /// What became of a file, where it was taken.
    pub(super) fn taken_before(&self, file: &Waiting) -> Result<Option<TakenFile>, Error> {
        if let Some(taken) = self.taken_of(file.number, file.id())? {
            return Ok(Some(taken));
        }
        // Rows were named by the file's hash alone once.
        let row = self.store().get(&key(file.number, KIND, &file.hash))?;
        let taken: Option<TakenFile> = row.and_then(|row| read_message(&row).ok());
        Ok(taken.filter(|taken| taken.shop == file.brought.shop))
    }

    /// The file of this name that was taken, where there is one that may be seen.
    pub(crate) fn taken_import(
        &self,
        by: &By,
        number: CooperativeNumber,
        id: &str,
    ) -> Result<Option<TakenFile>, Error> {
        let Some(id) = FileId::from_text(id) else { return Ok(None) };
        Ok(self.taken_of(number, id)?.filter(|taken| by.may(&taken.platform, &taken.shop)))
    }

    /// Files that were taken and may be seen, the latest first.
    pub(crate) fn imports(&self, by: &By, number: CooperativeNumber) -> Result<Vec<TakenFile>, Error> {
        let profiles = self.order_profiles();
        let read = |row: granary_client_core::store::Row| {
            let mut taken: TakenFile = read_message(&row.value?).ok()?;
            if let Some(hash) = rest(&row.key).first_chunk::<32>().filter(|_| taken.id.is_empty()) {
                let known = profiles.all().iter().find(|profile| profile.name == taken.profile);
                taken.platform = known.map(|profile| profile.platform.clone()).unwrap_or_default();
                taken.id = FileId::of(hash, &taken.platform, &taken.shop).to_string();
            }
            Some(taken).filter(|taken| by.may(&taken.platform, &taken.shop))
        };
        let mut files: Vec<TakenFile> =
            self.store().scan_all(&key(number, KIND, &[]))?.into_iter().filter_map(read).collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.at_millis));
        // A pair is one taking.
        files.dedup_by(|one, other| one.is_of_taking(other));
        Ok(files)
    }
}
