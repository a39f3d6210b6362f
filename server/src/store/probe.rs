//! Opens the store first in a child process with a time limit: a damaged metadata log can make sled hang or abort at
//! open, which then happens to the child. The child prints its fault as a code, so that a full disk stays a full disk.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use granary_client_core::store::StoreFault;

use crate::error::Error;

/// Opening takes under a second for a million records; this is for slow disks.
const TIME_BASE: Duration = Duration::from_secs(60);
/// More time for each gigabyte that has to be read.
const TIME_PER_GIGABYTE: Duration = Duration::from_secs(120);
/// The interval at which the child is polled.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Bytes of a child's output that are read at most.
const OUTPUT_MAX: u64 = 64 * 1024;

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

/// What the child prints about a fault of the store, in one line.
pub(crate) fn line_of(fault: &StoreFault) -> String {
    let detail: String = fault.detail().chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    format!("{}\t{detail}", fault.code())
}

/// The fault in the child's output; none when it printed none.
fn fault_in(output: &str) -> Option<StoreFault> {
    let (code, detail) = output.lines().last()?.split_once('\t')?;
    StoreFault::of_code(code, detail)
}

/// The error of a store that can't be opened, for the operator.
pub(crate) fn unusable(store: &Path, fault: StoreFault) -> Error {
    let store = store.display().to_string();
    match fault {
        StoreFault::InUse => Error::StoreInUse { store },
        StoreFault::Corrupt(reason) => Error::StoreDamaged { store, reason },
        StoreFault::Damaged(_) => Error::StoreDamaged { store, reason: fault.to_string() },
        fault => Error::StoreUnusable { store, fault },
    }
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

/// What a child printed. Without readable output its status decides.
fn all_of(pipe: Option<impl std::io::Read>) -> String {
    let mut output = Vec::new();
    if let Some(pipe) = pipe {
        let _ = std::io::Read::read_to_end(&mut pipe.take(OUTPUT_MAX), &mut output);
    }
    String::from_utf8_lossy(&output).into_owned()
}

/// Opens a store in a child process, and gives its findings. It is the store of this server's folder, or one that was set
/// aside.
pub(crate) fn in_child(folder: &Path, store: &Path, how: How) -> Result<(), Error> {
    if !store.exists() {
        return Ok(());
    }
    let failed = |what: &str| Error::StoreDamaged { store: store.display().to_string(), reason: what.to_owned() };
    let not_probed = |error: std::io::Error| match StoreFault::of_io(&error) {
        fault @ (StoreFault::TooManyFiles | StoreFault::Full) => unusable(store, fault),
        _ if error.kind() == std::io::ErrorKind::NotFound => Error::ProgramGone,
        _ => Error::ProbeFailed { reason: error.to_string() },
    };
    let program = std::env::current_exe().map_err(not_probed)?;
    let mut child = Command::new(program)
        .arg(SUBCOMMAND)
        .arg(folder)
        .arg("--store")
        .arg(store)
        .args((how == How::OpenOnly).then_some("--open-only"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_probed)?;
    let gigabytes = u32::try_from(bytes_in(store) >> 30).unwrap_or(u32::MAX);
    let limit = TIME_BASE.saturating_add(TIME_PER_GIGABYTE.saturating_mul(gigabytes));
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                if status.success() {
                    return Ok(());
                }
                if let Some(fault) = fault_in(&all_of(child.stdout.take())) {
                    return Err(unusable(store, fault));
                }
                let output = all_of(child.stderr.take());
                return Err(failed(output.lines().last().unwrap_or("opening it ended the process")));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_of_the_child_is_the_fault_of_the_parent() {
        for fault in [
            StoreFault::InUse,
            StoreFault::Full,
            StoreFault::TooManyFiles,
            StoreFault::NoAccess("permission denied".into()),
            StoreFault::Corrupt("crc".into()),
        ] {
            assert_eq!(fault_in(&format!("{}\n", line_of(&fault))), Some(fault));
        }
        assert_eq!(fault_in("thread main panicked"), None);
        assert_eq!(fault_in(""), None);
    }

    #[test]
    fn only_damage_says_repair() {
        let said = |fault| unusable(Path::new("store"), fault).to_string();
        assert!(said(StoreFault::Corrupt("crc".into())).contains("granary repair"));
        for fault in [StoreFault::InUse, StoreFault::Full, StoreFault::TooManyFiles, StoreFault::Io("no".into())] {
            assert!(!said(fault.clone()).contains("repair"), "{fault}");
        }
        assert!(said(StoreFault::InUse).contains("another granary already serves this folder"));
        assert!(said(StoreFault::Full).contains("the disk is full"));
        assert!(said(StoreFault::TooManyFiles).contains("too many files are open"));
    }
}
