//! A phone process: it records and syncs until it is killed, and prints each lot whose `record` returned.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use granary_client_core::phone::Phone;
use granary_client_core::projection::LotFilter;
use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::LotDraft;

use crate::AS;

pub(crate) const FOLDER: &str = "GRANARY_FAULTS_PHONE";
/// Lots between two syncs.
const LOTS_A_SYNC: u32 = 4;

/// Records one lot with a unique note; gives the note once it is durable.
pub(crate) fn record(phone: &Phone, number: u64) -> String {
    let note = format!("{} {number}", phone.device().unwrap());
    let grams = Grams::new(1_000 + i64::try_from(number % 5_000).unwrap()).unwrap();
    let draft = LotDraft { note: note.clone(), ..LotDraft::new("millet", grams, "2026-10-03".parse().unwrap()) };
    phone.record_of_day(phone.household().unwrap(), &draft).unwrap();
    note
}

/// The notes of all lots of a phone.
pub(crate) fn notes(phone: &Phone) -> Vec<String> {
    let rows = phone.lots(&LotFilter { limit: u32::MAX, ..LotFilter::default() }).unwrap();
    rows.into_iter().map(|row| row.note).collect()
}

/// The process.
pub(crate) fn main() -> ExitCode {
    let phone = Phone::open(Path::new(&std::env::var_os(FOLDER).unwrap())).unwrap();
    let begun = crate::any(u64::from(u32::MAX)) << 20;
    for number in begun.. {
        println!("recorded {}", record(&phone, number));
        if number % u64::from(LOTS_A_SYNC) == 0 {
            // The server is killed meanwhile, so a sync may fail.
            let _ = phone.sync_now();
        }
    }
    ExitCode::SUCCESS
}

/// A phone's process, and its output so far.
pub(crate) struct Running {
    child: Child,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    /// Starts this program as `role` on the phone of this folder; what it recorded goes into `recorded`.
    pub(crate) fn start(role: &str, folder: &PathBuf, recorded: &Arc<Mutex<BTreeSet<String>>>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(AS, role)
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let recorded = Arc::clone(recorded);
        let reader = std::thread::spawn(move || {
            let mut printed = String::new();
            // The kill may have cut the last line short.
            let _ = std::io::Read::read_to_string(&mut out, &mut printed);
            let whole = printed.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let notes = whole.lines().filter_map(|line| line.strip_prefix("recorded "));
            recorded.lock().unwrap().extend(notes.map(str::to_owned));
        });
        Self { child, reader: Some(reader) }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "a phone ended by itself: {ended:?}");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Syncs these phones, thrice at least, until none has anything to send.
pub(crate) fn converge(phones: &[&Phone]) {
    for round in 0.. {
        assert!(round < 20, "phones do not come to an end");
        let synced = phones.iter().all(|phone| phone.sync_now().is_ok());
        std::thread::sleep(Duration::from_millis(100));
        if synced && round > 1 && phones.iter().all(|phone| phone.status().unsent == 0) {
            return;
        }
    }
}
