//! `/v1`, asked as a shop's program asks, without sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request};
use granary_client_core::store::{MemoryStore, Store};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::access::Principal;
use crate::access::api_keys::{KeyDraft, KeyId, Scope};
use crate::config::{Limits, Networks};
use crate::engine::Granary;
use crate::http::{Counts, Gate, PublicAddress, Shared, Transfers, WebApp};
use crate::log::CooperativeNumber;
use crate::metrics::Metrics;

mod holds;
mod imports;
mod keys;
mod orders;
mod stock;
mod webhooks;

pub(super) struct World {
    pub(super) granary: Arc<Granary>,
    pub(super) coop: CooperativeNumber,
    pub(super) shared: Shared,
    router: Router,
    store: Arc<MemoryStore>,
    folder: tempfile::TempDir,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The name of the problem that it tells.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let told = self.json();
        assert_eq!(told["status"], self.status);
        told["type"].as_str().unwrap().strip_prefix("/v1/docs#").unwrap().to_owned()
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Self {
        let (folder, store) = (tempfile::tempdir().unwrap(), Arc::new(MemoryStore::default()));
        Self::open(limits, folder, store, None)
    }

    /// The same after the server's process ended and began again.
    pub(super) fn restarted(self) -> Self {
        let Self { coop, store, folder, granary, shared, router } = self;
        drop((granary, shared, router));
        Self::open(Limits::default(), folder, store, Some(coop))
    }

    fn open(
        limits: Limits,
        folder: tempfile::TempDir,
        store: Arc<MemoryStore>,
        coop: Option<CooperativeNumber>,
    ) -> Self {
        let (fail, lists) = (|fault| panic!("{fault}"), folder.path().join("lists"));
        let kept: Arc<dyn Store> = Arc::<MemoryStore>::clone(&store);
        let granary = Arc::new(Granary::open(kept, folder.path(), Some(&lists), fail).unwrap());
        // Receivers of tests are on this machine.
        granary.set_webhook_networks(Networks::of("webhook-networks", &["127.0.0.0/8".to_owned()]).unwrap());
        let create = || granary.create_cooperative("Linxian", crate::environment::now()).unwrap();
        let coop = coop.unwrap_or_else(create);
        let shared = Shared {
            granary: Arc::clone(&granary),
            gate: Arc::new(Gate::new(limits)),
            counts: Arc::new(Counts::new(Metrics::new(folder.path(), granary.flushes()))),
            transfers: Arc::new(Transfers::default()),
            unsent: Arc::default(),
            public_address: Arc::new(PublicAddress {
                address: "g.example".into(),
                fingerprint: String::new(),
                is_trusted: Arc::<AtomicBool>::default(),
                plain: None,
            }),
            web_app: Arc::new(WebApp::of(None)),
        };
        let router = crate::api::router(&shared).with_state(shared.clone());
        Self { granary, coop, shared, router, store, folder }
    }

    /// A key of this shop of douyin with these scopes.
    pub(super) fn key(&self, shop: &str, scopes: &[Scope]) -> (KeyId, String) {
        self.key_of(self.coop, shop, scopes)
    }

    pub(super) fn key_of(&self, coop: CooperativeNumber, shop: &str, scopes: &[Scope]) -> (KeyId, String) {
        self.key_for(coop, "douyin", shop, scopes)
    }

    pub(super) fn key_for(
        &self,
        coop: CooperativeNumber,
        platform: &str,
        shop: &str,
        scopes: &[Scope],
    ) -> (KeyId, String) {
        let draft = KeyDraft {
            name: "bridge".into(),
            platform: platform.into(),
            shop: shop.into(),
            scopes: scopes.iter().copied().collect(),
        };
        self.granary.add_api_key(Principal::Operator, coop, draft, crate::environment::now()).unwrap()
    }

    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "g.example");
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1)))).body(body.into()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status, headers, text }
    }

    pub(super) async fn get(&self, path: &str, key: &str) -> Answer {
        self.ask(Method::GET, path, key, &[], Body::empty()).await
    }
}
