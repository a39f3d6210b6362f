//! The settings of `granary serve`, each with its source. Precedence: command line, environment, configuration file,
//! default.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::bounds::MIB;
use crate::config::{Acme, Bounds, Config, Limits, Networks, OwnCertificate, Proxies, Share, read_file};
use crate::error::Error;
use crate::said::Said;

/// The smallest share of the disk, in MiB: a phone's page fits.
const SHARE_MIB_MIN: u64 = 4;

/// The settings of the command line and the environment.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ServeArgs {
    /// A configuration file.
    #[arg(long, env = "GRANARY_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The server's folder.
    #[arg(long, env = "GRANARY_FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, env = "GRANARY_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// A name by which phones reach the server; the first goes into invitations.
    #[arg(long = "name", env = "GRANARY_NAMES", value_delimiter = ',')]
    pub(crate) names: Vec<String>,
    /// A certificate that everyone trusts, with its chain (PEM); read again on SIGHUP. Without it the server
    /// has an authority of its own, which phones pin.
    #[arg(long, env = "GRANARY_CERTIFICATE", requires = "certificate_key")]
    pub(crate) certificate: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, env = "GRANARY_CERTIFICATE_KEY", requires = "certificate")]
    pub(crate) certificate_key: Option<PathBuf>,
    /// Get a certificate that browsers trust by itself, and renew it: the e-mail address that the authority (Let's Encrypt) writes
    /// to. It agrees to the authority's terms. The names must lead to this server, and its port be reached as 443.
    #[arg(long, env = "GRANARY_ACME", conflicts_with = "certificate")]
    pub(crate) acme: Option<String>,
    /// Another authority: the address of its ACME directory.
    #[arg(long, env = "GRANARY_ACME_DIRECTORY")]
    pub(crate) acme_directory: Option<String>,
    /// The roots by which the line to that authority is trusted (PEM), where they are not the usual ones.
    #[arg(long, env = "GRANARY_ACME_CA")]
    pub(crate) acme_ca: Option<PathBuf>,
    /// What is logged: `error`, `warn`, `info`, `debug`, or by module as `granary_server::log=debug`.
    #[arg(long, env = "GRANARY_LOG")]
    pub(crate) log: Option<String>,
    /// `text`, or `json` for one object a line.
    #[arg(long, env = "GRANARY_LOG_FORMAT")]
    pub(crate) log_format: Option<String>,
    /// Connections at once.
    #[arg(long, env = "GRANARY_CONNECTIONS")]
    pub(crate) connections: Option<usize>,
    /// Connections of one address at once; those of a trusted proxy are not counted so.
    #[arg(long, env = "GRANARY_CONNECTIONS_PER_ADDRESS")]
    pub(crate) connections_per_address: Option<usize>,
    /// Phones that enrol from one address at once; one more every ten seconds. `open-enrolment` opens it for a day.
    #[arg(long, env = "GRANARY_ENROL_BURST")]
    pub(crate) enrol_burst: Option<u32>,
    /// Requests of one device a second, in the long run.
    #[arg(long, env = "GRANARY_DEVICE_PER_SECOND")]
    pub(crate) device_per_second: Option<u32>,
    /// Addresses or networks of proxies before the server, whose X-Forwarded-For says where a request is from.
    #[arg(long = "trusted-proxy", env = "GRANARY_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<String>,
    /// The port that stands in invitations, where phones reach the server by another than that of `--listen`.
    #[arg(long, env = "GRANARY_PUBLIC_PORT")]
    pub(crate) public_port: Option<u16>,
    /// Where to serve the metrics, over plain HTTP, for this machine or a network of the operator's own.
    #[arg(long, env = "GRANARY_METRICS_LISTEN")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Where to serve the phone in the browser over plain HTTP, on loopback alone, for a browser of this machine.
    #[arg(long, env = "GRANARY_APP_LISTEN")]
    pub(crate) app_listen: Option<SocketAddr>,
    /// Serve the browser's app from this folder (such as `web/app`), for whoever writes it.
    #[arg(long, env = "GRANARY_APP_FOLDER", hide = true)]
    pub(crate) app_folder: Option<PathBuf>,
    /// Days for which lines of the audit are kept.
    #[arg(long, env = "GRANARY_AUDIT_DAYS")]
    pub(crate) audit_days: Option<u32>,
    /// Private addresses or networks to which webhooks may go, and without TLS too, such as `10.4.0.0/16`.
    #[arg(long = "webhook-network", env = "GRANARY_WEBHOOK_NETWORKS", value_delimiter = ',')]
    pub(crate) webhook_networks: Vec<String>,
    /// What one device may add to the store on one day, in MiB.
    #[arg(long, env = "GRANARY_DEVICE_DAY_MIB")]
    pub(crate) device_day_mib: Option<u64>,
    /// What one device may have in the store in all, in MiB.
    #[arg(long, env = "GRANARY_DEVICE_MIB")]
    pub(crate) device_mib: Option<u64>,
    /// What the phones of one household may add to the store on one day, in MiB.
    #[arg(long, env = "GRANARY_HOUSEHOLD_DAY_MIB")]
    pub(crate) household_day_mib: Option<u64>,
    /// What the phones of one household may have in the store in all, in MiB.
    #[arg(long, env = "GRANARY_HOUSEHOLD_MIB")]
    pub(crate) household_mib: Option<u64>,
    /// Days after which the content of what was set aside is dropped.
    #[arg(long, env = "GRANARY_SET_ASIDE_DAYS")]
    pub(crate) set_aside_days: Option<u32>,
    /// What stays free of the disk, in MiB: below it the server takes nothing new. Up to 512 a fiftieth of a small disk is enough; 0 for none.
    #[arg(long, env = "GRANARY_DISK_FLOOR_MIB")]
    pub(crate) disk_floor_mib: Option<u64>,
}

/// The settings of a configuration file. An unknown name is an error, so a misspelt one is not overlooked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigFile {
    folder: Option<PathBuf>,
    listen: Option<SocketAddr>,
    #[serde(default)]
    names: Vec<String>,
    certificate: Option<PathBuf>,
    certificate_key: Option<PathBuf>,
    acme: Option<String>,
    acme_directory: Option<String>,
    acme_ca: Option<PathBuf>,
    log: Option<String>,
    log_format: Option<String>,
    connections: Option<usize>,
    connections_per_address: Option<usize>,
    enrol_burst: Option<u32>,
    device_per_second: Option<u32>,
    #[serde(default)]
    trusted_proxies: Vec<String>,
    public_port: Option<u16>,
    metrics_listen: Option<SocketAddr>,
    app_listen: Option<SocketAddr>,
    app_folder: Option<PathBuf>,
    audit_days: Option<u32>,
    #[serde(default)]
    webhook_networks: Vec<String>,
    device_day_mib: Option<u64>,
    device_mib: Option<u64>,
    household_day_mib: Option<u64>,
    household_mib: Option<u64>,
    set_aside_days: Option<u32>,
    disk_floor_mib: Option<u64>,
}

/// The source of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The command line or the environment.
    Arguments,
    File,
    Default,
}

/// All settings, each with its source.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) log: String,
    pub(crate) log_format: String,
    lines: Vec<(&'static str, String, Source)>,
}

struct Layered {
    lines: Vec<(&'static str, String, Source)>,
}

impl Layered {
    fn of<V: std::fmt::Debug>(&mut self, name: &'static str, args: Option<V>, file: Option<V>, default: V) -> V {
        let (value, source) = match (args, file) {
            (Some(value), _) => (value, Source::Arguments),
            (None, Some(value)) => (value, Source::File),
            (None, None) => (default, Source::Default),
        };
        self.lines.push((name, format!("{value:?}"), source));
        value
    }
}

fn read(path: &Path) -> Result<ConfigFile, Error> {
    let bad = |error: String| Error::ConfigFile { path: path.display().to_string(), reason: error };
    let text = String::from_utf8(read_file(path)?).map_err(|error| bad(error.to_string()))?;
    toml::from_str(&text).map_err(|error| bad(error.to_string()))
}

impl Settings {
    /// The settings in force, by precedence.
    pub(crate) fn of(args: ServeArgs) -> Result<Self, Error> {
        let file = args.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let some = |names: Vec<String>| (!names.is_empty()).then_some(names);
        let mut layered = Layered { lines: Vec::new() };
        let folder = layered.of("folder", args.folder, file.folder, PathBuf::from("granary-data"));
        let listen = layered.of("listen", args.listen, file.listen, SocketAddr::from(([127, 0, 0, 1], 8443)));
        let local = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        let names = layered.of("names", some(args.names), some(file.names), local);
        let certificate = layered.of("certificate", args.certificate.map(Some), file.certificate.map(Some), None);
        let key = layered.of("certificate-key", args.certificate_key.map(Some), file.certificate_key.map(Some), None);
        let contact = layered.of("acme", args.acme.map(Some), file.acme.map(Some), None);
        let usual_directory = super::ACME_DIRECTORY.to_owned();
        let directory = layered.of("acme-directory", args.acme_directory, file.acme_directory, usual_directory);
        let acme_ca = layered.of("acme-ca", args.acme_ca.map(Some), file.acme_ca.map(Some), None);
        let acme = contact.map(|contact| Acme::of(contact, directory, acme_ca, &names)).transpose()?;
        let default = Limits::default();
        let connections = layered.of("connections", args.connections, file.connections, default.connections);
        let connections_per_address = layered.of(
            "connections-per-address",
            args.connections_per_address,
            file.connections_per_address,
            default.connections_per_address,
        );
        let enrol_burst = layered.of("enrol-burst", args.enrol_burst, file.enrol_burst, default.enrol_burst);
        let device_per_second =
            layered.of("device-per-second", args.device_per_second, file.device_per_second, default.device_per_second);
        let proxies = layered.of("trusted-proxies", some(args.trusted_proxies), some(file.trusted_proxies), Vec::new());
        let proxies = Proxies::of(&proxies)?;
        let public_port = layered.of("public-port", args.public_port.map(Some), file.public_port.map(Some), None);
        let metrics_listen =
            layered.of("metrics-listen", args.metrics_listen.map(Some), file.metrics_listen.map(Some), None);
        let app_listen = layered.of("app-listen", args.app_listen.map(Some), file.app_listen.map(Some), None);
        let app_folder = layered.of("app-folder", args.app_folder.map(Some), file.app_folder.map(Some), None);
        let audit_days = layered.of("audit-days", args.audit_days, file.audit_days, super::AUDIT_DAYS);
        if audit_days == 0 {
            return Err(Error::invalid("audit-days", ("the audit is kept for a day at least", "操作记录至少保存一天")));
        }
        let webhook_networks =
            layered.of("webhook-networks", some(args.webhook_networks), some(file.webhook_networks), Vec::new());
        let webhook_networks = Networks::of("webhook-networks", &webhook_networks)?;
        let usual = Bounds::default();
        let mut mib = |name, args, file, default: u64| layered.of(name, args, file, default / MIB);
        let device_day = mib("device-day-mib", args.device_day_mib, file.device_day_mib, usual.device.day_bytes);
        let device = mib("device-mib", args.device_mib, file.device_mib, usual.device.bytes);
        let household_day =
            mib("household-day-mib", args.household_day_mib, file.household_day_mib, usual.household.day_bytes);
        let household = mib("household-mib", args.household_mib, file.household_mib, usual.household.bytes);
        let disk_floor = mib("disk-floor-mib", args.disk_floor_mib, file.disk_floor_mib, usual.disk_floor_bytes);
        let set_aside_days =
            layered.of("set-aside-days", args.set_aside_days, file.set_aside_days, usual.set_aside_days);
        let log = layered.of("log", args.log, file.log, "info".to_owned());
        let log_format = layered.of("log-format", args.log_format, file.log_format, "text".to_owned());
        let own_certificate = match (certificate, key) {
            (Some(chain), Some(key)) => Some(OwnCertificate { chain, key }),
            (None, None) => None,
            _ => {
                let said =
                    ("a certificate needs its key, and a key its certificate", "证书要有它的密钥，密钥要有它的证书");
                return Err(Error::invalid("certificate", said));
            }
        };
        if acme.is_some() && (own_certificate.is_some() || !proxies.is_empty()) {
            let reason = (
                "a certificate is given, or held by a proxy, or got by itself: one of the three",
                "证书或者由您给出，或者在代理上，或者自动取得：只能选一种",
            );
            return Err(Error::invalid("acme", reason));
        }
        if !["text", "json"].contains(&log_format.as_str()) {
            return Err(Error::invalid(
                "log-format",
                ("log-format is `text` or `json`", "log-format 是 `text` 或 `json`"),
            ));
        }
        if device_per_second == 0 || connections == 0 || connections_per_address == 0 || enrol_burst == 0 {
            return Err(Error::invalid(
                "connections",
                (
                    "connections, connections-per-address, enrol-burst and device-per-second are at least 1",
                    "connections、connections-per-address、enrol-burst 和 device-per-second 至少是 1",
                ),
            ));
        }
        let least = [device_day, device, household_day, household].into_iter().min().unwrap_or(0);
        if least < SHARE_MIB_MIN {
            return Err(Error::invalid(
                "device-day-mib",
                Said::new(
                    format!("a share of the disk is at least {SHARE_MIB_MIN} MiB: one request can bring as much"),
                    format!("磁盘份额至少是 {SHARE_MIB_MIN} MiB：一次请求就可能带来这么多"),
                ),
            ));
        }
        if set_aside_days == 0 {
            return Err(Error::invalid(
                "set-aside-days",
                ("what was set aside is kept for a day at least", "搁置的至少保存一天"),
            ));
        }
        let share = |day: u64, all: u64| Share { day_bytes: day.saturating_mul(MIB), bytes: all.saturating_mul(MIB) };
        let bounds = Bounds {
            device: share(device_day, device),
            household: share(household_day, household),
            set_aside_days,
            disk_floor_bytes: disk_floor.saturating_mul(MIB),
        };
        let limits = Limits { connections, connections_per_address, enrol_burst, device_per_second, ..default };
        Ok(Self {
            config: Config {
                folder,
                listen,
                names,
                limits,
                bounds,
                own_certificate,
                acme,
                proxies,
                public_port,
                metrics_listen,
                app_listen,
                app_folder,
                audit_days,
                webhook_networks,
            },
            log,
            log_format,
            lines: layered.lines,
        })
    }

    /// Every setting as a line of a configuration file, with its source.
    pub(crate) fn text(&self) -> String {
        let line = |(name, value, source): &(&str, String, Source)| {
            let source = match source {
                Source::Arguments => "the command line or the environment",
                Source::File => "the configuration file",
                Source::Default => "built in",
            };
            match value.as_str() {
                "None" => format!("# {name} is not set"),
                value => {
                    let value = value.strip_prefix("Some(").and_then(|it| it.strip_suffix(')')).unwrap_or(value);
                    let is_address = name.ends_with("listen");
                    let value = if is_address { format!("{value:?}") } else { value.to_owned() };
                    format!("{name} = {value}  # {source}")
                }
            }
        };
        self.lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str, args: ServeArgs) -> Result<Settings, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Settings::of(ServeArgs { config: Some(file.path().to_owned()), ..args })
    }

    #[test]
    fn arguments_override_file_and_file_overrides_defaults() {
        const FILE: &str = "connections = 5\nlisten = \"0.0.0.0:443\"\ntrusted-proxies = [\"10.4.0.0/16\"]\n\
                            public-port = 444\nmetrics-listen = \"127.0.0.1:9464\"\n";
        let args = ServeArgs { connections: Some(7), ..ServeArgs::default() };
        let settings = with_file(FILE, args).unwrap();
        assert_eq!(settings.config.limits.connections, 7);
        assert_eq!(settings.config.listen.port(), 443);
        assert!(settings.config.proxies.are_at("10.4.1.1".parse().unwrap()));
        let text = settings.text();
        assert!(text.contains("connections = 7  # the command line"), "{text}");
        assert!(text.contains("listen = \"0.0.0.0:443\"  # the configuration file"), "{text}");
        assert!(text.contains("folder = \"granary-data\"  # built in"), "{text}");
        assert!(text.contains("device-day-mib = 64  # built in"), "{text}");
        // The text is a configuration file with the same settings.
        let again = with_file(&text, ServeArgs::default()).unwrap();
        assert_eq!(again.config.limits, settings.config.limits);
        assert_eq!(again.config.bounds, Bounds::default());
        assert_eq!(again.config.names, settings.config.names);
        assert_eq!(again.config.proxies, settings.config.proxies);
        assert_eq!(again.config.public_address(again.config.listen), "localhost:444");
        assert_eq!(again.config.metrics_listen.unwrap().port(), 9464);
    }

    #[test]
    fn settings_refuse_unknown_names_and_bad_values() {
        for text in [
            "conections = 5",
            "listen = 5",
            "connections = 0",
            "certificate = \"a.pem\"",
            "log-format = \"xml\"",
            "household-mib = 3",
            "set-aside-days = 0",
            "acme = \"a@example.org\"",
            "acme = \"nobody\"\nnames = [\"granary.example.org\"]",
        ] {
            assert!(with_file(text, ServeArgs::default()).is_err(), "{text}");
        }
    }
}
