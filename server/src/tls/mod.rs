//! The server's certificates: configured ones, or those of an authority of its own, which phones pin; beside it, one that browsers
//! trust, where it is got by itself. TLS 1.3 only, with session resumption.

pub(crate) mod acme;
mod authority;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use granary_client_core::protocol::signing::DIRECT;
use granary_client_core::quantities::Instant;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use acme::Public;
use authority::Authority;

use crate::config::{OwnCertificate, read_file};
use crate::connection::LOOKED_AT;
use crate::error::Error;

/// The interval at which the server's own authority makes a new certificate, well before the last one is over.
pub(crate) const RENEW_EVERY: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);

/// The TLS configuration and the fingerprint that phones pin.
pub(crate) struct Certificates {
    pub(crate) tls: Arc<ServerConfig>,
    /// SHA-256 of the authority's certificate, in hexadecimal; empty for a publicly trusted certificate.
    pub(crate) fingerprint: String,
    shown: Arc<Shown>,
    source: Source,
}

/// Where certificates come from.
#[derive(Debug, Clone)]
enum Source {
    Files(OwnCertificate),
    Authority(Authority),
}

/// The certificates for new connections; reloading and renewing replace them.
#[derive(Debug)]
struct Shown {
    /// The configured one, or that of the server's own authority.
    own: RwLock<Arc<CertifiedKey>>,
    /// One that browsers trust, where it is got by itself.
    public: RwLock<Option<Public>>,
    /// What a public authority is shown, by name, while it looks.
    challenges: RwLock<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl Shown {
    fn challenge(&self, name: String, certificate: Arc<CertifiedKey>) {
        self.challenges.write().unwrap_or_else(PoisonError::into_inner).insert(name, certificate);
    }

    fn end_challenges(&self) {
        self.challenges.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Phones speak a protocol of their own and pin the server's authority; all others see the public certificate, where it is
    /// for the name that they ask for.
    fn pick(&self, name: Option<&str>, is_phone: bool, is_looking: bool) -> Option<Arc<CertifiedKey>> {
        if is_looking {
            let challenges = self.challenges.read().unwrap_or_else(PoisonError::into_inner);
            return challenges.get(&name?.to_ascii_lowercase()).cloned();
        }
        let public = self.public.read().unwrap_or_else(PoisonError::into_inner);
        let public = public.as_ref().filter(|public| !is_phone && name.is_some_and(|name| public.fits(name)));
        match public {
            Some(public) => Some(Arc::clone(&public.key)),
            None => Some(Arc::clone(&self.own.read().unwrap_or_else(PoisonError::into_inner))),
        }
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let offers = |protocol: &[u8]| hello.alpn().is_some_and(|mut all| all.any(|one| one == protocol));
        self.pick(hello.server_name(), offers(DIRECT), offers(LOOKED_AT))
    }
}

fn bad(error: impl std::fmt::Display) -> Error {
    Error::Certificate(error.to_string())
}

/// Reads the configured certificate, or that of this folder's authority, which is created when missing; and where a public one is
/// got by itself, the last one.
pub(crate) fn open(
    folder: &Path,
    names: &[String],
    own: Option<&OwnCertificate>,
    gets_public: bool,
    now: Instant,
) -> Result<Certificates, Error> {
    let source = match own {
        Some(own) => Source::Files(own.clone()),
        None => Source::Authority(Authority::open(folder, names)?),
    };
    let (certified, fingerprint) = match &source {
        Source::Files(own) => (read_own(own)?, String::new()),
        Source::Authority(authority) => authority.certify(now)?,
    };
    let public = if gets_public { acme::read(folder) } else { None };
    let shown = Arc::new(Shown {
        own: RwLock::new(Arc::new(certified)),
        public: RwLock::new(public),
        challenges: RwLock::default(),
    });
    let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(bad)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
    // A record is lost whole when the line breaks in it, so records are no longer than a packet.
    tls.max_fragment_size = Some(1_400);
    // A phone's own name first: it tells by the answer that nobody ends its connection before the server.
    tls.alpn_protocols = [DIRECT, b"h2", b"http/1.1"].map(<[u8]>::to_vec).into();
    if gets_public {
        tls.alpn_protocols.push(LOOKED_AT.to_vec());
    }
    // Stateless tickets: a phone resumes its session without state on the server.
    tls.ticketer = rustls::crypto::ring::Ticketer::new().map_err(bad)?;
    tls.send_tls13_tickets = 1;
    Ok(Certificates { tls: Arc::new(tls), fingerprint, shown, source })
}

impl Certificates {
    /// Reloads the configured certificate, as after a renewal; false when none is configured. On an error the present
    /// one stays in use.
    pub(crate) fn reload(&self) -> Result<bool, Error> {
        let Source::Files(own) = &self.source else { return Ok(false) };
        self.show(read_own(own)?);
        Ok(true)
    }

    /// Makes a new certificate by the server's own authority; a configured one stays. Connections stay too.
    pub(crate) fn renew(&self, now: Instant) -> Result<(), Error> {
        let Source::Authority(authority) = &self.source else { return Ok(()) };
        self.show(authority.certify(now)?.0);
        Ok(())
    }

    fn show(&self, certified: CertifiedKey) {
        *self.shown.own.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
    }

    /// The public certificate, where there is one for all of these names.
    fn public(&self, names: &[String]) -> Option<Public> {
        let public = self.shown.public.read().unwrap_or_else(PoisonError::into_inner);
        public.clone().filter(|public| names.iter().all(|name| public.fits(name)))
    }

    /// Shows a new public certificate from now on.
    fn show_public(&self, public: Public) {
        *self.shown.public.write().unwrap_or_else(PoisonError::into_inner) = Some(public);
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'_>) -> Result<CertifiedKey, Error> {
    let key = rustls::crypto::ring::sign::any_supported_type(key).map_err(bad)?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(bad)?;
    Ok(certified)
}

fn read_own(own: &OwnCertificate) -> Result<CertifiedKey, Error> {
    let chain = CertificateDer::pem_slice_iter(&read_file(&own.chain)?).collect::<Result<Vec<_>, _>>().map_err(bad)?;
    let key = PrivateKeyDer::from_pem_slice(&read_file(&own.key)?).map_err(bad)?;
    certified(chain, &key)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn renew(own: &OwnCertificate, name: &str) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        std::fs::write(&own.chain, certificate.pem()).unwrap();
        std::fs::write(&own.key, key.serialize_pem()).unwrap();
    }

    fn shown(certificates: &Certificates) -> Vec<u8> {
        certificates.shown.own.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn reload_uses_renewed_certificate_and_refuses_mismatched_key() {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnCertificate { chain: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
        renew(&own, "granary.example");
        let certificates = open(folder.path(), &[], Some(&own), false, Instant(0)).unwrap();
        let first = shown(&certificates);
        renew(&own, "granary.example");
        assert!(certificates.reload().unwrap());
        let second = shown(&certificates);
        assert_ne!(first, second);
        std::fs::write(&own.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert!(certificates.reload().is_err());
        assert_eq!(shown(&certificates), second, "the one before goes on");
    }
}
