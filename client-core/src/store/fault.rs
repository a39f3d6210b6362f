//! Why a store failed. Only an engine's own word that its file is damaged counts as damage: a file that is held by
//! another program, on a full medium or out of reach is whole, and is left as it is.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::words::{Words, usual_cause};

/// Why a store failed. Nothing of a failed batch is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Another program has opened the store, and writes to it from now on. Close it there, then open it here again.
    #[error("another program has opened it")]
    InUse,
    /// Another program held the file for longer than was waited. Make the same call again.
    #[error("another program holds the file just now")]
    Busy,
    /// The medium is full. Free space, then make the same call again.
    #[error("the disk is full")]
    Full,
    /// The system has no more open files for this program. Close some, or raise its limit, then make the same call again.
    #[error("too many files are open")]
    TooManyFiles,
    /// The file may not be opened or written; the string is the system's sentence. Give the right to it, then try again.
    #[error("the file can't be opened or written: {0}")]
    NoAccess(String),
    /// The medium failed; the string is the engine's sentence. Make the same call again. When it fails again, the medium
    /// itself may be worn out.
    #[error("the disk failed: {0}")]
    Io(String),
    /// The engine calls its file damaged; the string is its sentence. Open the store anew: that keeps what can be read.
    #[error("the file is damaged: {0}")]
    Corrupt(String),
    /// The store failed in another way; the string is the engine's sentence.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The store was encrypted with another key, or with one where none was given. It is unchanged; open it with its key.
    #[error("what is stored here was locked with another key")]
    Locked,
    /// The value of this key fails its checksum. Treat it as lost: fetch or derive it again.
    #[error("a stored record is damaged (key {})", .0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())]
    Damaged(Vec<u8>),
}

impl Words for StoreFault {
    fn chinese(&self) -> String {
        let fault = match self {
            Self::InUse => "另一个程序打开了它",
            Self::Busy => "另一个程序正占用着文件",
            Self::Full => "存储空间满了",
            Self::TooManyFiles => "打开的文件太多",
            Self::NoAccess(_) => "文件不能打开或写入",
            Self::Io(_) => "存储出错",
            Self::Corrupt(_) => "文件损坏了",
            Self::Failed(_) => "存储失败",
            Self::Locked => "这里的数据是用另一把钥匙锁的",
            Self::Damaged(_) => "有一条记录损坏了",
        };
        match usual_cause(self.detail()) {
            Some(cause) => format!("{fault}（{cause}）"),
            None => fault.to_owned(),
        }
    }
}

impl StoreFault {
    /// The fault of an error of the file system.
    pub fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists => Self::NoAccess(error.to_string()),
            ErrorKind::ResourceBusy => Self::Busy,
            // EMFILE and ENFILE have no kind of their own.
            _ if matches!(number_of(error), Some(23 | 24)) => Self::TooManyFiles,
            _ => Self::Io(error.to_string()),
        }
    }

    /// A word for programs, the same in every version.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse => "in-use",
            Self::Busy => "busy",
            Self::Full => "disk-full",
            Self::TooManyFiles => "too-many-files",
            Self::NoAccess(_) => "no-access",
            Self::Io(_) => "io",
            Self::Corrupt(_) => "corrupt",
            Self::Failed(_) => "failed",
            Self::Locked => "locked",
            Self::Damaged(_) => "damaged-record",
        }
    }

    /// The fault of this code, as far as codes tell it; none for other words.
    pub fn of_code(code: &str, detail: &str) -> Option<Self> {
        Some(match code {
            "in-use" => Self::InUse,
            "busy" => Self::Busy,
            "disk-full" => Self::Full,
            "too-many-files" => Self::TooManyFiles,
            "no-access" => Self::NoAccess(detail.to_owned()),
            "io" => Self::Io(detail.to_owned()),
            "corrupt" => Self::Corrupt(detail.to_owned()),
            "failed" => Self::Failed(detail.to_owned()),
            "locked" => Self::Locked,
            _ => return None,
        })
    }

    /// The sentence of the system or the engine alone, where there is one.
    pub fn detail(&self) -> &str {
        match self {
            Self::NoAccess(text) | Self::Io(text) | Self::Corrupt(text) | Self::Failed(text) => text,
            _ => "",
        }
    }

    /// Finds the cause of a fault for which an engine has no more than 'can't open' or 'input/output error': the same is
    /// tried with a new file of this folder, which is deleted again. The store's own files are not touched.
    #[must_use]
    pub fn explained(self, folder: &Path) -> Self {
        if !matches!(self, Self::NoAccess(_) | Self::Io(_)) {
            return self;
        }
        match try_to_write(folder).and_then(|()| try_to_open(folder)) {
            Err(error) => Self::of_io(&error),
            Ok(()) => self,
        }
    }
}

/// The system's number of an error; one that was wrapped in another has it in its text alone.
fn number_of(error: &io::Error) -> Option<i32> {
    let wrapped = || {
        let text = error.to_string();
        let (_, rest) = text.split_once("(os error ")?;
        rest.split_once(')')?.0.parse().ok()
    };
    error.raw_os_error().or_else(wrapped)
}

/// As much as SQLite writes when it opens a file.
const TRIED_BYTES: usize = 64 * 1024;

/// As many files as SQLite opens at once: the database, its journal, their shared memory, the folder, and some more.
const TRIED_FILES: usize = 8;

fn try_to_open(folder: &Path) -> io::Result<()> {
    let all: io::Result<Vec<File>> = (0..TRIED_FILES).map(|_| File::open(folder)).collect();
    all.map(drop)
}

fn try_to_write(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".granary-tries-{}", std::process::id()));
    let written = OpenOptions::new().write(true).create(true).truncate(true).open(&path).and_then(|mut file| {
        file.write_all(&vec![0; TRIED_BYTES])?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_name_their_faults() {
        let text = || "words".to_owned();
        let faults = [
            StoreFault::InUse,
            StoreFault::Busy,
            StoreFault::Full,
            StoreFault::TooManyFiles,
            StoreFault::NoAccess(text()),
            StoreFault::Io(text()),
            StoreFault::Corrupt(text()),
            StoreFault::Failed(text()),
            StoreFault::Locked,
        ];
        for fault in faults {
            assert_eq!(StoreFault::of_code(fault.code(), fault.detail()), Some(fault));
        }
        assert_eq!(StoreFault::of_code("no such word", ""), None);
    }

    #[test]
    fn cause_of_the_system_is_told_in_chinese() {
        let denied = StoreFault::of_io(&io::Error::from_raw_os_error(13));
        assert_eq!(denied.chinese(), "文件不能打开或写入（没有权限）");
        assert_eq!(StoreFault::Failed("what the engine says".into()).chinese(), "存储失败");
    }

    #[test]
    fn errors_of_the_system_are_told_apart() {
        let of = |number| StoreFault::of_io(&io::Error::from_raw_os_error(number));
        assert_eq!(of(28), StoreFault::Full, "ENOSPC");
        assert_eq!(of(24), StoreFault::TooManyFiles, "EMFILE");
        assert_eq!(of(23), StoreFault::TooManyFiles, "ENFILE");
        let wrapped =
            io::Error::new(io::Error::from_raw_os_error(24).kind(), "heap.rs:1 Too many open files (os error 24)");
        assert_eq!(StoreFault::of_io(&wrapped), StoreFault::TooManyFiles);
        assert!(matches!(of(13), StoreFault::NoAccess(_)), "EACCES");
        assert!(matches!(of(30), StoreFault::NoAccess(_)), "EROFS");
        assert!(matches!(of(5), StoreFault::Io(_)), "EIO");
    }
}
