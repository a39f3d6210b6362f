//! What the system says of a cause, such as `Permission denied (os error 13)`, in Chinese. The system speaks one language, which
//! is rarely the reader's; its number says the same in any.

use std::io::{Error, ErrorKind};

/// The number that the system gave an error, as the standard library ends the sentence of one.
const NUMBER: &str = "(os error ";

/// What libraries say, each by a piece of it, and what it means. Their sentences differ from version to version.
const OF_LIBRARIES: [(&str, &str); 12] = [
    // A resolver has numbers of its own.
    ("failed to lookup address information", "这里的网络不认识这个名字"),
    ("failed to fill whole buffer", "没写完就断了"),
    ("unexpected end of file", "没写完就断了"),
    ("incomplete frame", "没写完就断了"),
    ("checksum", "校验和对不上"),
    ("a stored record is damaged", "有一条记录损坏了"),
    ("corrupt", "内容损坏了"),
    ("valid UTF-8", "里面有读不懂的文字"),
    ("opening it does not end", "打开它一直没有结束"),
    ("opening it ended the process", "打开它的程序中断了"),
    ("panicked", "程序中断了"),
    ("parse error at line", "写法不对"),
];

/// The cause in Chinese where it is one of the usual ones; none for others.
pub fn usual_cause(text: &str) -> Option<&'static str> {
    of_the_system(text)
        .or_else(|| OF_LIBRARIES.into_iter().find(|(piece, _)| text.contains(piece)).map(|(_, chinese)| chinese))
}

fn of_the_system(text: &str) -> Option<&'static str> {
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

/// A cause in brackets behind a Chinese sentence: the usual one, or what is said in Chinese already. Nothing of what a library says
/// in a language that the reader may not read: that is for logs.
pub fn because(text: &str) -> String {
    let said = usual_cause(text).or_else(|| (!text.is_ascii()).then_some(text));
    said.map(|cause| format!("（{cause}）")).unwrap_or_default()
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
            assert_eq!(because(&english), format!("（{words}）"), "{english}");
            let within = format!("heap.rs:1: {english}");
            assert_eq!(usual_cause(&within), Some(words), "{within}");
        }
    }

    #[test]
    fn what_libraries_say_is_told_by_its_kind() {
        for (text, words) in [
            ("checksum 1 is not 2", "校验和对不上"),
            ("failed to fill whole buffer", "没写完就断了"),
            ("Read corrupted data at file offset Some(4096)", "内容损坏了"),
            ("TOML parse error at line 3, column 1", "写法不对"),
            ("stream did not contain valid UTF-8", "里面有读不懂的文字"),
        ] {
            assert_eq!(usual_cause(text), Some(words), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_left_out_and_chinese_stays() {
        for text in ["", "strange (os error x)", "strange (os error 99999)", "(os error 13", "invalid window size"] {
            assert_eq!(because(text), "");
        }
        assert_eq!(because("里面有一行太长"), "（里面有一行太长）");
    }
}
