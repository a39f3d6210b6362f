//! An order as programs outside see it: without anything of who gets it.

use granary_client_core::schema::{DocumentKey, OrderName, order};
use serde::Serialize;
use utoipa::ToSchema;

use super::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// An order. Who gets it is never told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct OrderView {
    /// The platform.
    pub(crate) platform: String,
    /// The shop on it; empty where there is one alone.
    pub(crate) shop: String,
    /// The platform's id.
    pub(crate) outside_id: String,
    /// Where it stands here: `placed`, `packed`, `shipped` or `cancelled`.
    #[schema(example = "placed")]
    pub(crate) status: Option<&'static str>,
    /// The carrier's number, once it is shipped.
    pub(crate) tracking: Option<String>,
}

impl Granary {
    /// An order as programs see it; none where there is none of this name.
    pub(crate) fn order_view(&self, number: CooperativeNumber, name: &OrderName) -> Result<Option<OrderView>, Error> {
        let Some(document) = self.document(number, &DocumentKey::Order(name.clone()))? else { return Ok(None) };
        let order = order::read(&document);
        Ok(Some(OrderView {
            platform: name.platform.clone(),
            shop: name.shop.clone(),
            outside_id: name.outside_id.clone(),
            status: order.status.map(|status| status.name()),
            tracking: order.shipment,
        }))
    }
}
