//! Reads each nasty order file in a process of its own, and looks at what it answered and at the memory that it took.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use granary_hostile::{NASTY, Nasty};

/// A file of 20 MB may take as much, itself included.
const RESIDENT_MAX: u64 = 250 * 1024;
/// A reader that takes longer than this hangs; none takes ten seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// The most memory in KB, and the answer.
fn read(path: &Path) -> (u64, String) {
    let mut reader = Command::new(env!("CARGO_BIN_EXE_granary-hostile"))
        .arg("--read-order-file")
        .arg(path)
        // As the server has it.
        .env("MIMALLOC_PURGE_DELAY", "0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = reader.stdout.take().unwrap();
    let (send, said) = channel();
    let listener = thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        send.send(text).unwrap();
    });
    let Ok(text) = said.recv_timeout(PATIENCE) else {
        reader.kill().unwrap();
        reader.wait().unwrap();
        return (0, "hung".to_owned());
    };
    listener.join().unwrap();
    if !reader.wait().unwrap().success() {
        return (0, "panicked".to_owned());
    }
    let (peak, answer) = text.trim_end().split_once(' ').unwrap();
    (peak.parse().unwrap(), answer.to_owned())
}

/// Makes a file, has it read, and says what is wrong with the answer.
fn fault_of(file: &Nasty, path: &Path) -> Option<String> {
    let bytes = (file.make)();
    std::fs::write(path, &bytes).unwrap();
    let megabytes = bytes.len() as f64 / 1e6;
    drop(bytes);
    let (peak, answer) = read(path);
    let told = format!("| {} | {megabytes:.1} | {answer} | {} |", file.name, peak / 1024);
    println!("{told}");
    (answer != file.answer || peak > RESIDENT_MAX).then_some(told)
}

#[test]
fn nasty_order_files_are_answered_within_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let next = AtomicUsize::new(0);
    // Two at a time, each the next one.
    let reader = |name: &str| {
        let path = folder.path().join(name);
        std::iter::from_fn(|| NASTY.get(next.fetch_add(1, Ordering::SeqCst)))
            .filter_map(|file| fault_of(file, &path))
            .collect::<Vec<_>>()
    };
    let faults = thread::scope(|scope| {
        let other = scope.spawn(|| reader("one"));
        [reader("another"), other.join().unwrap()].concat()
    });
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
