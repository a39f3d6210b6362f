//! Webhooks and their deliveries in the store. What is to be told of orders follows from the log, so nothing is forgotten when the
//! process ends: each webhook has the position up to which it was told. Deliveries that wait are rows, at most so many of a webhook;
//! while there are so many, the walk over the log waits.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::{DocumentKey, OrderName};
use granary_client_core::store::{Row, StoreFault};

use super::Granary;
use super::audit::put_line;
use super::events::Event;
use crate::access::webhooks::{
    DeliveryRecord, EventKind, Failed, OLD_SECRET_MILLIS, Told, WEBHOOKS_MAX, WebhookId, WebhookRecord,
};
use crate::access::{AuditAction, By};
use crate::config::Networks;
use crate::environment::hex;
use crate::error::Error;
use crate::hooks::{DeliveryId, Target};
use crate::log::keys::{LogEvent, LogRecord, key, log_key, rest, rest_u64};
use crate::log::writer::GroupCommit;
use crate::log::{Cooperative, CooperativeNumber};
use crate::said::Said;

/// Deliveries of one webhook that wait at most.
pub(crate) const WAITING_MAX: usize = 10_000;
/// Deliveries of one webhook that were given up and are kept, the newest.
const DEAD_MAX: usize = 1_000;
/// Positions of the log that one step of the walk reads.
const STEP: usize = 256;

const WEBHOOK: u8 = b'h';
const TOLD: u8 = b'p';
const WAITING: u8 = b'q';
const DEAD: u8 = b'd';

fn row_key(number: CooperativeNumber, kind: u8, webhook: WebhookId) -> Vec<u8> {
    key(number, b't', &[&[kind], webhook.0.to_be_bytes().as_slice()].concat())
}

fn delivery_key(number: CooperativeNumber, kind: u8, id: DeliveryId) -> Vec<u8> {
    [row_key(number, kind, id.webhook).as_slice(), &id.number.to_be_bytes()].concat()
}

fn delivery_of(row: &Row) -> Option<(DeliveryId, DeliveryRecord)> {
    let (webhook, number) = rest(&row.key).get(1..)?.split_first_chunk::<8>()?;
    let webhook = WebhookId(u64::from_be_bytes(*webhook));
    let id = DeliveryId { webhook, number: u64::from_be_bytes(number.try_into().ok()?) };
    Some((id, read_message(row.value.as_deref()?).ok()?))
}

/// What a webhook is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookDraft {
    pub(crate) url: String,
    pub(crate) events: BTreeSet<EventKind>,
    pub(crate) platform: String,
    pub(crate) shop: String,
}

/// Something to tell, without its envelope.
pub(crate) struct Tidings {
    pub(crate) subject: String,
    pub(crate) kind: &'static str,
    pub(crate) data: serde_json::Value,
}

fn missing(id: WebhookId) -> Error {
    Error::NotFound { what: "webhook", name: id.to_string() }
}

/// Adds deliveries to those that wait, in a job of the writer.
fn put_deliveries(
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
    /// Private networks that webhooks may lead to from now on.
    pub fn set_webhook_networks(&self, networks: Networks) {
        *self.webhook_networks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(networks);
    }

    /// Private networks that webhooks may lead to.
    pub(crate) fn webhook_networks(&self) -> Arc<Networks> {
        Arc::clone(&self.webhook_networks.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The webhooks of a co-operative.
    pub(crate) fn webhooks(&self, number: CooperativeNumber) -> Result<Vec<(WebhookId, WebhookRecord)>, Error> {
        let rows = self.store().scan_all(&key(number, b't', &[WEBHOOK]))?;
        let read = |row: Row| {
            let id = u64::from_be_bytes(rest(&row.key).get(1..)?.try_into().ok()?);
            Some((WebhookId(id), read_message(row.value.as_deref()?).ok()?))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// One webhook, for who may see it.
    pub(crate) fn webhook(&self, by: &By, number: CooperativeNumber, id: WebhookId) -> Result<WebhookRecord, Error> {
        let row = self.store().get(&row_key(number, WEBHOOK, id))?;
        let record: Option<WebhookRecord> = row.and_then(|bytes| read_message(&bytes).ok());
        record.filter(|record| by.may(&record.platform, &record.shop)).ok_or_else(|| missing(id))
    }

    fn new_secret(&self) -> Result<String, Error> {
        Ok(format!("whsec_{}", hex(&self.random::<24>()?)))
    }

    fn put_webhook(
        &self,
        by: By,
        number: CooperativeNumber,
        (id, record): (WebhookId, WebhookRecord),
        is_new: bool,
        now: Instant,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let position = cooperative.statistics().positions;
        self.write(move |group| {
            if let Err(denied) = by.must_act(&cooperative) {
                return Ok(Err(denied));
            }
            if is_new {
                group.put_visible(row_key(number, TOLD, id), write_message(&Told { position, next: 1 }));
            }
            group.put_visible(row_key(number, WEBHOOK, id), write_message(&record));
            put_line(&cooperative, group, now, &by.id(), AuditAction::WebhookSet, &id.to_string());
            Ok(Ok(()))
        })??;
        self.events().publish(Event::WebhooksChanged { cooperative: number });
        Ok(())
    }

    /// Makes a webhook; gives its name and secret. It is told what happens from now on.
    pub(crate) fn add_webhook(
        &self,
        by: By,
        number: CooperativeNumber,
        draft: WebhookDraft,
        now: Instant,
    ) -> Result<(WebhookId, WebhookRecord), Error> {
        Target::of(&draft.url).map_err(|fault| Error::invalid("url", Said::of(&fault)))?;
        if self.webhooks(number)?.len() >= WEBHOOKS_MAX {
            let said = ("there are too many webhooks; remove those that nobody uses", "通知地址太多；请删除没人用的");
            return Err(Error::invalid("url", said));
        }
        let id = WebhookId(u64::from_be_bytes(self.random()?));
        let key = match &by {
            By::Key(key) => Some(key.id),
            By::Principal(_) => None,
        };
        let WebhookDraft { url, events, platform, shop } = draft;
        let secret = self.new_secret()?;
        let record = WebhookRecord { url, events, platform, shop, key, secret, old_secret: None, made_millis: now.0 };
        self.put_webhook(by, number, (id, record.clone()), true, now)?;
        Ok((id, record))
    }

    /// Changes where a webhook leads, or of what it is told.
    pub(crate) fn change_webhook(
        &self,
        by: By,
        number: CooperativeNumber,
        id: WebhookId,
        (url, events): (String, BTreeSet<EventKind>),
        now: Instant,
    ) -> Result<WebhookRecord, Error> {
        Target::of(&url).map_err(|fault| Error::invalid("url", Said::of(&fault)))?;
        let record = WebhookRecord { url, events, ..self.webhook(&by, number, id)? };
        self.put_webhook(by, number, (id, record.clone()), false, now)?;
        Ok(record)
    }

    /// Gives a webhook another secret; the one before holds beside it for a week.
    pub(crate) fn rotate_webhook(
        &self,
        by: By,
        number: CooperativeNumber,
        id: WebhookId,
        now: Instant,
    ) -> Result<WebhookRecord, Error> {
        let before = self.webhook(&by, number, id)?;
        let old_secret = Some((before.secret, now.plus_millis(OLD_SECRET_MILLIS).0));
        let record = WebhookRecord { secret: self.new_secret()?, old_secret, ..before };
        self.put_webhook(by, number, (id, record.clone()), false, now)?;
        Ok(record)
    }

    /// Removes a webhook with all its deliveries.
    pub(crate) fn remove_webhook(
        &self,
        by: By,
        number: CooperativeNumber,
        id: WebhookId,
        now: Instant,
    ) -> Result<(), Error> {
        self.webhook(&by, number, id)?;
        let cooperative = self.cooperative(number)?;
        self.write(move |group| {
            if let Err(denied) = by.must_act(&cooperative) {
                return Ok(Err(denied));
            }
            for kind in [WEBHOOK, TOLD, WAITING, DEAD] {
                for row in group.scan_all(&row_key(number, kind, id))? {
                    group.remove_visible(row.key);
                }
            }
            put_line(&cooperative, group, now, &by.id(), AuditAction::WebhookRemoved, &id.to_string());
            Ok(Ok(()))
        })??;
        self.events().publish(Event::WebhooksChanged { cooperative: number });
        Ok(())
    }

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
