//! Which household each row of a file means. Two people of one name are two: nobody is moved or merged unless the person who
//! imports says so.

use std::collections::BTreeSet;

use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::HouseholdRow;

/// What the file says of one household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) line: u64,
    pub(super) name: String,
    /// The village's code.
    pub(super) village: String,
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
        let fate_of = |other: &HouseholdRow| match other.name == row.name && other.village == row.village {
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
        let namesakes = known.iter().filter(|other| other.name == row.name && !taken.contains(&other.household));
        let mut choices: Vec<Fate> = namesakes.map(fate_of).collect();
        // Those of the same village first.
        choices.sort_by_key(|fate| matches!(fate, Fate::Change(_)));
        choices.push(Fate::New);
        if is_again {
            choices.push(Fate::Skip);
        }
        let usual = match choices.first() {
            Some(Fate::Same(id)) => Fate::Same(*id),
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
                name: (*name).into(),
                village: (*village).into(),
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
