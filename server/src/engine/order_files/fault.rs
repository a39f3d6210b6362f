//! Why a file that was brought is not looked at, or not taken.

use granary_client_core::quantities::Instant;
use granary_client_core::words::Words;

/// What stands in the way of a file that was brought. What is wrong inside of one is a [`FileFault`](crate::imports::FileFault).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportFault {
    /// No file of this name waits.
    #[error(
        "this file does not wait here: one that is not taken is kept in memory, for a day, and a restart of the server loses it. \
         Bring it again; nothing is taken twice"
    )]
    Gone,
    /// It was taken before, and holds no more than then.
    #[error("taken on {}: there is nothing to do", .at.in_china())]
    Taken {
        /// When.
        at: Instant,
    },
    /// Somebody takes it now.
    #[error("it is being taken already")]
    BeingTaken,
    /// It is one of a pair.
    #[error("it is one of two files: bring the other one too ({other})")]
    OneOfTwo {
        /// The profile of the other.
        other: String,
    },
    /// No row of it can be taken.
    #[error("there is no order in it to take")]
    NoOrders,
    /// A key brought the file of another platform.
    #[error("the orders in it are of {platform}, and this key is of {own}")]
    OtherPlatform {
        /// Whose orders they are.
        platform: String,
        /// The key's.
        own: String,
    },
    /// It is to be read by a profile that is not there, or not for whoever brings it.
    #[error("there is no profile {0} to read it by")]
    ProfileUnknown(String),
    /// The disk is nearly full. What was taken of it stays taken, and it can be taken again.
    #[error("the server has no room now; try again later")]
    NoRoom,
}

impl ImportFault {
    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gone => "file-gone",
            Self::Taken { .. } => "file-taken",
            Self::BeingTaken => "file-being-taken",
            Self::OneOfTwo { .. } => "other-file-missing",
            Self::NoOrders => "no-orders",
            Self::OtherPlatform { .. } => "other-platform",
            Self::ProfileUnknown(_) => "profile-unknown",
            Self::NoRoom => "no-room",
        }
    }
}

impl Words for ImportFault {
    fn chinese(&self) -> String {
        match self {
            Self::Gone => {
                "这个文件不在这里等着了：没收的文件只在内存里留一天，服务器重启也会丢。请再拿来一次，收过的不会重复"
                    .to_owned()
            }
            Self::Taken { at } => format!("{} 已经收过，不用再收", at.in_china()),
            Self::BeingTaken => "正在收这个文件".to_owned(),
            Self::OneOfTwo { other } => format!("这是两个文件里的一个：请把另一个也拿来（{other}）"),
            Self::NoOrders => "里面没有可以收的订单".to_owned(),
            Self::OtherPlatform { platform, own } => format!("里面是 {platform} 的订单，这个密钥是 {own} 的"),
            Self::ProfileUnknown(name) => format!("没有叫 {name} 的平台配置"),
            Self::NoRoom => "服务器现在没有空间，请过一会儿再收".to_owned(),
        }
    }
}
