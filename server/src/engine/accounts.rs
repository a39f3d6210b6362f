//! Coordinators' accounts and sessions, as the store keeps them.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::{Instant, checked_text};
use granary_client_core::schema::access::{Grants, Role};

use super::Granary;
use crate::access::AuditAction;
use crate::access::accounts::{
    AccountRecord, NOBODY, ONCE, PASSWORD_MAX, PASSWORD_MIN, SESSION, Session, SessionRecord, account_key, console_key,
    fits, hashed, new_token, normal_login, token_key,
};
use crate::error::Error;
use crate::log::keys::device_key;
use crate::log::{CooperativeNumber, DeviceKind, DeviceRecord};

/// The idle time after which a session ends, in milliseconds.
const IDLE_MILLIS: u64 = 12 * 3_600_000;
/// The life of a sign-in link, in milliseconds.
const ONCE_MILLIS: u64 = 24 * 3_600_000;

impl Granary {
    /// Creates a coordinator's account, or sets the password of an existing one and ends its sessions.
    pub fn set_coordinator(
        &self,
        number: CooperativeNumber,
        login: &str,
        name: &str,
        password: &str,
        now: Instant,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let login = normal_login(login)?;
        let name = checked_text("a name", name, 64)?;
        if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
            return Err(Error::invalid("password", format_args!("a password has at least {PASSWORD_MIN} characters")));
        }
        let password = hashed(password)?;
        let public_key = console_key(cooperative.id().as_bytes(), &login);
        let device = DeviceId::of_public_key(&public_key);
        let sessions = self.account(number, &login)?.map_or(0, |account| account.sessions.saturating_add(1));
        let account = AccountRecord { name: name.clone(), password, device, sessions };
        let record = DeviceRecord {
            public_key,
            kind: DeviceKind::Console,
            name,
            grants: vec![Grants { version: 1, roles: [Role::Coordinator].into() }],
            enrolled_millis: now.0,
            revoked_millis: None,
        };
        let stored = account_key(number, &login);
        self.write(move |group| {
            group.put(stored, write_message(&account));
            group.put(device_key(number, device), write_message(&record));
            cooperative.set_device(device, record);
            Ok(())
        })?;
        self.audit(number, now, "operator", AuditAction::AccountMade, &login)
    }

    fn account(&self, number: CooperativeNumber, login: &str) -> Result<Option<AccountRecord>, Error> {
        Ok(self.store().get(&account_key(number, login))?.and_then(|bytes| read_message(&bytes).ok()))
    }

    /// Checks a password; gives the token of a new session, or none.
    pub(crate) fn sign_in(
        &self,
        number: CooperativeNumber,
        login: &str,
        password: &str,
        now: Instant,
    ) -> Result<Option<String>, Error> {
        let login = normal_login(login).unwrap_or_default();
        let account = match self.cooperative(number) {
            Ok(_) => self.account(number, &login)?,
            Err(_) => None,
        };
        let hash = account.as_ref().map_or(NOBODY, |account| account.password.as_str());
        let right = password.len() <= PASSWORD_MAX && fits(password, hash);
        match account {
            Some(account) if right => {
                let token = self.begin_session(number, &login, account.sessions, now)?;
                self.audit(number, now, &account.name, AuditAction::SignedIn, &login)?;
                Ok(Some(token))
            }
            Some(_) => {
                self.audit(number, now, &login, AuditAction::SignInFailed, "")?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    fn begin_session(
        &self,
        cooperative: CooperativeNumber,
        login: &str,
        sessions: u32,
        now: Instant,
    ) -> Result<String, Error> {
        self.keep_token(SESSION, cooperative, login, sessions, now.plus_millis(IDLE_MILLIS))
    }

    fn keep_token(
        &self,
        kind: u8,
        cooperative: CooperativeNumber,
        login: &str,
        sessions: u32,
        until: Instant,
    ) -> Result<String, Error> {
        let token = new_token()?;
        let record =
            SessionRecord { cooperative, login: login.to_owned(), csrf: new_token()?, until_millis: until.0, sessions };
        let stored = token_key(kind, &token);
        self.write(move |group| {
            group.put(stored, write_message(&record));
            Ok(())
        })?;
        Ok(token)
    }

    /// A token that signs a coordinator in once, within a day; for the operator and the demo.
    pub fn sign_in_once(&self, number: CooperativeNumber, login: &str, now: Instant) -> Result<String, Error> {
        let login = normal_login(login)?;
        let missing = || Error::NotFound { what: "coordinator", name: login.clone() };
        let account = self.account(number, &login)?.ok_or_else(missing)?;
        self.keep_token(ONCE, number, &login, account.sessions, now.plus_millis(ONCE_MILLIS))
    }

    /// Redeems a token of [`Self::sign_in_once`] for the token of a session.
    pub(crate) fn redeem_once(&self, token: &str, now: Instant) -> Result<Option<String>, Error> {
        let stored = token_key(ONCE, token);
        let record = self.write({
            let stored = stored.clone();
            move |group| {
                let record = group.get(&stored)?;
                // The second of two requests with one token finds none.
                group.remove_visible(stored);
                Ok(record)
            }
        })?;
        let record: Option<SessionRecord> = record.and_then(|bytes| read_message(&bytes).ok());
        let Some(record) = record.filter(|record| record.until_millis > now.0) else { return Ok(None) };
        let Some(account) = self.account(record.cooperative, &record.login)? else { return Ok(None) };
        let session = self.begin_session(record.cooperative, &record.login, account.sessions, now)?;
        self.audit(record.cooperative, now, &account.name, AuditAction::SignedIn, "by a link")?;
        Ok(Some(session))
    }

    /// The session of a token, if it has not ended.
    pub(crate) fn session(&self, token: &str, now: Instant) -> Result<Option<Session>, Error> {
        let stored = token_key(SESSION, token);
        let Some(bytes) = self.store().get(&stored)? else { return Ok(None) };
        let Ok(record) = read_message::<SessionRecord>(&bytes) else { return Ok(None) };
        let Some(account) = self.account(record.cooperative, &record.login)? else { return Ok(None) };
        if record.until_millis <= now.0 || record.sessions != account.sessions {
            return Ok(None);
        }
        // The last visit is written at most every half hour.
        let until = now.plus_millis(IDLE_MILLIS);
        if until.millis_since(Instant(record.until_millis)) > 1_800_000 {
            let later = SessionRecord { until_millis: until.0, ..record.clone() };
            self.write(move |group| {
                group.put(stored, write_message(&later));
                Ok(())
            })?;
        }
        Ok(Some(Session {
            cooperative: record.cooperative,
            login: record.login,
            name: account.name,
            device: account.device,
            csrf: record.csrf,
        }))
    }

    /// Ends this session, or all of the same coordinator.
    pub(crate) fn sign_out(&self, token: &str, everywhere: bool, now: Instant) -> Result<(), Error> {
        let Some(session) = self.session(token, now)? else { return Ok(()) };
        let stored = token_key(SESSION, token);
        let account_key = account_key(session.cooperative, &session.login);
        let account = self.account(session.cooperative, &session.login)?;
        self.write(move |group| {
            group.remove(stored);
            if let Some(mut account) = account.filter(|_| everywhere) {
                account.sessions = account.sessions.saturating_add(1);
                group.put(account_key, write_message(&account));
            }
            Ok(())
        })?;
        let detail = if everywhere { "everywhere" } else { "" };
        self.audit(session.cooperative, now, &session.name, AuditAction::SignedOut, detail)
    }
}
