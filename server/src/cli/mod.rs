//! The command line: arguments and output. The rules are in the other modules.

// First, so that its macros hold in all the others.
#[macro_use]
mod output;

mod maintenance;
mod phone;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use granary_client_core::ids::DeviceId;
use granary_client_core::schema::access::Role;
use granary_client_core::words::{Language, Words};

use crate::admin::{self, AdminCommand, Answer};
use crate::config::settings::{ServeArgs, Settings};
use crate::error::Error;
use crate::store::probe::How;
use serve::{demo, serve};

/// Offline-first sync for villages.
#[derive(Parser)]
#[command(name = "granary", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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
    /// Create co-operatives.
    Coop {
        #[command(subcommand)]
        command: CoopCommand,
    },
    /// Make an invitation for a phone; it works once.
    Invite {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// `coordinator`, `packer` or `household:ID`; `household:new` begins a household.
        #[arg(long)]
        role: String,
        /// The login of the coordinator whose phone it is for; the phone ends with that person.
        #[arg(long = "for")]
        person: Option<String>,
        /// How long it works.
        #[arg(long, default_value_t = 72)]
        hours: u32,
    },
    /// Let many phones behind one address enrol, as on a day of enrolments in one Wi-Fi; while the server runs.
    OpenEnrolment {
        #[command(flatten)]
        folder: Folder,
        /// Phones that may enrol from one address at once; one more every second.
        #[arg(long, default_value_t = 200)]
        phones: u32,
        /// For how long.
        #[arg(long, default_value_t = 24)]
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
    },
    /// Changes that were set aside: from phones that may not write there, or that were revoked, or that did harm.
    SetAside {
        #[command(subcommand)]
        command: SetAsideCommand,
    },
    /// Coordinators' accounts for the console.
    Coordinator {
        #[command(subcommand)]
        command: CoordinatorCommand,
    },
    /// Add to a backup what is new, while the server serves.
    Backup {
        #[command(flatten)]
        folder: Folder,
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
        folder: Folder,
    },
    /// Make a new store of what can be read of a damaged one, and of a backup; the server must not run.
    Repair {
        #[command(flatten)]
        folder: Folder,
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

#[derive(Subcommand)]
enum CoopCommand {
    /// Create a co-operative and an invitation for its first coordinator.
    Create {
        #[command(flatten)]
        folder: Folder,
        /// Its name.
        name: String,
    },
}

#[derive(Subcommand)]
enum InvitationsCommand {
    /// List the open ones: who made each, for whom, until when.
    List {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Also those that were used, withdrawn, voided or are too old.
        #[arg(long)]
        all: bool,
    },
    /// Withdraw an open invitation.
    Withdraw {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Its name in the list, or its code.
        invitation: String,
    },
}

#[derive(Subcommand)]
enum SetAsideCommand {
    /// List them with their lots.
    List {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// Take them in, as their phone wrote them.
    TakeIn {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Such as `8a1f…/17`, as `list` shows it.
        name: String,
    },
    /// Refuse them for good.
    Refuse {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// Such as `8a1f…/17`, as `list` shows it.
        name: String,
    },
}

#[derive(Subcommand)]
enum CoordinatorCommand {
    /// List the accounts, with the phones of each.
    List {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
    },
    /// Remove an account: at once no session, password, link, open invitation or phone of theirs works.
    Remove {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The login.
        login: String,
    },
    /// Make an account or give it a new password, which is read from the first line of the standard
    /// input.
    Add {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// What is typed to sign in.
        login: String,
        /// What the person is called.
        name: String,
    },
    /// Make a link that signs a coordinator in once.
    Link {
        #[command(flatten)]
        folder: Folder,
        /// The co-operative's number.
        #[arg(long, default_value_t = 1)]
        coop: u32,
        /// The login.
        login: String,
    },
}

#[derive(clap::Args)]
struct Folder {
    /// The server's folder; the server must be running on it.
    #[arg(long, env = "GRANARY_FOLDER", default_value = "granary-data")]
    folder: PathBuf,
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    // The stores' own files are made by libraries, and nobody else is to read those either.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Serve { args } => Settings::of(args).and_then(|settings| serve(settings, |_| Ok(()))),
        Command::Config { args } => Settings::of(args).map(|settings| println!("{}", settings.text())),
        Command::Demo { folder, port } => {
            let listen = Some(std::net::SocketAddr::from(([127, 0, 0, 1], port)));
            let args = ServeArgs { folder: Some(folder.clone()), listen, ..ServeArgs::default() };
            Settings::of(args).and_then(|settings| serve(settings, |server| demo(server, &folder)))
        }
        Command::Coop { command: CoopCommand::Create { folder, name } } => {
            send(&folder, &AdminCommand::CreateCooperative { name })
        }
        Command::Invite { folder, coop, role, person, hours } => invite(&folder, coop, &role, person, hours),
        Command::OpenEnrolment { folder, phones, hours } => {
            send(&folder, &AdminCommand::OpenEnrolment { phones, hours })
        }
        Command::Invitations { command: InvitationsCommand::List { folder, coop, all } } => {
            send(&folder, &AdminCommand::Invitations { cooperative: coop, all })
        }
        Command::Invitations { command: InvitationsCommand::Withdraw { folder, coop, invitation } } => {
            send(&folder, &AdminCommand::WithdrawInvitation { cooperative: coop, invitation })
        }
        Command::Token { folder, coop, role, name } => {
            send(&folder, &AdminCommand::MakeToken { cooperative: coop, role, name })
        }
        Command::Documents { folder, coop } => send(&folder, &AdminCommand::Documents { cooperative: coop }),
        Command::Devices { folder, coop } => send(&folder, &AdminCommand::Devices { cooperative: coop }),
        Command::Grant { folder, coop, device, roles } => {
            send(&folder, &AdminCommand::Grant { cooperative: coop, device, roles })
        }
        Command::SetAside { command: SetAsideCommand::List { folder, coop } } => {
            send(&folder, &AdminCommand::SetAside { cooperative: coop })
        }
        Command::SetAside { command: SetAsideCommand::TakeIn { folder, coop, name } } => {
            send(&folder, &AdminCommand::TakeIn { cooperative: coop, name })
        }
        Command::SetAside { command: SetAsideCommand::Refuse { folder, coop, name } } => {
            send(&folder, &AdminCommand::LeaveOut { cooperative: coop, name })
        }
        Command::Coordinator { command: CoordinatorCommand::Add { folder, coop, login, name } } => {
            add_coordinator(&folder, coop, login, name)
        }
        Command::Coordinator { command: CoordinatorCommand::List { folder, coop } } => {
            send(&folder, &AdminCommand::Coordinators { cooperative: coop })
        }
        Command::Coordinator { command: CoordinatorCommand::Remove { folder, coop, login } } => {
            send(&folder, &AdminCommand::RemoveCoordinator { cooperative: coop, login })
        }
        Command::Coordinator { command: CoordinatorCommand::Link { folder, coop, login } } => {
            send(&folder, &AdminCommand::SignInOnce { cooperative: coop, login })
        }
        Command::Revoke { folder, coop, device } => send(&folder, &AdminCommand::Revoke { cooperative: coop, device }),
        Command::Backup { folder, to, keep } => maintenance::back_up(&folder.folder, to, keep),
        Command::Export { folder, coop, to } => {
            let to = std::path::absolute(&to).unwrap_or(to);
            send(&folder, &AdminCommand::Export { cooperative: coop, to })
        }
        Command::Import { folder, from, name } => {
            let from = std::path::absolute(&from).unwrap_or(from);
            send(&folder, &AdminCommand::Import { from, name })
        }
        Command::Restore { from, through, folder, marks } => {
            maintenance::restore(&from, through.as_deref(), &folder, marks.as_deref())
        }
        Command::Check { folder } => maintenance::check(&folder.folder),
        Command::Repair { folder, backup, set_aside } => {
            maintenance::repair(&folder.folder, backup.as_deref(), set_aside.as_deref())
        }
        Command::ProbeStore { folder, store, open_only } => {
            maintenance::probe(&folder, &store, if open_only { How::OpenOnly } else { How::Look })
        }
        Command::Phone(arguments) => phone::run(arguments),
    };
    match result {
        Ok(()) if output::has_failed() => {
            eprintln!("granary: the output could not be written");
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("granary: {}", sentence(&error, language()));
            ExitCode::FAILURE
        }
    }
}

/// The language of the terminal, by the usual variables; English where they name none that is spoken here.
fn language() -> Language {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
    set.as_deref().and_then(Language::from_code).unwrap_or(Language::English)
}

fn sentence(error: &Error, language: Language) -> String {
    match error {
        Error::Phone(error) => error.words(language),
        Error::Quantity(fault) => fault.words(language),
        Error::Typed { fault, .. } => fault.words(language),
        Error::Unusual { unusual } if language == Language::Chinese => {
            let sentences: Vec<String> = unusual.iter().map(Words::chinese).collect();
            format!("什么都没有登记：{}（加上 `--yes` 仍然登记）", sentences.join("；"))
        }
        other => other.to_string(),
    }
}

fn invite(folder: &Folder, cooperative: u32, role: &str, person: Option<String>, hours: u32) -> Result<(), Error> {
    let role = if role == "household:new" {
        let millis = u64::try_from(crate::environment::now().0).unwrap_or(0);
        Role::Household(granary_client_core::ids::HouseholdId::generate(millis, crate::environment::random_bytes()?))
    } else {
        role.parse().map_err(|fault: granary_client_core::schema::access::RoleFault| Error::invalid("role", fault))?
    };
    send(folder, &AdminCommand::Invite { cooperative, role, person, hours })
}

fn add_coordinator(folder: &Folder, cooperative: u32, login: String, name: String) -> Result<(), Error> {
    use std::io::{BufRead, IsTerminal};
    if std::io::stdin().is_terminal() {
        eprintln!("the password, in one line (it is shown as you type):");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| Error::invalid("password", error))?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    send(folder, &AdminCommand::SetCoordinator { cooperative, login, name, password })
}

/// Sends a command to the running server and prints the answer.
fn send(folder: &Folder, command: &AdminCommand) -> Result<(), Error> {
    match admin::ask(&folder.folder, command)? {
        Answer::Text(text) => println!("{text}"),
        Answer::Invitation { text, link } => {
            println!("{text}\n\n  {link}\n");
            if let Ok(code) = qrcode::QrCode::new(link.as_bytes()) {
                println!("{}", code.render::<qrcode::render::unicode::Dense1x2>().build());
            }
        }
        Answer::Failed(sentence) => return Err(Error::CommandFailed { sentence }),
    }
    Ok(())
}
