//! The console's ways in, asked as a browser asks, without sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, header};
use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, household};
use granary_client_core::store::MemoryStore;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::access::accounts::SignIn;
use crate::access::{Denied, InvitationState, Principal};
use crate::config::Limits;
use crate::engine::own_edits::Edits;
use crate::engine::{Granary, Removal};
use crate::error::Error;
use crate::http::{Counts, Gate, PublicAddress, Shared, Transfers, WebApp};
use crate::log::CooperativeNumber;
use crate::metrics::Metrics;

mod accounts;
mod activity;
mod api_keys;
mod catalogue;
mod deciding;
mod details;
mod endings;
mod exchanged;
mod files;
mod forms;
mod frame;
mod household_page;
mod households;
mod invitations;
mod names;
mod order_files;
mod orders;
mod page;
mod phones;
mod questions;
mod receivers;
mod recorders;
mod refused;
mod sign_in;
mod skus;
mod stock;
mod streams;
mod told_order;
mod undoing;
mod unsent;
mod unusual;
mod weighings;

pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) struct World {
    pub(super) granary: Arc<Granary>,
    pub(super) coop: CooperativeNumber,
    /// True while browsers trust the server's certificate.
    is_trusted: Arc<AtomicBool>,
    router: Router,
    _folder: tempfile::TempDir,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) to: String,
    pub(super) cookie: Option<String>,
    pub(super) page: String,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fail = |fault| panic!("{fault}");
        let lists = folder.path().join("lists");
        let store = Arc::new(MemoryStore::default());
        let granary = Arc::new(Granary::open(store, folder.path(), Some(&lists), fail).unwrap());
        let coop = granary.create_cooperative("Linxian", crate::environment::now()).unwrap();
        let is_trusted = Arc::<AtomicBool>::default();
        let limits = Limits { sign_in_burst: 1_000, ..Limits::default() };
        let shared = Shared {
            granary: Arc::clone(&granary),
            gate: Arc::new(Gate::new(limits)),
            counts: Arc::new(Counts::new(Metrics::new(folder.path(), granary.flushes()))),
            transfers: Arc::new(Transfers::default()),
            unsent: Arc::default(),
            public_address: Arc::new(PublicAddress {
                address: "g.example".into(),
                fingerprint: String::new(),
                is_trusted: Arc::clone(&is_trusted),
                plain: None,
            }),
            web_app: Arc::new(WebApp::of(None)),
        };
        Self { granary, coop, is_trusted, router: super::router().with_state(shared), _folder: folder }
    }

    pub(super) fn now() -> Instant {
        crate::environment::now()
    }

    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "g.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let request = request.extension(ConnectInfo(peer)).body(body.into()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let text = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let cookie = text(header::SET_COOKIE).map(|cookie| cookie.split(';').next().unwrap().to_owned());
        let (status, to) = (answer.status().as_u16(), text(header::LOCATION).unwrap_or_default());
        let page = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, to, cookie, page: String::from_utf8_lossy(&page).into_owned() }
    }

    pub(super) async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask(Method::GET, path, &[("cookie", cookie), ("accept-language", "en")], String::new()).await
    }

    /// Posts a form with the token of the session in it.
    pub(super) async fn post(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let token = cookie.split_once('=').and_then(|(_, token)| self.granary.session(token, Self::now()).unwrap());
        let token = token.map(|session| super::form_token::masked(&session.csrf).unwrap()).unwrap_or_default();
        self.ask(Method::POST, path, &[("cookie", cookie)], format!("token={token}&{form}")).await
    }

    /// Signs in by password; gives the cookie.
    pub(super) async fn sign_in(&self, login: &str, password: &str) -> Option<String> {
        let form = format!("coop={}&login={login}&password={}", self.coop.0, password.replace(' ', "+"));
        self.ask(Method::POST, "/console/sign-in", &[], form).await.cookie
    }

    pub(super) fn coordinator(&self, login: &str) -> DeviceId {
        self.granary.set_coordinator(self.coop, login, login, PASSWORD, Self::now()).unwrap();
        self.granary.coordinator_device(self.coop, login).unwrap()
    }

    /// Removes a coordinator, the last one too.
    fn remove(&self, by: Principal, login: &str) -> Result<(), Error> {
        let how = Removal { even_the_last: true, ..Removal::default() };
        self.granary.remove_coordinator(by, self.coop, login, how, Self::now())
    }

    fn once(&self, login: &str) -> String {
        format!("/console/once/{}", self.granary.sign_in_once(self.coop, login, Self::now()).unwrap())
    }

    fn enrol(&self, code: &str, seed: u8) -> Result<(DeviceId, Vec<u8>), Error> {
        let public_key = [seed; 32];
        let request = EnrolRequest { code: code.to_owned(), public_key, name: "phone".into() };
        let reply = self.granary.enrol(&request, Self::now())?;
        Ok((DeviceId::of_public_key(&public_key), reply.certificate))
    }

    fn is_active(&self, device: DeviceId) -> bool {
        self.granary.cooperative(self.coop).unwrap().device(device).unwrap().revoked_millis.is_none()
    }
}

/// The code on a page with an invitation.
fn code_on(page: &str) -> String {
    let link = page.split("granary://").nth(1).unwrap().split('<').next().unwrap();
    link.split('/').nth(1).unwrap().to_owned()
}

fn session_token(cookie: &str) -> String {
    cookie.split_once('=').unwrap().1.to_owned()
}

#[tokio::test]
async fn invitations_are_listed_and_withdrawn() {
    let world = World::new();
    world.coordinator("zhang");
    let zhang = world.sign_in("zhang", PASSWORD).await.unwrap();
    let code = code_on(&world.post("/console/phones/invite", &zhang, "role=packer").await.page);
    let lines = world.granary.invitations(world.coop, World::now()).unwrap();
    assert_eq!((lines.len(), lines[0].by.as_str(), lines[0].state), (1, "zhang", InvitationState::Open));
    let page = world.get("/console/invitations", &zhang).await.page;
    assert!(page.contains(&lines[0].id) && page.contains("Withdraw") && !page.contains(&code), "{page}");
    let withdrawn = world.post("/console/invitations/withdraw", &zhang, &format!("invitation={}", lines[0].id)).await;
    assert_eq!(withdrawn.status, 303);
    assert!(world.enrol(&code, 1).unwrap_err().to_string().contains("withdrawn"));
    let operators = world.granary.invite(world.coop, Role::Packer, 1, World::now()).unwrap().code;
    world.granary.withdraw_invitation(Principal::Operator, world.coop, &operators, World::now()).unwrap();
    assert!(world.enrol(&operators, 1).is_err(), "withdrawn by its code");
    let used = world.granary.invite(world.coop, Role::Packer, 1, World::now()).unwrap().code;
    world.enrol(&used, 1).unwrap();
    assert!(world.granary.withdraw_invitation(Principal::Operator, world.coop, &used, World::now()).is_err());
    let lines = world.granary.invitations(world.coop, World::now()).unwrap();
    let states: Vec<_> = lines.iter().map(|line| line.state).collect();
    assert_eq!(states.iter().filter(|state| **state == InvitationState::Withdrawn).count(), 2, "{lines:?}");
    assert!(lines.iter().any(|line| line.used.is_some() && line.by == "operator"), "{lines:?}");
}

/// The weight that the lot's form has.
fn weight_in_form(page: &str) -> String {
    let input = page.split("name=\"grams\"").nth(1).unwrap();
    input.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

// In 3 of 18 saves the page after a reply showed the old value in its form, and a second click wrote it over the new one.
#[expect(
    clippy::await_holding_lock,
    reason = "the lock holds up another thread, on purpose, while pages are asked for"
)]
#[tokio::test(flavor = "multi_thread")]
async fn page_after_a_save_shows_it_or_says_that_it_is_behind() {
    use crate::log::throttle::BackgroundWork;
    use granary_client_core::schema::harvest::{LotDraft, lots, record};
    use granary_client_core::schema::{Book, LotId, Season};
    for delayed in [BackgroundWork::Admission, BackgroundWork::ReadModels] {
        let world = World::new();
        world.coordinator("zhang");
        let cookie = world.sign_in("zhang", PASSWORD).await.unwrap();
        let key = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([7; 16]), Season::new(2026).unwrap()));
        let grams = granary_client_core::quantities::Grams::new(12_500).unwrap();
        let draft = LotDraft::new("millet", grams, "2026-10-03".parse().unwrap());
        world.granary.edit(world.coop, &key, World::now(), move |doc| record(doc, &draft).map(drop)).unwrap();
        let book = world.granary.document(world.coop, &key).unwrap().unwrap();
        let lot = LotId::in_book(&key, lots(&book)[0].key.clone()).unwrap();
        let path = format!("/console/lots/{lot}");
        while world.granary.read_models_behind(world.coop).unwrap() > 0 {
            std::thread::yield_now();
        }

        let throttle = world.granary.throttle().clone();
        let held = throttle.held[delayed as usize].lock().unwrap();
        let form = |grams: &str| format!("product=millet&grams={grams}&day=2026-10-03");
        let saved = world.post(&format!("{path}/correct"), &cookie, &form("13.5")).await;
        assert_eq!(saved.status, 303, "{}", saved.page);
        let page = world.get(&path, &cookie).await.page;
        assert!(page.contains("may be behind"), "{delayed:?}: {page}");
        let main = page.split("<main").nth(1).unwrap();
        let (before, _) = main.split_once("<form").unwrap();
        assert!(before.contains("<fieldset class=\"behind\" disabled>"), "no form can be sent: {main}");

        drop(held);
        let page = world.get(&path, &cookie).await.page;
        assert!(!page.contains("may be behind") && !page.contains("disabled"), "{delayed:?}");
        assert_eq!(weight_in_form(&page), "13.5", "{delayed:?}");
        // Another edit follows, under an actor of its own where the first one was admitted late.
        world.post(&format!("{path}/correct"), &cookie, &form("14")).await;
        assert_eq!(weight_in_form(&world.get(&path, &cookie).await.page), "14", "{delayed:?}");
    }
}
