//! Accepting orders. Their documents are made before; then one job of the writer decides on all of a call, one after the other,
//! and puts the orders' entries, the pools and what was answered into one batch. What is answered is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use granary_client_core::ids::{ActorId, DeviceId};
use granary_client_core::planted;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::order::{TakenOrder, ToldStatus};
use granary_client_core::store::StoreFault;

use super::ledger::{HeldLine, PoolName, Refusal};
use super::prepare::{Prepared, digest_of};
use super::rows::{Book, Known};
use super::told::{Answer, Mode, ToldOrder, Verdict, fault};
use crate::access::AuditAction;
use crate::engine::Granary;
use crate::engine::audit::put_line;
use crate::error::Error;
use crate::log::keys::DocumentNumber;
use crate::log::writer::GroupCommit;
use crate::log::{Cooperative, CooperativeNumber};

/// What the writer said of an order.
enum Decided {
    Answered(Answer),
    /// Its document is there and must be read: what was told may change it. With the checksum of what was told.
    Later(Box<(ToldOrder, u64)>),
}

/// A call's orders, as the writer's job needs them.
struct Call {
    cooperative: Arc<Cooperative>,
    device: DeviceId,
    actor: ActorId,
    now: Instant,
    /// False while the ledger may lack orders: then nobody is promised anything.
    may_promise: bool,
}

impl Granary {
    /// Takes orders that shops ask for and platforms tell of; at most [`ORDERS_MAX`](super::told::ORDERS_MAX). Gives an answer for
    /// each, in their order. What is answered is durable; a call that failed, or whose answer was lost, can be made again.
    pub fn take_orders(
        &self,
        number: CooperativeNumber,
        orders: Vec<ToldOrder>,
        now: Instant,
    ) -> Result<Vec<Answer>, Error> {
        let cooperative = self.cooperative(number)?;
        if !self.has_room() {
            return Ok(orders.iter().map(|_| Answer::without_sequence(Verdict::TryLater)).collect());
        }
        let device = Cooperative::server_device(cooperative.id());
        let actor = device.actor(self.incarnation());
        let may_promise = !self.lacks_orders(&cooperative)? || planted!("restored_server_promises");
        let context = self.trade_context(&cooperative)?;
        let mut answers: Vec<Option<Answer>> = Vec::with_capacity(orders.len());
        let mut prepared = Vec::with_capacity(orders.len());
        for (place, told) in orders.into_iter().enumerate() {
            answers.push(None);
            // Of what was told, not of what the catalogue and the streams make of it today: the same is the same tomorrow too.
            let digest = digest_of(&told);
            let refused = match fault(&told, now) {
                Some((field, code)) => Answer::refused(field, code),
                None => match context.place(told).and_then(|told| {
                    Prepared::new(told, digest, cooperative.id(), &actor, now).map_err(|fault| ("order", fault.code()))
                }) {
                    Ok(order) => {
                        prepared.push((place, order));
                        continue;
                    }
                    Err((field, code)) => Answer::refused(field, code),
                },
            };
            set(&mut answers, place, refused);
        }
        let call = Call { cooperative: Arc::clone(&cooperative), device, actor, now, may_promise };
        let (decided, documents, channels) = self.write(move |group| call.decide(group, prepared))?;
        self.admit(&cooperative, &documents);
        self.pools_changed(&cooperative, channels);
        let mut later = Vec::new();
        for (place, decided) in decided {
            match decided {
                Decided::Answered(answer) => set(&mut answers, place, answer),
                Decided::Later(told) => {
                    let (told, digest) = *told;
                    later.push((place, told, digest));
                }
            }
        }
        if !later.is_empty() {
            for (place, answer) in self.tell_known(&cooperative, later, now)? {
                set(&mut answers, place, answer);
            }
        }
        let lost = || Answer::without_sequence(Verdict::TryLater);
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(lost)).collect())
    }
}

fn set(answers: &mut [Option<Answer>], place: usize, answer: Answer) {
    if let Some(slot) = answers.get_mut(place) {
        *slot = Some(answer);
    }
}

/// What a job of the writer did beside its answers.
#[derive(Default)]
struct Done {
    documents: Vec<DocumentNumber>,
    /// How many orders, by platform, were told otherwise than what is known of later.
    older: BTreeMap<String, usize>,
}

type Outcome = (Vec<(usize, Decided)>, Vec<DocumentNumber>, Vec<String>);

impl Call {
    fn decide(&self, group: &mut GroupCommit<'_>, orders: Vec<(usize, Prepared)>) -> Result<Outcome, StoreFault> {
        let mut book = Book::open(group, self.cooperative.number());
        let (mut decided, mut done) = (Vec::with_capacity(orders.len()), Done::default());
        for (place, order) in orders {
            decided.push((place, self.decide_one(&mut book, order, &mut done)?));
        }
        let pools = book.close();
        for (platform, count) in done.older {
            let detail = format!("{platform} {count}");
            put_line(&self.cooperative, group, self.now, "server", AuditAction::ToldBackwards, &detail);
        }
        let mut channels: Vec<String> = pools.into_iter().map(|(name, _)| name.channel).collect();
        channels.dedup();
        Ok((decided, done.documents, channels))
    }

    fn decide_one(&self, book: &mut Book<'_, '_>, order: Prepared, done: &mut Done) -> Result<Decided, StoreFault> {
        let name = order.told.name.clone();
        if let Some(known) = book.known(&name)? {
            if planted!("retry_is_counted_twice") {
                order.wants.iter().try_for_each(|want| book.load(&want.pool, order.buyer))?;
                book.ledger.tell(&order.wants, order.buyer);
            }
            return Ok(self.answer_known(book, order, known, done));
        }
        if self.cooperative.knows(&DocumentKey::Order(name.clone())) {
            // Somebody wrote it by hand, or a phone gave it back.
            return Ok(Decided::Later(Box::new((order.told, order.digest))));
        }
        for want in &order.wants {
            book.load(&want.pool, order.buyer)?;
        }
        let held = match order.told.mode {
            Mode::Ask if !self.may_promise => {
                return Ok(Decided::Answered(Answer::without_sequence(Verdict::TryLater)));
            }
            Mode::Ask => match book.ledger.ask(&order.wants, order.buyer, self.now.0) {
                Ok(held) => held,
                Err(refusal) => return Ok(Decided::Answered(answer_refusal(refusal))),
            },
            Mode::Tell => book.ledger.tell(&order.wants, order.buyer),
        };
        self.accept(book, order, held, done).map(Decided::Answered)
    }

    /// Puts an accepted order's entries and rows into the batch.
    fn accept(
        &self,
        book: &mut Book<'_, '_>,
        order: Prepared,
        held: Vec<HeldLine>,
        done: &mut Done,
    ) -> Result<Answer, StoreFault> {
        let name = order.told.name.clone();
        let over: Vec<(String, u32)> =
            held.iter().filter(|line| line.over > 0).map(|line| (line.line.clone(), line.over)).collect();
        let answered_over = over.iter().map(|(_, packs)| *packs).fold(0, u32::saturating_add);
        let taken = &order.told.order;
        let was_asked = order.told.mode == Mode::Ask;
        let (sold, told_status) = (Sale::of(taken, &held), taken.told);
        let (told_millis, digest, asked, buyer) = (taken.told_at.0, order.digest, order.asked, order.buyer);
        let (changes, receiver) = match order.into_changes(&over, &self.actor, self.now) {
            Ok(changes) => changes,
            Err(fault) => {
                book.ledger.hold(&held, &[], buyer);
                return Ok(Answer::refused("order", fault.code()));
            }
        };
        let sequence = book.next_sequence()?;
        done.documents.push(self.cooperative.append_own(book.group(), self.device, changes, self.now.0).1);
        if let Some(receiver) = receiver.filter(|receiver| !self.cooperative.knows(&receiver.key)) {
            done.documents.push(self.cooperative.append_own(book.group(), self.device, receiver, self.now.0).1);
        }
        let is_gone = matches!(told_status, ToldStatus::Shipped | ToldStatus::Done);
        let known = Known {
            sequence,
            accepted_millis: self.now.0,
            was_asked,
            answered_over,
            told_millis,
            digest,
            asked,
            buyer,
            is_gone,
            held,
        };
        book.put_known(&name, &known);
        sold.count(book, self.now)?;
        Ok(answer_accepted(&known))
    }

    fn answer_known(&self, book: &mut Book<'_, '_>, order: Prepared, known: Known, done: &mut Done) -> Decided {
        let told_millis = order.told.order.told_at.0;
        let answer = match order.told.mode {
            Mode::Ask => answer_asked(&known, order.asked),
            Mode::Tell if order.digest == known.digest && told_millis == known.told_millis => answer_accepted(&known),
            Mode::Tell if told_millis <= known.told_millis => {
                if order.digest != known.digest {
                    let count = done.older.entry(order.told.name.platform).or_default();
                    *count = count.saturating_add(1);
                }
                answer_known(&known)
            }
            Mode::Tell if order.digest == known.digest => {
                // Nothing older than this may move it back.
                book.put_known(&order.told.name, &Known { told_millis, ..known.clone() });
                answer_known(&known)
            }
            Mode::Tell => return Decided::Later(Box::new((order.told, order.digest))),
        };
        Decided::Answered(answer)
    }
}

/// What an order adds to the figures of the desk: by the time at which it was placed, since a late batch belongs to the minutes
/// that it was sold in.
pub(super) struct Sale {
    channel: String,
    minute: i64,
    lines: Vec<(PoolName, u32, i64)>,
}

impl Sale {
    fn of(order: &TakenOrder, held: &[HeldLine]) -> Self {
        let fen =
            |line: &str| order.lines.iter().find(|taken| taken.line_id == line).map_or(0, |taken| taken.fen.get());
        let lines = held.iter().map(|line| (line.pool.clone(), line.packs, fen(&line.line))).collect();
        Self { channel: order.pool.clone(), minute: minute_of(order.placed_at), lines }
    }

    fn count(self, book: &mut Book<'_, '_>, now: Instant) -> Result<(), StoreFault> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let mut sum = 0i64;
        for (pool, packs, fen) in &self.lines {
            sum = sum.saturating_add(*fen);
            book.count_sold(pool, self.minute, *packs, *fen)?;
        }
        book.count_orders(&self.channel, (1, sum), now.0)
    }
}

/// The minute of an instant, counted from 1970.
pub(super) fn minute_of(at: Instant) -> i64 {
    at.0.div_euclid(60_000)
}

/// The answer that an order was given when it was accepted.
pub(super) fn answer_accepted(known: &Known) -> Answer {
    let verdict = match known.answered_over {
        0 => Verdict::Accepted,
        over => Verdict::AcceptedOver(over),
    };
    Answer { verdict, sequence: Some(known.sequence) }
}

/// The answer to whoever asks again for an order that was accepted.
pub(super) fn answer_asked(known: &Known, asked: u64) -> Answer {
    match asked == known.asked {
        // Its packs went back, and somebody else may have them by now.
        true if known.held.is_empty() => Answer::refused("outside_id", "order-called-off"),
        true => answer_accepted(known),
        false => Answer::refused("lines", "known-with-others"),
    }
}

pub(super) fn answer_known(known: &Known) -> Answer {
    Answer { verdict: Verdict::Known, sequence: Some(known.sequence) }
}

fn answer_refusal(refusal: Refusal) -> Answer {
    let packs = |packs: u64| u32::try_from(packs).unwrap_or(u32::MAX);
    Answer::without_sequence(match refusal {
        Refusal::SoldOut { left } => {
            Verdict::SoldOut { left: left.into_iter().map(|(sku, left)| (sku, packs(left))).collect() }
        }
        Refusal::OverLimit => Verdict::OverLimit,
    })
}
