//! The calls of packers and coordinators about what lies in the warehouse. All of them need no line, and each writes one change.

use std::collections::BTreeMap;

use super::Phone;
use crate::error::Error;
use crate::plausibility::{Facts as GoodsFacts, Unusual, Usual, unusual, unusual_count};
use crate::quantities::{Day, Grams, GramsDelta, Instant};
use crate::schema::sku::Sku;
use crate::schema::stock_book::{self, Count, Deed, GoodsIn};
use crate::schema::stream::Served;
use crate::schema::{DocumentKey, EntryId, HoldingId, HoldingName, MAIN_WAREHOUSE, StockMonth, StreamCode};
use crate::trade::{self, Holding, HoldingEvent, Stock};

/// Stock as a phone knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockNow {
    /// When this phone last synced: what others did since is not in it. None before its first sync.
    pub as_of: Option<Instant>,
    /// Today, by this phone: what expired before it is not sold.
    pub today: Day,
    /// The stock, with all that this phone wrote.
    pub stock: Stock,
}

/// What is left of a live-stream's packs, as the server last said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamLeft {
    /// When this phone last synced; none before its first sync.
    pub as_of: Option<Instant>,
    /// By SKU.
    pub packs: BTreeMap<String, PacksLeft>,
}

/// What is left of one SKU in a live-stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacksLeft {
    /// What the server granted.
    pub granted: u32,
    /// What was sold.
    pub accepted: u32,
    /// What was sold above that.
    pub over: u32,
    /// What is left, less the margin.
    pub left: u32,
    /// When the server counted.
    pub counted_at: Instant,
}

impl Phone {
    /// Fails with [`Error::NotAllowed`] for who has nothing to do with the warehouse.
    fn of_the_warehouse(&self) -> Result<(), Error> {
        self.inner().enrolled()?;
        let any = StockMonth::first(MAIN_WAREHOUSE, 2026, 1).map(DocumentKey::StockBook);
        let grants = self.grants();
        if any.is_some_and(|book| grants.may_read(&book)) { Ok(()) } else { Err(Error::NotAllowed) }
    }

    /// What lies in the warehouse, as far as this phone knows it.
    pub fn stock(&self) -> Result<StockNow, Error> {
        self.of_the_warehouse()?;
        let skus = self.catalogue()?.unwrap_or_default().skus;
        let stock = self.inner().lists()?.stock(&skus)?;
        Ok(StockNow { as_of: self.status().last_success, today: self.today(), stock })
    }

    /// What happened to a holding, as far as this phone knows it.
    pub fn holding_history(&self, holding: &HoldingId) -> Result<Vec<HoldingEvent>, Error> {
        self.of_the_warehouse()?;
        let skus = self.catalogue()?.unwrap_or_default().skus;
        let mut inner = self.inner();
        let lists = inner.lists()?;
        let mut facts = lists.stock_facts(&skus)?;
        lists.name_packed(&mut facts, holding)?;
        Ok(trade::history(&facts, holding))
    }

    /// The SKUs, by code; empty before the catalogue was synced.
    pub fn skus(&self) -> Result<Vec<Sku>, Error> {
        Ok(self.catalogue()?.unwrap_or_default().skus.into_values().collect())
    }

    /// The holding that a person names, by its code or in full. One that is named in full need not be here: what is written of it
    /// is kept, and the desk sees it. Fails with [`Error::Holding`] for a text that names none, with [`Error::NoSuchHolding`] for a
    /// code that is not here, and with [`Error::WhichOfHoldings`] where it fits several.
    pub fn find_holding(&self, name: &str) -> Result<HoldingId, Error> {
        let code = match name.parse()? {
            HoldingName::Full(holding) => return Ok(holding),
            HoldingName::Code(code) => code,
        };
        let mut fitting: Vec<HoldingId> = self.stock()?.stock.holdings.into_keys().collect();
        fitting.retain(|holding| holding.code() == code);
        match (fitting.pop(), fitting.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(one), false) => {
                let candidates = fitting.into_iter().chain([one]).map(|holding| holding.to_string()).collect();
                Err(Error::WhichOfHoldings { name: code.to_string(), candidates })
            }
            (None, _) => Err(Error::NoSuchHolding(code.to_string())),
        }
    }

    fn holding_now(&self, holding: &HoldingId) -> Result<Holding, Error> {
        Ok(self.stock()?.stock.holdings.remove(holding).unwrap_or_default())
    }

    /// Writes into the present month's book, the part that has room.
    fn write_stock(&self, deed: &Deed) -> Result<EntryId, Error> {
        let today = self.today();
        let month = StockMonth::of(MAIN_WAREHOUSE, today);
        let month = month.ok_or_else(|| crate::quantities::QuantityFault::Day(today.to_string()))?;
        let book = self.part_to_write(&DocumentKey::StockBook(month))?;
        let at = self.now();
        let key = self.edit(&book, |doc| stock_book::write(doc, deed, at))?;
        EntryId::in_book(&book, key).ok_or_else(|| crate::crdt::DocumentFault::Damaged("stock book").into())
    }

    /// What is unusual about goods that are to be bought in: an unknown product or grade, a day to come, goods that have expired.
    pub fn unusual_goods(&self, goods: &GoodsIn) -> Result<Vec<Unusual>, Error> {
        let catalogue = self.catalogue()?.filter(|catalogue| !catalogue.products.is_empty());
        let facts = GoodsFacts {
            product: goods.product.trim(),
            quantity: None,
            grade: goods.grade.trim(),
            day: Some(goods.day),
            place: "",
        };
        let usual = Usual { catalogue: catalogue.as_ref(), today: self.known_today(), ..Usual::default() };
        let mut found = unusual(&facts, &usual);
        let past = goods.expiry.filter(|expiry| *expiry < goods.day);
        found.extend(past.map(|expiry| Unusual::Expired { expiry, day: goods.day }));
        Ok(found)
    }

    /// Records goods that were bought in, as a holding of their own.
    pub fn goods_in(&self, goods: &GoodsIn) -> Result<HoldingId, Error> {
        Ok(HoldingId::In(self.write_stock(&Deed::In(goods.clone()))?))
    }

    /// What is unusual about a count: it is far from what should lie there, or nothing here says that these goods came in.
    pub fn unusual_count(&self, holding: &HoldingId, grams: GramsDelta) -> Result<Vec<Unusual>, Error> {
        let now = self.holding_now(holding)?;
        let strange = (!now.is_known).then(|| Unusual::UnknownGoods { code: holding.code() });
        let far = unusual_count(grams, now.present()).filter(|_| now.is_known);
        Ok(strange.into_iter().chain(far).collect())
    }

    /// Records that a holding was counted: all of it, whether or not it is planned for an order. What should have lain there is
    /// what this phone knows now.
    pub fn count(&self, holding: &HoldingId, grams: GramsDelta) -> Result<EntryId, Error> {
        let now = self.holding_now(holding)?;
        let computed = GramsDelta::new(now.present())?;
        let count = Count { holding: holding.clone(), counted: grams, computed, knew: now.counts };
        self.write_stock(&Deed::Count(count))
    }

    /// What is unusual about goods that are to go out of a holding, or elsewhere: more than lies there; of a bin where one is given.
    pub fn unusual_taking(&self, holding: &HoldingId, grams: Grams, bin: Option<&str>) -> Result<Vec<Unusual>, Error> {
        let now = self.holding_now(holding)?;
        if !now.is_known {
            return Ok(vec![Unusual::UnknownGoods { code: holding.code() }]);
        }
        let there = match bin {
            Some(bin) => now.by_bin.get(bin.trim()).copied().unwrap_or(0),
            None => now.present(),
        };
        Ok((grams.get() > there).then_some(Unusual::MoreThanThere { grams, there }).into_iter().collect())
    }

    /// Records that some of a holding is gone, and why.
    pub fn lose(&self, holding: &HoldingId, grams: Grams, reason: &str, bin: &str) -> Result<EntryId, Error> {
        let (reason, bin) = (reason.to_owned(), bin.to_owned());
        self.write_stock(&Deed::Loss { holding: holding.clone(), quantity: grams, reason, bin })
    }

    /// Records that some of a holding lies in another bin now; an empty `from` is what lies in none.
    pub fn move_bin(&self, holding: &HoldingId, grams: Grams, from: &str, to: &str) -> Result<EntryId, Error> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.write_stock(&Deed::Move { holding: holding.clone(), quantity: grams, from, to })
    }

    /// Stops the sale of a holding.
    pub fn recall(&self, holding: &HoldingId, reason: &str) -> Result<EntryId, Error> {
        self.write_stock(&Deed::Recall { holding: holding.clone(), reason: reason.to_owned() })
    }

    /// Takes back an entry of a stock book that was a mistake. It stays to be read.
    pub fn withdraw_entry(&self, entry: &EntryId) -> Result<(), Error> {
        self.edit(&entry.book(), |doc| stock_book::withdraw(doc, entry.key()))
    }

    /// What is left of a live-stream, as the server last said.
    pub fn stream_left(&self, code: &StreamCode) -> Result<StreamLeft, Error> {
        let stream = self.stream(code.clone())?.ok_or_else(|| Error::NoSuchStream(code.to_string()))?;
        let left = |served: Served| PacksLeft {
            granted: served.granted,
            accepted: served.accepted,
            over: served.over,
            left: served.left,
            counted_at: served.as_of,
        };
        let packs = stream.served.into_iter().map(|(sku, served)| (sku, left(served))).collect();
        Ok(StreamLeft { as_of: self.status().last_success, packs })
    }
}
