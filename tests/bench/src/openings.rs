//! Books that one phone wrote in several openings. Each opening that writes is one Automerge actor.

use std::path::Path;
use std::sync::Arc;

use granary_client_core::phone::Phone;
use granary_client_core::schema::harvest::LotDraft;
use granary_client_core::schema::{LotId, Season};

use crate::world::household;

/// How many openings are measured.
pub(crate) const OPENINGS: [usize; 3] = [1, 60, 600];

/// The drafts in as many even parts as there are openings.
pub(crate) fn parts(drafts: &[LotDraft], openings: usize) -> impl Iterator<Item = &[LotDraft]> {
    (0..openings).map(move |nth| &drafts[drafts.len() * nth / openings..drafts.len() * (nth + 1) / openings])
}

/// Records lots in the first household's book, the phone opened anew for each part. Gives the phone of the last opening.
pub(crate) fn record_in_openings(
    folder: &Path,
    season: Season,
    drafts: &[LotDraft],
    openings: usize,
) -> (Arc<Phone>, Vec<LotId>) {
    let mut names = Vec::with_capacity(drafts.len());
    let mut opened = None;
    for part in parts(drafts, openings) {
        // The store is locked by the opening before until it is dropped.
        drop(opened.take());
        let phone = Phone::open(folder).unwrap();
        names.extend(part.iter().map(|draft| phone.record(household(1), season, draft).unwrap()));
        opened = Some(phone);
    }
    (opened.unwrap(), names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::lots;

    #[test]
    fn parts_are_even_and_whole() {
        let drafts = lots(1, 1_000).0;
        for openings in OPENINGS {
            let lengths: Vec<usize> = parts(&drafts, openings).map(<[_]>::len).collect();
            assert_eq!((lengths.len(), lengths.iter().sum()), (openings, drafts.len()));
            assert!(lengths.iter().all(|length| *length >= drafts.len() / openings));
        }
    }
}
