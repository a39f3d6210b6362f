//! A coordinator who leaves, and names that are erased: of the person, and of the phones that are theirs. The mark of the id
//! stands where the name stood; the audit has ids anyway.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::read_message;
use granary_client_core::quantities::Instant;

use super::Granary;
use super::audit::put_line;
use super::erasure::erased_name;
use super::grants::{change_with_phones, end, put_device};
use super::views::views_key;
use crate::access::accounts::{AccountRecord, ONCE, SESSION, SessionRecord, account_key, normal_login};
use crate::access::standing::{Credential, Deed, may_act};
use crate::access::{AuditAction, Principal};
use crate::error::Error;
use crate::log::erasure::to_scrub;
use crate::log::keys::{GLOBAL, key};
use crate::log::writer::GroupCommit;
use crate::log::{Cooperative, CooperativeNumber, DeviceRecord};
use crate::said::Said;

/// What becomes of the names of whoever leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// They stay, beside what was done.
    #[default]
    Kept,
    /// The mark of the id stands in their place from now on.
    Erased,
}

impl Names {
    /// What the line of the audit says of it, after the id.
    pub(super) fn in_the_audit(self) -> &'static str {
        match self {
            Self::Kept => "",
            Self::Erased => " name-erased",
        }
    }
}

/// How a coordinator is removed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Removal {
    /// Of the person and of their phones.
    pub names: Names,
    /// Also the last one who can sign in.
    pub even_the_last: bool,
}

impl Granary {
    /// Removes a coordinator: the account and password are gone, sessions, links, open invitations and phones of theirs
    /// end at once.
    pub fn remove_coordinator(
        &self,
        by: Principal,
        number: CooperativeNumber,
        login: &str,
        how: Removal,
        now: Instant,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let login = normal_login(login)?;
        by.must_coordinate(&cooperative)?;
        let names = how.names;
        if names == Names::Erased {
            // Refused below too, but then the mark would be there.
            self.must_leave_another(&cooperative, &login, how)?;
            self.mark_names_erased(&cooperative, self.coordinator_device(number, &login)?, now)?;
        }
        let others: Vec<DeviceId> = self.accounts_but(number, &login)?;
        let issued = if names == Names::Erased { self.issued_to(number, &login)? } else { Vec::new() };
        let changed = self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(Error::from(denied)));
            }
            let stored = account_key(number, &login);
            let account: Option<AccountRecord> = group.get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
            let Some(account) = account else {
                return Ok(Err(Error::NotFound { what: "coordinator", name: login }));
            };
            if !how.even_the_last && !others.iter().any(|other| may_sign_in(&cooperative, *other)) {
                return Ok(Err(is_the_last(&login)));
            }
            group.remove_visible(stored);
            group.remove_visible(views_key(number, account.device));
            issued.into_iter().for_each(|row| group.remove_visible(row));
            let changed = change_with_phones(&cooperative, group, account.device, |record| end(record, names, now));
            let whom = format!("{}{}", account.device, names.in_the_audit());
            put_line(&cooperative, group, now, &by.id(), AuditAction::CoordinatorRemoved, &whom);
            Ok(Ok(changed))
        })??;
        self.access_changed(number, &changed)
    }

    /// Refuses to remove the last coordinator who can sign in.
    fn must_leave_another(&self, cooperative: &Cooperative, login: &str, how: Removal) -> Result<(), Error> {
        let others = self.accounts_but(cooperative.number(), login)?;
        match how.even_the_last || others.iter().any(|other| may_sign_in(cooperative, *other)) {
            true => Ok(()),
            false => Err(is_the_last(login)),
        }
    }

    fn accounts_but(&self, number: CooperativeNumber, login: &str) -> Result<Vec<DeviceId>, Error> {
        let (lines, _) = self.coordinators(number)?;
        Ok(lines.into_iter().filter(|line| line.login != login).map(|line| line.device).collect())
    }

    /// The rows of sessions and links of this login, which hold it.
    fn issued_to(&self, number: CooperativeNumber, login: &str) -> Result<Vec<Vec<u8>>, Error> {
        let mut rows = Vec::new();
        for kind in [SESSION, ONCE] {
            for row in self.store().scan_all(&key(GLOBAL, kind, &[]))? {
                let record: Option<SessionRecord> = row.value.as_deref().and_then(|value| read_message(value).ok());
                if record.is_some_and(|record| record.cooperative == number && record.login == login) {
                    rows.push(row.key);
                }
            }
        }
        Ok(rows)
    }

    /// Marks that the name of a device is erased, and of the phones of the person that it stands for; durable when it returns.
    pub(super) fn mark_names_erased(
        &self,
        cooperative: &Cooperative,
        device: DeviceId,
        now: Instant,
    ) -> Result<(), Error> {
        let all = cooperative.devices().into_iter();
        let theirs = all.filter(|(id, record, _)| *id == device || record.person == Some(device));
        let theirs: Vec<DeviceId> = theirs.map(|(id, ..)| id).collect();
        self.erasure_marks.note_devices(cooperative.id(), &theirs, now.0)?;
        self.write(|group| {
            group.put(to_scrub(), Vec::new());
            Ok(())
        })
    }

    /// Erases the names that the marks say were erased, where an older store was put in place or an erasure was cut off.
    pub(super) fn erase_names_again(&self, cooperative: &std::sync::Arc<Cooperative>) -> Result<(), Error> {
        let is_marked = |device: DeviceId| self.erasure_marks.has_device(cooperative.id(), device);
        let devices = cooperative.devices().into_iter().map(|(id, record, _)| (id, record));
        let named: Vec<(DeviceId, DeviceRecord)> =
            devices.filter(|(id, record)| is_marked(*id) && record.name != erased_name(*id)).collect();
        let (lines, _) = self.coordinators(cooperative.number())?;
        let logins: Vec<String> =
            lines.into_iter().filter(|line| is_marked(line.device)).map(|line| line.login).collect();
        if named.is_empty() && logins.is_empty() {
            return Ok(());
        }
        let number = cooperative.number();
        tracing::warn!(cooperative = number.0, names = named.len(), "names erased again: an older store has them");
        let mut rows = Vec::new();
        for login in &logins {
            rows.push(account_key(number, login));
            rows.extend(self.issued_to(number, login)?);
        }
        let target = std::sync::Arc::clone(cooperative);
        self.write(move |group| {
            rows.into_iter().for_each(|row| group.remove_visible(row));
            rename(&target, group, named);
            Ok(())
        })
    }
}

fn rename(cooperative: &Cooperative, group: &mut GroupCommit<'_>, named: Vec<(DeviceId, DeviceRecord)>) {
    for (device, record) in named {
        put_device(cooperative, group, device, DeviceRecord { name: erased_name(device), ..record });
    }
    group.put(to_scrub(), Vec::new());
}

fn may_sign_in(cooperative: &Cooperative, device: DeviceId) -> bool {
    may_act(cooperative, device, Credential::Own, Deed::Coordinate).is_ok()
}

fn is_the_last(login: &str) -> Error {
    Error::invalid(
        "coordinator",
        Said::new(
            format!("{login} is the last coordinator who can sign in; make another one first, or add --force"),
            format!("{login} 是最后一位能登录的协调员；请先添加另一位，或者加上 --force"),
        ),
    )
}
