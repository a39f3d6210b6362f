//! Who got an order is forgotten 90 days after it was done or closed. Platforms don't always tell that: what went out counts as done
//! when nothing was heard of it any more, and what never went out is given up after half a year. The order itself stays: it holds
//! nothing about a person.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::order::{self, Order, OrderState};

use crate::engine::Granary;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How long a receiver is kept after its order was done, or after the last that was heard of one that is on its way.
const KEPT_MILLIS: i64 = 90 * DAY_MILLIS;
/// How long a receiver is kept of an order that is still here, after the last that the platform told of it.
const GIVEN_UP_MILLIS: i64 = 180 * DAY_MILLIS;

/// When an order's receiver is to be forgotten; none where no time is known. What the platform says of an order has its own time; of
/// what was written here, that of the last change is known. Planning is no news of an order that is still here, since the server
/// plans anew by itself.
fn due_at(
    order: &Order,
    last_change: impl FnOnce() -> Result<Option<Instant>, Error>,
) -> Result<Option<Instant>, Error> {
    let told = order.told_at.max(order.placed_at);
    let (heard, kept) = match order.state() {
        Some(OrderState::Done | OrderState::Closed) if order.told_at.is_some() => (order.told_at, KEPT_MILLIS),
        Some(OrderState::ToPack) if told.is_some() => (told, GIVEN_UP_MILLIS),
        Some(OrderState::ToPack | OrderState::Packed) | None => (told.max(last_change()?), GIVEN_UP_MILLIS),
        Some(OrderState::Shipped) => (told.max(last_change()?), KEPT_MILLIS),
        Some(_) => (last_change()?, KEPT_MILLIS),
    };
    Ok(heard.map(|heard| Instant(heard.0.saturating_add(kept))))
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
        let last_change_of = |key: &DocumentKey| -> Result<Option<Instant>, Error> {
            Ok(self.changes_of(number, key)?.into_iter().map(|(received, _)| received).max())
        };
        let Some(document) = cooperative.document_number(&key) else {
            // Nobody knows of what order this is: it was given up when it came.
            let came = last_change_of(&DocumentKey::Receiver(name.clone()))?;
            return Ok(came.is_some_and(|came| now.0.saturating_sub(came.0) >= GIVEN_UP_MILLIS));
        };
        // Past the cache: a pass over all orders would empty it of what is used.
        let order =
            order::read(&self.loaded().load(cooperative, document)?, Cooperative::server_device(cooperative.id()));
        Ok(due_at(&order, || last_change_of(&key))?.is_some_and(|due| due <= now))
    }
}
