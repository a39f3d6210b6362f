//! A feed on a store in memory.

mod accepting;
mod goods;
mod known;
mod retention;

use std::sync::Arc;

use granary_client_core::quantities::{Fen, Grams, Instant};
use granary_client_core::schema::order::{self, AfterSale, Order, TakenLine, TakenOrder, ToldStatus};
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::schema::{DocumentKey, OrderName, Part};
use granary_client_core::store::{MemoryStore, Store};

use super::ledger::PoolName;
use super::rows::Book;
use super::*;
use crate::engine::Granary;
use crate::log::{Cooperative, CooperativeNumber};

/// 2026-11-27 20:00 in China.
pub(super) const NOW: Instant = Instant(1_795_780_800_000);
const MINUTE: i64 = 60_000;

pub(super) struct World {
    pub(super) granary: Granary,
    pub(super) coop: CooperativeNumber,
    store: Arc<dyn Store>,
    keys: tempfile::TempDir,
}

fn open(store: &Arc<dyn Store>, keys: &tempfile::TempDir) -> Granary {
    Granary::open(Arc::clone(store), keys.path(), None, |fault| panic!("{fault}")).unwrap()
}

/// Sets aside so many packs for the channel `live`.
pub(crate) fn set_aside(granary: &Granary, coop: CooperativeNumber, granted: &[(&str, u64)]) {
    let granted: Vec<(String, u64)> = granted.iter().map(|(sku, packs)| ((*sku).to_owned(), *packs)).collect();
    let job = move |group: &mut crate::log::writer::GroupCommit<'_>| {
        let mut book = Book::open(group, coop);
        for (sku, packs) in granted {
            let name = PoolName::new("live", &sku);
            book.load(&name, None)?;
            book.ledger.grant(&name, packs);
        }
        book.close();
        Ok(())
    };
    granary.write(job).unwrap();
}

impl World {
    /// A co-operative that sells packs of `A` and `B`, and has set aside so many for the channel `live`.
    pub(super) fn with(granted: &[(&str, u64)]) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let keys = tempfile::tempdir().unwrap();
        let granary = open(&store, &keys);
        let coop = granary.create_cooperative("Linxian", NOW).unwrap();
        let key = DocumentKey::Catalogue(Part::FIRST);
        granary
            .edit(coop, &key, NOW, |doc| {
                for code in ["A", "B"] {
                    let mut sku = Sku::new(code, "millet", "A", Grams::new(2_500)?);
                    sku.names = vec![format!("黄小米 {code}")];
                    set_sku(doc, &sku)?;
                }
                Ok(())
            })
            .unwrap();
        let world = Self { granary, coop, store, keys };
        world.set_aside(granted);
        world
    }

    pub(super) fn set_aside(&self, granted: &[(&str, u64)]) {
        set_aside(&self.granary, self.coop, granted);
    }

    /// The same store, opened anew.
    pub(super) fn reopened(self) -> Self {
        let Self { granary, coop, store, keys } = self;
        drop(granary);
        Self { granary: open(&store, &keys), coop, store, keys }
    }

    pub(super) fn take(&self, orders: Vec<ToldOrder>) -> Vec<Answer> {
        self.granary.take_orders(self.coop, orders, NOW).unwrap()
    }

    pub(super) fn one(&self, order: ToldOrder) -> Answer {
        self.take(vec![order]).remove(0)
    }

    /// Follows all that was admitted.
    pub(super) fn settle(&self) {
        let cooperative = self.granary.cooperative(self.coop).unwrap();
        self.granary.settle(&cooperative);
        while self.granary.follow_trade(NOW).unwrap() || self.granary.trading().has_documents() {}
    }

    /// Does all that follows from what was admitted, at this moment.
    pub(super) fn settle_at(&self, now: Instant) {
        let cooperative = self.granary.cooperative(self.coop).unwrap();
        loop {
            self.granary.settle(&cooperative);
            while self.granary.read_models_behind(self.coop).unwrap() > 0 {
                std::thread::yield_now();
            }
            while self.granary.follow_trade(now).unwrap() {}
            self.granary.tick_trade(now).unwrap();
            if !self.granary.trading().has_work() && !cooperative.has_undecided() {
                return;
            }
        }
    }

    pub(super) fn order(&self, id: &str) -> Order {
        let cooperative = self.granary.cooperative(self.coop).unwrap();
        self.granary.settle(&cooperative);
        let key = DocumentKey::Order(OrderName::of("douyin", id));
        let document = self.granary.document(self.coop, &key).unwrap().unwrap();
        order::read(&document, Cooperative::server_device(cooperative.id()))
    }

    pub(super) fn pool(&self, sku: &str) -> PoolFigures {
        let pools = self.granary.pools(self.coop).unwrap();
        pools.into_iter().find(|pool| pool.sku == sku).unwrap()
    }
}

pub(super) fn line(id: &str, sku: &str, packs: u32) -> TakenLine {
    TakenLine {
        line_id: id.into(),
        sku: Some(sku.into()),
        code: None,
        title: None,
        packs,
        fen: Fen::new(i64::from(packs) * 1_990).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    }
}

pub(super) fn told(id: &str, lines: Vec<TakenLine>) -> ToldOrder {
    ToldOrder {
        name: OrderName::of("douyin", id),
        mode: Mode::Tell,
        order: TakenOrder {
            placed_at: Instant(NOW.0 - 2 * MINUTE),
            paid_at: None,
            promised_at: None,
            told_at: Instant(NOW.0 - MINUTE),
            told: ToldStatus::ToShip,
            total_fen: None,
            freight_fen: None,
            pool: "live".into(),
            stream: None,
            lines,
        },
        receiver: None,
        buyer_token: None,
    }
}

pub(super) fn asked(id: &str, lines: Vec<TakenLine>) -> ToldOrder {
    ToldOrder { mode: Mode::Ask, ..told(id, lines) }
}
