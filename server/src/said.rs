//! A sentence that was made in both languages, for whoever reads it elsewhere: an operator's terminal, a page.

use std::fmt::{Display, Formatter};

use granary_client_core::words::{Phrase, Words};
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    english: String,
    chinese: String,
}

impl Said {
    /// A sentence in both languages.
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self { english: english.into(), chinese: chinese.into() }
    }

    /// The sentence of an error.
    pub fn of(words: &impl Words) -> Self {
        Self { english: words.to_string(), chinese: words.chinese() }
    }

    /// Lines, each in both languages.
    pub fn lines(lines: impl IntoIterator<Item = Self>) -> Self {
        let (english, chinese): (Vec<String>, Vec<String>) =
            lines.into_iter().map(|line| (line.english, line.chinese)).unzip();
        Self { english: english.join("\n"), chinese: chinese.join("\n") }
    }
}

/// What is the same in both languages, such as an address.
impl From<String> for Said {
    fn from(text: String) -> Self {
        Self { english: text.clone(), chinese: text }
    }
}

impl From<Phrase> for Said {
    fn from(phrase: Phrase) -> Self {
        Self::new(phrase.english, phrase.chinese)
    }
}

/// English and Chinese.
impl From<(&str, &str)> for Said {
    fn from((english, chinese): (&str, &str)) -> Self {
        Self::new(english, chinese)
    }
}

/// In English.
impl Display for Said {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.english)
    }
}

impl Words for Said {
    fn chinese(&self) -> String {
        self.chinese.clone()
    }
}
