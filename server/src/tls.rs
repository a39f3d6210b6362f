//! The server's certificates: an authority of its own, which phones pin, and a certificate of it for the server's
//! names. TLS 1.3 only, with session resumption.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use granary_client_core::protocol::signing::DIRECT;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use ring::digest::{SHA256, digest};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::config::{OwnCertificate, read_file, write_private};
use crate::error::Error;

/// The TLS configuration and the fingerprint that phones pin.
pub(crate) struct Certificates {
    pub(crate) tls: Arc<ServerConfig>,
    /// SHA-256 of the authority's certificate, in hexadecimal; empty for a publicly trusted certificate.
    pub(crate) fingerprint: String,
    shown: Arc<Shown>,
    own: Option<OwnCertificate>,
}

/// The certificate for new connections; reloading replaces it.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn bad(error: impl std::fmt::Display) -> Error {
    Error::Certificate(error.to_string())
}

/// Reads the configured certificate, or that of this folder's authority, which is created when missing.
pub(crate) fn open(folder: &Path, names: &[String], own: Option<&OwnCertificate>) -> Result<Certificates, Error> {
    let (certified, fingerprint) = match own {
        Some(own) => (read_own(own)?, String::new()),
        None => of_own_authority(folder, names)?,
    };
    let shown = Arc::new(Shown(RwLock::new(Arc::new(certified))));
    let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(bad)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
    // A record is lost whole when the line breaks in it, so records are no longer than a packet.
    tls.max_fragment_size = Some(1_400);
    // A phone's own name first: it tells by the answer that nobody ends its connection before the server.
    tls.alpn_protocols = [DIRECT, b"h2", b"http/1.1"].map(<[u8]>::to_vec).into();
    // Stateless tickets: a phone resumes its session without state on the server.
    tls.ticketer = rustls::crypto::ring::Ticketer::new().map_err(bad)?;
    tls.send_tls13_tickets = 1;
    Ok(Certificates { tls: Arc::new(tls), fingerprint, shown, own: own.cloned() })
}

impl Certificates {
    /// Reloads the configured certificate, as after a renewal; false when none is configured. On an error the present
    /// one stays in use.
    pub(crate) fn reload(&self) -> Result<bool, Error> {
        let Some(own) = &self.own else { return Ok(false) };
        let certified = read_own(own)?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
        Ok(true)
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

/// A certificate by this folder's authority, which is created when missing.
fn of_own_authority(folder: &Path, names: &[String]) -> Result<(CertifiedKey, String), Error> {
    let (authority, authority_key) = (folder.join("authority.pem"), folder.join("authority.key"));
    if !authority.exists() {
        make_authority(&authority, &authority_key)?;
    }
    let authority_pem = String::from_utf8(read_file(&authority)?).map_err(bad)?;
    let authority_der = CertificateDer::from_pem_slice(authority_pem.as_bytes()).map_err(bad)?;
    // The server's certificate is created at each start and lives as long as the process.
    let key_text = String::from_utf8(read_file(&authority_key)?).map_err(bad)?;
    let issuer = Issuer::from_ca_cert_pem(&authority_pem, KeyPair::from_pem(&key_text).map_err(bad)?).map_err(bad)?;
    let key = KeyPair::generate().map_err(bad)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(bad)?;
    params.distinguished_name.push(DnType::CommonName, "Granary server");
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer).map_err(bad)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(bad)?;
    let fingerprint = crate::environment::hex(digest(&SHA256, &authority_der).as_ref());
    Ok((certified(vec![certificate.der().clone(), authority_der], &private)?, fingerprint))
}

fn make_authority(certificate: &Path, key_path: &Path) -> Result<(), Error> {
    let key = KeyPair::generate().map_err(bad)?;
    let mut params = CertificateParams::new(Vec::<String>::new()).map_err(bad)?;
    params.distinguished_name.push(DnType::CommonName, "Granary authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let made = params.self_signed(&key).map_err(bad)?;
    write_private(key_path, key.serialize_pem().as_bytes())?;
    write_private(certificate, made.pem().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renew(own: &OwnCertificate, name: &str) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        std::fs::write(&own.chain, certificate.pem()).unwrap();
        std::fs::write(&own.key, key.serialize_pem()).unwrap();
    }

    fn shown(certificates: &Certificates) -> Vec<u8> {
        certificates.shown.0.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn reload_uses_renewed_certificate_and_refuses_mismatched_key() {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnCertificate { chain: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
        renew(&own, "granary.example");
        let certificates = open(folder.path(), &[], Some(&own)).unwrap();
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
