//! A server process, and phones that enrol with it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use granary_client_core::error::Error;
use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::projection::{LotFilter, LotRow};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::LotDraft;
use granary_client_core::schema::{LotId, Season};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_granary-under-test");

/// A server with its folder; killed when dropped.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    port: u16,
    metrics_port: u16,
    /// The address that the server listens on.
    host: &'static str,
    child: Option<Child>,
    phones: u32,
    /// The log filter and format; none logs warnings to the test's output.
    logs: Option<(&'static str, &'static str)>,
}

impl World {
    /// Starts a server in a new folder, with one co-operative.
    pub(crate) fn new() -> Self {
        let mut world = Self::not_started();
        world.start();
        world.order(&["coop", "create", "Linxian County Growers"]);
        world
    }

    /// A folder and a port, for a server that the test starts in its own way.
    pub(crate) fn not_started() -> Self {
        let ports = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [port, metrics_port] = ports.map(|port| port.local_addr().unwrap().port());
        Self {
            folder: tempfile::tempdir().unwrap(),
            port,
            metrics_port,
            host: "127.0.0.1",
            child: None,
            phones: 0,
            logs: None,
        }
    }

    /// As [`Self::new`], on this address, which is the server's only name too.
    pub(crate) fn listening_on(host: &'static str) -> Self {
        let mut world = Self::not_started();
        world.host = host;
        world.start();
        world.order(&["coop", "create", "Linxian County Growers"]);
        world
    }

    /// As [`Self::new`], with everything logged into a file, in this format.
    pub(crate) fn logging(format: &'static str) -> Self {
        let mut world = Self::not_started();
        world.logs = Some(("debug", format));
        world.start();
        world.order(&["coop", "create", "Linxian County Growers"]);
        world
    }

    /// What a server that logs into a file has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn start(&mut self) {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", &format!("{}:{}", self.host, self.port), "--folder"]).arg(self.data());
        command.args(["--metrics-listen", &format!("127.0.0.1:{}", self.metrics_port)]);
        if self.host != "127.0.0.1" {
            command.args(["--name", self.host]);
        }
        command.env("GRANARY_LOG", "warn").stdout(Stdio::piped());
        if let Some((level, format)) = self.logs {
            let file = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
            command.env("GRANARY_LOG", level).env("GRANARY_LOG_FORMAT", format).stderr(file);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening on"), "the server did not start: {line:?}");
        self.child = Some(child);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Runs an operator's command; gives its output.
    pub(crate) fn order(&self, words: &[&str]) -> String {
        let output = Command::new(PROGRAM).args(words).env("GRANARY_FOLDER", self.data()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// An account whose phones the coordinators' phones are; made once, since a new password voids open invitations.
    fn add_coordinator(&self, coop: &str) {
        if self.order(&["coordinator", "list", "--coop", coop]).contains("phones  ") {
            return;
        }
        let mut add = Command::new(PROGRAM)
            .args(["coordinator", "add", "--coop", coop, "phones", "Zhao"])
            .env("GRANARY_FOLDER", self.data())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut add.stdin.take().unwrap(), b"a long enough password\n").unwrap();
        assert!(add.wait().unwrap().success());
    }

    /// An invitation's link for a role.
    pub(crate) fn invitation(&self, coop: u32, role: &str) -> String {
        let coop = coop.to_string();
        let mut words = vec!["invite", "--coop", &coop, "--role", role];
        if role == "coordinator" {
            self.add_coordinator(&coop);
            words.extend(["--for", "phones"]);
        }
        let printed = self.order(&words);
        printed.lines().map(str::trim).find(|line| line.starts_with("granary://")).unwrap().to_owned()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What the listener for metrics answers to this path.
    pub(crate) fn monitor(&self, path: &str) -> String {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.metrics_port)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    pub(crate) fn phone_folder(&mut self) -> PathBuf {
        self.phones += 1;
        self.folder.path().join(format!("phone-{}", self.phones))
    }

    /// A phone that has enrolled in this role.
    pub(crate) fn phone(&mut self, coop: u32, role: &str) -> Arc<Phone> {
        let folder = self.phone_folder();
        let phone = Phone::open(&folder).unwrap();
        phone.enrol(&self.invitation(coop, role), role.split(':').next().unwrap()).unwrap();
        phone
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn household() -> HouseholdId {
    HouseholdId::from_bytes([7; 16])
}

pub(crate) fn household_role() -> String {
    format!("household:{}", household())
}

pub(crate) fn season() -> Season {
    Season::new(2026).unwrap()
}

pub(crate) fn lot(grams: i64) -> LotDraft {
    LotDraft { grade: "A".into(), ..LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap()) }
}

pub(crate) fn record(phone: &Phone, grams: i64) -> LotId {
    phone.record(household(), season(), &lot(grams)).unwrap()
}

pub(crate) fn lots(phone: &Phone) -> Vec<LotRow> {
    phone.lots(&LotFilter { limit: u32::MAX, ..LotFilter::default() }).unwrap()
}

/// How long anything may take to come about, on a machine that has other work too.
const COMES_ABOUT_WITHIN: std::time::Duration = std::time::Duration::from_secs(120);

/// Syncs all phones until `check` holds; admission runs behind the acknowledgement, so this may take some
/// rounds.
pub(crate) fn sync_until(phones: &[&Phone], check: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while began.elapsed() < COMES_ABOUT_WITHIN {
        for phone in phones {
            match phone.sync_now() {
                // The rate limit of a device may refuse a sync.
                Ok(_) | Err(Error::Refused { kind: ProblemKind::Busy, .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        if phones.iter().all(|phone| phone.status().unsent == 0) && check() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    let seen: Vec<String> =
        phones.iter().map(|phone| format!("{} lots, {:?}", lots(phone).len(), phone.status())).collect();
    panic!("it never came about:\n{}", seen.join("\n"));
}

/// Syncs all phones until they hold the same.
pub(crate) fn converge(phones: &[&Phone]) {
    sync_until(phones, || {
        let heads: Vec<_> = phones.iter().map(|phone| phone.heads().unwrap()).collect();
        heads.windows(2).all(|pair| pair[0] == pair[1])
    });
}

/// Syncs a phone until it lists this many lots.
pub(crate) fn sync_until_lots(phone: &Phone, count: usize) {
    sync_until(&[phone], || lots(phone).len() == count);
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
