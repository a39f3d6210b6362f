//! The browser's phone over a store that is killed at any of its writes, against a server without a socket: whatever was
//! told 'recorded' is there, on the phone, on the household's other phone and on the server, once.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Clock;
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::{SignedRequest, write_reply};
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::protocol::signing::{Audience, Binding, Purpose};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::store::MemoryStore;
use granary_client_core::transport::LineFault;
use granary_client_core::words::Language;
use granary_server::Granary;
use granary_server::log::CooperativeNumber;
use granary_web::{Kind, WebPhone, Work};
use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

const NOW: Instant = Instant(1_790_000_000_000);
const ORIGIN: &str = "https://granary.example";

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Instant {
        NOW
    }
}

struct Server {
    granary: Granary,
    coop: CooperativeNumber,
    _keys: tempfile::TempDir,
}

impl Server {
    fn new() -> Self {
        let (store, keys) = (MemoryStore::default(), tempfile::tempdir().unwrap());
        let granary = Granary::open(Arc::new(store), keys.path(), None, |fault| panic!("{fault}")).unwrap();
        let coop = granary.create_cooperative("Linxian", NOW).unwrap();
        Self { granary, coop, _keys: keys }
    }

    fn answer(&self, path: &str, body: &[u8], public_key: &[u8; 32]) -> (u16, Vec<u8>) {
        let bound = |purpose, audience| Binding { purpose, audience, channel: None };
        let parsed = SignedRequest::parse(body.to_vec());
        let content = match path {
            "/enrol" => {
                let parsed = parsed.unwrap();
                assert!(parsed.is_signed_by(public_key, &bound(Purpose::Enrol, Audience::UNKNOWN)));
                let request: EnrolRequest = read_message(&parsed.content().unwrap()).unwrap();
                write_message(&self.granary.enrol(&request, NOW).unwrap())
            }
            "/s" => {
                let parsed = parsed.unwrap();
                let cooperative = self.granary.cooperative(self.coop).unwrap();
                let audience = self.granary.audience(&cooperative);
                assert!(parsed.is_signed_by(public_key, &bound(Purpose::Sync, audience)));
                let reply = self.granary.sync(&parsed, NOW).unwrap();
                self.granary.settle(&cooperative);
                write_message(&reply)
            }
            // What was begun is forgotten.
            _ => return (404, Vec::new()),
        };
        (200, write_reply(&content))
    }
}

/// A profile of a browser: its key and what of its rows is durable.
struct Profile {
    key: Ed25519KeyPair,
    kept: BTreeMap<Vec<u8>, Vec<u8>>,
    open: Option<WebPhone>,
    /// Transactions until the next one fails, and the worker with it.
    fuse: Option<u32>,
    told: BTreeMap<String, i64>,
}

#[derive(Debug)]
struct Killed;

impl Profile {
    fn new(seed: u8) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Self { key, kept: BTreeMap::new(), open: None, fuse: None, told: BTreeMap::new() }
    }

    fn public_key(&self) -> [u8; 32] {
        self.key.public_key().as_ref().try_into().unwrap()
    }

    fn open(&mut self) {
        if self.open.is_none() {
            let rows = self.kept.clone().into_iter().collect();
            self.open = Some(WebPhone::open(rows, Arc::new(Fixed), Language::English).unwrap());
        }
    }

    fn phone(&self) -> &WebPhone {
        self.open.as_ref().unwrap()
    }

    /// Makes durable what was written, all of it or nothing.
    fn commit(&mut self) -> Result<(), Killed> {
        let writes = self.phone().take_writes();
        if writes.is_empty() {
            return Ok(());
        }
        if let Some(left) = &mut self.fuse {
            if *left == 0 {
                (self.open, self.fuse) = (None, None);
                return Err(Killed);
            }
            *left -= 1;
        }
        for (key, value) in writes {
            match value {
                Some(value) => drop(self.kept.insert(key, value)),
                None => drop(self.kept.remove(&key)),
            }
        }
        Ok(())
    }

    fn call(&mut self, call: &Value) -> Result<Value, Killed> {
        self.open();
        let answer: Value = serde_json::from_str(&self.phone().call(&call.to_string())).unwrap();
        self.commit()?;
        assert!(answer.get("error").is_none(), "{call}: {answer}");
        Ok(answer["ok"].clone())
    }

    /// Does work to its end. The line breaks before the reply of the exchange of this number.
    fn work(&mut self, server: &Server, kind: Kind, breaks_at: Option<u32>) -> Result<Value, Killed> {
        self.open();
        let mut work: Work = self.phone().begin(kind).unwrap();
        let mut exchanges = 0;
        loop {
            let next: Value = serde_json::from_str(&work.next()).unwrap();
            match next["do"].as_str().unwrap() {
                "sign" => {
                    let signature = self.key.sign(work.to_sign()).as_ref().try_into().unwrap();
                    work.signed(signature);
                }
                "send" => {
                    self.commit()?;
                    let path = next["path"].as_str().unwrap();
                    let (status, body) = server.answer(path, work.body(), &self.public_key());
                    if Some(exchanges) == breaks_at {
                        work.broke(LineFault::broke("it broke"));
                    } else if work.answer_begins(status, |_| None) {
                        work.chunk(&body);
                        work.answer_ends(100);
                    }
                    exchanges += 1;
                }
                _ => {
                    self.commit()?;
                    return Ok(serde_json::from_str(&work.outcome()).unwrap());
                }
            }
        }
    }

    fn enrol(&mut self, server: &Server, household: HouseholdId) {
        let code = server.granary.invite(server.coop, Role::Household(household), 1, NOW).unwrap().code;
        let key = base64::engine::general_purpose::STANDARD.encode(self.public_key());
        let kind = Kind::Enrol { link: code.to_string(), origin: ORIGIN.into(), name: "browser".into(), key };
        let outcome = self.work(server, kind, None).unwrap();
        assert!(outcome.get("ok").is_some(), "{outcome}");
    }

    fn record(&mut self, grams: i64) -> Result<(), Killed> {
        let draft = json!({"product": "millet", "grams": grams, "day": "2026-10-03"});
        let lot = self.call(&json!({"method": "record", "draft": draft}))?;
        self.told.insert(lot["id"].as_str().unwrap().to_owned(), grams);
        Ok(())
    }

    fn correct(&mut self, index: usize, grams: i64) -> Result<(), Killed> {
        let Some(id) = self.told.keys().nth(index % self.told.len().max(1)).cloned() else { return Ok(()) };
        let edits = json!([{"field": "grams", "value": grams}]);
        self.call(&json!({"method": "correct", "id": id, "edits": edits}))?;
        self.told.insert(id, grams);
        Ok(())
    }

    fn lots(&mut self) -> BTreeMap<String, i64> {
        let list = self.call(&json!({"method": "lots", "limit": 10_000})).unwrap();
        let rows = list["rows"].as_array().unwrap();
        assert_eq!(list["count"].as_u64(), Some(rows.len() as u64));
        rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row["grams"].as_i64().unwrap())).collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Record(i64),
    Correct(usize, i64),
    Sync(Option<u32>),
    /// The next transactions but these many are the last.
    DieAfter(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1i64..1_000).prop_map(Step::Record),
        2 => (0usize..8, 1_000i64..2_000).prop_map(|(lot, grams)| Step::Correct(lot, grams)),
        3 => proptest::option::of(0u32..2).prop_map(Step::Sync),
        3 => (0u32..4).prop_map(Step::DieAfter),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_told_is_everywhere_once(steps in proptest::collection::vec((0usize..2, step()), 1..30)) {
        let server = Server::new();
        let household = HouseholdId::from_bytes([7; 16]);
        let mut profiles = [Profile::new(1), Profile::new(2)];
        for profile in &mut profiles {
            profile.enrol(&server, household);
        }
        for (who, step) in steps {
            let profile = &mut profiles[who];
            // A kill is what a test is for: the app starts anew, and goes on.
            let _ = match step {
                Step::Record(grams) => profile.record(grams),
                Step::Correct(lot, grams) => profile.correct(lot, grams),
                Step::Sync(breaks_at) => profile.work(&server, Kind::Sync, breaks_at).map(drop),
                Step::DieAfter(transactions) => {
                    profile.fuse = Some(transactions);
                    Ok(())
                }
            };
        }
        for _ in 0..2 {
            for profile in &mut profiles {
                profile.fuse = None;
                let outcome = profile.work(&server, Kind::Sync, None).unwrap();
                prop_assert!(outcome.get("ok").is_some(), "{}", outcome);
            }
        }
        let [one, other] = &mut profiles;
        let mut told = one.told.clone();
        told.extend(other.told.clone());
        prop_assert_eq!(one.lots(), told.clone());
        prop_assert_eq!(other.lots(), told);
        let status = one.call(&json!({"method": "status"})).unwrap();
        prop_assert_eq!((&status["unsent"], &status["undelivered"]), (&json!(0), &json!(0)));
    }
}
