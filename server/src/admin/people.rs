//! The operator's lists of coordinators and invitations.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::words::{Words, counted};

use crate::access::{CoordinatorLine, Denied, InvitationLine, InvitationState, NamedDevice};
use crate::log::DeviceRecord;
use crate::said::Said;

/// A line for each coordinator, then the coordinators' phones that belong to nobody.
pub(super) fn coordinators((lines, of_nobody): &(Vec<CoordinatorLine>, Vec<NamedDevice>)) -> Said {
    let mut text: Vec<Said> = lines.iter().map(coordinator).collect();
    if lines.is_empty() {
        text.push(Said::new(
            "there is no coordinator's account; make one with `granary coordinator add`",
            "还没有协调员账号；请用 `granary coordinator add` 添加",
        ));
    }
    text.extend(phones_of_nobody(of_nobody));
    Said::lines(text)
}

fn coordinator(line: &CoordinatorLine) -> Said {
    let standing = line.denied.map_or(Said::new("active", "有效"), not_active);
    let phones: Vec<String> = line.phones.iter().map(|(id, name)| format!("{name} {id}")).collect();
    let phones = match phones.is_empty() {
        true => Said::new("no phone", "没有手机"),
        false => Said::new(format!("phones: {}", phones.join(", ")), format!("手机：{}", phones.join("、"))),
    };
    let second = if line.has_second { ("  second factor", "  双重验证") } else { ("", "") };
    let (login, device, name) = (&line.login, line.device, &line.name);
    Said::new(
        format!("{login}  {device}  {standing}{}  {name}  {phones}", second.0),
        format!("{login}  {device}  {}{}  {name}  {}", standing.chinese(), second.1, phones.chinese()),
    )
}

/// Why an account does not act. It is no phone.
fn not_active(denied: Denied) -> Said {
    match denied {
        Denied::Unknown => Said::new("not active (nothing is known of it)", "无效（没有它的资料）"),
        Denied::Revoked => Said::new("not active (this account was revoked)", "无效（账号已停用）"),
        Denied::Ended => Said::new("not active (its access was ended)", "无效（权限已结束）"),
        Denied::NotACoordinator => Said::new("not active (it is no coordinator's now)", "无效（已不是协调员）"),
    }
}

/// The coordinators' phones that belong to no account, with what to do about them.
pub(super) fn phones_of_nobody(phones: &[NamedDevice]) -> Vec<Said> {
    if phones.is_empty() {
        return Vec::new();
    }
    let mut text = vec![Said::new(
        "coordinators' phones that belong to no account; `granary revoke` those that must end:",
        "不属于任何账号的协调员手机；应当停用的请用 `granary revoke`：",
    )];
    text.extend(phones.iter().map(|(id, name)| Said::from(format!("  {id}  {name}"))));
    text
}

/// A line for each invitation: the open ones, or all.
pub(super) fn invitations(lines: &[InvitationLine], all: bool) -> Said {
    let shown = lines.iter().filter(|line| all || line.state == InvitationState::Open);
    let text: Vec<Said> = shown.map(invitation).collect();
    match (text.is_empty(), all) {
        (false, _) => Said::lines(text),
        (true, false) => Said::new("no invitation is open; --all shows the others", "没有未用的邀请；--all 显示其余的"),
        (true, true) => Said::new("no invitation was made yet", "还没有发过邀请"),
    }
}

fn invitation(line: &InvitationLine) -> Said {
    let (id, made, until) = (&line.id, Instant(line.made_millis), Instant(line.expires_millis));
    let state = match line.state {
        InvitationState::Open => "未用",
        InvitationState::Used => "已用",
        InvitationState::Expired => "已过期",
        InvitationState::Withdrawn => "已收回",
        InvitationState::Void => "已作废",
    };
    let person = line
        .person
        .as_ref()
        .map_or((String::new(), String::new()), |person| (format!(" of {person}"), format!("（{person}）")));
    let used = line.used.as_ref().map_or((String::new(), String::new()), |(device, at)| {
        (format!(" by {device} at {}", Instant(*at)), format!("，{device}，{}", Instant(*at).in_china()))
    });
    Said::new(
        format!(
            "{id}  {}{}  {}{}  made by {} at {made}, until {until}",
            line.state.name(),
            used.0,
            role_of(line),
            person.0,
            line.by
        ),
        format!(
            "{id}  {state}{}  {}{}  {} 发于 {}，有效到 {}",
            used.1,
            role_of(line).chinese(),
            person.1,
            line.by,
            made.in_china(),
            until.in_china()
        ),
    )
}

/// What a device may do, a recorder with its villages and how many households are in them.
pub(super) fn roles(record: &DeviceRecord, households: usize) -> Said {
    let grants = record.grants_now();
    let villages = || record.recorder.villages.iter().cloned().collect::<Vec<_>>().join(",");
    let words = grants.roles.iter().filter(|role| !role.is_derived()).map(|role| match role {
        Role::Recorder => Said::new(
            format!("recorder of {} ({})", villages(), counted(households, "household", "households")),
            format!("{}的记录员（{households} 户）", villages()),
        ),
        role => Said::new(role.to_string(), role.chinese()),
    });
    let words: Vec<Said> = words.collect();
    let joined = |word: &dyn Fn(&Said) -> String| words.iter().map(word).collect::<Vec<_>>().join("+");
    Said::new(joined(&Said::to_string), joined(&|word| word.chinese()))
}

/// For whom an invitation is, with the villages of a recorder.
fn role_of(line: &InvitationLine) -> Said {
    match line.villages.as_slice() {
        [] => Said::new(line.role.to_string(), line.role.chinese()),
        villages => Said::new(
            format!("{} of {}", line.role, villages.join(",")),
            format!("{}的{}", villages.join(","), line.role.chinese()),
        ),
    }
}
