//! What lies in the warehouse, for packers' and coordinators' phones, in types that the bindings can express.

use std::collections::HashMap;

use granary_client_core::phone::PacksLeft as CorePacks;
use granary_client_core::quantities::{Day, Grams, GramsDelta};
use granary_client_core::schema::{EntryId, HoldingId, StreamCodeFault, sku, stock_book};
use granary_client_core::trade;
use granary_client_core::words::Words;

use crate::error::PhoneError;
use crate::language;
use crate::lots::Unusual;
use crate::phone::GranaryPhone;

/// Goods that were bought in. Optional texts are empty where there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GoodsIn {
    /// The product's code in the catalogue, such as `noodles`.
    pub product: String,
    /// The weight in grams, 1 to 1,000,000,000.
    pub grams: i64,
    /// When they came in, such as `2026-10-03`; none for today.
    #[uniffi(default = None)]
    pub day: Option<String>,
    /// The grade.
    #[uniffi(default = "")]
    pub grade: String,
    /// The last day on which they are good; none for goods that keep.
    #[uniffi(default = None)]
    pub expiry: Option<String>,
    /// Whom they were bought from.
    #[uniffi(default = "")]
    pub bought_from: String,
    /// The bin they lie in.
    #[uniffi(default = "")]
    pub bin: String,
}

impl GoodsIn {
    fn of_day(self, today: Day) -> Result<stock_book::GoodsIn, PhoneError> {
        Ok(stock_book::GoodsIn {
            product: self.product,
            grade: self.grade,
            quantity: Grams::new(self.grams)?,
            day: self.day.as_deref().map_or(Ok(today), str::parse)?,
            expiry: self.expiry.as_deref().map(str::parse).transpose()?,
            from: self.bought_from,
            bin: self.bin,
        })
    }
}

/// Goods with one origin: a received lot, or goods bought in. Weights are in grams.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Holding {
    /// Its id in full, which calls take as they take `code`.
    pub id: String,
    /// Its number, to read out and to type, such as `7KQ2-M9XT-4B0F`; a lot's own.
    pub code: String,
    /// The product's code; empty where nothing here says it.
    pub product: String,
    /// The grade; empty for none.
    pub grade: String,
    /// When it came in.
    pub received_on: Option<String>,
    /// The last day on which it is good.
    pub expiry: Option<String>,
    /// True once that day is past.
    pub is_expired: bool,
    /// True for goods that are not sold any more.
    pub is_recalled: bool,
    /// False for goods of which nothing on this phone says that they came in.
    pub is_known: bool,
    /// What lies there: what somebody who counts should find.
    pub present: i64,
    /// What of it is planned for orders.
    pub allocated: i64,
    /// What is planned for nothing; below 0 where something is wrong.
    pub on_hand: i64,
    /// What lies in which bin; empty for no bin.
    pub by_bin: HashMap<String, i64>,
}

/// What disagrees about stock.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StockCase {
    /// For programs, such as `counted-twice` or `below-nothing`.
    pub code: String,
    /// The holding in full; none where it is about no holding.
    pub holding: Option<String>,
    /// What it names: entries, orders, parcels.
    pub sources: Vec<String>,
    /// For the person.
    pub sentence: String,
}

/// Stock as this phone knows it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Stock {
    /// When this phone last synced, in milliseconds since 1970: what others did since is not in it. None before the first sync.
    /// Show it, and promise nothing.
    pub as_of_millis: Option<i64>,
    /// The goods.
    pub holdings: Vec<Holding>,
    /// What disagrees.
    pub cases: Vec<StockCase>,
}

/// What a shop sells.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Sku {
    /// Its code.
    pub code: String,
    /// The product's code.
    pub product: String,
    /// The grade; empty for a product without grades.
    pub grade: String,
    /// What a pack weighs, in grams.
    pub grams: i64,
    /// Names as shops write them.
    pub names: Vec<String>,
    /// True where it is not sold any more.
    pub ended: bool,
}

impl From<sku::Sku> for Sku {
    fn from(sku: sku::Sku) -> Self {
        let sku::Sku { code, product, grade, grams, names, ended, .. } = sku;
        Self { code, product, grade, grams: grams.get(), names, ended }
    }
}

/// What is left of one SKU in a live-stream.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PacksLeft {
    /// What the server granted.
    pub granted: u32,
    /// What was sold.
    pub accepted: u32,
    /// What was sold above that.
    pub over: u32,
    /// What is left.
    pub left: u32,
    /// When the server counted, in milliseconds since 1970.
    pub counted_at_millis: i64,
}

impl From<CorePacks> for PacksLeft {
    fn from(packs: CorePacks) -> Self {
        let CorePacks { granted, accepted, over, left, counted_at } = packs;
        Self { granted, accepted, over, left, counted_at_millis: counted_at.0 }
    }
}

/// What is left of a live-stream, as the server last said.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StreamLeft {
    /// When this phone last synced, in milliseconds since 1970; none before the first sync.
    pub as_of_millis: Option<i64>,
    /// By SKU.
    pub packs: HashMap<String, PacksLeft>,
}

fn holding(id: &HoldingId, of: &trade::Holding, today: Day) -> Holding {
    Holding {
        id: id.to_string(),
        code: id.code().to_string(),
        product: of.product.clone(),
        grade: of.grade.clone(),
        received_on: of.received_on.map(|day| day.to_string()),
        expiry: of.expiry.map(|day| day.to_string()),
        is_expired: of.is_expired(today),
        is_recalled: of.is_recalled,
        is_known: of.is_known,
        present: of.present(),
        allocated: of.allocated,
        on_hand: of.on_hand(),
        by_bin: of.by_bin.clone().into_iter().collect(),
    }
}

fn case(case: &trade::StockCase) -> StockCase {
    StockCase {
        code: case.code().to_owned(),
        holding: case.holding().map(ToString::to_string),
        sources: case.sources().iter().map(ToString::to_string).collect(),
        sentence: case.words(language::now()),
    }
}

fn asked(found: Vec<granary_client_core::plausibility::Unusual>) -> Vec<Unusual> {
    found.into_iter().map(Unusual::from).collect()
}

#[uniffi::export]
impl GranaryPhone {
    /// What lies in the warehouse, of one product by its code or of all, with what disagrees. For packers and coordinators; others
    /// get `NotAllowed`. Quick; needs no network.
    #[uniffi::method(default(product = None))]
    pub fn stock(&self, product: Option<String>) -> Result<Stock, PhoneError> {
        let now = self.phone.stock()?;
        let of_it = |of: &trade::Holding| product.as_ref().is_none_or(|product| of.product == *product);
        let shown = now.stock.holdings.iter().filter(|(_, of)| of_it(of));
        let holdings = shown.map(|(id, of)| holding(id, of, now.today)).collect();
        let about = |one: &&trade::StockCase| match one.holding().and_then(|id| now.stock.holdings.get(id)) {
            Some(of) => of_it(of),
            None => product.is_none(),
        };
        let cases = now.stock.cases.iter().filter(about).map(case).collect();
        Ok(Stock { as_of_millis: now.as_of.map(|at| at.0), holdings, cases })
    }

    /// Records goods that were bought in, and returns their id. Durable when it returns; needs no network.
    pub fn goods_in(&self, goods: GoodsIn) -> Result<String, PhoneError> {
        Ok(self.phone.goods_in(&goods.of_day(self.phone.today())?)?.to_string())
    }

    /// What is unusual about goods that are to be bought in; show the sentences and ask, then call `goods_in`.
    pub fn unusual_goods_in(&self, goods: GoodsIn) -> Result<Vec<Unusual>, PhoneError> {
        Ok(asked(self.phone.unusual_goods(&goods.of_day(self.phone.today())?)?))
    }

    /// Records what was counted of a holding, by its code or id: all that lies there, 0 for nothing. Returns the entry's name, which
    /// `withdraw_entry` takes. What should have lain there is what this phone knows now.
    pub fn count(&self, holding: String, grams: i64) -> Result<String, PhoneError> {
        let holding = self.phone.find_holding(&holding)?;
        Ok(self.phone.count(&holding, GramsDelta::new(grams)?)?.to_string())
    }

    /// What is unusual about a count; show the sentences and ask, then call `count`.
    pub fn unusual_count(&self, holding: String, grams: i64) -> Result<Vec<Unusual>, PhoneError> {
        let holding = self.phone.find_holding(&holding)?;
        Ok(asked(self.phone.unusual_count(&holding, GramsDelta::new(grams)?)?))
    }

    /// Records that some of a holding lies in another bin now; an empty `from_bin` is what lies in none.
    pub fn move_bin(
        &self,
        holding: String,
        grams: i64,
        from_bin: String,
        to_bin: String,
    ) -> Result<String, PhoneError> {
        let holding = self.phone.find_holding(&holding)?;
        Ok(self.phone.move_bin(&holding, Grams::new(grams)?, &from_bin, &to_bin)?.to_string())
    }

    /// Records that some of a holding is gone, and why; `bin` is empty where nobody knows from which.
    pub fn loss(&self, holding: String, grams: i64, reason: String, bin: String) -> Result<String, PhoneError> {
        let holding = self.phone.find_holding(&holding)?;
        Ok(self.phone.lose(&holding, Grams::new(grams)?, &reason, &bin)?.to_string())
    }

    /// What is unusual about goods that are to go out of a holding, or, with a bin, out of that: more than lies there.
    pub fn unusual_taking(&self, holding: String, grams: i64, bin: Option<String>) -> Result<Vec<Unusual>, PhoneError> {
        let holding = self.phone.find_holding(&holding)?;
        Ok(asked(self.phone.unusual_taking(&holding, Grams::new(grams)?, bin.as_deref())?))
    }

    /// Stops the sale of a holding, and says why.
    pub fn recall(&self, holding: String, reason: String) -> Result<String, PhoneError> {
        Ok(self.phone.recall(&self.phone.find_holding(&holding)?, &reason)?.to_string())
    }

    /// Takes back what was written of goods by mistake, by the name that the call gave. It stays to be read.
    pub fn withdraw_entry(&self, entry: String) -> Result<(), PhoneError> {
        let entry: EntryId = entry.parse().map_err(granary_client_core::error::Error::from)?;
        Ok(self.phone.withdraw_entry(&entry)?)
    }

    /// What shops sell; empty before the first sync.
    pub fn skus(&self) -> Result<Vec<Sku>, PhoneError> {
        Ok(self.phone.skus()?.into_iter().map(Sku::from).collect())
    }

    /// What is left of a live-stream, as of the last sync.
    pub fn stream_left(&self, code: String) -> Result<StreamLeft, PhoneError> {
        let code = code
            .parse()
            .map_err(|fault: StreamCodeFault| PhoneError::Invalid { sentence: fault.words(language::now()) })?;
        let left = self.phone.stream_left(&code)?;
        let packs = left.packs.into_iter().map(|(sku, packs)| (sku, packs.into())).collect();
        Ok(StreamLeft { as_of_millis: left.as_of.map(|at| at.0), packs })
    }
}
