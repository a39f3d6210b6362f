//! What the tests in a real browser share.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than the slowest of the browser's scripts on a busy machine.
const SCRIPT_TIME_MAX: Duration = Duration::from_secs(900);

use granary_client_core::ids::HouseholdId;
use granary_client_core::quantities::{Fen, Instant};
use granary_client_core::schema::catalogue::{PriceName, name_product, set_price};
use granary_client_core::schema::{DocumentKey, Part, cooperative, household};
use granary_server::log::CooperativeNumber;
use granary_server::{Config, Edit, Granary, Server};

pub(crate) const HOUSEHOLD: HouseholdId = HouseholdId::from_bytes([7; 16]);

pub(crate) fn now() -> Instant {
    Instant(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

/// Gives a co-operative one village, one household in it, and millet of one grade.
pub(crate) fn furnish(granary: &Granary, coop: CooperativeNumber) {
    let edit = |key, edit: Edit| granary.edit(coop, &key, now(), edit).unwrap();
    edit(DocumentKey::Cooperative(Part::FIRST), Box::new(|doc| cooperative::set_village(doc, "dongpo", "东坡村")));
    edit(DocumentKey::Household(HOUSEHOLD), Box::new(|doc| household::set_name(doc, "李家", "dongpo")));
    edit(
        DocumentKey::Catalogue(Part::FIRST),
        Box::new(|doc| {
            name_product(doc, "millet", "小米", "Millet")?;
            set_price(doc, "millet", &PriceName::new("A".into(), None).unwrap(), Fen::new(760).unwrap())
        }),
    );
}

/// The configuration of a server that serves the app on a port of its own.
pub(crate) fn with_app(folder: &Path) -> Config {
    Config { app_listen: Some("127.0.0.1:0".parse().unwrap()), ..Config::local(folder.join("server"), 0) }
}

/// Starts a server with one furnished co-operative.
pub(crate) fn started(runtime: &tokio::runtime::Runtime, config: Config) -> (Server, CooperativeNumber) {
    let server = runtime.block_on(granary_server::start(config, |fault| panic!("{fault}"))).unwrap();
    let coop = server.granary().create_cooperative("临县农社", now()).unwrap();
    furnish(server.granary(), coop);
    (server, coop)
}

pub(crate) fn browser_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../browser")
}

/// Installs the packages of the browser's script; false if this machine has no browser.
pub(crate) fn prepare() -> bool {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if !Path::new("/usr/bin/chromium").exists() {
        assert!(std::env::var_os("CI").is_none(), "chromium must be installed where CI runs");
        eprintln!("left out: there is no /usr/bin/chromium on this machine");
        return false;
    }
    if !browser_folder().join("node_modules/axe-core").exists() {
        let arguments = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        let status = Command::new("npm").args(arguments).current_dir(browser_folder()).status().unwrap();
        assert!(status.success(), "npm could not install the browser's driver");
    }
    true
}

/// Runs a script of the browser's folder to its end. It and all that it started are ended where it takes too long: a browser
/// or a server that hangs must fail its test, not keep it.
pub(crate) fn run_script(arguments: &[&str]) {
    let mut command = Command::new("node");
    let mut script =
        command.args(arguments).current_dir(browser_folder()).env("QUICK", "1").process_group(0).spawn().unwrap();
    let _watch = end_when_too_long(&script);
    let status = script.wait().unwrap();
    assert!(status.success(), "{arguments:?} failed: {status}");
}

/// Runs `NAME.test.mjs` of each name, one after the other.
pub(crate) fn run_tests(names: &[&str]) {
    let files: Vec<String> = names.iter().map(|name| format!("{name}.test.mjs")).collect();
    let files = files.iter().map(String::as_str);
    run_script(&["--test", "--test-concurrency=1"].into_iter().chain(files).collect::<Vec<_>>());
}

/// As [`run_script`], for a script that says each step of its story on a line, and waits until `done` with it returns.
pub(crate) fn step_script(arguments: &[&str], mut done: impl FnMut(&str)) {
    let mut command = Command::new("node");
    command.args(arguments).current_dir(browser_folder()).process_group(0);
    let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _watch = end_when_too_long(&script);
    let (mut go_on, steps) = (script.stdin.take().unwrap(), BufReader::new(script.stdout.take().unwrap()));
    for step in steps.lines() {
        done(&step.unwrap());
        let _ = writeln!(go_on);
    }
    let status = script.wait().unwrap();
    assert!(status.success(), "{arguments:?} failed: {status}");
}

/// Ends a script that leads a process group, and its group, after the longest time; dropped, it watches no more.
pub(crate) fn end_when_too_long(script: &Child) -> Sender<()> {
    let group = format!("-{}", script.id());
    let (watch, ended) = channel::<()>();
    std::thread::spawn(move || {
        if ended.recv_timeout(SCRIPT_TIME_MAX) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the script took longer than {SCRIPT_TIME_MAX:?}; it is ended");
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        }
    });
    watch
}
