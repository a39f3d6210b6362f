//! Folders that older versions made (`tests/compatibility`), opened with today's code: nothing of them is lost,
//! and what a phone had not sent yet arrives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use std::path::Path;
use std::process::Command;

use granary_client_core::phone::Phone;
use world::{World, lots, sync_until_lots};

/// Where the folders' phones look for their server.
const PORT: u16 = 18_411;

fn unpack(name: &str, to: &Path) {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compatibility").join(name);
    let done = Command::new("tar").arg("-xzf").arg(packed).arg("-C").arg(to).status().unwrap();
    assert!(done.success(), "{name}");
}

#[test]
fn what_every_older_version_kept_is_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compatibility");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tar.gz"))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for name in names {
        let mut world = World::at(PORT);
        unpack(&name, world.folder.path());
        world.start();
        let said = world.order(&["check"]);
        assert!(!said.contains("damaged"), "{name}: {said}");

        let household = Phone::open(&world.folder.path().join("household")).unwrap();
        let coordinator = Phone::open(&world.folder.path().join("coordinator")).unwrap();
        assert_eq!((household.damage(), coordinator.damage()), (&[][..], &[][..]), "{name}");
        assert_eq!(lots(&household).len(), 3, "{name}");
        assert_eq!(household.status().pending, 1, "{name}: what it had not sent yet");
        household.sync_now().unwrap();
        assert_eq!(household.status().pending, 0, "{name}");
        sync_until_lots(&coordinator, 3);
        let mut of_both = [lots(&household), lots(&coordinator)].map(|rows| {
            let mut rows: Vec<_> = rows.into_iter().map(|row| (row.product, row.grams, row.note)).collect();
            rows.sort();
            rows
        });
        let [of_household, of_coordinator] = &mut of_both;
        assert_eq!(of_household, of_coordinator, "{name}");
        assert!(of_household.iter().any(|(_, _, note)| note == "东坡地"), "{name}: {of_household:?}");

        // Someone new, and the account that was made then.
        let packer = world.phone(1, "packer");
        sync_until_lots(&packer, 3);
        assert!(world.order(&["coordinator", "link", "zhang"]).contains("https://"), "{name}");
    }
}
