//! Serves TLS with HTTP/1.1 and HTTP/2 within limits. At a stop it accepts nothing new and finishes the requests in
//! progress.

mod listening;
mod tasks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use granary_client_core::store::{Store, StoreFault};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use self::listening::{accept, bind};
use self::tasks::{drop_what_is_due, end_all, note, renew, trade, write_notes};
use crate::access::end_all_issued;
use crate::config::{Config, make_folder, warn_of_open_files};
use crate::connection::Service;
use crate::engine::Granary;
use crate::error::Error;
use crate::http::{self, Counts, Gate, Places, PublicAddress, Shared, Transfers, WebApp};
use crate::imports::Profiles;
use crate::log::check::{check, read_marks};
use crate::log::mark_restored;
use crate::metrics::Metrics;
use crate::store::free_disk::probe_of;
use crate::store::probe::unusable;
use crate::store::{SledStore, anew};
use crate::{admin, api, console, hooks, interop, tls};

/// The time for requests in progress at a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The wait for a store that another server has, and the interval at which it is tried.
const FREE_WAIT: Duration = Duration::from_secs(3);
const FREE_LOOK: Duration = Duration::from_millis(50);
/// The interval at which a stop looks whether the store is free.
const LET_GO_LOOK: Duration = Duration::from_millis(5);

/// A running server.
pub struct Server {
    granary: Arc<Granary>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    certificates: Arc<tls::Certificates>,
    public_address: Arc<PublicAddress>,
    has_web_app: bool,
    stop: Vec<oneshot::Sender<()>>,
    done: tokio::task::JoinHandle<()>,
}

/// Opens the store of the folder and serves it. On an error of the store `on_fault` is called, and
/// nothing more is acknowledged.
pub async fn start(config: Config, on_fault: impl Fn(StoreFault) + Send + Sync + 'static) -> Result<Server, Error> {
    let config = config.checked()?;
    make_folder(&config.folder)?;
    warn_of_open_files(&config.folder);
    let certificates = tls::open(
        &config.folder,
        &config.names,
        config.own_certificate.as_ref(),
        config.acme.is_some(),
        crate::environment::now(),
    )?;
    let certificates = Arc::new(certificates);
    let store: Arc<dyn Store> =
        Arc::new(open_when_free(&config).await.map_err(|fault| unusable(&config.store_folder(), fault))?);
    for finding in check(store.as_ref(), &read_marks(&config.high_water()))? {
        tracing::warn!("{finding}");
        if finding.is_recoverable() {
            let open = end_all_issued(store.as_ref(), crate::environment::now().0)?;
            mark_restored(store.as_ref(), crate::environment::now().0)?;
            tracing::warn!(open, "this store is older than its marks; open invitations, sessions and links are void");
        }
    }
    let granary = Granary::open(store, &config.folder, Some(&config.folder.join("lists")), on_fault)?;
    let granary = Arc::new(granary.bounded(config.bounds, probe_of(config.store_folder())));
    let profiles = Profiles::with_folder(&config.folder.join("profiles"));
    for (file, fault) in profiles.faults() {
        tracing::warn!(file, %fault, "a platform's profile can't be used");
    }
    granary.set_order_profiles(profiles);
    let (listener, address) = bind(config.listen)?;
    let monitoring = match config.metrics_listen {
        Some(address) => Some(bind(address)?),
        None => None,
    };
    let plain = match config.app_listen {
        Some(address) => Some(bind(address)?),
        None => None,
    };
    let plain_address = plain.as_ref().map(|(_, address)| *address);
    // Behind a proxy phones see its certificate, which everybody trusts.
    let fingerprint = if config.proxies.is_empty() { certificates.fingerprint.clone() } else { String::new() };
    let shared = Shared {
        granary: Arc::clone(&granary),
        gate: Arc::new(Gate::new(config.limits)),
        counts: Arc::new(Counts::new(Metrics::new(&config.store_folder(), granary.flushes()))),
        transfers: Arc::new(Transfers::default()),
        unsent: Arc::default(),
        public_address: Arc::new(PublicAddress {
            address: config.public_address(address),
            is_trusted: Arc::new(AtomicBool::new(fingerprint.is_empty())),
            fingerprint,
            plain: plain_address,
        }),
        web_app: Arc::new(WebApp::of(config.app_folder.as_deref())),
    };
    if config.acme.is_none() {
        say_how_browsers_get_the_app(&shared);
    }
    granary.set_webhook_networks(config.webhook_networks.clone());
    let hooks = hooks::start(Arc::clone(&granary), Arc::clone(&shared.counts))?;
    let operator =
        admin::listen(&config, Arc::clone(&granary), Arc::clone(&shared.gate), Arc::clone(&shared.public_address))?;
    let metrics_address = monitoring.as_ref().map(|(_, address)| *address);
    let monitor = monitoring.map(|(listener, _)| tokio::spawn(monitor(listener, shared.clone())));
    let ((stop, stopped), (stop_plain, plain_stopped)) = (oneshot::channel(), oneshot::channel());
    let (public_address, has_web_app) = (Arc::clone(&shared.public_address), shared.web_app.is_there());
    let transfers = Arc::clone(&shared.transfers);
    let service = Service {
        limits: config.limits,
        proxies: Arc::new(config.proxies.clone()),
        coming: Places::new(config.limits.coming_per_address, config.limits.coming),
        acceptor: Some(TlsAcceptor::from(Arc::clone(&certificates.tls))),
        router: router(shared.clone()),
    };
    let plain_service = Service {
        proxies: Arc::default(),
        acceptor: None,
        router: http::plain_router().fallback(http::not_found).with_state(shared),
        ..service.clone()
    };
    let renewing = tokio::spawn(renew(Arc::clone(&certificates)));
    let getting = config.acme.clone().map(|acme| {
        let (folder, certificates) = (config.folder.clone(), Arc::clone(&certificates));
        let is_trusted = Arc::clone(&public_address.is_trusted);
        tokio::spawn(tls::acme::Renewal { acme, folder, certificates, is_trusted }.keep())
    });
    let notes = note(Arc::clone(&granary), transfers, config.high_water(), config.audit_days);
    let noting = tokio::spawn(notes);
    let dropping = tokio::spawn(drop_what_is_due(Arc::clone(&granary)));
    let trading = tokio::spawn(trade(Arc::clone(&granary)));
    let (at_the_end, high_water) = (Arc::clone(&granary), config.high_water());
    let done = tokio::spawn(async move {
        let plain = async {
            if let Some((listener, _)) = plain {
                accept(listener, plain_service, plain_stopped).await;
            }
        };
        tokio::join!(accept(listener, service, stopped), plain);
        let others = [operator, noting, renewing, dropping, trading, hooks].into_iter().chain(monitor).chain(getting);
        end_all(others.collect()).await;
        write_notes(at_the_end, high_water).await;
    });
    tracing::info!(%address, "serving");
    let stop = vec![stop, stop_plain];
    Ok(Server { granary, address, metrics_address, certificates, public_address, has_web_app, stop, done })
}

/// Opens the store; one that a server is just letting go of is waited for.
async fn open_when_free(config: &Config) -> Result<SledStore, StoreFault> {
    let until = tokio::time::Instant::now() + FREE_WAIT;
    loop {
        match anew::open(&config.store_folder()) {
            Err(StoreFault::InUse) if tokio::time::Instant::now() < until => tokio::time::sleep(FREE_LOOK).await,
            opened => return opened,
        }
    }
}

fn say_how_browsers_get_the_app(shared: &Shared) {
    if !shared.web_app.is_there() {
        tracing::info!("this program was built without the phone in the browser (web/dist was empty)");
    } else if !shared.public_address.is_trusted_by_browsers() {
        tracing::info!(
            "the phone in the browser (/app/) needs a certificate that browsers trust: --acme, --certificate or a proxy; see \
             docs/OPERATIONS.md"
        );
    }
}

/// Serves the metrics until aborted.
async fn monitor(listener: TcpListener, shared: Shared) {
    if let Err(error) = axum::serve(listener, http::monitor_router().with_state(shared)).await {
        tracing::warn!(%error, "the metrics are served no more");
    }
}

impl Server {
    /// Its domain.
    pub fn granary(&self) -> &Arc<Granary> {
        &self.granary
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of its metrics, when they are served.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// SHA-256 of the authority's certificate, for phones to pin; empty where they see one that everybody trusts.
    pub fn fingerprint(&self) -> &str {
        &self.public_address.fingerprint
    }

    /// Reloads the certificate; false when the server uses its own authority.
    pub fn reload_certificate(&self) -> Result<bool, Error> {
        self.certificates.reload()
    }

    /// Host and port for invitations.
    pub fn public_address(&self) -> &str {
        &self.public_address.address
    }

    /// The address of the plain port for this machine's browser, where there is one.
    pub fn app_address(&self) -> Option<SocketAddr> {
        self.public_address.plain
    }

    /// True where the program holds the phone in the browser.
    pub fn has_web_app(&self) -> bool {
        self.has_web_app
    }

    /// The link that opens the phone in a browser and enrols it by this code; none where no browser would keep it.
    pub fn browser_invitation(&self, code: &str) -> Option<String> {
        self.public_address.browser_invitation(code).map(|link| link.link)
    }

    /// Finishes the requests in progress and stops. When it returns, nobody of this server has the store any more: another
    /// one can open it.
    pub async fn stop(self) {
        for stop in self.stop {
            let _ = stop.send(());
        }
        let _ = self.done.await;
        // What serves a connection lets go of it a moment after its last answer; a page's line for news may take longer.
        let let_go = async {
            while Arc::strong_count(&self.granary) > 1 {
                tokio::time::sleep(LET_GO_LOOK).await;
            }
        };
        if tokio::time::timeout(STOP_TIMEOUT, let_go).await.is_err() {
            tracing::warn!("something of this server still has its store at the stop");
        }
    }
}

/// All routes, which share one port.
fn router(shared: Shared) -> Router {
    http::router()
        .route("/automerge", get(interop::connect))
        .fallback(http::not_found)
        .merge(http::web_app_router())
        .merge(console::router())
        .merge(api::router(&shared))
        .with_state(shared)
}
