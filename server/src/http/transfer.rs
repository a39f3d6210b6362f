//! Resumable transfers: the received parts of requests whose line broke, and replies that may not have arrived. They
//! are kept in memory, bounded, for some minutes; see [`granary_client_core::protocol::transfer`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::frame::claimed_device;
use granary_client_core::protocol::limits::BODY_BYTES_MAX;
use granary_client_core::protocol::signing::Channel;
use granary_client_core::protocol::transfer::PartKey;
use granary_client_core::quantities::Instant;

/// Bytes of all parts; beyond it the oldest is removed.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// The time for which a part is kept, in milliseconds.
const KEPT_MILLIS: u64 = 10 * 60 * 1000;

struct PartialBody {
    bytes: Vec<u8>,
    /// Of a reply: whose it is. Of a request, its beginning says so.
    device: Option<DeviceId>,
    /// Of a request: the connection on which it began.
    channel: Option<Channel>,
    touched: Instant,
}

#[derive(Default)]
struct Kept {
    requests: HashMap<PartKey, PartialBody>,
    replies: HashMap<PartKey, PartialBody>,
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
    Reply(Vec<u8>),
    /// This much of the request is here.
    Request(usize),
    /// Nothing.
    Nothing,
}

impl Transfers {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resumes a request at this offset; gives the part before it and the connection on which it began, or none when less
    /// was received.
    pub(crate) fn resume(&self, key: PartKey, offset: usize) -> Option<(Vec<u8>, Option<Channel>)> {
        let kept = self.kept();
        let part = kept.requests.get(&key)?;
        Some((part.bytes.get(..offset)?.to_vec(), part.channel))
    }

    /// The device whose exchange this is, as far as it said.
    pub(crate) fn device_of(&self, key: PartKey) -> Option<DeviceId> {
        let kept = self.kept();
        let of_reply = kept.replies.get(&key).and_then(|part| part.device);
        of_reply.or_else(|| kept.requests.get(&key).and_then(|part| claimed_device(&part.bytes)))
    }

    /// Keeps the received part of a request whose line broke.
    pub(crate) fn keep_request(&self, key: PartKey, bytes: Vec<u8>, channel: Option<Channel>, now: Instant) {
        if bytes.len() <= BODY_BYTES_MAX {
            self.kept().put(true, key, PartialBody { bytes, device: None, channel, touched: now });
        }
    }

    /// Removes a request that was received whole.
    pub(crate) fn request_is_whole(&self, key: PartKey) {
        self.kept().take(true, key);
    }

    /// Keeps a reply, in case the line breaks during it.
    pub(crate) fn keep_reply(&self, key: PartKey, device: DeviceId, bytes: Vec<u8>, now: Instant) {
        self.kept().put(false, key, PartialBody { bytes, device: Some(device), channel: None, touched: now });
    }

    /// The progress of an exchange, for a phone that has `have` bytes of the reply.
    pub(crate) fn progress(&self, key: PartKey, have: usize) -> Progress {
        let kept = self.kept();
        if let Some(rest) = kept.replies.get(&key).and_then(|part| part.bytes.get(have..)) {
            return Progress::Reply(rest.to_vec());
        }
        kept.requests.get(&key).map_or(Progress::Nothing, |part| Progress::Request(part.bytes.len()))
    }
}

impl Kept {
    fn side(&mut self, is_request: bool) -> &mut HashMap<PartKey, PartialBody> {
        if is_request { &mut self.requests } else { &mut self.replies }
    }

    fn take(&mut self, is_request: bool, key: PartKey) {
        if let Some(part) = self.side(is_request).remove(&key) {
            self.bytes = self.bytes.saturating_sub(part.bytes.len());
        }
    }

    fn put(&mut self, is_request: bool, key: PartKey, part: PartialBody) {
        self.take(is_request, key);
        self.make_room(part.bytes.len(), part.touched);
        self.bytes = self.bytes.saturating_add(part.bytes.len());
        self.side(is_request).insert(key, part);
    }

    fn make_room(&mut self, wanted: usize, now: Instant) {
        for is_request in [true, false] {
            let old: Vec<PartKey> = self
                .side(is_request)
                .iter()
                .filter(|(_, part)| now.millis_since(part.touched) > KEPT_MILLIS)
                .map(|(key, _)| *key)
                .collect();
            old.into_iter().for_each(|key| self.take(is_request, key));
        }
        while self.bytes.saturating_add(wanted) > BYTES_MAX {
            let oldest = |side: &HashMap<PartKey, PartialBody>| {
                side.iter().min_by_key(|(_, part)| part.touched).map(|(key, part)| (part.touched, *key))
            };
            let (request, reply) = (oldest(&self.requests), oldest(&self.replies));
            match (request, reply) {
                (Some(request), Some(reply)) if request.0 <= reply.0 => self.take(true, request.1),
                (Some(request), None) => self.take(true, request.1),
                (_, Some(reply)) => self.take(false, reply.1),
                (None, None) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfers_resume_request_and_reply() {
        let transfers = Transfers::default();
        let key = PartKey::of(b"a request");
        assert_eq!(transfers.progress(key, 0), Progress::Nothing);
        let (first, device) = (Some(Channel([1; 32])), DeviceId::from_bytes([2; 8]));
        transfers.keep_request(key, b"a req".to_vec(), first, Instant(0));
        assert_eq!(transfers.progress(key, 0), Progress::Request(5));
        assert_eq!(transfers.resume(key, 5), Some((b"a req".to_vec(), first)));
        assert_eq!(transfers.resume(key, 6), None);
        transfers.request_is_whole(key);
        transfers.keep_reply(key, device, b"the reply".to_vec(), Instant(1));
        assert_eq!(transfers.device_of(key), Some(device));
        assert_eq!(transfers.progress(key, 4), Progress::Reply(b"reply".to_vec()));
        assert_eq!(transfers.progress(key, 10), Progress::Nothing);
    }

    #[test]
    fn transfers_are_bounded_in_bytes_and_time() {
        let transfers = Transfers::default();
        for number in 0..40u64 {
            let at = Instant(i64::try_from(number).unwrap());
            transfers.keep_request(PartKey(number), vec![0; 3 << 20], None, at);
        }
        assert!(transfers.kept().bytes <= BYTES_MAX);
        assert_eq!(transfers.progress(PartKey(0), 0), Progress::Nothing, "the oldest went first");
        assert_eq!(transfers.progress(PartKey(39), 0), Progress::Request(3 << 20));
        transfers.keep_reply(PartKey(99), DeviceId::from_bytes([2; 8]), vec![1], Instant(3_600_000));
        assert_eq!(transfers.progress(PartKey(39), 0), Progress::Nothing, "an hour later all of it is forgotten");
        assert_eq!(transfers.kept().bytes, 1);
    }
}
