//! Why changes were set aside, as a code. Phones, console and commands make the sentence from it, each in the reader's language.

use serde::{Deserialize, Serialize};

use super::messages::RefusalReason;
use crate::crdt::DocumentFault;
use crate::words::Words;

/// Why changes of a device were set aside. As text, in rows and on the wire: a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum AsideReason {
    /// The document's changes were refused.
    Refused(RefusalReason),
    /// The device was taken out of the co-operative.
    Revoked,
    /// With them the document would be too large.
    Full,
    /// They are not formed as changes are.
    Malformed,
    /// They can't be applied to their document, or it can't be read with them.
    Harmful,
    /// They need each other, and do harm together.
    HarmfulTogether,
    /// Others' changes that a phone gave back after a restoration, and nothing proves.
    Unverified,
    /// What a phone gave back after a restoration, and a coordinator refused.
    GivenBackRefused,
    /// The server lost it in a restoration, and the device may not write there any more.
    Lost,
    /// A reason that this version does not know.
    Other,
}

impl AsideReason {
    /// The others than refusals.
    const OTHERS: [Self; 9] = [
        Self::Revoked,
        Self::Full,
        Self::Malformed,
        Self::Harmful,
        Self::HarmfulTogether,
        Self::Unverified,
        Self::GivenBackRefused,
        Self::Lost,
        Self::Other,
    ];

    /// A name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused(reason) => reason.code(),
            Self::Revoked => "revoked",
            Self::Full => "document-full",
            Self::Malformed => "malformed",
            Self::Harmful => "harmful",
            Self::HarmfulTogether => "harmful-together",
            Self::Unverified => "given-back-unverified",
            Self::GivenBackRefused => "given-back-refused",
            Self::Lost => "lost-in-restoration",
            Self::Other => "other",
        }
    }

    /// The reason of this code; [`Self::Other`] for one of a later version.
    pub fn from_code(code: &str) -> Self {
        let refusal = RefusalReason::ALL.into_iter().find(|reason| reason.code() == code).map(Self::Refused);
        let other = || Self::OTHERS.into_iter().find(|one| one.code() == code);
        refusal.or_else(other).unwrap_or(Self::Other)
    }
}

impl From<String> for AsideReason {
    fn from(code: String) -> Self {
        Self::from_code(&code)
    }
}

impl From<AsideReason> for String {
    fn from(reason: AsideReason) -> Self {
        reason.code().to_owned()
    }
}

/// Why a document took the changes not.
impl From<&DocumentFault> for AsideReason {
    fn from(fault: &DocumentFault) -> Self {
        match fault {
            DocumentFault::Full => Self::Full,
            DocumentFault::Change(_) => Self::Malformed,
            _ => Self::Harmful,
        }
    }
}

/// The sentence in English.
impl std::fmt::Display for AsideReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(reason) => reason.fmt(formatter),
            Self::Revoked => formatter.write_str("this phone was taken out of the co-operative"),
            Self::Full => formatter.write_str("with these changes the document would be too large"),
            Self::Malformed => formatter.write_str("the changes are damaged"),
            Self::Harmful => formatter.write_str("the document can't be read with these changes"),
            Self::HarmfulTogether => formatter.write_str("these changes need each other and do harm together"),
            Self::Unverified => formatter
                .write_str("given back after a restoration, unverified: nothing proves that this server once had it"),
            Self::GivenBackRefused => {
                formatter.write_str("this phone gave it back after a restoration, and a coordinator refused it")
            }
            Self::Lost => formatter
                .write_str("the server lost this in a restoration, and this phone may not write there any more"),
            Self::Other => formatter.write_str("the server did not take them in"),
        }
    }
}

impl Words for AsideReason {
    fn chinese(&self) -> String {
        match self {
            Self::Refused(reason) => return reason.chinese(),
            Self::Revoked => "这部手机已被移出合作社",
            Self::Full => "加上这些改动，文档就太大了",
            Self::Malformed => "这些改动已损坏",
            Self::Harmful => "加上这些改动，文档就读不出来了",
            Self::HarmfulTogether => "这些改动互相依赖，合在一起会损坏文档",
            Self::Unverified => "服务器恢复之后由手机交回，没有核实：没有什么能证明服务器曾经有过它",
            Self::GivenBackRefused => "这部手机在服务器恢复之后交回了它，协调员拒绝了",
            Self::Lost => "服务器恢复时丢了这个，而这部手机已经不能改那里了",
            Self::Other => "服务器没有收下",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_codes_on_the_wire() {
        let all = RefusalReason::ALL.map(AsideReason::Refused);
        for reason in all.into_iter().chain(AsideReason::OTHERS) {
            assert_eq!(AsideReason::from_code(reason.code()), reason);
            assert!(!reason.chinese().is_ascii(), "{reason}");
        }
        assert_eq!(AsideReason::from_code("of-a-later-version"), AsideReason::Other);
    }
}
