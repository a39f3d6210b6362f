//! A full disk on the server: no acknowledged lot is lost, the server stops at the first failed write, and with more room
//! it starts again and accepts the rest. The disk is a small tmpfs in the test's own mount namespace.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use crate::world::{PROGRAM, World, lots, sync_until, sync_until_lots};
use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::LotDraft;

/// Serves on the small disk, of which the store's journal takes 4 MiB. Once that server has ended and the test has sent a line, serves on the same disk with more
/// room, so that no retry finds the larger disk too early. A server that hangs on a full disk is ended, and so is the test.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=6m none "$STORE" && timeout --kill-after=10 300 "$PROGRAM" serve --listen "$LISTEN" --folder "$DATA"
echo "ended $?"
read -r more
mount -o remount,size=256m "$STORE" && exec "$PROGRAM" serve --listen "$LISTEN" --folder "$DATA"
"#;

struct SmallDisk {
    shell: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl SmallDisk {
    fn start(world: &World) -> Self {
        let store = world.data().join("store");
        std::fs::create_dir_all(&store).unwrap();
        let mut shell = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT])
            .env("STORE", store)
            .env("PROGRAM", PROGRAM)
            .env("LISTEN", format!("127.0.0.1:{}", world.port()))
            .env("DATA", world.data())
            // The floor of free disk would hold changes back before the disk is full.
            .env("GRANARY_DISK_FLOOR_MIB", "0")
            .env("GRANARY_LOG", "error")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(shell.stdout.take().unwrap());
        Self { shell, output }
    }

    /// Gives the disk more room.
    fn grow(&mut self) {
        self.shell.stdin.as_mut().unwrap().write_all(b"more\n").unwrap();
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn record_a_large_one(phone: &Phone, number: i64) {
    let mut draft = LotDraft::new("millet", Grams::new(number).unwrap(), "2026-10-03".parse().unwrap());
    // Text that can't be compressed: each sign is one of 16,384, by chance.
    let mut chance = number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    draft.note = std::iter::repeat_with(|| {
        chance = chance.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        char::from_u32(0x4e00 + u32::try_from(chance >> 50).unwrap()).unwrap()
    })
    .take(360)
    .collect();
    // One book holds only some thousands of lots.
    let household = HouseholdId::from_bytes([u8::try_from(number / 500).unwrap(); 16]);
    phone.record_of_day(household, &draft).unwrap();
}

#[test]
fn full_disk_keeps_acknowledged_lots() {
    let mut world = World::not_started();
    let mut disk = SmallDisk::start(&world);
    assert!(disk.next_line().starts_with("listening on"));
    world.order(&["coop", "create", "Linxian County Growers"]);
    let phone = world.phone(1, "coordinator");
    let coordinator = world.phone(1, "coordinator");

    let (mut recorded, mut acknowledged) = (0, 0);
    while recorded < 20_000 {
        for _ in 0..200 {
            recorded += 1;
            record_a_large_one(&phone, recorded);
        }
        if phone.sync_now().is_err() {
            break;
        }
        acknowledged = recorded;
    }
    assert!(acknowledged > 0 && acknowledged < 20_000, "{acknowledged} were acknowledged before the disk was full");
    let ended = disk.next_line();
    assert!(ended.starts_with("ended") && ended.trim_end() != "ended 124", "it stops when its store fails: {ended}");
    disk.grow();
    assert!(disk.next_line().starts_with("listening on"), "with more room it starts again");

    let acknowledged = usize::try_from(acknowledged).unwrap();
    sync_until(&[&coordinator], || lots(&coordinator).len() >= acknowledged);
    phone.sync_now().unwrap();
    sync_until_lots(&coordinator, usize::try_from(recorded).unwrap());
}
