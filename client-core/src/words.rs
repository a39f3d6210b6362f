//! Sentences for people in Chinese and English, made from typed errors. The English sentence is an error's own text; its
//! Chinese one is given by [`Words`].

mod cause;

pub use cause::{because, usual_cause};

/// A language that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// Its code, such as `zh`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    /// The language of a code, such as `zh`, `zh-CN` or `zh_CN.UTF-8`.
    pub fn from_code(code: &str) -> Option<Self> {
        match code.split(['-', '_', '.']).next()?.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }
}

/// A count with the English noun that follows it: "1 lot", "3 lots".
pub fn counted(count: impl std::fmt::Display, one: &str, many: &str) -> String {
    let count = count.to_string();
    let noun = if count == "1" { one } else { many };
    format!("{count} {noun}")
}

/// Words that the code itself has, in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phrase {
    /// For programs.
    pub code: &'static str,
    /// In English.
    pub english: &'static str,
    /// In Chinese.
    pub chinese: &'static str,
}

impl Phrase {
    /// These words.
    pub const fn new(code: &'static str, english: &'static str, chinese: &'static str) -> Self {
        Self { code, english, chinese }
    }
}

impl std::fmt::Display for Phrase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.english)
    }
}

impl Words for Phrase {
    fn chinese(&self) -> String {
        self.chinese.to_owned()
    }
}

/// An error as a sentence for the person who caused or meets it.
pub trait Words: std::fmt::Display {
    /// The sentence in Chinese.
    fn chinese(&self) -> String;

    /// The sentence in a language.
    fn words(&self, language: Language) -> String {
        match language {
            Language::Chinese => self.chinese(),
            Language::English => self.to_string(),
        }
    }
}
