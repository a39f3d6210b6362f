//! Deliveries of webhooks: those that wait, what became of them, and those that were given up.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::{Row, StoreFault};

use super::{DEAD, TOLD, WAITING, WEBHOOK, row_key};
use crate::access::By;
use crate::access::webhooks::{DeliveryRecord, Failed, Told, WebhookId};
use crate::engine::Granary;
use crate::engine::events::Event;
use crate::error::Error;
use crate::hooks::DeliveryId;
use crate::log::CooperativeNumber;
use crate::log::keys::{key, rest};
use crate::log::writer::GroupCommit;

/// Deliveries of one webhook that were given up and are kept, the newest.
const DEAD_MAX: usize = 1_000;

fn delivery_key(number: CooperativeNumber, kind: u8, id: DeliveryId) -> Vec<u8> {
    [row_key(number, kind, id.webhook).as_slice(), &id.number.to_be_bytes()].concat()
}

fn delivery_of(row: &Row) -> Option<(DeliveryId, DeliveryRecord)> {
    let (webhook, number) = rest(&row.key).get(1..)?.split_first_chunk::<8>()?;
    let webhook = WebhookId(u64::from_be_bytes(*webhook));
    let id = DeliveryId { webhook, number: u64::from_be_bytes(number.try_into().ok()?) };
    Some((id, read_message(row.value.as_deref()?).ok()?))
}

/// Something to tell, without its envelope.
pub(crate) struct Tidings {
    pub(crate) subject: String,
    pub(crate) kind: &'static str,
    pub(crate) data: serde_json::Value,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was made, or a later one makes it needless.
    Gone,
    /// It goes again.
    Again { at: Instant, attempts: u32, fault: Option<Failed> },
    /// It is given up.
    Dead { at: Instant, fault: Option<Failed> },
}

/// Adds deliveries to those that wait, in a job of the writer.
pub(super) fn put_deliveries(
    group: &mut GroupCommit<'_>,
    number: CooperativeNumber,
    webhook: WebhookId,
    tidings: Vec<Tidings>,
    now: Instant,
    reached: Option<u64>,
) -> Result<(), StoreFault> {
    let told_key = row_key(number, TOLD, webhook);
    if group.get(&row_key(number, WEBHOOK, webhook))?.is_none() {
        return Ok(());
    }
    let told: Option<Told> = group.get(&told_key)?.and_then(|bytes| read_message(&bytes).ok());
    let mut told = told.unwrap_or_default();
    told.position = reached.unwrap_or(told.position).max(told.position);
    for Tidings { subject, kind, data } in tidings {
        let id = DeliveryId { webhook, number: told.next };
        told.next = told.next.saturating_add(1);
        let body = serde_json::json!({
            "id": format!("evt_{webhook}_{}", id.number),
            "type": kind,
            "at": now.to_string(),
            "data": data,
        });
        let record = DeliveryRecord {
            subject,
            kind: kind.to_owned(),
            body: body.to_string().into_bytes(),
            since_millis: now.0,
            attempts: 0,
            due_millis: now.0,
            fault: None,
        };
        group.put(delivery_key(number, WAITING, id), write_message(&record));
    }
    group.put_visible(told_key, write_message(&told));
    Ok(())
}

impl Granary {
    /// Adds a delivery that says no more than that it arrives.
    pub(crate) fn test_webhook(
        &self,
        by: &By,
        number: CooperativeNumber,
        id: WebhookId,
        now: Instant,
    ) -> Result<(), Error> {
        self.webhook(by, number, id)?;
        let data = serde_json::json!({ "says": "it works" });
        self.tell_webhook(number, id, vec![Tidings { subject: "test".into(), kind: "test", data }], now)
    }

    /// Adds deliveries.
    pub(crate) fn tell_webhook(
        &self,
        number: CooperativeNumber,
        id: WebhookId,
        tidings: Vec<Tidings>,
        now: Instant,
    ) -> Result<(), Error> {
        self.write(move |group| put_deliveries(group, number, id, tidings, now, None))?;
        self.events().publish(Event::WebhooksChanged { cooperative: number });
        Ok(())
    }

    /// The deliveries that wait, of all webhooks of a co-operative.
    pub(crate) fn waiting_deliveries(
        &self,
        number: CooperativeNumber,
    ) -> Result<Vec<(DeliveryId, DeliveryRecord)>, Error> {
        Ok(self.store().scan_all(&key(number, b't', &[WAITING]))?.iter().filter_map(delivery_of).collect())
    }

    /// The first deliveries of a webhook that wait.
    pub(crate) fn first_waiting(
        &self,
        number: CooperativeNumber,
        id: WebhookId,
        most: usize,
    ) -> Result<Vec<(DeliveryId, DeliveryRecord)>, Error> {
        let rows = self.store().scan(&row_key(number, WAITING, id), None, most)?;
        Ok(rows.iter().filter_map(delivery_of).collect())
    }

    /// Puts a delivery among those that wait, for tests of what time does.
    #[cfg(test)]
    pub(crate) fn put_waiting(
        &self,
        number: CooperativeNumber,
        id: DeliveryId,
        record: DeliveryRecord,
    ) -> Result<(), Error> {
        self.write(move |group| {
            group.put_visible(delivery_key(number, WAITING, id), write_message(&record));
            Ok(())
        })
    }

    /// One delivery that waits.
    pub(crate) fn waiting_delivery(
        &self,
        number: CooperativeNumber,
        id: DeliveryId,
    ) -> Result<Option<DeliveryRecord>, Error> {
        let row = self.store().get(&delivery_key(number, WAITING, id))?;
        Ok(row.and_then(|bytes| read_message(&bytes).ok()))
    }

    /// The deliveries of a webhook that were given up, the newest first.
    pub(crate) fn dead_deliveries(
        &self,
        by: &By,
        number: CooperativeNumber,
        id: WebhookId,
    ) -> Result<Vec<(DeliveryId, DeliveryRecord)>, Error> {
        self.webhook(by, number, id)?;
        let rows = self.store().scan_all(&row_key(number, DEAD, id))?;
        Ok(rows.iter().rev().filter_map(delivery_of).collect())
    }

    /// How many deliveries of a co-operative wait, and how many were given up.
    pub(crate) fn count_deliveries(&self, number: CooperativeNumber) -> Result<(u64, u64), Error> {
        let count = |kind| self.store().scan_all(&key(number, b't', &[kind])).map(|rows| rows.len() as u64);
        Ok((count(WAITING)?, count(DEAD)?))
    }

    /// Sends once more what was given up; as if it had just come.
    pub(crate) fn revive_delivery(
        &self,
        by: &By,
        number: CooperativeNumber,
        id: DeliveryId,
        now: Instant,
    ) -> Result<(), Error> {
        self.webhook(by, number, id.webhook)?;
        let found = self.write(move |group| {
            let dead = delivery_key(number, DEAD, id);
            let record: Option<DeliveryRecord> = group.get(&dead)?.and_then(|bytes| read_message(&bytes).ok());
            let Some(record) = record else { return Ok(false) };
            let again = DeliveryRecord { since_millis: now.0, due_millis: now.0, attempts: 0, ..record };
            group.remove_visible(dead);
            group.put_visible(delivery_key(number, WAITING, id), write_message(&again));
            Ok(true)
        })?;
        if !found {
            return Err(Error::NotFound { what: "delivery", name: id.number.to_string() });
        }
        self.events().publish(Event::WebhooksChanged { cooperative: number });
        Ok(())
    }

    /// Writes what became of deliveries: gone where they were made or needless, later where they go again, or given up.
    pub(crate) fn note_deliveries(
        &self,
        number: CooperativeNumber,
        ended: Vec<(DeliveryId, Ended)>,
    ) -> Result<(), Error> {
        self.write(move |group| {
            for (id, ended) in ended {
                let waiting = delivery_key(number, WAITING, id);
                let record: Option<DeliveryRecord> = group.get(&waiting)?.and_then(|bytes| read_message(&bytes).ok());
                // A webhook that was removed meanwhile has none.
                let Some(record) = record else { continue };
                match ended {
                    Ended::Gone => group.remove_visible(waiting),
                    Ended::Again { at, attempts, fault } => {
                        let later = DeliveryRecord { due_millis: at.0, attempts, fault, ..record };
                        group.put_visible(waiting, write_message(&later));
                    }
                    Ended::Dead { at, fault } => {
                        let attempts = record.attempts.saturating_add(1);
                        let dead = DeliveryRecord { due_millis: at.0, attempts, fault, ..record };
                        group.remove_visible(waiting);
                        group.put_visible(delivery_key(number, DEAD, id), write_message(&dead));
                        let all = group.scan_all(&row_key(number, DEAD, id.webhook))?;
                        let too_many = all.len().saturating_sub(DEAD_MAX);
                        all.into_iter().take(too_many).for_each(|row| group.remove_visible(row.key));
                    }
                }
            }
            Ok(())
        })
    }
}
