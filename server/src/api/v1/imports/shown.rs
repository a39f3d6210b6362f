//! A file as programs see it.

use std::collections::BTreeMap;

use granary_client_core::quantities::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::{Import, ImportLine, TakenFile};
use crate::imports::{FoundLine, Preview};

/// Codes and names of goods that nobody knows, at most; the others are counted.
const UNMAPPED_MAX: usize = 1_000;

/// Where a file stands: it `waits`, it is `being-taken`, or it was `taken`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::api::v1) enum ImportState {
    Waits,
    BeingTaken,
    Taken,
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct ImportShown {
    /// Its id; the same file of the same shop has it again.
    pub(super) id: String,
    pub(super) state: ImportState,
    file_name: String,
    platform: String,
    /// The shop; empty where there is one alone.
    shop: String,
    /// The profile that it is read by.
    profile: String,
    /// When it was brought; none once it waits no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    brought_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<PreviewShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeShown>,
}

/// What a file says, before anything of it is taken.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct PreviewShown {
    /// `csv`, `xlsx`, `xls` or `html`.
    kind: String,
    /// Of a text: `utf-8`, `utf-8-bom` or `gb18030`.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    /// When the platform knew this.
    told_at: String,
    /// Rows under the headings.
    records: u32,
    /// Orders that can be taken.
    orders: usize,
    lines: usize,
    packs: u64,
    /// Money of all lines, refunded and closed ones included.
    total_fen: u64,
    /// Lines to be packed.
    to_pack: usize,
    /// Lines that cost nothing.
    gifts: usize,
    /// Orders whose receiver is masked or enciphered.
    sealed_orders: usize,
    /// Lines by the state that the platform tells, such as `to-ship`.
    lines_by_status: BTreeMap<String, usize>,
    refused_rows: usize,
    /// All rows that can't be taken, by why.
    refused: Vec<RowsShown>,
    skipped_rows: usize,
    /// All rows that need not be taken, by why.
    skipped: Vec<RowsShown>,
    /// Codes and names that no SKU has; a coordinator says once what each is. The file can be taken before.
    unmapped_count: usize,
    /// The first thousand of them.
    unmapped: Vec<UnmappedShown>,
    /// The file that it is taken together with.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<String>,
    /// The profile of the file that must be brought too: this one is half of a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<String>,
}

/// Rows of one reason.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct RowsShown {
    /// Why, for programs.
    code: String,
    /// Why, for people.
    detail: String,
    /// The rows' numbers as a spreadsheet counts them, from 1.
    rows: Vec<u32>,
}

/// Goods that no SKU is found for.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct UnmappedShown {
    /// The merchant's code, or the goods' name where there is no code.
    what: String,
    /// True for a code.
    is_code: bool,
    rows: Vec<u32>,
}

/// How far the taking of a file is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct ProgressShown {
    /// Orders that were taken.
    done: usize,
    /// Of how many.
    of: usize,
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct OutcomeShown {
    taken_at: String,
    /// Orders that were new.
    accepted: usize,
    /// Of these, orders with packs above what was set aside.
    over: usize,
    /// Known orders of which it told something new.
    updated: usize,
    /// Known orders of which it told nothing new.
    known: usize,
    not_taken_count: usize,
    /// The first hundred orders that were not taken.
    not_taken: Vec<NotTaken>,
    refused_rows: usize,
}

/// An order of a file that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct NotTaken {
    outside_id: String,
    field: String,
    code: String,
}

/// The files of the key's shop.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct ImportsShown {
    /// Those that wait or are being taken, the latest first; `GET /v1/imports/{id}` has what one says.
    pub(super) waiting: Vec<ImportShown>,
    /// The last hundred that were taken, the latest first.
    pub(super) taken: Vec<ImportShown>,
}

impl ImportShown {
    pub(super) fn of_line(line: ImportLine) -> Self {
        Self {
            state: if line.progress.is_some() { ImportState::BeingTaken } else { ImportState::Waits },
            id: line.id,
            file_name: line.file_name,
            platform: line.platform,
            shop: line.shop,
            profile: line.profile,
            brought_at: Some(line.at.to_string()),
            preview: None,
            progress: line.progress.map(|(done, of)| ProgressShown { done, of }),
            outcome: None,
        }
    }

    pub(super) fn of(import: Import) -> Self {
        let mut shown = Self::of_line(import.line);
        if let Some(taken) = &import.taken {
            shown.state = ImportState::Taken;
            shown.outcome = Some(OutcomeShown::of(taken));
        }
        shown.preview = Some(PreviewShown::of(&import.preview, import.partner));
        shown
    }

    pub(super) fn of_taken(taken: TakenFile) -> Self {
        Self {
            outcome: Some(OutcomeShown::of(&taken)),
            id: taken.id,
            state: ImportState::Taken,
            file_name: taken.file_name,
            platform: taken.platform,
            shop: taken.shop,
            profile: taken.profile,
            brought_at: None,
            preview: None,
            progress: None,
        }
    }
}

impl OutcomeShown {
    pub(super) fn of(taken: &TakenFile) -> Self {
        let named = taken.not_taken.iter().cloned();
        Self {
            taken_at: Instant(taken.at_millis).to_string(),
            accepted: taken.accepted,
            over: taken.over,
            updated: taken.updated,
            known: taken.known,
            not_taken_count: taken.not_taken_count,
            not_taken: named.map(|(outside_id, field, code)| NotTaken { outside_id, field, code }).collect(),
            refused_rows: taken.refused_rows,
        }
    }
}

fn by_reason(rows: impl Iterator<Item = (u32, &'static str, String)>) -> Vec<RowsShown> {
    let mut found: BTreeMap<(&'static str, String), Vec<u32>> = BTreeMap::new();
    for (row, code, detail) in rows {
        found.entry((code, detail)).or_default().push(row);
    }
    found.into_iter().map(|((code, detail), rows)| RowsShown { code: code.into(), detail, rows }).collect()
}

impl PreviewShown {
    pub(super) fn of(preview: &Preview, partner: Option<String>) -> Self {
        let sums = preview.sums();
        let mut unmapped: BTreeMap<(bool, &str), Vec<u32>> = BTreeMap::new();
        for line in preview.unmapped() {
            unmapped.entry((!line.code.is_empty(), FoundLine::what(line))).or_default().push(line.record);
        }
        let other = preview.lines_in.as_ref().or(preview.orders_in.as_ref());
        Self {
            kind: preview.kind.code().to_owned(),
            encoding: preview.encoding.map(|encoding| encoding.code().to_owned()),
            told_at: preview.told_at.to_string(),
            records: preview.records,
            orders: preview.orders.len(),
            lines: sums.lines,
            packs: sums.packs,
            total_fen: sums.total_fen,
            to_pack: sums.to_pack,
            gifts: sums.gifts,
            sealed_orders: sums.sealed_orders,
            lines_by_status: sums.by_state.iter().map(|(it, count)| (it.code().replace('_', "-"), *count)).collect(),
            refused_rows: preview.refused.len(),
            refused: by_reason(preview.refused.iter().map(|(row, why)| (*row, why.code(), why.to_string()))),
            skipped_rows: preview.skipped.len(),
            skipped: by_reason(preview.skipped.iter().map(|(row, why)| (*row, why.code(), why.to_string()))),
            unmapped_count: unmapped.len(),
            unmapped: unmapped
                .into_iter()
                .take(UNMAPPED_MAX)
                .map(|((is_code, what), rows)| UnmappedShown { what: what.to_owned(), is_code, rows })
                .collect(),
            needs: other.filter(|_| partner.is_none()).cloned(),
            partner,
        }
    }
}
