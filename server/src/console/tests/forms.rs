//! What forms write, and how refused ones come back.

use granary_client_core::conflicts::CaseState;
use granary_client_core::projection::CaseFilter;
use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::harvest::{LotDraft, LotEdit, correct, lot, lots, record};
use granary_client_core::schema::receipt::{Outcome, receipts};
use granary_client_core::schema::{Book, LotId, Part, Season, cooperative};

use super::page::PageForm;
use super::*;

pub(super) const HOUSEHOLD: HouseholdId = HouseholdId::from_bytes([7; 16]);

pub(super) fn book() -> DocumentKey {
    DocumentKey::HarvestBook(Book::first(HOUSEHOLD, Season::new(2026).unwrap()))
}

/// A co-operative with a household, a product, a promotion and a lot; two coordinators.
pub(super) struct Two {
    pub(super) world: World,
    pub(super) zhang: String,
    pub(super) wang: String,
    pub(super) lot: LotId,
}

impl Two {
    pub(super) async fn new() -> Self {
        let world = World::new();
        world.coordinator("zhang");
        world.coordinator("wang");
        let edit =
            |key: DocumentKey, edit: crate::Edit| world.granary.edit(world.coop, &key, World::now(), edit).unwrap();
        edit(DocumentKey::Cooperative(Part::FIRST), Box::new(|doc| cooperative::set_village(doc, "dongpo", "东坡村")));
        edit(DocumentKey::Cooperative(Part::FIRST), Box::new(|doc| cooperative::set_village(doc, "xihe", "西河村")));
        edit(DocumentKey::Cooperative(Part::FIRST), Box::new(|doc| cooperative::set_place(doc, "mill", "磨坊")));
        edit(DocumentKey::Household(HOUSEHOLD), Box::new(|doc| household::set_name(doc, "李家", "dongpo")));
        edit(
            DocumentKey::Catalogue(Part::FIRST),
            Box::new(|doc| {
                catalogue::name_product(doc, "millet", "小米", "Millet")?;
                let grade = PriceName::new("A".into(), None).unwrap();
                catalogue::set_price(doc, "millet", &grade, Fen::new(760).unwrap())?;
                catalogue::plan_promotion(doc, "eleven", "双十一", "2026-11-11".parse().unwrap())?;
                catalogue::offer(doc, "eleven", "millet", Fen::new(1_200).unwrap())
            }),
        );
        let draft = LotDraft::new("millet", Grams::new(12_500).unwrap(), "2026-10-03".parse().unwrap());
        edit(book(), Box::new(move |doc| record(doc, &draft).map(drop)));
        let key = lots(&world.granary.document(world.coop, &book()).unwrap().unwrap())[0].key.clone();
        let lot = LotId::in_book(&book(), key).unwrap();
        let (zhang, wang) =
            (world.sign_in("zhang", PASSWORD).await.unwrap(), world.sign_in("wang", PASSWORD).await.unwrap());
        let two = Self { world, zhang, wang, lot };
        two.shown();
        two
    }

    /// Waits until the lists show everything.
    pub(super) fn shown(&self) {
        self.world.granary.settle(&self.world.granary.cooperative(self.world.coop).unwrap());
        while self.world.granary.read_models_behind(self.world.coop).unwrap() > 0 {
            std::thread::yield_now();
        }
    }

    pub(super) fn path(&self) -> String {
        format!("/console/lots/{}", self.lot)
    }

    pub(super) async fn page(&self, path: &str) -> String {
        let answer = self.world.get(path, &self.zhang).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.page);
        answer.page
    }

    pub(super) async fn send(&self, cookie: &str, form: &PageForm) -> Answer {
        let headers = [("cookie", cookie), ("accept-language", "en")];
        let form = form.typed(&[("token", &self.token(cookie))]);
        let answer = self.world.ask(Method::POST, &form.action, &headers, form.body()).await;
        self.shown();
        answer
    }

    pub(super) fn token(&self, cookie: &str) -> String {
        let session = self.world.granary.session(&session_token(cookie), World::now()).unwrap().unwrap();
        super::super::form_token::masked(&session.csrf).unwrap()
    }

    pub(super) fn document(&self, key: &DocumentKey) -> granary_client_core::schema::Document {
        self.world.granary.document(self.world.coop, key).unwrap().unwrap()
    }
}

/// A page, a form on it, a field that one person changes, and another field that the other one had changed meanwhile.
type Fields = [(&'static str, &'static str); 2];
/// A field with its value that tells a form from others on its page.
type Key = Option<(&'static str, &'static str)>;

// The forms of receipts and households wrote all that they held: a page opened earlier put old values back.
#[tokio::test(flavor = "multi_thread")]
async fn no_form_puts_back_what_somebody_else_changed() {
    let two = Two::new().await;
    let lot = two.path();
    let receipt = PageForm::one(&two.page(&lot).await, &format!("{lot}/receipt"));
    let weighed = receipt.typed(&[("state", "received"), ("grams", "12"), ("grade", "A")]);
    assert_eq!(two.send(&two.zhang, &weighed).await.status, 303);
    let forms: [(String, String, Key, Fields); 7] = [
        (lot.clone(), format!("{lot}/correct"), None, [("grams", "13"), ("place", "东坡")]),
        (lot.clone(), format!("{lot}/receipt"), None, [("grams", "12.5"), ("grade", "B")]),
        (
            format!("/console/households/{HOUSEHOLD}"),
            format!("/console/households/{HOUSEHOLD}"),
            None,
            [("village", "xihe"), ("payment", "农行 6222")],
        ),
        (
            "/console/catalogue/millet".into(),
            "/console/catalogue".into(),
            Some(("code", "millet")),
            [("zh", "黄小米"), ("price:A", "7.80")],
        ),
        (
            "/console/promotions/eleven".into(),
            "/console/promotions".into(),
            Some(("code", "eleven")),
            [("title", "双十二"), ("offer:millet", "13.00")],
        ),
        (
            "/console/cooperative".into(),
            "/console/cooperative/village".into(),
            Some(("code", "dongpo")),
            [("name", "东坡"), ("name", "东坡")],
        ),
        (
            "/console/cooperative".into(),
            "/console/cooperative/place".into(),
            Some(("code", "mill")),
            [("name", "水磨"), ("name", "水磨")],
        ),
    ];
    for (page, action, key, [(one, first), (other, second)]) in forms {
        let form = |page: &str| match key {
            Some((name, value)) => PageForm::with(page, &action, name, value),
            None => PageForm::one(page, &action),
        };
        let before = form(&two.page(&page).await);
        assert_ne!(before.get(one), first, "{action}");
        for (cookie, name, value) in [(&two.wang, one, first), (&two.zhang, other, second)] {
            let answer =
                two.send(cookie, &before.typed(&[(name, value), ("confirmed", "yes"), ("since", "beginning")])).await;
            assert_eq!(answer.status, 303, "{action} {name}: {}", answer.page);
        }
        // A third page of before, of which nothing was changed.
        assert_eq!(two.send(&two.zhang, &before).await.status, 303, "{action}");
        let after = form(&two.page(&page).await);
        assert_eq!((after.get(one), after.get(other)), (first, second), "{action}");
    }
}

// Both write one field: nobody's value goes unseen.
#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_one_field_are_told() {
    let two = Two::new().await;
    let lot = two.path();
    let receipt = PageForm::one(&two.page(&lot).await, &format!("{lot}/receipt"));
    two.send(&two.zhang, &receipt.typed(&[("state", "received"), ("grams", "12")])).await;
    for (page, key, name, values) in [
        (format!("/console/households/{HOUSEHOLD}"), None, "name", ["李家一", "李家二"]),
        (format!("{lot}/receipt"), None, "grams", ["12.1", "12.2"]),
        ("/console/catalogue".into(), Some(("code", "millet")), "zh", ["米", "小米子"]),
        ("/console/promotions".into(), Some(("code", "eleven")), "offer:millet", ["13.00", "14.00"]),
        ("/console/cooperative/village".into(), Some(("code", "dongpo")), "name", ["东", "坡"]),
    ] {
        let path = match page.as_str() {
            "/console/catalogue" => "/console/catalogue/millet",
            "/console/promotions" => "/console/promotions/eleven",
            page => page.trim_end_matches("/receipt").trim_end_matches("/village"),
        };
        let form = |text: &str| match key {
            Some((name, value)) => PageForm::with(text, &page, name, value),
            None => PageForm::one(text, &page),
        };
        let seen = form(&two.page(path).await);
        assert_eq!(two.send(&two.wang, &seen.typed(&[(name, values[0])])).await.status, 303, "{page}");
        let refused = two.send(&two.zhang, &seen.typed(&[(name, values[1])])).await;
        assert_eq!(refused.status, 409, "{page}: {}", refused.page);
        let again = form(&refused.page);
        assert_eq!((again.get(name), again.get(&format!("was:{name}"))), (values[1], values[0]), "{page}");
        assert!(again.html.contains("id=\"fault\"") && again.html.contains(values[0]), "{page}: {}", again.html);
        // Now that she has seen it, hers counts.
        assert_eq!(two.send(&two.zhang, &again).await.status, 303, "{page}");
        assert_eq!(form(&two.page(path).await).get(name), values[1], "{page}");
    }
    // Of a lot's field both values are kept, as when two phones write it.
    let correct_path = format!("{lot}/correct");
    let seen = PageForm::one(&two.page(&lot).await, &correct_path);
    for (cookie, kilograms) in [(&two.wang, "13"), (&two.zhang, "14")] {
        assert_eq!(two.send(cookie, &seen.typed(&[("grams", kilograms)])).await.status, 303);
    }
    let page = two.page(&lot).await;
    let page = text_of(&page);
    assert!(page.contains("was edited on several phones at once") && page.contains("13 kg") && page.contains("14 kg"));
}

// Two tabs of one person: both values were kept, and nothing said so.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_keeps_two_values_says_so() {
    let two = Two::new().await;
    let lot = two.path();
    let seen = PageForm::one(&two.page(&lot).await, &format!("{lot}/correct"));
    let first = two.send(&two.zhang, &seen.typed(&[("grams", "13")])).await;
    assert_eq!((first.status, first.to.as_str()), (303, lot.as_str()));
    let same = two.send(&two.zhang, &seen.typed(&[("grams", "13"), ("grade", "A")])).await;
    assert_eq!(same.to, lot, "the same value is no other one");
    let second = two.send(&two.zhang, &seen.typed(&[("grams", "14")])).await;
    assert_eq!(second.status, 303);
    let page = text_of(&two.page(&second.to).await);
    assert!(page.contains("both values are kept") && page.contains("13 kg") && page.contains("14 kg"), "{page}");
    assert!(!two.page(&lot).await.contains("both values are kept"));
}

// A receipt's form was filled with the recorded weight, as if it had been weighed.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_prefilled_as_if_it_had_been_weighed() {
    let two = Two::new().await;
    let lot = two.path();
    let page = two.page(&lot).await;
    assert!(page.contains("Not weighed yet") && !text_of(&page).contains("saysRecorded"), "{page}");
    let form = PageForm::one(&page, &format!("{lot}/receipt"));
    for field in ["state", "grams", "grade", "reason", "day"] {
        assert_eq!(form.get(field), "", "{field}");
    }
    assert_eq!(two.send(&two.zhang, &form).await.status, 400);
    assert!(two.world.granary.document(two.world.coop, &two.lot.receipt_book()).unwrap().is_none());
    assert_eq!(two.send(&two.zhang, &form.typed(&[("state", "received"), ("grams", "12.4")])).await.status, 303);
    // The lot has no grade of the household's, and none of the warehouse's yet.
    assert!(!two.page(&lot).await.contains("¥"));
    let receipt = receipts(&two.document(&two.lot.receipt_book())).remove(0);
    let weighed = Outcome::Received { weighed: Grams::new(12_400).unwrap(), grade: String::new() };
    assert_eq!((receipt.outcome, receipt.day.is_some()), (Some(weighed), true));
    // The warehouse's grade decides what it is worth.
    let graded = PageForm::one(&two.page(&lot).await, &format!("{lot}/receipt")).typed(&[("grade", "A")]);
    assert_eq!(two.send(&two.zhang, &graded).await.status, 303);
    let page = text_of(&two.page(&lot).await);
    assert!(page.contains("12.4 kg · Grade A · ¥94.24"), "{page}");
}

// A wrong field led to a page without the form, the navigation and what was typed.
#[tokio::test(flavor = "multi_thread")]
async fn refused_form_comes_back_with_what_was_typed() {
    let two = Two::new().await;
    let lot = two.path();
    let wrong: [(String, String, Key, &str, &str); 13] = [
        (lot.clone(), format!("{lot}/correct"), None, "grams", "12,5,0"),
        (lot.clone(), format!("{lot}/correct"), None, "moisture", "wet"),
        (lot.clone(), format!("{lot}/correct"), None, "day", "yesterday"),
        (lot.clone(), format!("{lot}/receipt"), None, "state", ""),
        (format!("/console/households/{HOUSEHOLD}"), format!("/console/households/{HOUSEHOLD}"), None, "name", ""),
        ("/console/households?search=x".into(), "/console/households/add".into(), None, "name", " "),
        ("/console/catalogue/millet".into(), "/console/catalogue".into(), Some(("code", "millet")), "price:A", "x"),
        ("/console/catalogue".into(), "/console/catalogue".into(), Some(("new", "yes")), "code", "Big Code"),
        ("/console/catalogue".into(), "/console/catalogue".into(), Some(("new", "yes")), "code", "millet"),
        ("/console/promotions/eleven".into(), "/console/promotions".into(), Some(("code", "eleven")), "day", "soon"),
        ("/console/cooperative".into(), "/console/cooperative/place".into(), Some(("new", "yes")), "code", "mill"),
        ("/console/phones".into(), "/console/phones/invite".into(), None, "person", ""),
        ("/console/password".into(), "/console/password".into(), None, "present", ""),
    ];
    for (page, action, key, field, value) in wrong {
        let form = |page: &str| match key {
            Some((name, value)) => PageForm::with(page, &action, name, value),
            None => PageForm::one(page, &action),
        };
        let mut sent = form(&two.page(&page).await).typed(&[
            (field, value),
            ("note", "three <sacks>"),
            ("zh", "红枣"),
            ("role", "coordinator"),
        ]);
        if action == "/console/password" {
            sent = sent.typed(&[("new", "a new password of mine"), ("again", "a new password of mine")]);
        }
        let refused = two.send(&two.zhang, &sent).await;
        assert!(matches!(refused.status, 400 | 409), "{action} {field}: {}", refused.status);
        assert!(refused.page.contains("<nav") && refused.page.contains("role=\"alert\""), "{action}");
        let again = match key {
            Some(("new", _)) => {
                PageForm::all(&refused.page, &action).into_iter().find(|form| form.get("new") == "yes").unwrap()
            }
            _ => form(&refused.page),
        };
        assert!(again.html.contains("id=\"fault\""), "{action} {field} has its fault beside it: {}", again.html);
        if action != "/console/password" {
            assert_eq!(again.get(field), value.trim(), "{action} {field}");
            assert_eq!(again.get("note").is_empty(), !form(&two.page(&page).await).html.contains("name=\"note\""));
        } else {
            assert!(!refused.page.contains("of mine"), "no page shows a password");
        }
    }
    // What is empty is not called a wrong number.
    let empty = PageForm::one(&two.page(&lot).await, &format!("{lot}/receipt")).typed(&[("state", "received")]);
    let refused = two.send(&two.zhang, &empty).await;
    assert!(refused.status == 400 && refused.page.contains("nothing is typed here"), "{}", refused.page);
    // In Chinese, for who reads Chinese.
    let form = PageForm::one(&two.page(&lot).await, &format!("{lot}/correct"))
        .typed(&[("grams", "x"), ("token", &two.token(&two.zhang))]);
    let refused = two.world.ask(Method::POST, &form.action, &[("cookie", &two.zhang)], form.body()).await;
    assert!(refused.page.contains("没有改动") && !refused.page.contains("Nothing"), "{}", refused.page);
    // What no form was is told within the console's frame too.
    let missing = two.world.get("/console/households/nobody", &two.zhang).await;
    assert!(missing.status == 404 && missing.page.contains("<nav"), "{}", missing.page);
    // A page that a form names is a page of the console, or none.
    let foreign = form.typed(&[("page", "https://evil.example/")]);
    let refused = two.world.ask(Method::POST, &form.action, &[("cookie", &two.zhang)], foreign.body()).await;
    assert!(refused.status == 400 && refused.page.contains("<nav"));
}

// After an undo the case had no values to choose from, and the history said that it was settled again.
#[tokio::test(flavor = "multi_thread")]
async fn undone_case_can_be_settled_anew() {
    let two = Two::new().await;
    let world = &two.world;
    let seen = granary_client_core::crdt::Version::of(&mut two.document(&book()));
    for (login, grams) in [("zhang", 13_000), ("wang", 14_000)] {
        let device = world.granary.coordinator_device(world.coop, login).unwrap();
        let (key, to) = (two.lot.key().clone(), LotEdit::Quantity(Grams::new(grams).unwrap()));
        let edit = Edits { seen: Some(seen.clone()), ..Edits::one(book(), move |doc| correct(doc, &key, &to)) };
        world.granary.edit_as(world.coop, device, World::now(), vec![edit]).unwrap();
    }
    two.shown();
    let settle = |page: &str, value: &str| {
        PageForm::one(page, "/console/cases/settle").typed(&[("value", value), ("how", "settle")])
    };
    let open = two.page("/console/cases").await;
    assert_eq!(two.send(&two.zhang, &settle(&open, "13000")).await.status, 303);
    let settled = two.page("/console/cases?state=settled").await;
    assert_eq!(two.send(&two.zhang, &PageForm::one(&settled, "/console/cases/undo")).await.status, 303);
    // A second click on an older page undoes nothing more.
    assert_eq!(two.send(&two.wang, &PageForm::one(&settled, "/console/cases/undo")).await.status, 409);
    let open = two.page("/console/cases").await;
    let text = text_of(&open);
    assert!(text.contains("13 kg") && text.contains("14 kg") && text.contains("undone"), "{text}");
    let history = two.page(&two.path()).await;
    assert!(history.contains("<td>Undone</td>"), "{history}");
    assert_eq!(history.matches("<td>Settled</td>").count(), 1);
    let csv = world.get("/console/export/cases.csv", &two.zhang).await.page;
    let decisions: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').nth(10)).collect();
    assert_eq!(decisions, ["settled", "undone"], "{csv}");
    // Left as it is and taken up again, the values are still there.
    let leave = PageForm::one(&open, "/console/cases/settle").typed(&[("how", "leave")]);
    assert_eq!(two.send(&two.zhang, &leave).await.status, 303);
    let left = two.page("/console/cases?state=left").await;
    assert!(left.contains("Left as they are (1)"), "{left}");
    assert_eq!(two.send(&two.zhang, &PageForm::one(&left, "/console/cases/undo")).await.status, 303);
    let open = two.page("/console/cases").await;
    let text = text_of(&open);
    assert!(text.contains("13 kg") && text.contains("14 kg"), "{text}");
    // A page of before the undo does not settle what it did not see.
    let late = two.send(&two.wang, &settle(&open, "14000").typed(&[("was:case", "0123456789abcdef")])).await;
    assert_eq!(late.status, 409);
    let typed = two.send(&two.wang, &settle(&open, "14000").typed(&[("other", "90000")])).await;
    assert!(
        typed.status == 200 && typed.page.contains("90,000"),
        "what nobody weighed yet is asked back: {}",
        typed.page
    );
    assert_eq!(two.send(&two.wang, &settle(&open, "14000")).await.status, 303);
    assert_eq!(lot(&two.document(&book()), two.lot.key()).unwrap().quantity, Grams::new(14_000).ok());
    let models = world.granary.read_models(world.coop).unwrap();
    let cases = models.read(|models| models.cases(&CaseFilter::default())).unwrap();
    assert_eq!(cases.iter().map(|case| case.state).collect::<Vec<_>>(), [CaseState::Settled]);
}

/// The text of a page, without its tags.
pub(super) fn text_of(page: &str) -> String {
    page.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text).collect()
}
