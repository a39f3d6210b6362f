//! Lists of households: filters, sorting and paging. What is listed and what is counted pass one filter.

use rusqlite::types::Value;
use rusqlite::{named_params, params};

use super::ReadModel;
use crate::ids::HouseholdId;
use crate::store::StoreFault;

/// A household in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseholdRow {
    /// Its id.
    pub household: HouseholdId,
    /// Its name; empty when damaged or not given.
    pub name: String,
    /// The code of its village; empty for none.
    pub village: String,
    /// How it is paid, in words.
    pub payment: String,
    /// Its members' names, with commas between.
    pub members: String,
    /// Its lots, without merged ones.
    pub lots: i64,
    /// Their recorded weight, in grams.
    pub recorded_grams: i64,
}

/// What a list of households is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HouseholdSort {
    /// By village and name; those without a village first.
    #[default]
    Village,
    /// By name.
    Name,
    /// Those with the most lots first.
    Lots,
    /// Those with the most weight recorded first.
    Weight,
}

impl HouseholdSort {
    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Village => "village",
            Self::Name => "name",
            Self::Lots => "lots",
            Self::Weight => "weight",
        }
    }

    /// The order of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Village, Self::Name, Self::Lots, Self::Weight].into_iter().find(|sort| sort.name() == name)
    }

    /// The order as SQL. Households that are alike stand in the order of their names, whichever way it goes.
    fn order(self, is_reversed: bool) -> String {
        let way = |descends: bool| if descends != is_reversed { " DESC" } else { "" };
        let by_name = "h.name, h.household";
        match self {
            Self::Village => format!("h.village{}, {by_name}", way(false)),
            Self::Name => format!("h.name{}, h.household", way(false)),
            Self::Lots => format!("({LOTS}){}, {by_name}", way(true)),
            Self::Weight => format!("({GRAMS}){}, {by_name}", way(true)),
        }
    }
}

/// Which households to list. What is empty or none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HouseholdFilter {
    /// With this text in the name or a member's, or at the beginning of the id.
    pub search: String,
    /// Households that fit the search otherwise, such as by how their names sound.
    pub also: Vec<HouseholdId>,
    /// Of the village with this code; an empty code for those without one.
    pub village: Option<String>,
    /// Households that are known otherwise, as by a phone of theirs: they are listed before anybody has named them.
    pub known: Vec<HouseholdId>,
    /// Only these.
    pub only: Option<Vec<HouseholdId>>,
    /// Not these.
    pub without: Vec<HouseholdId>,
    /// What comes first.
    pub sort: HouseholdSort,
    /// True where the last comes first.
    pub is_reversed: bool,
    /// At most this many.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u32,
}

const LOTS: &str = "SELECT count(*) FROM lots l WHERE l.household = h.household AND l.merged IS NULL";
const GRAMS: &str = "SELECT coalesce(sum(l.grams), 0) FROM lots l WHERE l.household = h.household AND l.merged IS NULL";

/// A table of the ids that stand one behind another in a value: one statement takes any number of them.
fn ids(table: &str, value: &str) -> String {
    format!(
        "{table}(place, household) AS (
            SELECT 1, substr({value}, 1, 16) WHERE length({value}) >= 16
            UNION ALL SELECT place + 16, substr({value}, place + 16, 16) FROM {table} WHERE place + 16 < length({value}))"
    )
}

fn bytes_of(ids: &[HouseholdId]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.as_bytes()).copied().collect()
}

/// The households that pass a filter, as the table `found`.
fn found() -> String {
    let (known, only, without) = (ids("known", ":known"), ids("chosen", ":only"), ids("left_out", ":without"));
    let also = ids("also", ":also");
    format!(
        "WITH RECURSIVE {known}, {only}, {without}, {also},
         everyone AS (
            SELECT household, name, village, payment, members FROM households
            UNION ALL SELECT DISTINCT k.household, '', '', '', '' FROM known k
            WHERE k.household NOT IN (SELECT household FROM households)),
         found AS (
            SELECT * FROM everyone h
            WHERE (:search = '' OR instr(h.name || char(10) || h.members, :search) > 0
                   OR h.household IN (SELECT household FROM also)
                   OR (:id <> '' AND substr(lower(hex(h.household)), 1, length(:id)) = :id))
              AND (:village IS NULL OR h.village = :village)
              AND (:only IS NULL OR h.household IN (SELECT household FROM chosen))
              AND h.household NOT IN (SELECT household FROM left_out))"
    )
}

/// Letters of an id that find a household at least; fewer are rather a name.
const ID_LETTERS: usize = 6;

impl HouseholdFilter {
    /// Every household.
    pub fn all() -> Self {
        Self { limit: u32::MAX, ..Self::default() }
    }

    fn id_searched(&self) -> String {
        let letters: String = self.search.chars().filter(|letter| *letter != '-').collect::<String>().to_lowercase();
        let is_id = letters.len() >= ID_LETTERS && letters.bytes().all(|letter| letter.is_ascii_hexdigit());
        if is_id { letters } else { String::new() }
    }

    fn only_value(&self) -> Value {
        self.only.as_ref().map_or(Value::Null, |only| Value::Blob(bytes_of(only)))
    }
}

impl ReadModel {
    /// Households that pass the filter, in its order.
    pub fn households(&self, filter: &HouseholdFilter) -> Result<Vec<HouseholdRow>, StoreFault> {
        let (found, order) = (found(), filter.sort.order(filter.is_reversed));
        // The page is cut before lots are counted.
        let mut statement = self.connection.prepare_cached(&format!(
            "{found}, page AS (SELECT * FROM found h ORDER BY {order} LIMIT :limit OFFSET :offset)
             SELECT h.household, h.name, h.village, h.payment, h.members, ({LOTS}), ({GRAMS}) FROM page h ORDER BY {order}"
        ))?;
        let named = named_params! {
            ":known": bytes_of(&filter.known), ":only": filter.only_value(), ":without": bytes_of(&filter.without),
            ":search": filter.search.trim(), ":also": bytes_of(&filter.also), ":id": filter.id_searched(), ":village": filter.village,
            ":limit": filter.limit, ":offset": filter.offset,
        };
        let rows = statement.query_map(named, |row| {
            Ok(HouseholdRow {
                household: HouseholdId::from_bytes(row.get(0)?),
                name: row.get(1)?,
                village: row.get(2)?,
                payment: row.get(3)?,
                members: row.get(4)?,
                lots: row.get(5)?,
                recorded_grams: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many households pass the filter. Its limit and offset are ignored.
    pub fn count_households(&self, filter: &HouseholdFilter) -> Result<u64, StoreFault> {
        let mut statement = self.connection.prepare_cached(&format!("{} SELECT count(*) FROM found", found()))?;
        let named = named_params! {
            ":known": bytes_of(&filter.known), ":only": filter.only_value(), ":without": bytes_of(&filter.without),
            ":search": filter.search.trim(), ":also": bytes_of(&filter.also), ":id": filter.id_searched(), ":village": filter.village,
        };
        let count: i64 = statement.query_row(named, |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The name and the village of every household.
    pub fn household_names(&self) -> Result<Vec<(HouseholdId, String, String)>, StoreFault> {
        let mut statement = self.connection.prepare_cached("SELECT household, name, village FROM households")?;
        let rows = statement
            .query_map(params![], |row| Ok((HouseholdId::from_bytes(row.get(0)?), row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The members' names of every household that has some, with commas between.
    pub fn household_members(&self) -> Result<Vec<(HouseholdId, String)>, StoreFault> {
        let mut statement =
            self.connection.prepare_cached("SELECT household, members FROM households WHERE members <> ''")?;
        let rows = statement.query_map(params![], |row| Ok((HouseholdId::from_bytes(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;
    use crate::quantities::Instant;
    use crate::schema::{Document, DocumentKey, household};

    fn id(number: u8) -> HouseholdId {
        HouseholdId::from_bytes([number; 16])
    }

    fn model(households: &[(u8, &str, &str)]) -> ReadModel {
        let mut model = ReadModel::in_memory().unwrap();
        for (number, name, village) in households {
            let mut document = Document::new(DocumentKey::Household(id(*number))).unwrap();
            let actor = ActorId::from_bytes(&[1; 9]).unwrap();
            document.edit(&actor, Instant(0), |doc| household::set_name(doc, name, village)).unwrap();
            model.write(&mut document, 1).unwrap();
        }
        model
    }

    /// What is listed, page by page; what is counted must be as many.
    fn listed(model: &ReadModel, filter: HouseholdFilter) -> Vec<u8> {
        let mut all = Vec::new();
        let mut page = HouseholdFilter { limit: 2, ..filter };
        loop {
            let rows = model.households(&page).unwrap();
            all.extend(rows.iter().map(|row| row.household.as_bytes()[0]));
            page.offset += 2;
            if rows.is_empty() {
                assert_eq!(model.count_households(&page).unwrap(), all.len() as u64, "{page:?}");
                return all;
            }
        }
    }

    #[test]
    fn every_filter_counts_what_it_lists() {
        let model = model(&[(1, "李家", "dongpo"), (2, "王家", ""), (3, "李家", "xihe")]);
        let all = HouseholdFilter::default;
        assert_eq!(listed(&model, all()), [2, 1, 3]);
        assert_eq!(listed(&model, HouseholdFilter { search: "李".into(), ..all() }), [1, 3]);
        assert_eq!(listed(&model, HouseholdFilter { search: "03030303".into(), ..all() }), [3]);
        let sounding = HouseholdFilter { search: "wangjia".into(), also: vec![id(2)], ..all() };
        assert_eq!(listed(&model, sounding), [2]);
        assert_eq!(listed(&model, HouseholdFilter { village: Some("xihe".into()), ..all() }), [3]);
        assert_eq!(listed(&model, HouseholdFilter { village: Some(String::new()), ..all() }), [2]);
        let sorted = |sort, is_reversed| listed(&model, HouseholdFilter { sort, is_reversed, ..all() });
        assert_eq!(sorted(HouseholdSort::Village, true), [3, 1, 2]);
        assert_eq!(sorted(HouseholdSort::Name, false), [1, 3, 2]);
        assert_eq!(sorted(HouseholdSort::Weight, true), [1, 3, 2]);
        // One that nobody has named, and one that is here twice over.
        let known = || HouseholdFilter { known: vec![id(9), id(1), id(9)], ..all() };
        assert_eq!(listed(&model, known()), [9, 2, 1, 3]);
        assert_eq!(listed(&model, HouseholdFilter { village: Some(String::new()), ..known() }), [9, 2]);
        assert_eq!(listed(&model, HouseholdFilter { only: Some(vec![id(9), id(3)]), ..known() }), [9, 3]);
        assert_eq!(listed(&model, HouseholdFilter { only: Some(Vec::new()), ..known() }), [] as [u8; 0]);
        assert_eq!(listed(&model, HouseholdFilter { without: vec![id(9), id(3)], ..known() }), [2, 1]);
    }
}
