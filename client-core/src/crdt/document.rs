//! One document: a key and its Automerge document. The first change is byte-identical on every replica, so two phones that
//! create the same document offline converge. Every edit is one change.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::transaction::CommitOptions;
use automerge::{AutoCommit, AutomergeError, Change, ReadDoc};

use crate::crdt::change::{ChangeFault, VerifiedChange};
use crate::ids::{ActorId, ChangeHash};
use crate::quantities::{Instant, QuantityFault};
use crate::words::{Phrase, Words};

/// The largest saved document, in bytes: some thousands of lots. The cost of a change from outside grows with its document;
/// this limit keeps it to some tenths of a second.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// The size, in bytes, from which a book goes on in its next part. It is an eighth of what a document can hold: a phone adds to
/// a part only while the part is smaller than this on that phone, so eight phones that have not heard of each other since
/// the part began can each fill it, and the server takes all that they recorded.
pub const PART_BYTES: u64 = DOCUMENT_BYTES_MAX as u64 / 8;

/// Why a document could not be read or changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DocumentFault {
    /// The thing to change does not exist.
    #[error("there is no {what} \"{name}\" in this document")]
    NotFound {
        /// Its kind.
        what: Phrase,
        /// Its name.
        name: String,
    },
    /// A field has a value of the wrong type.
    #[error("the document is damaged at {0:?}")]
    Damaged(&'static str),
    /// A value to write is out of its range.
    #[error(transparent)]
    Quantity(#[from] QuantityFault),
    /// The document's state does not allow this step.
    #[error("{0}")]
    NotNow(Phrase),
    /// The document would be larger than [`DOCUMENT_BYTES_MAX`].
    #[error("this document is full: nothing more can be written into it")]
    Full,
    /// Changes could not be applied or the document could not be loaded.
    #[error("the document's changes can't be applied: {0}")]
    Unusable(String),
    /// A change was refused by the verifier.
    #[error(transparent)]
    Change(#[from] ChangeFault),
}

impl Words for DocumentFault {
    fn chinese(&self) -> String {
        match self {
            Self::NotFound { what, name } => format!("这份文档里没有{}“{name}”", what.chinese),
            Self::Damaged(_) => "这份文档损坏了，不能这样修改".into(),
            Self::Quantity(fault) => fault.chinese(),
            Self::NotNow(why) => why.chinese(),
            Self::Full => "这份文档满了，不能再写入".into(),
            Self::Unusable(_) => "这份文档的改动不能应用".into(),
            Self::Change(_) => "有一个改动的格式不对".into(),
        }
    }
}

impl DocumentFault {
    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not-found",
            Self::Damaged(_) => "document-damaged",
            Self::Quantity(fault) => fault.code(),
            Self::NotNow(why) => why.code,
            Self::Full => "document-full",
            Self::Unusable(_) => "document-unusable",
            Self::Change(_) => "change",
        }
    }
}

impl From<AutomergeError> for DocumentFault {
    fn from(error: AutomergeError) -> Self {
        Self::Unusable(error.to_string())
    }
}

/// The schema of a kind of document. Its reads trust no shape.
pub trait Schema: Clone + fmt::Debug {
    /// Writes the first change of every document with this key.
    fn begin(&self, automerge: &mut AutoCommit) -> Result<(), DocumentFault>;

    /// Reads everything that the typed view reads, for the trial of changes from outside.
    fn read_everything(document: &Document<Self>);
}

/// A document in memory.
#[derive(Debug, Clone)]
pub struct Document<S> {
    key: S,
    automerge: AutoCommit,
    /// Bytes of its last saved form; 0 before the first.
    saved_bytes: usize,
    /// Bytes of the changes since.
    added_bytes: usize,
}

impl<S: Schema> Document<S> {
    /// The document with its first change.
    pub fn new(key: S) -> Result<Self, DocumentFault> {
        let mut automerge = AutoCommit::new().with_actor(automerge::ActorId::from(ActorId::GENESIS));
        key.begin(&mut automerge)?;
        automerge.commit_with(CommitOptions::default().with_time(0));
        Ok(Self { key, automerge, saved_bytes: 0, added_bytes: 0 })
    }

    /// The first change of the document with this key.
    pub fn first_change(key: &S) -> Result<VerifiedChange, DocumentFault> {
        let mut document = Self::new(key.clone())?;
        let first = document.automerge.get_changes(&[]).into_iter().next();
        let first = first.ok_or(DocumentFault::Damaged("first change"))?;
        Ok(VerifiedChange::from_chunk(first.raw_bytes())?)
    }

    /// An empty document, for changes that include the first one.
    pub fn empty(key: S) -> Self {
        Self { key, automerge: AutoCommit::new(), saved_bytes: 0, added_bytes: 0 }
    }

    /// Loads a saved form. Only for bytes of our own store, since Automerge's decoder is not bounded.
    pub fn load(key: S, bytes: &[u8]) -> Result<Self, DocumentFault> {
        let automerge = catch_unwind(|| AutoCommit::load(bytes))
            .map_err(|_| DocumentFault::Unusable("the saved form made the decoder fail".into()))??;
        Ok(Self { key, automerge, saved_bytes: bytes.len(), added_bytes: 0 })
    }

    /// The whole document as bytes.
    pub fn save(&mut self) -> Vec<u8> {
        let saved = self.automerge.save_nocompress();
        (self.saved_bytes, self.added_bytes) = (saved.len(), 0);
        saved
    }

    /// How many changes the document has.
    pub fn change_count(&self) -> u64 {
        self.automerge.stats().num_changes
    }

    /// True when its last saved form had [`DOCUMENT_BYTES_MAX`] or more. Only admission refuses changes for it, in one order
    /// for all; replicas that refused others' changes by themselves would diverge.
    pub fn is_full(&self) -> bool {
        self.saved_bytes >= DOCUMENT_BYTES_MAX
    }

    /// Its size in bytes as saved; none when it was never saved or has changed since.
    pub fn saved_bytes(&self) -> Option<u64> {
        (self.saved_bytes > 0 && self.added_bytes == 0).then_some(self.saved_bytes as u64)
    }

    /// Its size in bytes: that of its last saved form, and of the changes since, which is a little more than it takes saved.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.saved_bytes.saturating_add(self.added_bytes)).unwrap_or(u64::MAX)
    }

    /// The document's key.
    pub fn key(&self) -> &S {
        &self.key
    }

    /// The heads: the changes on which no other depends, in rising order.
    pub fn heads(&mut self) -> Vec<ChangeHash> {
        let mut heads: Vec<ChangeHash> = self.automerge.get_heads().into_iter().map(ChangeHash::from).collect();
        heads.sort_unstable();
        heads
    }

    /// True when the change is part of the document.
    pub fn has(&mut self, hash: ChangeHash) -> bool {
        self.automerge.get_change_meta_by_hash(&hash.to_automerge()).is_some()
    }

    /// All changes that are not among `known` and their ancestors, each after its dependencies.
    pub fn changes_since(&mut self, known: &[ChangeHash]) -> Result<Vec<VerifiedChange>, DocumentFault> {
        let known: Vec<_> = known.iter().map(|hash| hash.to_automerge()).collect();
        let changes = self.automerge.get_changes(&known);
        changes.iter().map(|change| Ok(VerifiedChange::from_chunk(change.raw_bytes())?)).collect()
    }

    /// The hashes of all changes that are not among `known` and their ancestors.
    pub fn hashes_since(&mut self, known: &[ChangeHash]) -> Vec<ChangeHash> {
        let known: Vec<_> = known.iter().map(|hash| hash.to_automerge()).collect();
        self.automerge.get_changes(&known).iter().map(|change| change.hash().into()).collect()
    }

    /// Applies verified changes, whose dependencies must be here or among them. After an error, which includes a panic of
    /// Automerge, the document must be dropped.
    pub fn apply(&mut self, changes: &[VerifiedChange]) -> Result<(), DocumentFault> {
        let added: usize = changes.iter().map(|change| change.chunk().len()).sum();
        let changes = changes
            .iter()
            .map(|change| Change::from_bytes(change.chunk().to_vec()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| DocumentFault::Unusable(error.to_string()))?;
        let automerge = &mut self.automerge;
        catch_unwind(AssertUnwindSafe(|| automerge.apply_changes(changes)))
            .map_err(|_| DocumentFault::Unusable("the changes made the library fail".into()))??;
        self.added_bytes = self.added_bytes.saturating_add(added);
        Ok(())
    }

    /// Makes one edit as `actor` at `now`. Returns its change; none when it changed nothing. When `edit` fails, the document is
    /// unchanged.
    pub fn edit<R>(
        &mut self,
        actor: &ActorId,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>,
    ) -> Result<(R, Option<VerifiedChange>), DocumentFault> {
        self.edit_saying(None, actor, now, edit)
    }

    /// As [`Self::edit`], with a message in the change.
    pub fn edit_saying<R>(
        &mut self,
        message: Option<&str>,
        actor: &ActorId,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>,
    ) -> Result<(R, Option<VerifiedChange>), DocumentFault> {
        if self.is_full() {
            return Err(DocumentFault::Full);
        }
        self.automerge.set_actor(actor.to_automerge());
        let result = match edit(&mut self.automerge) {
            Ok(result) => result,
            Err(fault) => {
                self.automerge.rollback();
                return Err(fault);
            }
        };
        let mut options = CommitOptions::default().with_time(now.seconds());
        if let Some(message) = message {
            options.set_message(message);
        }
        let committed = self.automerge.commit_with(options);
        let change = match committed {
            None => None,
            Some(_) => self.automerge.get_last_local_change(),
        };
        let change = change.map(|change| VerifiedChange::from_chunk(change.raw_bytes())).transpose()?;
        let added = change.as_ref().map_or(0, |change| change.chunk().len());
        self.added_bytes = self.added_bytes.saturating_add(added);
        Ok((result, change))
    }

    /// The time, in seconds since 1970, and the message of the change with this operation.
    pub(crate) fn time_and_message_of(&mut self, operation: &automerge::ObjId) -> Option<(i64, String)> {
        let hash = self.automerge.hash_for_opid(operation)?;
        let change = self.automerge.get_change_meta_by_hash(&hash)?;
        Some((change.timestamp, change.message.as_deref().unwrap_or_default().to_owned()))
    }

    /// The document as it was at these heads, which must be known.
    pub(crate) fn at(&mut self, heads: &[ChangeHash]) -> Result<Self, DocumentFault> {
        let heads: Vec<_> = heads.iter().map(|head| head.to_automerge()).collect();
        Ok(Self { key: self.key.clone(), automerge: self.automerge.fork_at(&heads)?, saved_bytes: 0, added_bytes: 0 })
    }

    /// The Automerge document, to read from.
    pub fn automerge(&self) -> &AutoCommit {
        &self.automerge
    }

    pub(super) fn automerge_mut(&mut self) -> &mut AutoCommit {
        &mut self.automerge
    }

    /// Tries changes from outside on a copy: applies, saves, loads, and compares the heads. Returns the copy. The document is
    /// unchanged.
    pub fn trial(&self, changes: &[VerifiedChange]) -> Result<Self, DocumentFault> {
        let mut copy = self.clone();
        copy.apply(changes)?;
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let heads = copy.heads();
            S::read_everything(&copy);
            let saved = copy.save();
            let mut loaded = Self::load(copy.key.clone(), &saved)?;
            if loaded.heads() == heads {
                Ok(())
            } else {
                Err(DocumentFault::Unusable("its heads differ once saved".into()))
            }
        }));
        tried.map_err(|_| DocumentFault::Unusable("reading it made the library fail".into()))??;
        Ok(copy)
    }
}

#[cfg(test)]
mod tests {
    use automerge::ROOT;
    use automerge::transaction::Transactable;

    use super::DocumentFault;
    use crate::ids::{ActorId, HouseholdId};
    use crate::quantities::Instant;
    use crate::schema::{Book, Document, DocumentKey, Part, Season};

    #[test]
    fn the_first_change_is_the_same_everywhere() {
        let key = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap()));
        let one = Document::first_change(&key).unwrap();
        assert_eq!(one, Document::first_change(&key).unwrap());
        insta::assert_snapshot!(one.hash().to_string());
    }

    #[test]
    fn failed_edit_changes_nothing() {
        let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let heads = document.heads();
        let actor = ActorId::from_bytes(&[1; 9]).unwrap();
        let result: Result<((), _), _> = document.edit(&actor, Instant(0), |automerge| {
            automerge.put(ROOT, "half", 1)?;
            Err(DocumentFault::Damaged("half"))
        });
        assert!(result.is_err());
        assert_eq!(document.heads(), heads);
    }
}
