//! Stock as programs outside see it: sums by product and grade, nothing of who brought it.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::quantities::{Day, Instant};
use granary_client_core::trade::{ProductStock, derive};
use serde::Serialize;
use utoipa::ToSchema;

use super::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// What is there of a product and grade, in grams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StockView {
    /// The product's code.
    pub(crate) product: String,
    /// The grade; empty for a product without grades.
    pub(crate) grade: String,
    /// What lies there.
    pub(crate) present_grams: i64,
    /// What is planned for orders.
    pub(crate) allocated_grams: i64,
    /// What may be sold: neither recalled nor expired.
    pub(crate) sellable_grams: i64,
    /// What of that is not set aside for anybody.
    pub(crate) free_grams: i64,
}

impl Granary {
    /// What is there of each product and grade.
    pub(crate) fn stock_view(&self, number: CooperativeNumber, now: Instant) -> Result<Vec<StockView>, Error> {
        let cooperative = self.cooperative(number)?;
        let context = self.trade_context(&cooperative)?;
        let skus = &context.catalogue.skus;
        let facts = self.read_models(number)?.read(|models| models.stock_sums(skus, &BTreeSet::new()))?;
        let mut reserved: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for pool in self.pools(number)? {
            let Some(sku) = skus.get(&pool.sku) else { continue };
            let packs = i64::try_from(pool.left).unwrap_or(i64::MAX);
            let grams = reserved.entry((&sku.product, &sku.grade)).or_default();
            *grams = grams.saturating_add(packs.saturating_mul(sku.grams.get()));
        }
        let view = |((product, grade), stock): ((String, String), ProductStock)| {
            let set_aside = reserved.get(&(product.as_str(), grade.as_str())).copied().unwrap_or(0);
            StockView {
                present_grams: stock.present,
                allocated_grams: stock.allocated,
                sellable_grams: stock.sellable,
                free_grams: stock.sellable.saturating_sub(set_aside).max(0),
                product,
                grade,
            }
        };
        Ok(derive(&facts).products(Day::in_china(now)).into_iter().map(view).collect())
    }
}
