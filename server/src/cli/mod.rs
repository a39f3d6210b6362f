//! The command line: arguments and output. The rules are in the other modules.

// First, so that its macros hold in all the others.
#[macro_use]
mod output;

mod arguments;
mod help;
mod maintenance;
mod orders;
mod phone;
mod serve;

use std::process::ExitCode;

use granary_client_core::error::Error as PhoneError;
use granary_client_core::schema::access::Role;
use granary_client_core::words::{Language, Phrase, Words};

use crate::access::api_keys::KeyDraft;
use crate::admin::{self, AdminCommand, Answer, Furnishing};
use crate::config::settings::{ServeArgs, Settings};
use crate::error::Error;
use crate::http::BrowserLink;
use crate::said::Said;
use crate::store::probe::How;
use arguments::{
    Command, CoopCommand, CoordinatorCommand, EraseCommand, Folder, InvitationsCommand, KeyCommand, OrdersCommand,
    SetAsideCommand,
};
use serve::{demo, serve};

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    // The stores' own files are made by libraries, and nobody else is to read those either.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let arguments = help::read_arguments(language());
    speak(arguments.lang);
    let result = match arguments.command {
        Command::Serve { args } => serve(args, |_| Ok(())),
        Command::Config { args } => Settings::of(args).map(|settings| println!("{}", settings.text())),
        Command::Demo { folder, port } => {
            let listen = Some(std::net::SocketAddr::from(([127, 0, 0, 1], port)));
            // The same at each start, since a browser keeps the phone for one port; the system's choice beside the system's choice.
            let app_port = if port == 0 { 0 } else { port.saturating_add(1) };
            let app_listen = Some(std::net::SocketAddr::from(([127, 0, 0, 1], app_port)));
            // Who tries it on reads what the demo prints; the audit of six hundred households would bury that.
            let log = Some(std::env::var("GRANARY_LOG").unwrap_or_else(|_| "warn".to_owned()));
            let args = ServeArgs { folder: Some(folder.clone()), listen, app_listen, log, ..ServeArgs::default() };
            serve(args, |server| demo(server, &folder))
        }
        Command::Coop { command } => furnish(command),
        Command::Orders { command: OrdersCommand::Complete { folder, coop } } => {
            send(&folder, &AdminCommand::OrdersComplete { cooperative: coop })
        }
        Command::Orders { command: OrdersCommand::Take { folder, coop, shop, profile, files } } => {
            // The server has another folder to start from.
            let files = files.into_iter().map(|path| std::path::absolute(&path).unwrap_or(path)).collect();
            send(&folder, &AdminCommand::TakeOrders { cooperative: coop, files, shop, profile })
        }
        Command::Orders { command: OrdersCommand::Preview { json, skus, profile, profiles, files } } => {
            orders::preview(&orders::PreviewArgs { json, skus, profile, profiles, files })
        }
        Command::Invite { folder, coop, role, villages, person, hours } => {
            invite(&folder, coop, (&role, villages), person, hours)
        }
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
        Command::Grant { folder, coop, device, roles, villages } => {
            send(&folder, &AdminCommand::Grant { cooperative: coop, device, roles, villages })
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
        Command::Erase { command: EraseCommand::Household { folder, coop, household, with_books, yes } } => {
            send(&folder, &AdminCommand::EraseHousehold { cooperative: coop, household, with_books, yes })
        }
        Command::Erase { command: EraseCommand::Buyer { folder, coop, platform, shop, order, yes } } => {
            send(&folder, &AdminCommand::EraseBuyer { cooperative: coop, platform, shop, order, yes })
        }
        Command::Coordinator { command: CoordinatorCommand::Add { folder, coop, login, name } } => typed_password()
            .and_then(|password| {
                send(&folder, &AdminCommand::AddCoordinator { cooperative: coop, login, name, password })
            }),
        Command::Coordinator { command: CoordinatorCommand::Password { folder, coop, login } } => typed_password()
            .and_then(|password| send(&folder, &AdminCommand::SetPassword { cooperative: coop, login, password })),
        Command::Coordinator { command: CoordinatorCommand::List { folder, coop } } => {
            send(&folder, &AdminCommand::Coordinators { cooperative: coop })
        }
        Command::Coordinator { command: CoordinatorCommand::Remove { folder, coop, login, erase, force } } => {
            send(&folder, &AdminCommand::RemoveCoordinator { cooperative: coop, login, erase, force })
        }
        Command::Coordinator { command: CoordinatorCommand::ClearSecondFactor { folder, coop, login } } => {
            send(&folder, &AdminCommand::ClearSecondFactor { cooperative: coop, login })
        }
        Command::Coordinator { command: CoordinatorCommand::Link { folder, coop, login } } => {
            send(&folder, &AdminCommand::SignInOnce { cooperative: coop, login })
        }
        Command::Key { command: KeyCommand::Add { folder, coop, platform, shop, scopes, name } } => {
            let draft = KeyDraft { name, platform, shop, scopes: scopes.into_iter().collect() };
            send(&folder, &AdminCommand::AddKey { cooperative: coop, draft })
        }
        Command::Key { command: KeyCommand::List { folder, coop } } => {
            send(&folder, &AdminCommand::Keys { cooperative: coop })
        }
        Command::Key { command: KeyCommand::Revoke { folder, coop, key } } => {
            send(&folder, &AdminCommand::RevokeKey { cooperative: coop, key })
        }
        Command::Revoke { folder, coop, device, erase } => {
            send(&folder, &AdminCommand::Revoke { cooperative: coop, device, erase })
        }
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
            eprintln!("granary: {}", NOT_WRITTEN.words(language()));
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("granary: {}", sentence(&error, language()));
            ExitCode::FAILURE
        }
    }
}

const NO_BROWSER: Phrase = Phrase::new(
    "no-browser",
    "A browser can be a phone too, once this server has a certificate that browsers trust (`--acme`; see \
     docs/OPERATIONS.md).",
    "服务器有了浏览器信任的证书以后，浏览器也可以当手机用（`--acme`；见 docs/OPERATIONS.md）。",
);
const NOT_WRITTEN: Phrase = Phrase::new("not-written", "the output could not be written", "输出没有写成");
const PASSWORD: Phrase = Phrase::new(
    "password",
    "the password, in one line (it is shown as you type):",
    "密码，写在一行里（输入时看得见）：",
);

/// The language that a person chose for this command.
static CHOSEN: std::sync::OnceLock<Language> = std::sync::OnceLock::new();

/// Speaks this language from now on, where one is given.
fn speak(language: Option<Language>) {
    if let Some(language) = language {
        CHOSEN.get_or_init(|| language);
    }
}

/// The language of the terminal: the one that was chosen, or else by the usual variables; English where they name none that is
/// spoken here.
fn language() -> Language {
    if let Some(chosen) = CHOSEN.get() {
        return *chosen;
    }
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
    set.as_deref().and_then(Language::from_code).unwrap_or(Language::English)
}

fn sentence(error: &Error, language: Language) -> String {
    match error {
        Error::Phone(error @ PhoneError::Lost) => {
            format!("{}\n{}", error.words(language), phone::phrases::LOST_WAYS.words(language))
        }
        other => {
            // What a library says of the cause is for logs alone.
            tracing::debug!(error = %other, "a command failed");
            other.words(language)
        }
    }
}

/// Creates a co-operative, or says what it consists of.
fn furnish(command: CoopCommand) -> Result<(), Error> {
    let (folder, coop, furnishing) = match command {
        CoopCommand::Create { folder, name } => return send(&folder, &AdminCommand::CreateCooperative { name }),
        CoopCommand::Show { folder, coop } => {
            return send(&folder, &AdminCommand::ShowCooperative { cooperative: coop });
        }
        CoopCommand::Set { folder, coop, name, phone, address, about } => {
            (folder, coop, Furnishing::Details { name, phone, address, about })
        }
        CoopCommand::Village { folder, coop, code, name } => (folder, coop, Furnishing::Village { code, name }),
        CoopCommand::Place { folder, coop, code, name } => (folder, coop, Furnishing::Place { code, name }),
        CoopCommand::Season { folder, coop, year, from, name } => {
            (folder, coop, Furnishing::Season { year, from: from.to_string(), name })
        }
    };
    send(&folder, &AdminCommand::Furnish { cooperative: coop, furnishing })
}

fn invite(
    folder: &Folder,
    cooperative: u32,
    (role, villages): (&str, Vec<String>),
    person: Option<String>,
    hours: u32,
) -> Result<(), Error> {
    let role = if role == "household:new" {
        let millis = u64::try_from(crate::environment::now().0).unwrap_or(0);
        Role::Household(granary_client_core::ids::HouseholdId::generate(millis, crate::environment::random_bytes()?))
    } else {
        role.parse()
            .map_err(|fault: granary_client_core::schema::access::RoleFault| Error::invalid("role", Said::of(&fault)))?
    };
    send(folder, &AdminCommand::Invite { cooperative, role, villages, person, hours })
}

/// A password, typed or piped in one line.
fn typed_password() -> Result<String, Error> {
    use std::io::{BufRead, IsTerminal};
    if std::io::stdin().is_terminal() {
        eprintln!("{}", PASSWORD.words(language()));
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Error::invalid("password", error.to_string()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Shows a link as a QR code.
fn show_qr(link: &str) {
    if let Ok(code) = qrcode::QrCode::new(link.as_bytes()) {
        println!("{}", code.render::<qrcode::render::unicode::Dense1x2>().build());
    }
}

/// Sends a command to the running server and prints the answer.
fn send(folder: &Folder, command: &AdminCommand) -> Result<(), Error> {
    match admin::ask(&folder.folder, command)? {
        Answer::Text(text) => println!("{}", text.words(language())),
        Answer::Invitation { text, link, browser } => {
            println!("{}\n\n  {link}\n", text.words(language()));
            show_qr(&link);
            match browser {
                Some(BrowserLink { link, is_of_this_machine }) => {
                    let said = match is_of_this_machine {
                        true => Said::new("or, in a browser of this machine:", "或者，在这台机器的浏览器里："),
                        false => Said::new("or, in a browser:", "或者，在浏览器里："),
                    };
                    println!("{}\n\n  {link}\n", said.words(language()));
                    show_qr(&link);
                }
                None => println!("{}", NO_BROWSER.words(language())),
            }
        }
        Answer::Failed(sentence) => return Err(Error::CommandFailed { sentence }),
    }
    Ok(())
}
