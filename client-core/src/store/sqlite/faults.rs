//! What SQLite's error codes (<https://sqlite.org/rescode.html>) mean for a store.

use std::io::Read;
use std::path::Path;

use rusqlite::ffi::ErrorCode;

use crate::store::StoreFault;

impl From<rusqlite::Error> for StoreFault {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        let Some(code) = error.sqlite_error_code() else { return Self::Failed(text) };
        match code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(text),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => Self::Busy,
            ErrorCode::DiskFull => Self::Full,
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => Self::NoAccess(text),
            ErrorCode::SystemIoFailure => Self::Io(text),
            // SQLite's word for a header that it knows to be none of its own.
            ErrorCode::Unknown if text.contains("unsupported file format") => Self::Corrupt(text),
            _ => Self::Failed(text),
        }
    }
}

/// The fault that a check's verdict names: a page that the medium did not give is not damaged.
pub(super) fn of_verdict(verdict: &str) -> StoreFault {
    let code = verdict.split("error code=").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect());
    let code = code.and_then(|digits: String| digits.parse::<i32>().ok());
    match code {
        Some(code) => rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(verdict.to_owned())).into(),
        None => StoreFault::Corrupt(verdict.to_owned()),
    }
}

/// A file of which SQLite has no more to say than that it may not be written, though it may be: a header with damaged
/// format numbers (bytes 18 and 19, <https://sqlite.org/fileformat.html>) reads like that.
pub(super) fn seen_in_header(path: &Path, fault: StoreFault) -> StoreFault {
    if !matches!(fault, StoreFault::NoAccess(_)) {
        return fault;
    }
    let mut header = [0; 20];
    let read =
        std::fs::File::options().read(true).write(true).open(path).and_then(|mut file| file.read_exact(&mut header));
    match (read, header) {
        (Ok(()), [.., 1 | 2, 1 | 2]) | (Err(_), _) => fault,
        (Ok(()), _) => StoreFault::Corrupt("its header is damaged".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_of_damage_is_damage() {
        let of = |code| StoreFault::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
        for code in [11, 26, 267, 523, 779] {
            assert!(matches!(of(code), StoreFault::Corrupt(_)), "{code}");
        }
        // Every other code of SQLite: errors, and errors of input and output, of locks and of opening in particular.
        for code in (1..=28).chain((0..36).flat_map(|more| [5, 6, 8, 10, 14, 19, 23].map(|code| code | more << 8))) {
            assert!([11, 26].contains(&code) || !matches!(of(code), StoreFault::Corrupt(_)), "{code}");
        }
        assert_eq!(of(5), StoreFault::Busy);
        assert_eq!(of(13), StoreFault::Full);
    }

    #[test]
    fn verdict_about_the_medium_is_no_damage() {
        let page = |code| {
            of_verdict(&format!("*** in database main ***\nTree 2 page 9: unable to get the page. error code={code}"))
        };
        assert!(matches!(page(10), StoreFault::Io(_)));
        assert!(matches!(page(266), StoreFault::Io(_)));
        assert!(matches!(page(11), StoreFault::Corrupt(_)));
        assert!(matches!(of_verdict("Page 3: never used"), StoreFault::Corrupt(_)));
    }
}
