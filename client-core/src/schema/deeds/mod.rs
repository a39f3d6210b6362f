//! What people wrote into a document: who wrote which field when, what stood there before and what stands there since. Derived
//! from the document's changes, whoever made them and wherever; an operation names what it replaces. Of lots it is what was
//! corrected and withdrawn, not what was recorded: a lot's whole history is told by [`super::lot_history`].

mod books;
mod price;
mod stock;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::case_book::Contender;
use super::key::DocumentKey;
use crate::crdt::change::{Action, ChangeRecord, Key, Object, Operation, OperationId};
use crate::ids::ActorId;
use crate::quantities::Instant;

pub use stock::TAKEN_BACK;

/// Letters of a value that are kept at most.
const LETTERS_MAX: usize = 200;
/// Digits of an account that are shown.
const ACCOUNT_DIGITS: usize = 4;
/// Letters of a way of payment without digits, such as 'cash', that are shown.
const PLAIN_PAYMENT_MAX: usize = 4;

/// What kind of thing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeedKind {
    /// A price of a product, or its end.
    Price,
    /// A product's names, its tolerance, its end.
    Product,
    /// A promotion with its offers.
    Promotion,
    /// How a household is paid, with no more than the end of its account; an advance.
    Payment,
    /// A household's name, village, members.
    Household,
    /// The co-operative's own details, villages, places, seasons, announcements.
    Cooperative,
    /// The state of an order.
    Order,
    /// A decision about a disagreement.
    Decision,
    /// A correction of a lot, or that it was withdrawn.
    Lot,
    /// The warehouse's receipt of a lot.
    Receipt,
    /// Goods bought in, a loss, a count, a move, a recall, or that one of them was taken back.
    Stock,
}

impl DeedKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Price,
        Self::Product,
        Self::Promotion,
        Self::Payment,
        Self::Household,
        Self::Cooperative,
        Self::Order,
        Self::Decision,
        Self::Lot,
        Self::Receipt,
        Self::Stock,
    ];

    /// Its name in rows and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Product => "product",
            Self::Promotion => "promotion",
            Self::Payment => "payment",
            Self::Household => "household",
            Self::Cooperative => "cooperative",
            Self::Order => "order",
            Self::Decision => "decision",
            Self::Lot => "lot",
            Self::Receipt => "receipt",
            Self::Stock => "stock",
        }
    }
}

/// One field that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// When it was received, or made where that is not known.
    pub at: Instant,
    /// Who wrote it.
    pub actor: ActorId,
    /// What kind of thing.
    pub kind: DeedKind,
    /// Which thing: `product:millet`, `sku:XM-05`, `household:ID`, `promotion:CODE`, `stream:CODE`, `holding:NAME`, `order:PLATFORM/ID` (with a
    /// shop's name `order:PLATFORM@SHOP/ID`), `cooperative`.
    pub thing: String,
    /// Which field of it, such as `A@2026-11-01` of a price; of lots and receipts the season, the lot and the field, with a blank
    /// between.
    pub field: String,
    /// What stood there; empty for nothing, several concurrent values with ` / ` between.
    pub before: String,
    /// What stands there since; empty for nothing.
    pub after: String,
}

/// True for a document of which [`deeds`] tells anything.
pub fn has_deeds(key: &DocumentKey) -> bool {
    !matches!(key, DocumentKey::Receiver(_))
}

type Id = (u64, ActorId);

/// What earlier operations made and wrote.
#[derive(Default)]
struct Earlier {
    paths: HashMap<Id, String>,
    values: HashMap<Id, String>,
    /// The present value of each field, by path.
    fields: HashMap<String, String>,
}

/// Everything that was written into a document, in the order of its changes, each of which must come after its dependencies.
pub fn deeds<'a>(key: &DocumentKey, changes: impl IntoIterator<Item = (Instant, &'a ChangeRecord)>) -> Vec<Deed> {
    if let DocumentKey::ReceiptBook(book) = key {
        return books::receipts(book, changes);
    }
    if let DocumentKey::StockBook(_) = key {
        return stock::entries(key, changes);
    }
    let (mut earlier, mut deeds) = (Earlier::default(), Vec::new());
    for (at, record) in changes {
        let from = deeds.len();
        for (counter, operation) in (record.start_operation..).zip(&record.operations) {
            let Some((path, before, after)) = earlier.apply(record, counter, operation) else { continue };
            if record.actor.is_genesis() || books::is_told_elsewhere(key, record, &path) {
                continue;
            }
            let Some((kind, thing, field)) = classified(key, &path) else { continue };
            let (before, after) = shown(kind, &field, before, after, &path, &earlier);
            if before != after {
                deeds.push(Deed { at, actor: record.actor.clone(), kind, thing, field, before, after });
            }
        }
        if matches!(key, DocumentKey::CaseBook(_)) {
            let written = deeds.split_off(from);
            deeds.extend(decision(key, &written));
        }
    }
    deeds
}

impl Earlier {
    /// Takes an operation in. Gives the path of the field that it wrote, what stood there and what stands there since.
    fn apply(
        &mut self,
        record: &ChangeRecord,
        counter: u64,
        operation: &Operation,
    ) -> Option<(String, String, String)> {
        let resolve = |id: OperationId| Some((id.counter, record.actor_at(id.actor)?.clone()));
        let id = (counter, record.actor.clone());
        let within = match operation.object {
            Object::Root => String::new(),
            Object::Made(made) => self.paths.get(&resolve(made)?)?.clone(),
        };
        let name = match &operation.key {
            Key::Map(name) => name.clone(),
            _ if operation.insert => format!("{counter}@{}", record.actor),
            Key::Element(element) => {
                let (counter, actor) = resolve(*element)?;
                format!("{counter}@{actor}")
            }
            Key::Head => return None,
        };
        let path = if within.is_empty() { name } else { format!("{within}\n{name}") };
        let after = match operation.action {
            Action::MakeMap | Action::MakeList | Action::MakeTable => {
                self.paths.insert(id, path);
                return None;
            }
            Action::Set => operation.value.told(),
            Action::Delete => String::new(),
            // Texts of other programs, letter by letter: that they were written is told, not each letter.
            Action::MakeText => "…".to_owned(),
            Action::Increment | Action::Mark => return None,
        };
        let mut before: Vec<String> = Vec::new();
        for replaced in &operation.predecessors {
            let value = resolve(*replaced).and_then(|id| self.values.get(&id)).cloned().unwrap_or_default();
            if !value.is_empty() && !before.contains(&value) {
                before.push(value);
            }
        }
        if operation.action != Action::Delete {
            self.values.insert(id, after.clone());
        }
        self.fields.insert(path.clone(), after.clone());
        Some((path, before.join(" / "), after))
    }
}

/// What a field is of: its kind, its thing and its name there; none for what is no deed of its own.
fn classified(key: &DocumentKey, path: &str) -> Option<(DeedKind, String, String)> {
    let levels: Vec<&str> = path.split('\n').collect();
    let field = |kind, thing: String, field: &str| Some((kind, thing, field.to_owned()));
    match (key, levels.as_slice()) {
        (DocumentKey::Catalogue(_), ["products", entry]) => {
            let (code, name) = entry.split_once('/')?;
            let thing = format!("product:{code}");
            match name.strip_prefix("price/") {
                Some(price) => field(DeedKind::Price, thing, price),
                None if name.starts_with("until/") => field(DeedKind::Price, thing, name),
                None => field(DeedKind::Product, thing, name),
            }
        }
        (DocumentKey::Catalogue(_), ["promotions", entry]) => {
            let (code, name) = entry.split_once('/')?;
            field(DeedKind::Promotion, format!("promotion:{code}"), name)
        }
        (DocumentKey::Catalogue(_), [entry]) => {
            let (code, name) = entry.strip_prefix("sku/")?.split_once('/')?;
            field(DeedKind::Product, format!("sku:{code}"), &format!("sku-{name}"))
        }
        (
            DocumentKey::Stream(code),
            [
                name @ ("host" | "platform" | "shop" | "starts" | "ends" | "ended" | "labels" | "bags" | "hands"
                | "pace"),
            ],
        ) => field(DeedKind::Promotion, format!("stream:{code}"), &format!("stream-{name}")),
        (DocumentKey::Stream(code), ["offers", entry]) => {
            let (sku, name) = entry.split_once('/')?;
            field(DeedKind::Promotion, format!("stream:{code}"), &format!("stream-offer-{name}/{sku}"))
        }
        (DocumentKey::Cooperative(_), ["villages", code]) => {
            field(DeedKind::Cooperative, "cooperative".into(), &format!("village/{code}"))
        }
        (DocumentKey::Cooperative(_), ["places", code]) => {
            field(DeedKind::Cooperative, "cooperative".into(), &format!("place/{code}"))
        }
        (DocumentKey::Cooperative(_), ["announcements", _, "text"]) => {
            field(DeedKind::Cooperative, "cooperative".into(), "announcement")
        }
        (DocumentKey::Cooperative(_), [name]) => field(DeedKind::Cooperative, "cooperative".into(), name),
        (DocumentKey::Household(id), ["payment"]) => field(DeedKind::Payment, format!("household:{id}"), "payment"),
        (DocumentKey::Household(id), ["advances", _, "fen"]) => {
            field(DeedKind::Payment, format!("household:{id}"), "advance")
        }
        (DocumentKey::Household(id), ["members", _, "name" | "left"]) => {
            field(DeedKind::Household, format!("household:{id}"), "member")
        }
        (DocumentKey::Household(id), [name @ ("name" | "village")]) => {
            field(DeedKind::Household, format!("household:{id}"), name)
        }
        (DocumentKey::Order(name), [field_name])
            if matches!(*field_name, "status" | "shipment") || field_name.starts_with("sku/") =>
        {
            field(DeedKind::Order, format!("order:{name}"), field_name)
        }
        (DocumentKey::HarvestBook(book), ["lots", lot, rest @ ..]) => {
            field(DeedKind::Lot, format!("household:{}", book.household), &books::lot_field(key, lot, rest)?)
        }
        (DocumentKey::CaseBook(book), ["decisions", _, name]) => {
            field(DeedKind::Decision, format!("household:{}", book.household), name)
        }
        _ => None,
    }
}

/// The values as a list may show them.
fn shown(
    kind: DeedKind,
    field: &str,
    before: String,
    after: String,
    path: &str,
    earlier: &Earlier,
) -> (String, String) {
    match (kind, field) {
        (DeedKind::Payment, "payment") => {
            let masked = |text: String| text.split(" / ").map(without_account).collect::<Vec<_>>().join(" / ");
            let (shown_before, mut shown_after) = (masked(before.clone()), masked(after.clone()));
            if shown_before == shown_after && before != after {
                // Two accounts that end alike.
                shown_after.push('*');
            }
            (shown_before, shown_after)
        }
        (DeedKind::Household, "member") => match path.strip_suffix("\nleft") {
            // Whoever was taken out stood there before, and does not since.
            Some(member) => {
                let name = earlier.fields.get(&format!("{member}\nname")).cloned().unwrap_or_default();
                if after.is_empty() { (String::new(), name) } else { (name, String::new()) }
            }
            None => (before, after),
        },
        // An order that comes in is no deed of a person.
        (DeedKind::Order, "status") if before.is_empty() => (String::new(), String::new()),
        (DeedKind::Decision, _) => (before, after),
        (DeedKind::Lot, field) if field.ends_with(books::WITHDRAWN) => (books::weight_of(path, earlier), after),
        // A price that holds from a day takes the place of the one that held until then.
        (DeedKind::Price, name) if before.is_empty() => (price::until_then(path, name, earlier), cut(&after)),
        _ => (cut(&before), cut(&after)),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LETTERS_MAX).collect()
}

/// A way of payment without more of an account than its end.
pub fn without_account(payment: &str) -> String {
    let digits: Vec<char> = payment.chars().filter(|letter| letter.is_numeric()).collect();
    let letters = payment.chars().count();
    match digits.len() {
        0 if letters <= PLAIN_PAYMENT_MAX => payment.to_owned(),
        count if count > ACCOUNT_DIGITS => {
            let shown: String = digits.iter().skip(count.saturating_sub(ACCOUNT_DIGITS)).collect();
            format!("…{shown}")
        }
        _ => {
            let shown: String = payment.chars().skip(letters.saturating_sub(ACCOUNT_DIGITS)).collect();
            if letters > ACCOUNT_DIGITS { format!("…{shown}") } else { "…".to_owned() }
        }
    }
}

/// The one deed that a decision's fields are: its field says what was decided, in which season and about which case.
fn decision(key: &DocumentKey, written: &[Deed]) -> Option<Deed> {
    let first = written.first()?;
    let of = |name: &str| written.iter().find(|deed| deed.field == name).map(|deed| deed.after.as_str());
    let values: Vec<Contender> = of("values").and_then(|values| serde_json::from_str(values).ok()).unwrap_or_default();
    let values: Vec<String> = values.into_iter().map(|value| value.value).collect();
    let DocumentKey::CaseBook(book) = key else { return None };
    Some(Deed {
        field: format!("{} {} {}", of("kind")?, book.season.year(), of("case")?),
        before: cut(&values.join(" / ")),
        after: cut(of("chosen").or(of("note")).unwrap_or_default()),
        ..first.clone()
    })
}
