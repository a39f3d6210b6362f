//! Why changes are refused, with a sentence for people in both languages.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::words::Words;

/// A document of the request that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Refusal {
    /// The document's place in the request's bundle, from 0.
    pub document: u32,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a document's changes were refused. None of them was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum RefusalReason {
    /// The device may not write this document.
    #[serde(rename = "w")]
    #[error("this device may not write this document")]
    MayNotWrite,
    /// A change was made under the actor of another device, and nothing shows that the server ever had it.
    #[serde(rename = "a")]
    #[error("a change names another device as its author")]
    ForeignActor,
    /// The actor has used this sequence for another change: somebody tampers, or a memory image was cloned.
    #[serde(rename = "s")]
    #[error("a change takes a number that another change of this phone has")]
    SequenceReused,
    /// Too many changes of this device are orphans: the changes that they depend on have not come.
    #[serde(rename = "o")]
    #[error("too many changes of this phone wait for others that have not come")]
    TooManyOrphans,
    /// The device has written under too many actors in this document.
    #[serde(rename = "n")]
    #[error("this phone was opened too often for this document")]
    TooManyActors,
    /// The document was erased for good: what is here of it goes too.
    #[serde(rename = "e")]
    #[error("this was erased for good, as somebody asked whose it was")]
    Erased,
    /// The document is as large as a document may be.
    #[serde(rename = "f")]
    #[error("this document is full: nothing more can be written into it")]
    DocumentFull,
    /// The server has not looked yet at what was sent of this document before, and there may be no room for more.
    #[serde(rename = "l")]
    #[error("the server is still taking in what was sent of this before; the rest goes a little later")]
    StillTakingIn,
    /// The document is of a season far from today.
    #[serde(rename = "y")]
    #[error("this is of a season that is too far from today; check the date of this phone and of the record")]
    SeasonOutOfReach,
    /// The device, or its household, has sent as much as one day may hold.
    #[serde(rename = "d")]
    #[error("this phone or its household has sent more today than a day may hold; the rest goes tomorrow")]
    DayShareUsed,
    /// The device, or its household, has as much on the server as it may have.
    #[serde(rename = "b")]
    #[error("this phone or its household has as much on the server as it may have; ask a coordinator for more room")]
    ShareUsed,
    /// The server's disk is nearly full.
    #[serde(rename = "r")]
    #[error("the co-operative's server has no room for anything new; it waits on this phone until there is some")]
    NoRoom,
}

impl RefusalReason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::MayNotWrite,
        Self::ForeignActor,
        Self::SequenceReused,
        Self::TooManyOrphans,
        Self::TooManyActors,
        Self::Erased,
        Self::DocumentFull,
        Self::StillTakingIn,
        Self::SeasonOutOfReach,
        Self::DayShareUsed,
        Self::ShareUsed,
        Self::NoRoom,
    ];

    /// True when the same changes may be taken later, unaltered.
    pub fn may_pass_later(self) -> bool {
        matches!(self, Self::TooManyOrphans | Self::StillTakingIn | Self::DayShareUsed | Self::ShareUsed | Self::NoRoom)
    }

    /// True when a person should hear why the changes wait: it takes a day, or somebody else to act.
    pub fn keeps_waiting(self) -> bool {
        matches!(self, Self::DayShareUsed | Self::ShareUsed | Self::NoRoom)
    }

    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::MayNotWrite => "may-not-write",
            Self::ForeignActor => "foreign-author",
            Self::SequenceReused => "number-used-twice",
            Self::TooManyOrphans => "too-many-waiting",
            Self::TooManyActors => "opened-too-often",
            Self::Erased => "erased",
            Self::DocumentFull => "no-room-in-document",
            Self::StillTakingIn => "still-taking-in",
            Self::SeasonOutOfReach => "season-out-of-reach",
            Self::DayShareUsed => "day-share-used",
            Self::ShareUsed => "share-used",
            Self::NoRoom => "no-room",
        }
    }
}

impl Words for RefusalReason {
    fn chinese(&self) -> String {
        match self {
            Self::MayNotWrite => "不可以改这份文档",
            Self::ForeignActor => "有一个改动以别的手机为作者",
            Self::SequenceReused => "有一个改动的编号与这部手机的另一个改动相同",
            Self::TooManyOrphans => "这部手机有太多改动在等还没有到的改动",
            Self::TooManyActors => "这部手机为这份文档打开得太多次",
            Self::Erased => "应当事人的要求，这份资料已经永久删除",
            Self::DocumentFull => "这份文档满了，不能再写入",
            Self::StillTakingIn => "服务器还在收先前发来的改动，其余的稍后再发",
            Self::SeasonOutOfReach => "这个季度离今天太远；请检查手机和记录的日期",
            Self::DayShareUsed => "这部手机或这一户今天发送的超过了一天的份额，其余的明天再发",
            Self::ShareUsed => "这部手机或这一户在服务器上的份额用完了；请找协调员增加",
            Self::NoRoom => "合作社的服务器没有空间收新的记录；在有空间之前，记录都留在这部手机上",
        }
        .to_owned()
    }
}
