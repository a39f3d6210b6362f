//! What a person types: the commands of the `granary` program, with their help.

mod access;
mod content;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use granary_client_core::ids::DeviceId;
use granary_client_core::schema::access::Role;
use granary_client_core::words::{Language, Words};

use super::phone;
use crate::config::settings::ServeArgs;

pub(super) use access::{CoordinatorCommand, InvitationsCommand, KeyCommand};
pub(super) use content::{CoopCommand, EraseCommand, OrdersCommand, SetAsideCommand};

/// Offline-first sync for villages.
#[derive(Parser)]
#[command(name = "granary", version)]
pub(super) struct Arguments {
    /// The language of errors and answers, `zh` or `en`; by LC_ALL, LC_MESSAGES or LANG when not given.
    #[arg(long, global = true, value_parser = language)]
    pub(super) lang: Option<Language>,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// A text names no language that is spoken here.
#[derive(Debug, thiserror::Error)]
#[error("a language is `zh` or `en`")]
pub(super) struct LanguageFault;

impl Words for LanguageFault {
    fn chinese(&self) -> String {
        "语言写 `zh` 或 `en`".to_owned()
    }
}

fn language(code: &str) -> Result<Language, LanguageFault> {
    Language::from_code(code).ok_or(LanguageFault)
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Serve phones until stopped.
    Serve {
        #[command(flatten)]
        args: ServeArgs,
    },
    /// Print every setting that `serve` would start with, and where it is from.
    Config {
        #[command(flatten)]
        args: ServeArgs,
    },
    /// Serve a co-operative that is filled already, to try things on.
    Demo {
        /// The demo's folder; kept from one start to the next.
        #[arg(long, default_value = "granary-demo")]
        folder: PathBuf,
        /// The port on this machine.
        #[arg(long, default_value_t = 8443)]
        port: u16,
    },
    /// Create co-operatives, and furnish them: villages, collecting places, seasons.
    #[command(visible_alias = "cooperative")]
    Coop {
        #[command(subcommand)]
        command: CoopCommand,
    },
    /// Read order files of shops' platforms.
    Orders {
        #[command(subcommand)]
        command: OrdersCommand,
    },
    /// Make an invitation for a phone; it works once.
    Invite {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// `coordinator`, `packer`, `recorder` or `household:ID`; `household:new` begins a household.
        #[arg(long)]
        role: String,
        /// Of a recorder: a village, by name or code, whose households it records for. May be given several times.
        #[arg(long = "village", value_name = "VILLAGE")]
        villages: Vec<String>,
        /// The login of the coordinator whose phone it is for; the phone ends with that person. A coordinator's phone needs it.
        #[arg(long = "for")]
        person: Option<String>,
        /// How long it works, at most a year.
        #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=8_760))]
        hours: u32,
    },
    /// Let many phones behind one address enrol, as on a day of enrolments in one Wi-Fi; while the server runs.
    OpenEnrolment {
        #[command(flatten)]
        folder: Folder,
        /// Phones that may enrol from one address at once; one more every second.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        phones: u32,
        /// For how long, at most a month.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=744))]
        hours: u32,
    },
    /// List invitations, or withdraw one.
    Invitations {
        #[command(subcommand)]
        command: InvitationsCommand,
    },
    /// Make a token by which a client of automerge-repo is a device.
    Token {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// `coordinator`, `packer` or `household:ID`.
        #[arg(long)]
        role: Role,
        /// What the client is called in the list of devices.
        name: String,
    },
    /// List a co-operative's documents with their Automerge URLs.
    Documents {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// List a co-operative's devices.
    Devices {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// Change what a device may do.
    Grant {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The device, as `devices` lists it.
        device: DeviceId,
        /// All its roles from now on; none takes everything away.
        roles: Vec<Role>,
        /// Of a recorder: a village, by name or code, whose households it records for. May be given several times; without it, a
        /// recorder keeps its villages.
        #[arg(long = "village", value_name = "VILLAGE")]
        villages: Vec<String>,
    },
    /// Changes that were set aside: from phones that may not write there, or that were revoked, or that did harm.
    SetAside {
        #[command(subcommand)]
        command: SetAsideCommand,
    },
    /// Erase for good what is about a person, who asked for it; phones forget it too.
    Erase {
        #[command(subcommand)]
        command: EraseCommand,
    },
    /// Coordinators' accounts for the console.
    Coordinator {
        #[command(subcommand)]
        command: CoordinatorCommand,
    },
    /// API keys: what shops' programs sign in with.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Add to a backup what is new, while the server serves.
    Backup {
        #[command(flatten)]
        folder: AnyFolder,
        /// The backup's folder; made at the first run.
        #[arg(long)]
        to: PathBuf,
        /// Keep the last so many runs, and what they need; without it, all are kept.
        #[arg(long)]
        keep: Option<std::num::NonZeroU32>,
    },
    /// Write all documents of a co-operative as Automerge files and JSON lines, which need no Granary.
    Export {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The folder to write into.
        #[arg(long)]
        to: PathBuf,
    },
    /// Make a new co-operative of what was exported.
    Import {
        #[command(flatten)]
        folder: Folder,
        /// The folder that was written.
        #[arg(long)]
        from: PathBuf,
        /// The new co-operative's name.
        name: String,
    },
    /// Restore a backup into a new server's folder.
    Restore {
        /// The backup's folder.
        #[arg(long)]
        from: PathBuf,
        /// Only through the run that made this file, such as `segment-0012.granary`; the last one when not given.
        #[arg(long)]
        through: Option<String>,
        /// The new server's folder.
        #[arg(long, env = "GRANARY_FOLDER", default_value = "granary-data")]
        folder: PathBuf,
        /// The old server's folder, whose marks of grants and revocations hold (`access-marks.jsonl`).
        #[arg(long)]
        marks: Option<PathBuf>,
    },
    /// Look at the whole store, running or not, and name what is wrong.
    Check {
        #[command(flatten)]
        folder: AnyFolder,
    },
    /// Make a new store of what can be read of a damaged one, and of a backup; the server must not run.
    Repair {
        #[command(flatten)]
        folder: AnyFolder,
        /// A backup that fills gaps.
        #[arg(long)]
        backup: Option<PathBuf>,
        /// A store that an earlier repair set aside, such as `granary-data/store.damaged-…`; it fills gaps too.
        #[arg(long)]
        set_aside: Option<PathBuf>,
    },
    /// Take a device out of its co-operative, at once.
    Revoke {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The device, as `devices` lists it.
        device: DeviceId,
        /// Erase its name too, for whoever goes for good; the audit keeps its id. There is no way back.
        #[arg(long)]
        erase: bool,
    },
    /// Open the store, look at it, and end; for the server itself.
    #[command(name = crate::store::probe::SUBCOMMAND, hide = true)]
    ProbeStore {
        /// The server's folder.
        folder: PathBuf,
        /// The store.
        #[arg(long)]
        store: PathBuf,
        /// Look no further.
        #[arg(long)]
        open_only: bool,
    },
    /// A phone for the terminal.
    Phone(phone::PhoneArguments),
}

#[derive(clap::Args)]
pub(super) struct Folder {
    /// The server's folder; the server must be running on it.
    #[arg(long, env = "GRANARY_FOLDER", default_value = "granary-data")]
    pub(super) folder: PathBuf,
}

/// As [`Folder`], for what works on a server that does not run, too.
#[derive(clap::Args)]
pub(super) struct AnyFolder {
    /// The server's folder.
    #[arg(long, env = "GRANARY_FOLDER", default_value = "granary-data")]
    pub(super) folder: PathBuf,
}
