//! What a file says, before anything is taken.

use std::collections::BTreeMap;

use granary_client_core::quantities::Instant;
use serde_json::{Value, json};

use super::fault::{Skipped, Why};
use super::gather::{FoundLine, FoundOrder};
use super::kind::Kind;
use super::profile::{Profile, State};
use super::skus::SkuNames;
use super::text::Encoding;

/// With what a file is read.
pub struct Ask<'a> {
    /// What its sender calls it.
    pub file_name: String,
    /// By which it may be read.
    pub profiles: &'a [Profile],
    /// The one by which it must be read, where a person says so.
    pub profile: Option<&'a str>,
    /// The codes and names that are known.
    pub skus: &'a SkuNames,
    /// When it was brought.
    pub uploaded_at: Instant,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// What its sender calls it.
    pub file: String,
    /// The profile that fits.
    pub profile: String,
    /// The platform.
    pub platform: String,
    /// The kind of file.
    pub kind: Kind,
    /// Its encoding; none for a workbook.
    pub encoding: Option<Encoding>,
    /// The row of its headings.
    pub header_record: u32,
    /// Rows under the headings that are not empty.
    pub records: u32,
    /// What can be taken.
    pub orders: Vec<FoundOrder>,
    /// Rows that can't, by number.
    pub refused: Vec<(u32, Why)>,
    /// Rows that need not, by number.
    pub skipped: Vec<(u32, Skipped)>,
    /// Rows with letters that nobody sees, which were taken out.
    pub changed_rows: u32,
    /// When the platform knew this.
    pub told_at: Instant,
    /// True where money is counted by line.
    pub has_line_money: bool,
    /// False for a list of orders whose lines are in another file.
    pub has_lines: bool,
    /// The profile of the file with the lines of these orders.
    pub lines_in: Option<String>,
    /// The profile of the file with the orders of these lines.
    pub orders_in: Option<String>,
}

/// What a file's orders come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// Lines.
    pub lines: usize,
    /// Packs of all lines.
    pub packs: u64,
    /// Money, refunded and closed orders included.
    pub total_fen: u64,
    /// Lines that cost nothing.
    pub gifts: usize,
    /// Orders whose receiver is masked or enciphered.
    pub sealed_orders: usize,
    /// Lines by state.
    pub by_state: BTreeMap<State, usize>,
    /// Lines to be packed.
    pub to_pack: usize,
}

impl Preview {
    pub(super) fn of(profile: &Profile, preview: Self) -> Self {
        Self {
            has_line_money: profile.has_line_money(),
            has_lines: profile.has_lines(),
            lines_in: profile.lines_in.clone(),
            orders_in: profile.orders_in.clone(),
            ..preview
        }
    }

    /// All lines.
    pub fn lines(&self) -> impl Iterator<Item = &FoundLine> {
        self.orders.iter().flat_map(|order| &order.lines)
    }

    /// What the orders come to.
    pub fn sums(&self) -> Sums {
        let mut sums =
            Sums { sealed_orders: self.orders.iter().filter(|order| order.is_sealed).count(), ..Sums::default() };
        for line in self.lines() {
            sums.lines = sums.lines.saturating_add(1);
            sums.packs = sums.packs.saturating_add(u64::from(line.packs));
            sums.gifts = sums.gifts.saturating_add(usize::from(line.is_gift));
            sums.to_pack = sums.to_pack.saturating_add(usize::from(line.is_to_pack()));
            let count = sums.by_state.entry(line.state).or_default();
            *count = count.saturating_add(1);
            if self.has_line_money {
                sums.total_fen = sums.total_fen.saturating_add(line.fen.unwrap_or(0));
            }
        }
        if !self.has_line_money {
            let money = self.orders.iter().filter_map(|order| order.total_fen);
            sums.total_fen = money.fold(0, u64::saturating_add);
        }
        sums
    }

    /// Lines that no SKU is found for, in the order of their rows.
    pub fn unmapped(&self) -> Vec<&FoundLine> {
        let mut lines: Vec<&FoundLine> = self.lines().filter(|line| line.sku.is_none()).collect();
        lines.sort_by_key(|line| line.record);
        lines
    }

    /// Finds SKUs again, once more codes and names are known.
    pub fn map(&mut self, skus: &SkuNames) {
        for line in self.orders.iter_mut().flat_map(|order| &mut order.lines) {
            line.sku = skus.find(&line.code, &line.title).map(str::to_owned);
        }
    }

    /// For programs: the fields of a file, as its conforming readers give them.
    pub fn json(&self) -> Value {
        let sums = self.sums();
        let by_state: serde_json::Map<String, Value> =
            sums.by_state.iter().map(|(state, count)| (state.code().to_owned(), json!(count))).collect();
        let refused: Vec<Value> =
            self.refused.iter().map(|(record, why)| json!({"record": record, "why": why.code()})).collect();
        let skipped: Vec<Value> =
            self.skipped.iter().map(|(record, why)| json!({"record": record, "why": why.code()})).collect();
        let unmapped: Vec<Value> =
            self.unmapped().iter().map(|line| json!({"record": line.record, "what": line.what()})).collect();
        json!({
            "file": self.file,
            "profile": self.profile,
            "kind": self.kind.code(),
            "encoding": self.encoding.map(Encoding::code),
            "header_record": self.header_record,
            "records": self.records,
            "orders": self.orders.len(),
            "lines": sums.lines,
            "packs": sums.packs,
            "total_fen": sums.total_fen,
            "refused": refused,
            "skipped": skipped,
            "unmapped": unmapped,
            "gifts": sums.gifts,
            "sealed_orders": sums.sealed_orders,
            "lines_by_status": by_state,
            "to_pack": sums.to_pack,
        })
    }
}
