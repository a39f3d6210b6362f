use proptest::prelude::*;

use super::super::stock_rows::tests::{actor, facts_of_documents, server, warehouse};
use super::*;
use crate::ids::DeviceId;
use crate::quantities::{Fen, Grams, Instant};
use crate::schema::Document;
use crate::schema::order::{
    self, AfterSale, Allocated, Allocation, OrderStatus, TakenLine, TakenOrder, ToldStatus, set_allocation, set_status,
};
use crate::trade::{Stock, derive};

/// Something that happens to one of a few orders.
#[derive(Debug, Clone)]
enum Step {
    Taken(Vec<(usize, u32, bool)>),
    /// By line, from which holding, how much; written by the server or by somebody else.
    Planned(Vec<(usize, i64)>, bool),
    Packed,
    Told(usize),
    Forgotten,
}

fn step() -> impl Strategy<Value = Step> {
    let line = (0usize..4, 1u32..5, any::<bool>());
    prop_oneof![
        4 => proptest::collection::vec(line, 1..4).prop_map(Step::Taken),
        4 => (proptest::collection::vec((0usize..4, 1i64..9_000), 0..4), prop::bool::weighted(0.9))
            .prop_map(|(takes, by_server)| Step::Planned(takes, by_server)),
        2 => Just(Step::Packed),
        2 => (0usize..5).prop_map(Step::Told),
        1 => Just(Step::Forgotten),
    ]
}

fn taken(lines: &[(usize, u32, bool)], told: ToldStatus, told_at: Instant) -> TakenOrder {
    let skus = [Some("XM-05"), Some("MT-500"), Some("NOT-KNOWN"), None];
    let line = |(place, (sku, packs, is_paid_back)): (usize, &(usize, u32, bool))| TakenLine {
        line_id: place.to_string(),
        sku: skus[*sku].map(str::to_owned),
        code: None,
        title: None,
        packs: *packs,
        fen: Fen::new(100).unwrap(),
        is_gift: false,
        after_sale: if *is_paid_back { AfterSale::Refunded } else { AfterSale::None },
        after_sale_at: None,
    };
    TakenOrder {
        placed_at: Instant(1_790_000_000_000),
        paid_at: None,
        promised_at: None,
        told_at,
        told,
        total_fen: None,
        freight_fen: None,
        pool: "douyin".into(),
        stream: None,
        lines: lines.iter().enumerate().map(line).collect(),
    }
}

/// What of a stock is the same whether or not it names orders.
fn without_names(stock: Stock) -> Stock {
    Stock { cases: Vec::new(), ..stock }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// After every step: the sums that were kept step by step, and what is derived from all documents, are one stock, also without
    /// some of its orders; and the orders to plan are those that a look at all of them finds.
    #[test]
    fn kept_sums_are_what_is_derived_from_all_documents(steps in proptest::collection::vec((0usize..4, step()), 1..24)) {
        let (mut documents, skus) = warehouse();
        let mut rows = ReadModel::in_memory().unwrap();
        rows.trust(server());
        documents.iter_mut().for_each(|document| rows.write(document, 1).unwrap());
        let known: Vec<HoldingId> = derive(&facts_of_documents(&documents, &skus)).holdings.into_keys().collect();
        let other = actor(DeviceId::from_bytes([7; 8]));
        for (number, (of, step)) in steps.iter().enumerate() {
            let at = Instant(1_790_000_000_000 + i64::try_from(number).unwrap());
            let name = OrderName::of("douyin", &format!("new-{of}"));
            let key = DocumentKey::Order(name.clone());
            let place = documents.iter().position(|document| *document.key() == key);
            let mut document = match place {
                Some(place) => documents.remove(place),
                None => Document::new(key.clone()).unwrap(),
            };
            let is_there = order::read(&document, server()).placed_at.is_some();
            let mut is_forgotten = false;
            match step {
                Step::Taken(lines) => {
                    let order = taken(lines, ToldStatus::ToShip, at);
                    document.edit(&other, at, |doc| order::take(doc, &order)).unwrap();
                }
                Step::Planned(takes, by_server) if is_there => {
                    let one = |(place, (holding, grams)): (usize, &(usize, i64))| {
                        let holding = known[holding % known.len()].to_string();
                        (place.to_string(), vec![Allocated { holding, grams: Grams::new(*grams).unwrap() }])
                    };
                    let allocation = Allocation(takes.iter().enumerate().map(one).collect());
                    let by = if *by_server { actor(server()) } else { other.clone() };
                    document.edit(&by, at, |doc| set_allocation(doc, &allocation)).unwrap();
                }
                Step::Packed if is_there => {
                    document.edit(&other, at, |doc| set_status(doc, OrderStatus::Packed)).unwrap();
                }
                Step::Told(status) if is_there => {
                    let order = taken(&[(0, 1, false)], ToldStatus::ALL[*status], at);
                    document.edit(&other, at, |doc| order::tell(doc, &order)).unwrap();
                }
                Step::Forgotten => is_forgotten = true,
                _ => {}
            }
            if is_forgotten {
                rows.forget(&key).unwrap();
            } else {
                rows.write(&mut document, 1).unwrap();
                documents.push(document);
            }
            let facts = facts_of_documents(&documents, &skus);
            let sums = rows.stock_sums(&skus, &BTreeSet::new()).unwrap();
            let stock = derive(&sums);
            prop_assert_eq!(without_names(stock.clone()), without_names(derive(&facts)));

            let left_out: BTreeSet<OrderName> = [name, OrderName::of("douyin", "planned"), OrderName::of("douyin", "foreign")].into();
            let mut rest = facts.clone();
            rest.orders.retain(|name, order| order.is_packed || !left_out.contains(name));
            let sums = rows.stock_sums(&skus, &left_out).unwrap();
            let mut named = derive(&sums).holdings;
            // Of what is left out, holdings that nobody else speaks of are there with nothing in them.
            let found = derive(&rest).holdings;
            named.retain(|id, holding| found.contains_key(id) || *holding != crate::trade::Holding::default());
            prop_assert_eq!((named, derive(&sums).unplanned), (found, derive(&rest).unplanned));

            let is_right = |id: &HoldingId| stock.holdings.get(id).is_some_and(|holding| holding.on_hand() >= 0);
            let expected: BTreeSet<OrderName> = facts
                .orders
                .iter()
                .filter(|(name, order)| {
                    let is_odd = sums.orders.contains_key(*name) || order.is_packed || order.is_foreign;
                    !is_odd && (!order.unplanned.is_empty() || order.takes.keys().any(|id| !is_right(id)))
                })
                .map(|(name, _)| name.clone())
                .collect();
            prop_assert_eq!(rows.orders_to_plan(&skus, is_right).unwrap(), expected);
        }
    }
}
