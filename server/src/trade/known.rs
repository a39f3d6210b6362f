//! What is told of an order that is known: its document is read, and it only ever goes forward in told time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use granary_client_core::quantities::Instant;
use granary_client_core::schema::order::{self, Order};
use granary_client_core::schema::receiver::{self, Receiver};
use granary_client_core::schema::{DocumentKey, OrderName};

use super::feed::{answer_asked, answer_known};
use super::follow::LastTold;
use super::prepare::{asked_of, wants_of_told};
use super::rows;
use super::told::{Answer, Mode, ToldOrder, Verdict};
use crate::engine::Granary;
use crate::engine::own_edits::{Edit, Edits};
use crate::error::Error;
use crate::log::Cooperative;

/// The longest wait until an order's document can be read, which follows its acceptance after milliseconds.
pub(super) const ADMISSION_WAIT: Duration = Duration::from_secs(5);

/// What is told of one order, with what a write of it changed.
struct Telling {
    place: usize,
    told: ToldOrder,
    /// The checksum of what was told.
    digest: u64,
    has_changed: Arc<AtomicBool>,
}

impl Granary {
    /// Tells orders whose documents are there.
    pub(super) fn tell_known(
        &self,
        cooperative: &Arc<Cooperative>,
        orders: Vec<(usize, ToldOrder, u64)>,
        now: Instant,
    ) -> Result<Vec<(usize, Answer)>, Error> {
        let number = cooperative.number();
        let keys = |told: &ToldOrder| [DocumentKey::Order(told.name.clone()), DocumentKey::Receiver(told.name.clone())];
        let all: Vec<DocumentKey> = orders.iter().flat_map(|(_, told, _)| keys(told)).collect();
        self.settle_within(cooperative, &all, ADMISSION_WAIT);
        let mut answers = Vec::with_capacity(orders.len());
        let mut tellings: BTreeMap<OrderName, Vec<Telling>> = BTreeMap::new();
        for (place, told, digest) in orders {
            if keys(&told).iter().any(|key| cooperative.has_undecided_of(key)) {
                answers.push((place, Answer::without_sequence(Verdict::TryLater)));
                continue;
            }
            let telling = Telling { place, told, digest, has_changed: Arc::default() };
            tellings.entry(telling.told.name.clone()).or_default().push(telling);
        }
        let _author_of_known = self.trading().telling.lock().unwrap_or_else(PoisonError::into_inner);
        let mut edits = Vec::new();
        for (name, tellings) in &tellings {
            edits.extend(self.edits_of(cooperative, name, tellings)?);
        }
        self.edit_as(number, Cooperative::server_device(cooperative.id()), now, edits)?;
        let names: Vec<(OrderName, Option<LastTold>)> =
            tellings.iter().map(|(name, tellings)| (name.clone(), last_told(tellings))).collect();
        self.follow_orders(cooperative, &names, now)?;
        for (name, tellings) in tellings {
            let known = rows::known(self.store(), number, &name)?;
            for telling in tellings {
                let answer = match &known {
                    // It is there, but no order that was taken: what a coordinator wrote by hand.
                    None => Answer::refused("outside_id", "order-written-by-hand"),
                    Some(known) if telling.told.mode == Mode::Ask => {
                        answer_asked(known, asked_of(&wants_of_told(&telling.told.order)))
                    }
                    Some(known) if telling.has_changed.load(Ordering::SeqCst) => {
                        Answer { verdict: Verdict::Updated, ..answer_known(known) }
                    }
                    Some(known) => answer_known(known),
                };
                answers.push((telling.place, answer));
            }
        }
        Ok(answers)
    }

    /// The edits that tell an order what is new; none where all of it is known.
    fn edits_of(&self, cooperative: &Cooperative, name: &OrderName, tellings: &[Telling]) -> Result<Vec<Edits>, Error> {
        let server = Cooperative::server_device(cooperative.id());
        let (order_key, receiver_key) = (DocumentKey::Order(name.clone()), DocumentKey::Receiver(name.clone()));
        let Some(document) = self.document(cooperative.number(), &order_key)? else { return Ok(Vec::new()) };
        let order = order::read(&document, server);
        if order.placed_at.is_none() {
            return Ok(Vec::new());
        }
        let mut told: Vec<&Telling> = tellings.iter().filter(|telling| telling.told.mode == Mode::Tell).collect();
        told.sort_by_key(|telling| telling.told.order.told_at);
        let mut edits: Vec<Edit> = Vec::new();
        for telling in &told {
            if let Some(edit) = edit_of(&order, telling) {
                edits.push(edit);
            }
        }
        let mut all = Vec::new();
        if !edits.is_empty() {
            all.push(Edits { key: order_key, message: None, seen: None, edits });
        }
        // One that was forgotten stays so.
        let is_forgotten = cooperative.is_erased(&receiver_key);
        let latest = told.iter().rev().find(|telling| telling.told.receiver.is_some());
        if let Some((telling, new)) = latest.and_then(|telling| Some((telling, telling.told.receiver.clone()?)))
            && !is_forgotten
            && order.told_at.is_none_or(|known| known < telling.told.order.told_at)
        {
            let known = match self.document(cooperative.number(), &receiver_key)? {
                Some(document) => receiver::read(&document),
                None => Receiver::default(),
            };
            if says_more(&known, &new) {
                let has_changed = Arc::clone(&telling.has_changed);
                all.push(Edits::one(receiver_key, move |automerge| {
                    if receiver::set(automerge, &new)? {
                        has_changed.store(true, Ordering::SeqCst);
                    }
                    Ok(())
                }));
            }
        }
        Ok(all)
    }
}

/// The edit that tells an order; none where it would change nothing but the told time, or is older than what is known.
fn edit_of(order: &Order, telling: &Telling) -> Option<Edit> {
    let new = &telling.told.order;
    let known: BTreeSet<&str> = order.lines.iter().map(|line| line.line_id.as_str()).collect();
    let more: Vec<_> = new.lines.iter().filter(|line| !known.contains(line.line_id.as_str())).cloned().collect();
    if order.says(new) && more.is_empty() {
        return None;
    }
    let (new, has_changed) = (new.clone(), Arc::clone(&telling.has_changed));
    Some(Box::new(move |automerge| {
        let has_more = !order::add_lines(automerge, &more)?.is_empty();
        if order::tell(automerge, &new)? || has_more {
            has_changed.store(true, Ordering::SeqCst);
        }
        Ok(())
    }))
}

fn says_more(known: &Receiver, new: &Receiver) -> bool {
    let texts = |of: &Receiver| {
        [of.name.clone(), of.phone.clone(), of.address.clone(), of.buyer_note.clone(), of.seller_note.clone()]
    };
    let more = texts(known).into_iter().zip(texts(new)).any(|(known, new)| new.is_some() && new != known);
    more || (new.address_changed_at.is_some() && new.address_changed_at != known.address_changed_at)
}

/// What was told last, for the order's row: a checksum alone, since the texts may be about a person.
fn last_told(tellings: &[Telling]) -> Option<LastTold> {
    let told = tellings.iter().filter(|telling| telling.told.mode == Mode::Tell);
    let last = told.max_by_key(|telling| telling.told.order.told_at)?;
    Some(LastTold { millis: last.told.order.told_at.0, digest: last.digest })
}
