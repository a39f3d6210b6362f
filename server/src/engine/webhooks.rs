//! Webhooks and their deliveries in the store. What is to be told of orders follows from the log, so nothing is forgotten when the
//! process ends: each webhook has the position up to which it was told. Deliveries that wait are rows, at most so many of a webhook;
//! while there are so many, the walk over the log waits.

mod deliveries;
mod walk;

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::Row;

use super::Granary;
use super::audit::put_line;
use super::events::Event;
use crate::access::webhooks::{EventKind, OLD_SECRET_MILLIS, Told, WEBHOOKS_MAX, WebhookId, WebhookRecord};
use crate::access::{AuditAction, By};
use crate::config::Networks;
use crate::environment::hex;
use crate::error::Error;
use crate::hooks::Target;
use crate::log::CooperativeNumber;
use crate::log::keys::{key, rest};
use crate::said::Said;

pub(crate) use deliveries::{Ended, Tidings};

const WEBHOOK: u8 = b'h';
const TOLD: u8 = b'p';
const WAITING: u8 = b'q';
const DEAD: u8 = b'd';

fn row_key(number: CooperativeNumber, kind: u8, webhook: WebhookId) -> Vec<u8> {
    key(number, b't', &[&[kind], webhook.0.to_be_bytes().as_slice()].concat())
}

/// What a webhook is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookDraft {
    pub(crate) url: String,
    pub(crate) events: BTreeSet<EventKind>,
    pub(crate) platform: String,
    pub(crate) shop: String,
}

fn missing(id: WebhookId) -> Error {
    Error::NotFound { what: "webhook", name: id.to_string() }
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
}
