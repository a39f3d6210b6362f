//! The balances at the beginning of each month, which the server writes into its stock book. What arrives late of the months before
//! changes them; they are looked at again now and then.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::quantities::{Day, Instant};
use granary_client_core::schema::stock_book::{self, Balance};
use granary_client_core::schema::{DocumentKey, HoldingId, MAIN_WAREHOUSE, Part, StockMonth};
use granary_client_core::trade::openings;

use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

/// Holdings whose balances stand in one part of a book: some 200 bytes each.
const TOGETHER: usize = 400;

impl Granary {
    /// Writes the balances at the beginning of this month, and mends those of earlier ones; gives for how many months. A co-operative
    /// whose rows are behind is left for the next time.
    pub fn keep_openings(&self, now: Instant) -> Result<usize, Error> {
        let mut written = 0usize;
        for cooperative in self.cooperatives() {
            let number = cooperative.number();
            if self.read_models_behind(number)? == 0 {
                written = written.saturating_add(self.keep_openings_of(&cooperative, now)?);
            }
        }
        Ok(written)
    }

    fn keep_openings_of(&self, cooperative: &Cooperative, now: Instant) -> Result<usize, Error> {
        // What is in a pack does not matter here: orders are in no balance.
        let facts = self.read_models(cooperative.number())?.read(|models| models.stock_facts(&BTreeMap::new()))?;
        let mut months: BTreeSet<StockMonth> = facts.openings.keys().cloned().collect();
        months.extend(StockMonth::of(MAIN_WAREHOUSE, Day::in_china(now)));
        let nothing = BTreeMap::new();
        let mut written = 0usize;
        for month in months {
            let balances = openings(&facts, &month);
            if *facts.openings.get(&month).unwrap_or(&nothing) != balances {
                self.write_opening(cooperative, &month, balances, now)?;
                written = written.saturating_add(1);
            }
        }
        Ok(written)
    }

    fn write_opening(
        &self,
        cooperative: &Cooperative,
        month: &StockMonth,
        balances: BTreeMap<HoldingId, Balance>,
        now: Instant,
    ) -> Result<(), Error> {
        let number: CooperativeNumber = cooperative.number();
        let mut edits = Vec::new();
        let mut left = balances.into_iter().peekable();
        for part in Part::all() {
            let key = DocumentKey::StockBook(month.at(part));
            let of_part: BTreeMap<HoldingId, Balance> = left.by_ref().take(TOGETHER).collect();
            // Later parts may have balances from when there were more.
            if of_part.is_empty() && self.document(number, &key)?.is_none() {
                break;
            }
            edits.push(Edits::one(key, move |doc| stock_book::open(doc, &of_part)));
        }
        self.edit_as(number, Cooperative::server_device(cooperative.id()), now, edits)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use granary_client_core::quantities::Grams;
    use granary_client_core::schema::stock_book::{Deed, GoodsIn, write};
    use granary_client_core::store::MemoryStore;
    use granary_client_core::trade::{Facts, derive};

    use super::*;

    fn at(day: &str) -> Instant {
        day.parse::<Day>().unwrap().begins_in_china()
    }

    struct World {
        granary: Granary,
        coop: CooperativeNumber,
        _keys: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            let keys = tempfile::tempdir().unwrap();
            let store = Arc::new(MemoryStore::default());
            let granary = Granary::open(store, keys.path(), None, |fault| panic!("{fault}")).unwrap();
            let coop = granary.create_cooperative("Linxian", at("2026-10-01")).unwrap();
            Self { granary, coop, _keys: keys }
        }

        fn caught_up(&self) -> Arc<Cooperative> {
            let cooperative = self.granary.cooperative(self.coop).unwrap();
            self.granary.settle(&cooperative);
            while self.granary.read_models_behind(self.coop).unwrap() > 0 {
                std::thread::yield_now();
            }
            cooperative
        }

        fn bought(&self, month: u8, packs: i64) {
            let key = DocumentKey::StockBook(StockMonth::first(MAIN_WAREHOUSE, 2026, month).unwrap());
            let edit = move |doc: &mut _| {
                for number in 0..packs {
                    let goods = GoodsIn {
                        product: "noodles".into(),
                        grade: String::new(),
                        quantity: Grams::new(1_000 + number)?,
                        day: format!("2026-{month:02}-03").parse()?,
                        expiry: None,
                        from: String::new(),
                        bin: "A1".into(),
                    };
                    write(doc, &Deed::In(goods), Instant(0))?;
                }
                Ok(())
            };
            self.granary.edit(self.coop, &key, at("2026-10-03"), edit).unwrap();
            self.caught_up();
        }

        fn kept(&self, day: &str) -> usize {
            let written = self.granary.keep_openings(at(day)).unwrap();
            self.caught_up();
            written
        }

        fn facts(&self) -> Facts {
            let models = self.granary.read_models(self.coop).unwrap();
            models.read(|models| models.stock_facts(&BTreeMap::new())).unwrap()
        }
    }

    #[test]
    fn month_opens_with_what_was_left_and_what_arrives_late_is_added() {
        let world = World::new();
        assert_eq!(world.kept("2026-10-02"), 0, "nothing was before");
        world.bought(10, 2);
        assert_eq!(world.kept("2026-10-20"), 0, "it came in this month");
        assert_eq!(world.kept("2026-11-01"), 1);
        assert_eq!(world.kept("2026-11-01"), 0, "what stands there is not written again");
        world.bought(10, 1);
        assert!(!world.granary.verify().unwrap().openings.is_empty(), "what came late is not in it yet");
        assert_eq!(world.kept("2026-11-02"), 1);
        assert_eq!(world.granary.verify().unwrap().openings, []);
        let facts = world.facts();
        let month = StockMonth::first(MAIN_WAREHOUSE, 2026, 11).unwrap();
        let mut left: Vec<i64> = facts.openings[&month].values().map(|balance| balance.grams).collect();
        left.sort_unstable();
        assert_eq!(left, [1_000, 1_000, 1_001]);
        let short = granary_client_core::trade::covered(&facts, &month).unwrap();
        assert_eq!(short.entries.len(), 0);
        let sums = |facts: &Facts| derive(facts).products("2026-11-02".parse().unwrap());
        assert_eq!(sums(&short), sums(&facts));
    }

    #[test]
    fn balances_of_many_holdings_stand_in_several_parts() {
        let world = World::new();
        world.bought(10, 900);
        assert_eq!(world.kept("2026-11-01"), 1);
        let books: Vec<_> = (1..=4)
            .map(|part| {
                let month = StockMonth::first(MAIN_WAREHOUSE, 2026, 11).unwrap().at(Part::new(part).unwrap());
                let server = Cooperative::server_device(world.granary.cooperative(world.coop).unwrap().id());
                let book = world.granary.document(world.coop, &DocumentKey::StockBook(month)).unwrap();
                book.map(|book| stock_book::read(&book, server).opening.len())
            })
            .collect();
        assert_eq!(books, [Some(400), Some(400), Some(100), None]);
        assert_eq!(world.kept("2026-11-01"), 0);
        assert_eq!(world.granary.verify().unwrap().openings, []);
    }
}
