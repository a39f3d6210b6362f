//! What came of a live-stream, from its orders: what was called off, what of its money went back when, what is to be packed. It is
//! counted each time it is asked for, so it goes on while returns are told.

use rusqlite::params;

use super::ReadModel;
use super::order_rows::Refund;
use super::read_model::parse_or_report;
use crate::quantities::Instant;
use crate::schema::order::OrderState;
use crate::store::StoreFault;

/// See the module. Nothing is taken off the first three by what follows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamSums {
    /// All orders.
    pub orders: u64,
    /// Their packs.
    pub packs: u64,
    /// What they cost, in fen.
    pub fen: i64,
    /// Orders that were called off or closed, without those whose goods were paid back: each order is counted once.
    pub called_off: u64,
    /// What those cost, in fen.
    pub called_off_fen: i64,
    /// Orders of which a line or all was paid back.
    pub refunded: u64,
    /// Orders of which a part of a line was paid back: how much is not told.
    pub part_refunded: u64,
    /// Orders whose buyer asked for something that the shop has to decide.
    pub asked: u64,
    /// Orders to pack.
    pub to_pack: u64,
    /// Packs of those, without what was paid back.
    pub to_pack_packs: u64,
    /// Orders with a line that nobody has mapped yet.
    pub unmapped: u64,
    /// What was paid back, in the order of the times at which the platform knew it.
    pub refunds: Vec<Refund>,
}

impl StreamSums {
    /// What was paid back before this moment, in fen; all of it without one.
    pub fn refunded_fen(&self, until: Option<Instant>) -> i64 {
        let told = self.refunds.iter().filter(|refund| until.is_none_or(|until| refund.at < until));
        told.filter_map(|refund| refund.fen).fold(0, i64::saturating_add)
    }

    /// That as a share of what all orders cost, in permille; 0 where nothing was sold.
    pub fn returned_permille(&self, until: Option<Instant>) -> i64 {
        self.refunded_fen(until).saturating_mul(1_000).checked_div(self.fen).unwrap_or(0)
    }

    fn add(&mut self, order: Counted) {
        let Counted { state, packs, fen, is_asked, unmapped, refunds } = order;
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        let is_whole = |refund: &&Refund| refund.fen.is_some();
        add(&mut self.orders, 1);
        add(&mut self.packs, packs);
        self.fen = self.fen.saturating_add(fen);
        add(&mut self.asked, u64::from(is_asked));
        add(&mut self.unmapped, u64::from(unmapped > 0));
        add(&mut self.part_refunded, u64::from(refunds.iter().any(|refund| refund.fen.is_none())));
        let is_refunded = refunds.iter().any(|refund| refund.fen.is_some());
        add(&mut self.refunded, u64::from(is_refunded));
        match state {
            Some(OrderState::Closed | OrderState::Cancelled) if !is_refunded => {
                add(&mut self.called_off, 1);
                self.called_off_fen = self.called_off_fen.saturating_add(fen);
            }
            Some(OrderState::ToPack) => {
                let back = refunds.iter().filter(is_whole).map(|refund| refund.packs).fold(0, u64::saturating_add);
                add(&mut self.to_pack, 1);
                add(&mut self.to_pack_packs, packs.saturating_sub(back));
            }
            _ => {}
        }
        self.refunds.extend(refunds);
    }
}

/// What is counted of an order.
struct Counted {
    state: Option<OrderState>,
    packs: u64,
    fen: i64,
    is_asked: bool,
    unmapped: u64,
    refunds: Vec<Refund>,
}

impl ReadModel {
    /// What came of a live-stream, by its code.
    pub fn stream_sums(&self, code: &str) -> Result<StreamSums, StoreFault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT state, packs, fen, after_sale, unmapped, refunds FROM orders WHERE stream = ?1 AND stream <> ''",
        )?;
        let mut rows = statement.query(params![code])?;
        let mut sums = StreamSums::default();
        while let Some(row) = rows.next()? {
            let count = |column| Ok::<_, StoreFault>(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0));
            let refunds: String = row.get(5)?;
            sums.add(Counted {
                state: OrderState::from_name(&row.get::<_, String>(0)?),
                packs: count(1)?,
                fen: row.get(2)?,
                is_asked: row.get(3)?,
                unmapped: count(4)?,
                refunds: refunds_of(&refunds),
            });
        }
        sums.refunds.sort();
        Ok(sums)
    }
}

/// The refunds of a row.
pub(super) fn refunds_of(text: &str) -> Vec<Refund> {
    parse_or_report("orders", "refunds", text, |text| serde_json::from_str(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_is_counted_once_and_its_money_by_the_day_it_went_back() {
        let refund = |at, fen, packs| Refund { at: Instant(at), fen, packs };
        let order = |state, refunds| Counted {
            state: Some(state),
            packs: 2,
            fen: 1_000,
            is_asked: false,
            unmapped: 0,
            refunds,
        };
        let mut sums = StreamSums::default();
        sums.add(order(OrderState::ToPack, vec![refund(20, Some(400), 1)]));
        sums.add(order(OrderState::Closed, vec![refund(10, Some(1_000), 2)]));
        sums.add(order(OrderState::Closed, vec![]));
        sums.add(order(OrderState::Shipped, vec![refund(10, None, 2)]));
        assert_eq!((sums.orders, sums.packs, sums.fen), (4, 8, 4_000));
        assert_eq!((sums.called_off, sums.called_off_fen), (1, 1_000));
        assert_eq!((sums.refunded, sums.part_refunded, sums.to_pack, sums.to_pack_packs), (2, 1, 1, 1));
        assert_eq!((sums.refunded_fen(Some(Instant(20))), sums.refunded_fen(None)), (1_000, 1_400));
        assert_eq!((sums.returned_permille(None), StreamSums::default().returned_permille(None)), (350, 0));
    }
}
