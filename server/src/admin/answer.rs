//! What the server does at the operator's commands, and answers.

use std::path::Path;

use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, OrderName};
use granary_client_core::words::{Phrase, Words, counted};

use super::cooperative;
use super::erasure;
use super::keys;
use super::orders;
use super::people;
use super::report::report;
use super::set_aside;
use super::{AdminCommand, Answer};
use crate::access::Principal;
use crate::engine::erasure::Erasable;
use crate::engine::{Granary, Names, Removal};
use crate::error::Error;
use crate::http::{Gate, PublicAddress};
use crate::log::{Cooperative, CooperativeNumber};
use crate::said::Said;

pub(super) fn run(
    (granary, gate): (&Granary, &Gate),
    command: AdminCommand,
    folder: &Path,
    address: &PublicAddress,
) -> Result<Answer, Error> {
    let (now, public) = (crate::environment::now(), &address.address);
    let invite = |number: CooperativeNumber,
                  (role, villages): (Role, Vec<String>),
                  person: Option<String>,
                  hours: u32| {
        // Nobody could end such a phone with its person.
        if role == Role::Coordinator && person.is_none() {
            return Err(Error::invalid("--for", WHOSE_PHONE));
        }
        let person = person.map(|login| granary.coordinator_device(number, &login)).transpose()?;
        let invitation = match (role, villages.as_slice()) {
            (Role::Recorder, villages) => granary.invite_recorder(Principal::Operator, number, villages, hours, now)?,
            (_, []) => granary.invite_as(Principal::Operator, number, role, person, hours, now)?,
            _ => return Err(Error::invalid("--village", ONLY_RECORDERS)),
        };
        let text = Said::new(
            format!(
                "An invitation for {role} in co-operative {}; it works once, for {}:",
                number.0,
                counted(hours, "hour", "hours")
            ),
            format!("合作社 {} 的邀请，身份：{}；{hours} 小时内可以用一次：", number.0, role.chinese()),
        );
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
            text(
                format!(
                    "co-operative {number} is made. Its first coordinator: `granary coordinator add --coop {number} LOGIN \
                     NAME`, who signs in at https://{public}/console"
                ),
                format!(
                    "已建立合作社 {number}。它的第一位协调员：`granary coordinator add --coop {number} LOGIN NAME`，在 \
                     https://{public}/console 登录"
                ),
            )
        }
        AdminCommand::ShowCooperative { cooperative } => {
            Ok(Answer::Text(cooperative::show(granary, CooperativeNumber(cooperative), now)?))
        }
        AdminCommand::Furnish { cooperative, furnishing } => {
            Ok(Answer::Text(cooperative::furnish(granary, CooperativeNumber(cooperative), furnishing, now)?))
        }
        AdminCommand::Invite { cooperative, role, villages, person, hours } => {
            invite(CooperativeNumber(cooperative), (role, villages), person, hours)
        }
        AdminCommand::OpenEnrolment { phones, hours } => {
            let until = now.plus_millis(u64::from(hours).saturating_mul(3_600_000));
            gate.open_enrolment(phones, until);
            tracing::info!(phones, %until, "enrolment is open for many phones behind one address");
            text(
                format!(
                    "until {until}, or until the server stops, {} behind one address can enrol at once, and one more every \
                     second",
                    counted(phones, "phone", "phones")
                ),
                format!(
                    "到 {}（北京时间）或服务器停止为止，同一个地址后面的 {phones} 部手机可以同时加入，之后每秒再加一部",
                    until.in_china()
                ),
            )
        }
        AdminCommand::Invitations { cooperative, all } => {
            let lines = granary.invitations(CooperativeNumber(cooperative), now)?;
            Ok(Answer::Text(people::invitations(&lines, all)))
        }
        AdminCommand::WithdrawInvitation { cooperative, invitation } => {
            granary.withdraw_invitation(Principal::Operator, CooperativeNumber(cooperative), &invitation, now)?;
            text("the invitation is withdrawn; no phone can enrol by it", "邀请已收回；没有手机能再用它加入")
        }
        AdminCommand::Coordinators { cooperative } => {
            Ok(Answer::Text(people::coordinators(&granary.coordinators(CooperativeNumber(cooperative))?)))
        }
        AdminCommand::OrdersComplete { cooperative } => {
            granary.orders_are_complete(CooperativeNumber(cooperative), now)?;
            text(
                "the orders are complete; shops that ask before they sell are answered again",
                "订单已齐；先问库存再卖的店铺又会得到答复",
            )
        }
        AdminCommand::ClearSecondFactor { cooperative, login } => {
            granary.clear_second(CooperativeNumber(cooperative), &login, now)?;
            text(format!("{login} signs in by the password alone now"), format!("{login} 现在只凭密码登录"))
        }
        AdminCommand::AddKey { cooperative, draft } => {
            let (id, key) = granary.add_api_key(Principal::Operator, CooperativeNumber(cooperative), draft, now)?;
            Ok(Answer::Text(keys::made(id, &key, public)))
        }
        AdminCommand::Keys { cooperative } => {
            granary.cooperative(CooperativeNumber(cooperative))?;
            Ok(Answer::Text(keys::list(&granary.list_api_keys(CooperativeNumber(cooperative)))))
        }
        AdminCommand::RevokeKey { cooperative, key } => {
            granary.revoke_api_key(Principal::Operator, CooperativeNumber(cooperative), key, now)?;
            text(
                format!("{key} is revoked; no request with it is answered"),
                format!("{key} 已停用；不再回答用它的请求"),
            )
        }
        AdminCommand::RemoveCoordinator { cooperative, login, erase, force } => {
            let number = CooperativeNumber(cooperative);
            let names = if erase { Names::Erased } else { Names::Kept };
            let how = Removal { names, even_the_last: force };
            granary.remove_coordinator(Principal::Operator, number, &login, how, now)?;
            let (_, of_nobody) = granary.coordinators(number)?;
            let removed = Said::new(
                format!("{login} is removed: no session, password, link, open invitation or phone of theirs works"),
                format!("{login} 已移除：其登录、密码、链接、未用的邀请和手机都不再有效"),
            );
            let names = if erase { vec![erasure::names_gone()] } else { Vec::new() };
            Ok(Answer::Text(Said::lines([vec![removed], names, people::phones_of_nobody(&of_nobody)].concat())))
        }
        AdminCommand::Devices { cooperative } => {
            let cooperative = granary.cooperative(CooperativeNumber(cooperative))?;
            let recorders = granary.recorders(cooperative.number())?;
            let devices = cooperative.devices().into_iter();
            let lines = devices.map(|(id, record, seen)| {
                let (kind, is_revoked) = (record.kind.word(), record.revoked_millis.is_some());
                let roles = people::roles(&record, recorders.get(&id).copied().unwrap_or(0));
                let name = record.name;
                let standing = if is_revoked { ("revoked", "已停用") } else { ("active", "有效") };
                let seen = seen.map_or(Said::new("never heard of", "从来没有消息"), |seen| {
                    let (at, unsent, version) = (Instant(seen.at_millis), seen.unsent, &seen.version);
                    let forked = match seen.is_forked {
                        true => (", two phones send under this name", "，有两部手机用着这个名字"),
                        false => ("", ""),
                    };
                    Said::new(
                        format!(
                            "last heard of {at}, {} waiting, version {version}{}",
                            counted(unsent, "change", "changes"),
                            forked.0
                        ),
                        format!("最后消息 {}，等着发送 {unsent}，版本 {version}{}", at.in_china(), forked.1),
                    )
                });
                let disk = share_of(granary, &cooperative, id, now);
                Said::new(
                    format!("{id}  {kind}  {}  {}  {name}  {seen}, {disk}", standing.0, roles),
                    format!(
                        "{id}  {kind}  {}  {}  {name}  {}，{}",
                        standing.1,
                        roles.chinese(),
                        seen.chinese(),
                        disk.chinese()
                    ),
                )
            });
            Ok(Answer::Text(Said::lines(lines)))
        }
        AdminCommand::Grant { cooperative, device, roles, villages } => {
            let number = CooperativeNumber(cooperative);
            let before = granary.cooperative(number)?.device(device);
            match (roles.as_slice(), villages.as_slice()) {
                (_, []) => granary.grant(Principal::Operator, number, device, &roles, now)?,
                ([Role::Recorder], villages) => {
                    granary.grant_recorder(Principal::Operator, number, device, villages, now)?;
                }
                _ => return Err(Error::invalid("--village", ONLY_RECORDERS)),
            }
            let was_revoked = before.is_some_and(|record| record.revoked_millis.is_some());
            match (was_revoked, roles.is_empty()) {
                (true, false) => text(
                    format!("{device} was revoked and belongs again; what waits on it is taken in at its next sync"),
                    format!("{device} 原来已停用，现在又属于合作社；等在它上面的，下次同步时收下"),
                ),
                (true, true) => text(
                    format!("{device} stays revoked: give the roles that it has from now on"),
                    format!("{device} 仍然停用：请给出它从现在起的身份"),
                ),
                (false, _) => text(
                    format!("{device} is told at its next sync; it gets or forgets documents then"),
                    format!("{device} 下次同步时知道；那时它会收到或移走文档"),
                ),
            }
        }
        AdminCommand::SetAside { cooperative } => {
            let all = granary.set_aside(CooperativeNumber(cooperative))?;
            let of = granary.cooperative(CooperativeNumber(cooperative))?;
            let lines: Vec<Said> = all.iter().map(|aside| set_aside::lines(&of, aside)).collect();
            Ok(Answer::Text(match lines.is_empty() {
                true => Said::new("nothing is set aside", "没有搁置的"),
                false => Said::lines(lines),
            }))
        }
        AdminCommand::TakeIn { cooperative, name } => {
            granary.take_in(Principal::Operator, CooperativeNumber(cooperative), set_aside::place(&name)?, now)?;
            text(format!("{name} is taken in"), format!("{name} 已收下"))
        }
        AdminCommand::LeaveOut { cooperative, name } => {
            granary.refuse_set_aside(
                Principal::Operator,
                CooperativeNumber(cooperative),
                set_aside::place(&name)?,
                now,
            )?;
            text(format!("{name} is refused; it stays out"), format!("{name} 已拒绝；不收下"))
        }
        AdminCommand::AddCoordinator { cooperative, login, name, password } => {
            granary.add_coordinator(CooperativeNumber(cooperative), &login, &name, &password, now)?;
            let address = format!("https://{public}/console/sign-in?coop={cooperative}");
            text(
                format!("{name} can sign in at {address} as {login}"),
                format!("{name} 可以用 {login} 在 {address} 登录"),
            )
        }
        AdminCommand::SetPassword { cooperative, login, password } => {
            granary.set_password(CooperativeNumber(cooperative), &login, &password, now)?;
            text(
                format!("{login} has another password; sessions and links of theirs that were open are ended"),
                format!("{login} 的密码换了；原来的登录和链接都已失效"),
            )
        }
        AdminCommand::SignInOnce { cooperative, login } => {
            let token = granary.sign_in_once(CooperativeNumber(cooperative), &login, now)?;
            Ok(Answer::Text(format!("https://{public}/console/once/{token}").into()))
        }
        AdminCommand::MakeToken { cooperative, role, name } => {
            let (device, token) = granary.make_token(CooperativeNumber(cooperative), role, &name, now)?;
            let address = format!("wss://{public}/automerge?token={token}");
            text(
                format!("{address}\n{device} is known by it, until it is revoked"),
                format!("{address}\n{device} 凭它连接，直到被停用"),
            )
        }
        AdminCommand::Documents { cooperative } => {
            let cooperative = granary.cooperative(CooperativeNumber(cooperative))?;
            let line = |key: &DocumentKey| format!("{}  {key}", key.id(cooperative.id()).automerge_url());
            Ok(Answer::Text(cooperative.documents().iter().map(line).collect::<Vec<_>>().join("\n").into()))
        }
        AdminCommand::TakeOrders { cooperative, files, shop, profile } => {
            let how = (shop.as_str(), profile.as_deref());
            Ok(Answer::Text(orders::take(granary, CooperativeNumber(cooperative), &files, how, now)?))
        }
        AdminCommand::BackUp { to, keep } => Ok(Answer::Text(granary.back_up(folder, &to, keep, now)?.sentence(&to))),
        AdminCommand::Export { cooperative, to } => {
            let count = granary.export(CooperativeNumber(cooperative), &to)?;
            text(
                format!("{} in {}", counted(count, "document is", "documents are"), to.display()),
                format!("{} 里有 {count} 份文档", to.display()),
            )
        }
        AdminCommand::Import { from, name } => {
            let (number, count) = granary.import(&from, &name, now)?;
            text(
                format!(
                    "co-operative {} has {}; make its coordinator with `granary coordinator add`",
                    number.0,
                    counted(count, "document", "documents")
                ),
                format!("合作社 {} 有 {count} 份文档；请用 `granary coordinator add` 添加它的协调员", number.0),
            )
        }
        AdminCommand::Check => {
            let found = granary.verify()?;
            // A script that runs this must notice.
            Ok(if found.is_clean() { Answer::Text(report(&found)) } else { Answer::Failed(report(&found)) })
        }
        AdminCommand::EraseHousehold { cooperative, household, with_books, yes } => {
            erase(CooperativeNumber(cooperative), &Erasable::Household { id: household, with_books }, yes)
        }
        AdminCommand::EraseBuyer { cooperative, platform, shop, order, yes } => {
            let name = OrderName { platform, shop, outside_id: order };
            erase(CooperativeNumber(cooperative), &Erasable::Receiver(name), yes)
        }
        AdminCommand::Revoke { cooperative, device, erase } => {
            let names = if erase { Names::Erased } else { Names::Kept };
            granary.revoke_with(Principal::Operator, CooperativeNumber(cooperative), device, names, now)?;
            let revoked = Said::new(
                format!("{device} is revoked; what it sent before stays"),
                format!("{device} 已停用；它以前发送的都留着"),
            );
            let gone = if erase { Some(erasure::names_gone()) } else { None };
            Ok(Answer::Text(Said::lines(std::iter::once(revoked).chain(gone))))
        }
    }
}

fn text(english: impl Into<String>, chinese: impl Into<String>) -> Result<Answer, Error> {
    Ok(Answer::Text(Said::new(english, chinese)))
}

/// What a device has used of its share of the disk.
fn share_of(granary: &Granary, coop: &Cooperative, device: DeviceId, now: Instant) -> Said {
    let (today, all) = granary.used_by_device(coop, device, now);
    let used = match granary.has_used_share(coop, device, now) {
        true => (", ITS SHARE OF THE DISK IS USED", "，它的磁盘份额用完了"),
        false => ("", ""),
    };
    let (today, all) = (today / 1000, all / 1000);
    Said::new(
        format!("{all} kB on the disk, {today} kB of them today{}", used.0),
        format!("占磁盘 {all} kB，其中今天 {today} kB{}", used.1),
    )
}

const WHOSE_PHONE: Phrase = Phrase::new(
    "whose-phone",
    "a coordinator's phone is somebody's: name the account with --for LOGIN; `granary coordinator add` makes one",
    "协调员的手机是某个人的：请用 --for LOGIN 说明账号；`granary coordinator add` 添加账号",
);
const ONLY_RECORDERS: Phrase = Phrase::new(
    "only-recorders",
    "only a recorder has villages: give `recorder` as its one role",
    "只有记录员才有负责的村：请把身份写成 recorder，而且只写这一个",
);
