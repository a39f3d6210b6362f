//! Sentences for people in Chinese and English, made from typed errors. The English sentence is an error's own text; its
//! Chinese one is given by [`Words`].

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
