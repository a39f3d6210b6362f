//! Lists of cases and of the decisions about them.

use rusqlite::{params, params_from_iter, types::Value};

use super::ReadModel;
use super::read_model::{read_contenders, report_unreadable};
use crate::conflicts::{CaseId, CaseState, Contender};
use crate::ids::{ActorId, HouseholdId};
use crate::quantities::Instant;
use crate::schema::case_book::{Decision, DecisionKind};
use crate::schema::{LotId, Season};
use crate::store::StoreFault;

/// The kind of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseKind {
    /// A field has concurrent values.
    Field,
    /// Two lots look like one harvest.
    Twice,
    /// More was weighed than recorded.
    Weight,
    /// Receipts of one lot disagree.
    Receipt,
}

impl CaseKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Field, Self::Twice, Self::Weight, Self::Receipt];

    /// Its name in rows and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Twice => "twice",
            Self::Weight => "weight",
            Self::Receipt => "receipt",
        }
    }

    /// The kind of this case.
    pub fn of(case: &CaseId) -> Self {
        match case {
            CaseId::Field(..) => Self::Field,
            CaseId::Twice(..) => Self::Twice,
            CaseId::Weight(_) => Self::Weight,
            CaseId::Receipt(_) => Self::Receipt,
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Which cases to list. A field that is none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// In this state.
    pub state: Option<CaseState>,
    /// Of this kind.
    pub kind: Option<CaseKind>,
    /// Of this household.
    pub household: Option<HouseholdId>,
    /// Only this case.
    pub case: Option<CaseId>,
    /// About this lot.
    pub lot: Option<LotId>,
    /// Whose last decision was made with others under this name.
    pub group: Option<String>,
    /// At most this many; 0 for 100.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u32,
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRow {
    /// The household's name; empty where its document is not here.
    pub household_name: String,
    /// The case.
    pub case: CaseId,
    /// Its state.
    pub state: CaseState,
    /// What is at stake, in grams: the lot's weight, or the difference of two weights.
    pub worth_grams: i64,
    /// The difference that it makes to what the household is paid, in fen; none where no price says so.
    pub stake_fen: Option<i64>,
    /// The concurrent values of a field, or receipts as [`crate::schema::receipt::Weighing`]s write them; the last one is shown.
    pub contenders: Vec<Contender>,
    /// When each of two lots that look like one was recorded, or the recorded weight and the warehouse's written, by the clocks of
    /// their phones; none for other cases.
    pub written_at: [Option<Instant>; 2],
    /// Who wrote the recorded weight and who the warehouse's, each last; nobody for other cases.
    pub weights_by: [Option<ActorId>; 2],
    /// Who decided last; empty while nobody has.
    pub by: String,
    /// When.
    pub at: Instant,
    /// The chosen value.
    pub chosen: String,
    /// The person's note.
    pub note: String,
    /// The name of all decisions that were made with the last one; empty where it was made alone.
    pub group: String,
    /// What the last decision was; none while nobody has decided.
    pub decided: Option<DecisionKind>,
}

impl CaseRow {
    /// The chosen value as people read it: of two lots that were made one, the number of the one that counts.
    pub fn chosen_shown(&self) -> String {
        let lot = self.case.lot();
        let kept = match &self.case {
            CaseId::Twice(..) => LotId::from_season_name(lot.household(), lot.season(), &self.chosen),
            CaseId::Field(..) | CaseId::Weight(_) | CaseId::Receipt(_) => None,
        };
        kept.map_or_else(|| self.chosen.clone(), |kept| kept.to_string())
    }
}

/// Decisions that were made at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseGroup {
    /// Their name.
    pub group: String,
    /// How many of them stand.
    pub cases: u64,
    /// Who made them.
    pub by: String,
    /// When.
    pub at: Instant,
    /// The note of each.
    pub note: String,
}

/// How many cases are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaseCounts {
    /// To be decided.
    pub open: u64,
    /// Settled by two people concurrently.
    pub settled_twice: u64,
    /// Left as they are.
    pub left: u64,
    /// Settled.
    pub settled: u64,
}

/// What a filter asks of a case `c`, with the values in its places.
fn conditions(filter: &CaseFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["1"];
    let mut values = Vec::new();
    let lots = filter.lot.iter().chain(filter.case.as_ref().map(CaseId::lot));
    let households = filter.household.into_iter().chain(lots.clone().map(LotId::household));
    for household in households {
        conditions.push("c.household = ?");
        values.push(Value::Blob(household.as_bytes().to_vec()));
    }
    for lot in lots {
        conditions.push("c.season = ?");
        values.push(Value::Integer(i64::from(lot.season().year())));
    }
    let mut text = |condition: &'static str, value: Option<String>| {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(Value::Text(value));
        }
    };
    text("c.state = ?", filter.state.map(|state| state.name().into()));
    text("c.kind = ?", filter.kind.map(|kind| kind.name().into()));
    text("c.case_name = ?", filter.case.as_ref().map(CaseId::season_name));
    text("c.grp = ?", filter.group.clone());
    text("c.lot = ?", filter.lot.as_ref().map(LotId::season_name));
    (conditions.join(" AND "), values)
}

/// The actor that a row names.
fn actor(hexadecimal: &str) -> Option<ActorId> {
    let actor = automerge::ActorId::try_from(hexadecimal).ok()?;
    ActorId::from_bytes(actor.to_bytes())
}

impl ReadModel {
    /// Cases that pass the filter, most valuable first.
    pub fn cases(&self, filter: &CaseFilter) -> Result<Vec<CaseRow>, StoreFault> {
        let (conditions, mut values) = conditions(filter);
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        values.extend([Value::Integer(i64::from(limit)), Value::Integer(i64::from(filter.offset))]);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT c.household, c.season, c.case_name, c.state, c.worth, c.contenders, c.by_name, c.at, c.chosen,
                    c.note, coalesce(h.name, ''), c.decision, c.fen, c.grp, c.first_at, c.second_at,
                    c.first_by, c.second_by
             FROM cases c LEFT JOIN households h ON h.household = c.household
             WHERE {conditions} ORDER BY coalesce(c.fen, -1) DESC, c.worth DESC, c.at DESC, c.household, c.season, c.case_name LIMIT ? OFFSET ?"
        ))?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut cases = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, state, contenders): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(5)?);
            let household = HouseholdId::from_bytes(row.get(0)?);
            let case =
                Season::new(row.get(1)?).and_then(|season| CaseId::from_season_name(household, season, &name).ok());
            let (Some(case), Some(state)) = (case, CaseState::from_name(&state)) else {
                report_unreadable("cases", "case_name", &name);
                continue;
            };
            cases.push(CaseRow {
                household_name: row.get(10)?,
                case,
                state,
                worth_grams: row.get(4)?,
                stake_fen: row.get(12)?,
                contenders: read_contenders("cases", &contenders),
                written_at: [row.get::<_, Option<i64>>(14)?, row.get(15)?].map(|at| at.map(Instant::from_seconds)),
                weights_by: [actor(&row.get::<_, String>(16)?), actor(&row.get::<_, String>(17)?)],
                by: row.get(6)?,
                at: Instant::from_seconds(row.get(7)?),
                chosen: row.get(8)?,
                note: row.get(9)?,
                group: row.get(13)?,
                decided: DecisionKind::from_name(&row.get::<_, String>(11)?),
            });
        }
        Ok(cases)
    }

    /// How many cases fit a filter, whatever its limit and offset.
    pub fn count_cases(&self, filter: &CaseFilter) -> Result<u64, StoreFault> {
        let (conditions, values) = conditions(filter);
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT count(*) FROM cases c WHERE {conditions}"))?;
        let count: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many cases are in each state.
    pub fn case_counts(&self) -> Result<CaseCounts, StoreFault> {
        let mut statement = self.connection.prepare_cached("SELECT state, count(*) FROM cases GROUP BY state")?;
        let mut rows = statement.query([])?;
        let mut counts = CaseCounts::default();
        while let Some(row) = rows.next()? {
            let state: String = row.get(0)?;
            let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
            match CaseState::from_name(&state) {
                Some(CaseState::Open) => counts.open = count,
                Some(CaseState::SettledTwice) => counts.settled_twice = count,
                Some(CaseState::Left) => counts.left = count,
                Some(CaseState::Settled) => counts.settled = count,
                None => report_unreadable("cases", "state", &state),
            }
        }
        Ok(counts)
    }

    /// The decisions that were made many at once and stand, the latest first.
    pub fn case_groups(&self, limit: u32) -> Result<Vec<CaseGroup>, StoreFault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT grp, count(*), max(by_name), max(at), max(note) FROM cases
             WHERE grp <> '' AND state <> 'open' GROUP BY grp ORDER BY max(at) DESC, grp LIMIT ?1",
        )?;
        let rows = statement.query_map(params![limit], |row| {
            Ok(CaseGroup {
                group: row.get(0)?,
                cases: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
                by: row.get(2)?,
                at: Instant::from_seconds(row.get(3)?),
                note: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// All decisions about a case, in their order. Fails when a stored decision can't be read, since undoing it would then restore
    /// too little.
    pub fn decisions(&self, case: &CaseId) -> Result<Vec<Decision>, StoreFault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT kind, by_name, at, chosen, note, restore, contenders, grp FROM decisions
             WHERE document = ?1 AND case_name = ?2 ORDER BY number",
        )?;
        let name = case.season_name();
        let unreadable = |error| StoreFault::Failed(format!("a decision about {name} can't be read: {error}"));
        let mut rows = statement.query(params![case.lot().case_book().to_bytes(), name])?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, restore, contenders): (String, String, String) = (row.get(0)?, row.get(5)?, row.get(6)?);
            decisions.push(Decision {
                case: name.clone(),
                kind: DecisionKind::from_name(&kind),
                by: row.get(1)?,
                at: Instant::from_seconds(row.get(2)?),
                chosen: row.get(3)?,
                note: row.get(4)?,
                restore: serde_json::from_str(&restore).map_err(unreadable)?,
                group: row.get(7)?,
                values: read_contenders("decisions", &contenders),
            });
        }
        Ok(decisions)
    }

    /// The last decision about a case; none while nobody has decided.
    pub fn last_decision(&self, case: &CaseId) -> Result<Option<Decision>, StoreFault> {
        Ok(self.decisions(case)?.pop())
    }
}
