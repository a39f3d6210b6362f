//! `kill -9` of the server and of phones, at any moment of a load.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use granary_client_core::phone::Phone;

use crate::phone::{Running, converge, notes};
use crate::server::Server;
use crate::{any, head, row};

/// Rounds of a phone at most. Each round makes its book longer, and the size of a document is limited.
const ROUNDS_A_HOUSEHOLD: u32 = 10;

pub(crate) fn run(rounds: u32, count: usize) -> bool {
    let mut server = Server::started();
    let coordinator = Phone::open(&server.phone("coordinator")).unwrap();
    let recorded = Arc::new(Mutex::new(BTreeSet::new()));
    let mut kills = 0u64;
    let mut folders = Vec::new();
    let mut all_folders = Vec::new();
    let mut running: Vec<Running> = Vec::new();
    for round in 0..rounds {
        if round % ROUNDS_A_HOUSEHOLD == 0 {
            running.iter_mut().for_each(Running::kill);
            kills += running.len() as u64;
            folders = (0..count).map(|_| server.phone("household:new")).collect();
            all_folders.extend(folders.clone());
            running = folders.iter().map(|folder| Running::start("phone", folder, &recorded)).collect();
        }
        std::thread::sleep(Duration::from_millis(50 + any(600)));
        server.kill();
        for (phone, folder) in running.iter_mut().zip(&folders) {
            if any(2) == 0 {
                phone.kill();
                kills += 1;
                *phone = Running::start("phone", folder, &recorded);
            }
        }
        std::thread::sleep(Duration::from_millis(any(150)));
        server.start();
    }
    running.iter_mut().for_each(Running::kill);
    kills += running.len() as u64;
    let phones: Vec<Arc<Phone>> = all_folders.iter().map(|folder| Phone::open(folder).unwrap()).collect();
    let damage: usize = phones.iter().map(|phone| phone.damage().len()).sum();
    let together: Vec<&Phone> = phones.iter().chain([&coordinator]).map(AsRef::as_ref).collect();
    converge(&together);
    let here = notes(&coordinator);
    let distinct: BTreeSet<String> = here.iter().cloned().collect();
    let recorded = recorded.lock().unwrap();
    let lost = recorded.difference(&distinct).count();
    let twice = here.len() - distinct.len();
    head();
    row("`kill -9` of the server under load", rounds, lost);
    row("`kill -9` of a phone while it records and syncs", kills, lost);
    println!("lots whose recording returned: {}, with the coordinator: {}", recorded.len(), distinct.len());
    println!("lost: {lost}, there twice: {twice}, records found damaged: {damage}");
    lost == 0 && twice == 0 && damage == 0 && !recorded.is_empty()
}
