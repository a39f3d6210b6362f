//! A coordinator's own sessions, other coordinators, and the first page of a new co-operative.

use granary_client_core::quantities::Fen;
use granary_client_core::schema::{Part, catalogue, cooperative};

use super::forms::Two;
use super::page::PageForm;
use super::*;

const ACCOUNT: &str = "/console/password";
const END: &str = "/console/sessions/end";

#[tokio::test(flavor = "multi_thread")]
async fn another_session_of_ones_own_is_listed_and_ended() {
    let two = Two::new().await;
    let form = format!("coop={}&login=zhang&password={}", two.world.coop.0, PASSWORD.replace(' ', "+"));
    let agent = [("user-agent", "Mozilla/5.0 (Windows NT 10.0) Gecko Firefox/132.0")];
    let other = two.world.ask(Method::POST, "/console/sign-in", &agent, form).await.cookie.unwrap();
    let page = two.page(ACCOUNT).await;
    assert!(page.contains("127.0.0.1 · Firefox · Windows") && page.contains("this browser"), "{page}");
    let forms = PageForm::all(&page, END);
    assert_eq!(forms.len(), 1, "the other one of hers, and none of wang's");
    let not_hers = PageForm::one(&two.world.get(ACCOUNT, &other).await.page, END);
    let theirs = two.world.post(END, &two.wang, &format!("session={}", not_hers.get("session"))).await;
    assert_eq!(theirs.status, 404, "nobody ends another one's");
    let ended = two.send(&two.zhang, &forms[0]).await;
    assert_eq!((ended.status, ended.to.as_str()), (303, ACCOUNT));
    assert_eq!(two.world.get("/console", &other).await.to, "/console/sign-in");
    assert_eq!(two.world.get("/console", &two.zhang).await.status, 200);
    assert!(two.page("/console/activity?kind=accounts").await.contains("ended another session"));
    let again = two.send(&two.zhang, &forms[0]).await;
    assert_eq!(again.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_makes_another_ones_account() {
    let two = Two::new().await;
    let (page, invite) = ("/console/coordinators", "/console/coordinators/invite");
    assert!(two.page(page).await.contains("Last signed in"));
    let form = PageForm::one(&two.page(page).await, invite);
    let taken = two.send(&two.zhang, &form.typed(&[("name", "Wang"), ("login", "wang")])).await;
    assert!(taken.status == 409 && taken.page.contains("id=\"fault\""), "{}", taken.page);
    assert!(two.world.sign_in("wang", PASSWORD).await.is_some(), "the account that is here stays as it is");
    let wrong = two.send(&two.zhang, &form.typed(&[("name", "Li"), ("login", "li ming")])).await;
    assert_eq!(wrong.status, 400);
    let made = two.send(&two.zhang, &form.typed(&[("name", "Li Ming"), ("login", "liming")])).await;
    assert_eq!(made.status, 200, "{}", made.page);
    let codes: Vec<&str> =
        made.page.split("class=\"code\">").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(codes[0], "liming");
    let listed = two.page(page).await;
    assert!(listed.contains("Li Ming") && listed.contains("never"), "{listed}");
    assert!(!listed.contains(codes[1]), "the password is shown once");
    assert!(two.world.sign_in("liming", codes[1]).await.is_some());
    let audit = two.page("/console/activity?kind=accounts&who=zhang").await;
    assert!(audit.contains("Li Ming"), "who made it is told: {audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_cooperative_is_led_through_its_first_steps() {
    let world = World::new();
    world.coordinator("zhang");
    let cookie = world.sign_in("zhang", PASSWORD).await.unwrap();
    let overview = || async {
        while world.granary.read_models_behind(world.coop).unwrap() > 0 {
            std::thread::yield_now();
        }
        world.get("/console", &cookie).await.page
    };
    let ticked = |page: &str| page.matches("✓").count();
    let edit = |key: DocumentKey, edit: crate::Edit| world.granary.edit(world.coop, &key, World::now(), edit).unwrap();
    let page = overview().await;
    assert!(page.contains("Set up your co-operative") && ticked(&page) == 0, "{page}");
    let next = page.split("aria-current=\"step\"").nth(1).unwrap().split("</li>").next().unwrap();
    assert!(next.contains("/console/cooperative"), "{next}");
    edit(DocumentKey::Cooperative(Part::FIRST), Box::new(|doc| cooperative::set_village(doc, "dongpo", "东坡村")));
    assert_eq!(ticked(&overview().await), 1);
    edit(DocumentKey::Catalogue(Part::FIRST), Box::new(|doc| catalogue::name_product(doc, "millet", "小米", "Millet")));
    assert_eq!(ticked(&overview().await), 1, "a product without a price is worth nothing");
    let price = |doc: &mut _| catalogue::set_price(doc, "millet", &"A".parse().unwrap(), Fen::new(760)?);
    edit(DocumentKey::Catalogue(Part::FIRST), Box::new(price));
    let household = HouseholdId::from_bytes([7; 16]);
    edit(DocumentKey::Household(household), Box::new(|doc| household::set_name(doc, "李家", "dongpo")));
    assert_eq!(ticked(&overview().await), 3);
    world.granary.invite(world.coop, Role::Household(household), 24, World::now()).unwrap();
    let page = overview().await;
    assert!(!page.contains("Set up your co-operative"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cooperative_with_a_harvest_sees_its_overview() {
    let two = Two::new().await;
    assert!(!two.page("/console").await.contains("Set up your co-operative"));
}

// After a change of password nothing told that it was changed.
#[tokio::test(flavor = "multi_thread")]
async fn changed_password_is_told() {
    let two = Two::new().await;
    let form = PageForm::one(&two.page("/console/password").await, "/console/password");
    let new = "three plain words";
    let sent = form.typed(&[("present", PASSWORD), ("new", new), ("again", new)]);
    let changed = two.send(&two.zhang, &sent).await;
    assert_eq!(changed.status, 303, "{}", changed.page);
    let page = two.world.get(&changed.to, &changed.cookie.unwrap()).await.page;
    assert!(page.contains("Your password was changed"), "{page}");
}
