//! The server's configuration: folder, addresses, certificate, limits.

mod bounds;
mod files;
mod limits;
mod names;
mod networks;
mod proxies;
pub(crate) mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::error::Error;
use crate::said::Said;

pub use bounds::{Bounds, Share};
pub(crate) use files::{file_error, make_folder, read_file, warn_of_open_files, write_private};
pub use limits::Limits;
pub use networks::Networks;
pub use proxies::Proxies;

/// The configuration of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder for the store, the keys and the operator's socket.
    pub folder: PathBuf,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The names and addresses in the server's certificate. The first, with the port, goes into invitations.
    pub names: Vec<String>,
    /// The limits of devices.
    pub limits: Limits,
    /// The bounds of what is kept on the disk.
    pub bounds: Bounds,
    /// A publicly trusted certificate; without it the server has an authority of its own.
    pub own_certificate: Option<OwnCertificate>,
    /// Where a certificate that everybody trusts is got and renewed by itself; none for nowhere.
    pub acme: Option<Acme>,
    /// The proxies before the server. Where there are any, they hold the certificate that phones see.
    pub proxies: Proxies,
    /// The port in invitations; none for that of `listen`, or 443 behind a proxy.
    pub public_port: Option<u16>,
    /// Where the metrics are served, over plain HTTP; none for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Where the phone in the browser is served over plain HTTP, on loopback alone; none for nowhere.
    pub app_listen: Option<SocketAddr>,
    /// A folder with the browser's app as its authors write it, instead of the embedded one.
    pub app_folder: Option<PathBuf>,
    /// Days for which lines of the audit are kept.
    pub audit_days: u32,
    /// Private networks to which webhooks may go, and without TLS too; none for the public internet alone.
    pub webhook_networks: Networks,
}

/// Five years: longer than accounts are argued about.
const AUDIT_DAYS: u32 = 1_826;

/// The files of a publicly trusted certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCertificate {
    /// The certificate with its chain (PEM).
    pub chain: PathBuf,
    /// Its key (PEM).
    pub key: PathBuf,
}

/// An authority that gives certificates by itself (ACME, RFC 8555).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The e-mail address that it writes to when something is wrong.
    pub contact: String,
    /// The address of its directory.
    pub directory: String,
    /// A file with the roots by which its own line is trusted (PEM); none for the usual ones.
    pub roots: Option<PathBuf>,
    /// The names that the certificate is for.
    pub names: Vec<String>,
}

/// Let's Encrypt.
const ACME_DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

impl Acme {
    /// Fails with a sentence where none of the server's names can have a public certificate.
    fn of(contact: String, directory: String, roots: Option<PathBuf>, names: &[String]) -> Result<Self, Error> {
        let is_public = |name: &&String| name.contains('.') && name.parse::<std::net::IpAddr>().is_err();
        let names: Vec<String> = names.iter().filter(is_public).cloned().collect();
        if names.is_empty() {
            let reason = (
                "a public certificate is for a name, such as `--name granary.example.org`, that leads to this server",
                "公开的证书只能给通向这台服务器的域名，例如 `--name granary.example.org`",
            );
            return Err(Error::invalid("acme", reason));
        }
        if !contact.contains('@') || contact.contains(char::is_whitespace) {
            let reason = ("give the e-mail address that the authority writes to", "请给出发证机构可以写信去的邮箱");
            return Err(Error::invalid("acme", reason));
        }
        Ok(Self { contact, directory, roots, names })
    }
}

impl Config {
    /// A server in `folder` that listens on loopback only.
    pub fn local(folder: PathBuf, port: u16) -> Self {
        Self {
            folder,
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            names: vec!["localhost".into(), "127.0.0.1".into()],
            limits: Limits::default(),
            bounds: Bounds::default(),
            own_certificate: None,
            acme: None,
            proxies: Proxies::default(),
            public_port: None,
            metrics_listen: None,
            app_listen: None,
            app_folder: None,
            audit_days: AUDIT_DAYS,
            webhook_networks: Networks::default(),
        }
    }

    /// The same with its names as certificates hold them. Fails with a sentence for a name that no phone can reach, and for plain
    /// HTTP that others could reach.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        if let Some(address) = self.app_listen.filter(|address| !address.ip().is_loopback()) {
            let reason = Said::new(
                format!(
                    "{address} can be reached by others: plain HTTP is for this machine alone, such as 127.0.0.1:8080"
                ),
                format!("别的机器也能连到 {address}：不加密的 HTTP 只给这台机器自己用，比如 127.0.0.1:8080"),
            );
            return Err(Error::invalid("app-listen", reason));
        }
        Ok(Self { names: names::checked(&self.names, self.listen)?, ..self })
    }

    /// Host and port in invitations, of a server that listens here.
    pub(crate) fn public_address(&self, listens: SocketAddr) -> String {
        let name = self.names.first().cloned().unwrap_or_else(|| listens.ip().to_string());
        let usual = if self.proxies.is_empty() { listens.port() } else { 443 };
        names::in_links(&name, self.public_port.unwrap_or(usual))
    }

    pub(crate) fn store_folder(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// The file of the logs' high-water marks.
    pub(crate) fn high_water(&self) -> PathBuf {
        self.folder.join("high-water.json")
    }

    /// The operator's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("operator.sock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        let on = |address: &str| {
            let app_listen = Some(address.parse().unwrap());
            Config { app_listen, ..Config::local("data".into(), 0) }.checked()
        };
        for own in ["127.0.0.1:0", "127.8.0.1:80", "[::1]:8080"] {
            on(own).unwrap();
        }
        for other in ["0.0.0.0:8080", "192.0.2.7:80", "[::]:8080"] {
            assert!(on(other).unwrap_err().to_string().contains("this machine alone"), "{other}");
        }
    }
}
