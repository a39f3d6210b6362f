//! The operator's lists of coordinators and invitations, as text.

use granary_client_core::quantities::Instant;

use crate::access::{CoordinatorLine, InvitationLine, InvitationState, NamedDevice};

/// A line for each coordinator, then the coordinators' phones that belong to nobody.
pub(super) fn coordinators((lines, of_nobody): &(Vec<CoordinatorLine>, Vec<NamedDevice>)) -> String {
    let line = |line: &CoordinatorLine| {
        let standing = line.denied.map_or_else(|| "active".to_owned(), |denied| format!("not active ({denied})"));
        let phones: Vec<String> = line.phones.iter().map(|(id, name)| format!("{name} {id}")).collect();
        let phones = if phones.is_empty() { "no phone".to_owned() } else { format!("phones: {}", phones.join(", ")) };
        let second = if line.has_second { "  second factor" } else { "" };
        format!("{}  {}  {standing}{second}  {}  {phones}", line.login, line.device, line.name)
    };
    let mut text: Vec<String> = lines.iter().map(line).collect();
    if lines.is_empty() {
        text.push("there is no coordinator's account; make one with `granary coordinator add`".into());
    }
    text.extend(phones_of_nobody(of_nobody));
    text.join("\n")
}

/// The coordinators' phones that belong to no account, with what to do about them.
pub(super) fn phones_of_nobody(phones: &[NamedDevice]) -> Vec<String> {
    if phones.is_empty() {
        return Vec::new();
    }
    let mut text =
        vec!["coordinators' phones that belong to no account; `granary revoke` those that must end:".to_owned()];
    text.extend(phones.iter().map(|(id, name)| format!("  {id}  {name}")));
    text
}

/// A line for each invitation: the open ones, or all.
pub(super) fn invitations(lines: &[InvitationLine], all: bool) -> String {
    let shown = lines.iter().filter(|line| all || line.state == InvitationState::Open);
    let line = |line: &InvitationLine| {
        let person = line.person.as_ref().map(|person| format!(" of {person}")).unwrap_or_default();
        let used = line.used.as_ref();
        let used = used.map(|(device, at)| format!(" by {device} at {}", Instant(*at))).unwrap_or_default();
        format!(
            "{}  {}{used}  {}{person}  made by {} at {}, until {}",
            line.id,
            line.state.name(),
            line.role,
            line.by,
            Instant(line.made_millis),
            Instant(line.expires_millis)
        )
    };
    let text: Vec<String> = shown.map(line).collect();
    match (text.is_empty(), all) {
        (false, _) => text.join("\n"),
        (true, false) => "no invitation is open; --all shows the others".to_owned(),
        (true, true) => "no invitation was made yet".to_owned(),
    }
}
