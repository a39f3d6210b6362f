//! One world: a server, phones of two co-operatives, a clock, and everything that can go wrong. The
//! same seed makes the same world.

mod console;
mod disks;
mod exchanges;
mod operator;
mod outbox_files;
mod setting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use granary_client_core::crdt::Version;
use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::enrolment::{EnrolReply, EnrolRequest};
use granary_client_core::protocol::messages::Cursor;
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
use outbox_files::Carried;
pub use setting::Setting;

/// How often each fault happened, by what it is called.
pub type Tally = BTreeMap<&'static str, u64>;

/// See the module.
pub(crate) struct World {
    pub(crate) setting: Setting,
    pub(crate) dice: Dice,
    pub(crate) now: i64,
    keys: tempfile::TempDir,
    /// Where the server's random bytes come from.
    rng: Rng,
    pub(crate) disk: Disk,
    server: Option<Granary>,
    pub(crate) coops: Vec<CooperativeNumber>,
    pub(crate) phones: Vec<SimPhone>,
    /// Those who edit in the console.
    people: Vec<Person>,
    /// The pages that they have opened, each as the state of its document.
    pages: BTreeMap<(usize, DocumentKey), Version>,
    /// What the console has acknowledged.
    pub(crate) console_edits: Vec<ConsoleEdit>,
    backups: Vec<Disk>,
    /// Whether the server is restored in this world, and whether phones are copied.
    pub(crate) is_restorable: bool,
    pub(crate) is_copyable: bool,
    /// How often the server was restored.
    restorations: u32,
    notes: u32,
    /// Requests that will arrive once more.
    late: Vec<Vec<u8>>,
    /// Files that are on their way to the server.
    carried: Vec<Carried>,
    /// Lots that came by such a file.
    pub(crate) handed_in: Vec<(usize, String, HouseholdId)>,
    /// Devices that the operator has revoked; said again after a restoration.
    revoked: Vec<(CooperativeNumber, DeviceId)>,
    /// What the operator has granted anew; said again after a restoration.
    granted: BTreeMap<DeviceId, (CooperativeNumber, Role)>,
    /// What must hold.
    pub(crate) properties: Vec<Box<dyn Property>>,
    /// How often each fault happened.
    pub(crate) tally: Tally,
    /// What happened, for a failing seed.
    pub(crate) story: Vec<String>,
}

/// Random bytes of this seed.
fn rng(seed: u64) -> Rng {
    let dice = Mutex::new(Dice::new(seed ^ 0x0f0f));
    Arc::new(move |bytes: &mut [u8]| {
        let mut dice = dice.lock().unwrap();
        bytes.iter_mut().for_each(|byte| *byte = u8::try_from(dice.roll(256)).unwrap());
        Ok(())
    })
}

/// Waits until everything that was taken in is admitted, set aside, or waits for what has not come.
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
            carried: Vec::new(),
            handed_in: Vec::new(),
            revoked: Vec::new(),
            granted: BTreeMap::new(),
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
            world.enrols(coop, Role::Coordinator)?;
            world.enrols(coop, Role::Packer)?;
            for number in 1..=setting.households() {
                world.enrols(coop, Role::Household(household(number)))?;
            }
            world.has_people(coop)?;
        }
        Ok(world)
    }

    pub(crate) fn tell(&mut self, what: String) {
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

    /// A new device of a co-operative, with a key that is made from this: the key, its name, and what it was told.
    fn has_device(
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

    pub(crate) fn enrols(&mut self, coop: usize, role: Role) -> Result<(), String> {
        let seed: [u8; 32] = std::array::from_fn(|_| u8::try_from(self.dice.roll(256)).unwrap());
        let (pair, device, reply) = self.has_device(coop, role, &role.to_string(), &seed)?;
        let is_newer = self.dice.percent(20);
        if is_newer {
            self.count("phone of a version ahead");
        }
        let has_poor_line = self.dice.percent(40);
        let mut pace = Pace::default();
        if has_poor_line {
            // Its pages are the smallest ones.
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
            device,
            grants: reply.grants,
            certificate: reply.certificate,
            replica,
            openings,
            pace,
            has_poor_line,
            notices_read: 0,
            clock_off: 0,
            is_revoked: false,
            is_broken: false,
            is_newer,
            was_damaged: false,
            was_ever_damaged: false,
            damaged: BTreeSet::new(),
            was_granted_otherwise: false,
            recorded: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
        });
        Ok(())
    }

    /// A phone is copied from a backup of it: two devices with one key and one actor from now on.
    pub(crate) fn is_copied(&mut self, phone: usize) -> Result<(), String> {
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
            device: one.device,
            grants: one.grants.clone(),
            certificate: one.certificate.clone(),
            replica,
            openings,
            pace: one.pace,
            has_poor_line: one.has_poor_line,
            notices_read: one.notices_read,
            clock_off: one.clock_off,
            is_revoked: one.is_revoked,
            is_broken: false,
            is_newer: one.is_newer,
            was_damaged: one.was_damaged,
            was_ever_damaged: one.was_ever_damaged,
            damaged: one.damaged.clone(),
            was_granted_otherwise: one.was_granted_otherwise,
            recorded: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
        };
        self.phones.push(copy);
        self.count("phone copied from a backup");
        Ok(())
    }

    /// A text that nobody said before.
    pub(crate) fn new_note(&mut self) -> String {
        self.notes += 1;
        format!("note {}", self.notes)
    }

    /// The server's machine stops; of what was not flushed, some may be there when it starts again.
    pub(crate) fn server_crashes(&mut self) {
        let unflushed = self.disk.unflushed() > 0;
        self.count(if unflushed { "server stops, with writes not flushed" } else { "server stops" });
        self.server = None;
        let kept = usize::try_from(self.dice.roll(self.disk.unflushed() as u64 + 1)).unwrap();
        self.disk.start_again(kept);
    }

    /// Where everyone stands: how far each log reaches, and what each phone has read and has to send.
    pub(crate) fn standing(&mut self) -> Result<Vec<(Cursor, u64)>, String> {
        let mut all = Vec::new();
        for number in self.coops.clone() {
            let cooperative = self.server()?.cooperative(number).map_err(|error| error.to_string())?;
            let statistics = cooperative.statistics();
            all.push((Cursor { position: statistics.positions, ..Cursor::default() }, statistics.pending));
        }
        all.extend(self.phones.iter().map(|phone| (phone.replica.cursor(), phone.replica.unsent())));
        Ok(all)
    }

    /// A phone breaks, and what only it had is gone.
    pub(crate) fn breaks(&mut self, phone: usize) {
        self.phones[phone].is_broken = true;
        self.count("phone breaks for good");
    }
}
