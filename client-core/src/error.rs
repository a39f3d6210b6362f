//! The errors of the phone's calls. Each variant tells what a caller can do.

use crate::crdt::DocumentFault;
use crate::protocol::outbox_file::OutboxFileFault;
use crate::protocol::problem::ProblemKind;
use crate::quantities::QuantityFault;
use crate::schema::{HoldingFault, LotId, LotNameFault};
use crate::store::StoreFault;
use crate::transport::LineFault;
use crate::words::{Phrase, Words, because, counted};

/// What a call into client-core can fail with. No failed call has kept anything of what it was to write.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The store failed, see [`StoreFault`]: each of its variants says what helps. Nothing was changed or moved.
    #[error("this phone's files can't be used: {0}. {way}", way = way_out(.0))]
    Store(StoreFault),
    /// Another program, or another part of this one, has the phone's folder. Nothing was changed. Close it there, or make the
    /// same call again later.
    #[error("this phone is in use by {by}; nothing was changed. Try again when that has ended")]
    InUse {
        /// Who has it: a program, what it does, and its process id.
        by: String,
    },
    /// The phone's files were locked with another key than was given. They are unchanged; open them with their key.
    #[error("what is on this phone was locked with another key; open it with the key that it was locked with")]
    Locked,
    /// The document can't be read, or the edit does not fit it. Show the sentence; the same call fails again.
    #[error(transparent)]
    Document(#[from] DocumentFault),
    /// A value is out of its range. Let the person correct it.
    #[error(transparent)]
    Quantity(#[from] QuantityFault),
    /// The phone is not enrolled with a co-operative yet. Enrol it first.
    #[error("this phone does not belong to a co-operative yet: enrol it with an invitation")]
    NotEnrolled,
    /// A phone was here before, and its file is gone, or empty, or damaged so that nothing says whose it was. Nothing is
    /// recorded, so that it does not begin anew unnoticed. Recover what was set aside, put the file back, or say that the
    /// phone starts anew.
    #[error(
        "the phone that was in this folder is lost: its file is gone, empty, or damaged so that nothing says whose it was. \
         Nothing is recorded here until it is recovered from what was set aside, or started anew"
    )]
    Lost,
    /// The phone is enrolled already. Use it as it is, or another folder.
    #[error("this phone belongs to a co-operative already")]
    AlreadyEnrolled,
    /// What was set aside beside this phone's files belongs to another co-operative. Move it to a folder of its own, under the
    /// name `phone.db`, and open that.
    #[error("what was set aside belongs to {name}, another co-operative; open it in a folder of its own")]
    OtherCooperative {
        /// The other co-operative's name.
        name: String,
    },
    /// The phone holds work that the server does not have, which would be lost. Sync, or hand it in as a file, or say that it may
    /// be lost.
    #[error(
        "{} on this phone alone and would be lost: sync, or carry them out as a file first",
        counted(changes, "change is", "changes are")
    )]
    NotDelivered {
        /// How many changes.
        changes: u64,
    },
    /// The call needs a household, and this phone belongs to none. Give one.
    #[error("say which household: this phone belongs to none")]
    WhichHousehold,
    /// No household that this phone records for has this name, or a card with this number.
    #[error("this phone records for no household of this name, and for none whose card has this number: {0}")]
    NoSuchHousehold(String),
    /// The name fits several households that this phone records for. Ask which, and give the number of its card.
    #[error("{name} fits {} households; give the number of the card: {}", candidates.len(), candidates.join(", "))]
    WhichOfHouseholds {
        /// What was given.
        name: String,
        /// The households that it fits, each by name and card number.
        candidates: Vec<String>,
    },
    /// The text names no lot. Let the person correct it.
    #[error(transparent)]
    LotName(#[from] LotNameFault),
    /// No lot of this name is on this phone: it was withdrawn, is of another household, or has not arrived yet.
    #[error("there is no lot {0} on this phone; it may have been withdrawn")]
    NoSuchLot(String),
    /// A text names no goods in the warehouse.
    #[error(transparent)]
    Holding(#[from] HoldingFault),
    /// No goods of this number are on this phone: they were not received, or that has not arrived yet.
    #[error("there are no goods {0} on this phone")]
    NoSuchHolding(String),
    /// The number fits several holdings, and nothing was changed. Ask which, and name it in full.
    #[error("{name} fits several goods in the warehouse; say which: {}", candidates.join(", "))]
    WhichOfHoldings {
        /// What was given.
        name: String,
        /// The holdings that it fits, each in full.
        candidates: Vec<String>,
    },
    /// No live-stream of this code is on this phone.
    #[error("there is no live-stream {0} on this phone")]
    NoSuchStream(String),
    /// The name fits several lots, and nothing was changed. Ask which, and name it in full.
    #[error("{name} fits {} lots; say which: {}", candidates.len(), listed(candidates))]
    Ambiguous {
        /// What was given.
        name: String,
        /// The lots that it fits; [`LotId::in_full`] names each.
        candidates: Vec<LotId>,
    },
    /// The phone has no key for outbox files yet, or reconciles with its server. Sync over a line, then export again.
    #[error("this phone must sync over a line once before its records can leave it as a file")]
    SyncFirst,
    /// The outbox file can't be used. Ask for another copy of it.
    #[error(transparent)]
    OutboxFile(#[from] OutboxFileFault),
    /// This device's grants do not let it write this document. A coordinator can change them.
    #[error("this phone may not change that")]
    NotAllowed,
    /// The text is no invitation's link; the phrase says what is wrong with it. Scan or copy it again. One that the server
    /// does not accept is `Refused` instead.
    #[error("this is no invitation: {0}")]
    BadInvitation(Phrase),
    /// The server could not be reached while the phone joins; see [`LineFault`]. Make the same call again with the same link.
    #[error("{}", .0.while_joining())]
    NotJoined(LineFault),
    /// The server could not be reached, or the line broke; see [`LineFault`]. The server may have acted on the request.
    /// Make the same call again later: repeats are idempotent.
    #[error(transparent)]
    Line(#[from] LineFault),
    /// The server refused. Act on `kind`: `Busy`, `Timeout` and `Internal` pass, the others need a person.
    #[error("the server refused: {detail}")]
    Refused {
        /// What went wrong, for programs.
        kind: ProblemKind,
        /// The server's sentence.
        detail: String,
    },
    /// The answer can't be read: app and server speak different versions, or something on the way altered it. Nothing of it
    /// was applied. Trying again helps in the second case; in the first, the app must be updated.
    #[error("the server's answer can't be read: {0}")]
    BadReply(String),
    /// The server answers, but nothing moves on from one answer to the next. Make the same call again later; when it fails
    /// again, one of both sides must be updated.
    #[error("the server answers, but the sync does not move on; it was ended. Try again later")]
    NoProgress,
    /// The operating system gave no thread; the string is its sentence. Close other apps, or restart this one.
    #[error("this phone's system gave no thread for the sync: {0}. Close other apps and try again")]
    ThreadStart(String),
    /// The operating system gave no random number or no TLS. Restart the app; neither space nor a line helps.
    #[error("this phone's system failed: {0}. Restart the app and try again")]
    System(String),
}

fn listed(lots: &[LotId]) -> String {
    lots.iter().map(LotId::in_full).collect::<Vec<_>>().join(", ")
}

impl Error {
    #[cfg(feature = "https")]
    /// The error of a system that gives no file, thread or socket to begin with.
    pub(crate) fn of_system(error: &std::io::Error) -> Self {
        match StoreFault::of_io(error) {
            StoreFault::TooManyFiles => Self::Store(StoreFault::TooManyFiles),
            _ => Self::System(error.to_string()),
        }
    }

    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::InUse { .. } => "in-use",
            Self::Locked => "locked",
            Self::Document(_) => "document",
            Self::Quantity(_) => "quantity",
            Self::NotEnrolled => "not-enrolled",
            Self::Lost => "lost",
            Self::AlreadyEnrolled => "already-enrolled",
            Self::NotDelivered { .. } => "not-delivered",
            Self::WhichHousehold => "which-household",
            Self::NoSuchHousehold(_) => "no-such-household",
            Self::WhichOfHouseholds { .. } => "which-of-households",
            Self::LotName(_) => "lot-name",
            Self::NoSuchLot(_) => "no-such-lot",
            Self::Holding(_) => "holding-name",
            Self::NoSuchHolding(_) => "no-such-holding",
            Self::WhichOfHoldings { .. } => "which-of-holdings",
            Self::NoSuchStream(_) => "no-such-stream",
            Self::Ambiguous { .. } => "ambiguous",
            Self::SyncFirst => "sync-first",
            Self::OutboxFile(_) => "outbox-file",
            Self::NotAllowed => "not-allowed",
            Self::BadInvitation(_) => "bad-link",
            Self::Line(fault) | Self::NotJoined(fault) => fault.code(),
            Self::Refused { kind, .. } => kind.name(),
            Self::OtherCooperative { .. } => "other-cooperative",
            Self::BadReply(_) => "bad-reply",
            Self::NoProgress => "no-progress",
            Self::ThreadStart(_) => "thread-start",
            Self::System(_) => "system",
        }
    }
}

impl Words for Error {
    fn chinese(&self) -> String {
        match self {
            Self::Line(fault) => fault.chinese(),
            Self::NotJoined(fault) => fault.while_joining_in_chinese(),
            Self::Locked => "这部手机上的数据是用另一把钥匙锁的；请用原来的钥匙打开。".into(),
            Self::InUse { by } => {
                format!("这部手机正被{}使用；什么也没有改动。等它结束后再试。", holder_in_chinese(by))
            }
            Self::OtherCooperative { name } => {
                format!("存下的数据属于另一个合作社 {name}；请放在它自己的文件夹里打开。")
            }
            Self::NotEnrolled => "这部手机还不属于合作社：请用邀请加入。".into(),
            Self::Lost => {
                "原来在这个文件夹里的手机数据丢了：文件不见了、是空的，或者坏得看不出是谁的。先用存下的坏文件找回，或者\
                 确认重新开始；在这之前这里什么也不登记。"
                    .into()
            }
            Self::AlreadyEnrolled => "这部手机已经属于一个合作社。".into(),
            Self::NotDelivered { changes } => {
                format!("有 {changes} 处改动只在这部手机上，离开就会丢失：请先同步，或导出成文件。")
            }
            Self::WhichHousehold => "请说明是哪一户：这部手机不属于任何一户。".into(),
            Self::NoSuchHousehold(name) => format!("这部手机代记的农户里没有这个名字，也没有这个号码的卡片：{name}。"),
            Self::WhichOfHouseholds { name, candidates } => {
                format!("{name} 可能是 {} 户，请写卡片上的号码：{}", candidates.len(), candidates.join("、"))
            }
            Self::NoSuchLot(name) => format!("这部手机上没有批次 {name}；也可能已经撤回了。"),
            Self::Holding(fault) => format!("{}。", fault.chinese()),
            Self::NoSuchHolding(name) => format!("这部手机上没有编号为 {name} 的货物。"),
            Self::WhichOfHoldings { name, candidates } => {
                format!("{name} 可能是 {} 批货物，请写全：{}", candidates.len(), candidates.join("、"))
            }
            Self::NoSuchStream(code) => format!("这部手机上没有直播 {code}。"),
            Self::Ambiguous { name, candidates } => {
                format!("{name} 可能是 {} 个批次，请写全：{}", candidates.len(), listed(candidates))
            }
            Self::SyncFirst => "这部手机要先联网同步一次，记录才能存成文件带走。".into(),
            Self::NotAllowed => "这部手机不能改这个。".into(),
            Self::BadReply(_) => "看不懂服务器的回答：请更新这个程序，然后再试。".into(),
            Self::NoProgress => "服务器有回应，但同步没有进展，已经停下。请过一会儿再试。".into(),
            Self::ThreadStart(cause) => {
                format!("这部手机的系统开不了同步线程{}。请关掉别的程序，再试一次。", because(cause))
            }
            Self::System(cause) => format!("这部手机的系统出错了{}。请重新打开程序，再试一次。", because(cause)),
            Self::Store(fault) => {
                let way = match fault {
                    StoreFault::Full => "请腾出一些空间再试",
                    StoreFault::Busy | StoreFault::InUse | StoreFault::TooManyFiles => "请关掉别的程序再试",
                    StoreFault::NoAccess(_) => "请让这个程序可以读写那里，然后再试",
                    StoreFault::Corrupt(_) => "请关掉再打开：能读出来的都会保留",
                    StoreFault::Io(_) | StoreFault::Failed(_) | StoreFault::Locked | StoreFault::Damaged(_) => "请再试",
                };
                format!("这部手机的文件不能用：{}。{way}。", fault.chinese())
            }
            Self::Document(fault) => format!("{}。", fault.chinese()),
            Self::Quantity(fault) => format!("{}。", fault.chinese()),
            Self::LotName(fault) => format!("{}。", fault.chinese()),
            Self::OutboxFile(fault) => format!("{}。", fault.chinese()),
            Self::BadInvitation(why) => format!("这不是邀请：{}。", why.chinese()),
            Self::Refused { kind, .. } => format!("服务器没有接受：{}。", kind.chinese()),
        }
    }
}

impl From<StoreFault> for Error {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::Locked => Self::Locked,
            StoreFault::InUse => Self::InUse { by: ANOTHER.english.into() },
            other => Self::Store(other),
        }
    }
}

/// Who has a phone, where no name of a process says it.
pub(crate) const ANOTHER: Phrase =
    Phrase::new("another", "another program that has opened it since", "后来打开它的另一个程序");
pub(crate) const ITSELF_WITHOUT_A_KEY: Phrase =
    Phrase::new("itself", "this app itself, without a key", "这个应用自己（没有用钥匙）");
pub(crate) const ITSELF_OPENING: Phrase =
    Phrase::new("opening", "this app itself, which is opening or closing it", "这个应用自己（正在打开或关闭它）");
pub(crate) const AN_APP: Phrase = Phrase::new("app", "an app", "一个应用");

/// Who has a phone: one of the words above, or a command, as its process wrote it, with the process's number.
fn holder_in_chinese(by: &str) -> String {
    let known = [ANOTHER, ITSELF_WITHOUT_A_KEY, ITSELF_OPENING].into_iter().find(|phrase| phrase.english == by);
    let by = known.map_or_else(|| by.replace(AN_APP.english, AN_APP.chinese), |phrase| phrase.chinese.to_owned());
    by.replace("(process ", "（进程 ").replace(')', "）")
}

/// What a person can do about a fault of the store.
fn way_out(fault: &StoreFault) -> &'static str {
    match fault {
        StoreFault::Full => "Free some space and try again",
        StoreFault::Busy | StoreFault::InUse => "Close the other program and try again",
        StoreFault::TooManyFiles => "Close other programs and try again",
        StoreFault::NoAccess(_) => "Give this program the right to read and write there, and try again",
        StoreFault::Corrupt(_) => "Close and open this phone: what can be read is kept",
        StoreFault::Io(_) | StoreFault::Failed(_) | StoreFault::Locked | StoreFault::Damaged(_) => "Try again",
    }
}
