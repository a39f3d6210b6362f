//! The state that all handlers share: phones', console's and automerge-repo's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use granary_client_core::protocol::signing::Channel;
use granary_client_core::schema::CardNumber;
use serde::{Deserialize, Serialize};

use super::gate::Gate;
use super::limiter::Origin;
use super::places::Place;
use super::transfer::Transfers;
use super::unsent::UnsentForms;
use super::web_app::WebApp;
use crate::access::InvitationLink;
use crate::engine::Granary;
use crate::metrics::Metrics;

/// Handles that every handler shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) granary: Arc<Granary>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) transfers: Arc<Transfers>,
    pub(crate) public_address: Arc<PublicAddress>,
    pub(crate) web_app: Arc<WebApp>,
    pub(crate) unsent: Arc<UnsentForms>,
}

/// The key that a request's TLS connection exports, in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exported(pub(crate) Option<Channel>);

/// A place among all connections, in the extensions of its requests. A socket that outlives its request keeps it.
#[derive(Clone)]
pub(crate) struct Occupied {
    pub(crate) place: Arc<Place<Origin>>,
}

impl Occupied {
    pub(crate) fn by(place: Place<Origin>) -> Self {
        Self { place: Arc::new(place) }
    }
}

/// The server's address in invitations.
#[derive(Debug, Clone)]
pub(crate) struct PublicAddress {
    /// Host and port.
    pub(crate) address: String,
    /// SHA-256 of the authority's certificate; empty where phones see one that everybody trusts.
    pub(crate) fingerprint: String,
    /// True while browsers see a certificate that they trust.
    pub(crate) is_trusted: Arc<AtomicBool>,
    /// The plain port for this machine's browser, where there is one.
    pub(crate) plain: Option<SocketAddr>,
}

impl PublicAddress {
    /// The link of an invitation for the phone app.
    pub(crate) fn invitation(&self, code: &str) -> String {
        let (address, fingerprint) = (self.address.clone(), self.fingerprint.clone());
        InvitationLink { address, code: code.to_owned(), fingerprint }.to_string()
    }

    /// True while browsers see a certificate that they trust.
    pub(crate) fn is_trusted_by_browsers(&self) -> bool {
        self.is_trusted.load(Ordering::Relaxed)
    }

    /// Where browsers find the app; none where no browser would keep it.
    fn app(&self) -> Option<String> {
        let host = self.address.strip_suffix(":443").unwrap_or(&self.address);
        self.is_trusted_by_browsers().then(|| format!("https://{host}/app/"))
    }

    /// What a household's card says in its QR: the number alone, in a link that opens the app where there is one, so that a phone's
    /// own camera leads there too.
    pub(crate) fn card(&self, number: CardNumber) -> String {
        match self.app() {
            Some(app) => format!("{app}#/for/{}", number.digits()),
            None => format!("granary-card:{}", number.digits()),
        }
    }

    /// The link of an invitation for a browser; none where no browser would keep the app. The code is behind the `#`, so that
    /// it is in no request and no log.
    pub(crate) fn browser_invitation(&self, code: &str) -> Option<BrowserLink> {
        if let Some(app) = self.app() {
            return Some(BrowserLink { link: format!("{app}#{code}"), is_of_this_machine: false });
        }
        let port = self.plain?.port();
        Some(BrowserLink { link: format!("http://localhost:{port}/app/#{code}"), is_of_this_machine: true })
    }
}

impl BrowserLink {
    /// The address alone, for somebody who types it and the code.
    pub(crate) fn address(&self) -> &str {
        self.link.split('#').next().unwrap_or_default().trim_end_matches('/')
    }
}

/// A link that opens the phone in a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BrowserLink {
    pub(crate) link: String,
    /// True where it works in a browser of the server's own machine alone.
    pub(crate) is_of_this_machine: bool,
}

/// Refusals since the start, by kind, and the metrics.
pub(crate) struct Counts {
    pub(crate) metrics: Metrics,
    pub(crate) refused: std::sync::Mutex<std::collections::BTreeMap<String, u64>>,
}

impl Counts {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, refused: std::sync::Mutex::default() }
    }
}
