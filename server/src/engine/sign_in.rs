//! How a coordinator signs in: by a password and the code of a second factor, or by a link that works once. Another password
//! signs in anew.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;

use super::Granary;
use super::audit::put_line;
use super::grants::put_device;
use super::sessions::NewToken;
use crate::access::AuditAction;
use crate::access::accounts::{
    AccountRecord, NOBODY, ONCE, Session, SessionRecord, SignIn, account_key, fits, hashed, new_token, normal_login,
    token_key,
};
use crate::access::passwords::PASSWORD_MAX;
use crate::access::second_factor::Code;
use crate::access::standing::{Credential, Deed, may_act};
use crate::error::Error;
use crate::log::CooperativeNumber;

/// The life of a sign-in link, in milliseconds.
const ONCE_MILLIS: u64 = 24 * 3_600_000;

/// Who failed to sign in under a login that nobody has. What was typed may be anything, a password even.
const NOBODYS_LOGIN: &str = "unknown-login";

impl Granary {
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
        let link = NewToken::link(token.clone(), until)?;
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
}
