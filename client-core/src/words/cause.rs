//! What the system says of a cause, such as `Permission denied (os error 13)`, in Chinese. The system speaks one language, which
//! is rarely the reader's; its number says the same in any.

use std::io::{Error, ErrorKind};

/// The number that the system gave an error, as the standard library ends the sentence of one.
const NUMBER: &str = "(os error ";

/// The cause in Chinese where it is one of the usual ones; none for others.
pub fn usual_cause(text: &str) -> Option<&'static str> {
    // A resolver has numbers of its own.
    if text.contains("failed to lookup address information") {
        return Some("这里的网络不认识这个名字");
    }
    let (_, rest) = text.split_once(NUMBER)?;
    let number: i32 = rest.split_once(')')?.0.parse().ok()?;
    // Numbers differ from system to system; kinds don't.
    let error = Error::from_raw_os_error(number);
    Some(match error.kind() {
        ErrorKind::NotFound => "没有这个文件或文件夹",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::ReadOnlyFilesystem => "这里只能读，不能写",
        ErrorKind::StorageFull => "磁盘满了",
        ErrorKind::QuotaExceeded => "分给这个用户的空间满了",
        ErrorKind::FileTooLarge => "文件太大",
        ErrorKind::AlreadyExists => "已经有了",
        ErrorKind::NotADirectory => "不是文件夹",
        ErrorKind::IsADirectory => "是文件夹，不是文件",
        ErrorKind::DirectoryNotEmpty => "文件夹不是空的",
        ErrorKind::ResourceBusy | ErrorKind::WouldBlock => "正被别的程序占用",
        ErrorKind::AddrInUse => "地址已被别的程序占用",
        ErrorKind::AddrNotAvailable => "这台机器没有这个地址",
        ErrorKind::ConnectionRefused => "那里没有程序接受连接",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => "连接断了",
        ErrorKind::NotConnected => "没有连接",
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => "没有网络",
        ErrorKind::HostUnreachable => "连不到那台机器",
        ErrorKind::TimedOut => "等了太久没有回应",
        ErrorKind::OutOfMemory => "内存不够",
        ErrorKind::InvalidInput => "系统不接受这个值",
        // Neither has a kind of its own.
        _ if matches!(number, 23 | 24) => "打开的文件太多",
        _ if number == 5 => "磁盘读写出错",
        _ => return None,
    })
}

/// The cause in Chinese; one that has no sentence here stays as it is.
pub fn cause_in_chinese(text: &str) -> &str {
    usual_cause(text).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_causes_are_told_in_chinese() {
        for (number, words) in [
            (2, "没有这个文件或文件夹"),
            (13, "没有权限"),
            (24, "打开的文件太多"),
            (28, "磁盘满了"),
            (98, "地址已被别的程序占用"),
            (110, "等了太久没有回应"),
            (111, "那里没有程序接受连接"),
        ] {
            let english = Error::from_raw_os_error(number).to_string();
            assert_eq!(cause_in_chinese(&english), words, "{english}");
            let within = format!("heap.rs:1: {english}");
            assert_eq!(usual_cause(&within), Some(words), "{within}");
        }
    }

    #[test]
    fn what_is_not_known_stays() {
        for text in ["", "checksum 1 is not 2", "strange (os error x)", "strange (os error 99999)", "(os error 13"] {
            assert_eq!(cause_in_chinese(text), text);
        }
    }
}
