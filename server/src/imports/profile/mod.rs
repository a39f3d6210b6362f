//! A platform's exports as data: a profile is a TOML file that says which headings an export has, what each means, and which state
//! each word is. Ours are embedded; an operator adds others, or another of the same name in place of ours.

mod check;
mod folder;
mod meaning;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

pub use check::ProfileFault;
pub(super) use meaning::{MEANINGS, Meaning};

/// What a profile says of an export.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The platform whose orders these are.
    pub platform: String,
    /// What people call the export.
    pub title: String,
    pub(super) grain: Grain,
    /// Keys of headings that must be there.
    pub(super) required: Vec<String>,
    /// Texts that mean nothing.
    pub(super) empties: Vec<String>,
    /// Marks of masked or enciphered texts.
    pub(super) sealed: Vec<String>,
    /// Meanings whose merged cells count for all rows that they cover.
    pub(super) merged: BTreeSet<Meaning>,
    /// The profile of the file that has this one's lines.
    pub(super) lines_in: Option<String>,
    /// The profile of the file that has this one's orders.
    pub(super) orders_in: Option<String>,
    /// Keys of headings by meaning, the first that has something wins.
    pub(super) columns: BTreeMap<Meaning, Vec<String>>,
    pub(super) must: BTreeSet<Meaning>,
    pub(super) states: BTreeMap<String, State>,
    pub(super) after_sales: BTreeMap<String, AfterSaleWord>,
    pub(super) joined: Option<Joined>,
    pub(super) titles: Option<Titles>,
    pub(super) day_from: Option<DayFrom>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    Line,
    Order,
}

/// The state that a platform tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nobody has paid: it is no order yet.
    Unpaid,
    /// Paid.
    ToShip,
    /// Part of it is on its way.
    PartShipped,
    /// On its way.
    Shipped,
    /// The buyer has it.
    Done,
    /// Called off.
    Closed,
}

impl State {
    const ALL: [Self; 6] = [Self::Unpaid, Self::ToShip, Self::PartShipped, Self::Shipped, Self::Done, Self::Closed];

    /// Its name in profiles and for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::ToShip => "to_ship",
            Self::PartShipped => "part_shipped",
            Self::Shipped => "shipped",
            Self::Done => "done",
            Self::Closed => "closed",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// What a platform tells of a line after its sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum AfterSaleWord {
    /// Nothing.
    #[default]
    None,
    /// The buyer asks for money or goods back.
    Asked,
    /// Part of the money went back.
    PartRefunded,
    /// The money went back.
    Refunded,
}

impl AfterSaleWord {
    const ALL: [Self; 4] = [Self::None, Self::Asked, Self::PartRefunded, Self::Refunded];

    /// Its name in profiles.
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Asked => "asked",
            Self::PartRefunded => "part_refunded",
            Self::Refunded => "refunded",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.code() == code)
    }
}

/// How an export by order puts several lines into one row.
#[derive(Debug, Clone)]
pub(super) struct Joined {
    pub(super) separator: String,
    pub(super) columns: BTreeSet<Meaning>,
}

/// How lines stand in a list of names.
#[derive(Debug, Clone)]
pub(super) struct Titles {
    pub(super) separators: Vec<char>,
    /// Its first group is the name, the second the packs.
    pub(super) pattern: Regex,
}

/// The day of an order in a text, for orders without a time.
#[derive(Debug, Clone)]
pub(super) struct DayFrom {
    pub(super) column: Meaning,
    /// Its groups are year (two or four digits), month and day.
    pub(super) pattern: Regex,
}

impl Profile {
    /// Reads a profile.
    pub fn read(text: &str) -> Result<Self, ProfileFault> {
        check::read(text)
    }

    /// True where lines have money of their own.
    pub(super) fn has_line_money(&self) -> bool {
        self.columns.contains_key(&Meaning::LineFen) || self.columns.contains_key(&Meaning::UnitFen)
    }

    /// True where rows have goods; a list of orders has its lines in another file.
    pub(super) fn has_lines(&self) -> bool {
        self.columns.contains_key(&Meaning::Packs) || self.columns.contains_key(&Meaning::Titles)
    }
}

/// Ours, by name.
const OWN: [(&str, &str); 8] = [
    ("douyin.toml", include_str!("../../../profiles/douyin.toml")),
    ("kuaishou.toml", include_str!("../../../profiles/kuaishou.toml")),
    ("pinduoduo.toml", include_str!("../../../profiles/pinduoduo.toml")),
    ("taobao-details.toml", include_str!("../../../profiles/taobao-details.toml")),
    ("taobao-items.toml", include_str!("../../../profiles/taobao-items.toml")),
    ("taobao-list.toml", include_str!("../../../profiles/taobao-list.toml")),
    ("weixin.toml", include_str!("../../../profiles/weixin.toml")),
    ("youzan.toml", include_str!("../../../profiles/youzan.toml")),
];

/// The profiles that files are read by.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    profiles: Vec<Profile>,
    /// Files of the operator that can't be used, with why.
    faults: Vec<(String, ProfileFault)>,
}

impl Profiles {
    /// Ours alone.
    pub fn own() -> Self {
        let mut own = Self::default();
        for (file, text) in OWN {
            own.add(file, text);
        }
        own
    }

    /// Adds a file's profile, in place of one of the same name; one that can't be used is kept as a fault.
    pub fn add(&mut self, file: &str, text: &str) {
        match Profile::read(text) {
            Ok(profile) => {
                self.profiles.retain(|other| other.name != profile.name);
                self.profiles.push(profile);
            }
            Err(fault) => self.faults.push((file.to_owned(), fault)),
        }
    }

    /// All that can be used.
    pub fn all(&self) -> &[Profile] {
        &self.profiles
    }

    /// Files that can't be used, with why.
    pub fn faults(&self) -> &[(String, ProfileFault)] {
        &self.faults
    }
}
