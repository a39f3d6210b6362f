//! A preview as text for a terminal, in the reader's language.

use std::collections::BTreeMap;

use granary_client_core::quantities::decimal;
use granary_client_core::words::{Language, Words, counted};

use super::preview::Preview;
use super::together::Together;

/// Rows of one reason that are named; the others are counted.
const NAMED_MAX: usize = 20;

fn say(language: Language, english: String, chinese: String) -> String {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

impl Preview {
    /// As text.
    pub fn shown(&self, language: Language) -> String {
        let sums = self.sums();
        let yuan = decimal(i64::try_from(sums.total_fen).unwrap_or(i64::MAX), 100);
        let encoding = self.encoding.map(|encoding| format!(", {}", encoding.code())).unwrap_or_default();
        let mut lines = vec![
            format!("{} ({}, {}{encoding})", self.file, self.profile, self.kind.code()),
            say(
                language,
                format!(
                    "  {}, {}, {}, {yuan} yuan; {} to pack",
                    counted(self.orders.len(), "order", "orders"),
                    counted(sums.lines, "line", "lines"),
                    counted(sums.packs, "pack", "packs"),
                    counted(sums.to_pack, "line", "lines")
                ),
                format!(
                    "  {} 个订单，{} 条明细，{} 件，{yuan} 元；待打包 {} 条",
                    self.orders.len(),
                    sums.lines,
                    sums.packs,
                    sums.to_pack
                ),
            ),
        ];
        if sums.sealed_orders > 0 {
            lines.push(say(
                language,
                format!("  {} with a masked receiver", counted(sums.sealed_orders, "order", "orders")),
                format!("  {} 个订单的收件人是加密或打码的", sums.sealed_orders),
            ));
        }
        let mut reasons: BTreeMap<(bool, &str, String), Vec<u32>> = BTreeMap::new();
        for (record, why) in &self.refused {
            reasons.entry((false, why.code(), why.words(language))).or_default().push(*record);
        }
        for (record, why) in &self.skipped {
            reasons.entry((true, why.code(), why.words(language))).or_default().push(*record);
        }
        for ((is_skipped, code, reason), records) in reasons {
            let rows = numbers(&records);
            lines.push(match is_skipped {
                true => say(
                    language,
                    format!("  passed over, row {rows}: {reason} ({code})"),
                    format!("  跳过，第 {rows} 行：{reason}（{code}）"),
                ),
                false => say(
                    language,
                    format!("  refused, row {rows}: {reason} ({code})"),
                    format!("  不收，第 {rows} 行：{reason}（{code}）"),
                ),
            });
        }
        let mut unknown: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for line in self.unmapped() {
            unknown.entry(line.what()).or_default().push(line.record);
        }
        for (what, records) in unknown {
            let rows = numbers(&records);
            lines.push(say(
                language,
                format!("  no SKU has the code or name \"{what}\", row {rows}"),
                format!("  没有商品用“{what}”这个编码或名称，第 {rows} 行"),
            ));
        }
        if self.changed_rows > 0 {
            lines.push(say(
                language,
                format!("  in {} letters that nobody sees were taken out", counted(self.changed_rows, "row", "rows")),
                format!("  {} 行里有看不见的字符，已去掉", self.changed_rows),
            ));
        }
        lines.join("\n")
    }
}

impl Together {
    /// As text.
    pub fn shown(&self, language: Language) -> String {
        let sums = self.preview.sums();
        let yuan = decimal(i64::try_from(sums.total_fen).unwrap_or(i64::MAX), 100);
        let (files, orders) = (self.files.join(" + "), self.preview.orders.len());
        let mut lines = vec![
            files,
            say(
                language,
                format!(
                    "  together {}, {}, {}, {yuan} yuan; {} to pack",
                    counted(orders, "order", "orders"),
                    counted(sums.lines, "line", "lines"),
                    counted(sums.packs, "pack", "packs"),
                    counted(sums.to_pack, "line", "lines")
                ),
                format!(
                    "  合起来 {orders} 个订单，{} 条明细，{} 件，{yuan} 元；待打包 {} 条",
                    sums.lines, sums.packs, sums.to_pack
                ),
            ),
        ];
        let (orders, details) = (self.without_lines.len(), self.without_order.len());
        if orders > 0 || details > 0 {
            lines.push(say(
                language,
                format!(
                    "  left out: {} without lines, {} of lines alone",
                    counted(orders, "order", "orders"),
                    counted(details, "order", "orders")
                ),
                format!("  {orders} 个订单没有明细、{details} 个订单只有明细，没有算在内"),
            ));
        }
        lines.join("\n")
    }
}

fn numbers(records: &[u32]) -> String {
    let named: Vec<String> = records.iter().take(NAMED_MAX).map(u32::to_string).collect();
    let more = records.len().saturating_sub(NAMED_MAX);
    if more == 0 { named.join(", ") } else { format!("{} (+{more})", named.join(", ")) }
}
