//! Coordinators' accounts and sessions. Passwords are hashed with argon2id (RFC 9106); the time of a check does not
//! reveal whether the account exists. Sessions are random tokens, of which the store keeps only a hash.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use granary_client_core::ids::DeviceId;
use ring::digest::{SHA256, digest};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::hashing::hash;
use super::second_factor::{Code, SecondFactor};
use super::standing::{Denied, Principal};
use granary_client_core::words::Phrase;

use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::{GLOBAL, key};

const LOGIN: Phrase =
    Phrase::new("login", "a login has 1 to 40 letters, digits, and . - _ @", "登录名是 1 到 40 个字母、数字和 . - _ @");

/// A coordinator's account.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct AccountRecord {
    /// The person's name, in documents and pages.
    pub(crate) name: String,
    pub(crate) password: String,
    /// The device by which the person edits. It holds whether they may act, and the generation of their sessions.
    pub(crate) device: DeviceId,
    /// What is asked beside the password, where it was set up.
    pub(crate) second: Option<SecondFactor>,
}

/// A session, or a sign-in link.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct SessionRecord {
    pub(crate) cooperative: CooperativeNumber,
    pub(crate) login: String,
    pub(crate) csrf: String,
    pub(crate) until_millis: i64,
    /// When it ends, however often it is used.
    pub(crate) ends_millis: i64,
    /// The generation of the person's device when it was issued.
    pub(crate) generation: u32,
    /// The address and the program that it was begun from; empty where that is not known.
    #[serde(default)]
    pub(crate) from: String,
}

/// A signed-in coordinator.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) cooperative: CooperativeNumber,
    pub(crate) login: String,
    /// The person's name.
    pub(crate) name: String,
    /// The device by which the person edits.
    pub(crate) device: DeviceId,
    /// The generation of the device that the session holds for.
    pub(crate) generation: u32,
    /// The token that each form must contain (CSRF).
    pub(crate) csrf: String,
    /// The person has a second factor.
    pub(crate) has_second: bool,
    /// A second factor is demanded, and the person has none: until it is set up, nothing else can be done.
    pub(crate) must_set_up_second: bool,
}

/// The outcome of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// The token of a new session.
    In(String),
    /// Login or password are wrong, or the person may not.
    Wrong,
    /// The password is right; the code of the second factor is not.
    Code(Code),
}

impl Session {
    /// The person, as who does a deed in this session.
    pub(crate) fn principal(&self) -> Principal {
        Principal::Person { device: self.device, generation: self.generation }
    }
}

/// A coordinator as the list shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoordinatorLine {
    /// What they type to sign in.
    pub login: String,
    /// Their name.
    pub name: String,
    /// The device by which they edit.
    pub device: DeviceId,
    /// None while they may work in the console, else why not.
    pub denied: Option<Denied>,
    /// True when they have a second factor.
    pub has_second: bool,
    /// Their phones that may act, each with its name.
    pub phones: Vec<NamedDevice>,
}

/// A device and its name.
pub type NamedDevice = (DeviceId, String);

pub(crate) fn normal_login(login: &str) -> Result<String, Error> {
    let login = login.trim().to_lowercase();
    let right = (1..=40).contains(&login.len())
        && login.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '@'));
    if right { Ok(login) } else { Err(Error::invalid("login", LOGIN)) }
}

pub(crate) fn account_key(number: CooperativeNumber, login: &str) -> Vec<u8> {
    key(number, b'w', login.as_bytes())
}

pub(crate) fn token_key(kind: u8, token: &str) -> Vec<u8> {
    key(GLOBAL, kind, digest(&SHA256, token.as_bytes()).as_ref())
}

pub(crate) const SESSION: u8 = b'S';
pub(crate) const ONCE: u8 = b'O';

pub(crate) fn new_token() -> Result<String, Error> {
    let bytes: [u8; 24] = crate::environment::random_bytes()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(crate) fn hashed(password: &str) -> Result<String, Error> {
    let password = password.to_owned();
    let hashed = hash(move || {
        let hashed = Argon2::default().hash_password(password.as_bytes());
        hashed.map(|hashed| hashed.to_string()).map_err(|error| error.to_string())
    });
    let hashed = hashed.unwrap_or_else(|| Err("the system gives no thread".into()));
    hashed.map_err(|reason| Error::Secret { what: "the password", reason })
}

pub(crate) fn fits(password: &str, hashed: &str) -> bool {
    let (password, hashed) = (password.to_owned(), hashed.to_owned());
    let verified = hash(move || {
        PasswordHash::new(&hashed)
            .is_ok_and(|hashed| Argon2::default().verify_password(password.as_bytes(), &hashed).is_ok())
    });
    verified == Some(true)
}

/// A hash that no password fits, so that an unknown login takes as long as a wrong password.
pub(crate) const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Z3JhbmFyeW5vYm9keQ$2Z9xUVdCJXdOlAzUi1s6zfHzpDDTCNCd4kS6YkD3LMc";

/// Stands in for the public key of a device that only exists on this server. No private key belongs to it, so nobody
/// can sign as this device.
pub(crate) fn console_key(cooperative: &[u8; 16], login: &str) -> [u8; 32] {
    let name = [b"granary console\0".as_slice(), cooperative, login.as_bytes()].concat();
    digest(&SHA256, &name).as_ref().try_into().unwrap_or([0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;
    use granary_client_core::protocol::messages::{read_message, write_message};

    #[test]
    fn a_session_without_its_origin_is_still_read() {
        let before = (CooperativeNumber(1), "zhang", "csrf", 5i64, 6i64, 7u32);
        let read: SessionRecord = read_message(&write_message(&before)).unwrap();
        assert_eq!((read.login.as_str(), read.generation, read.from.as_str()), ("zhang", 7, ""));
    }
}
