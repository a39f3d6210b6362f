//! One world: a server, phones of two co-operatives, a clock, and all faults. A seed always gives the same world.

mod console;
mod disks;
mod exchanges;
mod operator;
mod outbox_files;
mod setting;
mod shops;
mod trade;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use granary_client_core::crdt::Version;
use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::enrolment::{EnrolReply, EnrolRequest};
use granary_client_core::protocol::messages::Cursor;
use granary_client_core::protocol::signing::{Audience, ServerKey};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::access::Role;
use granary_client_core::sync::Pace;
use granary_server::log::CooperativeNumber;
use granary_server::{Environment, Granary, Rng};
use ring::signature::Ed25519KeyPair;

use crate::dice::Dice;
use crate::disk::Disk;
use crate::phone::SimPhone;
use crate::properties::{self, Property};

pub(crate) use console::Correction;
use console::{ConsoleEdit, Person};
pub(crate) use exchanges::{Line, Synced};
use outbox_files::ExportedFile;
pub use setting::Setting;
pub(crate) use shops::{Call, says};
pub(crate) use trade::BUYER;
use trade::Trade;

/// How often each fault happened, by name.
pub type Tally = BTreeMap<&'static str, u64>;

/// See the module.
pub(crate) struct World {
    pub(crate) setting: Setting,
    pub(crate) dice: Dice,
    pub(crate) now: i64,
    keys: tempfile::TempDir,
    /// The server's random bytes.
    rng: Rng,
    pub(crate) disk: Disk,
    server: Option<Granary>,
    pub(crate) coops: Vec<CooperativeNumber>,
    pub(crate) phones: Vec<SimPhone>,
    /// People who edit in the console.
    people: Vec<Person>,
    /// The pages that they opened, each as the version of its document.
    pages: BTreeMap<(usize, DocumentKey), Version>,
    /// Edits that the console acknowledged.
    pub(crate) console_edits: Vec<ConsoleEdit>,
    backups: Vec<Disk>,
    /// Whether the server is restored in this world, and whether phones are copied.
    pub(crate) is_restorable: bool,
    pub(crate) is_copyable: bool,
    /// How often the server was restored.
    restorations: u32,
    notes: u32,
    /// Requests that the line delivers once more later.
    late: Vec<Vec<u8>>,
    /// Outbox files that the server has not imported yet.
    outbox_files: Vec<ExportedFile>,
    /// Lots of imported outbox files.
    pub(crate) imported: Vec<(usize, String, HouseholdId)>,
    /// Devices that the operator revoked, and revokes again after a restoration.
    revoked: Vec<(CooperativeNumber, DeviceId)>,
    /// Grants that the operator changed, and changes again after a restoration.
    granted: BTreeMap<DeviceId, (CooperativeNumber, Role)>,
    /// What is sold, and by whom.
    pub(crate) trade: Trade,
    /// The properties that are checked.
    pub(crate) properties: Vec<Box<dyn Property>>,
    /// How often each fault happened.
    pub(crate) tally: Tally,
    /// One line for each event, printed for a failing seed.
    pub(crate) story: Vec<String>,
}

/// Random bytes that follow from this seed.
fn rng(seed: u64) -> Rng {
    let dice = Mutex::new(Dice::new(seed ^ 0x0f0f));
    Arc::new(move |bytes: &mut [u8]| {
        let mut dice = dice.lock().unwrap();
        bytes.iter_mut().for_each(|byte| *byte = u8::try_from(dice.roll(256)).unwrap());
        Ok(())
    })
}

/// Waits until every ingested entry is admitted, quarantined, or an orphan.
fn settle(server: &Granary, coops: &[CooperativeNumber]) {
    for cooperative in coops.iter().filter_map(|number| server.cooperative(*number).ok()) {
        server.settle(&cooperative);
    }
}

pub(crate) fn household(number: u8) -> HouseholdId {
    HouseholdId::from_bytes([number; 16])
}

impl World {
    pub(crate) fn new(seed: u64, setting: Setting) -> Result<Self, String> {
        let (is_restorable, is_copyable) = setting.restores_and_copies(seed);
        let mut world = Self {
            setting,
            dice: Dice::new(seed),
            now: 1_790_000_000_000,
            keys: tempfile::tempdir().map_err(|error| error.to_string())?,
            rng: rng(seed),
            disk: Disk::default(),
            server: None,
            coops: Vec::new(),
            phones: Vec::new(),
            people: Vec::new(),
            pages: BTreeMap::new(),
            console_edits: Vec::new(),
            backups: Vec::new(),
            is_restorable,
            is_copyable,
            restorations: 0,
            notes: 0,
            late: Vec::new(),
            outbox_files: Vec::new(),
            imported: Vec::new(),
            revoked: Vec::new(),
            granted: BTreeMap::new(),
            trade: Trade::default(),
            properties: properties::all(),
            tally: Tally::default(),
            story: Vec::new(),
        };
        std::fs::write(world.keys.path().join("identity.key"), [7; 32]).map_err(|error| error.to_string())?;
        for name in ["Linxian", "Another Company"].into_iter().take(setting.coops()) {
            let now = Instant(world.now);
            let number = world.server()?.create_cooperative(name, now).map_err(|error| error.to_string())?;
            world.coops.push(number);
        }
        for coop in 0..setting.coops() {
            world.enrol(coop, Role::Coordinator)?;
            world.enrol(coop, Role::Packer)?;
            for number in 1..=setting.households() {
                world.enrol(coop, Role::Household(household(number)))?;
            }
            world.add_people(coop)?;
        }
        world.begin_trade()?;
        Ok(world)
    }

    pub(crate) fn log(&mut self, what: String) {
        self.story.push(what);
    }

    pub(crate) fn count(&mut self, fault: &'static str) {
        let count = self.tally.entry(fault).or_default();
        *count += 1;
    }

    /// The server, started when it is not running.
    pub(crate) fn server(&mut self) -> Result<&Granary, String> {
        if self.server.is_none() {
            let (store, rng) = (Arc::new(self.disk.clone()), Arc::clone(&self.rng));
            let environment = Environment { rng, jobs_per_flush: Some(1) };
            let opened = Granary::open_with(store, self.keys.path(), None, environment, |_| {});
            let server = opened.map_err(|error| format!("the server does not open again: {error}"))?;
            settle(&server, &self.coops);
            self.server = Some(server);
        }
        self.server.as_ref().ok_or_else(|| "there is no server".into())
    }

    /// The server, while it runs.
    pub(crate) fn running_server(&self) -> Option<&Granary> {
        self.server.as_ref()
    }

    /// Enrols a device whose key follows from `seed`. Gives the key, the device and the server's reply.
    fn enrol_device(
        &mut self,
        coop: usize,
        role: Role,
        name: &str,
        seed: &[u8; 32],
    ) -> Result<(Ed25519KeyPair, DeviceId, EnrolReply), String> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|error| error.to_string())?;
        let public_key = SimPhone::public_key(&pair);
        let (now, number) = (Instant(self.now), self.coops[coop]);
        let server = self.server()?;
        let code = server.invite(number, role, 1, now).map_err(|error| error.to_string())?.code;
        let request = EnrolRequest { code, public_key, name: name.into() };
        let reply = server.enrol(&request, now).map_err(|error| error.to_string())?;
        Ok((pair, DeviceId::of_public_key(&public_key), reply))
    }

    pub(crate) fn enrol(&mut self, coop: usize, role: Role) -> Result<(), String> {
        let seed: [u8; 32] = std::array::from_fn(|_| u8::try_from(self.dice.roll(256)).unwrap());
        let (pair, device, reply) = self.enrol_device(coop, role, &role.to_string(), &seed)?;
        let is_newer = self.dice.percent(20);
        if is_newer {
            self.count("phone of a version ahead");
        }
        let has_poor_line = self.dice.percent(40);
        let mut pace = Pace::default();
        if has_poor_line {
            // A poor line keeps its pages at the smallest size.
            (0..8).for_each(|_| pace.failed());
        }
        let disk = Disk::of_phone();
        let mut openings = Dice::new(self.dice.roll(u64::MAX));
        let replica = SimPhone::open(&disk, reply.cooperative, device, &reply.grants, &mut openings)?;
        self.phones.push(SimPhone {
            coop,
            cooperative: reply.cooperative,
            role,
            disk,
            seed,
            pair,
            audience: Audience { server: ServerKey(reply.server_key), cooperative: reply.cooperative },
            device,
            grants: reply.grants,
            certificate: reply.certificate,
            replica,
            openings,
            pace,
            has_poor_line,
            notices_read: 0,
            clock_offset_ms: 0,
            is_revoked: false,
            is_broken: false,
            is_newer,
            was_damaged: false,
            was_ever_damaged: false,
            damaged: BTreeSet::new(),
            grant_was_changed: false,
            recorded: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
        });
        Ok(())
    }

    /// Copies a phone from a backup. Both copies have the same device and key from now on.
    pub(crate) fn copy_phone(&mut self, phone: usize) -> Result<(), String> {
        let one = &self.phones[phone];
        let disk = one.disk.backup();
        let pair = Ed25519KeyPair::from_seed_unchecked(&one.seed).map_err(|error| error.to_string())?;
        let mut openings = Dice::new(self.dice.roll(u64::MAX));
        let replica = SimPhone::open(&disk, one.cooperative, one.device, &one.grants, &mut openings)?;
        let copy = SimPhone {
            coop: one.coop,
            cooperative: one.cooperative,
            role: one.role,
            disk,
            seed: one.seed,
            pair,
            audience: one.audience,
            device: one.device,
            grants: one.grants.clone(),
            certificate: one.certificate.clone(),
            replica,
            openings,
            pace: one.pace,
            has_poor_line: one.has_poor_line,
            notices_read: one.notices_read,
            clock_offset_ms: one.clock_offset_ms,
            is_revoked: one.is_revoked,
            is_broken: false,
            is_newer: one.is_newer,
            was_damaged: one.was_damaged,
            was_ever_damaged: one.was_ever_damaged,
            damaged: one.damaged.clone(),
            grant_was_changed: one.grant_was_changed,
            recorded: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
        };
        self.phones.push(copy);
        self.count("phone copied from a backup");
        Ok(())
    }

    /// A text that no document has yet.
    pub(crate) fn new_note(&mut self) -> String {
        self.notes += 1;
        format!("note {}", self.notes)
    }

    /// Stops the server's machine. A random prefix of the unflushed writes survives.
    pub(crate) fn crash_server(&mut self) {
        let unflushed = self.disk.unflushed() > 0;
        self.count(if unflushed { "server stops, with writes not flushed" } else { "server stops" });
        self.server = None;
        let kept = usize::try_from(self.dice.roll(self.disk.unflushed() as u64 + 1)).unwrap();
        self.disk.restart(kept);
    }

    /// The end of each log, and each phone's cursor and unsent count. Equal values mean that a round changed nothing.
    pub(crate) fn progress(&mut self) -> Result<Vec<(Cursor, u64)>, String> {
        let mut all = Vec::new();
        for number in self.coops.clone() {
            let cooperative = self.server()?.cooperative(number).map_err(|error| error.to_string())?;
            let statistics = cooperative.statistics();
            all.push((Cursor { position: statistics.positions, ..Cursor::default() }, statistics.pending));
        }
        all.extend(self.phones.iter().map(|phone| (phone.replica.cursor(), phone.replica.unsent())));
        Ok(all)
    }

    /// Breaks a phone for good. Data that only this phone had is lost.
    pub(crate) fn break_phone(&mut self, phone: usize) {
        self.phones[phone].is_broken = true;
        self.count("phone breaks for good");
    }
}
