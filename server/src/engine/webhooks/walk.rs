//! The walk over the log: which orders changed after a position, and what a webhook is told of them.

use std::sync::Arc;

use granary_client_core::protocol::messages::read_message;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::{DocumentKey, OrderName};
use granary_client_core::store::StoreFault;

use super::deliveries::{Tidings, put_deliveries};
use super::{TOLD, WAITING, row_key};
use crate::access::webhooks::{EventKind, Told, WebhookId, WebhookRecord};
use crate::engine::Granary;
use crate::error::Error;
use crate::log::keys::{LogEvent, LogRecord, key, log_key, rest_u64};
use crate::log::{Cooperative, CooperativeNumber};

/// Deliveries of one webhook that wait at most.
pub(crate) const WAITING_MAX: usize = 10_000;
/// Positions of the log that one step of the walk reads.
const STEP: usize = 256;

impl Granary {
    /// Walks the log on from where a webhook was told last, and adds a delivery for each order of its shop that changed. Gives
    /// whether there is more to walk.
    pub(crate) fn tell_of_orders(
        &self,
        number: CooperativeNumber,
        (id, record): (WebhookId, &WebhookRecord),
        now: Instant,
    ) -> Result<bool, Error> {
        let cooperative = self.cooperative(number)?;
        let told = self.store().get(&row_key(number, TOLD, id))?;
        let told: Told = told.and_then(|bytes| read_message(&bytes).ok()).unwrap_or_default();
        let end = cooperative.statistics().positions;
        if told.position >= end || !record.events.contains(&EventKind::OrderChanged) {
            if told.position < end {
                self.write(move |group| put_deliveries(group, number, id, Vec::new(), now, Some(end)))?;
            }
            return Ok(false);
        }
        let waiting = self.store().scan(&row_key(number, WAITING, id), None, WAITING_MAX)?.len();
        if waiting.saturating_add(STEP) > WAITING_MAX {
            return Ok(false);
        }
        let is_of_shop = |name: &OrderName| name.platform == record.platform && name.shop == record.shop;
        let (orders, reached) = self.changed_orders(&cooperative, told.position, STEP, &is_of_shop)?;
        let mut tidings = Vec::new();
        for (_, name) in orders {
            if let Some(order) = self.order_view(number, &name)? {
                let data = serde_json::to_value(&order).unwrap_or_default();
                tidings.push(Tidings {
                    subject: format!("order {}", name.outside_id),
                    kind: EventKind::OrderChanged.name(),
                    data,
                });
            }
        }
        self.write(move |group| put_deliveries(group, number, id, tidings, now, Some(reached)))?;
        Ok(reached < end)
    }

    /// The log's running checksum at a position; none for one that is not there.
    pub(crate) fn log_tag(&self, number: CooperativeNumber, position: u64) -> Result<Option<u64>, Error> {
        if position == 0 {
            return Ok(Some(0));
        }
        let row = self.store().get(&log_key(number, position))?;
        let record: Option<LogRecord> = row.and_then(|bytes| read_message(&bytes).ok());
        Ok(record.map(|record| record.tag))
    }

    /// The orders that changed after a position of the log, each at the last position that is about it, from at most `most`
    /// positions; and the position that was reached.
    pub(crate) fn changed_orders(
        &self,
        cooperative: &Arc<Cooperative>,
        after: u64,
        most: usize,
        is_wanted: &dyn Fn(&OrderName) -> bool,
    ) -> Result<(Vec<(u64, OrderName)>, u64), Error> {
        let number = cooperative.number();
        let end = cooperative.statistics().positions;
        let (mut found, mut reached) = (Vec::new(), after);
        let rows = self.store().scan(&key(number, b'l', &[]), Some(&log_key(number, after)), most)?;
        for row in rows {
            let position = rest_u64(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            // What is written and not flushed yet is not there.
            if position > end {
                break;
            }
            reached = position;
            let record: Option<LogRecord> = row.value.as_deref().and_then(|value| read_message(value).ok());
            let record = record.ok_or(StoreFault::Damaged(row.key))?;
            let LogEvent::Admitted { document, .. } = record.event else { continue };
            if cooperative.last_position(document) != position {
                // A later position is about it too.
                continue;
            }
            if let Some(DocumentKey::Order(name)) = cooperative.document_key(document)
                && is_wanted(&name)
            {
                found.push((position, name));
            }
        }
        Ok((found, reached))
    }
}
