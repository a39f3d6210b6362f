//! Reading a profile strictly: what is not known is refused with its line, since a word that is passed over could ship a refunded
//! order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use granary_client_core::words::Words;
use regex::RegexBuilder;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{AfterSaleWord, DayFrom, Grain, Joined, Meaning, Profile, State, Titles};
use crate::imports::text;

/// Why a profile can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ProfileFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub kind: FaultKind,
}

/// What is wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The file can't be read.
    #[error("the file can't be read: {0}")]
    Unreadable(String),
    /// It is no TOML.
    #[error("no TOML: {0}")]
    Syntax(String),
    /// Something has to be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A name that says nothing here.
    #[error("`{0}` is not known here")]
    UnknownKey(String),
    /// A meaning that no column can have.
    #[error("`{0}` is no meaning of a column")]
    UnknownMeaning(String),
    /// A value of another kind.
    #[error("`{0}` must be {1}")]
    WrongKind(String, &'static str),
    /// A heading that would mean two things.
    #[error("the heading `{0}` has two meanings")]
    TwoMeanings(String),
    /// A word that would be two states, or is none.
    #[error("the word `{0}` is no state, or two")]
    State(String),
    /// A pattern that can't be used.
    #[error("the pattern can't be used: {0}")]
    Pattern(String),
}

impl Words for ProfileFault {
    fn chinese(&self) -> String {
        format!("第 {} 行：{}", self.line, self.kind.chinese())
    }
}

impl Words for FaultKind {
    fn chinese(&self) -> String {
        match self {
            Self::Unreadable(why) => format!("文件读不出来：{why}"),
            Self::Syntax(why) => format!("不是 TOML：{why}"),
            Self::Missing(name) => format!("缺少 `{name}`"),
            Self::UnknownKey(name) => format!("这里不认识 `{name}`"),
            Self::UnknownMeaning(name) => format!("列没有 `{name}` 这种含义"),
            Self::WrongKind(name, kind) => format!("`{name}` 应该是{}", kind_in_chinese(kind)),
            Self::TwoMeanings(heading) => format!("表头 `{heading}` 有两种含义"),
            Self::State(word) => format!("`{word}` 不是状态，或对应两种状态"),
            Self::Pattern(why) => format!("模式不能用：{why}"),
        }
    }
}

const TEXT: &str = "a text";
const TEXTS: &str = "a list of texts";
const TABLE: &str = "a table";
const BOOL: &str = "true or false";
const NAME: &str = "1 to 32 of a-z, 0-9 and -";
const GRAIN: &str = "`line` or `order`";

fn kind_in_chinese(kind: &str) -> &str {
    match kind {
        TEXT => "文字",
        TEXTS => "一列文字",
        TABLE => "一张表",
        BOOL => "true 或 false",
        NAME => "1 到 32 个 a-z、0-9 或 -",
        GRAIN => "`line` 或 `order`",
        other => other,
    }
}

type Value<'i> = Spanned<DeValue<'i>>;

/// Where a fault is, in bytes.
type Fault = (Range<usize>, FaultKind);

pub(super) fn read(text: &str) -> Result<Profile, ProfileFault> {
    let at = |place: usize| text.as_bytes().iter().take(place).filter(|byte| **byte == b'\n').count().saturating_add(1);
    let table = DeTable::parse(text).map_err(|error| ProfileFault {
        line: at(error.span().map_or(0, |span| span.start)),
        kind: FaultKind::Syntax(error.message().to_owned()),
    })?;
    profile(table.get_ref()).map_err(|(place, kind)| ProfileFault { line: at(place.start), kind })
}

/// Takes a table's values one by one; what is left is not known.
struct Left<'t, 'i> {
    values: BTreeMap<&'t str, (Range<usize>, &'t Value<'i>)>,
    place: Range<usize>,
}

impl<'t, 'i> Left<'t, 'i> {
    fn of(table: &'t DeTable<'i>, place: Range<usize>) -> Self {
        let values = table.iter().map(|(key, value)| (key.get_ref().as_ref(), (key.span(), value))).collect();
        Self { values, place }
    }

    fn take(&mut self, name: &'static str) -> Option<&'t Value<'i>> {
        self.values.remove(name).map(|(_, value)| value)
    }

    fn needed(&mut self, name: &'static str) -> Result<&'t Value<'i>, Fault> {
        self.take(name).ok_or((self.place.clone(), FaultKind::Missing(name)))
    }

    fn end(self) -> Result<(), Fault> {
        match self.values.into_iter().next() {
            Some((name, (place, _))) => Err((place, FaultKind::UnknownKey(name.to_owned()))),
            None => Ok(()),
        }
    }
}

fn wrong(name: &str, value: &Value<'_>, kind: &'static str) -> Fault {
    (value.span(), FaultKind::WrongKind(name.to_owned(), kind))
}

fn text_of(name: &str, value: &Value<'_>) -> Result<String, Fault> {
    value.get_ref().as_str().map(str::to_owned).ok_or_else(|| wrong(name, value, TEXT))
}

/// A name of profiles and platforms.
fn name_of(name: &str, value: &Value<'_>) -> Result<String, Fault> {
    let text = text_of(name, value)?;
    let is_usual = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = (1..=32).contains(&text.len()) && text.bytes().all(is_usual);
    if is_name { Ok(text) } else { Err(wrong(name, value, NAME)) }
}

fn texts_of(name: &str, value: &Value<'_>) -> Result<Vec<(Range<usize>, String)>, Fault> {
    let list = value.get_ref().as_array().ok_or_else(|| wrong(name, value, TEXTS))?;
    list.iter().map(|value| Ok((value.span(), text_of(name, value)?))).collect()
}

fn plain_texts(name: &str, value: Option<&Value<'_>>) -> Result<Vec<String>, Fault> {
    let texts = value.map(|value| texts_of(name, value)).transpose()?.unwrap_or_default();
    Ok(texts.into_iter().map(|(_, text)| text).collect())
}

fn table_of<'t, 'i>(name: &str, value: &'t Value<'i>) -> Result<Left<'t, 'i>, Fault> {
    let table = value.get_ref().as_table().ok_or_else(|| wrong(name, value, TABLE))?;
    Ok(Left::of(table, value.span()))
}

fn meaning_of(place: Range<usize>, name: &str) -> Result<Meaning, Fault> {
    Meaning::from_code(name).ok_or((place, FaultKind::UnknownMeaning(name.to_owned())))
}

fn meanings_of(name: &str, value: Option<&Value<'_>>) -> Result<BTreeSet<Meaning>, Fault> {
    let texts = value.map(|value| texts_of(name, value)).transpose()?.unwrap_or_default();
    texts.into_iter().map(|(place, text)| meaning_of(place, &text)).collect()
}

fn pattern_of(name: &str, value: &Value<'_>, groups: usize) -> Result<regex::Regex, Fault> {
    let text = text_of(name, value)?;
    let fault = |why: String| (value.span(), FaultKind::Pattern(why));
    let pattern = RegexBuilder::new(&text)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| fault(error.to_string().lines().last().unwrap_or_default().to_owned()))?;
    // The whole match is a group too.
    if pattern.captures_len() <= groups {
        return Err(fault(format!("({groups} × `(…)`)")));
    }
    Ok(pattern)
}

fn profile(table: &DeTable<'_>) -> Result<Profile, Fault> {
    let mut left = Left::of(table, 0..0);
    let name = name_of("profile", left.needed("profile")?)?;
    let platform = name_of("platform", left.needed("platform")?)?;
    let title = text_of("title", left.needed("title")?)?;
    let grain = left.needed("grain")?;
    let grain = match grain.get_ref().as_str() {
        Some("line") => Grain::Line,
        Some("order") => Grain::Order,
        _ => return Err(wrong("grain", grain, GRAIN)),
    };
    let columns = left.needed("columns")?;
    let columns_place = columns.span();
    let columns = columns_of(table_of("columns", columns)?)?;
    let required = required_of(left.needed("required")?, &columns)?;
    let has = |meaning: Meaning| columns.contains_key(&meaning);
    for (meaning, name) in [(Meaning::OrderId, "columns.order_id"), (Meaning::Status, "columns.status")] {
        if !has(meaning) {
            return Err((columns_place, FaultKind::Missing(name)));
        }
    }
    let lines_in = left.take("lines_in").map(|value| name_of("lines_in", value)).transpose()?;
    let orders_in = left.take("orders_in").map(|value| name_of("orders_in", value)).transpose()?;
    if !has(Meaning::Packs) && !has(Meaning::Titles) && lines_in.is_none() {
        return Err((columns_place, FaultKind::Missing("columns.packs")));
    }
    if !has(Meaning::PlacedAt) && orders_in.is_none() {
        return Err((columns_place, FaultKind::Missing("columns.placed_at")));
    }
    let titles = left.take("titles").map(titles_of).transpose()?;
    if has(Meaning::Titles) && titles.is_none() {
        return Err((0..0, FaultKind::Missing("titles")));
    }
    let states = words_of("status", left.needed("status")?, State::from_code)?;
    let after_sales =
        left.take("aftersale").map(|value| words_of("aftersale", value, AfterSaleWord::from_code)).transpose()?;
    if has(Meaning::AfterSale) && after_sales.is_none() {
        return Err((0..0, FaultKind::Missing("aftersale")));
    }
    let profile = Profile {
        name,
        platform,
        title,
        grain,
        required,
        empties: plain_texts("empties", left.take("empties"))?,
        sealed: plain_texts("sealed", left.take("sealed"))?.into_iter().filter(|mark| !mark.is_empty()).collect(),
        merged: meanings_of("merged", left.take("merged"))?,
        lines_in,
        orders_in,
        must: left.take("must").map(|value| must_of(value, &columns)).transpose()?.unwrap_or_default(),
        columns,
        states,
        after_sales: after_sales.unwrap_or_default(),
        joined: left.take("joined").map(joined_of).transpose()?,
        titles,
        day_from: left.take("day_from").map(day_from_of).transpose()?,
    };
    left.end()?;
    Ok(profile)
}

/// A heading means one thing. A time may also stand in for another time that is empty.
fn columns_of(left: Left<'_, '_>) -> Result<BTreeMap<Meaning, Vec<String>>, Fault> {
    let mut columns = BTreeMap::new();
    // By heading: its meaning, and whether it is that meaning's first.
    let mut seen: BTreeMap<String, (Meaning, bool)> = BTreeMap::new();
    let mut values: Vec<_> = left.values.into_iter().collect();
    values.sort_by_key(|(_, (place, _))| place.start);
    for (name, (place, value)) in values {
        let meaning = meaning_of(place, name)?;
        let mut keys = Vec::new();
        for (place, heading) in texts_of(name, value)? {
            let (key, is_first) = (text::key(&heading), keys.is_empty());
            if key.is_empty() {
                return Err((place, FaultKind::WrongKind(name.to_owned(), TEXTS)));
            }
            if let Some((other, was_first)) = seen.get(&key) {
                let stands_in = meaning.is_time() && other.is_time() && *other != meaning && !(is_first && *was_first);
                if !stands_in {
                    return Err((place, FaultKind::TwoMeanings(heading)));
                }
            }
            seen.insert(key.clone(), (meaning, is_first));
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(wrong(name, value, TEXTS));
        }
        columns.insert(meaning, keys);
    }
    Ok(columns)
}

/// Headings that must be there mean something.
fn required_of(value: &Value<'_>, columns: &BTreeMap<Meaning, Vec<String>>) -> Result<Vec<String>, Fault> {
    let mut required: Vec<String> = Vec::new();
    for (place, heading) in texts_of("required", value)? {
        let key = text::key(&heading);
        if !columns.values().flatten().any(|other| *other == key) {
            return Err((place, FaultKind::UnknownKey(heading)));
        }
        if !required.contains(&key) {
            required.push(key);
        }
    }
    if required.is_empty() { Err(wrong("required", value, TEXTS)) } else { Ok(required) }
}

fn must_of(value: &Value<'_>, columns: &BTreeMap<Meaning, Vec<String>>) -> Result<BTreeSet<Meaning>, Fault> {
    let mut must = BTreeSet::new();
    for (name, (place, value)) in table_of("must", value)?.values {
        let meaning = meaning_of(place.clone(), name)?;
        let is_on = value.get_ref().as_bool().ok_or_else(|| wrong(name, value, BOOL))?;
        if is_on && !(meaning.can_be_required() && columns.contains_key(&meaning)) {
            return Err((place, FaultKind::UnknownKey(format!("must.{name}"))));
        }
        if is_on {
            must.insert(meaning);
        }
    }
    Ok(must)
}

/// Words by state; words that people read as the same may not be two states.
fn words_of<T: Copy + PartialEq>(
    name: &'static str,
    value: &Value<'_>,
    from_code: fn(&str) -> Option<T>,
) -> Result<BTreeMap<String, T>, Fault> {
    let mut words = BTreeMap::new();
    for (word, (place, value)) in table_of(name, value)?.values {
        let state = value.get_ref().as_str().and_then(from_code);
        let state = state.ok_or_else(|| (value.span(), FaultKind::State(word.to_owned())))?;
        if words.insert(text::key(word), state).is_some_and(|other| other != state) {
            return Err((place, FaultKind::State(word.to_owned())));
        }
    }
    if words.is_empty() { Err((value.span(), FaultKind::Missing(name))) } else { Ok(words) }
}

fn joined_of(value: &Value<'_>) -> Result<Joined, Fault> {
    let mut left = table_of("joined", value)?;
    let separator = left.needed("separator")?;
    let text = text_of("separator", separator)?;
    if text.is_empty() {
        return Err(wrong("separator", separator, TEXT));
    }
    let columns = meanings_of("columns", Some(left.needed("columns")?))?;
    left.end()?;
    Ok(Joined { separator: text, columns })
}

fn titles_of(value: &Value<'_>) -> Result<Titles, Fault> {
    let mut left = table_of("titles", value)?;
    let separators = plain_texts("separators", Some(left.needed("separators")?))?;
    let pattern = pattern_of("pattern", left.needed("pattern")?, 2)?;
    left.end()?;
    let separators: Vec<char> = separators.iter().flat_map(|text| text.chars()).collect();
    if separators.is_empty() {
        return Err(wrong("separators", value, TEXTS));
    }
    Ok(Titles { separators, pattern })
}

fn day_from_of(value: &Value<'_>) -> Result<DayFrom, Fault> {
    let mut left = table_of("day_from", value)?;
    let column = left.needed("column")?;
    let column = meaning_of(column.span(), &text_of("column", column)?)?;
    let pattern = pattern_of("pattern", left.needed("pattern")?, 3)?;
    left.end()?;
    Ok(DayFrom { column, pattern })
}
