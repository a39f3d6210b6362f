//! Coordinators' accounts, as the store keeps them. Whether somebody may act is asked of `access::standing`.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::{Instant, TextField, checked_text};
use granary_client_core::schema::access::{Grants, Role};
use granary_client_core::store::{Row, StoreFault};

use super::Granary;
use super::audit::put_line;
use super::grants::{put_device, version_after};
use crate::access::accounts::{AccountRecord, account_key, console_key, hashed, normal_login};
use crate::access::passwords::check_new;
use crate::access::standing::{Credential, Deed, may_act};
use crate::access::{AuditAction, CoordinatorLine, NamedDevice, Principal};
use crate::error::Error;
use crate::log::keys::{key, rest};
use crate::log::{CooperativeNumber, DeviceKind, DeviceRecord, RecorderRecord};
use crate::said::Said;

/// The letters of a first password, which are told apart when they are read out, and how many it has: 80 random bits.
const PASSWORD_LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
const FIRST_PASSWORD_LETTERS: usize = 16;

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
}
