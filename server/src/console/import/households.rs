//! Which household each row of a file means. Two people of one name are two: nobody is moved or merged unless the person who
//! imports says so.

use std::collections::BTreeSet;

use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::HouseholdRow;

/// What the file says of one household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) line: u64,
    /// None where the row names it by its id alone.
    pub(super) name: Option<String>,
    /// The village's code; none where the row says nothing of it.
    pub(super) village: Option<String>,
    /// The household's id, where the file names it.
    pub(super) id: Option<HouseholdId>,
}

/// What happens with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// A household begins.
    New,
    /// The household is here as the row says.
    Same(HouseholdId),
    /// The household gets another name or village.
    Change(HouseholdId),
    /// The row says an earlier row again.
    Skip,
}

/// What a person may choose for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) fate: Fate,
    /// What else may be chosen, with `fate` among it; one where there is no question.
    pub(super) choices: Vec<Fate>,
}

/// Why a row can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanFault {
    /// No household has the id.
    UnknownId,
    /// An earlier row means the same household.
    Twice,
    /// What was chosen is not open to choice, or no longer.
    NotAChoice,
}

impl Fate {
    /// The choice's name in the form.
    pub(super) fn name(self) -> String {
        match self {
            Self::New => "new".to_owned(),
            Self::Skip => "skip".to_owned(),
            Self::Same(id) | Self::Change(id) => id.to_string(),
        }
    }
}

/// Plans all rows. `chosen` gives what the person chose for a line, by [`Fate::name`].
pub(super) fn plan<'a>(
    said: &[Said],
    known: &[HouseholdRow],
    chosen: impl Fn(u64) -> Option<&'a str>,
) -> Vec<Result<Plan, PlanFault>> {
    let mut taken: BTreeSet<HouseholdId> = said.iter().filter_map(|row| row.id).collect();
    let mut by_id = BTreeSet::new();
    let mut plans = Vec::with_capacity(said.len());
    for (place, row) in said.iter().enumerate() {
        let agrees = |said: &Option<String>, here: &str| said.as_ref().is_none_or(|said| said == here);
        let fate_of =
            |other: &HouseholdRow| match agrees(&row.name, &other.name) && agrees(&row.village, &other.village) {
                true => Fate::Same(other.household),
                false => Fate::Change(other.household),
            };
        if let Some(id) = row.id {
            plans.push(match known.iter().find(|other| other.household == id) {
                None => Err(PlanFault::UnknownId),
                Some(_) if !by_id.insert(id) => Err(PlanFault::Twice),
                Some(other) => Ok(Plan { fate: fate_of(other), choices: vec![fate_of(other)] }),
            });
            continue;
        }
        let is_again = said.iter().take(place).any(|other| (&other.name, &other.village) == (&row.name, &row.village));
        let named = |other: &&HouseholdRow| Some(&other.name) == row.name.as_ref() && !taken.contains(&other.household);
        let mut namesakes: Vec<&HouseholdRow> = known.iter().filter(named).collect();
        // Those of the same village first, then those that the row says nothing against.
        let is_exact = |other: &HouseholdRow| other.village == row.village.as_deref().unwrap_or_default();
        namesakes.sort_by_key(|other| (!is_exact(other), matches!(fate_of(other), Fate::Change(_))));
        let mut choices: Vec<Fate> = namesakes.iter().map(|other| fate_of(other)).collect();
        choices.push(Fate::New);
        if is_again {
            choices.push(Fate::Skip);
        }
        let usual = match namesakes.as_slice() {
            [first, ..] if is_exact(first) => Fate::Same(first.household),
            // A row without a village that can mean one household alone.
            [only] if row.village.is_none() => Fate::Same(only.household),
            _ => Fate::New,
        };
        let fate = match chosen(row.line) {
            None => Ok(usual),
            Some(name) => choices.iter().copied().find(|fate| fate.name() == name).ok_or(PlanFault::NotAChoice),
        };
        if let Ok(Fate::Same(id) | Fate::Change(id)) = fate {
            taken.insert(id);
        }
        plans.push(fate.map(|fate| Plan { fate, choices }));
    }
    plans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> HouseholdId {
        HouseholdId::from_bytes([number; 16])
    }

    fn known(rows: &[(u8, &str, &str)]) -> Vec<HouseholdRow> {
        rows.iter()
            .map(|(number, name, village)| HouseholdRow {
                household: id(*number),
                name: (*name).into(),
                village: (*village).into(),
                payment: String::new(),
                members: String::new(),
                lots: 0,
                recorded_grams: 0,
            })
            .collect()
    }

    fn said(rows: &[(&str, &str, Option<u8>)]) -> Vec<Said> {
        (2u64..)
            .zip(rows)
            .map(|(line, (name, village, number))| Said {
                line,
                name: Some((*name).into()).filter(|name: &String| !name.is_empty()),
                village: Some((*village).into()).filter(|village: &String| !village.is_empty()),
                id: number.map(id),
            })
            .collect()
    }

    fn fates(said: &[Said], known: &[HouseholdRow], chosen: &[(u64, &str)]) -> Vec<Result<Fate, PlanFault>> {
        let chosen = |line| chosen.iter().find(|(at, _)| *at == line).map(|(_, name)| *name);
        plan(said, known, chosen).into_iter().map(|plan| plan.map(|plan| plan.fate)).collect()
    }

    #[test]
    fn two_people_of_one_name_stay_two() {
        let here = known(&[(1, "王小明", "dongpo")]);
        // One of this name comes in another village: nobody moves.
        let file = said(&[("王小明", "xihe", None)]);
        assert_eq!(fates(&file, &here, &[]), [Ok(Fate::New)]);
        // Both in one file, in two villages or in one.
        let file = said(&[("王小明", "dongpo", None), ("王小明", "xihe", None), ("王小明", "dongpo", None)]);
        assert_eq!(fates(&file, &here, &[]), [Ok(Fate::Same(id(1))), Ok(Fate::New), Ok(Fate::New)]);
        // And when the file comes again.
        let here = known(&[(1, "王小明", "dongpo"), (2, "王小明", "xihe"), (3, "王小明", "dongpo")]);
        assert_eq!(fates(&file, &here, &[]), [Ok(Fate::Same(id(1))), Ok(Fate::Same(id(2))), Ok(Fate::Same(id(3)))]);
    }

    #[test]
    fn a_person_chooses_who_moves_and_who_is_the_same() {
        let here = known(&[(1, "王小明", "dongpo")]);
        let file = said(&[("王小明", "xihe", None), ("李", "xihe", None), ("李", "xihe", None)]);
        let mover = id(1).to_string();
        assert_eq!(
            fates(&file, &here, &[(2, &mover), (4, "skip")]),
            [Ok(Fate::Change(id(1))), Ok(Fate::New), Ok(Fate::Skip)]
        );
        let same = said(&[("王小明", "dongpo", None)]);
        assert_eq!(fates(&same, &here, &[(2, "new")]), [Ok(Fate::New)]);
        assert_eq!(fates(&same, &here, &[(2, &id(9).to_string())]), [Err(PlanFault::NotAChoice)]);
        assert_eq!(fates(&same, &here, &[(2, "skip")]), [Err(PlanFault::NotAChoice)]);
    }

    #[test]
    fn a_row_without_a_village_moves_nobody() {
        let here = known(&[(1, "王小明", "dongpo"), (2, "李", ""), (3, "李", "xihe"), (4, "", "")]);
        let file = said(&[("王小明", "", None), ("李", "", None), ("赵", "", None), ("王小明", "", None)]);
        assert_eq!(
            fates(&file, &here, &[]),
            [Ok(Fate::Same(id(1))), Ok(Fate::Same(id(2))), Ok(Fate::New), Ok(Fate::New)]
        );
        // Of two it might mean, it is neither until a person says so.
        let here = known(&[(1, "王小明", "dongpo"), (2, "王小明", "xihe")]);
        assert_eq!(fates(&file[..1], &here, &[]), [Ok(Fate::New)]);
        let file = said(&[("", "", Some(1)), ("", "xihe", Some(2))]);
        assert_eq!(fates(&file, &here, &[]), [Ok(Fate::Same(id(1))), Ok(Fate::Same(id(2)))]);
    }

    #[test]
    fn an_id_says_who_is_meant() {
        let here = known(&[(1, "王小明", "dongpo"), (2, "王小明", "dongpo")]);
        let file = said(&[
            ("王小明", "dongpo", None),
            ("王大明", "xihe", Some(1)),
            ("x", "xihe", Some(1)),
            ("x", "y", Some(7)),
        ]);
        assert_eq!(
            fates(&file, &here, &[]),
            [Ok(Fate::Same(id(2))), Ok(Fate::Change(id(1))), Err(PlanFault::Twice), Err(PlanFault::UnknownId)]
        );
    }
}
