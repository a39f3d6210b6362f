//! Lists and the status, as the terminal phone prints them, and questions.

use std::io::{BufRead, IsTerminal, Read, Write};

use granary_client_core::phone::{Phone, Status};
use granary_client_core::plausibility::Unusual;
use granary_client_core::projection::{LotFilter, LotState};
use granary_client_core::quantities::Grams;
use granary_client_core::replica::reason_in;
use granary_client_core::words::{Language, Phrase, Words};

use super::phrases::RECORD;
use super::words::{Says, weight};
use crate::cli::language;
use crate::error::Error;

/// Says it on the standard output.
pub(super) fn say(says: &Says<'_>) {
    println!("{}", says.words(language()));
}

/// Says it on the standard error.
pub(super) fn warn(says: &Says<'_>) {
    eprintln!("{}", says.words(language()));
}

/// Asks; an answer that can't be read is none.
pub(super) fn says_yes(question: &Phrase) -> bool {
    // Not the standard's `print!`, which panics once the reader has gone.
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "{}", question.words(language())).and_then(|()| out.flush());
    let mut answer = String::new();
    let _ = std::io::stdin().lock().take(16).read_line(&mut answer);
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "是" | "对" | "好")
}

/// Asks the person about what is unusual. Fails unless they say yes; without a terminal to ask on, it fails at once.
pub(super) fn confirm(unusual: Vec<Unusual>) -> Result<(), Error> {
    if unusual.is_empty() {
        return Ok(());
    }
    if std::io::stdin().is_terminal() {
        unusual.iter().for_each(|unusual| eprintln!("{}", unusual.words(language())));
        if says_yes(&RECORD) {
            return Ok(());
        }
    }
    Err(Error::Unusual { unusual })
}

fn state_in(language: Language, state: LotState) -> &'static str {
    match (language, state) {
        (Language::English, state) => state.name(),
        (Language::Chinese, LotState::Recorded) => "已登记",
        (Language::Chinese, LotState::Received) => "已收货",
        (Language::Chinese, LotState::Rejected) => "已退回",
    }
}

/// Prints lots. Says so when there are more than were printed.
pub(super) fn list(phone: &Phone, filter: &LotFilter) -> Result<(), Error> {
    let language = language();
    let (damaged, marked, held_as) = match language {
        Language::Chinese => ("损坏", "  （两部手机同时改过）", "没有收下"),
        Language::English => ("damaged", "  (edited on two phones at once)", "NOT TAKEN IN"),
    };
    let rows = phone.lots(filter)?;
    for row in &rows {
        let grams = row.grams.and_then(|grams| Grams::new(grams).ok());
        let grams = grams.map_or_else(|| damaged.to_owned(), |grams| weight(grams, language));
        let day = row.day.map_or_else(|| damaged.to_owned(), |day| day.to_string());
        let mark = if row.in_conflict { marked } else { "" };
        let held = match row.held.as_str() {
            "" => String::new(),
            reason => format!("  ({held_as}: {})", reason_in(language, reason)),
        };
        let state = state_in(language, row.state);
        println!("{day}  {}  {grams}  {state}  {}{mark}{held}", row.product, row.lot);
    }
    let all = phone.count_lots(filter)?;
    if rows.is_empty() {
        warn(if phone.device().is_some() { &Says::NoLots } else { &Says::BelongsToNobody });
    } else if all > rows.len() as u64 {
        warn(&Says::More { shown: rows.len(), all });
    }
    Ok(())
}

/// Prints the status.
pub(super) fn show(phone: &Phone) -> Result<(), Error> {
    let status: Status = phone.status();
    match phone.cooperative_name() {
        Some(cooperative) => {
            let roles: Vec<String> = phone.grants().roles.iter().map(ToString::to_string).collect();
            let (roles, is_revoked) = (roles.join(", "), status.revoked);
            say(&Says::Belongs { cooperative: &cooperative, roles: &roles, is_revoked });
        }
        None => say(&Says::BelongsToNobody),
    }
    say(&Says::Waiting { changes: status.unsent, is_revoked: status.revoked });
    if let Some(reason) = status.held_back {
        say(&Says::HeldBack { sentence: &reason.words(language()) });
    }
    if status.undelivered > 0 {
        say(&Says::NotTakenIn { changes: status.undelivered });
    }
    let last = status.last_success.map(|at| at.to_string());
    say(&Says::LastSync { at: last.as_deref() });
    say(&Says::Traffic { up: status.bytes_up, down: status.bytes_down });
    if let Some(error) = &status.last_error {
        say(&Says::LastError { sentence: &error.words(language()) });
    }
    if let Some(shown) = phone.wrong_date() {
        say(&Says::WrongDate { shown, today: phone.today() });
    }
    for sentence in &status.quarantined {
        let (kind, reason) = sentence.split_once(": ").unwrap_or(("", sentence));
        let said = match kind {
            "" => reason_in(language(), reason),
            kind => format!("{kind}: {}", reason_in(language(), reason)),
        };
        say(&Says::QuarantinedBecause { sentence: &said });
    }
    for file in phone.set_aside()? {
        say(&Says::SetAsideFile { file: &file });
    }
    Ok(())
}
