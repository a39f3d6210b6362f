//! Whether a live-stream that is to come can be served: of each offer what is set aside and what could be, in the order in which it
//! would be granted, and what lies in the lots that it names.

use std::collections::BTreeSet;

use granary_client_core::quantities::{Day, Instant};
use granary_client_core::schema::stream::Offer;
use granary_client_core::schema::{HoldingId, StreamCode, sku::Sku};
use granary_client_core::trade::{Stock, derive, is_usable};

use super::ledger::PoolName;
use super::rows;
use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// What there is for an offer. All but the weight are packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferStock {
    /// The SKU.
    pub sku: String,
    /// Wanted.
    pub wanted: u64,
    /// Set aside already.
    pub granted: u64,
    /// Free beyond that, in grams: for no order, no other stream and no offer before this one.
    pub free_grams: i64,
    /// Set aside or free, at most what is wanted.
    pub there: u64,
    /// What lies in the lots that it names and may be sold; none where it names none.
    pub in_lots: Option<u64>,
}

impl Granary {
    /// What there is for each offer of a stream that can still be granted; empty where there is no such stream.
    pub fn offer_stock(
        &self,
        number: CooperativeNumber,
        code: &StreamCode,
        now: Instant,
    ) -> Result<Vec<OfferStock>, Error> {
        let cooperative = self.cooperative(number)?;
        let context = self.trade_context(&cooperative)?;
        let Some(stream) = context.streams.get(code) else { return Ok(Vec::new()) };
        let stock = derive(&self.stock_sums(&cooperative, &context, &BTreeSet::new())?);
        let mut free = self.free_in(&stock, &cooperative, &context, now)?;
        let pools = rows::pools_of(self.store(), number, code.as_str())?;
        let mut offers = Vec::new();
        for (sku, offer) in stream.offers.iter().filter(|(_, offer)| !offer.ended) {
            let Some(of) = context.catalogue.skus.get(sku) else { continue };
            let wanted = u64::from(offer.wanted);
            let granted = pools.get(&PoolName::new(code.as_str(), sku)).and_then(|pool| pool.granted).unwrap_or(0);
            let place = free.entry((of.product.clone(), of.grade.clone())).or_default();
            let free_grams = *place;
            let more = wanted.saturating_sub(granted).min(packs(free_grams, of));
            let taken = of.grams.get().saturating_mul(i64::try_from(more).unwrap_or(i64::MAX));
            *place = place.saturating_sub(taken);
            let there = granted.saturating_add(more).min(wanted);
            let in_lots = in_lots(&stock, offer, of, Day::in_china(now));
            offers.push(OfferStock { sku: sku.clone(), wanted, granted, free_grams, there, in_lots });
        }
        Ok(offers)
    }
}

fn packs(grams: i64, sku: &Sku) -> u64 {
    u64::try_from(grams.checked_div(sku.grams.get()).unwrap_or(0)).unwrap_or(0)
}

fn in_lots(stock: &Stock, offer: &Offer, sku: &Sku, today: Day) -> Option<u64> {
    if offer.lots.is_empty() {
        return None;
    }
    let mut lots: Vec<HoldingId> = offer.lots.iter().cloned().map(HoldingId::Lot).collect();
    lots.sort();
    lots.dedup();
    let of_it = lots
        .iter()
        .filter_map(|lot| stock.holdings.get(lot))
        .filter(|holding| holding.product == sku.product && holding.grade == sku.grade && is_usable(holding, today));
    Some(packs(of_it.map(|holding| holding.on_hand().max(0)).fold(0, i64::saturating_add), sku))
}
