//! The server's errors, with variants that a caller can act on.

use std::net::SocketAddr;

use granary_client_core::crdt::DocumentFault;
use granary_client_core::plausibility::Unusual;
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::QuantityFault;
use granary_client_core::quantities::typed::{TypedFault, WeightUnit};
use granary_client_core::store::StoreFault;
use granary_client_core::words::{Language, Phrase};

use crate::access::Denied;
use crate::engine::set_aside::Decided;
use crate::said::Said;

mod chinese;
mod problem;

pub(crate) use problem::{frame_refusal, unknown_device};

/// An error of the server.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A document can't be read or edited.
    #[error(transparent)]
    Document(#[from] DocumentFault),
    /// A file of orders can't be read.
    #[error(transparent)]
    OrderFile(#[from] crate::imports::FileFault),
    /// A file of orders is not looked at, or not taken.
    #[error(transparent)]
    Import(#[from] crate::engine::ImportFault),
    /// The request was refused.
    #[error("{detail}")]
    Refused {
        /// The kind, for programs.
        kind: ProblemKind,
        /// A sentence for people: the cause, and the way out.
        detail: String,
    },
    /// Somebody may not act, or no longer.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The thing that an operator or coordinator named does not exist.
    #[error("there is no {what} {name}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A file of the server's folder can't be read or written.
    #[error("{path}: {cause}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        cause: FileFault,
    },
    /// The server's certificate or key can't be used.
    #[error("the server's certificate can't be used: {0}")]
    Certificate(String),
    /// The server is stopping.
    #[error("the server is stopping; nothing was taken")]
    Stopping,
    /// A person's input for this field is invalid.
    #[error("{reason}")]
    InvalidInput {
        /// The field or setting.
        field: &'static str,
        /// The fault.
        reason: Said,
    },
    /// Changes that were set aside are decided already.
    #[error(transparent)]
    Decided(#[from] Decided),
    /// An account of this login exists already.
    #[error(
        "{login} has an account already, and nothing was changed: `granary coordinator password` gives it another password"
    )]
    AccountExists {
        /// The login.
        login: String,
    },
    /// What was typed for a quantity can't be taken as it is.
    #[error("{field}: {fault}")]
    Typed {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        fault: TypedFault,
    },
    /// Something about a lot is unusual, and nobody confirmed it.
    #[error(
        "nothing was changed, since {} (if it is so, add `--yes`)",
        sentences(.unusual, Language::English, *.unit).join("; ")
    )]
    Unusual {
        /// What is unusual.
        unusual: Vec<Unusual>,
        /// The unit in which the person weighs.
        unit: WeightUnit,
    },
    /// A command of the terminal phone did nothing; the phrase says why.
    #[error("{0}")]
    NotDone(Phrase),
    /// A number or text is outside what its type allows.
    #[error(transparent)]
    Quantity(#[from] QuantityFault),
    /// The thing can't be changed from outside.
    #[error("{what} can't be changed")]
    Protected {
        /// The thing.
        what: &'static str,
    },
    /// The configuration file can't be read.
    #[error("{path} can't be read: {reason}")]
    ConfigFile {
        /// Which file.
        path: String,
        /// The fault and its place.
        reason: String,
    },
    /// The folder holds no store.
    #[error("there is no store in {folder}")]
    NotAServerFolder {
        /// Which folder.
        folder: String,
    },
    /// A server runs on the folder, and must not.
    #[error("the server runs; stop it first")]
    ServerRuns,
    /// No server listens on the operator's socket.
    #[error("no server answers at {socket} ({reason}); start it with `granary serve`")]
    NoServer {
        /// The socket.
        socket: String,
        /// The system's error.
        reason: String,
    },
    /// The server did not do what the operator commanded.
    #[error("{sentence}")]
    CommandFailed {
        /// The server's answer.
        sentence: Said,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        reason: String,
    },
    /// The system gives no thread.
    #[error("a thread could not be started: {reason}")]
    ThreadStart {
        /// The system's error.
        reason: String,
    },
    /// The system does not give what a server needs to start.
    #[error("the server can't start: {reason}")]
    ServerStart {
        /// The system's error.
        reason: String,
    },
    /// The system has no random numbers.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
    /// A password could not be hashed, or a key not be made.
    #[error("{what} can't be kept: {reason}")]
    Secret {
        /// The secret.
        what: &'static str,
        /// Why it can't be.
        reason: String,
    },
    /// The store was written by another version of the program.
    #[error(
        "this store is of format {found}, and this program knows format {known}: start the program that wrote it, or \
         a newer one"
    )]
    OtherFormat {
        /// The store's format.
        found: u32,
        /// The format that this program knows.
        known: u32,
    },
    /// The store is damaged, and phones can't repair it.
    #[error(
        "the store in {store} is damaged: {reason}. Run `granary repair`, or `granary restore` from the last backup; \
         phones give back what it lacks"
    )]
    StoreDamaged {
        /// The store's folder.
        store: String,
        /// The fault.
        reason: String,
    },
    /// Another server, or a command of its operator, has the store.
    #[error(
        "another granary already serves this folder: it has {store} open. Stop it first, or give this one another folder"
    )]
    StoreInUse {
        /// The store's folder.
        store: String,
    },
    /// The store can't be opened now, though nothing says that it is damaged.
    #[error("the store in {store} can't be opened: {fault}. Nothing was changed. {way}", way = way_out(fault))]
    StoreUnusable {
        /// The store's folder.
        store: String,
        /// Why.
        fault: StoreFault,
    },
    /// A log of the store is damaged, and phones can't repair it.
    #[error("{finding}")]
    LogDamaged {
        /// The fault.
        finding: Said,
    },
    /// The store could not be opened in a process of its own.
    #[error("the store could not be probed: {reason}")]
    ProbeFailed {
        /// The system's error.
        reason: String,
    },
    /// The program's own file is not there any more.
    #[error(
        "this program's file was removed or replaced since it was started, so it can't look at the store in a process of its \
         own. Nothing was changed; start it again from where it is now"
    )]
    ProgramGone,
    /// A file of a backup is damaged.
    #[error("{path} is damaged: {reason}")]
    BackupDamaged {
        /// Which file.
        path: String,
        /// The fault.
        reason: Said,
    },
    /// A backup could not be written.
    #[error("the backup could not be written: {reason}")]
    BackupNotWritten {
        /// The system's error.
        reason: String,
    },
    /// A file that is to be imported is damaged.
    #[error("{file} is damaged: {reason}")]
    ImportDamaged {
        /// Which file.
        file: String,
        /// The fault.
        reason: Said,
    },
    /// A document that is to be imported is refused.
    #[error("{document} can't be imported: {reason}")]
    ImportRefused {
        /// Which document.
        document: String,
        /// Why.
        reason: RefusalReason,
    },
    /// An export could not be written.
    #[error("the export failed: {reason}")]
    ExportFailed {
        /// The fault.
        reason: String,
    },
    /// A background task did not finish.
    #[error("the page's work failed: {reason}")]
    WorkFailed {
        /// The fault.
        reason: String,
    },
    /// The terminal's phone failed.
    #[error(transparent)]
    Phone(#[from] granary_client_core::error::Error),
    /// An edit was refused, and nothing of it was kept.
    #[error("{reason}")]
    EditRefused {
        /// Why.
        reason: RefusalReason,
    },
    /// An edit was quarantined, since it does harm to its document.
    #[error("this was not saved: {reason}")]
    EditQuarantined {
        /// The fault.
        reason: AsideReason,
    },
    /// The file holds no key of a server.
    #[error("{path} is no identity key")]
    NotAKey {
        /// Which file.
        path: String,
    },
    /// The folder for a new store has a store already.
    #[error("{folder} has a store already; restore into a new folder")]
    StoreExists {
        /// Which folder.
        folder: String,
    },
    /// The folder holds no backup.
    #[error("there is no backup in {folder}")]
    NoBackup {
        /// Which folder.
        folder: String,
    },
}

/// Why a file can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// Nothing has this name.
    #[error("there is no such file or folder")]
    NotThere,
    /// The system refuses.
    #[error(transparent)]
    Refused(StoreFault),
}

impl From<&std::io::Error> for FileFault {
    fn from(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotThere,
            _ => Self::Refused(StoreFault::of_io(error)),
        }
    }
}

fn sentences(unusual: &[Unusual], language: Language, unit: WeightUnit) -> Vec<String> {
    unusual.iter().map(|one| one.words_in(language, unit)).collect()
}

impl Error {
    /// A refusal with this kind and sentence.
    pub fn refused(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self::Refused { kind, detail: detail.into() }
    }

    /// A person's input for this field is invalid.
    pub(crate) fn invalid(field: &'static str, reason: impl Into<Said>) -> Self {
        Self::InvalidInput { field, reason: reason.into() }
    }

    /// The system gives no thread.
    pub(crate) fn thread_start(error: std::io::Error) -> Self {
        Self::ThreadStart { reason: error.to_string() }
    }

    /// A refusal of malformed bytes.
    pub(crate) fn malformed(fault: impl std::fmt::Display) -> Self {
        Self::refused(ProblemKind::Malformed, fault.to_string())
    }
}

/// What an operator can do about a fault of the store.
fn way_out(fault: &StoreFault) -> &'static str {
    match fault {
        StoreFault::Full => "Free some space, then start again",
        StoreFault::TooManyFiles => "Raise the limit of open files (`ulimit -n`, `LimitNOFILE=`), then start again",
        StoreFault::NoAccess(_) => "Give this user the right to read and write there, then start again",
        StoreFault::Busy | StoreFault::InUse => "Close the other program, then start again",
        _ => "Look at the disk, then start again",
    }
}
