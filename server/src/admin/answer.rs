//! The server's side of the operator's socket.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, OrderName};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::erasure;
use super::people;
use super::report::report;
use super::{AdminCommand, Answer, LINE_MAX, socket_error};
use crate::access::Principal;
use crate::config::Config;
use crate::engine::erasure::Erasable;
use crate::engine::set_aside::SetAsideChanges;
use crate::engine::{Granary, Names, Removal};
use crate::error::Error;
use crate::http::{Gate, PublicAddress};
use crate::log::{Cooperative, CooperativeNumber};

/// Answers commands until aborted.
pub(crate) fn listen(
    config: &Config,
    granary: Arc<Granary>,
    gate: Arc<Gate>,
    public: Arc<PublicAddress>,
) -> Result<tokio::task::JoinHandle<()>, Error> {
    let path = config.socket();
    // This process holds the store's lock, so an existing socket is a stale one.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).map_err(|error| socket_error(&path, &error))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| socket_error(&path, &error))?;
    let folder = config.folder.clone();
    Ok(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (granary, gate, folder) = (Arc::clone(&granary), Arc::clone(&gate), folder.clone());
            let public = Arc::clone(&public);
            tokio::spawn(async move {
                let (reader, mut writer) = stream.split();
                let mut line = String::new();
                if tokio::io::BufReader::new(reader.take(LINE_MAX)).read_line(&mut line).await.is_err() {
                    return;
                }
                let worked = tokio::task::spawn_blocking(move || match serde_json::from_str(&line) {
                    Ok(command) => run((&granary, &gate), command, &folder, &public)
                        .unwrap_or_else(|error| Answer::Failed(error.to_string())),
                    Err(error) => Answer::Failed(format!("the command can't be read: {error}")),
                });
                let answer = worked.await.unwrap_or_else(|error| Answer::Failed(error.to_string()));
                let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
                bytes.push(b'\n');
                let _ = writer.write_all(&bytes).await;
            });
        }
    }))
}

fn run(
    (granary, gate): (&Granary, &Gate),
    command: AdminCommand,
    folder: &Path,
    address: &PublicAddress,
) -> Result<Answer, Error> {
    let (now, public) = (crate::environment::now(), &address.address);
    let invite = |number: CooperativeNumber, role: Role, person: Option<String>, hours: u32| -> Result<Answer, Error> {
        // Nobody could end such a phone with its person.
        if role == Role::Coordinator && person.is_none() {
            return Err(Error::invalid(
                "--for",
                "a coordinator's phone is somebody's: name the account with --for LOGIN; `granary coordinator add` makes one",
            ));
        }
        let person = person.map(|login| granary.coordinator_device(number, &login)).transpose()?;
        let invitation = granary.invite_as(Principal::Operator, number, role, person, hours, now)?;
        let text = format!("An invitation for {role} in co-operative {}; it works once, for {hours} hours:", number.0);
        let browser = address.browser_invitation(&invitation.code);
        Ok(Answer::Invitation { text, link: address.invitation(&invitation.code), browser })
    };
    let erase = |number: CooperativeNumber, what: &Erasable, yes: bool| -> Result<Answer, Error> {
        Ok(Answer::Text(match yes {
            true => erasure::done(&granary.erase(Principal::Operator, number, what, now)?),
            false => erasure::planned(&granary.plan_erasure(number, what)?),
        }))
    };
    match command {
        AdminCommand::CreateCooperative { name } => {
            let number = granary.create_cooperative(&name, now)?.0;
            Ok(Answer::Text(format!(
                "co-operative {number} is made. Its first coordinator: `granary coordinator add --coop {number} LOGIN NAME`, \
                 who signs in at https://{public}/console"
            )))
        }
        AdminCommand::Invite { cooperative, role, person, hours } => {
            invite(CooperativeNumber(cooperative), role, person, hours)
        }
        AdminCommand::OpenEnrolment { phones, hours } => {
            let until = now.plus_millis(u64::from(hours).saturating_mul(3_600_000));
            gate.open_enrolment(phones, until);
            tracing::info!(phones, %until, "enrolment is open for many phones behind one address");
            Ok(Answer::Text(format!(
                "until {until}, or until the server stops, {phones} phones behind one address can enrol at once, and \
                 one more every second"
            )))
        }
        AdminCommand::Invitations { cooperative, all } => {
            let lines = granary.invitations(CooperativeNumber(cooperative), now)?;
            Ok(Answer::Text(people::invitations(&lines, all)))
        }
        AdminCommand::WithdrawInvitation { cooperative, invitation } => {
            granary.withdraw_invitation(Principal::Operator, CooperativeNumber(cooperative), &invitation, now)?;
            Ok(Answer::Text("the invitation is withdrawn; no phone can enrol by it".into()))
        }
        AdminCommand::Coordinators { cooperative } => {
            Ok(Answer::Text(people::coordinators(&granary.coordinators(CooperativeNumber(cooperative))?)))
        }
        AdminCommand::ClearSecondFactor { cooperative, login } => {
            granary.clear_second(CooperativeNumber(cooperative), &login, now)?;
            Ok(Answer::Text(format!("{login} signs in by the password alone now")))
        }
        AdminCommand::RemoveCoordinator { cooperative, login, erase, force } => {
            let number = CooperativeNumber(cooperative);
            let names = if erase { Names::Erased } else { Names::Kept };
            let how = Removal { names, even_the_last: force };
            granary.remove_coordinator(Principal::Operator, number, &login, how, now)?;
            let (_, of_nobody) = granary.coordinators(number)?;
            let removed =
                format!("{login} is removed: no session, password, link, open invitation or phone of theirs works");
            let names = if erase { vec![erasure::NAMES_GONE.to_owned()] } else { Vec::new() };
            Ok(Answer::Text([vec![removed], names, people::phones_of_nobody(&of_nobody)].concat().join("\n")))
        }
        AdminCommand::Devices { cooperative } => {
            let cooperative = granary.cooperative(CooperativeNumber(cooperative))?;
            let lines: Vec<String> = cooperative
                .devices()
                .into_iter()
                .map(|(id, record, seen)| {
                    let roles: Vec<String> = record.grants_now().roles.iter().map(Role::to_string).collect();
                    let seen = seen.map_or_else(
                        || "never heard of".to_owned(),
                        |seen| {
                            let at = Instant(seen.at_millis);
                            let forked = if seen.is_forked { ", two phones send under this name" } else { "" };
                            format!(
                                "last heard of {at}, {} changes waiting, version {}{forked}",
                                seen.unsent, seen.version
                            )
                        },
                    );
                    let standing = if record.revoked_millis.is_some() { "revoked" } else { "active" };
                    let (kind, roles) = (record.kind.word(), roles.join("+"));
                    let disk = share_of(granary, &cooperative, id, now);
                    format!("{id}  {kind}  {standing}  {roles}  {}  {seen}, {disk}", record.name)
                })
                .collect();
            Ok(Answer::Text(lines.join("\n")))
        }
        AdminCommand::Grant { cooperative, device, roles } => {
            let number = CooperativeNumber(cooperative);
            let before = granary.cooperative(number)?.device(device);
            granary.grant(Principal::Operator, number, device, &roles, now)?;
            let was_revoked = before.is_some_and(|record| record.revoked_millis.is_some());
            Ok(Answer::Text(match (was_revoked, roles.is_empty()) {
                (true, false) => {
                    format!("{device} was revoked and belongs again; what waits on it is taken in at its next sync")
                }
                (true, true) => format!("{device} stays revoked: give the roles that it has from now on"),
                (false, _) => format!("{device} is told at its next sync; it gets or forgets documents then"),
            }))
        }
        AdminCommand::SetAside { cooperative } => {
            let all = granary.set_aside(CooperativeNumber(cooperative))?;
            let of = granary.cooperative(CooperativeNumber(cooperative))?;
            let lines: Vec<String> = all.iter().map(|aside| set_aside_lines(&of, aside)).collect();
            Ok(Answer::Text(if lines.is_empty() { "nothing is set aside".into() } else { lines.join("\n") }))
        }
        AdminCommand::TakeIn { cooperative, name } => {
            granary.take_in(Principal::Operator, CooperativeNumber(cooperative), set_aside_place(&name)?, now)?;
            Ok(Answer::Text(format!("{name} is taken in")))
        }
        AdminCommand::LeaveOut { cooperative, name } => {
            granary.refuse_set_aside(
                Principal::Operator,
                CooperativeNumber(cooperative),
                set_aside_place(&name)?,
                now,
            )?;
            Ok(Answer::Text(format!("{name} is refused; it stays out")))
        }
        AdminCommand::SetCoordinator { cooperative, login, name, password } => {
            granary.set_coordinator(CooperativeNumber(cooperative), &login, &name, &password, now)?;
            Ok(Answer::Text(format!(
                "{name} can sign in at https://{public}/console/sign-in?coop={cooperative} as {login}"
            )))
        }
        AdminCommand::SignInOnce { cooperative, login } => {
            let token = granary.sign_in_once(CooperativeNumber(cooperative), &login, now)?;
            Ok(Answer::Text(format!("https://{public}/console/once/{token}")))
        }
        AdminCommand::MakeToken { cooperative, role, name } => {
            let (device, token) = granary.make_token(CooperativeNumber(cooperative), role, &name, now)?;
            Ok(Answer::Text(format!(
                "wss://{public}/automerge?token={token}\n{device} is known by it, until it is revoked"
            )))
        }
        AdminCommand::Documents { cooperative } => {
            let cooperative = granary.cooperative(CooperativeNumber(cooperative))?;
            let line = |key: &DocumentKey| format!("{}  {key}", key.id(cooperative.id()).automerge_url());
            Ok(Answer::Text(cooperative.documents().iter().map(line).collect::<Vec<_>>().join("\n")))
        }
        AdminCommand::BackUp { to, keep } => Ok(Answer::Text(granary.back_up(folder, &to, keep, now)?.sentence(&to))),
        AdminCommand::Export { cooperative, to } => {
            let count = granary.export(CooperativeNumber(cooperative), &to)?;
            Ok(Answer::Text(format!("{count} documents are in {}", to.display())))
        }
        AdminCommand::Import { from, name } => {
            let (number, count) = granary.import(&from, &name, now)?;
            Ok(Answer::Text(format!(
                "co-operative {} has {count} documents; make its coordinator with `granary coordinator add`",
                number.0
            )))
        }
        AdminCommand::Check => {
            let found = granary.verify()?;
            // A script that runs this must notice.
            Ok(if found.is_clean() { Answer::Text(report(&found)) } else { Answer::Failed(report(&found)) })
        }
        AdminCommand::EraseHousehold { cooperative, household, with_books, yes } => {
            erase(CooperativeNumber(cooperative), &Erasable::Household { id: household, with_books }, yes)
        }
        AdminCommand::EraseBuyer { cooperative, platform, order, yes } => {
            let name = OrderName { platform, outside_id: order };
            erase(CooperativeNumber(cooperative), &Erasable::Buyer(name), yes)
        }
        AdminCommand::Revoke { cooperative, device, erase } => {
            let names = if erase { Names::Erased } else { Names::Kept };
            granary.revoke_with(Principal::Operator, CooperativeNumber(cooperative), device, names, now)?;
            let gone = if erase { format!("\n{}", erasure::NAMES_GONE) } else { String::new() };
            Ok(Answer::Text(format!("{device} is revoked; what it sent before stays{gone}")))
        }
    }
}

/// What a device has used of its share of the disk.
fn share_of(granary: &Granary, coop: &Cooperative, device: DeviceId, now: Instant) -> String {
    let (today, all) = granary.used_by_device(coop, device, now);
    let is_used = granary.has_used_share(coop, device, now);
    let used = if is_used { ", ITS SHARE OF THE DISK IS USED" } else { "" };
    format!("{} kB on the disk, {} kB of them today{used}", all / 1000, today / 1000)
}

fn set_aside_place(name: &str) -> Result<(DeviceId, u64), Error> {
    SetAsideChanges::parse_name(name)
        .ok_or_else(|| Error::invalid("name", "give DEVICE/ENTRY, as `set-aside list` shows it"))
}

/// What was set aside, and its lots.
fn set_aside_lines(cooperative: &Cooperative, aside: &SetAsideChanges) -> String {
    let (name, changes) = (aside.name(), aside.changes);
    let until = aside.until.map(|until| format!(", kept until {until}")).unwrap_or_default();
    let mut lines =
        format!("{name}  {}{until}  {changes} changes of {}: {}", aside.received, aside.document, aside.reason);
    for author in &aside.in_the_name_of {
        lines.push_str(&format!("\n    in the name of {author}"));
        if let Some(record) = cooperative.device(*author) {
            lines.push_str(&format!(" ({})", record.name));
        }
    }
    for (id, lot) in &aside.lots {
        let day = lot.day.map(|day| day.to_string()).unwrap_or_default();
        let weight = lot.quantity.map(|grams| grams.to_string()).unwrap_or_default();
        lines.push_str(&format!("\n    {day}  {}  {weight}  {id}", lot.product.as_deref().unwrap_or_default()));
    }
    lines
}
