//! Why a line to the server can't be had, as far as a phone can tell, with what a person can do about it.

use crate::quantities::Day;
use crate::words::{Words, usual_cause};

/// See the module. The same call may be made again after each of them: repeats are idempotent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineFault {
    /// The name could not be looked up: there is no network, or no such name.
    NoName {
        /// The server's name.
        host: String,
        /// The system's error, for logs.
        cause: String,
    },
    /// No address of the server was reached.
    NotReached {
        /// The system's error, for logs.
        cause: String,
    },
    /// The line broke.
    Broke {
        /// What was seen of it, for logs.
        cause: String,
    },
    /// No byte passed for a minute.
    Silent,
    /// The network answers in the server's place, as one does that asks for a sign-in first.
    SignInFirst,
    /// What answers is not the server that the invitation names.
    Intercepted {
        /// What does not fit, for logs.
        cause: String,
    },
    /// The server's authority signed the certificate, but not for the name under which this phone knows the server.
    OtherName {
        /// The name under which this phone knows the server.
        host: String,
    },
    /// The server's certificate, of a public authority, does not hold on this phone's date.
    WrongDate {
        /// This phone's date.
        today: Day,
    },
}

impl LineFault {
    /// A line that broke.
    pub fn broke(cause: impl std::fmt::Display) -> Self {
        Self::Broke { cause: cause.to_string() }
    }

    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoName { .. } => "no-name",
            Self::NotReached { .. } => "not-reached",
            Self::Broke { .. } => "line-broke",
            Self::Silent => "line-silent",
            Self::SignInFirst => "sign-in-first",
            Self::Intercepted { .. } => "intercepted",
            Self::OtherName { .. } => "other-name",
            Self::WrongDate { .. } => "wrong-date",
        }
    }
}

/// What becomes of what a person did meanwhile.
#[derive(Clone, Copy)]
enum Meanwhile {
    /// It was recorded.
    Recorded,
    /// The phone belongs to nobody yet.
    Joining,
}

impl LineFault {
    /// The sentence for a phone that joins, and has recorded nothing yet.
    pub fn while_joining(&self) -> String {
        self.english(Meanwhile::Joining)
    }

    /// The same in Chinese.
    pub fn while_joining_in_chinese(&self) -> String {
        self.in_chinese(Meanwhile::Joining)
    }

    fn in_chinese(&self, meanwhile: Meanwhile) -> String {
        let kept = match meanwhile {
            Meanwhile::Recorded => "记录都保存在手机里，会再试。",
            Meanwhile::Joining => "还没有加入；请用同一个链接再试。",
        };
        match self {
            Self::NoName { host, .. } => {
                format!("找不到服务器 {host}：没有网络，或者这个网络不认识这个名字。{kept}")
            }
            Self::NotReached { cause } => match usual_cause(cause) {
                Some(cause) => format!("连不上服务器（{cause}）。{kept}"),
                None => format!("连不上服务器。{kept}"),
            },
            Self::Broke { .. } => format!("和服务器的连接断了。{kept}"),
            Self::Silent => format!("服务器一分钟没有回应。{kept}"),
            Self::SignInFirst => "这个 Wi-Fi 要先登录：打开手机的浏览器，在它给出的页面上登录，或者换一个网络。".into(),
            Self::Intercepted { .. } => {
                "有人在这部手机和服务器之间：对方的证书和邀请里的不符，所以什么也没有发送。请换一个网络；\
                 如果一直这样，请向合作社要一个新的邀请。"
                    .into()
            }
            Self::OtherName { host } => format!("服务器的证书里没有 {host} 这个名字。请告诉管理服务器的人。"),
            Self::WrongDate { today } => {
                format!("请设置这部手机的日期：手机上是 {today}，服务器的证书在这一天无效。")
            }
        }
    }

    fn english(&self, meanwhile: Meanwhile) -> String {
        let kept = match meanwhile {
            Meanwhile::Recorded => "What was recorded is kept; it will be tried again",
            Meanwhile::Joining => "This phone has not joined; try again with the same link",
        };
        match self {
            Self::NoName { host, cause } => format!(
                "the server {host} can't be found ({cause}): there is no network, or it does not know this name. {kept}"
            ),
            Self::NotReached { cause } | Self::Broke { cause } => {
                format!("no connection to the server: {cause}. {kept}")
            }
            Self::Silent => format!("no connection to the server: no byte passed for a minute. {kept}"),
            Self::SignInFirst => {
                "this Wi-Fi asks for a sign-in first: open this phone's browser and sign in on the page \
                                  that it shows, or use another network"
                    .into()
            }
            Self::Intercepted { cause } => format!(
                "somebody is between this phone and the server: the certificate is not the one that the invitation \
                 names ({cause}), so nothing was sent. Use another network; if it stays so, ask your co-operative for \
                 a new invitation"
            ),
            Self::OtherName { host } => {
                format!("the server's certificate does not hold the name {host}. Tell whoever runs the server")
            }
            Self::WrongDate { today } => format!(
                "set this phone's date: it says {today}, and the server's certificate does not hold on that day"
            ),
        }
    }
}

impl Words for LineFault {
    fn chinese(&self) -> String {
        self.in_chinese(Meanwhile::Recorded)
    }
}

impl std::fmt::Display for LineFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.english(Meanwhile::Recorded))
    }
}

impl std::error::Error for LineFault {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    fn all() -> Vec<LineFault> {
        let cause = || "ECONNRESET".to_owned();
        vec![
            LineFault::NoName { host: "granary.example".into(), cause: cause() },
            LineFault::NotReached { cause: cause() },
            LineFault::broke("ECONNRESET"),
            LineFault::Silent,
            LineFault::SignInFirst,
            LineFault::Intercepted { cause: cause() },
            LineFault::OtherName { host: "granary.example".into() },
            LineFault::WrongDate { today: "1970-01-02".parse().unwrap() },
        ]
    }

    #[test]
    fn each_fault_has_its_own_code_and_a_sentence_in_both_languages() {
        let mut codes: Vec<&str> = all().iter().map(LineFault::code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all().len());
        for fault in all() {
            let (chinese, english) = (fault.words(Language::Chinese), fault.words(Language::English));
            assert!(chinese.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{chinese}");
            assert!(!chinese.contains("  ") && !english.contains("  "), "{chinese} {english}");
            assert!(chinese.ends_with('。') && !chinese.contains("ECONNRESET"), "{chinese}");
            assert!(!english.is_empty() && english.is_ascii(), "{english}");
            // A phone that joins has recorded nothing.
            let joining = fault.while_joining();
            assert!(!joining.contains("recorded") && !fault.while_joining_in_chinese().contains("记录"), "{joining}");
        }
    }
}
