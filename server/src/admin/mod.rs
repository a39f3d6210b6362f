//! The operator's commands, over a Unix socket in the server's folder that only its owner may open: one
//! line of JSON each way.

mod answer;
mod cooperative;
mod erasure;
mod keys;
mod listen;
mod orders;
mod people;
mod report;
mod set_aside;

use std::io::{BufRead, BufReader, Read, Write};
use std::num::NonZeroU32;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::schema::access::Role;
use serde::{Deserialize, Serialize};

use crate::access::api_keys::{KeyDraft, KeyId};
use crate::error::Error;
use crate::http::BrowserLink;
use crate::said::Said;

pub(crate) use listen::listen;
pub(crate) use report::report;

/// The longest command or answer, in bytes.
const LINE_MAX: u64 = 4 * 1024 * 1024;

/// An operator's command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum AdminCommand {
    CreateCooperative { name: String },
    ShowCooperative { cooperative: u32 },
    Furnish { cooperative: u32, furnishing: Furnishing },
    Invite { cooperative: u32, role: Role, villages: Vec<String>, person: Option<String>, hours: u32 },
    OpenEnrolment { phones: u32, hours: u32 },
    Invitations { cooperative: u32, all: bool },
    WithdrawInvitation { cooperative: u32, invitation: String },
    Coordinators { cooperative: u32 },
    OrdersComplete { cooperative: u32 },
    ClearSecondFactor { cooperative: u32, login: String },
    AddKey { cooperative: u32, draft: KeyDraft },
    Keys { cooperative: u32 },
    RevokeKey { cooperative: u32, key: KeyId },
    RemoveCoordinator { cooperative: u32, login: String, erase: bool, force: bool },
    Devices { cooperative: u32 },
    Revoke { cooperative: u32, device: DeviceId, erase: bool },
    Grant { cooperative: u32, device: DeviceId, roles: Vec<Role>, villages: Vec<String> },
    SetAside { cooperative: u32 },
    TakeIn { cooperative: u32, name: String },
    LeaveOut { cooperative: u32, name: String },
    EraseHousehold { cooperative: u32, household: HouseholdId, with_books: bool, yes: bool },
    EraseBuyer { cooperative: u32, platform: String, shop: String, order: String, yes: bool },
    AddCoordinator { cooperative: u32, login: String, name: String, password: String },
    SetPassword { cooperative: u32, login: String, password: String },
    SignInOnce { cooperative: u32, login: String },
    MakeToken { cooperative: u32, role: Role, name: String },
    Documents { cooperative: u32 },
    TakeOrders { cooperative: u32, files: Vec<PathBuf>, shop: String, profile: Option<String> },
    BackUp { to: PathBuf, keep: Option<NonZeroU32> },
    Export { cooperative: u32, to: PathBuf },
    Import { from: PathBuf, name: String },
    Check,
}

/// What a co-operative consists of, as its own document says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Furnishing {
    /// What is none stays; an empty text clears.
    Details {
        name: Option<String>,
        phone: Option<String>,
        address: Option<String>,
        about: Option<String>,
    },
    Village {
        code: String,
        name: String,
    },
    Place {
        code: String,
        name: String,
    },
    Season {
        year: u16,
        from: String,
        name: Option<String>,
    },
}

/// The server's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Answer {
    Text(Said),
    Invitation { text: Said, link: String, browser: Option<BrowserLink> },
    Failed(Said),
}

fn socket_error(path: &Path, error: &std::io::Error) -> Error {
    Error::NoServer { socket: path.display().to_string(), reason: error.to_string() }
}

/// Sends a command to the server of this folder.
pub(crate) fn ask(folder: &Path, command: &AdminCommand) -> Result<Answer, Error> {
    let path = folder.join("operator.sock");
    let exchange = || -> std::io::Result<Answer> {
        let mut stream = UnixStream::connect(&path)?;
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = String::new();
        BufReader::new(stream).take(LINE_MAX).read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    exchange().map_err(|error| socket_error(&path, &error))
}
