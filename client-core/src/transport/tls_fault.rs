//! What a failed TLS handshake tells of the line.

use rustls::CertificateError;

use super::LineFault;
use crate::quantities::Day;

/// What the phone holds of its server.
pub(super) struct Told<'a> {
    pub(super) host: &'a str,
    /// True when the invitation names the server's authority.
    pub(super) is_pinned: bool,
    /// By this phone's clock.
    pub(super) today: Day,
}

/// The fault of a handshake that failed.
pub(super) fn of_handshake(error: &std::io::Error, told: &Told<'_>) -> LineFault {
    use CertificateError as Certificate;
    use rustls::Error as Tls;
    let intercepted = || LineFault::Intercepted { cause: error.to_string() };
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    match inner {
        // What answers does not speak TLS.
        Some(Tls::InvalidMessage(_)) => LineFault::SignInFirst,
        Some(Tls::InvalidCertificate(fault)) => match fault {
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. }
                if !told.is_pinned =>
            {
                LineFault::WrongDate { today: told.today }
            }
            // Only what the pinned authority signed gets so far.
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } if told.is_pinned => {
                LineFault::OtherName { host: told.host.to_owned() }
            }
            _ => intercepted(),
        },
        // A server of ours speaks TLS 1.3 with its own certificate.
        Some(Tls::PeerIncompatible(_) | Tls::NoCertificatesPresented) => intercepted(),
        _ => LineFault::broke(error),
    }
}
