//! The phone in the browser, in a real one. The steps are in `tests/browser`; this side runs the server, and looks at what
//! came of it there.

use std::collections::BTreeMap;
use std::path::Path;

use granary_client_core::phone::Phone;
use granary_client_core::projection::LotFilter;
use granary_client_core::schema::access::Role;
use granary_server::access::Principal;

use crate::in_a_browser::{HOUSEHOLD, now, prepare, run_script, run_tests, started, with_app};

#[test]
fn screens_hold_in_a_browser() {
    if prepare() {
        run_tests(&["recording", "lots", "joining", "packer", "looks", "scan"]);
    }
}

#[test]
fn worker_store_and_updates_hold_in_a_browser() {
    if prepare() {
        run_tests(&["schedule", "edge", "updates", "killed"]);
    }
}

/// A card of the console's sheet, held before the camera of a recorder's phone, leads to its household.
#[test]
fn household_card_of_the_console_is_scanned_by_a_recorders_phone() {
    if !prepare() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (server, coop) = started(&runtime, with_app(folder.path()));
    let granary = server.granary();
    granary.add_coordinator(coop, "zhang", "张会计", "a password of hers", now()).unwrap();
    let desk = format!(
        "https://{}/console/once/{}",
        server.public_address(),
        granary.sign_in_once(coop, "zhang", now()).unwrap()
    );
    let code = granary.invite_recorder(Principal::Operator, coop, &["dongpo".into()], 1, now()).unwrap().code;
    let app = format!("http://{}/app/", server.app_address().unwrap());
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    run_script(&["card.mjs", &desk, &app.replace("127.0.0.1", "localhost"), &code, "李家", shots.to_str().unwrap()]);

    granary.settle(&granary.cooperative(coop).unwrap());
    let code = granary.invite(coop, Role::Household(HOUSEHOLD), 1, now()).unwrap().code;
    let own = Phone::open(&folder.path().join("li")).unwrap();
    own.enrol(&format!("granary://{}/{code}#{}", server.public_address(), server.fingerprint()), "李家").unwrap();
    own.sync_now().unwrap();
    let lots = own.lots(&LotFilter::default()).unwrap();
    assert_eq!(lots.iter().map(|row| row.grams).collect::<Vec<_>>(), [Some(12_000)], "24 jin");
    runtime.block_on(server.stop());
}

/// While the core's second part doesn't come, a household joins, records and sends; with it, corrects.
#[test]
fn the_first_part_of_the_core_carries_the_first_harvest() {
    if !prepare() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (server, coop) = started(&runtime, with_app(folder.path()));
    let granary = server.granary();
    let code = granary.invite(coop, Role::Household(HOUSEHOLD), 1, now()).unwrap().code;
    run_script(&["two_parts.mjs", &format!("http://{}", server.app_address().unwrap()), &code]);
    runtime.block_on(server.stop());
}

/// One day: what a household recorded in the browser, offline, closed and killed again and again, is with the co-operative
/// after a sync on a line that was cut; a coordinator's phone has it, each lot once, with the weight that was told last.
#[test]
fn one_day_of_a_phone_in_the_browser() {
    if !prepare() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (server, coop) = started(&runtime, with_app(folder.path()));
    let granary = server.granary();
    let invite = |role| granary.invite(coop, role, 1, now()).unwrap().code;
    let told = folder.path().join("told.json");
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    run_script(&[
        "day.mjs",
        &format!("http://{}", server.app_address().unwrap()),
        &invite(Role::Household(HOUSEHOLD)),
        told.to_str().unwrap(),
        shots.to_str().unwrap(),
    ]);
    let told: BTreeMap<String, i64> = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    assert!(told.len() >= 20, "{}", told.len());

    granary.settle(&granary.cooperative(coop).unwrap());
    let coordinator = Phone::open(&folder.path().join("coordinator")).unwrap();
    let link = format!("granary://{}/{}#{}", server.public_address(), invite(Role::Coordinator), server.fingerprint());
    coordinator.enrol(&link, "coordinator").unwrap();
    coordinator.sync_now().unwrap();
    let lots = coordinator.lots(&LotFilter { limit: 1_000, ..LotFilter::default() }).unwrap();
    let weights: BTreeMap<String, i64> = lots.iter().map(|row| (row.lot.to_string(), row.grams.unwrap())).collect();
    assert_eq!((lots.len(), weights), (told.len(), told));
    runtime.block_on(server.stop());
}
