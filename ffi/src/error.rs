//! Maps the errors of client-core to those of the bindings. Each has a sentence: what happened and what to do.

use granary_client_core::crdt::DocumentFault;
use granary_client_core::error::Error;
use granary_client_core::ids::IdFault;
use granary_client_core::quantities::QuantityFault;
use granary_client_core::schema::LotId;
use granary_client_core::store::StoreFault;
use granary_client_core::words::Words;

use crate::language;

/// What a call can fail with. `sentence` is for the person with the phone.
#[derive(Debug, Clone, PartialEq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Display)]
pub enum PhoneError {
    /// The phone's files can't be used, for instance because the disk fails. Nothing of the call was kept.
    #[error("{sentence}")]
    Storage { sentence: String },
    /// The disk is full. Nothing of the call was kept. Free space, then make the same call again.
    #[error("{sentence}")]
    DiskFull { sentence: String },
    /// Another program has the phone's folder, or holds its file. Nothing was changed. Make the same call again later.
    #[error("{sentence}")]
    InUse { sentence: String },
    /// The phone's files may not be read or written, or the system has no more open files. Nothing was changed.
    #[error("{sentence}")]
    NoAccess { sentence: String },
    /// The phone's files were locked with another key than was given: see `open_locked`.
    #[error("{sentence}")]
    Locked { sentence: String },
    /// A value is out of its range, or names nothing that exists.
    #[error("{sentence}")]
    Invalid { sentence: String },
    /// The name fits several lots or holdings, and nothing was changed. Ask which; each candidate names one.
    #[error("{sentence}")]
    Ambiguous { sentence: String, candidates: Vec<String> },
    /// The phone belongs to no co-operative yet: call `enrol`.
    #[error("{sentence}")]
    NotEnrolled { sentence: String },
    /// A phone was here before, and its file is gone, empty or damaged: see `is_lost`.
    #[error("{sentence}")]
    Lost { sentence: String },
    /// The phone belongs to a co-operative already.
    #[error("{sentence}")]
    AlreadyEnrolled { sentence: String },
    /// The phone holds changes that the server does not have, which `leave` would lose.
    #[error("{sentence}")]
    NotDelivered { changes: u64, sentence: String },
    /// This phone may not change that.
    #[error("{sentence}")]
    NotAllowed { sentence: String },
    /// The phone must have synced by itself once, with `sync_now` or `start`, before `export_outbox`.
    #[error("{sentence}")]
    SyncFirst { sentence: String },
    /// There is no connection, or it broke. The same call may be made again. `code` is for programs: `sign-in-first` where
    /// the network asks for a sign-in, `intercepted` where something else answers in the server's place, `wrong-date` where
    /// this phone's date must be set, and others.
    #[error("{sentence}")]
    NoConnection { code: String, sentence: String },
    /// The server answers, but nothing moves on. Make the same call again later.
    #[error("{sentence}")]
    NoProgress { sentence: String },
    /// The operating system gave no thread: close other apps, or restart this one.
    #[error("{sentence}")]
    ThreadStart { sentence: String },
    /// The operating system gave no random number or no TLS: restart the app.
    #[error("{sentence}")]
    System { sentence: String },
    /// The server refused. `kind` is for programs, such as `device-revoked`.
    #[error("{sentence}")]
    Refused { kind: String, sentence: String },
}

impl From<Error> for PhoneError {
    fn from(error: Error) -> Self {
        let (code, sentence) = (error.code().to_owned(), error.words(language::now()));
        match error {
            Error::Locked => Self::Locked { sentence },
            Error::InUse { .. } | Error::Store(StoreFault::Busy | StoreFault::InUse) => Self::InUse { sentence },
            Error::Store(StoreFault::Full) => Self::DiskFull { sentence },
            Error::Store(StoreFault::NoAccess(_) | StoreFault::TooManyFiles) => Self::NoAccess { sentence },
            Error::Store(_) => Self::Storage { sentence },
            Error::Document(_)
            | Error::Quantity(_)
            | Error::WhichHousehold
            | Error::NoSuchHousehold(_)
            | Error::WhichOfHouseholds { .. }
            | Error::LotName(_)
            | Error::NoSuchLot(_)
            | Error::Holding(_)
            | Error::NoSuchHolding(_)
            | Error::NoSuchStream(_)
            | Error::BadInvitation(_)
            | Error::OutboxFile(_) => Self::Invalid { sentence },
            Error::Ambiguous { candidates, .. } => {
                Self::Ambiguous { sentence, candidates: candidates.iter().map(LotId::in_full).collect() }
            }
            Error::WhichOfHoldings { candidates, .. } => Self::Ambiguous { sentence, candidates },
            Error::OtherCooperative { .. } => Self::Invalid { sentence },
            Error::NotEnrolled => Self::NotEnrolled { sentence },
            Error::Lost => Self::Lost { sentence },
            Error::AlreadyEnrolled => Self::AlreadyEnrolled { sentence },
            Error::NotDelivered { changes } => Self::NotDelivered { changes, sentence },
            Error::NotAllowed => Self::NotAllowed { sentence },
            Error::SyncFirst => Self::SyncFirst { sentence },
            Error::Line(_) | Error::NotJoined(_) | Error::BadReply(_) => Self::NoConnection { code, sentence },
            Error::NoProgress => Self::NoProgress { sentence },
            Error::ThreadStart(_) => Self::ThreadStart { sentence },
            Error::System(_) => Self::System { sentence },
            Error::Refused { kind, .. } => Self::Refused { kind: kind.name().to_owned(), sentence },
        }
    }
}

impl From<QuantityFault> for PhoneError {
    fn from(fault: QuantityFault) -> Self {
        Error::from(fault).into()
    }
}

impl From<DocumentFault> for PhoneError {
    fn from(fault: DocumentFault) -> Self {
        Error::from(fault).into()
    }
}

impl From<IdFault> for PhoneError {
    fn from(fault: IdFault) -> Self {
        Self::Invalid { sentence: fault.to_string() }
    }
}
