//! A coordinator's second factor: codes of an authenticator app (TOTP, RFC 6238, in its usual form of SHA-1, six digits and
//! thirty seconds). A code is taken once.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE32_NOPAD;
use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::error::Error;

/// For how long a code is shown, in milliseconds.
const STEP_MILLIS: i64 = 30_000;
/// Steps by which a clock may be off.
const STEPS_OFF: i64 = 1;

/// Wrong codes in a row, after which one is looked at only after [`PAUSE_MILLIS`] each: some 300 of a million a day.
const WRONG_MAX: u32 = 10;
const PAUSE_MILLIS: u64 = 600_000;

/// Secrets that wait at most, and for how long, in milliseconds.
const UNCONFIRMED_MAX: usize = 256;
const UNCONFIRMED_MILLIS: u64 = 15 * 60_000;

/// Secrets that the server made and showed, until a code of them was typed: nobody chooses a secret. In memory alone.
#[derive(Debug, Default)]
pub(crate) struct Unconfirmed {
    shown: Mutex<BTreeMap<DeviceId, (String, Instant)>>,
}

impl Unconfirmed {
    fn shown(&self) -> MutexGuard<'_, BTreeMap<DeviceId, (String, Instant)>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret that a person is shown: the same until it is confirmed or too old.
    pub(crate) fn secret(&self, person: DeviceId, now: Instant) -> Result<String, Error> {
        let mut shown = self.shown();
        shown.retain(|_, (_, at)| now.millis_since(*at) < UNCONFIRMED_MILLIS);
        if let Some((secret, _)) = shown.get(&person) {
            return Ok(secret.clone());
        }
        while shown.len() >= UNCONFIRMED_MAX {
            let oldest = shown.iter().min_by_key(|(_, (_, at))| *at).map(|(person, _)| *person);
            let Some(oldest) = oldest else { break };
            shown.remove(&oldest);
        }
        let secret = SecondFactor::new_secret()?;
        shown.insert(person, (secret.clone(), now));
        Ok(secret)
    }

    /// The factor of the secret that a person was shown; none when that is too long ago.
    pub(crate) fn factor(&self, person: DeviceId, now: Instant) -> Option<SecondFactor> {
        let shown = self.shown();
        let (secret, at) = shown.get(&person)?;
        (now.millis_since(*at) < UNCONFIRMED_MILLIS).then(|| SecondFactor::of_secret(secret))?
    }

    /// Forgets the secret of a person who confirmed it.
    pub(crate) fn confirmed(&self, person: DeviceId) {
        self.shown().remove(&person);
    }
}

/// The second factor of an account.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct SecondFactor {
    #[serde(with = "serde_bytes")]
    secret: [u8; 20],
    /// The step of the last code that was taken.
    last_step: i64,
    /// Wrong codes since then, and the time of the last of them.
    wrong: u32,
    wrong_millis: i64,
}

/// What became of a typed code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// It was taken, and is not taken again.
    Taken,
    /// None was typed.
    Missing,
    /// It is another one, or was taken already.
    Wrong,
}

impl SecondFactor {
    /// A new secret, as an authenticator app reads it.
    fn new_secret() -> Result<String, Error> {
        Ok(BASE32_NOPAD.encode(&crate::environment::random_bytes::<20>()?))
    }

    /// The factor of this secret; none when it is no secret of [`Self::new_secret`].
    pub(crate) fn of_secret(secret: &str) -> Option<Self> {
        let secret = BASE32_NOPAD.decode(secret.as_bytes()).ok()?.try_into().ok()?;
        Some(Self { secret, last_step: 0, wrong: 0, wrong_millis: 0 })
    }

    /// Takes a code as it was typed.
    pub(crate) fn take(&mut self, typed: &str, now: Instant) -> Code {
        let typed: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
        if typed.is_empty() {
            return Code::Missing;
        }
        // Whoever has the password could else try them all.
        if self.wrong >= WRONG_MAX && now.millis_since(Instant(self.wrong_millis)) < PAUSE_MILLIS {
            return Code::Wrong;
        }
        let step = now.0.div_euclid(STEP_MILLIS);
        let near = step.saturating_sub(STEPS_OFF)..=step.saturating_add(STEPS_OFF);
        let fits = |step: i64| step > self.last_step && code_at(&self.secret, step) == typed;
        match near.rev().find(|step| fits(*step)) {
            Some(step) => {
                (self.last_step, self.wrong) = (step, 0);
                Code::Taken
            }
            None => {
                (self.wrong, self.wrong_millis) = (self.wrong.saturating_add(1), now.0);
                Code::Wrong
            }
        }
    }
}

fn code_at(secret: &[u8; 20], step: i64) -> String {
    let tag = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret), &step.to_be_bytes());
    let bytes = tag.as_ref();
    let from = bytes.last().map_or(0, |byte| usize::from(byte & 15));
    let four = bytes.get(from..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
impl SecondFactor {
    /// The code so many steps from now.
    pub(crate) fn code(&self, now: Instant, steps: i64) -> String {
        code_at(&self.secret, now.0.div_euclid(STEP_MILLIS) + steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const SECRET: &[u8; 20] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert_eq!(code_at(SECRET, seconds / 30), code);
        }
    }

    #[test]
    fn secrets_wait_for_a_while_and_few_do() {
        let unconfirmed = Unconfirmed::default();
        let person = |number: u8| DeviceId::of_public_key(&[number; 32]);
        let at = |minutes: i64| Instant(minutes * 60_000);
        let first = unconfirmed.secret(person(0), at(0)).unwrap();
        assert_eq!(unconfirmed.secret(person(0), at(14)).unwrap(), first, "a page that is opened again shows the same");
        assert!(unconfirmed.factor(person(0), at(14)).is_some());
        assert!(unconfirmed.factor(person(0), at(15)).is_none());
        assert_ne!(unconfirmed.secret(person(0), at(15)).unwrap(), first);
        unconfirmed.confirmed(person(0));
        assert!(unconfirmed.factor(person(0), at(15)).is_none());
        let many = |number: u16| DeviceId::of_public_key(&[number.to_be_bytes(); 16].concat().try_into().unwrap());
        for number in 0..600 {
            unconfirmed.secret(many(number), at(20)).unwrap();
        }
        assert_eq!(unconfirmed.shown().len(), UNCONFIRMED_MAX);
    }

    #[test]
    fn code_is_taken_once_and_near_its_time() {
        let at = |seconds: i64| Instant(seconds * 1_000);
        let code = |seconds: i64| code_at(SECRET, seconds / 30);
        let mut factor = SecondFactor::of_secret(&BASE32_NOPAD.encode(SECRET)).unwrap();
        assert_eq!(factor.take(" ", at(3_000)), Code::Missing);
        assert_eq!(factor.take("000000", at(3_000)), Code::Wrong);
        assert_eq!(factor.take(&code(2_940), at(3_000)), Code::Wrong, "a minute ago");
        assert_eq!(factor.take(&code(2_970), at(3_000)), Code::Taken, "a clock that is behind");
        assert_eq!(factor.take(&code(2_970), at(3_000)), Code::Wrong, "it was taken");
        let typed = code(3_030);
        assert_eq!(factor.take(&format!("{} {}", &typed[..3], &typed[3..]), at(3_000)), Code::Taken);
        assert_eq!(factor.take(&code(3_000), at(3_010)), Code::Wrong, "a later one was taken");
        let mut guessed = SecondFactor::of_secret(&BASE32_NOPAD.encode(SECRET)).unwrap();
        let (start, wrong) = (9_000, "0");
        assert!((0..10).all(|second| guessed.take(wrong, at(start + second)) == Code::Wrong));
        assert_eq!(guessed.take(&code(9_300), at(9_300)), Code::Wrong, "ten were wrong, five minutes ago");
        assert_eq!(guessed.take(&code(9_630), at(9_630)), Code::Taken, "ten minutes later");
        assert_eq!(guessed.take(&code(9_690), at(9_690)), Code::Taken, "and then as before");
        for wrong in ["", "MZXW6YTB", "not base 32 at all"] {
            assert!(SecondFactor::of_secret(wrong).is_none());
        }
    }
}
