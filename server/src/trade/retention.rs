//! Who got an order is forgotten 90 days after it was done or closed. The order itself stays: it holds nothing about a person.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::order::{self, Order, OrderState};

use crate::engine::Granary;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How long a receiver is kept after its order was done.
const KEPT_MILLIS: i64 = 90 * DAY_MILLIS;

/// When an order was done, closed or called off; none while it is open. What the platform says of it has its own time; of what was
/// called off here, that of the last change is known.
fn done_at(
    order: &Order,
    last_change: impl FnOnce() -> Result<Option<Instant>, Error>,
) -> Result<Option<Instant>, Error> {
    match order.state() {
        Some(OrderState::Done | OrderState::Closed) => Ok(order.told_at),
        Some(OrderState::Cancelled) => last_change(),
        _ => Ok(None),
    }
}

impl Granary {
    /// Forgets the receivers whose time is over; gives how many. For once a day.
    pub fn forget_due_receivers(&self, now: Instant) -> Result<u64, Error> {
        let mut forgotten = 0u64;
        for cooperative in self.cooperatives() {
            let mut due = Vec::new();
            for key in cooperative.documents() {
                let DocumentKey::Receiver(name) = &key else { continue };
                if !cooperative.is_erased(&key)
                    && self.is_receiver_due(cooperative.number(), &cooperative, name, now)?
                {
                    due.push(name.clone());
                }
            }
            if !due.is_empty() {
                forgotten = forgotten.saturating_add(due.len() as u64);
                self.forget_receivers(&cooperative, due, now)?;
            }
        }
        Ok(forgotten)
    }

    fn is_receiver_due(
        &self,
        number: CooperativeNumber,
        cooperative: &Cooperative,
        name: &granary_client_core::schema::OrderName,
        now: Instant,
    ) -> Result<bool, Error> {
        let key = DocumentKey::Order(name.clone());
        let Some(document) = cooperative.document_number(&key) else { return Ok(false) };
        // Past the cache: a pass over all orders would empty it of what is used.
        let order =
            order::read(&self.loaded().load(cooperative, document)?, Cooperative::server_device(cooperative.id()));
        let last_change = || Ok(self.changes_of(number, &key)?.into_iter().map(|(received, _)| received).max());
        Ok(done_at(&order, last_change)?.is_some_and(|done| now.0.saturating_sub(done.0) >= KEPT_MILLIS))
    }
}
