//! What was set aside, as the operator names it and reads of it.

use granary_client_core::ids::DeviceId;
use granary_client_core::words::{Phrase, Words, counted};

use crate::engine::set_aside::SetAsideChanges;
use crate::error::Error;
use crate::log::Cooperative;
use crate::said::Said;

const ASIDE_NAME: Phrase = Phrase::new(
    "aside-name",
    "give DEVICE/ENTRY, as `set-aside list` shows it",
    "请照 `set-aside list` 显示的写：DEVICE/ENTRY",
);

pub(super) fn place(name: &str) -> Result<(DeviceId, u64), Error> {
    SetAsideChanges::parse_name(name).ok_or_else(|| Error::invalid("name", ASIDE_NAME))
}

/// What was set aside, and its lots.
pub(super) fn lines(cooperative: &Cooperative, aside: &SetAsideChanges) -> Said {
    let (name, changes, document) = (aside.name(), aside.changes, &aside.document);
    let until = aside.until.map_or((String::new(), String::new()), |until| {
        (format!(", kept until {until}"), format!("，保留到 {}", until.in_china()))
    });
    let mut lines = vec![Said::new(
        format!(
            "{name}  {}{}  {} of {document}: {}",
            aside.received,
            until.0,
            counted(changes, "change", "changes"),
            aside.reason
        ),
        format!(
            "{name}  {}{}  {document} 的 {changes} 处改动：{}",
            aside.received.in_china(),
            until.1,
            aside.reason.chinese()
        ),
    )];
    for author in &aside.in_the_name_of {
        let whose = cooperative.device(*author).map(|record| format!(" ({})", record.name)).unwrap_or_default();
        lines.push(Said::new(format!("    in the name of {author}{whose}"), format!("    以 {author}{whose} 的名义")));
    }
    for (id, lot) in &aside.lots {
        let day = lot.day.map(|day| day.to_string()).unwrap_or_default();
        let weight = lot.quantity.map(|grams| grams.to_string()).unwrap_or_default();
        lines.push(format!("    {day}  {}  {weight}  {id}", lot.product.as_deref().unwrap_or_default()).into());
    }
    Said::lines(lines)
}
