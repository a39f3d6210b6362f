//! Why a file, or a row of it, is not taken.

use std::sync::Arc;

use granary_client_core::words::Words;

/// Why a whole file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// Nothing is in it.
    #[error("nothing is in the file")]
    Empty,
    /// It is no table that is read here.
    #[error("the file is no table: export the orders as CSV or as an Excel workbook")]
    KindUnknown,
    /// It is cut off or broken.
    #[error("the file is damaged: export it again")]
    Damaged,
    /// It asks for a password.
    #[error("the file is locked with a password: open it, save it without one, and bring that")]
    Locked,
    /// A limit is passed.
    #[error("the file is too large: {0}. Export fewer days at once")]
    TooLarge(TooLarge),
    /// It unpacks to more than is read.
    #[error("what the file unpacks to is too large. Export fewer days at once")]
    TooLargeInside,
    /// Its letters are in no known encoding.
    #[error("the file's letters can't be read: save it as UTF-8 or GB18030")]
    EncodingUnknown,
    /// No profile knows its headings.
    #[error("no platform's headings are in the first 20 rows: bring the platform's own export, with its headings")]
    NoProfile,
    /// Two profiles fit equally.
    #[error("the file fits {}: say which it is", .0.join(" and "))]
    ProfileUnclear(Vec<String>),
}

/// Which limit a file passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// 20 MB.
    #[error("it has more than 20 MB")]
    Bytes,
    /// 50,000 rows under the headings.
    #[error("it has more than 50,000 rows")]
    Records,
    /// 200 columns.
    #[error("row {0} has more than 200 columns")]
    Columns(u32),
    /// 8,192 characters in a cell.
    #[error("row {0} has a cell of more than 8,192 characters")]
    Cell(u32),
    /// More lines of orders than are kept.
    #[error("it has more than 100,000 lines of orders")]
    Lines,
}

impl FileFault {
    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "file-empty",
            Self::KindUnknown => "file-kind-unknown",
            Self::Damaged => "file-damaged",
            Self::Locked => "file-locked",
            Self::TooLarge(_) => "file-too-large",
            Self::TooLargeInside => "file-too-large-inside",
            Self::EncodingUnknown => "encoding-unknown",
            Self::NoProfile => "no-profile",
            Self::ProfileUnclear(_) => "profile-unclear",
        }
    }
}

impl Words for FileFault {
    fn chinese(&self) -> String {
        match self {
            Self::Empty => "文件里什么也没有".to_owned(),
            Self::KindUnknown => "这个文件不是表格：请导出成 CSV 或 Excel".to_owned(),
            Self::Damaged => "文件损坏了：请重新导出".to_owned(),
            Self::Locked => "文件有密码：打开后另存为没有密码的，再拿来".to_owned(),
            Self::TooLarge(limit) => format!("文件太大：{}。请分几次导出，每次少几天", limit.chinese()),
            Self::TooLargeInside => "文件解压后太大。请分几次导出，每次少几天".to_owned(),
            Self::EncodingUnknown => "文件的文字读不出来：请另存为 UTF-8 或 GB18030".to_owned(),
            Self::NoProfile => "前 20 行里没有认识的平台表头：请用平台导出的原文件，带表头".to_owned(),
            Self::ProfileUnclear(names) => format!("文件同时符合 {}：请选是哪一种", names.join("、")),
        }
    }
}

impl Words for TooLarge {
    fn chinese(&self) -> String {
        match self {
            Self::Bytes => "超过 20 MB".to_owned(),
            Self::Records => "超过 50,000 行".to_owned(),
            Self::Columns(row) => format!("第 {row} 行超过 200 列"),
            Self::Cell(row) => format!("第 {row} 行有一格超过 8,192 个字"),
            Self::Lines => "订单明细超过 100,000 行".to_owned(),
        }
    }
}

/// Why a row is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// No number of the order or line.
    IdMissing,
    /// The number went through a spreadsheet that rounded it.
    IdLostDigits,
    /// The number has other characters than numbers of orders have.
    IdBad,
    /// A state or after-sale that the profile does not list: this one, as far as it is kept.
    StatusUnknown(Option<Arc<str>>),
    /// No whole number of packs from 1 to 999,999.
    QuantityBad,
    /// No amount in yuan.
    MoneyBad,
    /// No time.
    TimeBad,
    /// An earlier row says other things of the same line.
    LineConflict,
    /// Fewer cells than headings, or more.
    RowRagged,
    /// The list of goods can't be read.
    LinesUnreadable,
    /// Several lines in one row that can't be told apart.
    MergedLines,
    /// More than 100 lines in one order.
    TooManyLines,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::IdMissing,
        Self::IdLostDigits,
        Self::IdBad,
        Self::StatusUnknown(None),
        Self::QuantityBad,
        Self::MoneyBad,
        Self::TimeBad,
        Self::LineConflict,
        Self::RowRagged,
        Self::LinesUnreadable,
        Self::MergedLines,
        Self::TooManyLines,
    ];

    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::IdMissing => "id-missing",
            Self::IdLostDigits => "id-lost-digits",
            Self::IdBad => "id-bad",
            Self::StatusUnknown(_) => "status-unknown",
            Self::QuantityBad => "quantity-bad",
            Self::MoneyBad => "money-bad",
            Self::TimeBad => "time-bad",
            Self::LineConflict => "line-conflict",
            Self::RowRagged => "row-ragged",
            Self::LinesUnreadable => "lines-unreadable",
            Self::MergedLines => "merged-lines",
            Self::TooManyLines => "too-many-lines",
        }
    }

    /// The reason of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.code() == code)
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::IdMissing => "the order's or line's number is missing",
            Self::IdLostDigits => {
                "a number lost digits in a spreadsheet: bring the platform's own file, not one saved again"
            }
            Self::IdBad => "the order's or line's number has characters that no number has",
            Self::StatusUnknown(Some(word)) => {
                return write!(formatter, "the state \"{word}\" is not known: an operator adds it to the profile");
            }
            Self::StatusUnknown(None) => "a state that is not known: an operator adds it to the profile",
            Self::QuantityBad => "the packs are no whole number from 1 to 999,999",
            Self::MoneyBad => "the amount is not in yuan with two decimals",
            Self::TimeBad => "the time can't be read",
            Self::LineConflict => "an earlier row says other things of the same line; that one stays",
            Self::RowRagged => "the row has fewer or more cells than there are headings",
            Self::LinesUnreadable => "the list of goods can't be read",
            Self::MergedLines => "several lines in one row: export by goods (商品维度), not by order",
            Self::TooManyLines => "the order has more than 100 lines",
        })
    }
}

impl Words for Why {
    fn chinese(&self) -> String {
        match self {
            Self::IdMissing => "没有订单编号或子订单编号",
            Self::IdLostDigits => "编号在表格软件里丢了位数：请用平台导出的原文件，不要另存过的",
            Self::IdBad => "编号里有不该有的字符",
            Self::StatusUnknown(Some(word)) => return format!("状态“{word}”不认识：请管理员加到平台的配置里"),
            Self::StatusUnknown(None) => "状态不认识：请管理员加到平台的配置里",
            Self::QuantityBad => "件数不是 1 到 999,999 的整数",
            Self::MoneyBad => "金额不是两位小数的元",
            Self::TimeBad => "时间读不出来",
            Self::LineConflict => "同一条明细前面已有一行，内容不同；以前面的为准",
            Self::RowRagged => "这一行的格数和表头不一样",
            Self::LinesUnreadable => "商品清单读不出来",
            Self::MergedLines => "一行里有几条明细：请按商品维度导出，不要按订单维度",
            Self::TooManyLines => "一个订单超过 100 条明细",
        }
        .to_owned()
    }
}

/// Why a row is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skipped {
    /// Nobody has paid.
    Unpaid,
    /// An earlier row says the same.
    RepeatedRow,
    /// It sums up others.
    SumRow,
}

impl Skipped {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::RepeatedRow => "repeated-row",
            Self::SumRow => "sum-row",
        }
    }

    /// The reason of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Unpaid, Self::RepeatedRow, Self::SumRow].into_iter().find(|why| why.code() == code)
    }
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Unpaid => "not paid yet",
            Self::RepeatedRow => "the same as an earlier row",
            Self::SumRow => "a row of sums",
        })
    }
}

impl Words for Skipped {
    fn chinese(&self) -> String {
        match self {
            Self::Unpaid => "还没付款",
            Self::RepeatedRow => "和前面一行一样",
            Self::SumRow => "合计行",
        }
        .to_owned()
    }
}
