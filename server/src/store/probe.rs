//! Opens the store first in a child process with a time limit: a damaged metadata log can make sled hang or abort at
//! open, which then happens to the child.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Opening takes under a second for a million records; this is for slow disks.
const TIME_BASE: Duration = Duration::from_secs(60);
/// More time for each gigabyte that has to be read.
const TIME_PER_GIGABYTE: Duration = Duration::from_secs(120);
/// The interval at which the child is polled.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The subcommand that a child runs; see [`in_child`].
pub(crate) const SUBCOMMAND: &str = "probe-store";

/// The child's task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Opens the store and checks the end of each log.
    Look,
    /// Only opens it.
    OpenOnly,
}

/// Bytes of all files under a folder.
pub(crate) fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_in(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .fold(0, u64::saturating_add)
}

/// Opens the store of this server's folder in a child process, and gives its findings.
pub(crate) fn in_child(folder: &Path, store: &Path, how: How) -> Result<(), Error> {
    if !store.exists() {
        return Ok(());
    }
    let failed = |what: &str| Error::StoreDamaged { store: store.display().to_string(), reason: what.to_owned() };
    let not_probed = |error: std::io::Error| Error::ProbeFailed { reason: error.to_string() };
    let program = std::env::current_exe().map_err(not_probed)?;
    let mut child = Command::new(program)
        .arg(SUBCOMMAND)
        .arg(folder)
        .args((how == How::OpenOnly).then_some("--open-only"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_probed)?;
    let gigabytes = u32::try_from(bytes_in(store) >> 30).unwrap_or(u32::MAX);
    let limit = TIME_BASE.saturating_add(TIME_PER_GIGABYTE.saturating_mul(gigabytes));
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let mut output = String::new();
                if let Some(mut stderr) = child.stderr.take() {
                    // Without readable output the child's status decides.
                    let _ = std::io::Read::read_to_string(&mut stderr, &mut output);
                }
                let output = output.lines().last().unwrap_or("opening it ended the process").to_owned();
                return if status.success() { Ok(()) } else { Err(failed(&output)) };
            }
            Ok(None) if began.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed("opening it does not end"));
            }
            Ok(None) => std::thread::sleep(LOOK_EVERY),
            Err(error) => return Err(not_probed(error)),
        }
    }
}
