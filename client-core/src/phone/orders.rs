//! Orders and live-streams on a phone: of packers and coordinators the orders, of everybody the streams.

use super::Phone;
use crate::error::Error;
use crate::ids::DeviceId;
use crate::projection::{OrderCounts, OrderFilter, OrderRow};
use crate::quantities::Instant;
use crate::schema::order::{self, Order, OrderStatus};
use crate::schema::receiver::{self, Receiver};
use crate::schema::stream::{self, Stream};
use crate::schema::{DocumentKey, OrderName, StreamCode};

impl Phone {
    /// Sets the status of an order.
    pub fn set_order_status(&self, name: OrderName, status: OrderStatus) -> Result<(), Error> {
        self.edit(&DocumentKey::Order(name), |doc| order::set_status(doc, status))
    }

    /// A page of orders: those that pass the filter, the latest placed first, as of the last sync.
    pub fn order_page(&self, filter: &OrderFilter) -> Result<Vec<OrderRow>, Error> {
        Ok(self.inner().lists()?.order_page(filter)?)
    }

    /// How many orders there are of each kind; late are those that were promised before this moment and are still here.
    pub fn order_counts(&self, late_at: Instant) -> Result<OrderCounts, Error> {
        Ok(self.inner().lists()?.order_counts(late_at)?)
    }

    /// An order; none when this phone does not have it.
    pub fn order(&self, name: OrderName) -> Result<Option<Order>, Error> {
        let server = self.server_device()?;
        self.read(&DocumentKey::Order(name), |document| order::read(document, server))
    }

    /// Who gets an order, and where it goes; none where it is not here, or was erased.
    pub fn receiver(&self, name: OrderName) -> Result<Option<Receiver>, Error> {
        self.read(&DocumentKey::Receiver(name), |document| receiver::read(document))
    }

    /// A live-stream; none when it is not known here.
    pub fn stream(&self, code: StreamCode) -> Result<Option<Stream>, Error> {
        let server = self.server_device()?;
        self.read(&DocumentKey::Stream(code), |document| stream::read(document, server))
    }

    /// The server's own device: what only the server decides counts where this device wrote it.
    pub fn server_device(&self) -> Result<DeviceId, Error> {
        Ok(self.inner().enrolled_mut()?.identity.cooperative.server_device())
    }
}
