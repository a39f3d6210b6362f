//! Webhooks: what happened is sent to shops' programs. `schedule` and `pace` say when, as state machines without a clock; `target`,
//! `sign` and `line` make one attempt; here is the task that drives them. All that waits is in the store.

mod line;
mod pace;
mod schedule;
mod sign;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use granary_client_core::quantities::Instant;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::mpsc;

use self::line::Line;
pub(crate) use self::line::forbidden;
use self::pace::Pace;
use self::schedule::{Next, Schedule, Waiting};
use self::sign::signature;
pub(crate) use crate::access::webhooks::Failed;
use crate::access::webhooks::{EventKind, WebhookId, WebhookRecord};
use crate::engine::Granary;
use crate::engine::events::Event;
use crate::engine::pool_view::PoolView;
use crate::engine::webhooks::{Ended, Tidings};
use crate::environment::{now, random_bytes};
use crate::error::Error;
use crate::http::Counts;
use crate::log::CooperativeNumber;

pub(crate) use schedule::DeliveryId;
pub(crate) use target::{Target, URL_MAX};

/// The longest sleep: what was missed is looked at then.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Attempts that ended whose rows are written together.
const TOGETHER: usize = 64;

type Attempt = (DeliveryId, Result<(), Failed>);

/// Sends what waits until aborted.
pub(crate) fn start(granary: Arc<Granary>, counts: Arc<Counts>) -> Result<tokio::task::JoinHandle<()>, Error> {
    let line = Arc::new(Line::new(granary.webhook_networks())?);
    Ok(tokio::spawn(async move { Runner::new(granary, counts, line).run().await }))
}

/// What events say: of which co-operatives there is something new.
enum News {
    Of {
        /// Something is to be told, or webhooks were set.
        changed: BTreeSet<CooperativeNumber>,
        /// Pools changed.
        pools: BTreeSet<CooperativeNumber>,
    },
    /// Some were missed.
    Missed,
}

/// This event and those that wait behind it, so that many orders at once are one look; none when no more will come.
fn news(first: Result<Event, RecvError>, events: &mut Receiver<Event>) -> Option<News> {
    let (mut changed, mut pools, mut event) = (BTreeSet::new(), BTreeSet::new(), first);
    loop {
        match event {
            Ok(Event::WebhooksChanged { cooperative } | Event::OrderAdmitted { cooperative }) => {
                changed.insert(cooperative);
            }
            Ok(Event::PoolsChanged { cooperative }) => {
                pools.insert(cooperative);
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return Some(News::Missed),
            Err(RecvError::Closed) => return None,
        }
        event = match events.try_recv() {
            Ok(event) => Ok(event),
            Err(TryRecvError::Empty) => return Some(News::Of { changed, pools }),
            Err(TryRecvError::Lagged(count)) => Err(RecvError::Lagged(count)),
            Err(TryRecvError::Closed) => Err(RecvError::Closed),
        };
    }
}

struct Runner {
    granary: Arc<Granary>,
    counts: Arc<Counts>,
    line: Arc<Line>,
    schedule: Schedule,
    /// Co-operatives whose pools changed, at most one telling a second.
    pools: Pace<CooperativeNumber>,
    /// What was told last of each pool.
    told: BTreeMap<(WebhookId, String), Option<PoolView>>,
    known: BTreeMap<WebhookId, (CooperativeNumber, WebhookRecord)>,
    done: mpsc::UnboundedSender<Attempt>,
    ended: mpsc::UnboundedReceiver<Attempt>,
}

impl Runner {
    fn new(granary: Arc<Granary>, counts: Arc<Counts>, line: Arc<Line>) -> Self {
        let (done, ended) = mpsc::unbounded_channel();
        Self {
            granary,
            counts,
            line,
            schedule: Schedule::default(),
            pools: Pace::default(),
            told: BTreeMap::new(),
            known: BTreeMap::new(),
            done,
            ended,
        }
    }

    async fn run(mut self) {
        let mut events = self.granary.events().subscribe();
        let all: Vec<CooperativeNumber> = self.granary.cooperatives().iter().map(|it| it.number()).collect();
        for number in all {
            self.look(number).await;
        }
        loop {
            for number in self.pools.due(now()) {
                self.tell_of_pools(number).await;
            }
            self.send_due();
            let due = [self.schedule.due_at(), self.pools.due_at()].into_iter().flatten().min();
            let sleep = due.map_or(LOOK_EVERY, |due| Duration::from_millis(due.millis_since(now())).min(LOOK_EVERY));
            tokio::select! {
                event = events.recv() => {
                    let Some(told) = news(event, &mut events) else { return };
                    match told {
                        News::Of { changed, pools } => {
                            pools.into_iter().for_each(|number| self.pools.changed(number));
                            for number in changed {
                                self.look(number).await;
                            }
                        }
                        News::Missed => self.look_at_all().await,
                    }
                }
                Some(attempt) = self.ended.recv() => self.note(attempt).await,
                () = tokio::time::sleep(sleep) => if sleep == LOOK_EVERY { self.look_at_all().await },
            }
        }
    }

    async fn look_at_all(&mut self) {
        for number in self.granary.cooperatives().iter().map(|it| it.number()).collect::<Vec<_>>() {
            self.pools.changed(number);
            self.look(number).await;
        }
    }

    /// Tells the pools of a co-operative that differ from what was told last.
    async fn tell_of_pools(&mut self, number: CooperativeNumber) {
        let wants = |record: &WebhookRecord| record.events.contains(&EventKind::PoolChanged);
        let of_it = self.known.iter().filter(|(_, (of, record))| *of == number && wants(record));
        let webhooks: Vec<(WebhookId, WebhookRecord)> = of_it.map(|(id, (_, record))| (*id, record.clone())).collect();
        for (id, record) in webhooks {
            let granary = Arc::clone(&self.granary);
            let shop = (record.platform, record.shop);
            let read = tokio::task::spawn_blocking(move || granary.pool_views(number, (&shop.0, &shop.1))).await;
            let Ok(Ok(pools)) = read else { continue };
            let (mut tidings, mut needless) = (Vec::new(), Vec::new());
            for pool in pools {
                let subject = format!("pool {}/{}", pool.pool, pool.sku);
                let told = self.told.entry((id, subject.clone())).or_default();
                if told.as_ref() == Some(&pool) {
                    continue;
                }
                // What waits of it is older: the last state alone is told.
                needless.extend(self.schedule.waiting_of(id, &subject));
                let mut data = serde_json::to_value(&pool).unwrap_or_default();
                if let Some(fields) = data.as_object_mut() {
                    fields.insert("as_of".into(), now().to_string().into());
                }
                *told = Some(pool);
                tidings.push(Tidings { subject, kind: EventKind::PoolChanged.name(), data });
            }
            if tidings.is_empty() {
                continue;
            }
            needless.iter().for_each(|id| self.schedule.remove(*id));
            let granary = Arc::clone(&self.granary);
            let written = tokio::task::spawn_blocking(move || {
                granary.note_deliveries(number, needless.into_iter().map(|id| (id, Ended::Gone)).collect())?;
                granary.tell_webhook(number, id, tidings, now())
            });
            if let Ok(Err(error)) = written.await {
                tracing::warn!(%error, "what is left of pools could not be told");
            }
        }
    }

    /// Reads the webhooks of a co-operative, walks its log for each, and takes in what waits.
    async fn look(&mut self, number: CooperativeNumber) {
        let granary = Arc::clone(&self.granary);
        let looked = tokio::task::spawn_blocking(move || -> Result<_, Error> {
            let open =
                |(_, record): &(WebhookId, WebhookRecord)| record.key.is_none_or(|key| granary.is_api_key_open(key));
            let webhooks: Vec<_> = granary.webhooks(number)?.into_iter().filter(open).collect();
            for (id, record) in &webhooks {
                while granary.tell_of_orders(number, (*id, record), now())? {}
            }
            let waiting = if webhooks.is_empty() { Vec::new() } else { granary.waiting_deliveries(number)? };
            Ok((webhooks, waiting))
        });
        let (webhooks, waiting) = match looked.await {
            Ok(Ok(looked)) => looked,
            Ok(Err(error)) => return tracing::warn!(%error, "webhooks could not be looked at"),
            Err(error) => return tracing::error!(%error, "webhooks could not be looked at"),
        };
        if webhooks.iter().any(|(id, _)| !self.known.contains_key(id)) {
            self.pools.changed(number);
        }
        self.known.retain(|_, (of, _)| *of != number);
        self.known.extend(webhooks.into_iter().map(|(id, record)| (id, (number, record))));
        for webhook in self.schedule.webhooks().into_iter().filter(|webhook| !self.known.contains_key(webhook)) {
            self.schedule.forget(webhook);
            self.told.retain(|(of, _), _| *of != webhook);
        }
        for (id, record) in waiting.into_iter().filter(|(id, _)| self.known.contains_key(&id.webhook)) {
            let (due, since) = (Instant(record.due_millis), Instant(record.since_millis));
            self.schedule.add(id, Waiting { subject: record.subject, due, attempts: record.attempts, since });
        }
    }

    /// Starts the attempts that are due.
    fn send_due(&mut self) {
        while let Some(id) = self.schedule.next(now()) {
            let Some((number, webhook)) = self.known.get(&id.webhook).cloned() else {
                self.schedule.forget(id.webhook);
                continue;
            };
            let (granary, line, done) = (Arc::clone(&self.granary), Arc::clone(&self.line), self.done.clone());
            tokio::spawn(async move {
                let read = tokio::task::spawn_blocking(move || granary.waiting_delivery(number, id)).await;
                let outcome = match read {
                    Ok(Ok(Some(record))) => {
                        let signed = signature(webhook.secrets(now()), now(), &record.body);
                        match Target::of(&webhook.url) {
                            Ok(target) => line.send(&target, &signed, record.body).await,
                            Err(fault) => Err(Failed::Broke(fault.to_string())),
                        }
                    }
                    // It is gone: nothing is to be sent.
                    Ok(Ok(None)) => Ok(()),
                    Ok(Err(error)) => Err(Failed::Broke(error.to_string())),
                    Err(error) => Err(Failed::Broke(error.to_string())),
                };
                // The runner ends with the server.
                let _ = done.send((id, outcome));
            });
        }
    }

    /// Notes attempts that ended, this one and those that ended meanwhile.
    async fn note(&mut self, first: Attempt) {
        let mut attempts = vec![first];
        while attempts.len() < TOGETHER {
            let Ok(attempt) = self.ended.try_recv() else { break };
            attempts.push(attempt);
        }
        let mut rows: BTreeMap<CooperativeNumber, Vec<(DeliveryId, Ended)>> = BTreeMap::new();
        for (id, outcome) in attempts {
            let Some((number, _)) = self.known.get(&id.webhook) else { continue };
            let chance = random_bytes().map_or(0, u16::from_be_bytes);
            let at = now();
            let next = self.schedule.ended(id, outcome.is_ok(), at, chance);
            self.counts.metrics.webhook_attempted(match (&outcome, next) {
                (Ok(()), _) => "made",
                (Err(_), Next::Dead) => "given-up",
                (Err(_), _) => "failed",
            });
            let fault = outcome.err();
            let ended = match next {
                Next::Done => Ended::Gone,
                Next::Again { at, attempts } => Ended::Again { at, attempts, fault },
                Next::Dead => Ended::Dead { at, fault },
            };
            rows.entry(*number).or_default().push((id, ended));
        }
        for (number, ended) in rows {
            let granary = Arc::clone(&self.granary);
            let noted = tokio::task::spawn_blocking(move || granary.note_deliveries(number, ended));
            if let Ok(Err(error)) = noted.await {
                tracing::warn!(%error, "what became of deliveries could not be written");
            }
        }
    }
}
