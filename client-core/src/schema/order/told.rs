//! What the platform told of an order, by told time: one text, so that each telling is one small operation.
//!
//! The first line is `MILLIS STATE`. Each further one is `STATE MILLIS LINE`, for a line of the order that has another after-sale
//! state than none, or none at another time. Of values that were written at once, the latest of each part counts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use automerge::{AutoCommit, ROOT, ReadDoc};

use super::{AfterSale, LINES_MAX, TakenLine, TakenOrder, ToldStatus};
use crate::quantities::{Instant, TextField, checked_text};

/// The longest text, in bytes; of a longer one nothing is read.
const BYTES_MAX: usize = 32 * 1024;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// When this was told.
    pub(super) at: Instant,
    /// The platform's state.
    pub(super) status: ToldStatus,
    /// What is told of lines, each with its time; of one that is not here, that nothing was asked for at [`Self::at`].
    lines: BTreeMap<String, (Instant, AfterSale)>,
}

impl Told {
    /// What a told order says.
    pub(super) fn by(order: &TakenOrder) -> Self {
        let line =
            |line: &TakenLine| (line.line_id.clone(), (line.after_sale_at.unwrap_or(order.told_at), line.after_sale));
        Self::new(order.told_at, order.told, order.lines.iter().map(line).collect())
    }

    /// As it is after a message that says this and nothing of these lines.
    pub(super) fn after(self, message: Self, unsaid: impl IntoIterator<Item = String>) -> Self {
        let unsaid: Vec<_> = unsaid.into_iter().map(|line| (self.line(&line), line)).collect();
        let mut lines = message.lines;
        lines.extend(unsaid.into_iter().map(|(told, line)| (line, told)));
        self.merged_with(Self { lines, ..message })
    }

    /// What was told of a line, and when.
    pub(super) fn line(&self, line: &str) -> (Instant, AfterSale) {
        self.lines.get(line).copied().unwrap_or((self.at, AfterSale::None))
    }

    fn new(at: Instant, status: ToldStatus, mut lines: BTreeMap<String, (Instant, AfterSale)>) -> Self {
        lines.retain(|_, told| *told != (at, AfterSale::None));
        Self { at, status, lines }
    }

    /// Of each part the later one; of one time the further state.
    pub(super) fn merged_with(self, other: Self) -> Self {
        let both = self.lines.keys().chain(other.lines.keys());
        let lines = both.map(|line| (line.clone(), self.line(line).max(other.line(line)))).collect();
        let (at, status) = (self.at, self.status).max((other.at, other.status));
        Self::new(at, status, lines)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.at.0, self.status.name())?;
        self.lines.iter().try_for_each(|(line, (at, state))| write!(formatter, "\n{} {} {line}", state.name(), at.0))
    }
}

impl FromStr for Told {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() > BYTES_MAX {
            return Err(());
        }
        let moment = |text: &str| text.parse().ok().and_then(Instant::told).ok_or(());
        let mut rows = text.split('\n');
        let (at, status) = rows.next().and_then(|row| row.split_once(' ')).ok_or(())?;
        let (at, status) = (moment(at)?, ToldStatus::from_name(status).ok_or(())?);
        let mut lines = BTreeMap::new();
        for row in rows {
            let mut parts = row.splitn(3, ' ');
            let state = parts.next().and_then(AfterSale::from_name).ok_or(())?;
            let at = moment(parts.next().ok_or(())?)?;
            let line = parts.next().filter(|line| checked_text(TextField::LineId, line).as_deref() == Ok(*line));
            if lines.insert(line.ok_or(())?.to_owned(), (at, state)).is_some() || lines.len() > LINES_MAX {
                return Err(());
            }
        }
        Ok(Self::new(at, status, lines))
    }
}

/// What a document says was told, with the number of values that say it; none where none of them can be read.
pub(super) fn told_of(automerge: &AutoCommit) -> (Option<Told>, usize) {
    let values = automerge.get_all(ROOT, "told").unwrap_or_default();
    let told = values.iter().filter_map(|(value, _)| value.as_str()?.parse::<Told>().ok());
    (told.reduce(Told::merged_with), values.len())
}
