//! A person who was ended gets in by no way; coordinators remove each other.

use super::*;

type Ending = fn(&World, DeviceId);

/// What ends a person, and whether the password and the phones end too.
const ENDINGS: [(&str, bool, bool, Ending); 5] = [
    ("revoked", true, true, |world, zhang| {
        world.granary.revoke(Principal::Operator, world.coop, zhang, World::now()).unwrap();
    }),
    ("removed", true, true, |world, _| {
        world.remove(Principal::Operator, "zhang").unwrap();
    }),
    ("demoted", true, false, |world, zhang| {
        world.granary.grant(Principal::Operator, world.coop, zhang, &[Role::Packer], World::now()).unwrap();
    }),
    ("given another password", true, false, |world, _| {
        world.granary.set_coordinator(world.coop, "zhang", "zhang", "another password", World::now()).unwrap();
    }),
    ("signed out everywhere", false, false, |world, _| {
        let token = world.granary.sign_in(world.coop, "zhang", (PASSWORD, ""), World::now()).unwrap();
        let SignIn::In(token) = token else { panic!("{token:?}") };
        world.granary.sign_out(&token, true, World::now()).unwrap();
    }),
];

#[tokio::test]
async fn ended_person_gets_in_by_no_way() {
    for (how, ends_password, ends_phones, end) in ENDINGS {
        let world = World::new();
        let zhang = world.coordinator("zhang");
        let cookie = world.sign_in("zhang", PASSWORD).await.unwrap();
        let session = world.granary.session(cookie.split_once('=').unwrap().1, World::now()).unwrap().unwrap();
        let (link, other_link) = (world.once("zhang"), world.once("zhang"));
        let invited = world.post("/console/phones/invite", &cookie, "role=coordinator").await;
        let own_phone = world.enrol(&code_on(&invited.page), 1).unwrap();
        let invited = world.post("/console/phones/invite", &cookie, "role=packer").await;
        let open = code_on(&invited.page);
        let (subscriptions, grants) = (world.granary.subscriptions(), Default::default());
        let live = subscriptions.subscribe(world.coop, own_phone.0, grants);
        assert_eq!(world.get("/console", &cookie).await.status, 200);

        end(&world, zhang);

        let page = world.get("/console", &cookie).await;
        assert_eq!(page.to, "/console/sign-in", "the session of a person who was {how}");
        assert!(!world.granary.is_session_open(&session_token(&cookie), World::now()), "{how}: open page");
        let exported = world.get("/console/export/lots.csv", &cookie).await;
        assert_eq!(exported.to, "/console/sign-in?to=%2Fconsole%2Fexport%2Flots.csv", "{how}");
        for link in [&link, &other_link] {
            let redeemed = world.ask(Method::POST, link, &[], String::new()).await;
            assert!(redeemed.cookie.is_none() && redeemed.status == 403, "a link of a person who was {how}");
        }
        assert_eq!(world.sign_in("zhang", PASSWORD).await.is_none(), ends_password, "the password; {how}");
        let refused = world.enrol(&open, 2).unwrap_err().to_string();
        assert!(refused.contains("withdrawn"), "an open invitation of a person who was {how}: {refused}");
        let lines = world.granary.invitations(world.coop, World::now()).unwrap();
        assert!(lines.iter().all(|line| line.by == "zhang"), "{lines:?}");
        assert!(lines.iter().any(|line| line.state == InvitationState::Void), "{how}: {lines:?}");

        // A deed that began in the session before it was ended, and comes to the store after.
        let (granary, by) = (&world.granary, session.principal());
        let key = DocumentKey::Household(HouseholdId::from_bytes([7; 16]));
        let edit = Edits::one(key, |doc| household::set_name(doc, "Li", "dongpo"));
        let person = (zhang, Some(session.generation));
        let denied = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Denied(_))), "{how}: {result:?}");
        denied(granary.edit_in_session(world.coop, person, World::now(), vec![edit]).map(drop));
        denied(granary.invite_as(by, world.coop, Role::Packer, None, 1, World::now()).map(drop));
        denied(granary.revoke(by, world.coop, own_phone.0, World::now()));
        denied(world.remove(by, "zhang"));
        denied(granary.audit(world.coop, World::now(), by, crate::access::AuditAction::Exported, "lots"));

        assert_eq!(!world.is_active(own_phone.0), ends_phones, "a phone of theirs; {how}");
        assert_eq!(live.has_ended(), ends_phones, "its live socket; {how}");
        let reinstated = granary.reinstate(&own_phone.1, World::now());
        assert_eq!(reinstated == Err(Error::Denied(Denied::Revoked)), ends_phones, "its certificate; {how}");
        if how == "demoted" {
            let phone = granary.cooperative(world.coop).unwrap().device(own_phone.0).unwrap();
            assert!(!phone.grants_now().is_coordinator(), "a demoted coordinator's phone is no coordinator's");
        }
    }
}

#[tokio::test]
async fn coordinator_who_comes_back_gets_nothing_of_before() {
    let world = World::new();
    world.coordinator("zhang");
    let before = world.sign_in("zhang", PASSWORD).await.unwrap();
    world.remove(Principal::Operator, "zhang").unwrap();
    world.coordinator("zhang");
    assert_eq!(world.get("/console", &before).await.to, "/console/sign-in");
    assert!(world.sign_in("zhang", PASSWORD).await.is_some());
}

#[tokio::test]
async fn coordinators_remove_each_other_but_not_themselves() {
    let world = World::new();
    world.coordinator("zhang");
    world.coordinator("wang");
    let zhang = world.sign_in("zhang", PASSWORD).await.unwrap();
    let wang = world.sign_in("wang", PASSWORD).await.unwrap();
    assert!(world.get("/console/coordinators", &zhang).await.page.contains("wang"));
    assert_eq!(world.post("/console/coordinators/remove", &zhang, "login=zhang").await.status, 400);
    assert_eq!(world.post("/console/coordinators/remove", &zhang, "login=wang").await.status, 303);
    assert_eq!(world.get("/console", &wang).await.to, "/console/sign-in");
    assert!(!world.get("/console/coordinators", &zhang).await.page.contains("wang"));
}

#[tokio::test]
async fn names_are_erased_from_the_pages() {
    let world = World::new();
    world.coordinator("zhang");
    world.granary.set_coordinator(world.coop, "wang", "Wang Xiaoming", PASSWORD, World::now()).unwrap();
    let cookie = world.sign_in("zhang", PASSWORD).await.unwrap();
    let page = world.get("/console/coordinators", &cookie).await.page;
    assert!(page.contains("Wang Xiaoming") && page.contains("name=\"erase\""));
    assert_eq!(world.post("/console/coordinators/remove", &cookie, "login=wang&sure=yes&erase=yes").await.status, 303);
    let code = world.granary.invite(world.coop, Role::Packer, 1, World::now()).unwrap().code;
    let (packer, _) = world.enrol(&code, 5).unwrap();
    let form = format!("device={packer}&sure=yes&erase=yes");
    assert_eq!(world.post("/console/phones/revoke", &cookie, &form).await.status, 303);
    for path in ["/console/coordinators", "/console/phones", "/console/history"] {
        let page = world.get(path, &cookie).await.page;
        assert!(!page.contains("Wang Xiaoming"), "{path}");
    }
    let record = world.granary.cooperative(world.coop).unwrap().device(packer).unwrap();
    assert!(record.name.starts_with("erased-") && record.revoked_millis.is_some());
}
