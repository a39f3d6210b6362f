//! Small things that a coordinator stumbled over.

use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::harvest::{LotDraft, LotEdit, correct, record};
use granary_client_core::schema::{Book, Part, Season};

use super::forms::{HOUSEHOLD, Two, book, text_of};
use super::page::PageForm;
use super::*;
use crate::engine::erasure::Erasable;

const OTHER: HouseholdId = HouseholdId::from_bytes([9; 16]);

impl Two {
    fn edit(&self, key: DocumentKey, edit: crate::Edit) {
        self.world.granary.edit(self.world.coop, &key, World::now(), edit).unwrap();
        self.shown();
    }
}

// Pinyin found a name in the search for everything alone.
#[tokio::test(flavor = "multi_thread")]
async fn lists_are_searched_by_pinyin_and_its_initials() {
    let two = Two::new().await;
    two.edit(DocumentKey::Household(OTHER), Box::new(|doc| household::set_name(doc, "樊秀英", "dongpo")));
    let walnuts = LotDraft::new("millet", Grams::new(7_000).unwrap(), "2026-10-09".parse().unwrap());
    let own = DocumentKey::HarvestBook(Book::first(OTHER, Season::new(2026).unwrap()));
    two.edit(own, Box::new(move |doc| record(doc, &walnuts).map(drop)));
    for typed in ["fxy", "fanxiuying", "Fan+Xiu", "樊"] {
        let page = two.page(&format!("/console/households?search={typed}")).await;
        assert!(page.contains(&format!("h-{OTHER}")) && !page.contains(&format!("h-{HOUSEHOLD}")), "{typed}: {page}");
        let lots = text_of(&two.page(&format!("/console/harvests?search={typed}")).await);
        assert!(lots.contains("7 kg") && !lots.contains("12.5 kg"), "{typed}: {lots}");
        let sheet = two.world.get(&format!("/console/export/lots.csv?search={typed}"), &two.zhang).await.page;
        assert_eq!(sheet.lines().count(), 2, "{typed}: {sheet}");
    }
    two.edit(DocumentKey::Household(OTHER), Box::new(|doc| household::add_member(doc, "二虎").map(drop)));
    for typed in ["erhu", "eh", "二虎"] {
        let page = two.page(&format!("/console/households?search={typed}")).await;
        assert!(page.contains(&format!("h-{OTHER}")) && !page.contains(&format!("h-{HOUSEHOLD}")), "{typed}: {page}");
        let found = two.world.get(&format!("/console/search?q={typed}"), &two.zhang).await;
        assert_eq!(found.status, 303, "what alone was found is opened: {typed}: {}", found.page);
    }
    let found = text_of(&two.page("/console/harvests?search=xiaomi").await);
    assert!(found.contains("7 kg") && found.contains("12.5 kg"), "products by their names, in both languages: {found}");
    assert!(two.page("/console/households?search=zzz").await.contains("No household"));
}

// A list that is empty said no more than that.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_says_where_to_go_on() {
    let two = Two::new().await;
    for (path, next) in [
        ("/console/households?search=nobody", "/console/households"),
        ("/console/harvests?search=nothing", "/console/harvests"),
        ("/console/cases", "/console/unusual"),
        ("/console/unusual", "/console/cases"),
        ("/console/set-aside", "/console/phones"),
        ("/console/activity?who=nobody", "/console/activity"),
        ("/console/questions", "/console/harvests"),
        ("/console/invitations", "/console/households"),
        ("/console/phones", "#invite"),
        ("/console/search?q=nothing", "/console/households"),
    ] {
        let page = two.page(path).await;
        let empty = page.split("class=\"empty\"").nth(1).unwrap_or_else(|| panic!("{path}: {page}"));
        let empty = empty.split("</p>").next().unwrap();
        assert!(empty.contains(&format!("href=\"{next}\"")), "{path}: {empty}");
        if let Some(mark) = next.strip_prefix('#') {
            assert!(page.contains(&format!("id=\"{mark}\"")), "{path}");
        }
    }
}

// The price stood in the file as if it still held.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalogues_file_says_until_when_a_price_held() {
    let two = Two::new().await;
    let name = |text: &str| text.parse::<PriceName>().unwrap();
    let (grade, never) = (name("A"), name("B@2026-12-01"));
    two.edit(
        DocumentKey::Catalogue(Part::FIRST),
        Box::new(move |doc| {
            catalogue::set_price(doc, "millet", &never, Fen::new(500).unwrap())?;
            catalogue::end_price(doc, "millet", &never, Some("2026-11-01".parse().unwrap()))?;
            catalogue::end_price(doc, "millet", &grade, Some("2026-10-31".parse().unwrap()))
        }),
    );
    let sheet = two.world.get("/console/export/catalogue.csv", &two.zhang).await.page;
    let lines: Vec<&str> = sheet.trim_start_matches('\u{feff}').lines().collect();
    assert!(lines[0].ends_with("A,A · Last day"), "{sheet}");
    assert!(lines[1].ends_with("7.6,2026-10-31"), "{sheet}");
    assert!(!sheet.contains("B@"), "what never held is no price: {sheet}");
}

// A note could show its figures the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn letters_that_turn_text_are_named_on_pages() {
    let two = Two::new().await;
    let key = two.lot.key().clone();
    let note = LotEdit::Note("\u{202E}gk 521".into());
    two.edit(book(), Box::new(move |doc| correct(doc, &key, &note)));
    let list = two.page("/console/harvests").await;
    assert!(list.contains("⟨U+202E⟩gk 521") && !list.contains('\u{202E}'), "{list}");
    // The form keeps it, and saving another field leaves it.
    let form = PageForm::one(&two.page(&two.path()).await, &format!("{}/correct", two.path()));
    assert_eq!(form.get("note"), "\u{202E}gk 521");
    assert_eq!(two.send(&two.zhang, &form.typed(&[("grams", "12.6")])).await.to, two.path());
}

// The names of erased households stood on in kept views, and their lots in what is new.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_in_no_view_and_no_count() {
    let two = Two::new().await;
    for (name, query) in
        [("李家的", "product=millet"), ("all", "search=%E6%9D%8E%E5%AE%B6"), ("millet", "product=millet&sort=day")]
    {
        let address = super::super::forms::encode(&format!("/console/harvests?{query}"));
        let body = format!("name={}&address={address}", super::super::forms::encode(name));
        assert_eq!(two.world.post("/console/views/keep", &two.zhang, &body).await.status, 303);
    }
    let of_household = format!("/console/harvests?household={HOUSEHOLD}");
    let body = format!("name=one&address={}", super::super::forms::encode(&of_household));
    assert_eq!(two.world.post("/console/views/keep", &two.zhang, &body).await.status, 303);
    let (granary, coop) = (&two.world.granary, two.world.coop);
    let since = Instant(World::now().0 - 3_600_000);
    assert_eq!(granary.arrived_since(coop, since).unwrap().lots, 1);
    let what = Erasable::Household { id: HOUSEHOLD, with_books: true };
    granary.erase(Principal::Operator, coop, &what, World::now()).unwrap();
    two.shown();
    let device = granary.coordinator_device(coop, "zhang").unwrap();
    let left: Vec<String> = granary.views(coop, device).unwrap().into_iter().map(|view| view.name).collect();
    assert_eq!(left, ["millet"]);
    let arrived = granary.arrived_since(coop, since).unwrap();
    assert_eq!((arrived.lots, arrived.grams, arrived.households.len()), (0, 0, 0));
}

// A phone for a household that nobody has named ticked the step of invitations.
#[tokio::test(flavor = "multi_thread")]
async fn first_steps_wait_for_a_household_that_is_on_the_list() {
    let world = World::new();
    world.coordinator("zhang");
    let zhang = world.sign_in("zhang", PASSWORD).await.unwrap();
    let step = || async {
        let page = world.get("/console", &zhang).await.page;
        let steps = page.split("<ol class=\"steps\">").nth(1).unwrap_or_else(|| panic!("{page}"));
        steps.split("<li").nth(4).unwrap().to_owned()
    };
    let code = world.granary.invite(world.coop, Role::Household(OTHER), 1, World::now()).unwrap().code;
    assert!(!step().await.contains('✓'), "{}", step().await);
    world.enrol(&code, 5).unwrap();
    assert!(!step().await.contains('✓'));
    let key = DocumentKey::Household(OTHER);
    world.granary.edit(world.coop, &key, World::now(), |doc| household::set_name(doc, "李家", "")).unwrap();
    while world.granary.read_models_behind(world.coop).unwrap() > 0 {
        std::thread::yield_now();
    }
    assert!(step().await.contains('✓'), "{}", step().await);
}
