//! Found orders as the feed takes them.

use granary_client_core::quantities::{Fen, Instant, TextField, checked_text, is_hidden};
use granary_client_core::schema::OrderName;
use granary_client_core::schema::order::{AfterSale, TakenLine, TakenOrder, ToldStatus};
use granary_client_core::schema::receiver::Receiver;

use super::gather::{FoundLine, FoundOrder};
use super::preview::Preview;
use super::profile::{AfterSaleWord, State};
use crate::trade::{Mode, ToldOrder};

/// A text within what its field takes; none for one that says nothing. Of one that is too long the end is cut off.
fn fitting(field: TextField, text: &str) -> Option<String> {
    let has_lines = matches!(field, TextField::BuyerNote | TextField::SellerNote);
    let seen = |letter: char| if is_hidden(letter) && !(has_lines && letter == '\n') { ' ' } else { letter };
    let text: String = text.trim().chars().map(seen).take(field.most()).collect();
    checked_text(field, &text).ok()
}

/// What an order's lines come to: called-off lines apart, the state of all of them; of several, that part of it is on its way.
fn told_of(order: &FoundOrder) -> ToldStatus {
    let open: Vec<State> = order.lines.iter().map(|line| line.state).filter(|state| *state != State::Closed).collect();
    let all = |state: State| open.iter().all(|one| *one == state);
    let any_waits = open.iter().any(|state| matches!(state, State::ToShip | State::PartShipped | State::Unpaid));
    match open.as_slice() {
        [] => ToldStatus::Closed,
        _ if all(State::ToShip) => ToldStatus::ToShip,
        _ if all(State::Done) => ToldStatus::Done,
        _ if any_waits => ToldStatus::PartShipped,
        _ => ToldStatus::Shipped,
    }
}

fn line_of(order: &FoundOrder, line: &FoundLine, told: ToldStatus) -> Option<TakenLine> {
    // Where the export has money by order alone, it is the line's where there is one line.
    let whole = order
        .total_fen
        .filter(|_| order.lines.len() == 1)
        .map(|fen| fen.saturating_sub(order.freight_fen.unwrap_or(0)));
    let fen = i64::try_from(line.fen.or(whole).unwrap_or(0)).ok()?;
    // A line that was called off, of an order that goes on: its money went back.
    let is_off = line.state == State::Closed && told != ToldStatus::Closed;
    Some(TakenLine {
        line_id: line.line_id.clone(),
        sku: line.sku.clone(),
        code: fitting(TextField::ShopText, &line.code),
        title: fitting(TextField::ShopText, &line.title),
        packs: line.packs,
        fen: Fen::new(fen).ok()?,
        is_gift: line.is_gift,
        after_sale: match line.after_sale {
            _ if is_off => AfterSale::Refunded,
            AfterSaleWord::None => AfterSale::None,
            AfterSaleWord::Asked => AfterSale::Asked,
            AfterSaleWord::PartRefunded => AfterSale::PartRefunded,
            AfterSaleWord::Refunded => AfterSale::Refunded,
        },
        after_sale_at: None,
    })
}

fn receiver_of(order: &FoundOrder) -> Option<Receiver> {
    let receiver = Receiver {
        name: fitting(TextField::ReceiverName, &order.receiver_name),
        phone: fitting(TextField::ReceiverPhone, &order.receiver_phone),
        address: fitting(TextField::ReceiverAddress, &order.address),
        is_sealed: order.is_sealed,
        buyer_note: fitting(TextField::BuyerNote, &order.buyer_note),
        seller_note: fitting(TextField::SellerNote, &order.seller_note),
        ..Receiver::default()
    };
    if receiver.is_empty() { None } else { Some(receiver) }
}

fn fen(fen: Option<u64>) -> Option<Fen> {
    Fen::new(i64::try_from(fen?).ok()?).ok()
}

impl FoundOrder {
    /// As the feed takes it; none for one without lines or time, which stand in another file.
    fn told(&self, platform: &str, shop: &str, told_at: Instant) -> Option<ToldOrder> {
        let told = told_of(self);
        let lines: Vec<TakenLine> = self.lines.iter().filter_map(|line| line_of(self, line, told)).collect();
        if lines.is_empty() || lines.len() != self.lines.len() {
            return None;
        }
        let order = TakenOrder {
            placed_at: self.placed_at?,
            paid_at: self.paid_at,
            promised_at: self.promised_at,
            told_at,
            told,
            total_fen: fen(self.total_fen),
            freight_fen: fen(self.freight_fen),
            pool: platform.to_owned(),
            stream: None,
            lines,
        };
        let name =
            OrderName { platform: platform.to_owned(), shop: shop.to_owned(), outside_id: self.order_id.clone() };
        Some(ToldOrder { name, mode: Mode::Tell, order, receiver: receiver_of(self), buyer_token: None })
    }
}

impl Preview {
    /// Its orders as the feed takes them, as orders of this shop; those without lines or time, which stand in another file, are
    /// left out.
    pub fn told_orders(&self, shop: &str) -> Vec<ToldOrder> {
        self.orders.iter().filter_map(|order| order.told(&self.platform, shop, self.told_at)).collect()
    }
}
