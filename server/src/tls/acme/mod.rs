//! A certificate that everybody trusts, got and renewed from an authority that speaks ACME (RFC 8555), such as Let's Encrypt.
//! That the names are this server's is shown over TLS on the port that phones reach (TLS-ALPN-01, RFC 8737): no other port is
//! needed, and the key leaves this machine never.

mod kept;
mod line;
mod order;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use granary_client_core::quantities::Instant;

use super::Certificates;
use crate::config::Acme;
use crate::error::Error;

pub(super) use kept::{Public, read};

/// An order has ended after this long, or is given up.
const ORDER_TIME: Duration = Duration::from_secs(600);
/// The clock is looked at this often, since it can be set.
const LOOK_EVERY: Duration = Duration::from_secs(6 * 3600);
/// The wait after a first failure, and the longest one. Authorities refuse who asks too often: Let's Encrypt after five failures
/// an hour.
const RETRY_FIRST: Duration = Duration::from_secs(15 * 60);
const RETRY_MOST: Duration = Duration::from_secs(24 * 3600);

/// Where a certificate comes from, and where it is kept.
pub(crate) struct Renewal {
    pub(crate) acme: Acme,
    pub(crate) folder: PathBuf,
    pub(crate) certificates: Arc<Certificates>,
    /// True while browsers see a certificate that they trust.
    pub(crate) is_trusted: Arc<AtomicBool>,
}

impl Renewal {
    /// Gets a certificate when there is none, and a new one after two thirds of its life, until aborted.
    pub(crate) async fn keep(self) {
        let names = &self.acme.names;
        let mut failures = 0;
        loop {
            let now = crate::environment::now();
            let public = self.certificates.public(names);
            self.is_trusted.store(public.as_ref().is_some_and(|public| public.holds_at(now)), Ordering::Relaxed);
            let due = public.map_or(now, |public| due(public.from, public.until));
            if due > now {
                let wait = Duration::from_millis(due.millis_since(now));
                tokio::time::sleep(wait.min(LOOK_EVERY)).await;
                continue;
            }
            match self.order().await {
                Ok(()) => {
                    failures = 0;
                    tracing::info!(names = names.join(", "), "there is a new certificate, which browsers trust");
                }
                Err(error) => {
                    let wait = wait_after(failures, crate::environment::random_bytes().unwrap_or([0; 2]));
                    failures = failures.saturating_add(1);
                    let again = wait.as_secs() / 60;
                    tracing::warn!(%error, "no certificate was got; phones go on, and it is tried again in {again} minutes");
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn order(&self) -> Result<(), Error> {
        let ordered = order::order(&self.acme, &self.folder, &self.certificates.shown);
        let pem = tokio::time::timeout(ORDER_TIME, Box::pin(ordered))
            .await
            .map_err(|_| Error::Certificate("the authority did not come to an end".into()))??;
        let public = kept::keep(&self.folder, &pem)?;
        self.certificates.show_public(public);
        Ok(())
    }
}

/// When a certificate is renewed: after two thirds of its life.
fn due(from: Instant, until: Instant) -> Instant {
    from.plus_millis(until.millis_since(from) / 3 * 2)
}

/// The wait after so many failures before: doubled each time, and up to a quarter more, so that servers do not ask together.
fn wait_after(failures: u32, random: [u8; 2]) -> Duration {
    let doubled = RETRY_FIRST.saturating_mul(1u32.checked_shl(failures).unwrap_or(u32::MAX)).min(RETRY_MOST);
    doubled.saturating_add((doubled / 4).saturating_mul(u32::from(u16::from_be_bytes(random))) / 65_536)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_due_after_two_thirds_of_the_life() {
        const DAY: i64 = 86_400_000;
        assert_eq!(due(Instant(10 * DAY), Instant(100 * DAY)), Instant(70 * DAY));
        assert_eq!(due(Instant(10 * DAY), Instant(DAY)), Instant(10 * DAY), "one that never held");
    }

    #[test]
    fn failures_are_waited_for_longer_each_time_and_never_together() {
        let minutes = |failures, random| wait_after(failures, random).as_secs() / 60;
        assert_eq!([0, 1, 2, 6].map(|failures| minutes(failures, [0; 2])), [15, 30, 60, 960]);
        for failures in [7, 40, u32::MAX] {
            assert_eq!(minutes(failures, [0; 2]), 24 * 60);
            assert!(minutes(failures, [255; 2]) <= 30 * 60);
        }
        assert!(minutes(0, [128, 0]) > minutes(0, [0, 0]));
    }
}
