//! Setting up a coordinator's second factor, taking it away, and demanding it of all.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;

use super::Granary;
use super::audit::put_line;
use super::grants::put_device;
use super::sessions::NewToken;
use crate::access::accounts::{AccountRecord, Session, account_key, fits, new_token, normal_login};
use crate::access::passwords::PASSWORD_MAX;
use crate::access::second_factor::Code;
use crate::access::standing::{Credential, Deed, may_act};
use crate::access::{AuditAction, Principal};
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::key;

/// The outcome of setting up a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetUp {
    /// It is set up; the token of a new session, since all else that was issued ended.
    Done(String),
    /// The password is another one, or the person may not.
    WrongPassword,
    /// The code is not of the secret that was shown.
    WrongCode,
    /// The secret was shown too long ago.
    TooOld,
}

impl Granary {
    /// True when every coordinator must have a second factor.
    pub(crate) fn demands_second(&self, number: CooperativeNumber) -> Result<bool, Error> {
        Ok(self.store().get(&key(number, b'f', &[]))?.is_some())
    }

    /// Demands a second factor of every coordinator, or no more. Who has none can do nothing else until it is set up.
    pub(crate) fn demand_second(
        &self,
        by: Principal,
        number: CooperativeNumber,
        demanded: bool,
        now: Instant,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(denied));
            }
            match demanded {
                true => group.put_visible(key(number, b'f', &[]), vec![1]),
                false => group.remove_visible(key(number, b'f', &[])),
            }
            let detail = if demanded { "yes" } else { "no" };
            put_line(&cooperative, group, now, &by.id(), AuditAction::SecondFactorDemanded, detail);
            Ok(Ok(()))
        })??;
        Ok(())
    }

    /// The secret that a coordinator's authenticator app is to read.
    pub(crate) fn second_secret(&self, session: &Session, now: Instant) -> Result<String, Error> {
        self.unconfirmed.secret(session.device, now)
    }

    /// Sets up the second factor of the secret that was shown, once a code of it shows that the person has it. Whatever was issued before
    /// ends.
    pub(crate) fn set_second(
        &self,
        session: &Session,
        password: &str,
        code: &str,
        now: Instant,
    ) -> Result<SetUp, Error> {
        let Some(mut second) = self.unconfirmed.factor(session.device, now) else { return Ok(SetUp::TooOld) };
        let (number, login) = (session.cooperative, session.login.clone());
        let cooperative = self.cooperative(number)?;
        let account = self.account(number, &login)?;
        let Some(account) = account.filter(|it| password.len() <= PASSWORD_MAX && fits(password, &it.password)) else {
            return Ok(SetUp::WrongPassword);
        };
        if second.take(code, now) != Code::Taken {
            return Ok(SetUp::WrongCode);
        }
        let token = new_token()?;
        let next = NewToken::session(token.clone(), now)?;
        let credential = Credential::Issued(session.generation);
        let is_set = self.write(move |group| {
            let stored = account_key(number, &login);
            let found: Option<AccountRecord> = group.get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
            let Some(found) = found.filter(|found| found.password == account.password) else { return Ok(false) };
            let Ok(mut record) = may_act(&cooperative, found.device, credential, Deed::Coordinate) else {
                return Ok(false);
            };
            record.end_issued();
            put_device(&cooperative, group, found.device, record);
            let device = found.device;
            put_line(&cooperative, group, now, &device.to_string(), AuditAction::SecondFactorSet, "");
            group.put_visible(stored, write_message(&AccountRecord { second: Some(second), ..found }));
            Ok(next.issue(&cooperative, group, device, Credential::Own, &login).is_ok())
        })?;
        self.unconfirmed.confirmed(session.device);
        self.access_changed(number, &[session.device])?;
        Ok(if is_set { SetUp::Done(token) } else { SetUp::WrongPassword })
    }

    /// Takes a coordinator's second factor away, for whoever lost it; the operator's deed.
    pub(crate) fn clear_second(&self, number: CooperativeNumber, login: &str, now: Instant) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let login = normal_login(login)?;
        self.write(move |group| {
            let stored = account_key(number, &login);
            let found: Option<AccountRecord> = group.get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
            let Some(found) = found else {
                return Ok(Err(Error::NotFound { what: "coordinator", name: login }));
            };
            let whom = found.device.to_string();
            group.put_visible(stored, write_message(&AccountRecord { second: None, ..found }));
            put_line(&cooperative, group, now, "operator", AuditAction::SecondFactorCleared, &whom);
            Ok(Ok(()))
        })?
    }
}
