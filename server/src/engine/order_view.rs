//! An order as programs outside see it: without anything of who gets it.

use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::order::{self, AfterSale, Order, OrderLine};
use granary_client_core::schema::{DocumentKey, OrderName};
use serde::Serialize;
use utoipa::ToSchema;

use super::Granary;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

/// An order. Who gets it is never told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct OrderView {
    /// The platform.
    pub(crate) platform: String,
    /// The shop on it; empty where there is one alone.
    pub(crate) shop: String,
    /// The platform's id.
    pub(crate) outside_id: String,
    /// Where it stands, of what was told and of what was done here: `to-pack`, `packed`, `shipped`, `done`, `closed` or `cancelled`.
    #[schema(example = "to-pack")]
    pub(crate) state: Option<&'static str>,
    /// What the platform told last: `to-ship`, `part-shipped`, `shipped`, `done` or `closed`.
    #[schema(example = "to-ship")]
    pub(crate) told: Option<&'static str>,
    /// When the platform knew that.
    #[schema(example = "2026-11-27T08:00:00Z")]
    pub(crate) told_at: Option<String>,
    /// When it was placed.
    pub(crate) placed_at: Option<String>,
    /// The channel whose packs it takes.
    pub(crate) pool: Option<String>,
    /// What the buyer paid, in fen.
    pub(crate) fen: i64,
    /// Packs above what was set aside.
    pub(crate) over: u64,
    /// Its lines.
    pub(crate) lines: Vec<LineView>,
    /// The carrier's number, once it is shipped.
    pub(crate) tracking: Option<String>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LineView {
    /// The platform's id for it.
    pub(crate) line_id: String,
    /// The SKU; none for a line that nobody has mapped yet.
    pub(crate) sku: Option<String>,
    /// How many packs.
    pub(crate) packs: Option<u32>,
    /// Of them, above what was set aside.
    pub(crate) over: u32,
    /// What the line costs, in fen.
    pub(crate) fen: i64,
    /// True for a gift.
    pub(crate) gift: bool,
    /// What the buyer asked for afterwards: `none`, `asked`, `part-refunded` or `refunded`.
    #[schema(example = "none")]
    pub(crate) after_sale: &'static str,
}

fn line(line: &OrderLine) -> LineView {
    LineView {
        line_id: line.line_id.clone(),
        sku: line.sku.clone(),
        packs: line.packs,
        over: line.over,
        fen: line.fen.get(),
        gift: line.is_gift,
        after_sale: AfterSale::name(line.after_sale),
    }
}

impl OrderView {
    fn of(name: &OrderName, order: &Order) -> Self {
        let moment = |at: Option<Instant>| at.map(|at| at.to_string());
        Self {
            platform: name.platform.clone(),
            shop: name.shop.clone(),
            outside_id: name.outside_id.clone(),
            state: order.state().map(|state| state.name()),
            told: order.told.map(|told| told.name()),
            told_at: moment(order.told_at),
            placed_at: moment(order.placed_at),
            pool: order.pool.clone(),
            fen: order.fen(),
            over: order.over(),
            lines: order.lines.iter().map(line).collect(),
            tracking: order.shipment.clone(),
        }
    }
}

/// The longest wait for an order that was just answered and is not in the log yet.
const SETTLE_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

impl Granary {
    /// As [`Self::order_view`], with all that was answered before.
    pub(crate) fn settled_order_view(
        &self,
        number: CooperativeNumber,
        name: &OrderName,
    ) -> Result<Option<OrderView>, Error> {
        let cooperative = self.cooperative(number)?;
        self.settle_within(&cooperative, &[DocumentKey::Order(name.clone())], SETTLE_WAIT);
        self.order_view(number, name)
    }

    /// An order as programs see it; none where there is none of this name.
    pub(crate) fn order_view(&self, number: CooperativeNumber, name: &OrderName) -> Result<Option<OrderView>, Error> {
        let server: DeviceId = Cooperative::server_device(self.cooperative(number)?.id());
        let document = self.document(number, &DocumentKey::Order(name.clone()))?;
        Ok(document.map(|document| OrderView::of(name, &order::read(&document, server))))
    }
}
