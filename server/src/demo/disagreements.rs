//! Disagreements of the demo, written as two phones of one household would have: each without knowing of the other.

use granary_client_core::crdt::Version;
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::quantities::{Grams, Instant, Permille};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::{self, Lot, LotDraft, LotEdit, correct, record};
use granary_client_core::schema::{Book, DocumentKey, Season};

use super::household_id;
use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// The two phones of a household: the mother's at home and the son's in the field.
const PHONES: [&str; 2] = ["家里的手机", "地里的手机"];

/// A disagreement in one household's book.
struct Story {
    household: u64,
    /// What each phone does with the household's first lot, or with a harvest that it records.
    tells: fn(&Lot) -> Result<[Told; 2], Error>,
}

enum Told {
    Corrects(LotEdit),
    Records(LotDraft),
}

/// The households' stories, each worth a look: which value is right can be told from what stands beside it.
const STORIES: [Story; 5] = [
    // Two digits changed places on one phone.
    Story {
        household: 3,
        tells: |_| {
            let grams = |grams| Ok::<_, Error>(Told::Corrects(LotEdit::Quantity(Grams::new(grams)?)));
            Ok([grams(38_500)?, grams(35_800)?])
        },
    },
    // One weighed the sack, the other without it.
    Story {
        household: 8,
        tells: |lot| {
            let grams = lot.quantity.map_or(20_000, Grams::get);
            let told = |grams| Ok::<_, Error>(Told::Corrects(LotEdit::Quantity(Grams::new(grams)?)));
            Ok([told(grams + 500)?, told(grams - 500)?])
        },
    },
    // The grade of one lot, by two people, and neither is what was recorded.
    Story {
        household: 21,
        tells: |lot| {
            let others = ["A", "B", "C"].into_iter().filter(|grade| lot.grade.as_deref() != Some(*grade));
            let mut told = others.map(|grade| Told::Corrects(LotEdit::Grade(grade.into())));
            let missing = || Error::NotFound { what: "grade", name: "of the demo".into() };
            Ok([told.next().ok_or_else(missing)?, told.next().ok_or_else(missing)?])
        },
    },
    // Both recorded the sacks from one field, from one scale.
    Story {
        household: 5, tells: |lot| Ok([harvested(lot, 46_000, "东坡地, 三袋")?, harvested(lot, 45_800, "东坡")?])
    },
    Story { household: 34, tells: |lot| Ok([harvested(lot, 27_500, "")?, harvested(lot, 27_500, "爸爸称的")?]) },
];

fn harvested(like: &Lot, grams: i64, note: &str) -> Result<Told, Error> {
    let product = like.product.clone().unwrap_or_else(|| "millet".into());
    let day = like.day.map_or_else(|| "2026-10-03".parse(), |day| Ok(day.plus_days(1)))?;
    Ok(Told::Records(LotDraft {
        grade: "B".into(),
        moisture: Some(Permille::new(130)?),
        note: note.into(),
        ..LotDraft::new(&product, Grams::new(grams)?, day)
    }))
}

/// Enrols a phone that nobody holds.
fn phone(
    granary: &Granary,
    number: CooperativeNumber,
    role: Role,
    name: &str,
    now: Instant,
) -> Result<DeviceId, Error> {
    let code = granary.invite(number, role, 1, now)?.code;
    let public_key: [u8; 32] = granary.random()?;
    granary.enrol(&EnrolRequest { code, public_key, name: name.into() }, now)?;
    Ok(DeviceId::of_public_key(&public_key))
}

/// Writes all of them. Gives their count.
pub(super) fn write(
    granary: &Granary,
    number: CooperativeNumber,
    season: Season,
    now: Instant,
) -> Result<usize, Error> {
    for Story { household, tells } in &STORIES {
        let id = household_id(*household);
        let key = DocumentKey::HarvestBook(Book::first(id, season));
        let Some(mut book) = granary.document(number, &key)? else { continue };
        let Some(lot) = harvest::lots(&book).into_iter().next() else { continue };
        // What both phones had when the line was last there.
        let seen = Version::of(&mut book);
        for (told, name) in tells(&lot)?.into_iter().zip(PHONES) {
            let device = phone(granary, number, Role::Household(id), name, now)?;
            let lot = lot.key.clone();
            let edit = Edits::one(key.clone(), move |doc| match &told {
                Told::Corrects(edit) => correct(doc, &lot, edit),
                Told::Records(draft) => record(doc, draft).map(drop),
            });
            let edit = Edits { seen: Some(seen.clone()), ..edit };
            granary.edit_as(number, device, now, vec![edit])?;
        }
    }
    Ok(STORIES.len())
}
