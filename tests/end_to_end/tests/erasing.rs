//! A household asks that what is about it is erased: from the server, its exports and later backups, and from phones.

use std::path::Path;
use std::process::Command;

use crate::world::{PROGRAM, World, converge, household, household_role, lots, record, sync_until, sync_until_lots};
use granary_client_core::phone::Phone;

const NAME: &str = "Wang Xiaoming 7QZ";

/// The files under a folder in which the name stands as it is.
fn files_with_the_name(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with_the_name(&path));
        } else if entry.file_type().unwrap().is_file() {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(NAME.len()).any(|part| part == NAME.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// The export's folder, with the household named in it.
fn export_with_name(world: &World, to: &Path) {
    world.order(&["export", "--to", to.to_str().unwrap()]);
}

fn knows_name(phone: &Phone) -> bool {
    let found = phone.household_particulars(household()).unwrap();
    found.is_some_and(|household| household.name.as_deref() == Some(NAME))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn erased_household_is_nowhere_and_phones_go_on() {
    let mut world = World::new();
    let (li, zhang) = (world.phone(1, &household_role()), world.phone(1, "coordinator"));
    let folders = [1, 2].map(|number| world.folder.path().join(format!("phone-{number}")));
    zhang.name_household(household(), NAME, "dongpo").unwrap();
    record(&li, 1_000);
    sync_until(&[&zhang, &li], || knows_name(&li) && lots(&zhang).len() == 1);
    let (before, older) = (world.folder.path().join("before"), world.folder.path().join("backup"));
    export_with_name(&world, &before);
    assert!(!files_with_the_name(&before).is_empty());
    world.order(&["backup", "--to", text(&older)]);
    for folder in &folders {
        assert!(!files_with_the_name(folder).is_empty());
    }

    let id = household().to_string();
    let planned = world.order(&["erase", "household", &id]);
    assert!(planned.contains("Nothing was done") && planned.contains("2 changes"), "{planned}");
    assert!(knows_name(&zhang));
    let done = world.order(&["erase", "household", &id, "--yes"]);
    assert!(done.contains("Erased for good"), "{done}");

    // Phones forget it, in their rows and lists, also in free places of the files.
    sync_until(&[&li, &zhang], || !knows_name(&li) && !knows_name(&zhang));
    for folder in &folders {
        assert_eq!(files_with_the_name(folder), Vec::<String>::new());
    }
    assert_eq!(files_with_the_name(&world.data()), Vec::<String>::new());
    assert!(world.order(&["check"]).contains("nothing is wrong"));
    assert!(!world.order(&["devices"]).contains("household "), "the phone's name went too");
    let export = world.folder.path().join("after");
    export_with_name(&world, &export);
    assert_eq!(files_with_the_name(&export), Vec::<String>::new());

    // Both go on, and a new phone gets the lots without the name.
    record(&li, 2_000);
    sync_until(&[&li, &zhang], || lots(&zhang).len() == 2);
    converge(&[&li, &zhang]);
    let new = world.phone(1, "coordinator");
    sync_until_lots(&new, 2);
    assert!(!knows_name(&new));

    // Somebody writes it anew on a phone: the server refuses it, and it goes there too.
    zhang.name_household(household(), NAME, "dongpo").unwrap();
    sync_until(&[&zhang], || !knows_name(&zhang));
    assert_eq!(zhang.status().undelivered, 0);

    // The next run of the backup is whole; what is restored of it has no name, nor what is restored of the run before.
    assert!(world.order(&["backup", "--to", text(&older)]).starts_with("whole"));
    world.kill();
    for through in [None, Some("segment-0001.granary")] {
        std::fs::remove_dir_all(world.data()).unwrap();
        let mut words = vec!["restore", "--from", text(&older), "--folder"];
        let data = world.data();
        words.push(text(&data));
        words.extend(through.iter().flat_map(|file| ["--through", file]));
        let restored = Command::new(PROGRAM).args(&words).output().unwrap();
        assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
        world.start();
        assert!(world.order(&["check"]).contains("nothing is wrong"));
        let export = world.folder.path().join(format!("restored-{}", through.is_some()));
        export_with_name(&world, &export);
        assert_eq!(files_with_the_name(&export), Vec::<String>::new());
        sync_until(&[&li, &zhang], || lots(&zhang).len() == 2 && lots(&li).len() == 2);
        assert!(!knows_name(&zhang) && !knows_name(&li));
        world.kill();
    }
}
