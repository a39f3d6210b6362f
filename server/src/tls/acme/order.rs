//! One order: the account, a challenge for each name, the certificate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};

use super::super::{Shown, bad};
use super::line::Line;
use crate::config::{Acme, read_file, write_private};
use crate::error::Error;

const ACCOUNT_FILE: &str = "acme-account.json";
/// The authority's work on one order is asked for so often and so long.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(180));

/// The account of this server, and where it is.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    contact: String,
    credentials: AccountCredentials,
}

/// The account in this folder, or a new one where there is none, or one elsewhere or for somebody else.
async fn account(acme: &Acme, folder: &Path) -> Result<Account, Error> {
    let path = folder.join(ACCOUNT_FILE);
    if path.exists() {
        let kept: Kept = serde_json::from_slice(&read_file(&path)?).map_err(bad)?;
        if (&kept.directory, &kept.contact) == (&acme.directory, &acme.contact) {
            let builder = Account::builder_with_http(Box::new(Line::to(acme)?));
            return builder.from_credentials(kept.credentials).await.map_err(bad);
        }
    }
    let contact = format!("mailto:{}", acme.contact);
    let new = NewAccount { contact: &[&contact], terms_of_service_agreed: true, only_return_existing: false };
    let builder = Account::builder_with_http(Box::new(Line::to(acme)?));
    let (account, credentials) = builder.create(&new, acme.directory.clone(), None).await.map_err(bad)?;
    let kept = Kept { directory: acme.directory.clone(), contact: acme.contact.clone(), credentials };
    write_private(&path, &serde_json::to_vec(&kept).map_err(bad)?)?;
    Ok(account)
}

/// The challenges that are shown; none is once this is dropped.
struct Challenged<'a>(&'a Shown);

impl Drop for Challenged<'_> {
    fn drop(&mut self) {
        self.0.end_challenges();
    }
}

/// What the authority is shown for a name: a certificate with the code in it.
fn challenge_certificate(name: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, Error> {
    if digest.len() != 32 {
        return Err(bad("the code of a challenge has another length"));
    }
    let key = KeyPair::generate().map_err(bad)?;
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(bad)?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let made = params.self_signed(&key).map_err(bad)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(bad)?;
    // Not compared with its key, as others are: its extension is one that only the authority reads.
    let key = rustls::crypto::ring::sign::any_supported_type(&private).map_err(bad)?;
    Ok(Arc::new(CertifiedKey::new(vec![made.der().clone()], key)))
}

/// Gets a certificate: its key and its chain (PEM).
pub(super) async fn order(acme: &Acme, folder: &Path, shown: &Shown) -> Result<Vec<u8>, Error> {
    let account = account(acme, folder).await?;
    let names: Vec<Identifier> = acme.names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await.map_err(bad)?;
    let challenged = Challenged(shown);
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(bad)?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => return Err(bad(format_args!("the authority does not look at a name: {other:?}"))),
        }
        let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
        let mut challenge = challenge.ok_or_else(|| bad("the authority does not look by TLS-ALPN-01"))?;
        let name = challenge.identifier().to_string();
        let certificate = challenge_certificate(&name, challenge.key_authorization().digest().as_ref())?;
        shown.challenge(name, certificate);
        challenge.set_ready().await.map_err(bad)?;
    }
    let status = order.poll_ready(&PATIENCE).await.map_err(bad)?;
    drop(challenged);
    if status != OrderStatus::Ready {
        return Err(Error::Certificate(format!(
            "{} could not be reached by the authority on port 443, or leads elsewhere ({status:?})",
            acme.names.join(", ")
        )));
    }
    let key = KeyPair::generate().map_err(bad)?;
    let mut params = CertificateParams::new(acme.names.clone()).map_err(bad)?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(bad)?;
    order.finalize_csr(request.der()).await.map_err(bad)?;
    let chain = order.poll_certificate(&PATIENCE).await.map_err(bad)?;
    Ok(format!("{}{chain}", key.serialize_pem()).into_bytes())
}
