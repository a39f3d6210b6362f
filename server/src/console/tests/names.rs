//! Lists have names, where two look alike with the end of an id.

use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::{LotDraft, record};
use granary_client_core::schema::{Book, Season};

use super::forms::{HOUSEHOLD, Two, text_of};
use super::page::PageForm;
use super::*;
use crate::log::Submitter;

// Lists showed ids of 16 and 36 letters; a page for people has names.
#[tokio::test(flavor = "multi_thread")]
async fn lists_of_devices_and_invitations_have_names() {
    let two = Two::new().await;
    let role = Role::Household(HOUSEHOLD);
    let made = two.world.granary.invite(two.world.coop, role, 1, World::now()).unwrap();
    let preview = two.world.granary.preview(&made.code, World::now()).unwrap();
    assert_eq!(preview.whose, "李家");
    let (first, _) = two.world.enrol(&made.code, 1).unwrap();
    let second = two.world.granary.invite(two.world.coop, role, 1, World::now()).unwrap();
    let phones = two.page("/console/phones").await;
    assert!(phones.contains(">李家</a>") && !text_of(&phones).contains(&first.to_string()), "{phones}");
    let (other, _) = two.world.enrol(&second.code, 2).unwrap();
    // Two look alike now.
    let phones = text_of(&two.page("/console/phones").await);
    for device in [first, other] {
        let id = device.to_string();
        assert!(phones.contains(&format!("phone · {}", &id[id.len() - 6..])) && !phones.contains(&id), "{phones}");
    }
    let invitations = text_of(&two.page("/console/invitations?state=all").await);
    assert!(invitations.contains("李家") && !invitations.contains(&first.to_string()), "{invitations}");
    // What a phone sends and may not write is set aside; the reason is a sentence in the reader's language.
    let (granary, coop) = (&two.world.granary, two.world.coop);
    let draft = LotDraft::new("millet", Grams::new(9_000).unwrap(), "2026-10-05".parse().unwrap());
    let other_book =
        DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([8; 16]), Season::new(2026).unwrap()));
    let mut harvest = granary_client_core::schema::Document::new(other_book.clone()).unwrap();
    let named = |doc: &mut _| household::set_name(doc, "王家", "xihe");
    granary.edit(coop, &DocumentKey::Household(HouseholdId::from_bytes([8; 16])), World::now(), named).unwrap();
    two.shown();
    let actor = first.actor(granary_client_core::ids::Incarnation::new(1));
    let (_, change) = harvest.edit(&actor, World::now(), |doc| record(doc, &draft)).unwrap();
    let sent = DocumentChanges { key: other_book, changes: vec![change.unwrap()] };
    let submitter = Submitter::new(first, Default::default());
    granary.ingest(&granary.cooperative(coop).unwrap(), submitter, vec![sent], World::now()).unwrap();
    let headers = [("cookie", two.zhang.as_str()), ("accept-language", "zh")];
    let aside = two.world.ask(Method::GET, "/console/set-aside", &headers, String::new()).await.page;
    let text = text_of(&aside);
    assert!(text.contains("不可以改这份文档") && text.contains("收成簿 · 王家 · 2026"), "{text}");
    // A second click is told what became of it.
    let take_in = PageForm::one(&aside, "/console/set-aside/take-in");
    assert_eq!(two.send(&two.zhang, &take_in).await.status, 303);
    let again = two.send(&two.zhang, &take_in).await;
    assert!(again.status == 409 && again.page.contains("taken in already"), "{}: {}", again.status, again.page);
    let refuse = PageForm { action: "/console/set-aside/refuse".into(), ..take_in.typed(&[("sure", "yes")]) };
    let refused = two.send(&two.wang, &refuse).await;
    assert!(refused.status == 409 && refused.page.contains("taken in already"), "{}", refused.page);
    assert!(!text.contains("this device") && !text.contains(&first.to_string()), "{text}");
}
