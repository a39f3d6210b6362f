//! The Automerge project's own JavaScript client, from npm, edits the same documents as the phones, with
//! the permissions of its token. Its steps are in `tests/interop/client.mjs`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Once;

use crate::world::{World, household, household_role, lots, record, sync_until, sync_until_lots};
use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::LotEdit;
use serde_json::{Value, json};

static INSTALL: Once = Once::new();

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop")
}

/// Installs the client; false if this machine has no Node.js.
fn prepare() -> bool {
    if Command::new("node").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "Node.js must be installed where CI runs");
        eprintln!("left out: there is no Node.js on this machine");
        return false;
    }
    // Two tests install it, and npm creates the folder before it is complete.
    INSTALL.call_once(|| {
        if !scripts().join("node_modules/@automerge/automerge-repo").exists() {
            let arguments = ["install", "--ignore-scripts", "--omit=optional", "--no-save", "--no-audit", "--no-fund"];
            let status = Command::new("npm").args(arguments).current_dir(scripts()).status().unwrap();
            assert!(status.success(), "npm could not install the JavaScript client");
        }
    });
    true
}

struct Client {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Client {
    /// A client with a token for this role.
    fn new(world: &World, role: &str) -> Self {
        let printed = world.order(&["token", "--role", role, "a page in a browser"]);
        let mut child = Command::new("node")
            .arg("client.mjs")
            .arg(printed.lines().next().unwrap())
            .current_dir(scripts())
            .env("NODE_EXTRA_CA_CERTS", world.data().join("authority.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut client = Self { child, commands, answers };
        client.answer();
        client
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the client ended")
    }

    fn ask(&mut self, command: Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        self.answer()
    }

    fn wait_for(&mut self, grams: &[i64]) -> Value {
        let answer = self.ask(json!({ "do": "wait", "want": grams }));
        assert_eq!(answer["came"], true, "{answer}");
        answer["doc"].clone()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn url_of(world: &World, what: &str) -> String {
    let documents = world.order(&["documents"]);
    let line = documents.lines().find(|line| line.contains(what)).expect(what);
    line.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn javascript_client_edits_phones_book() {
    if !prepare() {
        return;
    }
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    let lot = record(&phone, 12_500);
    sync_until_lots(&phone, 1);
    let book = url_of(&world, &format!("harvest of {}", household()));

    // From the phone to JavaScript, at first and live.
    let mut client = Client::new(&world, &household_role());
    assert_eq!(client.ask(json!({ "do": "find", "url": book }))["found"], true);
    let doc = client.wait_for(&[12_500]);
    assert_eq!(doc["lots"][0]["product"], "millet");
    phone.correct(&lot, &[LotEdit::Quantity(Grams::new(13_000).unwrap())]).unwrap();
    phone.sync_now().unwrap();
    client.wait_for(&[13_000]);

    // From JavaScript to the phone: a new lot, a field, and a text that JavaScript writes as a text object.
    let new = json!({ "product": "chestnut", "grams": 8_000, "day": "2026-10-04", "grade": "B" });
    client.ask(json!({ "do": "record", "lot": new }));
    client.ask(json!({ "do": "correct", "index": 0, "to": 13_500 }));
    client.ask(json!({ "do": "note", "index": 1, "text": "雨后收的" }));
    sync_until(&[&phone], || {
        let lots = lots(&phone);
        let of = |product: &str| lots.iter().find(|lot| lot.product == product).cloned();
        of("millet").is_some_and(|lot| lot.grams == Some(13_500))
            && of("chestnut").is_some_and(|lot| lot.grams == Some(8_000) && lot.note == "雨后收的")
    });
    assert!(lots(&phone).iter().all(|lot| !lot.is_damaged), "{:?}", lots(&phone));

    // Concurrent edits converge.
    phone.correct(&lot, &[LotEdit::Quantity(Grams::new(20_000).unwrap())]).unwrap();
    client.ask(json!({ "do": "correct", "index": 1, "to": 9_000 }));
    phone.sync_now().unwrap();
    client.wait_for(&[20_000, 9_000]);
    sync_until(&[&phone], || lots(&phone).iter().any(|lot| lot.grams == Some(9_000)));
}

/// A foreign household does not learn that the book exists. A packer reads it, and its write stays local.
/// A revoked token is disconnected.
#[test]
fn token_grants_only_its_role() {
    if !prepare() {
        return;
    }
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    record(&phone, 12_500);
    sync_until_lots(&phone, 1);
    let book = url_of(&world, &format!("harvest of {}", household()));

    // Another household's token does not learn that the book exists.
    let mut neighbour = Client::new(&world, &format!("household:{}", uuid_of(9)));
    let answer = neighbour.ask(json!({ "do": "find", "url": book, "seconds": 5 }));
    assert_eq!(answer["found"], false, "{answer}");

    // A packer reads the book. Its writes stay local.
    let mut packer = Client::new(&world, "packer");
    assert_eq!(packer.ask(json!({ "do": "find", "url": book }))["found"], true);
    packer.wait_for(&[12_500]);
    packer.ask(json!({ "do": "correct", "index": 0, "to": 99_000 }));
    let mut reader = Client::new(&world, &household_role());
    assert_eq!(reader.ask(json!({ "do": "find", "url": book }))["found"], true);
    record(&phone, 7_000);
    phone.sync_now().unwrap();
    reader.wait_for(&[12_500, 7_000]);
    sync_until_lots(&phone, 2);
    assert!(lots(&phone).iter().all(|lot| lot.grams != Some(99_000)));

    // A revoked token is disconnected, and can not reconnect.
    let devices = world.order(&["devices"]);
    for line in devices.lines().filter(|line| line.contains("a page in a browser")) {
        world.order(&["revoke", line.split_whitespace().next().unwrap()]);
    }
    record(&phone, 5_000);
    phone.sync_now().unwrap();
    let answer = reader.ask(json!({ "do": "find", "url": url_of(&world, "cooperative"), "seconds": 3 }));
    assert_eq!(answer["found"], false, "{answer}");
}

fn uuid_of(byte: u8) -> granary_client_core::ids::HouseholdId {
    granary_client_core::ids::HouseholdId::from_bytes([byte; 16])
}
