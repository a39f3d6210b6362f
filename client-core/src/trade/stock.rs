//! Stock: what lies in the warehouse, by holding.
//!
//! ```text
//! present = came in + brought + counts − lost − taken − into batches + restocked
//! on hand = present − allocated
//! ```
//! Who counts finds what is present, whether or not it is planned for an order, so a count is held against that.

use std::collections::{BTreeMap, BTreeSet};

use super::cases::{Source, StockCase};
use super::counts::Counts;
use super::facts::{Facts, FlowKind};
use crate::quantities::Day;
use crate::schema::stock_book::{Balance, Deed};
use crate::schema::{EntryId, HoldingId, OrderName};

/// A quantity in the warehouse with one origin. All sums are in grams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holding {
    /// The product's code; empty where nothing says it.
    pub product: String,
    /// The grade; empty for none.
    pub grade: String,
    /// When it came in.
    pub received_on: Option<Day>,
    /// The last day on which it is good; none for goods that keep.
    pub expiry: Option<Day>,
    /// Whom it was bought from; empty for lots of households, and where nobody said.
    pub from: String,
    /// False for one that is only spoken of: nothing here says that it came in.
    pub is_known: bool,
    /// True for one that is not sold any more.
    pub is_recalled: bool,
    /// What came in, by net weight.
    pub came_in: i64,
    /// What was brought over from the months before, where their documents are left out.
    pub brought: i64,
    /// What counts added, or took.
    pub counted: i64,
    /// What was lost.
    pub lost: i64,
    /// What is planned for orders and not packed.
    pub allocated: i64,
    /// What was packed.
    pub taken: i64,
    /// What went into batches.
    pub used: i64,
    /// What came back and was put back.
    pub restocked: i64,
    /// What was put into which bin and not moved on since; empty for no bin. A bin with nothing is left out.
    pub by_bin: BTreeMap<String, i64>,
    /// What went out, or was counted, without anybody saying from which bin, as far as several bins could be meant; negative for
    /// what went out.
    pub unplaced: i64,
    /// The counts that no other followed: what a new count says it knew of. The one that applies is the first.
    pub counts: Vec<EntryId>,
}

impl Holding {
    /// What lies there.
    pub fn present(&self) -> i64 {
        let plus = [self.brought, self.counted, self.restocked].into_iter().fold(self.came_in, i64::saturating_add);
        [self.lost, self.taken, self.used].into_iter().fold(plus, i64::saturating_sub)
    }

    /// What lies there and is planned for nothing.
    pub fn on_hand(&self) -> i64 {
        self.present().saturating_sub(self.allocated)
    }

    /// True when its last good day is past.
    pub fn is_expired(&self, today: Day) -> bool {
        self.expiry.is_some_and(|expiry| expiry < today)
    }
}

/// The sums of a product's grade. In grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProductStock {
    /// What lies there.
    pub present: i64,
    /// What is planned for orders.
    pub allocated: i64,
    /// What is planned for nothing, whether or not it may be sold.
    pub on_hand: i64,
    /// What may be sold: neither recalled nor expired, less what is sold and not planned yet.
    pub sellable: i64,
    /// How many holdings have something in them.
    pub holdings: u64,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    /// All holdings, also those that nothing is left of.
    pub holdings: BTreeMap<HoldingId, Holding>,
    /// What is sold and not planned yet, by product and grade. In grams.
    pub unplanned: BTreeMap<(String, String), i64>,
    /// What disagrees, in one order on all replicas.
    pub cases: Vec<StockCase>,
}

impl Stock {
    /// The grams of a product's grade that no pool, order or plan has yet: what lies there and is neither recalled nor expired,
    /// less what is sold and not planned, less `reserved`, which open pools have granted and not sold. What is below 0 in one
    /// holding is made good by others.
    pub fn free(&self, product: &str, grade: &str, today: Day, reserved: i64) -> i64 {
        let of_it = |holding: &&Holding| {
            holding.product == product && holding.grade == grade && !holding.is_recalled && !holding.is_expired(today)
        };
        let on_hand = self.holdings.values().filter(of_it).map(Holding::on_hand).fold(0, i64::saturating_add);
        let unplanned = self.unplanned.get(&(product.to_owned(), grade.to_owned())).copied().unwrap_or(0);
        on_hand.saturating_sub(unplanned).saturating_sub(reserved)
    }

    /// The sums by product and grade.
    pub fn products(&self, today: Day) -> BTreeMap<(String, String), ProductStock> {
        let mut products: BTreeMap<(String, String), ProductStock> = BTreeMap::new();
        for holding in self.holdings.values().filter(|holding| holding.is_known || holding.present() != 0) {
            let sums = products.entry((holding.product.clone(), holding.grade.clone())).or_default();
            sums.present = sums.present.saturating_add(holding.present());
            sums.allocated = sums.allocated.saturating_add(holding.allocated);
            sums.on_hand = sums.on_hand.saturating_add(holding.on_hand());
            sums.holdings = sums.holdings.saturating_add(u64::from(holding.present() != 0));
        }
        for ((product, grade), sums) in &mut products {
            sums.sellable = self.free(product, grade, today, 0);
        }
        products
    }
}

/// What takes from a holding, and from which of its bins.
#[derive(Default)]
struct Takers {
    all: BTreeSet<Source>,
    /// All that speaks of it.
    named: BTreeSet<Source>,
    by_bin: BTreeMap<String, BTreeSet<Source>>,
    planned: BTreeSet<OrderName>,
}

/// Sums while they are made.
#[derive(Default)]
pub(super) struct Book {
    pub(super) holdings: BTreeMap<HoldingId, Holding>,
    takers: BTreeMap<HoldingId, Takers>,
    cases: BTreeSet<StockCase>,
}

fn add(sum: &mut i64, grams: i64) {
    *sum = sum.saturating_add(grams);
}

impl Book {
    fn holding(&mut self, id: &HoldingId, source: Source) -> &mut Holding {
        let takers = self.takers.entry(id.clone()).or_default();
        takers.all.insert(source.clone());
        takers.named.insert(source);
        self.holdings.entry(id.clone()).or_default()
    }

    fn in_bin(&mut self, id: &HoldingId, bin: &str, grams: i64, source: Source) {
        if grams < 0 {
            let takers = self.takers.entry(id.clone()).or_default();
            takers.by_bin.entry(bin.to_owned()).or_default().insert(source);
        }
        let holding = self.holdings.entry(id.clone()).or_default();
        add(holding.by_bin.entry(bin.to_owned()).or_default(), grams);
    }

    fn arrive(&mut self, id: &HoldingId, balance: &Balance, brought: bool) {
        let holding = self.holdings.entry(id.clone()).or_default();
        if balance.is_known {
            (holding.product, holding.grade) = (balance.product.clone(), balance.grade.clone());
            (holding.received_on, holding.expiry) = (balance.received_on, balance.expiry);
            holding.is_known = true;
        }
        holding.is_recalled |= balance.is_recalled;
        add(if brought { &mut holding.brought } else { &mut holding.came_in }, balance.grams);
        for (bin, grams) in &balance.by_bin {
            self.in_bin(id, bin, *grams, Source::Opening);
        }
    }
}

/// What arrives as one holding, with all of it in one bin.
pub(super) fn arrival(product: &str, grade: &str, grams: i64, day: Option<Day>, bin: &str) -> Balance {
    Balance {
        is_known: true,
        product: product.to_owned(),
        grade: grade.to_owned(),
        received_on: day,
        expiry: None,
        is_recalled: false,
        grams,
        by_bin: [(bin.to_owned(), grams)].into(),
    }
}

/// The stock that follows from these facts.
pub fn derive(facts: &Facts) -> Stock {
    let mut unplanned = facts.sold.clone();
    for (product, grade, grams) in facts.orders.values().flat_map(|of| &of.unplanned) {
        add(unplanned.entry((product.clone(), grade.clone())).or_default(), *grams);
    }
    finish(sums(facts), unplanned)
}

/// The sums of all holdings, with what each bin was given and nothing else.
pub(super) fn sums(facts: &Facts) -> Book {
    let mut book = Book::default();
    for (id, balance) in &facts.brought {
        book.arrive(id, balance, true);
    }
    for (lot, received) in &facts.lots {
        let stands_elsewhere = received.merged_into.as_ref().is_some_and(|into| facts.lots.contains_key(into));
        if !stands_elsewhere {
            let balance = arrival(&received.product, &received.grade, received.grams, received.day, "");
            book.arrive(&HoldingId::Lot(lot.clone()), &balance, false);
        }
    }
    for (id, origin) in &facts.made {
        let balance = arrival(&origin.product, &origin.grade, origin.grams, origin.day, "");
        book.arrive(id, &Balance { expiry: origin.expiry, ..balance }, false);
    }
    take_entries(facts, &mut book);
    for (order, of) in &facts.orders {
        for (id, grams) in &of.takes {
            let holding = book.holding(id, Source::Order(order.clone()));
            add(if of.is_packed { &mut holding.taken } else { &mut holding.allocated }, *grams);
            if !of.is_packed {
                book.takers.entry(id.clone()).or_default().planned.insert(order.clone());
            }
        }
        if of.is_foreign {
            let document = order.to_string();
            book.cases.insert(StockCase::WrittenByOthers { document, names: Vec::new() });
        }
    }
    for (id, grams) in &facts.packed {
        add(&mut book.holdings.entry(id.clone()).or_default().taken, *grams);
    }
    for (id, grams) in &facts.planned {
        add(&mut book.holdings.entry(id.clone()).or_default().allocated, *grams);
    }
    for (flow, grams) in &facts.flows {
        let source = Source::of_flow(flow);
        match flow.kind {
            FlowKind::Parcel => add(&mut book.holding(&flow.holding, source).taken, *grams),
            FlowKind::BatchInput => add(&mut book.holding(&flow.holding, source).used, *grams),
            FlowKind::Restocked => {
                book.takers.entry(flow.holding.clone()).or_default().named.insert(source);
                add(&mut book.holdings.entry(flow.holding.clone()).or_default().restocked, *grams);
            }
        }
    }
    for (month, names) in &facts.not_opened {
        let document = month.to_string();
        book.cases.insert(StockCase::WrittenByOthers { document, names: names.clone() });
    }
    book
}

fn take_entries(facts: &Facts, book: &mut Book) {
    let mut counts: BTreeMap<&HoldingId, Counts<'_>> = BTreeMap::new();
    for (id, entry) in &facts.entries {
        if entry.is_withdrawn {
            continue;
        }
        let Some(deed) = &entry.deed else {
            book.cases.insert(StockCase::Damaged { entry: id.clone(), fields: entry.damaged.clone() });
            continue;
        };
        let source = || Source::Entry(id.clone());
        if let Some(of) = deed.holding() {
            book.takers.entry(of.clone()).or_default().named.insert(source());
            book.holdings.entry(of.clone()).or_default();
        }
        match deed {
            Deed::In(goods) => {
                let holding = HoldingId::In(id.clone());
                let grams = goods.quantity.get();
                let balance = arrival(&goods.product, &goods.grade, grams, Some(goods.day), &goods.bin);
                book.arrive(&holding, &Balance { expiry: goods.expiry, ..balance }, false);
                book.holdings.entry(holding).or_default().from.clone_from(&goods.from);
            }
            Deed::Loss { holding, quantity, bin, .. } => {
                add(&mut book.holding(holding, source()).lost, quantity.get());
                if !bin.is_empty() {
                    book.in_bin(holding, bin, quantity.get().saturating_neg(), source());
                }
            }
            Deed::Count(count) => counts.entry(&count.holding).or_default().add(id, count),
            Deed::Move { holding, quantity, from, to } => {
                book.in_bin(holding, from, quantity.get().saturating_neg(), source());
                book.in_bin(holding, to, quantity.get(), source());
            }
            Deed::Recall { holding, .. } => book.holdings.entry(holding.clone()).or_default().is_recalled = true,
        }
    }
    for (id, of) in counts {
        for (entry, count) in of.applying() {
            let delta = count.delta();
            match delta < 0 {
                true => add(&mut book.holding(id, Source::Entry(entry.clone())).counted, delta),
                false => add(&mut book.holdings.entry(id.clone()).or_default().counted, delta),
            }
        }
        let ends = of.ends();
        if ends.len() > 1 {
            let found = |entry: &EntryId| match facts.entries.get(entry).and_then(|entry| entry.deed.as_ref()) {
                Some(Deed::Count(count)) => count.counted.get(),
                _ => 0,
            };
            let counts = ends.iter().map(|entry| ((*entry).clone(), found(entry))).collect();
            book.cases.insert(StockCase::CountedTwice { holding: id.clone(), counts });
        }
        book.holdings.entry(id.clone()).or_default().counts = ends.into_iter().cloned().collect();
    }
}

fn finish(book: Book, unplanned: BTreeMap<(String, String), i64>) -> Stock {
    let Book { mut holdings, takers, mut cases } = book;
    let nobody = Takers::default();
    for (id, holding) in &mut holdings {
        let took = takers.get(id).unwrap_or(&nobody);
        holding.by_bin.retain(|_, grams| *grams != 0);
        let placed = holding.by_bin.values().copied().fold(0, i64::saturating_add);
        holding.unplaced = holding.present().saturating_sub(placed);
        // Where it lies in one bin, all that went out went out of that.
        if holding.by_bin.len() <= 1 {
            let bin = holding.by_bin.keys().next().cloned().unwrap_or_default();
            let (present, unplaced) = (holding.present(), std::mem::take(&mut holding.unplaced));
            if unplaced != 0 {
                holding.by_bin = [(bin, present)].into_iter().filter(|(_, grams)| *grams != 0).collect();
            }
        }
        if holding.on_hand() < 0 {
            let sources = took.all.iter().cloned().collect();
            cases.insert(StockCase::BelowNothing { holding: id.clone(), on_hand: holding.on_hand(), sources });
        }
        for (bin, grams) in holding.by_bin.iter().filter(|(_, grams)| **grams < 0) {
            // What went out of the only bin is told above.
            let Some(sources) = took.by_bin.get(bin) else { continue };
            let (sources, bin) = (sources.iter().cloned().collect(), bin.clone());
            cases.insert(StockCase::BinBelowNothing { holding: id.clone(), bin, grams: *grams, sources });
        }
        if !holding.is_known {
            cases.insert(StockCase::Unknown { holding: id.clone(), sources: took.named.iter().cloned().collect() });
        } else if holding.product.is_empty() {
            cases.insert(StockCase::WithoutProduct { holding: id.clone() });
        }
        if holding.is_recalled && holding.allocated > 0 {
            let orders = took.planned.iter().cloned().collect();
            cases.insert(StockCase::RecalledPlanned { holding: id.clone(), orders });
        }
    }
    Stock { holdings, unplanned, cases: cases.into_iter().collect() }
}
