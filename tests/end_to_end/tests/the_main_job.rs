//! A harvest recorded with no signal reaches the coordinator, whole and once.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::world::{World, converge, copy_folder, household, household_role, lots, record, season, sync_until};
use granary_client_core::conflicts::CaseState;
use granary_client_core::error::Error;
use granary_client_core::phone::Phone;
use granary_client_core::projection::CaseFilter;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Grams;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::LotEdit;
use granary_client_core::transport::{HttpsTransport, LineFault, Outgoing, Route, Transport};

fn grams(grams: i64) -> LotEdit {
    LotEdit::Quantity(Grams::new(grams).unwrap())
}

/// Two phones correct one lot offline. Phones and coordinator all hold both values, until the coordinator corrects
/// the lot.
#[test]
fn conflict_keeps_both_values() {
    let mut world = World::new();
    let li = world.phone(1, &household_role());
    let wang = world.phone(1, &household_role());
    let coordinator = world.phone(1, "coordinator");
    let lot = record(&li, 12_500);
    converge(&[&li, &wang]);
    assert_eq!(lots(&wang).len(), 1);

    // Both are offline, and correct the same lot.
    li.correct(&lot, &[grams(13_000)]).unwrap();
    wang.correct(&lot, &[grams(14_000)]).unwrap();
    record(&wang, 8_000);
    converge(&[&wang, &coordinator, &li]);

    for phone in [&li, &wang, &coordinator] {
        assert_eq!(lots(phone).len(), 2);
        let conflicts = phone.conflicts(household(), season()).unwrap();
        assert_eq!(conflicts.len(), 1);
        let mut values: Vec<&str> = conflicts[0].values.iter().map(|value| value.value.as_str()).collect();
        values.sort_unstable();
        assert_eq!(values, ["13000", "14000"]);
    }
    coordinator.correct(&lot, &[grams(14_000)]).unwrap();
    converge(&[&coordinator, &li, &wang]);
    assert!(li.conflicts(household(), season()).unwrap().is_empty());
}

/// Two coordinators settle one case without knowing of each other. All converge to one value, the case stays closed,
/// and both settlements stay visible.
#[test]
fn concurrent_settlements_keep_case_closed() {
    let mut world = World::new();
    let (li, wang) = (world.phone(1, &household_role()), world.phone(1, &household_role()));
    let (zhang, zhao) = (world.phone(1, "coordinator"), world.phone(1, "coordinator"));
    let lot = record(&li, 12_500);
    converge(&[&li, &wang]);
    li.correct(&lot, &[grams(13_000)]).unwrap();
    wang.correct(&lot, &[grams(14_000)]).unwrap();
    converge(&[&li, &wang]);
    converge(&[&zhang, &zhao]);
    sync_until(&[&zhang, &zhao], || {
        [&zhang, &zhao].iter().all(|phone| phone.conflicts(household(), season()).unwrap().len() == 1)
    });
    // The settlements are concurrent.
    let conflict = zhang.conflicts(household(), season()).unwrap().remove(0);
    // A decision that can't be written leaves the values as they are too.
    assert!(zhang.settle(&conflict, "13000", "", "").is_err());
    assert_eq!(zhang.conflicts(household(), season()).unwrap(), std::slice::from_ref(&conflict));
    zhang.settle(&conflict, "13000", "Zhang", "asked Li").unwrap();
    zhao.settle(&conflict, "14000", "Zhao", "asked Wang").unwrap();
    assert_eq!(li.settle(&conflict, "1", "Li", ""), Err(Error::NotAllowed));
    converge(&[&zhang, &zhao]);
    for phone in [&zhang, &zhao] {
        let cases = phone.cases(&CaseFilter::default()).unwrap();
        assert_eq!(cases.iter().map(|case| case.state).collect::<Vec<_>>(), [CaseState::SettledTwice]);
        // Both values and both people are still there to be seen.
        assert_eq!(cases[0].contenders.len(), 2);
        assert!(cases[0].contenders.iter().all(|value| value.settles));
    }
    assert_eq!(lots(&zhang)[0].grams, lots(&zhao)[0].grams);
}

#[test]
fn thousand_records_sync_in_two_exchanges() {
    let mut world = World::new();
    let li = world.phone(1, &household_role());
    li.sync_now().unwrap();
    for number in 0..1000 {
        record(&li, 10_000 + number);
    }
    assert!(li.sync_now().unwrap().exchanges <= 2);
    assert_eq!(li.status().unsent, 0);
    let coordinator = world.phone(1, "coordinator");
    converge(&[&li, &coordinator]);
    assert_eq!(lots(&coordinator).len(), 1000);
}

/// `kill -9` of the server three times, while six phones record and sync.
#[test]
fn killed_server_keeps_acknowledged_lots() {
    let mut world = World::new();
    let phones: Vec<std::sync::Arc<Phone>> = (0..6).map(|_| world.phone(1, &household_role())).collect();
    for round in 0..3 {
        std::thread::scope(|scope| {
            for (index, phone) in phones.iter().enumerate() {
                scope.spawn(move || {
                    for number in 0..10 {
                        record(phone, 1_000 + round * 100 + number * 10 + index as i64);
                        // The kill may break this sync.
                        let _ = phone.sync_now();
                    }
                });
            }
            world.kill();
        });
        world.start();
    }
    converge(&phones.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    assert_eq!(lots(&phones[0]).len(), 6 * 10 * 3);
}

/// The child process of the next test: records until it is killed, and prints each lot whose `record` returned.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn records_until_killed() {
    let Some(folder) = std::env::var_os("GRANARY_TEST_PHONE") else { return };
    let phone = Phone::open(std::path::Path::new(&folder)).unwrap();
    for number in 0.. {
        let lot = record(&phone, 5_000 + number);
        println!("returned {lot}");
    }
}

/// A phone process is killed eight times while it records. Each lot whose `record` returned is in its store.
#[test]
fn killed_phone_keeps_recorded_lots() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let mut world = World::new();
    let folder = world.phone_folder();
    Phone::open(&folder).unwrap().enrol(&world.invitation(1, &household_role()), "li").unwrap();
    let mut returned: Vec<String> = Vec::new();
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "the_main_job::records_until_killed", "--nocapture"])
            .env("GRANARY_TEST_PHONE", &folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The child goes on recording while it is killed, so the kill falls anywhere in a record.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let returned_lot = |line: String| line.split_once("returned ").map(|(_, lot)| lot.to_owned());
        returned.extend(lines.by_ref().filter_map(returned_lot).take(3 + round * 5));
        child.kill().unwrap();
        returned.extend(lines.filter_map(returned_lot).filter(|lot| lot.contains('@')));
        child.wait().unwrap();
    }
    let phone = Phone::open(&folder).unwrap();
    assert_eq!(phone.damage(), []);
    let here: Vec<String> = lots(&phone).into_iter().map(|row| row.lot.to_string()).collect();
    assert!(returned.len() >= 8 * 3);
    // The last line of a killed child may itself be cut short.
    let missing = returned.iter().filter(|lot| !here.contains(lot) && lot.len() >= here[0].len());
    assert_eq!(missing.count(), 0);
    phone.sync_now().unwrap();
    assert_eq!(phone.status().unsent, 0);
}

/// The server's folder is replaced by an older copy, without `granary restore`. The phones notice, and send back what
/// the server has lost, also from a phone that enrolled after the copy was made.
#[test]
fn rolled_back_server_recovers_lots_from_phones() {
    let mut world = World::new();
    let li = world.phone(1, &household_role());
    let coordinator = world.phone(1, "coordinator");
    record(&li, 1_000);
    converge(&[&li, &coordinator]);
    world.kill();
    let backup = world.folder.path().join("backup");
    copy_folder(&world.data(), &backup);
    world.start();

    let late = world.phone(1, &household_role());
    record(&li, 2_000);
    record(&late, 3_000);
    converge(&[&li, &coordinator, &late]);
    world.kill();
    std::fs::remove_dir_all(world.data()).unwrap();
    copy_folder(&backup, &world.data());
    world.start();

    // Syncs alone recover everything; a phone that enrolled after the backup is reinstated.
    for _ in 0..3 {
        for phone in [&late, &li, &coordinator] {
            phone.sync_now().unwrap();
        }
    }
    let fresh = world.phone(1, "coordinator");
    converge(&[&fresh, &li, &coordinator, &late]);
    assert_eq!(lots(&fresh).len(), 3);
}

#[test]
fn phone_sees_only_its_cooperative() {
    let mut world = World::new();
    world.order(&["coop", "create", "Another Company"]);
    let li = world.phone(1, &household_role());
    let stranger = world.phone(2, "coordinator");
    record(&li, 1_000);
    converge(&[&li]);
    // The same household and season, in another co-operative: another document.
    record(&stranger, 9_000);
    converge(&[&stranger]);
    li.sync_now().unwrap();
    assert_eq!(lots(&li).len(), 1);
    assert_eq!(lots(&stranger).len(), 1);

    // A household can't write the warehouse's book.
    let refused = li.receive(
        &lots(&li)[0].lot,
        &granary_client_core::schema::receipt::Outcome::Rejected { reason: "wet".into() },
        "2026-10-04".parse().unwrap(),
    );
    assert_eq!(refused, Err(Error::NotAllowed));
}

#[test]
fn revoked_phone_is_refused_and_keeps_its_lots() {
    let mut world = World::new();
    let li = world.phone(1, &household_role());
    record(&li, 1_000);
    converge(&[&li]);
    world.order(&["revoke", "--coop", "1", &li.device().unwrap().to_string()]);
    record(&li, 4_000);
    let refused = li.sync_now();
    assert!(matches!(refused, Err(Error::Refused { kind: ProblemKind::DeviceRevoked, .. })), "{refused:?}");
    assert_eq!(li.status().unsent, 1, "what was not sent stays on the phone");
    let coordinator = world.phone(1, "coordinator");
    converge(&[&coordinator]);
    assert!(lots(&coordinator).iter().all(|row| row.grams != Some(4_000)));
}

/// A proxy to `port`. While `swallow` is set, it drops replies of the server and closes the connection.
fn proxy(port: u16, swallow: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().take(50) {
            let mut client = client.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
            let swallow = Arc::clone(&swallow);
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(read) = server.read(&mut buffer) {
                    if read == 0 || swallow.load(Ordering::SeqCst) || client.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    own
}

/// The server takes a lot, and its reply is lost. The retry changes no heads.
#[test]
fn retry_after_lost_reply_adds_nothing() {
    let mut world = World::new();
    let mut link: granary_client_core::transport::ServerLink = world.invitation(1, &household_role()).parse().unwrap();
    let swallow = Arc::new(AtomicBool::new(false));
    link.port = proxy(link.port, Arc::clone(&swallow));
    let li = Phone::open(&world.phone_folder()).unwrap();
    li.enrol(&link.to_string(), "li").unwrap();
    li.sync_now().unwrap();
    let coordinator = world.phone(1, "coordinator");

    record(&li, 1_000);
    swallow.store(true, Ordering::SeqCst);
    assert!(matches!(li.sync_now(), Err(Error::Line(_))));
    assert_eq!(li.status().unsent, 1, "the lot");
    // The server has ingested it, and the coordinator sees it before the retry.
    while lots(&coordinator).is_empty() {
        coordinator.sync_now().unwrap();
    }
    let heads = coordinator.heads().unwrap();
    swallow.store(false, Ordering::SeqCst);
    converge(&[&li, &coordinator]);
    assert_eq!(coordinator.heads().unwrap(), heads);
    assert_eq!(lots(&coordinator).len(), 1);
}

#[test]
fn invitation_works_once() {
    let mut world = World::new();
    let link = world.invitation(1, "packer");
    let (first, second) = (world.phone_folder(), world.phone_folder());
    let first = Phone::open(&first).unwrap();
    for _ in 0..2 {
        let shown = first.look_at_invitation(&link).unwrap();
        assert_eq!(
            (shown.cooperative_name.as_str(), shown.role),
            ("Linxian County Growers", Role::Packer),
            "looking uses nothing up"
        );
    }
    first.enrol(&link, "one").unwrap();
    let looked = first.look_at_invitation(&link);
    assert!(matches!(looked, Err(Error::Refused { kind: ProblemKind::BadInvitation, .. })), "{looked:?}");
    let again = Phone::open(&second).unwrap().enrol(&link, "two");
    assert!(matches!(again, Err(Error::Refused { kind: ProblemKind::BadInvitation, .. })), "{again:?}");
}

#[test]
fn bad_requests_get_typed_errors() {
    let world = World::new();
    let link = world.invitation(1, "packer");
    let transport = HttpsTransport::new(&link.parse().unwrap()).unwrap();
    let kind = |route, body: Vec<u8>| match transport.exchange(route, Outgoing::Bytes(body)) {
        Err(Error::Refused { kind, detail }) => {
            assert!(detail.len() > 10, "a sentence: {detail}");
            kind
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(Route::Sync, vec![]), ProblemKind::Malformed);
    assert_eq!(kind(Route::Sync, vec![99; 100]), ProblemKind::UnknownVersion);
    assert_eq!(kind(Route::Sync, vec![1; 40]), ProblemKind::Malformed);
    assert_eq!(kind(Route::Sync, vec![1; 200]), ProblemKind::UnknownDevice);
    assert_eq!(kind(Route::Enrol, vec![1; 200]), ProblemKind::Malformed);
    assert_eq!(kind(Route::Reinstate, vec![1; 200]), ProblemKind::BadSignature);
    assert_eq!(kind(Route::Sync, vec![1; 5 << 20]), ProblemKind::TooLarge);
}

/// A phone pins the authority of its invitation, and a server under another one is refused before the phone sends anything.
#[test]
fn wrong_authority_is_refused() {
    let world = World::new();
    let mut wrong: granary_client_core::transport::ServerLink = world.invitation(1, "packer").parse().unwrap();
    wrong.fingerprint = Some([3; 32]);
    let refused = HttpsTransport::new(&wrong).unwrap().exchange(Route::Sync, Outgoing::Bytes(vec![1]));
    assert!(matches!(refused, Err(Error::Line(LineFault::Intercepted { .. }))), "{refused:?}");
}
