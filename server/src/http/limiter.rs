//! Token buckets for any number of names in a table of fixed size. A name is kept as a hash, so a long one costs no more than
//! a short one; a new name takes the place of one that has asked least, without a walk over the table.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;

use granary_client_core::quantities::Instant;

/// Names that share a place in the table; one of these makes room.
const WAYS: usize = 8;
/// Sets of the table. With [`WAYS`] places of 24 bytes each it takes 1.5 MiB.
const SETS: usize = 8_192;

#[derive(Clone, Copy, Default)]
struct Bucket {
    /// The name's hash; 0 for an empty place.
    name: u64,
    left_millis: u64,
    since: Instant,
}

/// See the module.
pub(super) struct Limiter {
    /// Keyed, so that nobody can choose names that fall together.
    hasher: RandomState,
    sets: Vec<[Bucket; WAYS]>,
    burst_millis: u64,
    cost_millis: u64,
}

impl Limiter {
    /// `burst` tokens at once, and one more every `cost_millis`.
    pub(super) fn new(burst: u32, cost_millis: u64) -> Self {
        Self {
            hasher: RandomState::new(),
            sets: vec![[Bucket::default(); WAYS]; SETS],
            burst_millis: u64::from(burst).saturating_mul(cost_millis),
            cost_millis,
        }
    }

    /// Takes one token; false when there is none.
    pub(super) fn take(&mut self, name: &impl Hash, now: Instant) -> bool {
        self.take_some(name, 1, now)
    }

    /// Takes so many tokens, or as many as a burst has; false when there are not so many.
    pub(super) fn take_some(&mut self, name: &impl Hash, tokens: u32, now: Instant) -> bool {
        let burst = self.burst_millis;
        let cost = self.cost_millis.saturating_mul(u64::from(tokens)).min(burst.max(self.cost_millis));
        let name = self.hasher.hash_one(name).max(1);
        let count = u64::try_from(self.sets.len()).unwrap_or(u64::MAX).max(1);
        let Some(set) = usize::try_from(name % count).ok().and_then(|set| self.sets.get_mut(set)) else { return false };
        let filled = |bucket: &Bucket| bucket.left_millis.saturating_add(now.millis_since(bucket.since)).min(burst);
        let known = set.iter().position(|bucket| bucket.name == name);
        let place = known.or_else(|| {
            // An empty place, or that of the name with most tokens, which loses least by being forgotten.
            let worth = |bucket: &Bucket| if bucket.name == 0 { u64::MAX } else { filled(bucket) };
            set.iter().enumerate().max_by_key(|(_, bucket)| worth(bucket)).map(|(place, _)| place)
        });
        let Some(bucket) = place.and_then(|place| set.get_mut(place)) else { return false };
        let has = if known.is_some() { filled(bucket) } else { burst };
        let rest = has.checked_sub(cost);
        *bucket = Bucket { name, left_millis: rest.unwrap_or(has), since: now };
        rest.is_some()
    }
}

/// What counts as one address: an IPv4 address, or the network of an IPv6 one, of which every home has a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    Four([u8; 4]),
    Six([u8; 8]),
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => Self::Four(four.octets()),
            IpAddr::V6(six) => {
                let [a, b, c, d, e, f, g, h, ..] = six.octets();
                Self::Six([a, b, c, d, e, f, g, h])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limiter_admits_burst_then_rate() {
        let mut limiter = Limiter::new(3, 100);
        let admitted = (0..5).filter(|_| limiter.take(&'a', Instant(0))).count();
        assert_eq!(admitted, 3);
        assert!(limiter.take(&'b', Instant(0)), "another name has its own");
        assert!(!limiter.take(&'a', Instant(50)));
        assert!(limiter.take(&'a', Instant(160)));
        assert!(!limiter.take(&'a', Instant(-900)), "a clock set back gives nothing");
    }

    #[test]
    fn flood_of_long_names_takes_no_memory_and_frees_nobody() {
        let mut limiter = Limiter::new(3, 60_000);
        while limiter.take(&"guessed", Instant(0)) {}
        let bytes = std::mem::size_of_val(limiter.sets.as_slice());
        for number in 0..300_000u32 {
            // Long names are hashed, not kept.
            let name = (number, if number % 1_000 == 0 { "x".repeat(100_000) } else { String::new() });
            limiter.take(&name, Instant(1));
        }
        assert_eq!(limiter.sets.len(), SETS);
        assert_eq!(std::mem::size_of_val(limiter.sets.as_slice()), bytes);
        assert!(bytes <= 2 << 20, "{bytes}");
        assert!(!limiter.take(&"guessed", Instant(2)), "who asked most is forgotten last");
    }

    #[test]
    fn network_of_ipv6_is_one_address() {
        let origin = |text: &str| Origin::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(origin("2001:db8:1:2::1"), origin("2001:db8:1:2:ffff::9"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_eq!(origin("::ffff:192.0.2.1"), origin("192.0.2.1"));
        assert_ne!(origin("192.0.2.1"), origin("192.0.2.2"));
    }
}
