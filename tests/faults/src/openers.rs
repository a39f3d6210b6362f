//! Several processes on one phone's folder, killed at any moment: all that one of them was told is recorded is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use granary_client_core::error::Error;
use granary_client_core::phone::{Opening, Phone};

use crate::phone::{FOLDER, Running, converge, notes, record};
use crate::server::Server;
use crate::{any, head, row};

/// Lots of one opening at most.
const LOTS_MAX: u64 = 3;

/// The process: opens the phone, records some lots, prints each that was recorded, syncs at times, and closes it.
pub(crate) fn main() -> ExitCode {
    let folder = std::env::var_os(FOLDER).unwrap();
    let opening = Opening { doing: "an opener", wait: Duration::from_millis(500), ..Opening::default() };
    let mut number = any(u64::from(u32::MAX)) << 20;
    loop {
        let phone = match Phone::open_as(Path::new(&folder), &opening) {
            Ok(phone) => phone,
            Err(Error::InUse { by }) => {
                assert!(by.contains("process") || by == "another program", "{by}");
                continue;
            }
            other => other.unwrap(),
        };
        assert!(phone.device().is_some(), "the phone is not enrolled any more");
        assert!(phone.damage().is_empty(), "{:?}", phone.damage());
        for _ in 0..=any(LOTS_MAX) {
            number += 1;
            println!("recorded {}", record(&phone, number));
        }
        if any(4) == 0 {
            let _ = phone.sync_now();
        }
    }
}

pub(crate) fn run(rounds: u32, count: usize) -> bool {
    let mut server = Server::started();
    let coordinator = Phone::open(&server.phone("coordinator")).unwrap();
    let folder = server.phone("household:new");
    let recorded = Arc::new(Mutex::new(BTreeSet::new()));
    let start = || Running::start("opener", &folder, &recorded);
    let mut running: Vec<Running> = (0..count).map(|_| start()).collect();
    for _ in 0..rounds {
        std::thread::sleep(Duration::from_millis(20 + any(200)));
        let victim = usize::try_from(any(count as u64)).unwrap();
        running[victim].kill();
        running[victim] = start();
    }
    running.iter_mut().for_each(Running::kill);
    let phone = Phone::open(&folder).unwrap();
    let recorded = recorded.lock().unwrap();
    let missing = |phone: &Phone| {
        let here: BTreeSet<String> = notes(phone).into_iter().collect();
        recorded.difference(&here).count()
    };
    let lost_here = missing(&phone);
    converge(&[&phone, &coordinator]);
    let lost = missing(&coordinator);
    let all = notes(&coordinator);
    let twice = all.len() - all.iter().collect::<BTreeSet<_>>().len();
    head();
    row("`kill -9` of one of several processes on one phone's folder", rounds, lost_here.max(lost));
    println!("lots whose recording returned: {}, with the coordinator: {}", recorded.len(), all.len());
    println!("lost on the phone: {lost_here}, lost at the coordinator's: {lost}, there twice: {twice}");
    lost_here == 0 && lost == 0 && twice == 0 && !recorded.is_empty()
}
