//! What can go wrong for an app, with variants that it can act on.

use crate::crdt::DocumentFault;
use crate::protocol::outbox_file::OutboxFileFault;
use crate::protocol::problem::ProblemKind;
use crate::quantities::QuantityFault;
use crate::store::StoreFault;

/// Everything that a call into client-core can fail with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The phone's store failed; nothing of the call was kept.
    #[error("this phone could not save: {0}. Free some space and try again")]
    Store(StoreFault),
    /// The phone's files were locked with another key than was given; nothing of them was changed.
    #[error("what is on this phone was locked with another key; open it with the key that it was locked with")]
    Locked,
    /// A document can't be read or the edit does not fit it.
    #[error(transparent)]
    Document(#[from] DocumentFault),
    /// A value is out of its range.
    #[error(transparent)]
    Quantity(#[from] QuantityFault),
    /// The phone is not enrolled with a co-operative yet.
    #[error("this phone does not belong to a co-operative yet: enrol it with an invitation")]
    NotEnrolled,
    /// The phone is enrolled already.
    #[error("this phone belongs to a co-operative already")]
    AlreadyEnrolled,
    /// The call wants a household, and this phone belongs to none.
    #[error("say which household: this phone belongs to none")]
    WhichHousehold,
    /// The phone has to reach its server by itself before what it has can be carried.
    #[error("this phone must sync over a line once before its records can be carried as a file")]
    SyncFirst,
    /// A file that was carried here can't be used.
    #[error(transparent)]
    OutboxFile(#[from] OutboxFileFault),
    /// This device may not write this document.
    #[error("this phone may not change that")]
    NotAllowed,
    /// The invitation can't be read.
    #[error("this is no invitation: {0}")]
    BadInvitation(String),
    /// The server could not be reached or the line broke.
    #[error("no connection to the server: {0}")]
    Line(String),
    /// The server refused.
    #[error("the server refused: {detail}")]
    Refused {
        /// What went wrong, for programs.
        kind: ProblemKind,
        /// The server's sentence.
        detail: String,
    },
    /// The server's answer can't be read.
    #[error("the server's answer can't be read: {0}")]
    BadReply(String),
}

impl From<StoreFault> for Error {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::Locked => Self::Locked,
            other => Self::Store(other),
        }
    }
}
