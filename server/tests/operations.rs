//! What operators meet beside the server itself: a pipe that ends early, the units of systemd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::{Command, Stdio};

fn granary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_granary"))
}

// `granary config | head -1` ended in a panic.
#[test]
fn command_ends_quietly_when_its_reader_has_gone() {
    for both in [false, true] {
        let (reader, writer) = std::io::pipe().unwrap();
        let errors = if both { Stdio::from(writer.try_clone().unwrap()) } else { Stdio::piped() };
        drop(reader);
        let done = granary().arg("config").stdout(writer).stderr(errors).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let folder = tempfile::tempdir().unwrap();
    let failing = granary().args(["devices", "--folder"]).arg(folder.path()).stderr(writer).status().unwrap();
    assert_eq!(failing.code(), Some(1), "a command that fails still fails, though nobody reads why");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let done = granary().arg("config").stdout(full).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("could not be written"));
}

// The documented backup went to a folder that the documented unit makes read-only.
#[test]
fn unit_of_the_server_allows_the_folder_of_the_backup() {
    let read = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations/");
        std::fs::read_to_string(format!("{folder}{name}")).unwrap()
    };
    let setting = |unit: &str, name: &str| {
        let found = unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned).unwrap_or_default()
    };
    let backup = read("granary-backup.service");
    let command = setting(&backup, "ExecStart");
    let to = command.split("--to ").nth(1).unwrap().split(' ').next().unwrap();
    let state = to.strip_prefix("/var/lib/").expect("a state directory");
    for unit in [read("granary.service"), backup] {
        assert!(setting(&unit, "StateDirectory").split(' ').any(|folder| folder == state), "{unit}");
    }
    assert!(read("granary-backup.timer").contains("OnCalendar="));
}
