//! What a server is started with, and where each setting is from. One precedence: what the command line says
//! stands over the environment, that over the configuration file, that over what is built in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::{Config, Limits, OwnCertificate, read_file};
use crate::error::Error;

/// What the command line and the environment say of `granary serve`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Said {
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
    /// What is logged: `error`, `warn`, `info`, `debug`, or by module as `granary_server::log=debug`.
    #[arg(long, env = "GRANARY_LOG")]
    pub(crate) log: Option<String>,
    /// `text`, or `json` for one object a line.
    #[arg(long, env = "GRANARY_LOG_FORMAT")]
    pub(crate) log_format: Option<String>,
    /// Connections at once.
    #[arg(long, env = "GRANARY_CONNECTIONS")]
    pub(crate) connections: Option<usize>,
    /// Requests of one device a second, in the long run.
    #[arg(long, env = "GRANARY_DEVICE_PER_SECOND")]
    pub(crate) device_per_second: Option<u32>,
}

/// What a configuration file may say. An unknown name is an error, so a misspelt one is not overlooked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    folder: Option<PathBuf>,
    listen: Option<SocketAddr>,
    #[serde(default)]
    names: Vec<String>,
    certificate: Option<PathBuf>,
    certificate_key: Option<PathBuf>,
    log: Option<String>,
    log_format: Option<String>,
    connections: Option<usize>,
    device_per_second: Option<u32>,
}

/// Where a setting is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// The command line or the environment.
    Said,
    File,
    BuiltIn,
}

/// All settings, with where each is from.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) log: String,
    pub(crate) log_format: String,
    lines: Vec<(&'static str, String, From)>,
}

struct Choice {
    lines: Vec<(&'static str, String, From)>,
}

impl Choice {
    fn of<V: std::fmt::Debug>(&mut self, name: &'static str, said: Option<V>, file: Option<V>, built_in: V) -> V {
        let (value, from) = match (said, file) {
            (Some(value), _) => (value, From::Said),
            (None, Some(value)) => (value, From::File),
            (None, None) => (built_in, From::BuiltIn),
        };
        self.lines.push((name, format!("{value:?}"), from));
        value
    }
}

fn read(path: &Path) -> Result<Written, Error> {
    let bad = |error: String| Error::Usage(format!("{} can't be read: {error}", path.display()));
    let text = String::from_utf8(read_file(path)?).map_err(|error| bad(error.to_string()))?;
    toml::from_str(&text).map_err(|error| bad(error.to_string()))
}

impl Settings {
    /// What holds, of everything that was said.
    pub(crate) fn of(said: Said) -> Result<Self, Error> {
        let file = said.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let some = |names: Vec<String>| (!names.is_empty()).then_some(names);
        let mut choice = Choice { lines: Vec::new() };
        let folder = choice.of("folder", said.folder, file.folder, PathBuf::from("granary-data"));
        let listen = choice.of("listen", said.listen, file.listen, SocketAddr::from(([127, 0, 0, 1], 8443)));
        let local = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        let names = choice.of("names", some(said.names), some(file.names), local);
        let certificate = choice.of("certificate", said.certificate.map(Some), file.certificate.map(Some), None);
        let key = choice.of("certificate-key", said.certificate_key.map(Some), file.certificate_key.map(Some), None);
        let built_in = Limits::default();
        let connections = choice.of("connections", said.connections, file.connections, built_in.connections);
        let device_per_second =
            choice.of("device-per-second", said.device_per_second, file.device_per_second, built_in.device_per_second);
        let log = choice.of("log", said.log, file.log, "info".to_owned());
        let log_format = choice.of("log-format", said.log_format, file.log_format, "text".to_owned());
        let own_certificate = match (certificate, key) {
            (Some(chain), Some(key)) => Some(OwnCertificate { chain, key }),
            (None, None) => None,
            _ => return Err(Error::Usage("a certificate needs its key, and a key its certificate".into())),
        };
        if !["text", "json"].contains(&log_format.as_str()) {
            return Err(Error::Usage("log-format is `text` or `json`".into()));
        }
        if device_per_second == 0 || connections == 0 {
            return Err(Error::Usage("connections and device-per-second are at least 1".into()));
        }
        let limits = Limits { connections, device_per_second, ..built_in };
        Ok(Self {
            config: Config { folder, listen, names, limits, own_certificate },
            log,
            log_format,
            lines: choice.lines,
        })
    }

    /// Every setting as a line of a configuration file, with where it is from.
    pub(crate) fn text(&self) -> String {
        let line = |(name, value, from): &(&str, String, From)| {
            let from = match from {
                From::Said => "the command line or the environment",
                From::File => "the configuration file",
                From::BuiltIn => "built in",
            };
            match value.as_str() {
                "None" => format!("# {name} is not set"),
                value => {
                    let value = value.strip_prefix("Some(").and_then(|it| it.strip_suffix(')')).unwrap_or(value);
                    let is_address = *name == "listen";
                    let value = if is_address { format!("{value:?}") } else { value.to_owned() };
                    format!("{name} = {value}  # {from}")
                }
            }
        };
        self.lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str, said: Said) -> Result<Settings, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Settings::of(Said { config: Some(file.path().to_owned()), ..said })
    }

    #[test]
    fn what_is_said_stands_over_the_file_and_the_file_over_what_is_built_in() {
        let said = Said { connections: Some(7), ..Said::default() };
        let settings = with_file("connections = 5\nlisten = \"0.0.0.0:443\"\n", said).unwrap();
        assert_eq!(settings.config.limits.connections, 7);
        assert_eq!(settings.config.listen.port(), 443);
        let text = settings.text();
        assert!(text.contains("connections = 7  # the command line"), "{text}");
        assert!(text.contains("listen = \"0.0.0.0:443\"  # the configuration file"), "{text}");
        assert!(text.contains("folder = \"granary-data\"  # built in"), "{text}");
        // What is printed is itself a configuration file that says the same.
        let again = with_file(&text, Said::default()).unwrap();
        assert_eq!(again.config.limits, settings.config.limits);
        assert_eq!(again.config.names, settings.config.names);
    }

    #[test]
    fn a_misspelt_or_senseless_setting_is_refused() {
        for text in
            ["conections = 5", "listen = 5", "connections = 0", "certificate = \"a.pem\"", "log-format = \"xml\""]
        {
            assert!(with_file(text, Said::default()).is_err(), "{text}");
        }
    }
}
