//! Resumable transfers: the received parts of requests whose line broke, and replies that may not have arrived. They
//! are kept in memory for some minutes, bounded in bytes and number, in all and for each who sent or asked for them; see
//! [`granary_client_core::protocol::transfer`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::frame::claimed_device;
use granary_client_core::protocol::limits::BODY_BYTES_MAX;
use granary_client_core::protocol::signing::Channel;
use granary_client_core::protocol::transfer::PartKey;
use granary_client_core::quantities::Instant;

use super::limiter::Origin;

/// Bytes of all parts of requests; beyond it the oldest is removed. Anybody may send them, so replies have a room apart.
const REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of all replies.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of the parts of one owner; beyond it its own oldest is removed. Two whole requests of the largest size.
const OWNER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Parts of all requests, and of all replies: beyond it the oldest is removed. Small parts cost more than their bytes.
const PARTS_MAX: usize = 2_048;
/// Parts of one owner. A village behind one address has many phones.
const OWNER_PARTS_MAX: usize = 256;
/// The time for which a part is kept, in milliseconds.
const KEPT_MILLIS: u64 = 10 * 60 * 1000;

/// Whose share a part counts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Of a request, of which nobody knows yet who signed it: the address that it came from.
    Origin(Origin),
    /// Of a reply.
    Device(DeviceId),
}

struct PartialBody {
    bytes: Bytes,
    owner: Owner,
    /// Of a request: the connection on which it began.
    channel: Option<Channel>,
    touched: Instant,
}

/// Which side of an exchange a part is of.
type Name = (bool, PartKey);

const fn request(key: PartKey) -> Name {
    (true, key)
}

const fn reply(key: PartKey) -> Name {
    (false, key)
}

#[derive(Default)]
struct Kept {
    parts: HashMap<Name, PartialBody>,
    bytes: usize,
}

/// The parts of all exchanges.
#[derive(Default)]
pub(crate) struct Transfers {
    kept: Mutex<Kept>,
}

/// The progress of an exchange.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The rest of the reply.
    Reply(Bytes),
    /// This much of the request is here.
    Request(usize),
    /// Nothing.
    Nothing,
}

impl Transfers {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device that the kept part of a request names, which nobody has checked; none when less was received.
    pub(crate) fn claimed(&self, key: PartKey, offset: usize) -> Option<DeviceId> {
        let kept = self.kept();
        let part = kept.parts.get(&request(key))?;
        if part.bytes.len() < offset { None } else { claimed_device(&part.bytes) }
    }

    /// Takes out the part of a request before this offset, with the connection on which it began; none when less was
    /// received, or another continuation has it.
    pub(crate) fn resume(&self, key: PartKey, offset: usize) -> Option<(Vec<u8>, Option<Channel>)> {
        let mut kept = self.kept();
        if kept.parts.get(&request(key))?.bytes.len() < offset {
            return None;
        }
        let part = kept.take(request(key))?;
        // Nobody else has the bytes, so they are moved and not copied.
        let mut bytes = Vec::from(part.bytes);
        bytes.truncate(offset);
        Some((bytes, part.channel))
    }

    /// The device whose exchange this is, as far as it said.
    pub(crate) fn device_of(&self, key: PartKey) -> Option<DeviceId> {
        let kept = self.kept();
        match kept.parts.get(&reply(key)).map(|part| part.owner) {
            Some(Owner::Device(device)) => Some(device),
            _ => kept.parts.get(&request(key)).and_then(|part| claimed_device(&part.bytes)),
        }
    }

    /// Keeps the received part of a request whose line broke.
    pub(crate) fn keep_request(
        &self,
        key: PartKey,
        from: Origin,
        mut bytes: Vec<u8>,
        channel: Option<Channel>,
        now: Instant,
    ) {
        if bytes.len() <= BODY_BYTES_MAX {
            // Its room is given back, so what is beyond its end is too.
            bytes.shrink_to_fit();
            let bytes = Bytes::from(bytes);
            self.kept().put(request(key), PartialBody { bytes, owner: Owner::Origin(from), channel, touched: now });
        }
    }

    /// Forgets the parts that nobody came back for. Else they would stay until the next is kept.
    pub(crate) fn forget_old(&self, now: Instant) {
        self.kept().forget_old(now);
    }

    /// Removes a request that was received whole.
    pub(crate) fn request_is_whole(&self, key: PartKey) {
        self.kept().take(request(key));
    }

    /// Keeps a reply, in case the line breaks during it.
    pub(crate) fn keep_reply(&self, key: PartKey, device: DeviceId, bytes: Bytes, now: Instant) {
        let owner = Owner::Device(device);
        self.kept().put(reply(key), PartialBody { bytes, owner, channel: None, touched: now });
    }

    /// The progress of an exchange, for a phone that has `have` bytes of the reply.
    pub(crate) fn progress(&self, key: PartKey, have: usize) -> Progress {
        let kept = self.kept();
        if let Some(part) = kept.parts.get(&reply(key)).filter(|part| have <= part.bytes.len()) {
            return Progress::Reply(part.bytes.slice(have..));
        }
        kept.parts.get(&request(key)).map_or(Progress::Nothing, |part| Progress::Request(part.bytes.len()))
    }
}

impl Kept {
    fn take(&mut self, name: Name) -> Option<PartialBody> {
        let part = self.parts.remove(&name)?;
        self.bytes = self.bytes.saturating_sub(part.bytes.len());
        Some(part)
    }

    fn put(&mut self, name: Name, part: PartialBody) {
        self.take(name);
        self.forget_old(part.touched);
        let wanted = part.bytes.len();
        self.make_room(|_, kept| kept.owner == part.owner, wanted, OWNER_BYTES_MAX, OWNER_PARTS_MAX);
        let (is_request, _) = name;
        let bytes_max = if is_request { REQUEST_BYTES_MAX } else { REPLY_BYTES_MAX };
        self.make_room(|(of_request, _), _| of_request == is_request, wanted, bytes_max, PARTS_MAX);
        self.bytes = self.bytes.saturating_add(wanted);
        self.parts.insert(name, part);
    }

    fn forget_old(&mut self, now: Instant) {
        let is_old = |part: &PartialBody| now.millis_since(part.touched) > KEPT_MILLIS;
        let forgotten: Vec<Name> = self.parts.iter().filter(|(_, part)| is_old(part)).map(|(name, _)| *name).collect();
        forgotten.into_iter().for_each(|name| drop(self.take(name)));
        if self.parts.is_empty() {
            self.parts = HashMap::new();
        }
    }

    /// Removes the oldest of these parts until one of `wanted` bytes fits.
    fn make_room(
        &mut self,
        of: impl Fn(Name, &PartialBody) -> bool,
        wanted: usize,
        bytes_max: usize,
        parts_max: usize,
    ) {
        let mut these: Vec<(Instant, Name, usize)> = self
            .parts
            .iter()
            .filter(|(name, part)| of(**name, part))
            .map(|(name, part)| (part.touched, *name, part.bytes.len()))
            .collect();
        let mut bytes = these.iter().fold(wanted, |sum, (_, _, bytes)| sum.saturating_add(*bytes));
        if bytes <= bytes_max && these.len() < parts_max {
            return;
        }
        these.sort_unstable_by_key(|(touched, ..)| *touched);
        let mut left = these.len();
        for (_, name, length) in these {
            if bytes <= bytes_max && left < parts_max {
                break;
            }
            self.take(name);
            bytes = bytes.saturating_sub(length);
            left = left.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(last: u8) -> Origin {
        Origin::Four([127, 0, 0, last])
    }

    const DEVICE: DeviceId = DeviceId::from_bytes([2; 8]);

    #[test]
    fn transfers_resume_request_and_reply() {
        let transfers = Transfers::default();
        let key = PartKey::of(b"a request");
        assert_eq!(transfers.progress(key, 0), Progress::Nothing);
        let first = Some(Channel([1; 32]));
        transfers.keep_request(key, origin(1), b"a req".to_vec(), first, Instant(0));
        assert_eq!(transfers.progress(key, 0), Progress::Request(5));
        assert_eq!(transfers.resume(key, 6), None);
        assert_eq!(transfers.resume(key, 5), Some((b"a req".to_vec(), first)));
        assert_eq!(transfers.resume(key, 5), None, "one continuation has it");
        transfers.keep_reply(key, DEVICE, Bytes::from_static(b"the reply"), Instant(1));
        assert_eq!(transfers.device_of(key), Some(DEVICE));
        assert_eq!(transfers.progress(key, 4), Progress::Reply(Bytes::from_static(b"reply")));
        assert_eq!(transfers.progress(key, 10), Progress::Nothing);
    }

    #[test]
    fn transfers_are_bounded_in_bytes_and_time() {
        let transfers = Transfers::default();
        transfers.keep_reply(PartKey(98), DEVICE, Bytes::from_static(b"a reply"), Instant(0));
        for number in 0..40u64 {
            let at = Instant(i64::try_from(number).unwrap());
            let from = origin(u8::try_from(number).unwrap());
            transfers.keep_request(PartKey(number), from, vec![0; 3 << 20], None, at);
        }
        assert!(transfers.kept().bytes <= REQUEST_BYTES_MAX + 7);
        assert_eq!(transfers.progress(PartKey(98), 2), Progress::Reply(Bytes::from_static(b"reply")), "apart");
        assert_eq!(transfers.progress(PartKey(0), 0), Progress::Nothing, "the oldest went first");
        assert_eq!(transfers.progress(PartKey(39), 0), Progress::Request(3 << 20));
        transfers.keep_reply(PartKey(99), DEVICE, Bytes::from_static(&[1]), Instant(3_600_000));
        assert_eq!(transfers.progress(PartKey(39), 0), Progress::Nothing, "an hour later all of it is forgotten");
        assert_eq!(transfers.kept().bytes, 1);
        transfers.forget_old(Instant(7_200_000));
        let kept = transfers.kept();
        assert_eq!((kept.bytes, kept.parts.len()), (0, 0), "without any newcomer");
    }

    #[test]
    fn one_owner_takes_its_own_share_alone() {
        let transfers = Transfers::default();
        transfers.keep_request(PartKey(0), origin(1), vec![0; 3 << 20], None, Instant(0));
        transfers.keep_reply(PartKey(1), DEVICE, Bytes::from_static(b"a reply"), Instant(0));
        for number in 10..10_000u64 {
            let length = if number % 100 == 0 { 3 << 20 } else { 83 };
            transfers.keep_request(PartKey(number), origin(2), vec![0; length], None, Instant(1));
        }
        assert_eq!(transfers.progress(PartKey(0), 0), Progress::Request(3 << 20), "another's stays");
        assert_eq!(transfers.progress(PartKey(1), 0), Progress::Reply(Bytes::from_static(b"a reply")));
        let kept = transfers.kept();
        assert!(kept.bytes <= OWNER_BYTES_MAX + (3 << 20) + 7, "{}", kept.bytes);
        assert!(kept.parts.len() <= OWNER_PARTS_MAX + 2, "{}", kept.parts.len());
    }
}
