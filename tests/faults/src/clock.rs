//! The server's clock jumps by years, forward and back, while phones sync.
//!
//! libfaketime (<https://github.com/wolfcw/libfaketime>) gives the server's process a wrong time.

use std::path::Path;
use std::sync::Arc;

use granary_client_core::phone::{Clock, Phone, SystemClock};
use granary_client_core::quantities::Instant;

use crate::phone::{converge, notes, record};
use crate::server::Server;
use crate::{any, head, row};

/// Where Debian installs it.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];
/// Half of the years that a jump covers.
const DAYS: u64 = 3_650;

pub(crate) fn run(jumps: u32) -> bool {
    let Some(library) = LIBRARIES.into_iter().find(|path| Path::new(path).exists()) else {
        eprintln!("libfaketime is not here: install Debian's package faketime");
        return false;
    };
    let mut server = Server::new();
    let time = server.data().with_file_name("time");
    std::fs::write(&time, "+0").unwrap();
    server.environment = vec![
        ("LD_PRELOAD", library.to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", time.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        // Only the wall clock jumps; timers go on.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    server.start();
    server.order(&["coop", "create", "Linxian County Growers"]);
    let phones: Vec<Arc<Phone>> =
        (0..3).map(|_| server.phone("household:new")).map(|folder| Phone::open(&folder).unwrap()).collect();
    let coordinator = Phone::open(&server.phone("coordinator")).unwrap();
    let mut recorded = Vec::new();
    let mut failed = Vec::new();
    for jump in 0..jumps {
        let days = i64::try_from(any(2 * DAYS)).unwrap() - i64::try_from(DAYS).unwrap();
        std::fs::write(&time, format!("{days:+}d")).unwrap();
        for (index, phone) in phones.iter().enumerate() {
            recorded.push(record(phone, u64::from(jump) * 10 + index as u64));
            failed.extend(phone.sync_now().err().map(|error| format!("after a jump to {days:+} days: {error}")));
        }
        // Else the library did nothing, and nothing was tried.
        let there = SystemClock.now().0 + days * 86_400_000;
        let month: String = Instant(there).to_string().chars().take(7).collect();
        let devices = server.order(&["devices"]);
        assert!(devices.contains(&format!("last heard of {month}")), "the server is not in {month}: {devices}");
        if jump % 7 == 3 {
            server.kill();
            server.start();
        }
    }
    let together: Vec<&Phone> = phones.iter().chain([&coordinator]).map(AsRef::as_ref).collect();
    converge(&together);
    let here = notes(&coordinator);
    let lost = recorded.iter().filter(|note| !here.contains(note)).count();
    head();
    row("the server's clock jumps by up to ten years", jumps, lost);
    println!("syncs that failed: {}", failed.len());
    failed.iter().for_each(|why| println!("    {why}"));
    lost == 0 && here.len() == recorded.len() && failed.is_empty()
}
