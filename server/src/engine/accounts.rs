//! Coordinators' accounts and sessions, as the store keeps them. Whether somebody may act is asked of
//! `access::standing`, at each reading of a token and in the job that issues one.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::{Instant, TextField, checked_text};
use granary_client_core::schema::access::{Grants, Role};
use granary_client_core::store::{Row, StoreFault};

use super::Granary;
use super::audit::put_line;
use super::grants::{put_device, version_after};
use crate::access::accounts::{
    AccountRecord, NOBODY, ONCE, SESSION, Session, SessionRecord, SignIn, account_key, console_key, fits, hashed,
    new_token, normal_login, token_key,
};
use crate::access::passwords::{PASSWORD_MAX, check_new};
use crate::access::second_factor::Code;
use crate::access::standing::{Credential, Deed, may_act};
use crate::access::{AuditAction, CoordinatorLine, Denied, NamedDevice, Principal};
use crate::error::Error;
use crate::log::keys::{GLOBAL, key, rest};
use crate::log::writer::GroupCommit;
use crate::log::{Cooperative, CooperativeNumber, DeviceKind, DeviceRecord, RecorderRecord};
use crate::said::Said;

/// The idle time after which a session ends, in milliseconds.
pub(super) const IDLE_MILLIS: u64 = 12 * 3_600_000;
/// The time after which a session ends however often it is used, in milliseconds.
pub(super) const SESSION_MILLIS: u64 = 30 * 24 * 3_600_000;
/// The life of a sign-in link, in milliseconds.
const ONCE_MILLIS: u64 = 24 * 3_600_000;

/// The letters of a first password, which are told apart when they are read out, and how many it has: 80 random bits.
const PASSWORD_LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
const FIRST_PASSWORD_LETTERS: usize = 16;

/// Who failed to sign in under a login that nobody has. What was typed may be anything, a password even.
const NOBODYS_LOGIN: &str = "unknown-login";

impl Granary {
    /// Creates a coordinator's account. Fails with [`Error::AccountExists`] where the login has one that works.
    pub fn add_coordinator(
        &self,
        number: CooperativeNumber,
        login: &str,
        name: &str,
        password: &str,
        now: Instant,
    ) -> Result<(), Error> {
        let login = normal_login(login)?;
        self.must_be_free(number, &login)?;
        self.set_coordinator(number, &login, name, password, now)
    }

    /// An error for a login whose account works.
    fn must_be_free(&self, number: CooperativeNumber, login: &str) -> Result<(), Error> {
        match self.account(number, login)? {
            Some(account)
                if may_act(&*self.cooperative(number)?, account.device, Credential::Own, Deed::Coordinate).is_ok() =>
            {
                Err(Error::AccountExists { login: login.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Gives an account another password, which ends what was issued before.
    pub fn set_password(
        &self,
        number: CooperativeNumber,
        login: &str,
        password: &str,
        now: Instant,
    ) -> Result<(), Error> {
        let login = normal_login(login)?;
        let account = self.account(number, &login)?;
        let name = account.ok_or_else(|| Error::NotFound { what: "coordinator", name: login.clone() })?.name;
        self.set_coordinator(number, &login, &name, password, now)
    }

    /// Makes an account for somebody else, by a coordinator. Gives its first password, which nobody else knows.
    pub(crate) fn invite_coordinator(
        &self,
        by: Principal,
        number: CooperativeNumber,
        (login, name): (&str, &str),
        now: Instant,
    ) -> Result<String, Error> {
        by.must_coordinate(&*self.cooperative(number)?)?;
        let login = normal_login(login)?;
        self.must_be_free(number, &login)?;
        let letters: [u8; FIRST_PASSWORD_LETTERS] = self.random()?;
        let mut password = String::new();
        for (place, letter) in letters.into_iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                password.push('-');
            }
            password.push(char::from(*PASSWORD_LETTERS.get(usize::from(letter % 32)).unwrap_or(&b'x')));
        }
        self.put_coordinator(by, number, (&login, name, &password), now)?;
        Ok(password)
    }

    /// Creates a coordinator's account, or sets the password of an existing one, which ends what was issued before.
    pub fn set_coordinator(
        &self,
        number: CooperativeNumber,
        login: &str,
        name: &str,
        password: &str,
        now: Instant,
    ) -> Result<(), Error> {
        self.put_coordinator(Principal::Operator, number, (login, name, password), now)
    }

    fn put_coordinator(
        &self,
        by: Principal,
        number: CooperativeNumber,
        (login, name, password): (&str, &str, &str),
        now: Instant,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let login = normal_login(login)?;
        let name = checked_text(TextField::PersonName, name)?;
        check_new(password, &login).map_err(|fault| Error::invalid("password", Said::of(&fault)))?;
        let password = hashed(password)?;
        let public_key = console_key(cooperative.id().as_bytes(), &login);
        let device = DeviceId::of_public_key(&public_key);
        if self.erasure_marks.has_device(cooperative.id(), device) {
            let reason =
                ("somebody who was erased had this login; choose another one", "已抹去的人用过这个登录名；请另选一个");
            return Err(Error::invalid("login", reason));
        }
        let roles = [Role::Coordinator].into();
        self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(denied));
            }
            let mut record = cooperative.device(device).unwrap_or_else(|| DeviceRecord {
                public_key,
                kind: DeviceKind::Console,
                name: String::new(),
                grants: vec![],
                enrolled_millis: now.0,
                revoked_millis: None,
                generation: 0,
                person: None,
                recorder: RecorderRecord::default(),
            });
            record.name = name.clone();
            record.revoked_millis = None;
            if !record.grants.last().is_some_and(Grants::is_coordinator) {
                let last = record.grants.last().map_or(0, |grants| grants.version);
                record.grants.push(Grants { version: version_after(last, &roles), roles });
            }
            // Never an earlier one: nothing that was issued before comes back.
            record.end_issued();
            put_device(&cooperative, group, device, record);
            let stored = account_key(number, &login);
            let before: Option<AccountRecord> = group.get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
            let second = before.and_then(|before| before.second);
            group.put_visible(stored, write_message(&AccountRecord { name, password, device, second }));
            put_line(&cooperative, group, now, &by.id(), AuditAction::AccountMade, &device.to_string());
            Ok(Ok(()))
        })??;
        self.access_changed(number, &[device])
    }

    pub(super) fn account(&self, number: CooperativeNumber, login: &str) -> Result<Option<AccountRecord>, Error> {
        Ok(self.store().get(&account_key(number, login))?.and_then(|bytes| read_message(&bytes).ok()))
    }

    /// The device by which the coordinator of this login edits.
    pub fn coordinator_device(&self, number: CooperativeNumber, login: &str) -> Result<DeviceId, Error> {
        let login = normal_login(login)?;
        let account = self.account(number, &login)?;
        account.map(|account| account.device).ok_or(Error::NotFound { what: "coordinator", name: login })
    }

    /// All coordinators' accounts, by login, and the coordinators' phones that belong to none of them.
    pub fn coordinators(&self, number: CooperativeNumber) -> Result<(Vec<CoordinatorLine>, Vec<NamedDevice>), Error> {
        let cooperative = self.cooperative(number)?;
        let active = |(_, record, _): &(DeviceId, DeviceRecord, _)| record.revoked_millis.is_none();
        let devices: Vec<_> = cooperative.devices().into_iter().filter(active).collect();
        let phones_of = |person: Option<DeviceId>| -> Vec<NamedDevice> {
            let theirs = devices.iter().filter(|(_, record, _)| record.person == person && !record.is_of_the_server());
            theirs.map(|(id, record, _)| (*id, record.name.clone())).collect()
        };
        let line = |row: Row| -> Result<CoordinatorLine, StoreFault> {
            let account: Option<AccountRecord> = row.value.as_deref().and_then(|value| read_message(value).ok());
            let Some(AccountRecord { name, device, second, .. }) = account else {
                return Err(StoreFault::Damaged(row.key));
            };
            let login = String::from_utf8_lossy(rest(&row.key)).into_owned();
            let denied = may_act(&cooperative, device, Credential::Own, Deed::Coordinate).err();
            let has_second = second.is_some();
            Ok(CoordinatorLine { login, name, device, denied, has_second, phones: phones_of(Some(device)) })
        };
        let rows = self.store().scan_all(&key(number, b'w', &[]))?;
        let lines = rows.into_iter().map(line).collect::<Result<Vec<_>, _>>()?;
        let is_coordinator =
            |id: &DeviceId| cooperative.device(*id).is_some_and(|record| record.grants_now().is_coordinator());
        let of_nobody = phones_of(None).into_iter().filter(|(id, _)| is_coordinator(id)).collect();
        Ok((lines, of_nobody))
    }

    /// Checks a password, and the code of the second factor of an account that has one.
    pub(crate) fn sign_in(
        &self,
        number: CooperativeNumber,
        login: &str,
        (password, code): (&str, &str),
        now: Instant,
    ) -> Result<SignIn, Error> {
        let login = normal_login(login).unwrap_or_default();
        let account = match self.cooperative(number) {
            Ok(_) => self.account(number, &login)?,
            Err(_) => None,
        };
        let hash = account.as_ref().map_or(NOBODY, |account| account.password.as_str());
        let right = password.len() <= PASSWORD_MAX && fits(password, hash);
        let Some(account) = account else {
            // As much is written as for a known name, so that the time tells nobody which names there are.
            if let Ok(cooperative) = self.cooperative(number) {
                self.write(move |group| {
                    put_line(&cooperative, group, now, NOBODYS_LOGIN, AuditAction::SignInFailed, "");
                    Ok(())
                })?;
            }
            return Ok(SignIn::Wrong);
        };
        let cooperative = self.cooperative(number)?;
        self.remove_expired(now)?;
        let token = new_token()?;
        let session = NewToken::session(token.clone(), now)?;
        let code = code.to_owned();
        self.write(move |group| {
            // Hashing took a while: the account and its person are looked at as they are now.
            let stored = account_key(number, &login);
            let present: Option<AccountRecord> = group.get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
            let present = present.filter(|present| right && present.password == account.password);
            let who = account.device.to_string();
            let outcome = match present {
                None => SignIn::Wrong,
                Some(mut present) => match present.second.as_mut().map_or(Code::Taken, |it| it.take(&code, now)) {
                    Code::Taken => {
                        if present.second.is_some() {
                            group.put_visible(stored, write_message(&present));
                        }
                        match session.issue(&cooperative, group, account.device, Credential::Own, &login) {
                            Ok(()) => SignIn::In(token),
                            Err(_) => SignIn::Wrong,
                        }
                    }
                    wrong => {
                        group.put_visible(stored, write_message(&present));
                        SignIn::Code(wrong)
                    }
                },
            };
            match &outcome {
                SignIn::In(_) => put_line(&cooperative, group, now, &who, AuditAction::SignedIn, ""),
                SignIn::Wrong => put_line(&cooperative, group, now, &who, AuditAction::SignInFailed, ""),
                SignIn::Code(_) => put_line(&cooperative, group, now, &who, AuditAction::SignInFailed, "second-factor"),
            }
            Ok(outcome)
        })
    }

    /// Removes sessions and links whose time is over.
    fn remove_expired(&self, now: Instant) -> Result<(), Error> {
        let mut expired = Vec::new();
        for kind in [SESSION, ONCE] {
            for row in self.store().scan_all(&key(GLOBAL, kind, &[]))? {
                let record: Option<SessionRecord> = row.value.as_deref().and_then(|value| read_message(value).ok());
                if record.is_none_or(|record| record.until_millis.min(record.ends_millis) <= now.0) {
                    expired.push(row.key);
                }
            }
        }
        if expired.is_empty() {
            return Ok(());
        }
        self.write(move |group| {
            expired.into_iter().for_each(|key| group.remove_visible(key));
            Ok(())
        })
    }

    /// Changes a coordinator's own password, which ends whatever was issued before. Gives the token of a new session; none
    /// when the present password is another one. `new` was checked by [`check_new`].
    pub(crate) fn change_password(
        &self,
        session: &Session,
        present: &str,
        new: &str,
        now: Instant,
    ) -> Result<Option<String>, Error> {
        let (number, login) = (session.cooperative, session.login.clone());
        let cooperative = self.cooperative(number)?;
        let Some(account) = self.account(number, &login)? else { return Ok(None) };
        if present.len() > PASSWORD_MAX || !fits(present, &account.password) {
            let by = session.principal();
            self.audit(number, now, by, AuditAction::SignInFailed, "password-not-changed")?;
            return Ok(None);
        }
        let password = hashed(new)?;
        let token = new_token()?;
        let next = NewToken::session(token.clone(), now)?;
        let credential = Credential::Issued(session.generation);
        let is_changed = self.write(move |group| {
            // Hashing took a while: the account and its person are looked at as they are now.
            let stored = account_key(number, &login);
            let found: Option<AccountRecord> = group.get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
            let stands = found.is_some_and(|found| found.password == account.password);
            let Ok(mut record) = may_act(&cooperative, account.device, credential, Deed::Coordinate) else {
                return Ok(false);
            };
            if !stands {
                return Ok(false);
            }
            record.end_issued();
            put_device(&cooperative, group, account.device, record);
            let device = account.device;
            put_line(&cooperative, group, now, &device.to_string(), AuditAction::PasswordChanged, "");
            group.put_visible(stored, write_message(&AccountRecord { password, ..account }));
            Ok(next.issue(&cooperative, group, device, Credential::Own, &login).is_ok())
        })?;
        self.access_changed(number, &[session.device])?;
        Ok(is_changed.then_some(token))
    }

    /// A token that signs a coordinator in once, within a day; for the operator and the demo.
    pub fn sign_in_once(&self, number: CooperativeNumber, login: &str, now: Instant) -> Result<String, Error> {
        let login = normal_login(login)?;
        let device = self.coordinator_device(number, &login)?;
        let cooperative = self.cooperative(number)?;
        let token = new_token()?;
        let until = now.plus_millis(ONCE_MILLIS);
        let link = NewToken { kind: ONCE, token: token.clone(), until, ends: until, csrf: new_token()? };
        self.write(move |group| Ok(link.issue(&cooperative, group, device, Credential::Own, &login)))??;
        Ok(token)
    }

    /// Redeems a token of [`Self::sign_in_once`] for the token of a session.
    pub(crate) fn redeem_once(&self, link: &str, now: Instant) -> Result<Option<String>, Error> {
        let stored = token_key(ONCE, link);
        let Some(number) = self.store().get(&stored)?.and_then(|bytes| read_message::<SessionRecord>(&bytes).ok())
        else {
            return Ok(None);
        };
        let cooperative = self.cooperative(number.cooperative)?;
        let token = new_token()?;
        let session = NewToken::session(token.clone(), now)?;
        let may = self.write(move |group| {
            let record = group.get(&stored)?;
            // The second of two requests with one token finds none.
            group.remove_visible(stored);
            let record: Option<SessionRecord> = record.and_then(|bytes| read_message(&bytes).ok());
            let Some(record) = record.filter(|record| record.until_millis > now.0) else { return Ok(false) };
            let account = group.get(&account_key(record.cooperative, &record.login))?;
            let account: Option<AccountRecord> = account.and_then(|bytes| read_message(&bytes).ok());
            let Some(account) = account else { return Ok(false) };
            let credential = Credential::Issued(record.generation);
            if session.issue(&cooperative, group, account.device, credential, &record.login).is_err() {
                return Ok(false);
            }
            put_line(&cooperative, group, now, &account.device.to_string(), AuditAction::SignedIn, "by-link");
            Ok(true)
        })?;
        Ok(may.then_some(token))
    }

    /// The session of a token, if it has not ended; the visit counts.
    pub(crate) fn session(&self, token: &str, now: Instant) -> Result<Option<Session>, Error> {
        let Some((record, session)) = self.open_session(token, now)? else { return Ok(None) };
        // The last visit is written at most every half hour.
        let until = now.plus_millis(IDLE_MILLIS);
        if until.millis_since(Instant(record.until_millis)) > 1_800_000 {
            let stored = token_key(SESSION, token);
            let later = SessionRecord { until_millis: until.0, ..record };
            self.write(move |group| {
                // A session that was signed out meanwhile does not come back.
                if group.get(&stored)?.is_some() {
                    group.put_visible(stored, write_message(&later));
                }
                Ok(())
            })?;
        }
        Ok(Some(session))
    }

    /// True while a token's session has not ended; for pages that stay open, which is no visit.
    pub(crate) fn is_session_open(&self, token: &str, now: Instant) -> bool {
        self.open_session(token, now).is_ok_and(|found| found.is_some())
    }

    fn open_session(&self, token: &str, now: Instant) -> Result<Option<(SessionRecord, Session)>, Error> {
        let Some(bytes) = self.store().get(&token_key(SESSION, token))? else { return Ok(None) };
        let Ok(record) = read_message::<SessionRecord>(&bytes) else { return Ok(None) };
        let Some(account) = self.account(record.cooperative, &record.login)? else { return Ok(None) };
        let cooperative = self.cooperative(record.cooperative)?;
        let credential = Credential::Issued(record.generation);
        let may = may_act(&cooperative, account.device, credential, Deed::Coordinate).is_ok();
        if record.until_millis.min(record.ends_millis) <= now.0 || !may {
            return Ok(None);
        }
        let session = Session {
            cooperative: record.cooperative,
            login: record.login.clone(),
            name: account.name,
            device: account.device,
            generation: record.generation,
            csrf: record.csrf.clone(),
            has_second: account.second.is_some(),
            must_set_up_second: account.second.is_none() && self.demands_second(record.cooperative)?,
        };
        Ok(Some((record, session)))
    }

    /// Ends this session, or whatever was issued to the same coordinator.
    pub(crate) fn sign_out(&self, token: &str, everywhere: bool, now: Instant) -> Result<(), Error> {
        let Some((_, session)) = self.open_session(token, now)? else { return Ok(()) };
        let stored = token_key(SESSION, token);
        let cooperative = self.cooperative(session.cooperative)?;
        let device = session.device;
        self.write(move |group| {
            group.remove_visible(stored);
            if let Some(mut record) = cooperative.device(device).filter(|_| everywhere) {
                record.end_issued();
                put_device(&cooperative, group, device, record);
            }
            let detail = if everywhere { "everywhere" } else { "" };
            put_line(&cooperative, group, now, &device.to_string(), AuditAction::SignedOut, detail);
            Ok(())
        })?;
        self.access_changed(session.cooperative, &[device])
    }
}

/// The token of a session or a link, to be issued in a job of the writer.
pub(super) struct NewToken {
    kind: u8,
    token: String,
    csrf: String,
    until: Instant,
    ends: Instant,
}

impl NewToken {
    pub(super) fn session(token: String, now: Instant) -> Result<Self, Error> {
        let (until, ends) = (now.plus_millis(IDLE_MILLIS), now.plus_millis(SESSION_MILLIS));
        Ok(Self { kind: SESSION, token, csrf: new_token()?, until, ends })
    }

    /// Issues it to a person who may coordinate.
    pub(super) fn issue(
        self,
        cooperative: &Cooperative,
        group: &mut GroupCommit<'_>,
        device: DeviceId,
        credential: Credential,
        login: &str,
    ) -> Result<(), Denied> {
        let generation = may_act(cooperative, device, credential, Deed::Coordinate)?.generation;
        let record = SessionRecord {
            cooperative: cooperative.number(),
            login: login.to_owned(),
            csrf: self.csrf,
            until_millis: self.until.0,
            ends_millis: self.ends.0,
            generation,
            from: String::new(),
        };
        group.put_visible(token_key(self.kind, &self.token), write_message(&record));
        Ok(())
    }
}
