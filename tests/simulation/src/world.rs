//! One world: a server, phones of two co-operatives, a clock, and everything that can go wrong. The
//! same seed makes the same world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::access::{EnrolRequest, Role};
use granary_client_core::protocol::bundle::read_bundle;
use granary_client_core::protocol::carried::CarriedFile;
use granary_client_core::protocol::frame::{SignedRequest, read_reply, write_reply};
use granary_client_core::protocol::messages::{Cursor, SyncReply, read_message, write_message};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;
use granary_client_core::sync::{Pace, Session, Step};
use granary_server::log::CooperativeNumber;
use granary_server::{Chance, Error, Granary, Surroundings};
use ring::signature::Ed25519KeyPair;

use crate::dice::Dice;
use crate::disk::Disk;
use crate::phone::SimPhone;

/// Exchanges of one sync at most.
const EXCHANGES_MAX: usize = 200;
/// Households of each co-operative.
pub(crate) const HOUSEHOLDS: u8 = 3;

/// What the line does to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Whole,
    RequestLost,
    ReplyLost,
    /// The request arrives twice.
    Twice,
    /// The request also arrives once more, much later.
    AgainLater,
}

/// A phone's outbox as a file, and the lots in it.
struct Carried {
    phone: usize,
    file: CarriedFile,
    lots: BTreeMap<String, HouseholdId>,
}

/// How often each fault happened, by what it is called.
pub type Tally = BTreeMap<&'static str, u64>;

/// See the module.
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) now: i64,
    keys: tempfile::TempDir,
    /// Where the server's random bytes come from.
    chance: Chance,
    pub(crate) disk: Disk,
    server: Option<Granary>,
    pub(crate) coops: Vec<CooperativeNumber>,
    pub(crate) phones: Vec<SimPhone>,
    backups: Vec<Disk>,
    /// Whether the server is restored in this world, and whether phones are copied: of three worlds, one has the
    /// first only, one the second, one both.
    pub(crate) is_restorable: bool,
    pub(crate) is_copyable: bool,
    /// How often the server was restored.
    restorations: u32,
    copies: u32,
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
    /// How far each log was seen to reach, since the last restoration.
    reached: BTreeMap<CooperativeNumber, u64>,
    /// How often each fault happened.
    pub(crate) tally: Tally,
    /// What happened, for a failing seed.
    pub(crate) story: Vec<String>,
}

/// Random bytes of this seed.
fn chance(seed: u64) -> Chance {
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
    pub(crate) fn new(seed: u64) -> Result<Self, String> {
        let mut world = Self {
            dice: Dice::new(seed),
            now: 1_790_000_000_000,
            keys: tempfile::tempdir().map_err(|error| error.to_string())?,
            chance: chance(seed),
            disk: Disk::default(),
            server: None,
            coops: Vec::new(),
            phones: Vec::new(),
            backups: Vec::new(),
            is_restorable: !seed.is_multiple_of(3),
            is_copyable: seed % 3 != 1,
            restorations: 0,
            copies: 0,
            notes: 0,
            late: Vec::new(),
            carried: Vec::new(),
            handed_in: Vec::new(),
            revoked: Vec::new(),
            granted: BTreeMap::new(),
            reached: BTreeMap::new(),
            tally: Tally::default(),
            story: Vec::new(),
        };
        std::fs::write(world.keys.path().join("identity.key"), [7; 32]).map_err(|error| error.to_string())?;
        for name in ["Linxian", "Another Company"] {
            let now = Instant(world.now);
            let number = world.server()?.create_cooperative(name, now).map_err(|error| error.to_string())?;
            world.coops.push(number);
        }
        for coop in 0..2 {
            world.enrols(coop, Role::Coordinator)?;
            world.enrols(coop, Role::Packer)?;
            for number in 1..=HOUSEHOLDS {
                world.enrols(coop, Role::Household(household(number)))?;
            }
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
            let (store, chance) = (Arc::new(self.disk.clone()), Arc::clone(&self.chance));
            let surroundings = Surroundings { chance, jobs_per_flush: 1 };
            let opened = Granary::open_with(store, self.keys.path(), None, surroundings, |_| {});
            let server = opened.map_err(|error| format!("the server does not open again: {error}"))?;
            settle(&server, &self.coops);
            self.server = Some(server);
        }
        self.server.as_ref().ok_or_else(|| "there is no server".into())
    }

    pub(crate) fn enrols(&mut self, coop: usize, role: Role) -> Result<(), String> {
        let seed: [u8; 32] = std::array::from_fn(|_| u8::try_from(self.dice.roll(256)).unwrap());
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| error.to_string())?;
        let public_key = SimPhone::public_key(&pair);
        let (now, number) = (Instant(self.now), self.coops[coop]);
        let server = self.server()?;
        let code = server.invite(number, role, 1, now).map_err(|error| error.to_string())?.code;
        let request = EnrolRequest { code, public_key, name: format!("{role}") };
        let reply = server.enrol(&request, now).map_err(|error| error.to_string())?;
        let device = DeviceId::of_public_key(&public_key);
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
        let replica = SimPhone::open(&disk, reply.cooperative, device, &reply.grants)?;
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
            last_cursor: (Cursor::default(), 0),
        });
        Ok(())
    }

    /// A phone is copied from a backup of it: two devices with one key and one actor from now on.
    pub(crate) fn is_copied(&mut self, phone: usize) -> Result<(), String> {
        let one = &self.phones[phone];
        let disk = one.disk.backup();
        let pair = Ed25519KeyPair::from_seed_unchecked(&one.seed).map_err(|error| error.to_string())?;
        let replica = SimPhone::open(&disk, one.cooperative, one.device, &one.grants)?;
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
            last_cursor: one.last_cursor,
        };
        self.phones.push(copy);
        self.copies += 1;
        self.count("phone copied from a backup");
        Ok(())
    }

    /// True when a phone of this world was copied.
    pub(crate) fn has_copies(&self) -> bool {
        self.copies > 0
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

    pub(crate) fn was_restored(&self) -> bool {
        self.restorations > 0
    }

    pub(crate) fn backs_up(&mut self) {
        self.backups.push(self.disk.backup());
    }

    /// The server's store is replaced by an older one. The operator says again who was revoked.
    pub(crate) fn is_restored(&mut self) -> Result<(), String> {
        if self.backups.is_empty() {
            return Ok(());
        }
        let which = usize::try_from(self.dice.roll(self.backups.len() as u64)).unwrap();
        self.server = None;
        self.disk = self.backups[which].backup();
        self.restorations += 1;
        self.count("server set back to a backup");
        self.reached.clear();
        let (revoked, granted, now) = (self.revoked.clone(), self.granted.clone(), Instant(self.now));
        let server = self.server()?;
        for (number, device) in revoked {
            // A device that this store never knew is refused anyway, until it shows its certificate.
            let _ = server.revoke("operator", number, device, now);
        }
        for (device, (number, role)) in granted {
            let _ = server.grant("operator", number, device, &[role], now);
        }
        Ok(())
    }

    /// What a phone may do is changed.
    pub(crate) fn grants_otherwise(&mut self, phone: usize, role: Role) -> Result<(), String> {
        let (number, device, now) = (self.coops[self.phones[phone].coop], self.phones[phone].device, Instant(self.now));
        match self.server()?.grant("operator", number, device, &[role], now) {
            Ok(()) => {
                self.granted.insert(device, (number, role));
                self.count("device granted otherwise");
                for other in self.phones.iter_mut().filter(|other| other.device == device) {
                    other.role = role;
                    other.was_granted_otherwise = true;
                }
                Ok(())
            }
            Err(Error::NotFound { .. } | Error::Stopping) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Where everyone stands: how far each log reaches, and what each phone has read and has to send.
    pub(crate) fn standing(&mut self) -> Result<Vec<(Cursor, u64)>, String> {
        let mut all = Vec::new();
        for number in self.coops.clone() {
            let cooperative = self.server()?.cooperative(number).map_err(|error| error.to_string())?;
            let statistics = cooperative.statistics();
            all.push((Cursor { position: statistics.positions, ..Cursor::default() }, statistics.pending));
        }
        all.extend(self.phones.iter().map(|phone| (phone.replica.cursor(), phone.replica.pending())));
        Ok(all)
    }

    /// What must hold at any time, of the phone that did something and of the server.
    pub(crate) fn must_hold(&mut self, phone: usize) -> Result<(), String> {
        let (was_restored, has_copies) = (self.was_restored(), self.has_copies());
        self.phones[phone].must_hold(was_restored, has_copies).map_err(|why| format!("phone {phone}: {why}"))?;
        if let Some(server) = &self.server {
            for number in &self.coops {
                let cooperative = server.cooperative(*number).map_err(|error| error.to_string())?;
                let now = cooperative.statistics().positions;
                let before = self.reached.insert(*number, now).unwrap_or(0);
                if now < before {
                    return Err(format!("the log of co-operative {} went back from {before} to {now}", number.0));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn revokes(&mut self, phone: usize) -> Result<(), String> {
        let (number, device, now) = (self.coops[self.phones[phone].coop], self.phones[phone].device, Instant(self.now));
        match self.server()?.revoke("operator", number, device, now) {
            Ok(()) => {
                self.revoked.push((number, device));
                self.count("device revoked");
                // A copy of it is the same device.
                for other in &mut self.phones {
                    other.is_revoked |= other.device == device;
                }
                Ok(())
            }
            Err(Error::NotFound { .. } | Error::Stopping) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// One exchange with the server; none when the line or the server failed.
    fn exchange(
        &mut self,
        phone: usize,
        body: &[u8],
        line: Line,
    ) -> Result<Option<Result<Vec<u8>, ProblemKind>>, String> {
        match line {
            Line::Whole => {}
            Line::RequestLost => self.count("request lost"),
            Line::ReplyLost => self.count("reply lost"),
            Line::Twice => self.count("request twice"),
            Line::AgainLater => self.count("request once more, much later"),
        }
        if line == Line::RequestLost {
            return Ok(None);
        }
        if line == Line::AgainLater {
            self.late.push(body.to_vec());
        }
        let mut answer = self.arrives(body)?;
        if line == Line::Twice {
            answer = self.arrives(body)?;
        }
        let Some(answer) = answer.filter(|_| line != Line::ReplyLost) else { return Ok(None) };
        Ok(Some(match answer {
            Ok(reply) => {
                self.must_not_leak(phone, &reply)?;
                Ok(write_reply(granary_client_core::protocol::frame::VERSION, &write_message(&reply)))
            }
            Err(kind) => Err(kind),
        }))
    }

    /// A request arrives at the server; none when the server stops over it.
    fn arrives(&mut self, body: &[u8]) -> Result<Option<Result<SyncReply, ProblemKind>>, String> {
        let now = Instant(self.now);
        let coops = self.coops.clone();
        let server = self.server()?;
        let signed = SignedRequest::parse(body).map_err(|fault| fault.to_string())?;
        let result = server.sync(&signed, now);
        settle(server, &coops);
        if self.disk.was_full() {
            self.count("server's disk full");
        }
        if self.disk.has_stopped() || self.disk.was_full() {
            // What it has answered by then has been acknowledged all the same.
            let answered = result.ok();
            self.server_crashes();
            return Ok(answered.map(Ok));
        }
        match result {
            Ok(reply) => Ok(Some(Ok(reply))),
            Err(Error::Refused { kind, .. }) => Ok(Some(Err(kind))),
            Err(error) => Err(format!("the server failed without a fault: {error}")),
        }
    }

    /// Old requests arrive once more.
    pub(crate) fn late_requests_arrive(&mut self) -> Result<(), String> {
        for body in std::mem::take(&mut self.late) {
            self.arrives(&body)?;
        }
        Ok(())
    }

    /// True when another phone goes by this one's name: a file of it may hold what the other says under the
    /// same number.
    pub(crate) fn is_a_copy(&self, phone: usize) -> bool {
        let device = self.phones[phone].device;
        self.phones.iter().filter(|other| other.device == device).count() > 1
    }

    /// Somebody takes along what a phone has to send.
    pub(crate) fn carries_out(&mut self, phone: usize) -> Result<(), String> {
        let key = self.server()?.carrying_key().clone();
        let dice = Dice::new(self.dice.roll(u64::MAX));
        let one = &self.phones[phone];
        let Some(file) = one.carries_out(&key, dice)? else { return Ok(()) };
        let is_sure = !one.was_granted_otherwise && !one.was_ever_damaged && !self.is_a_copy(phone);
        let lots = if is_sure { one.recorded.clone() } else { BTreeMap::new() };
        self.carried.push(Carried { phone, file, lots });
        self.count("outbox carried as a file");
        Ok(())
    }

    /// Files are handed in, latest first; some of them will be once more.
    pub(crate) fn files_are_handed_in(&mut self) -> Result<(), String> {
        for carried in std::mem::take(&mut self.carried).into_iter().rev() {
            let (now, coops) = (Instant(self.now), self.coops.clone());
            let server = self.server()?;
            let taken = server.take_carried(&carried.file, |_| Ok(()), now);
            settle(server, &coops);
            let one = &self.phones[carried.phone];
            match taken {
                Ok(()) => {
                    let is_copy = self.is_a_copy(carried.phone);
                    let is_sure = !one.was_granted_otherwise && !self.was_restored() && !is_copy;
                    let lots = carried.lots.iter().filter(|_| is_sure);
                    self.handed_in.extend(lots.map(|(note, household)| (one.coop, note.clone(), *household)));
                    self.count("file handed in");
                }
                Err(Error::Refused { kind: ProblemKind::DeviceRevoked, .. }) => {}
                Err(_) if self.disk.has_stopped() || self.disk.was_full() => {
                    self.server_crashes();
                    self.carried.push(carried);
                    continue;
                }
                Err(error) => return Err(format!("a file was refused: {error}")),
            }
            self.say_again_who_is_revoked()?;
            self.say_again_what_is_granted()?;
            if self.dice.percent(30) {
                self.carried.push(carried);
            }
        }
        Ok(())
    }

    /// A phone breaks, and what only it had is gone.
    pub(crate) fn breaks(&mut self, phone: usize) {
        self.phones[phone].is_broken = true;
        self.count("phone breaks for good");
    }

    /// Nothing in a reply may be of a document that the device may not read now.
    fn must_not_leak(&mut self, phone: usize, reply: &SyncReply) -> Result<(), String> {
        if reply.bundle.is_empty() {
            return Ok(());
        }
        let (number, device) = (self.coops[self.phones[phone].coop], self.phones[phone].device);
        let cooperative = self.server()?.cooperative(number).map_err(|error| error.to_string())?;
        let Some(record) = cooperative.device(device) else { return Ok(()) };
        let grants = record.grants_now();
        for document in read_bundle(&reply.bundle).map_err(|fault| fault.to_string())? {
            if !grants.may_read(&document.key) {
                return Err(format!("LEAKED {:?} to {device}, which may {:?}", document.key, grants.roles));
            }
        }
        Ok(())
    }

    /// A phone syncs; `line` is asked for each exchange. Gives what became of it.
    pub(crate) fn syncs(&mut self, phone: usize, mut line: impl FnMut(&mut Dice) -> Line) -> Result<Synced, String> {
        let begun = {
            let one = &self.phones[phone];
            Session::begin(&one.replica, one.pace, one.notices_read, None, |bytes| one.sign(bytes))
        };
        let Ok((mut session, mut request)) = begun else { return Ok(Synced::PhoneFailed) };
        for _ in 0..EXCHANGES_MAX {
            let how = line(&mut self.dice);
            let answer = self.exchange(phone, &request, how)?;
            let reply = match answer {
                None => {
                    self.phones[phone].pace.failed();
                    return Ok(Synced::LineFailed);
                }
                Some(Err(ProblemKind::UnknownDevice)) => {
                    let (certificate, now) = (self.phones[phone].certificate.clone(), Instant(self.now));
                    let _ = self.server()?.reinstate(&certificate, now);
                    self.say_again_who_is_revoked()?;
                    self.say_again_what_is_granted()?;
                    return Ok(Synced::CameBack);
                }
                Some(Err(ProblemKind::DeviceRevoked)) => return Ok(Synced::Refused),
                Some(Err(kind)) => return Err(format!("a phone was refused: {kind:?}")),
                Some(Ok(reply)) => reply,
            };
            let one = &mut self.phones[phone];
            if !one.has_poor_line {
                one.pace.succeeded(1_000);
            }
            let SimPhone { replica, pair, pace, .. } = one;
            let sign = |bytes: &[u8]| ring::signature::Ed25519KeyPair::sign(pair, bytes).as_ref().try_into().unwrap();
            let step = session.take_reply(replica, *pace, &reply, sign);
            one.notices_read = session.notices_read();
            if step.is_ok() {
                // What a full disk did not keep, the phone was never told.
                self.cursor_must_rise(phone, &reply)?;
            }
            match step {
                Ok(Step::Send(next)) => request = next,
                Ok(Step::Done(_)) => {
                    let one = &mut self.phones[phone];
                    if one.replica.pending() == 0 && !one.was_granted_otherwise {
                        one.acknowledged = one.recorded.clone();
                        one.was_damaged = false;
                    }
                    return Ok(Synced::Done);
                }
                Err(_) if self.phones[phone].disk.has_stopped() || self.phones[phone].disk.was_full() => {
                    return Ok(Synced::PhoneFailed);
                }
                Err(error) => return Err(format!("a phone could not take a reply: {error}")),
            }
        }
        Err("a sync does not end".into())
    }

    /// The operator grants again what the server has lost of it. It may stop over that; then it is said once more
    /// when everything heals.
    pub(crate) fn say_again_what_is_granted(&mut self) -> Result<(), String> {
        let (granted, now) = (self.granted.clone(), Instant(self.now));
        let server = self.server()?;
        for (device, (number, role)) in granted {
            let is_lost =
                server.cooperative(number).ok().and_then(|cooperative| cooperative.device(device)).is_some_and(
                    |record| record.revoked_millis.is_none() && !record.grants_now().roles.contains(&role),
                );
            if is_lost {
                let _ = server.grant("operator", number, device, &[role], now);
            }
        }
        Ok(())
    }

    pub(crate) fn say_again_who_is_revoked(&mut self) -> Result<(), String> {
        let (revoked, now) = (self.revoked.clone(), Instant(self.now));
        let server = self.server()?;
        for (number, device) in revoked {
            let active = server
                .cooperative(number)
                .ok()
                .and_then(|cooperative| cooperative.device(device))
                .is_some_and(|record| record.revoked_millis.is_none());
            if active {
                let _ = server.revoke("operator", number, device, now);
            }
        }
        Ok(())
    }

    /// A cursor only rises, but for a restoration.
    fn cursor_must_rise(&mut self, phone: usize, reply: &[u8]) -> Result<(), String> {
        let content = read_reply(reply).map_err(|fault| fault.to_string())?;
        let reply: SyncReply = read_message(&content).map_err(|fault| fault.to_string())?;
        let one = &mut self.phones[phone];
        let ((before, restorations), after) = (one.last_cursor, reply.cursor);
        one.last_cursor = (after, self.restorations);
        if restorations == self.restorations && after.position < before.position {
            return Err(format!("a cursor fell from {} to {}", before.position, after.position));
        }
        Ok(())
    }
}

/// What became of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synced {
    Done,
    LineFailed,
    PhoneFailed,
    Refused,
    CameBack,
}
