//! A server process, and its operator's commands.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use granary_client_core::phone::Phone;

use crate::AS;

/// See the module. Killed when dropped.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    pub(crate) port: u16,
    child: Option<Child>,
    phones: u32,
    /// What this program is as the server's process.
    pub(crate) role: &'static str,
    /// Environment variables of the server process, such as `LD_PRELOAD`.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Server {
    /// A server that is not started yet, in a new folder.
    pub(crate) fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self {
            folder: tempfile::tempdir().unwrap(),
            port,
            child: None,
            phones: 0,
            role: "server",
            environment: Vec::new(),
        }
    }

    /// Starts a new server with one co-operative.
    pub(crate) fn started() -> Self {
        let mut server = Self::new();
        server.start();
        server.order(&["coop", "create", "Linxian County Growers"]);
        server
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn start(&mut self) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port), "--folder"])
            .arg(self.data())
            .env(AS, self.role)
            .env("GRANARY_LOG", "error")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
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

    /// Runs an operator's command; gives what it printed.
    pub(crate) fn order(&self, words: &[&str]) -> String {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(words).env(AS, "server").env("GRANARY_FOLDER", self.data()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// An invitation to this role, as a link.
    pub(crate) fn invitation(&self, role: &str) -> String {
        let printed = match role {
            "coordinator" => {
                self.add_coordinator();
                self.order(&["invite", "--role", role, "--for", "zhang"])
            }
            _ => self.order(&["invite", "--role", role]),
        };
        printed.lines().map(str::trim).find(|line| line.starts_with("granary://")).unwrap().to_owned()
    }

    /// An account whose phones the coordinators' phones are; made once, since a new password voids open invitations.
    fn add_coordinator(&self) {
        if self.order(&["coordinator", "list"]).contains("zhang") {
            return;
        }
        let mut add = Command::new(std::env::current_exe().unwrap())
            .args(["coordinator", "add", "zhang", "Zhang Wei"])
            .env(AS, "server")
            .env("GRANARY_FOLDER", self.data())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut add.stdin.take().unwrap(), b"a long enough password\n").unwrap();
        assert!(add.wait().unwrap().success());
    }

    /// Enrols a phone in this role; gives its folder.
    pub(crate) fn phone(&mut self, role: &str) -> PathBuf {
        let link = self.invitation(role);
        self.phones += 1;
        let folder = self.folder.path().join(format!("phone-{}", self.phones));
        Phone::open(&folder).unwrap().enrol(&link, "phone").unwrap();
        folder
    }

    /// The server's resident memory, in kilobytes.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.child.as_ref().unwrap().id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
