//! A list of orders and the file with their lines, as one.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::gather::FoundOrder;
use super::preview::Preview;

/// A pair of files of one platform, joined: money, time and receiver from the list, goods from the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// The list, whose orders have their lines now. Orders that only one of both files has are left out.
    pub preview: Preview,
    /// The files' names: the list's, then the other's.
    pub files: [String; 2],
    /// Orders without lines.
    pub without_lines: Vec<String>,
    /// Orders of the other file that the list does not have.
    pub without_order: Vec<String>,
}

impl Together {
    /// Joins two files; none where they are no pair.
    pub fn of(list: &Preview, details: &Preview) -> Option<Self> {
        let is_pair =
            list.lines_in.as_ref() == Some(&details.profile) && details.orders_in.as_ref() == Some(&list.profile);
        if !is_pair {
            return None;
        }
        let mut lines: HashMap<&str, &FoundOrder> =
            details.orders.iter().map(|order| (order.order_id.as_str(), order)).collect();
        let (mut orders, mut without_lines) = (Vec::new(), Vec::new());
        for order in &list.orders {
            match lines.remove(order.order_id.as_str()) {
                Some(found) => {
                    let mut whole = order.clone();
                    whole.lines = found.lines.clone();
                    // The order's own state binds a line: one that was called off is not packed.
                    for line in &mut whole.lines {
                        line.state = line.state.max(order.state);
                    }
                    orders.push(whole);
                }
                None => without_lines.push(order.order_id.clone()),
            }
        }
        let without_order = details.orders.iter().map(|order| order.order_id.clone());
        let without_order = without_order.filter(|id| lines.contains_key(id.as_str())).collect();
        let preview = Preview {
            orders,
            has_lines: true,
            lines_in: None,
            told_at: list.told_at.min(details.told_at),
            ..list.clone()
        };
        let files = [list.file.clone(), details.file.clone()];
        Some(Self { preview, files, without_lines, without_order })
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let sums = self.preview.sums();
        json!({
            "files": self.files,
            "orders": self.preview.orders.len(),
            "lines": sums.lines,
            "packs": sums.packs,
            "total_fen": sums.total_fen,
            "to_pack": sums.to_pack,
        })
    }
}

/// The pairs among files, each joined once.
pub fn pairs(previews: &[&Preview]) -> Vec<Together> {
    let lists = previews.iter().filter(|preview| preview.lines_in.is_some());
    lists.flat_map(|list| previews.iter().filter_map(|other| Together::of(list, other))).collect()
}
