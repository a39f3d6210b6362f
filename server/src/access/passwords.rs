//! What a new password must be. Whoever guesses begins with the same few thousand passwords, and with sequences.

use granary_client_core::words::Words;

/// The shortest password, in characters.
pub(crate) const PASSWORD_MIN: usize = 10;
/// The longest password, in bytes: more only costs time.
pub(crate) const PASSWORD_MAX: usize = 256;

/// Rows of a keyboard, the alphabet and digits, in which a sequence is no secret.
const SEQUENCES: [&str; 6] =
    ["01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"];

/// Words that begin most of the passwords that are tried first, in English and in pinyin.
const WORDS: [&str; 48] = [
    "admin",
    "administrator",
    "asd",
    "dragon",
    "football",
    "granary",
    "hello",
    "iloveyou",
    "letmein",
    "login",
    "master",
    "monkey",
    "mypassword",
    "nihao",
    "passw0rd",
    "password",
    "pass",
    "princess",
    "qazwsx",
    "qq",
    "qwe",
    "qwerty",
    "root",
    "secret",
    "shangwu",
    "summer",
    "sunshine",
    "taobao",
    "test",
    "user",
    "wang",
    "wechat",
    "weixin",
    "welcome",
    "winter",
    "woaini",
    "woaiwojia",
    "woshishui",
    "xiaoming",
    "zhang",
    "zhongguo",
    "zxc",
    "abc",
    "a",
    "aa",
    "aaa",
    "p",
    "z",
];

/// Why a password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// It is shorter than [`PASSWORD_MIN`].
    #[error("a password has at least {PASSWORD_MIN} characters")]
    Short,
    /// It is longer than [`PASSWORD_MAX`].
    #[error("a password has {PASSWORD_MAX} bytes at most")]
    Long,
    /// It begins or ends with a space, which nobody sees.
    #[error("a password does not begin or end with a space")]
    Spaces,
    /// It is among the first that anybody tries.
    #[error("many people use this password; take three words that do not belong together")]
    Common,
}

impl PasswordFault {
    /// Its code, which is also the key of its sentence in the console.
    pub fn code(self) -> &'static str {
        match self {
            Self::Short => "password-short",
            Self::Long => "password-long",
            Self::Spaces => "password-spaces",
            Self::Common => "password-common",
        }
    }
}

impl Words for PasswordFault {
    fn chinese(&self) -> String {
        match self {
            Self::Short => format!("密码至少 {PASSWORD_MIN} 个字符"),
            Self::Long => format!("密码最多 {PASSWORD_MAX} 字节"),
            Self::Spaces => "密码的开头和结尾不能是空格".to_owned(),
            Self::Common => "很多人用这个密码；请用三个互不相干的词".to_owned(),
        }
    }
}

/// Refuses a password that is too short, too long, has spaces around it, or is among the first that anybody tries.
pub(crate) fn check_new(password: &str, login: &str) -> Result<(), PasswordFault> {
    if password.chars().count() < PASSWORD_MIN {
        return Err(PasswordFault::Short);
    }
    if password.len() > PASSWORD_MAX {
        return Err(PasswordFault::Long);
    }
    if password.trim() != password {
        return Err(PasswordFault::Spaces);
    }
    if is_common(&password.to_lowercase(), login) { Err(PasswordFault::Common) } else { Ok(()) }
}

/// True for a word of the list or the login with digits and signs around it, for a repeated part, and for a sequence.
fn is_common(password: &str, login: &str) -> bool {
    let word = password.trim_matches(|letter: char| !letter.is_alphabetic());
    let is_word = word.is_empty() || word == login || WORDS.contains(&word);
    is_word || is_repeated(password) || is_sequence(password)
}

fn is_repeated(password: &str) -> bool {
    let letters: Vec<char> = password.chars().collect();
    (1..=4).any(|length| {
        let first = letters.iter().cycle().take(letters.len());
        letters.chunks(length).all(|chunk| letters.starts_with(chunk)) && first.eq(letters.iter())
    })
}

fn is_sequence(password: &str) -> bool {
    SEQUENCES.iter().any(|row| {
        let back: String = row.chars().rev().collect();
        row.contains(password) || back.contains(password)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_guesses_are_refused() {
        let common = [
            "password123",
            "Password2026!",
            "1234567890",
            "0987654321",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "woaini1314520",
            "a123456789",
            "123456789a",
            "13812345678",
            "zhang123456",
            "admin20261126",
            "iloveyou1314",
            "abcdefghijkl",
        ];
        for password in common {
            assert!(check_new(password, "lihua").is_err(), "{password}");
        }
        assert!(check_new("lihua20250101", "lihua").is_err(), "the login with a date");
    }

    #[test]
    fn sentences_and_random_letters_are_taken() {
        for password in [
            "millet by the river",
            "correct horse battery",
            "x7#pQ2!vLm9",
            "小米和栗子一起晒太阳",
            "Zhang-eats-9-dates",
        ] {
            assert!(check_new(password, "zhang").is_ok(), "{password}");
        }
    }

    #[test]
    fn spaces_around_and_wrong_lengths_are_refused() {
        for password in [" millet by the river", "millet by the river ", "short", &"长".repeat(100)] {
            assert!(check_new(password, "zhang").is_err(), "{password}");
        }
    }
}
