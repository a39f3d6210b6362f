//! What people wrote into a document: who wrote which field when, what stood there before and what stands there since. Derived
//! from the document's changes, whoever made them and wherever; an operation names what it replaces. Lots and receipts have a
//! history of their own ([`super::lot_history`]).

use std::collections::HashMap;

use super::case_book::Contender;
use super::key::DocumentKey;
use crate::crdt::change::{Action, BytesKind, ChangeRecord, Key, Object, Operation, OperationId, Value};
use crate::ids::ActorId;
use crate::quantities::Instant;

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
}

impl DeedKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Price,
        Self::Product,
        Self::Promotion,
        Self::Payment,
        Self::Household,
        Self::Cooperative,
        Self::Order,
        Self::Decision,
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
    /// Which thing: `product:millet`, `household:ID`, `promotion:CODE`, `order:PLATFORM/ID`, `cooperative`.
    pub thing: String,
    /// Which field of it, such as `A@2026-11-01` of a price.
    pub field: String,
    /// What stood there; empty for nothing, several concurrent values with ` / ` between.
    pub before: String,
    /// What stands there since; empty for nothing.
    pub after: String,
}

/// True for a document of which [`deeds`] tells anything.
pub fn has_deeds(key: &DocumentKey) -> bool {
    !matches!(key, DocumentKey::HarvestBook(_) | DocumentKey::ReceiptBook(_) | DocumentKey::Receiver(_))
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
    let (mut earlier, mut deeds) = (Earlier::default(), Vec::new());
    for (at, record) in changes {
        let from = deeds.len();
        for (counter, operation) in (record.start_operation..).zip(&record.operations) {
            let Some((path, before, after)) = earlier.apply(record, counter, operation) else { continue };
            if record.actor.is_genesis() {
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
            Action::Set => text_of(&operation.value),
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

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Unsigned(number) => number.to_string(),
        Value::Signed(_, number) => number.to_string(),
        Value::Bytes(BytesKind::Text, bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Bytes(..) => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::change::VerifiedChange;
    use crate::ids::HouseholdId;
    use crate::quantities::Fen;
    use crate::schema::catalogue::{self, PriceName};
    use crate::schema::{Document, Part, household};

    fn told(document: &mut Document) -> Vec<(DeedKind, String, String, String)> {
        let changes: Vec<VerifiedChange> = document.changes_since(&[]).unwrap();
        let records = changes.iter().map(|change| (Instant(0), change.record()));
        let deeds = deeds(&document.key().clone(), records);
        deeds.into_iter().map(|deed| (deed.kind, deed.field, deed.before, deed.after)).collect()
    }

    fn deed(kind: DeedKind, field: &str, before: &str, after: &str) -> (DeedKind, String, String, String) {
        (kind, field.into(), before.into(), after.into())
    }

    #[test]
    fn a_price_has_a_before_and_an_after_also_where_two_wrote_at_once() {
        let mut one = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 12]).unwrap());
        let name: PriceName = "A".parse().unwrap();
        let set = |document: &mut Document, actor: usize, fen| {
            let price = Fen::new(fen).unwrap();
            document
                .edit(&actors[actor], Instant(0), |doc| catalogue::set_price(doc, "millet", &name, price))
                .unwrap()
                .1
        };
        set(&mut one, 0, 700);
        let mut two = one.clone();
        set(&mut one, 0, 760);
        let other = set(&mut two, 1, 780).unwrap();
        one.apply(&[other]).unwrap();
        set(&mut one, 0, 760);
        let expected = [
            deed(DeedKind::Price, "A", "", "700"),
            deed(DeedKind::Price, "A", "700", "760"),
            deed(DeedKind::Price, "A", "700", "780"),
        ];
        let told = told(&mut one);
        assert_eq!(told[..3], expected);
        let (.., before, after) = &told[3];
        assert!(before == "760 / 780" || before == "780 / 760", "{before}");
        assert_eq!(after, "760");
    }

    #[test]
    fn what_is_done_to_a_pack_that_shops_sell_is_of_the_pack() {
        use crate::quantities::Grams;
        use crate::schema::sku::{self, Sku};
        let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let actor = ActorId::from_bytes(&[1; 12]).unwrap();
        let pack = |grams| Sku::new("XM-05", "millet", "A", Grams::new(grams).unwrap());
        document.edit(&actor, Instant(0), |doc| sku::set_sku(doc, &pack(2_500))).unwrap();
        let before = told(&mut document).len();
        document.edit(&actor, Instant(0), |doc| sku::set_sku(doc, &pack(5_000))).unwrap();
        document.edit(&actor, Instant(0), |doc| sku::map_name(doc, "XM-05", "小米/5斤")).unwrap();
        let after = told(&mut document).split_off(before);
        assert_eq!(
            after,
            [
                deed(DeedKind::Product, "sku-grams", "2500", "5000"),
                deed(DeedKind::Product, "sku-name/小米/5斤", "", "true"),
            ]
        );
    }

    #[test]
    fn a_households_deeds_show_no_account_and_name_who_was_taken_out() {
        let mut document = Document::new(DocumentKey::Household(HouseholdId::from_bytes([1; 16]))).unwrap();
        let actor = ActorId::from_bytes(&[1; 12]).unwrap();
        let mut edit = |edit: &dyn Fn(&mut automerge::AutoCommit) -> Result<(), crate::crdt::DocumentFault>| {
            document.edit(&actor, Instant(0), |doc| edit(doc)).unwrap();
        };
        edit(&|doc| household::set_name(doc, "Li", "dongpo"));
        edit(&|doc| household::set_payment(doc, "ICBC 6222 0000 1111 2345 Li Ming"));
        edit(&|doc| household::set_payment(doc, "ICBC 6222 0000 9999 2345 Li Ming"));
        edit(&household::clear_payment);
        edit(&|doc| household::add_member(doc, "Hu"));
        let key = household::read(&document).people[0].key.clone();
        let mut edit = |edit: &dyn Fn(&mut automerge::AutoCommit) -> Result<(), crate::crdt::DocumentFault>| {
            document.edit(&actor, Instant(0), |doc| edit(doc)).unwrap();
        };
        edit(&|doc| household::remove_member(doc, &key, "2026-10-01".parse().unwrap()));
        edit(&|doc| household::put_back_member(doc, &key));
        let told = told(&mut document);
        assert_eq!(
            told,
            [
                deed(DeedKind::Household, "name", "", "Li"),
                deed(DeedKind::Household, "village", "", "dongpo"),
                deed(DeedKind::Payment, "payment", "", "…2345"),
                deed(DeedKind::Payment, "payment", "…2345", "…2345*"),
                deed(DeedKind::Payment, "payment", "…2345", ""),
                deed(DeedKind::Household, "member", "", "Hu"),
                deed(DeedKind::Household, "member", "Hu", ""),
                deed(DeedKind::Household, "member", "", "Hu"),
            ]
        );
        assert!(!format!("{told:?}").contains("6222"));
        let accounts =
            ["１２３４５６７８９０１", "账号六二一七〇一二三", "wangerhuwx12", "wxid-abcdefg"].map(without_account);
        assert_eq!(accounts, ["…８９０１", "…〇一二三", "…wx12", "…defg"]);
        let shown = ["cash", "现金", "fan@example.org", "12345678", "微信 1234"].map(without_account);
        assert_eq!(shown, ["cash", "现金", "….org", "…5678", "…1234"]);
    }
}
