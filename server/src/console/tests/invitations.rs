//! Invitations on paper, and the list of open ones.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use granary_client_core::quantities::SpokenCode;

use super::forms::{HOUSEHOLD, Two, text_of};
use super::page::PageForm;
use super::*;

const SHEET: &str = "/console/households/sheet";

fn household(two: &Two, number: u8, village: &'static str) -> HouseholdId {
    let id = HouseholdId::from_bytes([number; 16]);
    let edit = move |doc: &mut _| household::set_name(doc, &format!("户{number:03}"), village);
    two.world.granary.edit(two.world.coop, &DocumentKey::Household(id), World::now(), edit).unwrap();
    id
}

/// The names on the sheets of a page.
fn names_on(page: &str) -> Vec<String> {
    let sheets = page.split("<div class=\"sheet\"><h2>").skip(1);
    sheets.map(|sheet| sheet.split([' ', '<']).next().unwrap().to_owned()).collect()
}

/// What is to be typed: an address and a code, for each sheet.
fn typed_on(page: &str) -> Vec<String> {
    let typed = page.split("<strong class=\"typed\">").skip(1);
    typed.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

fn open(two: &Two) -> usize {
    let lines = two.world.granary.invitations(two.world.coop, World::now()).unwrap();
    lines.iter().filter(|line| line.state == InvitationState::Open).count()
}

// One typed 95 characters, where there is an address and twelve letters.
#[tokio::test(flavor = "multi_thread")]
async fn sheet_has_a_code_that_is_typed_as_people_type() {
    let two = Two::new().await;
    two.world.is_trusted.store(true, Ordering::Relaxed);
    let form = PageForm::one(&two.page("/console/households").await, SHEET).typed(&[("village", "dongpo")]);
    let page = two.send(&two.zhang, &form).await.page;
    let typed = typed_on(&page);
    assert_eq!((typed.len(), typed[0].as_str()), (2, "https://g.example/app"), "{page}");
    let code = typed[1].clone();
    // The household's own page tells of it by its name.
    let history = two.page(&format!("/console/households/{HOUSEHOLD}")).await;
    assert!(history.contains("Household 李家") && !history.contains("without a name"), "{history}");
    assert!(code.len() == 14 && code.parse::<SpokenCode>().is_ok(), "{code}");
    let as_typed = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
    assert_eq!(two.world.granary.preview(&as_typed, World::now()).unwrap().whose, "李家");
    two.world.enrol(&as_typed, 1).unwrap();
    // Who has a phone gets no sheet, where only those without one were chosen.
    let page = two.send(&two.zhang, &form).await.page;
    assert!(names_on(&page).is_empty() && text_of(&page).contains("No household fits"), "{page}");
    let all = two.send(&two.zhang, &form.typed(&[("who", "all")])).await.page;
    assert_eq!(names_on(&all), ["李家"]);
}

// A village with more households than a sheet holds got sixty sheets, and nobody said so.
#[tokio::test(flavor = "multi_thread")]
async fn long_sheet_goes_on_and_leaves_nobody_out() {
    let two = Two::new().await;
    let made: BTreeSet<String> =
        (20..90).map(|number| household(&two, number, "xihe")).map(|id| id.to_string()).collect();
    two.shown();
    let form = PageForm::one(&two.page("/console/households").await, SHEET).typed(&[("village", "xihe")]);
    let first = two.send(&two.zhang, &form).await.page;
    assert_eq!(names_on(&first).len(), 60);
    assert!(text_of(&first).contains("Households 1 to 60 of 70."), "{first}");
    // One of those that already have a sheet enrols before the next ones are made.
    let code =
        two.world.granary.invite(two.world.coop, Role::Household(HouseholdId::from_bytes([20; 16])), 1, World::now());
    two.world.enrol(&code.unwrap().code, 1).unwrap();
    let next = PageForm::one(&first, SHEET);
    let second = two.send(&two.zhang, &next).await.page;
    let names: BTreeSet<String> = names_on(&first).into_iter().chain(names_on(&second)).collect();
    assert_eq!((names_on(&second).len(), names.len(), made.len()), (10, 70, 70));
    assert!(PageForm::all(&second, SHEET).is_empty());
    assert_eq!(open(&two), 70);
    // Made anew, with the earlier ones ended.
    let anew = two.send(&two.zhang, &form.typed(&[("end", "yes")])).await;
    assert_eq!((anew.status, names_on(&anew.page).len(), open(&two)), (200, 60, 70));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_invitations_are_ended_one_by_one_or_all_of_a_village() {
    let two = Two::new().await;
    let west: Vec<HouseholdId> = (20..23).map(|number| household(&two, number, "xihe")).collect();
    two.shown();
    let invite = |role| two.world.granary.invite(two.world.coop, role, 1, World::now()).unwrap().code;
    let codes: Vec<String> = west.iter().map(|id| invite(Role::Household(*id))).collect();
    let (of_li, packer) = (invite(Role::Household(HOUSEHOLD)), invite(Role::Packer));
    let list = two.page("/console/invitations?village=xihe").await;
    assert!(text_of(&list).contains("Invitations: 3.") && list.contains(&format!("/console/households/{}", west[0])));
    assert!(text_of(&two.page("/console/invitations").await).contains("Invitations: 5."));
    let of_one = two.page(&format!("/console/invitations?household={HOUSEHOLD}")).await;
    assert!(text_of(&of_one).contains("Invitations: 1.") && text_of(&of_one).contains("李家"), "{of_one}");
    // One by one, back to the same filter.
    let one = PageForm::all(&list, "/console/invitations/withdraw").remove(0);
    assert_eq!(two.send(&two.zhang, &one).await.to, "/console/invitations?village=xihe");
    // All of the village; one that is made after the page was shown stays.
    let all = PageForm::one(&list, "/console/invitations/withdraw-all").typed(&[("sure", "yes")]);
    let now = Instant(World::now().0 + 1_000);
    let later = two.world.granary.invite(two.world.coop, Role::Household(west[0]), 1, now).unwrap().code;
    let ended = two.send(&two.zhang, &all).await;
    assert_eq!((ended.status, ended.to.as_str()), (303, "/console/invitations?village=xihe"), "{}", ended.page);
    for code in &codes {
        assert!(two.world.granary.preview(code, World::now()).is_err());
    }
    for code in [&of_li, &packer, &later] {
        assert!(two.world.granary.preview(code, World::now()).is_ok());
    }
    assert_eq!(open(&two), 3);
}
