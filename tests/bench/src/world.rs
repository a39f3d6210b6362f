//! A server in this process, behind a line, and phones that enrol with it.

use std::sync::Arc;

use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_server::log::CooperativeNumber;
use granary_server::{Config, Granary, Server};
use tokio::runtime::Runtime;

use crate::line::{Line, Shape};

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) line: Line,
    pub(crate) coop: CooperativeNumber,
    folder: tempfile::TempDir,
    phones: u32,
    runtime: Runtime,
}

pub(crate) fn household(number: u8) -> HouseholdId {
    HouseholdId::from_bytes([number; 16])
}

pub(crate) fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Instant(i64::try_from(since.as_millis()).unwrap())
}

impl World {
    pub(crate) fn new(shape: Shape) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (server, line) = runtime.block_on(async {
            let config = Config::local(folder.path().join("server"), 0);
            let server = granary_server::start(config, |fault| panic!("{fault}")).await.unwrap();
            let line = Line::to(server.address(), shape).await;
            (server, line)
        });
        let coop = server.granary().create_cooperative("Bench County", now()).unwrap();
        Self { runtime, server, line, coop, folder, phones: 0 }
    }

    pub(crate) fn granary(&self) -> &Arc<Granary> {
        self.server.granary()
    }

    /// A phone that has not enrolled, and the link to enrol with.
    pub(crate) fn new_phone(&mut self, role: Role) -> (Arc<Phone>, String) {
        self.phones += 1;
        let phone = Phone::open(&self.last_phone_folder()).unwrap();
        let code = self.granary().invite(self.coop, role, 1, now()).unwrap().code;
        let link = format!("granary://localhost:{}/{code}#{}", self.line.address.port(), self.server.fingerprint());
        (phone, link)
    }

    /// An enrolled phone. The bytes of its enrolment are not counted.
    pub(crate) fn phone(&mut self, role: Role) -> Arc<Phone> {
        let (phone, link) = self.new_phone(role);
        for _ in 0..40 {
            if phone.enrol(&link, "bench").is_ok() {
                break;
            }
        }
        assert!(phone.device().is_some(), "the phone could not enrol over this line");
        self.line.passed.take();
        phone
    }

    /// The folder of the newest phone.
    pub(crate) fn last_phone_folder(&self) -> std::path::PathBuf {
        self.phone_folder(self.phones)
    }

    /// The folder of the phone with this number, counted from 1.
    pub(crate) fn phone_folder(&self, number: u32) -> std::path::PathBuf {
        self.folder.path().join(format!("phone-{number}"))
    }

    pub(crate) fn server_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("server")
    }

    pub(crate) fn on_runtime<R>(&self, work: impl Future<Output = R>) -> R {
        self.runtime.block_on(work)
    }

    /// True while the console's read models are not up to date.
    pub(crate) fn read_models_are_behind(&self) -> bool {
        self.granary().read_models_behind(self.coop).unwrap() > 0
    }

    /// Waits until all ingested entries are admitted.
    pub(crate) fn settle(&self) {
        self.granary().settle(&self.granary().cooperative(self.coop).unwrap());
    }
}

/// TLS that accepts any certificate, for load on this machine.
pub(crate) fn trusting_anyone() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth()
}

#[derive(Debug)]
struct Anyone(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
