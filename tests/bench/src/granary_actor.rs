//! The server and the phones of Granary as actor processes, measured from outside as its peers are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::{Phone, SystemClock};
use granary_client_core::projection::LotFilter;
use granary_client_core::protocol::frame::{SignedRequest, write_reply};
use granary_client_core::protocol::messages::write_message;
use granary_client_core::quantities::{Grams, Permille};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::{LotDraft, LotEdit};
use granary_client_core::schema::{LotId, Season};
use granary_client_core::store::MemoryStore;
use granary_server::log::CooperativeNumber;
use granary_server::{Config, Granary, Limits, Server};
use serde_json::{Value, json};

use crate::load::{LoadPhone, household_of};
use crate::world::{household, now};

/// Answers each line of the standard input by `handle`.
pub(crate) fn serve_lines(ready: &Value, mut handle: impl FnMut(&Value) -> Result<Value, String>) {
    println!("{ready}");
    for line in std::io::stdin().lines() {
        let command: Value = serde_json::from_str(&line.unwrap()).unwrap();
        println!("{}", handle(&command).unwrap_or_else(|error| json!({ "error": error })));
    }
}

pub(crate) fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

pub(crate) fn draft_of(record: &Value) -> LotDraft {
    LotDraft {
        product: text(record, "product").to_owned(),
        quantity: Grams::new(record["grams"].as_i64().unwrap()).unwrap(),
        grade: text(record, "grade").to_owned(),
        moisture: record["moisture"].as_i64().and_then(|permille| Permille::new(permille).ok()),
        day: text(record, "day").parse().unwrap(),
        place: text(record, "place").to_owned(),
        note: text(record, "note").to_owned(),
        photos: Vec::new(),
    }
}

fn season() -> Season {
    Season::new(2025).unwrap()
}

/// Limits that load from one address does not reach.
fn loose() -> Limits {
    Limits { device_burst: 1_000_000, device_per_second: 1_000, enrol_burst: 1_000_000, ..Limits::default() }
}

/// `granary-bench act server FOLDER`, and `load-server` with looser limits.
pub(crate) fn server(folder: PathBuf, is_for_load: bool) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config::local(folder, 0);
    let limits = if is_for_load { loose() } else { Limits { enrol_burst: 1_000, ..Limits::default() } };
    let config = Config { limits, ..config };
    let began = Instant::now();
    let server = runtime.block_on(granary_server::start(config, |fault| panic!("{fault}"))).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let known = server.granary().cooperatives().first().map(|known| known.number());
    let coop = known.unwrap_or_else(|| server.granary().create_cooperative("Bench County", now()).unwrap());
    let link = |port: u64, role: Role| {
        let code = server.granary().invite(coop, role, 1, now()).unwrap().code;
        format!("granary://localhost:{port}/{code}#{}", server.fingerprint())
    };
    let own = u64::from(server.address().port());
    serve_lines(&json!({ "port": own, "seconds": seconds }), |command| match text(command, "do") {
        "invite" => {
            let role = match text(command, "role") {
                "coordinator" => Role::Coordinator,
                _ => Role::Household(household(1)),
            };
            let port = command["port"].as_u64().unwrap();
            let links: Vec<String> = (0..command["count"].as_u64().unwrap()).map(|_| link(port, role)).collect();
            Ok(json!({ "links": links }))
        }
        "invite households" => {
            let from = command["from"].as_u64().unwrap();
            let numbers = from..from + command["count"].as_u64().unwrap();
            let links = at_once(numbers.collect(), |number| link(own, Role::Household(household_of(number))));
            Ok(json!({ "links": links }))
        }
        "seed" => {
            seed(&link(own, Role::Coordinator), command)?;
            server.granary().settle(&server.granary().cooperative(coop).unwrap());
            Ok(json!({ "names": [] }))
        }
        "fill" => {
            let (changes, each) = (command["changes"].as_u64().unwrap(), command["each"].as_u64().unwrap());
            let books = changes.div_ceil(each);
            let from = 1_000_000 + command["from"].as_u64().unwrap_or(0);
            at_once((from..from + books).collect(), |number| {
                fill_book(server.granary(), coop, number, usize::try_from(each).unwrap());
            });
            server.granary().settle(&server.granary().cooperative(coop).unwrap());
            Ok(json!({}))
        }
        // Waits until all acknowledged changes are admitted.
        "wait" => {
            server.granary().settle(&server.granary().cooperative(coop).unwrap());
            Ok(json!({ "ok": true }))
        }
        "stop" => {
            server.granary().write_last_seen().map_err(|error| error.to_string())?;
            Ok(json!({}))
        }
        other => Err(format!("no command {other}")),
    });
    drop::<Server>(server);
}

/// Maps the items on 32 threads, so that waits for the disk overlap. Keeps their order.
fn at_once<R: Send>(all: Vec<u64>, work: impl Fn(u64) -> R + Sync) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = all
            .chunks(all.len().div_ceil(32).max(1))
            .map(|some| scope.spawn(move || some.iter().map(|one| work(*one)).collect::<Vec<R>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// A household's book that came in one change at a time, each by a sync of its own.
fn fill_book(granary: &Granary, coop: CooperativeNumber, number: u64, lots: usize) {
    let mut phone = LoadPhone::new(number, 1);
    let code = granary.invite(coop, Role::Household(household_of(number)), 1, now()).unwrap().code;
    granary.enrol(&phone.enrolment(&code), now()).unwrap();
    phone.audience = granary.audience(&granary.cooperative(coop).unwrap());
    phone.prepare(lots);
    let exchange = |body: Vec<u8>| {
        let signed = SignedRequest::parse(body).unwrap();
        Ok(write_reply(&write_message(&granary.sync(&signed, now()).unwrap())))
    };
    while phone.sync(exchange).unwrap() {}
}

/// Books of a season's lots, recorded by a coordinator for as many households.
fn seed(link: &str, command: &Value) -> Result<(), String> {
    let phone = Phone::in_memory(MemoryStore::default(), Arc::new(SystemClock)).map_err(|error| error.to_string())?;
    phone.enrol(link, "seed").map_err(|error| error.to_string())?;
    for (number, records) in command["books"].as_array().unwrap().iter().enumerate() {
        let household = HouseholdId::generate(1_700_000_000_000 + number as u64, [9; 10]);
        for record in records.as_array().unwrap() {
            phone.record(household, season(), &draft_of(record)).map_err(|error| error.to_string())?;
        }
    }
    phone.sync_now().map_err(|error| error.to_string())?;
    Ok(())
}

struct Client {
    folder: PathBuf,
    phone: Option<Arc<Phone>>,
    lots: Vec<LotId>,
}

impl Client {
    fn phone(&mut self) -> &Phone {
        self.phone.get_or_insert_with(|| Phone::open(&self.folder).unwrap())
    }

    fn totals(&mut self) -> (i64, i64) {
        let totals = self.phone().totals(&LotFilter::default()).unwrap();
        totals.iter().fold((0, 0), |(lots, grams), total| (lots + total.lots, grams + total.recorded_grams))
    }

    /// Syncs until nothing is pending and what is wanted is here.
    fn sync(&mut self, want: Option<(i64, i64)>, until: Instant) -> bool {
        loop {
            let done = self.phone().sync_now().is_ok() && self.phone().status().unsent == 0;
            if done && want.is_none_or(|want| self.totals() == want) {
                return true;
            }
            if Instant::now() > until {
                return false;
            }
        }
    }
}

/// `granary-bench act phones FOLDER`.
pub(crate) fn phones(folder: &Path) {
    let mut clients: Vec<Client> = Vec::new();
    serve_lines(&json!({ "ready": true }), |command| {
        let one = command["client"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
        match text(command, "do") {
            "open" => {
                for link in command["links"].as_array().unwrap() {
                    let mut client = Client {
                        folder: folder.join(format!("phone-{}", clients.len())),
                        phone: None,
                        lots: Vec::new(),
                    };
                    let link = link.as_str().unwrap();
                    // A cut line may need several attempts to enrol.
                    (0..100).find(|_| client.phone().enrol(link, "bench").is_ok()).ok_or("could not enrol")?;
                    clients.push(client);
                }
                Ok(json!({}))
            }
            "know" => Ok(json!({})),
            "record" => {
                for record in command["records"].as_array().unwrap() {
                    let draft = draft_of(record);
                    let lot = clients[one].phone().record(household(1), season(), &draft);
                    clients[one].lots.push(lot.map_err(|error| error.to_string())?);
                }
                Ok(json!({ "names": clients[one].lots.iter().map(LotId::in_full).collect::<Vec<_>>() }))
            }
            "edit" => {
                let names: BTreeMap<u64, LotId> = match command.get("names").and_then(Value::as_array) {
                    Some(names) => {
                        (0..).zip(names.iter().map(|name| LotId::from_full(name.as_str().unwrap()).unwrap())).collect()
                    }
                    None => (0..).zip(clients[one].lots.clone()).collect(),
                };
                for edit in command["edits"].as_array().unwrap() {
                    let to = LotEdit::Quantity(Grams::new(edit[1].as_i64().unwrap()).unwrap());
                    let lot = &names[&edit[0].as_u64().unwrap()];
                    clients[one].phone().correct(lot, &[to]).map_err(|error| error.to_string())?;
                }
                Ok(json!({}))
            }
            "sync" => {
                let want = &command["want"];
                let want = want["records"].as_i64().zip(want["grams"].as_i64());
                let until = Instant::now() + Duration::from_secs(command["seconds"].as_u64().unwrap());
                let chosen: Vec<u64> = command["chosen"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
                let these = clients.iter_mut().enumerate().filter(|(index, _)| chosen.contains(&(*index as u64)));
                let done = std::thread::scope(|scope| {
                    let threads: Vec<_> =
                        these.map(|(_, client)| scope.spawn(move || client.sync(want, until))).collect();
                    threads.into_iter().all(|thread| thread.join().unwrap())
                });
                let chosen = || clients.iter().filter_map(|client| client.phone.as_ref()).map(|phone| phone.status());
                Ok(json!({
                    "ok": done,
                    "exchanges": chosen().map(|status| status.exchanges).sum::<u64>(),
                    "content_up": chosen().map(|status| status.content_up).sum::<u64>(),
                    "content_down": chosen().map(|status| status.content_down).sum::<u64>(),
                }))
            }
            // The app is closed; the next sync starts from what is on the disk.
            "disconnect" => {
                clients.iter_mut().for_each(|client| client.phone = None);
                Ok(json!({}))
            }
            other => Err(format!("no command {other}")),
        }
    });
}
