//! Two programs on one folder, and folders that can't be opened: what was told is there, and only damage is set aside.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::world::{PROGRAM, World, household_role, lots, record, sync_until, sync_until_lots};
use granary_client_core::error::Error;
use granary_client_core::phone::{Driver, Observer, Phone, Status};
use granary_client_core::schema::DocumentKey;

fn on(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["phone", "--folder"]).arg(folder).args(words);
    command
}

fn started(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// Runs this command in a shell, after its first line.
fn in_shell(first: &str, command: &Command) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first}; exec \"$@\""), "sh"]).arg(command.get_program()).args(command.get_args());
    shell.output().unwrap()
}

fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains("damaged")).collect()
}

/// The folder of an enrolled phone that nobody has open.
fn enrolled(world: &mut World) -> PathBuf {
    let folder = world.phone_folder();
    Phone::open(&folder).unwrap().enrol(&world.invitation(1, &household_role()), "li").unwrap();
    folder
}

/// Each of many commands at once either records, or says who has the phone, fails and records nothing. A sync runs beside.
#[test]
fn commands_at_once_lose_nothing() {
    let mut world = World::new();
    let folder = enrolled(&mut world);
    let mut commands: Vec<Child> = Vec::new();
    for number in 1..=24 {
        if number % 8 == 0 {
            commands.push(started(&mut on(&folder, &["sync"])));
        }
        commands.push(started(&mut on(&folder, &["record", "millet", &(1_000 + number).to_string(), "--yes"])));
    }
    let mut recorded = Vec::new();
    for command in commands {
        let output = command.wait_with_output().unwrap();
        let printed = printed(&output);
        match (output.status.success(), printed.lines().find_map(|line| line.strip_prefix("recorded "))) {
            (true, Some(lot)) => recorded.push(lot.to_owned()),
            (true, None) => assert!(printed.contains("waiting to be sent"), "{printed}"),
            (false, _) => assert!(printed.contains("this phone is in use by granary phone"), "{printed}"),
        }
    }
    assert!(!recorded.is_empty());
    recorded.sort();
    let phone = Phone::open(&folder).unwrap();
    let mut here: Vec<String> = lots(&phone).iter().map(|row| row.lot.to_string()).collect();
    here.sort();
    assert_eq!(here, recorded, "each once, and nothing that was not told");
    let coordinator = world.phone(1, "coordinator");
    sync_until(&[&phone, &coordinator], || lots(&coordinator).len() == recorded.len());
}

/// Two objects of one process are one phone: both record, and a sync comes to its end.
#[test]
fn two_openings_in_one_process_are_one_phone() {
    let mut world = World::new();
    let folder = enrolled(&mut world);
    let (one, two) = (Phone::open(&folder).unwrap(), Phone::open(&folder).unwrap());
    record(&one, 1_000);
    record(&two, 2_000);
    one.sync_now().unwrap();
    assert!(two.sync_now().unwrap().exchanges < 5);
    sync_until_lots(&two, 2);
    let coordinator = world.phone(1, "coordinator");
    sync_until_lots(&coordinator, 2);
}

#[test]
fn command_beside_an_open_phone_says_who_has_it() {
    let mut world = World::new();
    let folder = enrolled(&mut world);
    let phone = Phone::open(&folder).unwrap();
    record(&phone, 1_000);
    let output = on(&folder, &["record", "millet", "2000", "--yes"]).output().unwrap();
    let said = printed(&output);
    assert!(!output.status.success());
    assert!(said.contains("in use by an app (process") && said.contains(&std::process::id().to_string()), "{said}");
    assert_eq!(lots(&phone).len(), 1);
    drop(phone);
    assert!(on(&folder, &["record", "millet", "2000", "--yes"]).status().unwrap().success());
    assert_eq!(lots(&Phone::open(&folder).unwrap()).len(), 2);
}

/// At its limit of open files, and on a full disk, a phone says so, again and again, and touches nothing.
#[test]
fn phone_without_files_or_space_is_not_damaged() {
    let mut world = World::new();
    let folder = enrolled(&mut world);
    let phone = Phone::open(&folder).unwrap();
    record(&phone, 1_000);
    drop(phone);
    let mut told = 0;
    // From too few to start the program at all, to enough.
    for limit in 3..30 {
        let output = in_shell(&format!("ulimit -n {limit}"), &on(&folder, &["list"]));
        let said = printed(&output);
        assert_eq!(set_aside(&folder), Vec::<PathBuf>::new(), "{limit}: {said}");
        told += u32::from(said.contains("too many files are open"));
        assert!(!output.status.success() || said.contains("1 kg"), "{limit}: {said}");
        assert!(!said.contains("panicked"), "{limit}: {said}");
    }
    assert!(told > 2, "it was said {told} times");
    // A small disk of its own, filled to the last byte.
    let script = r#"
mkdir "$DISK" && mount -t tmpfs -o size=400k none "$DISK" && cp -r "$FOLDER"/. "$DISK" || exit 9
for leave in 0 1 2 3 4 6; do
  rm -f "$DISK/fill"; dd if=/dev/zero of="$DISK/fill" bs=4096 count=1000 2>/dev/null
  truncate -s -$((leave * 4096)) "$DISK/fill"
  "$PROGRAM" phone --folder "$DISK" record millet 2000 && echo recorded-one
  "$PROGRAM" phone --folder "$DISK" list | grep -q "1 kg" && "$PROGRAM" phone --folder "$DISK" status | grep -q waiting \
    && echo was-read
  ls "$DISK"
done
rm "$DISK/fill"
"$PROGRAM" phone --folder "$DISK" list
"#;
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .env("DISK", world.folder.path().join("disk"))
        .env("FOLDER", &folder)
        .env("PROGRAM", PROGRAM)
        .output()
        .unwrap();
    let said = printed(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the disk is full") && !said.contains("damaged"), "{said}");
    let recorded = said.matches("recorded-one").count();
    assert_eq!(said.matches("2 kg").count(), recorded, "what was told is there: {said}");
    assert_eq!(said.matches("1 kg").count(), 1, "{said}");
    assert_eq!(said.matches("was-read").count(), 6, "a full disk keeps nobody from reading: {said}");
}

/// A second server, one without files and one on a full disk say what is wrong, and none says that the store is damaged.
#[test]
fn server_that_can_not_open_its_store_says_why() {
    let mut world = World::new();
    let data = world.data();
    let serve = |port: u16| {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--folder"]).arg(&data);
        command
    };
    let output = serve(0).output().unwrap();
    let said = printed(&output);
    assert!(!output.status.success() && said.contains("another granary already serves this folder"), "{said}");
    assert!(!said.contains("repair"), "{said}");
    world.kill();
    let mut told = 0;
    for limit in 4..24 {
        let mut command = Command::new(PROGRAM);
        command.args(["check", "--folder"]).arg(&data);
        let said = printed(&in_shell(&format!("ulimit -n {limit}"), &command));
        assert!(!said.contains("damaged") && !said.contains("repair"), "{limit}: {said}");
        told += u32::from(said.contains("too many files are open"));
    }
    assert!(told > 0);
    world.start();
    assert!(world.order(&["check"]).contains("nothing is wrong"));
}

/// What was set aside comes back: for a phone that is not enrolled any more, for the same phone with newer lots, and for one
/// that was enrolled anew. Each lot is there once, everywhere.
#[test]
fn what_was_set_aside_comes_back() {
    let mut world = World::new();
    let folder = enrolled(&mut world);
    let coordinator = world.phone(1, "coordinator");
    let phone = Phone::open(&folder).unwrap();
    record(&phone, 1_000);
    sync_until_lots(&phone, 1);
    record(&phone, 2_000);
    drop(phone);
    let aside = |number: u32| {
        for suffix in ["", "-wal", "-shm"] {
            let from = folder.join(format!("phone.db{suffix}"));
            if from.exists() {
                std::fs::rename(from, folder.join(format!("phone.db.damaged-{number}{suffix}"))).unwrap();
            }
        }
    };
    let recover = || {
        let output = on(&folder, &["recover"]).output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        printed(&output)
    };
    aside(1);
    let lost = on(&folder, &["status"]).output().unwrap();
    assert!(!lost.status.success() && printed(&lost).contains("granary phone recover"), "{}", printed(&lost));
    assert!(recover().contains("taken back"));
    assert_eq!(recover(), "nothing was set aside\n");
    let phone = Phone::open(&folder).unwrap();
    assert_eq!(lots(&phone).len(), 2);
    assert!(phone.status().unsent > 0);
    record(&phone, 3_000);
    sync_until(&[&phone, &coordinator], || lots(&coordinator).len() == 3);
    // Set aside with an unsent lot, and enrolled anew: the lot is handed in under its own name.
    record(&phone, 4_000);
    drop(phone);
    aside(2);
    let phone = Phone::open(&folder).unwrap();
    let again = world.invitation(1, &household_role());
    assert_eq!(phone.enrol(&again, "li again"), Err(Error::Lost), "never anew unnoticed");
    phone.start_anew().unwrap();
    phone.enrol(&again, "li again").unwrap();
    record(&phone, 5_000);
    phone.sync_now().unwrap();
    world.kill();
    assert!(matches!(phone.recover(), Err(Error::Line(_))), "it waits for the server");
    assert_eq!(phone.set_aside().unwrap().len(), 1);
    world.start();
    assert_eq!(phone.recover().unwrap().files.len(), 1);
    sync_until(&[&phone, &coordinator], || lots(&coordinator).len() == 5 && lots(&phone).len() == 5);
    // Set aside without a cause, and taken back twice.
    drop(phone);
    std::fs::copy(folder.join("phone.db"), folder.join("phone.db.damaged-3")).unwrap();
    recover();
    std::fs::copy(folder.join("phone.db"), folder.join("phone.db.damaged-4")).unwrap();
    assert!(recover().contains("0 changes were not here"));
    let phone = Phone::open(&folder).unwrap();
    sync_until(&[&phone, &coordinator], || lots(&coordinator).len() == 5 && lots(&phone).len() == 5);
}

/// The server's store was set aside without a cause, and a new one begun: a repair takes its rows back.
#[test]
fn repair_takes_back_store_that_was_set_aside() {
    let mut world = World::new();
    let (li, coordinator) = (world.phone(1, &household_role()), world.phone(1, "coordinator"));
    record(&li, 1_000);
    sync_until(&[&li, &coordinator], || lots(&coordinator).len() == 1);
    let devices = world.order(&["devices"]);
    world.kill();
    let (store, aside) = (world.data().join("store"), world.data().join("store.damaged-1"));
    std::fs::rename(&store, &aside).unwrap();
    world.start();
    world.kill();
    let repair = |aside: &Path| {
        let mut command = Command::new(PROGRAM);
        command.args(["repair", "--folder"]).arg(world.data()).arg("--set-aside").arg(aside).output().unwrap()
    };
    let said = printed(&repair(&world.data().join("no such folder")));
    assert!(said.contains("there is no store in"), "{said}");
    let output = repair(&aside);
    assert!(output.status.success(), "{}", printed(&output));
    world.start();
    let names = |text: &str| text.split_whitespace().next().map(str::to_owned);
    assert_eq!(
        world.order(&["devices"]).lines().map(names).collect::<Vec<_>>(),
        devices.lines().map(names).collect::<Vec<_>>()
    );
    record(&li, 2_000);
    sync_until(&[&li, &coordinator], || lots(&coordinator).len() == 2);
    assert!(world.order(&["check"]).contains("nothing is wrong"));
}

#[derive(Default)]
struct Panics(AtomicU32);

impl Observer for Panics {
    fn status_changed(&self, _status: Status) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("the app has a fault");
    }

    fn documents_changed(&self, _documents: Vec<DocumentKey>) {
        panic!("the app has a fault");
    }
}

#[test]
fn observer_that_panics_ends_no_sync() {
    let mut world = World::new();
    let (li, coordinator) = (world.phone(1, &household_role()), world.phone(1, "coordinator"));
    let observer = Arc::new(Panics::default());
    let driver = Driver::start(Arc::clone(&li), observer.clone()).unwrap();
    for grams in [1_000, 2_000, 3_000] {
        record(&li, grams);
        driver.sync_soon();
        sync_until(&[&coordinator], || lots(&coordinator).len() == usize::try_from(grams / 1_000).unwrap());
    }
    drop(driver);
    assert!(observer.0.load(Ordering::SeqCst) > 2);
    let said = li.status().observer_error.unwrap();
    assert!(said.contains("status_changed") && said.contains("the app has a fault"), "{said}");
    assert_eq!(li.status().last_error, None);
}

#[test]
fn thread_that_can_not_start_is_its_own_error() {
    let mut world = World::new();
    let folder = enrolled(&mut world);
    // No system has that much memory for a stack.
    let output = on(&folder, &["watch"]).env("RUST_MIN_STACK", (1u64 << 60).to_string()).output().unwrap();
    let said = printed(&output);
    assert!(!output.status.success() && said.contains("gave no thread"), "{said}");
}
