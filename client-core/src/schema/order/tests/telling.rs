//! What is told of an order, in whatever order and however often, and on two replicas at once.

use super::*;

#[test]
fn older_message_never_moves_an_order_back() {
    let mut document = order_of(&["a"]);
    let told = |at: i64, told, after_sale| TakenOrder {
        told,
        told_at: Instant(BEGIN + at),
        lines: vec![TakenLine { after_sale, ..line("a") }],
        ..taken(&[])
    };
    let shown = |document: &Document| {
        let order = read(document, SERVER);
        (order.told.unwrap(), order.lines[0].after_sale)
    };
    assert!(edit(&mut document, 9, |doc| tell(doc, &told(10, ToldStatus::Shipped, AfterSale::Asked))));
    assert!(!edit(&mut document, 9, |doc| tell(doc, &told(5, ToldStatus::ToShip, AfterSale::None))));
    assert_eq!(shown(&document), (ToldStatus::Shipped, AfterSale::Asked));
    assert!(read(&document, SERVER).is_after_sale_asked());
    // What was asked for is withdrawn, and a file from before that comes last.
    assert!(edit(&mut document, 9, |doc| tell(doc, &told(20, ToldStatus::Shipped, AfterSale::None))));
    assert!(!edit(&mut document, 9, |doc| tell(doc, &told(15, ToldStatus::Shipped, AfterSale::Asked))));
    assert_eq!(shown(&document), (ToldStatus::Shipped, AfterSale::None));
    assert!(edit(&mut document, 9, |doc| tell(doc, &told(20, ToldStatus::Done, AfterSale::None))), "one time, further");
    assert_eq!(read(&document, SERVER).state(), Some(OrderState::Done));
    assert!(read(&document, SERVER).says(&told(30, ToldStatus::Done, AfterSale::None)), "only the time would be later");
    assert!(!read(&document, SERVER).says(&told(30, ToldStatus::Closed, AfterSale::None)));
}

#[derive(Debug, Clone)]
struct Message {
    at: i64,
    told: ToldStatus,
    lines: Vec<(u8, AfterSale)>,
}

impl Message {
    fn order(&self) -> TakenOrder {
        let line = |(id, after_sale): &(u8, AfterSale)| TakenLine { after_sale: *after_sale, ..line(&id.to_string()) };
        TakenOrder {
            told: self.told,
            told_at: Instant(BEGIN + self.at),
            lines: self.lines.iter().map(line).collect(),
            ..taken(&[])
        }
    }
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let told = proptest::sample::select(ToldStatus::ALL.to_vec());
    let after_sale = proptest::sample::select(AfterSale::ALL.to_vec());
    let lines = prop::collection::btree_map(0u8..4, after_sale, 1..4);
    let message =
        (0i64..6, told, lines).prop_map(|(at, told, lines)| Message { at, told, lines: lines.into_iter().collect() });
    prop::collection::vec(message, 1..7)
}

fn told_in_order<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Order {
    let mut document = order_of(&["0", "1", "2"]);
    for message in messages {
        edit(&mut document, 9, |doc| tell(doc, &message.order()));
    }
    read(&document, SERVER)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// In whatever order messages come, and however often, an order ends the same.
    #[test]
    fn order_told_in_any_order_ends_the_same((told, shuffled) in messages().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))) {
        let once = told_in_order(&told);
        prop_assert_eq!(&once, &told_in_order(&shuffled));
        prop_assert_eq!(&once, &told_in_order(shuffled.iter().chain(&told).chain(&shuffled)), "repeats are harmless");
        let last = told.iter().map(|message| (Instant(BEGIN + message.at), message.told)).max().unwrap();
        let expected = last.max((Instant(BEGIN), ToldStatus::ToShip));
        prop_assert_eq!((once.told_at, once.told), (Some(expected.0), Some(expected.1)));
    }

    /// Two replicas that were told different things at once show the same once they have each other's changes: what one replica that
    /// was told all of it shows.
    #[test]
    fn replicas_that_were_told_at_once_converge(mine in messages(), theirs in messages(), after in messages()) {
        let mut one = order_of(&["0", "1", "2"]);
        let mut two = one.clone();
        let told = |document: &mut Document, by: u8, messages: &[Message]| -> Vec<VerifiedChange> {
            let change = |message: &Message| document.edit(&actor(by), Instant(BEGIN), |doc| tell(doc, &message.order())).unwrap().1;
            messages.iter().filter_map(change).collect()
        };
        let first = told(&mut one, 9, &mine);
        let second = told(&mut two, 8, &theirs);
        one.apply(&second).unwrap();
        two.apply(&first).unwrap();
        prop_assert_eq!(one.heads(), two.heads());
        prop_assert_eq!(read(&one, SERVER), read(&two, SERVER));
        prop_assert_eq!(read(&one, SERVER), told_in_order(mine.iter().chain(&theirs)));
        let further = told(&mut one, 9, &after);
        two.apply(&further).unwrap();
        prop_assert_eq!(read(&two, SERVER), told_in_order(mine.iter().chain(&theirs).chain(&after)));
    }
}
