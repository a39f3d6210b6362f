//! Where the headings stand, and which profile knows them.

use super::cells::Cell;
use super::fault::FileFault;
use super::profile::{MEANINGS, Meaning, Profile};
use super::sheet::Row;
use super::text;

/// Headings are looked for in this many rows.
pub(super) const ROWS_MAX: u32 = 20;

/// A profile, and where its columns stand in this file.
#[derive(Debug)]
pub(super) struct Headings<'a> {
    pub(super) profile: &'a Profile,
    /// The row's number.
    pub(super) record: u32,
    /// Columns up to the last heading.
    pub(super) width: usize,
    /// By meaning: its columns, the first non-empty cell wins.
    columns: Vec<Vec<usize>>,
}

impl<'a> Headings<'a> {
    /// Finds the profile whose required headings all stand in this row; none where there is none. Of several the one that requires
    /// most; of two that require as many the person must choose.
    pub(super) fn find(row: &Row, profiles: &[&'a Profile]) -> Result<Option<Self>, FileFault> {
        let keys: Vec<String> = row
            .cells
            .iter()
            .map(|cell| if let Cell::Text(text) = cell { text::key(text) } else { String::new() })
            .collect();
        let is_here = |heading: &String| keys.iter().any(|key| key == heading);
        let fitting: Vec<&'a Profile> =
            profiles.iter().copied().filter(|profile| profile.required.iter().all(is_here)).collect();
        let most = fitting.iter().map(|profile| profile.required.len()).max().unwrap_or(0);
        let best: Vec<&'a Profile> = fitting.into_iter().filter(|profile| profile.required.len() == most).collect();
        match best.as_slice() {
            [] => Ok(None),
            [profile] => Ok(Some(Self::of(row.number, &keys, profile))),
            several => Err(FileFault::ProfileUnclear(several.iter().map(|profile| profile.name.clone()).collect())),
        }
    }

    fn of(record: u32, keys: &[String], profile: &'a Profile) -> Self {
        // Of a heading that stands twice the first counts.
        let place = |heading: &String| keys.iter().position(|key| key == heading);
        let mut columns = vec![Vec::new(); MEANINGS];
        for (meaning, headings) in &profile.columns {
            if let Some(found) = columns.get_mut(*meaning as usize) {
                *found = headings.iter().filter_map(place).collect();
            }
        }
        let width = keys.iter().rposition(|key| !key.is_empty()).map_or(0, |last| last.saturating_add(1));
        Self { profile, record, width, columns }
    }

    /// The columns of a meaning, in the profile's order.
    pub(super) fn columns(&self, meaning: Meaning) -> &[usize] {
        self.columns.get(meaning as usize).map(Vec::as_slice).unwrap_or_default()
    }
}
