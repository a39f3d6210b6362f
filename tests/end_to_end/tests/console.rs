//! The console in a real browser, with real phones. The steps in the browser are in `tests/browser/console.mjs`; this side
//! runs the server and the phones. Screenshots are in `target/screenshots`.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use granary_client_core::phone::Phone;
use granary_client_core::projection::{LotFilter, LotRow};
use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::{LotDraft, LotEdit};
use granary_client_core::schema::order::{self, OrderStatus, PlainLine};
use granary_client_core::schema::receiver::{self, Receiver};
use granary_client_core::schema::{DocumentKey, LotId, OrderName, Season};
use granary_server::log::CooperativeNumber;
use granary_server::{Config, Server};

use crate::in_a_browser::{HOUSEHOLD, browser_folder, end_when_too_long, furnish, now, prepare, run_script};
use crate::world::PROGRAM;

struct World {
    server: Server,
    coop: CooperativeNumber,
    folder: tempfile::TempDir,
    phones: Vec<std::sync::Arc<Phone>>,
}

fn season() -> Season {
    Season::new(2026).unwrap()
}

fn draft(grams: i64, note: &str) -> LotDraft {
    LotDraft {
        grade: "A".into(),
        note: note.into(),
        ..LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap())
    }
}

impl World {
    fn new(server: Server, folder: tempfile::TempDir) -> Self {
        let granary = server.granary();
        let coop = granary.create_cooperative("Linxian", now()).unwrap();
        furnish(granary, coop);
        let mut world = Self { server, coop, folder, phones: Vec::new() };
        for name in ["li", "son"] {
            let code = world.server.granary().invite(coop, Role::Household(HOUSEHOLD), 1, now()).unwrap().code;
            world.enrol(name, &world.link(&code));
        }
        world
    }

    fn link(&self, code: &str) -> String {
        format!("granary://{}/{code}#{}", self.server.public_address(), self.server.fingerprint())
    }

    fn enrol(&mut self, name: &str, link: &str) {
        let phone = Phone::open(&self.folder.path().join(name)).unwrap();
        phone.enrol(link, name).unwrap();
        self.phones.push(phone);
    }

    /// Both phones send and get everything.
    fn sync(&self) {
        for _ in 0..3 {
            self.phones.iter().take(2).for_each(|phone| drop(phone.sync_now().unwrap()));
            self.server.granary().settle(&self.server.granary().cooperative(self.coop).unwrap());
        }
    }

    fn lots(&self, phone: usize) -> Vec<LotRow> {
        self.phones[phone].lots(&LotFilter { limit: 1000, ..LotFilter::default() }).unwrap()
    }

    fn record(&self, phone: usize, draft: &LotDraft) -> LotId {
        self.phones[phone].record(HOUSEHOLD, season(), draft).unwrap()
    }

    /// Answers a request of the browser's script to the phones.
    fn answer(&mut self, asked: &str) -> String {
        match asked.split_once(' ').unwrap_or((asked, "")) {
            ("new-link", _) => self.once(self.coop, "zhang"),
            ("phone-records", _) => {
                self.record(0, &draft(12_500, "东坡地"));
                self.sync();
                "recorded".into()
            }
            ("conflict", _) => {
                let lot = self.lots(0)[0].lot.clone();
                for (phone, grams) in [(0, 13_000), (1, 14_000)] {
                    let edit = LotEdit::Quantity(Grams::new(grams).unwrap());
                    self.phones[phone].correct(&lot, &[edit]).unwrap();
                }
                self.sync();
                "made".into()
            }
            ("settled-weights", _) => {
                self.sync();
                let weight = |phone: usize| self.lots(phone).iter().find(|row| row.note == "东坡地").unwrap().grams;
                format!("{} {}", weight(0).unwrap(), weight(1).unwrap())
            }
            ("duplicate", _) => {
                for phone in [0, 1] {
                    self.record(phone, &draft(9_000, "duplicate"));
                }
                self.sync();
                "made".into()
            }
            ("count-of-duplicates", _) => {
                self.sync();
                let count = |phone: usize| self.lots(phone).iter().filter(|row| row.note == "duplicate").count();
                format!("{} {}", count(0), count(1))
            }
            ("order-conflict", _) => {
                let name = OrderName::of("douyin", "6912");
                let line = PlainLine {
                    product: "millet".into(),
                    quantity: Grams::new(2_000).unwrap(),
                    price: Fen::new(4_560).unwrap(),
                };
                let key = DocumentKey::Order(name.clone());
                let place = move |doc: &mut _| order::place(doc, &[line]);
                self.server.granary().edit(self.coop, &key, now(), place).unwrap();
                let who = Receiver { name: Some("何女士".into()), ..Receiver::default() };
                let (key, who) =
                    (DocumentKey::Receiver(name.clone()), move |doc: &mut _| receiver::set(doc, &who).map(drop));
                self.server.granary().edit(self.coop, &key, now(), who).unwrap();
                for (packer, status) in [("first", OrderStatus::Shipped), ("second", OrderStatus::Cancelled)] {
                    let code = self.server.granary().invite(self.coop, Role::Packer, 1, now()).unwrap().code;
                    self.enrol(packer, &self.link(&code));
                    let phone = self.phones.last().unwrap();
                    phone.sync_now().unwrap();
                    phone.set_order_status(name.clone(), status).unwrap();
                }
                // The two edits are concurrent.
                for phone in self.phones.iter().rev().take(2) {
                    phone.sync_now().unwrap();
                }
                "made".into()
            }
            ("evil-note", _) => {
                self.record(0, &draft(3_000, "<img src=x onerror=alert(1)>"));
                self.sync();
                "recorded".into()
            }
            ("enrol", link) => {
                self.enrol("new", link);
                "enrolled".into()
            }
            other => panic!("the browser asked for {other:?}"),
        }
    }

    fn once(&self, coop: CooperativeNumber, login: &str) -> String {
        let token = self.server.granary().sign_in_once(coop, login, now()).unwrap();
        format!("https://{}/console/once/{token}", self.server.public_address())
    }
}

#[test]
fn coordinators_work_in_browser() {
    if !prepare() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = Config::local(folder.path().join("server"), 0);
    let server = runtime.block_on(granary_server::start(config, |fault| panic!("{fault}"))).unwrap();
    let mut world = World::new(server, folder);
    let granary = world.server.granary();
    let other = granary.create_cooperative("Another Company", now()).unwrap();
    for (coop, login, name) in
        [(world.coop, "zhang", "Zhang"), (world.coop, "wang", "Wang"), (other, "stranger", "Stranger")]
    {
        granary.set_coordinator(coop, login, name, "correct horse battery", now()).unwrap();
    }
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    let mut child = Command::new("node")
        .arg(browser_folder().join("console.mjs"))
        .arg(format!("https://{}", world.server.public_address()))
        .args([world.once(world.coop, "zhang"), world.once(world.coop, "wang"), world.once(other, "stranger")])
        .arg(shots)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let _watch = end_when_too_long(&child);
    let mut to_browser = child.stdin.take().unwrap();
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(asked) = line.strip_prefix("ASK ") {
            let answer = world.answer(asked);
            writeln!(to_browser, "{answer}").unwrap();
        } else {
            println!("{line}");
        }
        last = line;
    }
    assert!(child.wait().unwrap().success(), "the browser's steps failed after {last:?}");
    assert_eq!(last, "DONE");
    runtime.block_on(world.server.stop());
}

/// Runs a program over the demo that ends with status 1 where it finds something.
fn over_the_demo(script: &str) {
    if prepare() {
        run_script(&[script, PROGRAM]);
    }
}

#[test]
fn daily_work_takes_few_clicks_and_keys() {
    over_the_demo("console_work.mjs");
}

#[test]
fn every_page_fits_its_screen_and_can_be_used_by_everybody() {
    over_the_demo("console_pages.mjs");
}

#[test]
fn an_order_file_is_dropped_and_taken_and_a_stream_is_watched_until_it_is_sold_out() {
    over_the_demo("orders.mjs");
}
