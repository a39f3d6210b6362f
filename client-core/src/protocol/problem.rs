//! The server's error answers: problem+json (RFC 9457) with a type for programs and a sentence for people.

use serde::{Deserialize, Serialize};

/// The type of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The body does not have the shape of the message.
    Malformed,
    /// The body is too large, as sent or once decompressed.
    TooLarge,
    /// The message is of a version that the server does not speak.
    UnknownVersion,
    /// The signature does not verify.
    BadSignature,
    /// No device with this id is enrolled.
    UnknownDevice,
    /// The device was revoked.
    DeviceRevoked,
    /// The invitation's code is unknown, used or expired.
    BadInvitation,
    /// The device asks too often or too much at once. Try again later.
    Busy,
    /// The request took too long.
    Timeout,
    /// There is nothing at this address.
    NotFound,
    /// The server's disk is nearly full: it takes nothing new for now. Try again later.
    NoRoom,
    /// The device, or its household, has used its share of the server's disk, of today or in all. Try again later.
    ShareUsed,
    /// The server failed. Nothing was acknowledged.
    Internal,
}

impl ProblemKind {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::UnknownVersion => "unknown-version",
            Self::BadSignature => "bad-signature",
            Self::UnknownDevice => "unknown-device",
            Self::DeviceRevoked => "device-revoked",
            Self::BadInvitation => "bad-invitation",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::NotFound => "not-found",
            Self::NoRoom => "no-room",
            Self::ShareUsed => "share-used",
            Self::Internal => "internal",
        }
    }
}

impl ProblemKind {
    /// What happened and what to do, in Chinese; the server's own sentence is in English.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Malformed => "服务器看不懂这次请求。请更新这个程序",
            Self::TooLarge => "一次发送的太多",
            Self::UnknownVersion => "手机和服务器的版本不同：请更新其中一个",
            Self::BadSignature => "签名不对，所以什么也没有收下",
            Self::UnknownDevice => "服务器不认识这部手机：请用邀请重新加入",
            Self::DeviceRevoked => "这部手机已被移出合作社；请找协调员",
            Self::BadInvitation => "这个邀请不对、用过了或已过期；请向合作社要一个新的",
            Self::Busy => "请求太频繁，请过一会儿再试",
            Self::Timeout => "这次请求太慢，请再试",
            Self::NotFound => "这个地址没有内容",
            Self::NoRoom => "合作社的服务器没有空间收新的记录，请稍后再试",
            Self::ShareUsed => "这部手机或这一户的份额用完了，请稍后再试",
            Self::Internal => "服务器出错。什么也没有收下，请稍后再试",
        }
    }
}

/// The body of an error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What went wrong, for programs.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// The HTTP status, again.
    pub status: u16,
    /// What happened and what to do, for people.
    pub detail: String,
}
