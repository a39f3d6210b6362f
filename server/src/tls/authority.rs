//! The server's own authority, which phones pin. It holds for the server's names and no others, so that its key is worth
//! nothing against anybody who trusts it in a browser.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use granary_client_core::quantities::Instant;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SerialNumber, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;

use super::{bad, certified};
use crate::config::{read_file, write_private};
use crate::error::Error;
use crate::said::Said;

/// How long a certificate of the server holds. It is made at each start, and anew while the server runs.
pub(super) const HOLDS: Duration = Duration::from_secs(30 * 86_400);
/// A browser's clock may be this much behind.
const BEFORE: Duration = Duration::from_secs(2 * 86_400);

/// The files of an authority, and the names that it holds for.
#[derive(Debug, Clone)]
pub(super) struct Authority {
    folder: PathBuf,
    names: Vec<String>,
}

impl Authority {
    /// The authority of this folder, which is created when missing.
    pub(super) fn open(folder: &Path, names: &[String]) -> Result<Self, Error> {
        let own = Self { folder: folder.to_owned(), names: names.to_vec() };
        if !own.certificate().exists() {
            own.create()?;
        }
        Ok(own)
    }

    fn certificate(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.join("authority.key")
    }

    fn create(&self) -> Result<(), Error> {
        let key = KeyPair::generate().map_err(bad)?;
        let mut params = CertificateParams::new(Vec::<String>::new()).map_err(bad)?;
        params.distinguished_name.push(DnType::CommonName, "Granary authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.name_constraints = Some(constraints(&self.names));
        let made = params.self_signed(&key).map_err(bad)?;
        write_private(&self.key(), key.serialize_pem().as_bytes())?;
        write_private(&self.certificate(), made.pem().as_bytes())
    }

    /// A new certificate for the server's names with its chain, and the authority's fingerprint. Fails with a sentence for a
    /// name that the authority was not made for.
    pub(super) fn certify(&self, now: Instant) -> Result<(CertifiedKey, String), Error> {
        let pem = String::from_utf8(read_file(&self.certificate())?).map_err(bad)?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(bad)?;
        let key = String::from_utf8(read_file(&self.key())?).map_err(bad)?;
        let issuer = Issuer::from_ca_cert_pem(&pem, KeyPair::from_pem(&key).map_err(bad)?).map_err(bad)?;
        let key = KeyPair::generate().map_err(bad)?;
        let mut params = CertificateParams::new(self.names.clone()).map_err(bad)?;
        params.distinguished_name.push(DnType::CommonName, "Granary server");
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from(crate::environment::random_bytes::<8>()?.to_vec()));
        let since = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        params.not_before = date_time_ymd(1970, 1, 1) + since.saturating_sub(BEFORE);
        params.not_after = date_time_ymd(1970, 1, 1) + since.saturating_add(HOLDS);
        let leaf = params.signed_by(&key, &issuer).map_err(bad)?.der().clone();
        self.must_hold_for_names(&der, &leaf, since)?;
        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(bad)?;
        let fingerprint = crate::environment::hex(digest(&SHA256, &der).as_ref());
        Ok((certified(vec![leaf, der], &private)?, fingerprint))
    }

    fn must_hold_for_names(
        &self,
        own: &CertificateDer<'static>,
        leaf: &CertificateDer<'static>,
        since: Duration,
    ) -> Result<(), Error> {
        let mut roots = RootCertStore::empty();
        roots.add(own.clone()).map_err(bad)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(bad)?;
        for name in &self.names {
            let server = ServerName::try_from(name.as_str()).map_err(bad)?;
            let verified = verifier.verify_server_cert(leaf, &[], &server, &[], UnixTime::since_unix_epoch(since));
            verified.map_err(|error| {
                let (folder, names) = (self.folder.display(), self.names.join(", "));
                let said = Said::new(
                    format!(
                        "the authority in {folder} was not made for all of the names {names}: {error}. Keep to the names \
                         that phones know, or move authority.pem and authority.key away for a new one, with which every \
                         phone enrols anew"
                    ),
                    format!(
                        "{folder} 里的签发机构不是为 {names} 全部建的（{error}）。请用手机认得的名字，或者移走 authority.pem \
                         和 authority.key 另建一个，那样每部手机都要重新加入"
                    ),
                );
                Error::invalid("names", said)
            })?;
        }
        Ok(())
    }
}

/// What lies outside these names the authority can't vouch for.
fn constraints(names: &[String]) -> NameConstraints {
    let subtree = |name: &String| match name.parse::<IpAddr>() {
        Ok(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, bits))
        }
        Err(_) => GeneralSubtree::DnsName(name.clone()),
    };
    let permitted: Vec<GeneralSubtree> = names.iter().map(subtree).collect();
    let has = |kind: fn(&GeneralSubtree) -> bool| permitted.iter().any(kind);
    let mut excluded = Vec::new();
    // Of a kind of which nothing is permitted everything would be.
    if !has(|tree| matches!(tree, GeneralSubtree::IpAddress(_))) {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
    }
    if !has(|tree| matches!(tree, GeneralSubtree::DnsName(_))) {
        excluded.push(GeneralSubtree::DnsName(String::new()));
    }
    NameConstraints { permitted_subtrees: permitted, excluded_subtrees: excluded }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_795_000_000_000);

    fn holds_for(folder: &Path, names: &[&str]) -> Result<(), Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Authority::open(folder, &names)?.certify(NOW).map(drop)
    }

    #[test]
    fn authority_holds_for_its_names_and_no_others() {
        for own in
            [&["granary.example.org"][..], &["192.0.2.7"], &["::1", "granary.example.org"], &["localhost", "127.0.0.1"]]
        {
            let folder = tempfile::tempdir().unwrap();
            holds_for(folder.path(), own).unwrap();
            holds_for(folder.path(), own).unwrap();
            for other in ["example.com", "notgranary.example.org", "192.0.2.8", "2001:db8::1"] {
                let error = holds_for(folder.path(), &[own, &[other]].concat()).unwrap_err();
                assert!(error.to_string().contains("was not made for"), "{own:?} {other}: {error}");
            }
        }
    }

    #[test]
    fn certificate_is_short_lived_and_the_authority_stays() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path(), &["granary.example.org".to_owned()]).unwrap();
        let (first, fingerprint) = authority.certify(NOW).unwrap();
        let (second, again) = authority.certify(NOW).unwrap();
        assert_eq!(fingerprint, again);
        assert_ne!(first.cert[0], second.cert[0]);
        let mut roots = RootCertStore::empty();
        roots.add(first.cert[1].clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let on = |days: i64| {
            let at = UnixTime::since_unix_epoch(Duration::from_millis((NOW.0 + days * 86_400_000).try_into().unwrap()));
            let name = ServerName::try_from("granary.example.org").unwrap();
            verifier.verify_server_cert(&first.cert[0], &[], &name, &[], at).is_ok()
        };
        assert_eq!([-3, -1, 0, 29, 31].map(on), [false, true, true, true, false]);
    }
}
