//! Rows as they come, gathered to orders: repeats, conflicts, counts.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use granary_client_core::quantities::Instant;

use super::fault::{FileFault, Skipped, TooLarge, Why};
use super::headings::{Headings, ROWS_MAX};
use super::kind::Kind;
use super::preview::{Ask, Preview};
use super::profile::{AfterSaleWord, Profile, State};
use super::rows::{Digest, Found, Judge, Judged, LINES_MAX};
use super::sheet::{Row, Rows, Weight};
use super::text::Encoding;
use super::{RECORDS_MAX, cells, told};

/// All lines of a file.
const ALL_LINES_MAX: usize = 100_000;
/// States that no profile lists and that are named.
const WORDS_MAX: usize = 50;
/// All texts that are kept, in bytes. A workbook's shared text costs few bytes in the file wherever it stands.
const KEPT_MAX: usize = 40 * 1024 * 1024;

/// A line that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLine {
    /// The platform's number; where it has none, a name that each export gives alike.
    pub line_id: String,
    /// The SKU that it is, where that is known.
    pub sku: Option<String>,
    /// The merchant's code; may be empty.
    pub code: String,
    /// What the shop calls it; may be empty.
    pub title: String,
    /// How many packs.
    pub packs: u32,
    /// Its money; none where the export has it by order alone.
    pub fen: Option<u64>,
    /// True where it costs nothing.
    pub is_gift: bool,
    /// What the platform tells of it.
    pub state: State,
    /// What the platform tells of it after its sale.
    pub after_sale: AfterSaleWord,
    /// The row.
    pub record: u32,
}

impl FoundLine {
    /// What it is called where no SKU is found.
    pub fn what(&self) -> &str {
        if self.code.is_empty() { &self.title } else { &self.code }
    }

    /// True where it is to be packed.
    pub fn is_to_pack(&self) -> bool {
        self.state == State::ToShip && self.after_sale == AfterSaleWord::None
    }
}

/// An order that was found. Texts may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct FoundOrder {
    pub order_id: String,
    /// Of its first row.
    pub state: State,
    /// Its first row.
    pub record: u32,
    pub placed_at: Option<Instant>,
    pub paid_at: Option<Instant>,
    pub promised_at: Option<Instant>,
    pub total_fen: Option<u64>,
    pub freight_fen: Option<u64>,
    pub receiver_name: String,
    pub receiver_phone: String,
    pub address: String,
    /// True where the receiver is masked or enciphered.
    pub is_sealed: bool,
    pub buyer_note: String,
    pub seller_note: String,
    pub host_id: String,
    pub carrier: String,
    pub tracking: String,
    pub lines: Vec<FoundLine>,
}

impl FoundOrder {
    pub(super) fn new(order_id: String, state: State, record: u32) -> Self {
        Self {
            order_id,
            state,
            record,
            placed_at: None,
            paid_at: None,
            promised_at: None,
            total_fen: None,
            freight_fen: None,
            receiver_name: String::new(),
            receiver_phone: String::new(),
            address: String::new(),
            is_sealed: false,
            buyer_note: String::new(),
            seller_note: String::new(),
            host_id: String::new(),
            carrier: String::new(),
            tracking: String::new(),
            lines: Vec::new(),
        }
    }

    /// Bytes of its texts, lines apart.
    fn weight(&self) -> usize {
        let texts = [
            &self.order_id,
            &self.receiver_name,
            &self.receiver_phone,
            &self.address,
            &self.buyer_note,
            &self.seller_note,
            &self.host_id,
            &self.carrier,
            &self.tracking,
        ];
        texts.into_iter().map(String::len).sum()
    }

    /// Takes from another row of the same order what is not known yet.
    pub(super) fn complete(&mut self, other: Self) {
        let Self { placed_at, paid_at, promised_at, total_fen, freight_fen, is_sealed, lines, .. } = other;
        self.placed_at = self.placed_at.or(placed_at);
        self.paid_at = self.paid_at.or(paid_at);
        self.promised_at = self.promised_at.or(promised_at);
        self.total_fen = self.total_fen.or(total_fen);
        self.freight_fen = self.freight_fen.or(freight_fen);
        self.is_sealed |= is_sealed;
        for (own, text) in [
            (&mut self.receiver_name, other.receiver_name),
            (&mut self.receiver_phone, other.receiver_phone),
            (&mut self.address, other.address),
            (&mut self.buyer_note, other.buyer_note),
            (&mut self.seller_note, other.seller_note),
            (&mut self.host_id, other.host_id),
            (&mut self.carrier, other.carrier),
            (&mut self.tracking, other.tracking),
        ] {
            if own.is_empty() {
                *own = text;
            }
        }
        self.lines.extend(lines);
    }
}

/// A file that is being read.
pub(super) struct Reading<'a> {
    ask: &'a Ask<'a>,
    profiles: Vec<&'a Profile>,
    judge: Option<Judge<'a>>,
    is_from_1904: bool,
    has_rows: bool,
    /// Texts above the headings.
    notices: Vec<String>,
    records: u32,
    orders: Vec<FoundOrder>,
    by_id: HashMap<String, usize>,
    taken: HashMap<Digest, Digest>,
    refused: Vec<(u32, Why)>,
    /// States that no profile lists.
    words: BTreeSet<Arc<str>>,
    skipped: Vec<(u32, Skipped)>,
    lines: usize,
    kept: usize,
    weight: Weight,
    changed_rows: u32,
}

impl<'a> Reading<'a> {
    pub(super) fn new(ask: &'a Ask<'a>) -> Self {
        let is_asked = |profile: &&Profile| ask.profile.is_none_or(|name| profile.name == name);
        Self {
            ask,
            profiles: ask.profiles.iter().filter(is_asked).collect(),
            judge: None,
            is_from_1904: false,
            has_rows: false,
            notices: Vec::new(),
            records: 0,
            orders: Vec::new(),
            by_id: HashMap::new(),
            taken: HashMap::new(),
            refused: Vec::new(),
            words: BTreeSet::new(),
            skipped: Vec::new(),
            lines: 0,
            kept: 0,
            weight: Weight::default(),
            changed_rows: 0,
        }
    }

    /// The same, with its word among those that are kept; without it where there are too many.
    fn with_word_kept(&mut self, why: Why) -> Why {
        let Why::StatusUnknown(Some(word)) = why else { return why };
        if let Some(kept) = self.words.get(&word) {
            return Why::StatusUnknown(Some(Arc::clone(kept)));
        }
        let has_room = self.words.len() < WORDS_MAX;
        if has_room {
            self.words.insert(Arc::clone(&word));
        }
        Why::StatusUnknown(Some(word).filter(|_| has_room))
    }

    /// Repeats are passed over; what contradicts an earlier row is refused, and that one stays.
    fn found(&mut self, record: u32, found: Found) -> Result<(), FileFault> {
        let Found { order, keys, content, is_changed } = found;
        let known: Vec<&Digest> = keys.iter().filter_map(|key| self.taken.get(key)).collect();
        if !known.is_empty() {
            if known.len() == keys.len() && known.into_iter().all(|known| *known == content) {
                self.skipped.push((record, Skipped::RepeatedRow));
            } else {
                self.refused.push((record, Why::LineConflict));
            }
            return Ok(());
        }
        let place = self.by_id.get(&order.order_id).copied();
        let before = place.and_then(|place| self.orders.get(place)).map_or(0, |known| known.lines.len());
        if before.saturating_add(order.lines.len()) > LINES_MAX {
            self.refused.push((record, Why::TooManyLines));
            return Ok(());
        }
        self.lines = self.lines.saturating_add(order.lines.len());
        if self.lines > ALL_LINES_MAX {
            return Err(FileFault::TooLarge(TooLarge::Lines));
        }
        let lines: usize = order.lines.iter().map(|line| line.line_id.len() + line.code.len() + line.title.len()).sum();
        self.kept = self.kept.saturating_add(lines);
        self.taken.extend(keys.into_iter().map(|key| (key, content)));
        self.changed_rows = self.changed_rows.saturating_add(u32::from(is_changed));
        match place.and_then(|place| self.orders.get_mut(place)) {
            Some(known) => {
                let before = known.weight();
                known.complete(order);
                self.kept = self.kept.saturating_add(known.weight()).saturating_sub(before);
            }
            None => {
                self.kept = self.kept.saturating_add(order.weight());
                self.by_id.insert(order.order_id.clone(), self.orders.len());
                self.orders.push(order);
            }
        }
        if self.kept > KEPT_MAX { Err(FileFault::TooLargeInside) } else { Ok(()) }
    }

    pub(super) fn finish(self, kind: Kind, encoding: Option<Encoding>) -> Result<Preview, FileFault> {
        let judge = match self.judge {
            Some(judge) => judge,
            None if self.has_rows => return Err(FileFault::NoProfile),
            None => return Err(FileFault::Empty),
        };
        let latest = self.orders.iter().filter_map(|order| order.placed_at.max(order.paid_at)).max();
        let told_at = told::told_at(&self.ask.file_name, &self.notices, latest, self.ask.uploaded_at);
        let Headings { profile, record, .. } = judge.headings;
        Ok(Preview::of(
            profile,
            Preview {
                file: self.ask.file_name.clone(),
                profile: profile.name.clone(),
                platform: profile.platform.clone(),
                kind,
                encoding,
                header_record: record,
                records: self.records,
                orders: self.orders,
                refused: self.refused,
                skipped: self.skipped,
                changed_rows: self.changed_rows,
                told_at,
                ..Preview::default()
            },
        ))
    }
}

impl Rows for Reading<'_> {
    fn take(&mut self, row: Row) -> Result<(), FileFault> {
        self.weight.add(&row)?;
        let Some(judge) = &self.judge else {
            self.has_rows |= row.cells.iter().any(|cell| *cell != cells::Cell::Empty);
            if let Some(headings) = Headings::find(&row, &self.profiles)? {
                self.judge = Some(Judge { headings, skus: self.ask.skus, is_from_1904: self.is_from_1904 });
            } else if row.number >= ROWS_MAX {
                return Err(FileFault::NoProfile);
            } else {
                let texts = row.cells.into_iter().filter_map(|cell| match cell {
                    cells::Cell::Text(text) => Some(text),
                    _ => None,
                });
                self.notices.extend(texts.take(10));
            }
            return Ok(());
        };
        let judged = judge.judge(&row);
        if !matches!(judged, Judged::Blank) {
            if self.records >= RECORDS_MAX {
                return Err(FileFault::TooLarge(TooLarge::Records));
            }
            self.records = self.records.saturating_add(1);
        }
        match judged {
            Judged::Blank => {}
            Judged::Refused(why) => {
                let why = self.with_word_kept(why);
                self.refused.push((row.number, why));
            }
            Judged::Skipped(why) => self.skipped.push((row.number, why)),
            Judged::Found(found) => self.found(row.number, *found)?,
        }
        Ok(())
    }

    fn count_days_from_1904(&mut self) {
        self.is_from_1904 = true;
    }
}
