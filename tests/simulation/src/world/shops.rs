//! Shops that sell, and the lines to the feed: what each platform knew at which moment, and each answer held against those before.

use std::collections::BTreeMap;

use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::order::{self, Order, TakenOrder};
use granary_server::trade::{Answer, Mode, ToldOrder, Verdict};

use super::{Line, World, settle};

/// A shop on a platform.
pub(crate) struct Shop {
    pub(crate) platform: &'static str,
    /// True where it asks before it sells. Else it tells what was paid for already.
    pub(crate) asks: bool,
    /// Its orders, by their ids.
    pub(crate) sold: BTreeMap<String, Sold>,
    /// True once all of them were told again since the last restoration.
    pub(crate) is_exported: bool,
}

/// An order as its platform has it.
#[derive(Default)]
pub(crate) struct Sold {
    /// What the platform knew, one moment after the other.
    pub(crate) states: Vec<ToldOrder>,
    /// True once it was sent, and once it was taken: at any time.
    pub(crate) was_sent: bool,
    pub(crate) was_taken: bool,
    /// The furthest state that was sent since the last restoration, and that was acknowledged.
    sent: Option<usize>,
    acknowledged: Option<usize>,
    /// The answer that it was taken with since the last restoration, with the state that was told.
    first: Option<(usize, Answer)>,
}

/// One call to the feed: orders by their ids, each in one of its states, asked for or told.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) shop: usize,
    pub(crate) orders: Vec<(String, usize, Mode)>,
}

impl Shop {
    pub(crate) fn new(platform: &'static str, asks: bool) -> Self {
        Self { platform, asks, sold: BTreeMap::new(), is_exported: true }
    }

    /// After a restoration: what was answered before is no promise any more, but for the orders themselves.
    pub(super) fn server_was_restored(&mut self) {
        self.is_exported = false;
        for sold in self.sold.values_mut() {
            (sold.sent, sold.acknowledged, sold.first) = (None, None, None);
        }
    }

    /// All orders that the shop has sold, each as its platform knows it now. One that was asked for is sold once it was taken.
    pub(crate) fn export(&self) -> Vec<(String, usize, Mode)> {
        let sold = self.sold.iter().filter(|(_, sold)| !self.asks || sold.was_taken);
        sold.map(|(id, sold)| (id.clone(), sold.states.len() - 1, Mode::Tell)).collect()
    }
}

impl Sold {
    fn note_sent(&mut self, state: usize) {
        self.was_sent = true;
        self.sent = self.sent.max(Some(state));
    }

    /// Holds an answer against those before. `promises` is false while the server may lack orders that it had.
    fn answered(&mut self, state: usize, mode: Mode, answer: &Answer, promises: bool) -> Result<(), String> {
        let is_taken = answer.sequence.is_some();
        if let (Some((_, first)), Some(sequence)) = (&self.first, answer.sequence)
            && first.sequence != Some(sequence)
        {
            return Err(format!("it was taken as {:?}, and now as {sequence}", first.sequence));
        }
        if mode == Mode::Ask && !promises && !self.was_sent && answer.verdict != Verdict::TryLater {
            return Err(format!("it was answered {answer:?} by a server that may lack orders"));
        }
        match (&answer.verdict, mode) {
            (Verdict::Accepted | Verdict::AcceptedOver(_), _) => {
                if mode == Mode::Ask && matches!(answer.verdict, Verdict::AcceptedOver(_)) && !self.was_taken {
                    return Err("it was asked for, and taken above what is granted".into());
                }
                match &self.first {
                    Some((_, first)) if first != answer => {
                        return Err(format!("it was answered {first:?}, and now {answer:?}"));
                    }
                    Some(_) => {}
                    None => self.first = Some((state, answer.clone())),
                }
            }
            (Verdict::Known | Verdict::Updated, Mode::Tell) => {
                let is_retry = |(told, _): &(usize, Answer)| state == *told && self.sent == Some(*told);
                if self.first.as_ref().is_some_and(is_retry) {
                    return Err(format!("the same was answered {:?}, and now {answer:?}", self.first));
                }
                if answer.verdict == Verdict::Updated && self.acknowledged.is_some_and(|known| known > state) {
                    return Err("something older than what is known has changed it".into());
                }
            }
            (Verdict::SoldOut { .. } | Verdict::OverLimit, Mode::Ask) if self.first.is_none() => {}
            (Verdict::TryLater, Mode::Ask) if !promises => {}
            // Its document is not here yet, or not whole.
            (Verdict::TryLater, Mode::Tell) => {}
            _ => return Err(format!("{mode:?} was answered {answer:?}; before: {:?}", self.first)),
        }
        if is_taken {
            self.was_taken = true;
            self.acknowledged = self.acknowledged.max(Some(state));
        }
        Ok(())
    }
}

impl World {
    /// Makes a call over a line that may fail. True when all of it was answered, with no order put off.
    pub(crate) fn call_feed(&mut self, call: &Call, line: Line) -> Result<bool, String> {
        match line {
            Line::Whole => {}
            Line::RequestLost => self.count("call of a shop lost"),
            Line::ReplyLost => self.count("answer to a shop lost"),
            Line::Twice => self.count("call of a shop twice"),
            Line::AgainLater => self.count("call of a shop once more, much later"),
        }
        if line == Line::RequestLost {
            return Ok(false);
        }
        if line == Line::AgainLater {
            self.trade.late.push(call.clone());
        }
        let mut answers = self.take_orders(call)?;
        if line == Line::Twice {
            answers = self.take_orders(call)?;
        }
        let Some(answers) = answers.filter(|_| line != Line::ReplyLost) else {
            self.note_sent(call);
            return Ok(false);
        };
        if line == Line::Twice {
            self.note_sent(call);
        }
        let promises = !self.trade.lacks_orders;
        let mut is_whole = true;
        for ((id, state, mode), answer) in call.orders.iter().zip(&answers) {
            self.log(format!("order {id} in state {state}, {mode:?}: {answer:?}"));
            is_whole &= answer.verdict != Verdict::TryLater;
            self.count(match answer.verdict {
                Verdict::Accepted => "order taken, or as before",
                Verdict::AcceptedOver(_) => "order taken above the grant",
                Verdict::Known => "order known",
                Verdict::Updated => "order goes on",
                Verdict::TryLater => "order put off",
                Verdict::SoldOut { .. } | Verdict::OverLimit => "asked order refused",
                Verdict::Refused { .. } => "order refused",
            });
            let shop = &mut self.trade.shops[call.shop];
            let platform = shop.platform;
            let sold = shop.sold.get_mut(id).unwrap();
            sold.answered(*state, *mode, answer, promises).map_err(|why| format!("order {platform} {id}: {why}"))?;
            sold.note_sent(*state);
        }
        self.told_must_stand(call)?;
        Ok(is_whole)
    }

    /// Calls that the line delivers once more. Nobody hears the answers.
    pub(crate) fn deliver_late_calls(&mut self) -> Result<(), String> {
        for call in std::mem::take(&mut self.trade.late) {
            self.take_orders(&call)?;
            self.note_sent(&call);
        }
        Ok(())
    }

    fn note_sent(&mut self, call: &Call) {
        for (id, state, _) in &call.orders {
            self.trade.shops[call.shop].sold.get_mut(id).unwrap().note_sent(*state);
        }
    }

    /// The answers; none where the server stopped before them.
    fn take_orders(&mut self, call: &Call) -> Result<Option<Vec<Answer>>, String> {
        let shop = &self.trade.shops[call.shop];
        let told = |(id, state, mode): &(String, usize, Mode)| ToldOrder {
            mode: *mode,
            ..shop.sold[id].states[*state].clone()
        };
        let orders: Vec<ToldOrder> = call.orders.iter().map(told).collect();
        let (number, now, coops) = (self.coops[0], Instant(self.now), self.coops.clone());
        let server = self.server()?;
        let taken = server.take_orders(number, orders, now);
        settle(server, &coops);
        let is_faulty = self.disk.has_stopped() || self.disk.was_full();
        if is_faulty {
            self.crash_server();
        }
        match taken {
            // An answer that was made before the stop still acknowledges its order.
            Ok(answers) => Ok(Some(answers)),
            Err(_) if is_faulty => Ok(None),
            Err(error) => Err(format!("the feed failed without a fault: {error}")),
        }
    }

    /// What stands in these orders' documents is what was acknowledged last, or was sent since; nothing older.
    fn told_must_stand(&mut self, call: &Call) -> Result<(), String> {
        let server = self.server_device();
        for (id, _, _) in &call.orders {
            let sold = &self.trade.shops[call.shop].sold[id];
            let Some(known) = sold.acknowledged else { continue };
            let name = sold.states[known].name.clone();
            let Some(document) = self.document(0, &DocumentKey::Order(name.clone()))? else {
                return Err(format!("order {name} was acknowledged, and is not there"));
            };
            let order = order::read(&document, server);
            let states = &self.trade.shops[call.shop].sold[id].states;
            if !states[known..].iter().any(|state| says(&order, &state.order)) {
                return Err(format!("order {name} was acknowledged as {:?}, and is {order:?}", states[known].order));
            }
        }
        Ok(())
    }
}

/// True where a document says what was told: state, and each line with its after-sale. When nothing but the time is new, it keeps
/// the earlier one.
pub(crate) fn says(order: &Order, told: &TakenOrder) -> bool {
    let lines = order.lines.iter().map(|line| (line.line_id.as_str(), line.after_sale));
    let told_lines = told.lines.iter().map(|line| (line.line_id.as_str(), line.after_sale));
    order.told == Some(told.told)
        && order.told_at.is_some_and(|told_at| told_at <= told.told_at)
        && lines.collect::<BTreeMap<_, _>>() == told_lines.collect::<BTreeMap<_, _>>()
}
