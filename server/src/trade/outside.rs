//! What programs outside ask of orders, besides bringing them: calling one off, giving back what was asked for, which SKUs are known.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::order::{self, Order, TakenLine, TakenOrder, ToldStatus};
use granary_client_core::schema::{DocumentKey, OrderName};

use super::rows;
use super::told::{Answer, Mode, ToldOrder};
use crate::engine::Granary;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

/// For how long a shop may give back what it asked for, in milliseconds.
const HOLD_MILLIS: u64 = 15 * 60_000;

/// The order as it was told, in another state.
fn told_again(order: Order, told: ToldStatus, told_at: Instant) -> Option<TakenOrder> {
    let line = |line: order::OrderLine| {
        Some(TakenLine {
            line_id: line.line_id,
            sku: line.sku,
            code: line.code,
            title: line.title,
            packs: line.packs?,
            fen: line.fen,
            is_gift: line.is_gift,
            after_sale: line.after_sale,
            after_sale_at: line.after_sale_at,
        })
    };
    Some(TakenOrder {
        placed_at: order.placed_at?,
        paid_at: order.paid_at,
        promised_at: order.promised_at,
        told_at,
        told,
        total_fen: order.total_fen,
        freight_fen: order.freight_fen,
        pool: order.pool?,
        stream: order.stream,
        lines: order.lines.into_iter().map(line).collect::<Option<_>>()?,
    })
}

impl Granary {
    /// Tells that an order was called off, as the platform knew at `told_at`; none where there is none that was told.
    pub(crate) fn close_order(
        &self,
        number: CooperativeNumber,
        name: &OrderName,
        told_at: Instant,
        now: Instant,
    ) -> Result<Option<Answer>, Error> {
        let cooperative = self.cooperative(number)?;
        self.settle_within(&cooperative, &[DocumentKey::Order(name.clone())], super::known::ADMISSION_WAIT);
        let Some(document) = self.document(number, &DocumentKey::Order(name.clone()))? else { return Ok(None) };
        let read = order::read(&document, Cooperative::server_device(cooperative.id()));
        let Some(order) = told_again(read, ToldStatus::Closed, told_at) else { return Ok(None) };
        let told = ToldOrder { name: name.clone(), mode: Mode::Tell, order, receiver: None, buyer_token: None };
        Ok(self.take_orders(number, vec![told], now)?.into_iter().next())
    }

    /// Gives back what a shop asked for; none where it asked for no such order, false where the time for it is over.
    pub(crate) fn release_hold(
        &self,
        number: CooperativeNumber,
        name: &OrderName,
        now: Instant,
    ) -> Result<Option<bool>, Error> {
        let Some(known) = rows::known(self.store(), number, name)? else { return Ok(None) };
        if !known.was_asked || now.millis_since(Instant(known.accepted_millis)) > HOLD_MILLIS {
            return Ok(Some(false));
        }
        // It is told later than whatever was told of it, so that it holds.
        let told_at = Instant(now.0.max(known.told_millis.saturating_add(1)));
        Ok(self.close_order(number, name, told_at, now)?.map(|_| true))
    }

    /// The lines, by place of their order and of the line, whose SKU the catalogue does not have though they are asked for.
    pub(crate) fn unknown_skus(
        &self,
        number: CooperativeNumber,
        orders: &[ToldOrder],
    ) -> Result<Vec<(usize, usize)>, Error> {
        let cooperative = self.cooperative(number)?;
        let context = self.trade_context(&cooperative)?;
        let is_unknown = |line: &TakenLine| line.sku.as_ref().is_some_and(|sku| context.skus.of_code(sku).is_none());
        let asked = orders.iter().enumerate().filter(|(_, told)| told.mode == Mode::Ask);
        let lines = asked.flat_map(|(place, told)| {
            told.order.lines.iter().enumerate().filter(|(_, line)| is_unknown(line)).map(move |(line, _)| (place, line))
        });
        Ok(lines.collect())
    }
}
