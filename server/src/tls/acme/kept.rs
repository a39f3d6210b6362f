//! The public certificate in the server's folder: one file with its key and its chain, so that they always fit.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use granary_client_core::quantities::Instant;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;

use super::super::{bad, certified};
use crate::config::{read_file, write_private};
use crate::error::Error;

const FILE: &str = "acme-certificate.pem";

/// A certificate that browsers trust, and for how long.
#[derive(Debug, Clone)]
pub(in super::super) struct Public {
    pub(in super::super) key: Arc<CertifiedKey>,
    pub(in super::super) names: BTreeSet<String>,
    pub(super) from: Instant,
    pub(super) until: Instant,
}

impl Public {
    fn of_pem(pem: &[u8]) -> Result<Self, Error> {
        let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(bad)?;
        let leaf = chain.first().ok_or_else(|| bad("there is no certificate in it"))?.clone();
        let (_, parsed) = x509_parser::parse_x509_certificate(&leaf).map_err(bad)?;
        let at = |seconds: i64| Instant(seconds.saturating_mul(1_000));
        let validity = parsed.validity();
        let alternatives = parsed.subject_alternative_name().map_err(bad)?;
        let names = alternatives.iter().flat_map(|found| &found.value.general_names).filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        Ok(Self {
            names: names.collect(),
            from: at(validity.not_before.timestamp()),
            until: at(validity.not_after.timestamp()),
            key: Arc::new(certified(chain, &PrivateKeyDer::from_pem_slice(pem).map_err(bad)?)?),
        })
    }

    pub(super) fn holds_at(&self, now: Instant) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// True for a name that it was made for, as a browser says it.
    pub(in super::super) fn fits(&self, name: &str) -> bool {
        self.names.contains(&name.to_ascii_lowercase())
    }
}

/// Keeps a new certificate; durable when it returns.
pub(super) fn keep(folder: &Path, pem: &[u8]) -> Result<Public, Error> {
    let public = Public::of_pem(pem)?;
    write_private(&folder.join(FILE), pem)?;
    Ok(public)
}

/// The certificate that is kept; none where there is none that can be used, so that another one is got.
pub(in super::super) fn read(folder: &Path) -> Option<Public> {
    let path = folder.join(FILE);
    if !path.exists() {
        return None;
    }
    match read_file(&path).and_then(|pem| Public::of_pem(&pem)) {
        Ok(public) => Some(public),
        Err(error) => {
            tracing::warn!(%error, "the certificate that was got before can't be used; another one is got");
            None
        }
    }
}
