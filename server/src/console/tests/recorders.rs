//! Recorders of villages on the pages of phones and invitations.

use granary_client_core::ids::DeviceId;
use ring::signature::KeyPair;

use super::forms::Two;
use super::page::PageForm;
use super::*;

const VILLAGES: &str = "/console/phones/villages";

#[tokio::test(flavor = "multi_thread")]
async fn recorder_is_invited_for_villages_listed_with_them_and_ended() {
    let two = Two::new().await;
    let page = two.page("/console/phones").await;
    assert!(page.contains("Village recorder") && page.contains("name=\"village\" value=\"xihe\""), "{page}");
    let none = two.world.post("/console/phones/invite", &two.zhang, "role=recorder").await;
    assert!(none.status == 400 && none.page.contains("至少选一个村"), "{}", none.page);
    let invited =
        two.world.post("/console/phones/invite", &two.zhang, "role=recorder&village=dongpo&village=xihe").await;
    let code = code_on(&invited.page);
    let open = two.page("/console/invitations").await;
    assert!(open.contains("Village recorder") && open.contains("records for: 东坡村, 西河村"), "{open}");

    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let public_key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    two.world.granary.enrol(&EnrolRequest { code, public_key, name: "Zhao".into() }, World::now()).unwrap();
    let page = two.page("/console/phones").await;
    assert!(page.contains("records for: 东坡村, 西河村"), "{page}");

    let device = DeviceId::of_public_key(&public_key);
    // Villages could be changed by a command alone.
    let villages = || {
        let record = two.world.granary.cooperative(two.world.coop).unwrap().device(device).unwrap();
        record.recorder.villages.into_iter().collect::<Vec<_>>().join(" ")
    };
    let form = PageForm::one(&page, VILLAGES);
    let only = |form: &PageForm, village: &str| {
        let mut form = form.clone();
        form.fields.retain(|(name, value)| name != "village" || value == village);
        form
    };
    assert_eq!(form.fields.iter().filter(|(name, _)| name == "village").count(), 2, "both are ticked");
    assert_eq!(two.send(&two.zhang, &only(&form, "dongpo")).await.to, format!("/console/phones#p-{device}"));
    assert_eq!(villages(), "dongpo");
    let later = two.send(&two.wang, &only(&form, "xihe")).await;
    assert!(later.status == 409 && later.page.contains("东坡村"), "what wang saw is past: {}", later.page);
    let none = two.send(&two.zhang, &only(&PageForm::one(&two.page("/console/phones").await, VILLAGES), "")).await;
    assert!(none.status == 400 && none.page.contains("at least one village"), "{}", none.page);
    assert_eq!(villages(), "dongpo");
    assert_eq!(two.send(&two.zhang, &form.typed(&[("was:villages", "dongpo")])).await.status, 303);
    assert_eq!(villages(), "dongpo xihe");
    let undo = PageForm::undo(&two.page("/console/phones").await);
    assert_eq!((two.send(&two.zhang, &undo).await.status, villages()), (303, "dongpo".to_owned()));
    let again = only(&PageForm::one(&two.page("/console/phones").await, VILLAGES), "dongpo");
    let both = PageForm { fields: [again.fields, vec![("village".into(), "xihe".into())]].concat(), ..again };
    assert_eq!(two.send(&two.zhang, &both).await.status, 303);
    let audit = two.world.granary.audit_log(two.world.coop, 20).unwrap();
    assert!(audit.iter().any(|line| line.detail.contains("recorder of dongpo > recorder of dongpo,xihe")), "{audit:?}");

    let ended = two.world.post("/console/phones/revoke", &two.zhang, &format!("device={device}&sure=yes")).await;
    assert!(ended.status < 400, "{}", ended.page);
    let record = two.world.granary.cooperative(two.world.coop).unwrap().device(device).unwrap();
    assert!(record.grants_now().roles.is_empty());
    let found = two.page("/console/phones?search=%E8%A5%BF%E6%B2%B3&state=revoked&role=recorder").await;
    assert!(found.contains(&format!("p-{device}")), "{found}");
    // The wrong button is no loss: it comes back with its villages.
    two.world.post("/console/phones/take-back", &two.zhang, &format!("device={device}&sure=yes")).await;
    assert!(two.page("/console/phones").await.contains("records for: 东坡村, 西河村"));
}

#[tokio::test]
async fn cards_say_which_household_and_nothing_else() {
    let two = Two::new().await;
    let number = granary_client_core::schema::CardNumber::of(super::forms::HOUSEHOLD);
    let page = two.page("/console/households").await;
    assert!(page.contains("action=\"/console/households/cards\""), "{page}");
    let own = format!("/console/households/cards?household={}", super::forms::HOUSEHOLD);
    assert!(two.page(&format!("/console/households/{}", super::forms::HOUSEHOLD)).await.contains(&own));
    for path in [own.as_str(), "/console/households/cards?village=dongpo&phone=without", "/console/households/cards"] {
        let cards = two.page(path).await;
        assert!(cards.contains("李家") && cards.contains("东坡村") && cards.contains(&number.to_string()), "{cards}");
        assert_eq!(cards.matches("<article class=\"paper\"").count(), 1);
    }
    assert!(!two.page("/console/households/cards?village=xihe").await.contains("class=\"paper\""));
    // Whoever has a phone needs no card.
    let role = Role::Household(super::forms::HOUSEHOLD);
    let code = two.world.granary.invite(two.world.coop, role, 1, World::now()).unwrap().code;
    let request = EnrolRequest { code, public_key: [3; 32], name: "Li's".into() };
    two.world.granary.enrol(&request, World::now()).unwrap();
    assert!(!two.page("/console/households/cards?phone=without").await.contains("class=\"paper\""));
    assert_eq!(two.world.get("/console/households/cards?household=li", &two.zhang).await.status, 404);
}

#[tokio::test]
async fn lot_and_its_export_say_who_recorded_it_for_the_household() {
    let two = Two::new().await;
    let page = two.page(&two.path()).await;
    assert!(page.contains("Recorded by the server, for the household"), "{page}");
    let sheet = two.world.get("/console/export/lots.csv", &two.zhang).await.page;
    let lines: Vec<&str> = sheet.lines().collect();
    assert!(lines[0].ends_with("Recorded by") && lines[1].contains("the server, for the household"), "{sheet}");
}
