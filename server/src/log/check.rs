//! Checks a store before it is served: the last records of each log are complete and chained, and the log is not
//! shorter than its high-water mark. A row's checksum can't show a missing row; dense numbers, running checksums and a
//! mark outside the store can.

use std::collections::BTreeMap;
use std::path::Path;

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::store::{Store, StoreFault};
use granary_client_core::words::Words;

use super::keys::{CooperativeNumber, Entry, GLOBAL, Heads, LogRecord, chain, entry_key, key, log_key, rest, rest_u64};
use super::records::CooperativeRecord;
use super::records::Mark;
use super::rows::parse;
use crate::config::{read_file, write_private};
use crate::error::Error;

/// Records of each log that are checked, from its end.
const TAIL: u64 = 512;

/// Marks of all co-operatives, kept in a file beside the store.
pub(crate) type Marks = BTreeMap<u32, Mark>;

/// A fault of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Finding {
    /// The log ends before where it was known to reach. Phones give back what it lost.
    #[error(
        "the log of co-operative {cooperative} ends at {found}, and was known to reach {known}: phones will give back what \
         it lost at their next sync"
    )]
    Shorter { cooperative: u32, found: u64, known: u64 },
    /// A record is missing or does not follow from the one before it.
    #[error("the log of co-operative {cooperative} is broken at {what} {number}")]
    Broken { cooperative: u32, what: &'static str, number: u64 },
}

impl Words for Finding {
    fn chinese(&self) -> String {
        match self {
            Self::Shorter { cooperative, found, known } => {
                format!("合作社 {cooperative} 的日志到 {found} 为止，以前到过 {known}：缺的由手机在下次同步时交回")
            }
            Self::Broken { cooperative, what, number } => {
                let what = if *what == "position" { "位置" } else { "条目" };
                format!("合作社 {cooperative} 的日志断在{what} {number}")
            }
        }
    }
}

impl Finding {
    /// True when phones give back the missing records, so the store can be served.
    pub(crate) fn is_recoverable(&self) -> bool {
        matches!(self, Self::Shorter { .. })
    }
}

/// Reads the marks; none when the file is missing or unreadable.
pub(crate) fn read_marks(path: &Path) -> Marks {
    read_file(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Writes the marks atomically.
pub(crate) fn write_marks(path: &Path, marks: &Marks) -> Result<(), Error> {
    write_private(path, &serde_json::to_vec(marks).unwrap_or_default())
}

/// All faults of the store's logs.
pub(crate) fn check(store: &dyn Store, marks: &Marks) -> Result<Vec<Finding>, StoreFault> {
    let mut findings = Vec::new();
    for row in store.scan_all(&key(GLOBAL, b'C', &[]))? {
        let number = rest(&row.key).try_into().map(u32::from_be_bytes);
        let number = CooperativeNumber(number.map_err(|_| StoreFault::Damaged(row.key.clone()))?);
        let _: CooperativeRecord = parse(&row.key, row.value.as_deref())?;
        let heads_key = key(number, b'h', &[]);
        let heads: Heads = match store.get(&heads_key)? {
            Some(bytes) => read_message(&bytes).map_err(|_| StoreFault::Damaged(heads_key))?,
            None => Heads::default(),
        };
        findings.extend(check_log(store, number, &heads)?);
        findings.extend(check_entries(store, number, &heads)?);
        if let Some(mark) = marks.get(&number.0).filter(|mark| mark.position > heads.position) {
            findings.push(Finding::Shorter { cooperative: number.0, found: heads.position, known: mark.position });
        }
    }
    Ok(findings)
}

fn check_log(store: &dyn Store, number: CooperativeNumber, heads: &Heads) -> Result<Option<Finding>, StoreFault> {
    let broken = |position| Some(Finding::Broken { cooperative: number.0, what: "position", number: position });
    let first = heads.position.saturating_sub(TAIL).max(1);
    let mut before: Option<u64> = (first == 1).then_some(0);
    for position in first..=heads.position {
        let key = log_key(number, position);
        let Some(bytes) = store.get(&key)? else { return Ok(broken(position)) };
        let record: LogRecord = parse(&key, Some(&bytes))?;
        if before.is_some_and(|tag| chain(tag, &write_message(&record.event)) != record.tag) {
            return Ok(broken(position));
        }
        before = Some(record.tag);
    }
    let last_fits = heads.position == 0 || before == Some(heads.position_tag);
    let beyond = store.scan(&key(number, b'l', &[]), Some(&log_key(number, heads.position)), 1)?;
    if !last_fits {
        return Ok(broken(heads.position));
    }
    Ok(beyond.first().and_then(|row| rest_u64(&row.key)).and_then(broken))
}

fn check_entries(store: &dyn Store, number: CooperativeNumber, heads: &Heads) -> Result<Option<Finding>, StoreFault> {
    let broken = |entry| Some(Finding::Broken { cooperative: number.0, what: "entry", number: entry });
    let first = heads.entry.saturating_sub(TAIL).max(1);
    let mut before: Option<u64> = (first == 1).then_some(0);
    for entry in first..=heads.entry {
        let key = entry_key(number, entry);
        let Some(bytes) = store.get(&key)? else { return Ok(broken(entry)) };
        let record: Entry = parse(&key, Some(&bytes))?;
        if before.is_some_and(|tag| !record.follows(tag)) {
            return Ok(broken(entry));
        }
        before = Some(record.tag);
    }
    let last_fits = heads.entry == 0 || before == Some(heads.entry_tag);
    if last_fits { Ok(None) } else { Ok(broken(heads.entry)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Granary;
    use granary_client_core::quantities::Instant;
    use granary_client_core::schema::{DocumentKey, Part, cooperative};
    use granary_client_core::store::{Batch, MemoryStore};
    use std::sync::Arc;

    fn filled() -> (MemoryStore, Marks) {
        let keys = tempfile::tempdir().unwrap();
        let store = MemoryStore::default();
        let granary = Granary::open(Arc::new(store.clone()), keys.path(), None, |fault| panic!("{fault}")).unwrap();
        let number = granary.create_cooperative("Linxian", Instant(0)).unwrap();
        for place in 0..6 {
            let edit = move |doc: &mut _| cooperative::set_village(doc, &format!("village-{place}"), "东坡村");
            granary.edit(number, &DocumentKey::Cooperative(Part::FIRST), Instant(0), edit).unwrap();
        }
        (store.copy(), granary.marks())
    }

    #[test]
    fn check_accepts_intact_log() {
        let (store, marks) = filled();
        assert_eq!(check(&store, &marks).unwrap(), []);
    }

    #[test]
    fn check_names_missing_record_and_lost_tail() {
        let (store, marks) = filled();
        let number = CooperativeNumber(1);
        let mut batch = Batch::default();
        batch.remove(log_key(number, 3));
        store.apply(&batch).unwrap();
        let found = check(&store, &marks).unwrap();
        assert_eq!(found, [Finding::Broken { cooperative: 1, what: "position", number: 3 }]);
        assert!(!found[0].is_recoverable());

        let (store, mut marks) = filled();
        let reached = marks[&1].position;
        marks.get_mut(&1).unwrap().position += 4;
        let found = check(&store, &marks).unwrap();
        assert_eq!(found, [Finding::Shorter { cooperative: 1, found: reached, known: reached + 4 }]);
        assert!(found[0].is_recoverable());
    }
}
