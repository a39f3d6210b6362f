//! Lists and the status, as the terminal phone prints them, and questions.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Read, Write};

use granary_client_core::phone::{Phone, Status};
use granary_client_core::plausibility::Unusual;
use granary_client_core::projection::{LotFilter, LotRow, LotState, QuestionFilter, QuestionState};
use granary_client_core::quantities::typed::{WeightUnit, unit_of};
use granary_client_core::quantities::{Grams, one_line};
use granary_client_core::schema::CardNumber;
use granary_client_core::words::{Language, Phrase, Words};

use super::names::{self, Products};
use super::phrases::{HAS_RECEIPT, RECEIVE_AGAIN, RECORD};
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

/// Asks the person about what is unusual, in the unit of the weight that they typed. Fails unless they say yes; without a
/// terminal to ask on, it fails at once.
pub(super) fn confirm(unusual: Vec<Unusual>, typed: Option<&str>) -> Result<(), Error> {
    if unusual.is_empty() {
        return Ok(());
    }
    let unit = typed.and_then(unit_of).unwrap_or(WeightUnit::Kilogram);
    if std::io::stdin().is_terminal() {
        unusual.iter().for_each(|unusual| eprintln!("{}", unusual.words_in(language(), unit)));
        if says_yes(&RECORD) {
            return Ok(());
        }
    }
    Err(Error::Unusual { unusual, unit })
}

/// Asks whether a lot that has a receipt gets another one. Fails as [`confirm`] does.
pub(super) fn confirm_another_receipt(row: &LotRow) -> Result<(), Error> {
    let weighed = row.weighed_grams.and_then(|grams| Grams::new(grams).ok());
    warn(&Says::HasReceipt { weighed, grade: &row.weighed_grade, reason: &row.reason, day: row.weighed_day });
    let is_confirmed = std::io::stdin().is_terminal() && says_yes(&RECEIVE_AGAIN);
    if is_confirmed { Ok(()) } else { Err(Error::NotDone(HAS_RECEIPT)) }
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
    let (damaged, marked, waits, former) = match language {
        Language::Chinese => ("损坏", "  （两部手机同时改过）", "  （等着发送）", "  （原来那一户的）"),
        Language::English => {
            ("damaged", "  (edited on two phones at once)", "  (waits to be sent)", "  (of the former household)")
        }
    };
    let rows = phone.lots(filter)?;
    let products = Products::of(phone, language)?;
    let unsent = if rows.is_empty() { BTreeSet::new() } else { phone.unsent_lots()? };
    let (own, device) = (phone.household(), phone.device());
    let (here, elsewhere) = match language {
        Language::Chinese => ("  （这部手机登记）", "  （别的手机登记）"),
        Language::English => ("  (recorded on this phone)", "  (recorded on another phone)"),
    };
    for row in &rows {
        let is_here = row.lot.recorded_by() == device;
        // Of a household's phone what others recorded for it stands out; of a recorder's, what it recorded itself.
        let (whose, by) = match own {
            Some(own) if own == row.household => (String::new(), if is_here { "" } else { elsewhere }),
            _ => (format!("  {}", one_line(&row.household_name).collect::<String>()), if is_here { here } else { "" }),
        };
        let grams = row.grams.and_then(|grams| Grams::new(grams).ok());
        let grams = grams.map_or_else(|| damaged.to_owned(), |grams| weight(grams, language));
        let day = row.day.map_or_else(|| damaged.to_owned(), |day| day.to_string());
        let mark = if row.in_conflict || row.receipt_in_conflict { marked } else { "" };
        let held = row.held.map(|reason| match language {
            Language::Chinese => format!("  （没有收下：{}）", reason.chinese()),
            Language::English => format!("  (NOT TAKEN IN: {reason})"),
        });
        let former = if own.is_some_and(|own| own != row.household) { former } else { "" };
        let sent = if unsent.contains(&row.lot) { waits } else { "" };
        let (state, product, held) =
            (state_in(language, row.state), products.name(&row.product), held.unwrap_or_default());
        println!("{day}  {product}  {grams}  {state}  {}{whose}{by}{former}{mark}{sent}{held}", row.lot);
    }
    let all = phone.count_lots(filter)?;
    if rows.is_empty() {
        warn(if phone.device().is_some() { &Says::NoLots } else { &Says::BelongsToNobody });
    } else if all > rows.len() as u64 {
        warn(&Says::More { shown: rows.len(), all });
    }
    Ok(())
}

/// Prints for whom this phone may record, by village and name, with the numbers of their cards.
pub(super) fn households(phone: &Phone, search: &str) -> Result<(), Error> {
    let plain = |text: &str| one_line(text).collect::<String>();
    let villages = phone.cooperative()?.unwrap_or_default().villages;
    let village =
        |code: &str| villages.iter().find(|(known, _)| known == code).map_or(code, |(_, name)| name).to_owned();
    let people = phone.people(search)?;
    for one in &people {
        println!("{}  {}  {}", CardNumber::of(one.household), plain(&one.name), plain(&village(&one.village)));
    }
    if people.is_empty() {
        warn(&Says::NoHouseholds);
    }
    Ok(())
}

/// Prints what is asked about lots: what waits for an answer, or all.
pub(super) fn questions(phone: &Phone, all: bool) -> Result<(), Error> {
    let plain = |text: &str| one_line(text).collect::<String>();
    let language = language();
    let state = (!all).then_some(QuestionState::Open);
    let rows = phone.questions(&QuestionFilter { state, limit: u32::MAX, ..QuestionFilter::default() })?;
    let products = Products::of(phone, language)?;
    for row in &rows {
        let grams = row.grams.and_then(|grams| Grams::new(grams).ok()).map(|grams| weight(grams, language));
        let day = row.day.map(|day| day.to_string());
        let product = (!row.product.is_empty()).then(|| products.name(&row.product).to_owned());
        let lot: Vec<String> = [day, product, grams, Some(row.lot.to_string())].into_iter().flatten().collect();
        println!("{}  {}", row.question, lot.join("  "));
        println!("  {}  ({}, {})", plain(&row.text), plain(&row.by), row.at.in_china());
        for answer in &row.answers {
            println!("  → {}", plain(&answer.value));
        }
    }
    if rows.is_empty() {
        warn(&Says::NoQuestions);
    }
    Ok(())
}

/// Prints the status.
pub(super) fn show(phone: &Phone) -> Result<(), Error> {
    let status: Status = phone.status();
    match phone.cooperative_name() {
        Some(cooperative) => {
            let roles = phone.grants().roles;
            let given = roles.iter().filter(|role| !role.is_derived());
            let roles: Vec<String> =
                given.map(|role| names::role(phone, role, language())).collect::<Result<_, _>>()?;
            let between = if language() == Language::Chinese { "、" } else { ", " };
            let (roles, is_revoked) = (roles.join(between), status.revoked);
            say(&Says::Belongs { cooperative: &cooperative, roles: &roles, is_revoked });
        }
        None => say(&Says::BelongsToNobody),
    }
    let open = QuestionFilter { state: Some(QuestionState::Open), ..QuestionFilter::default() };
    let questions = if phone.household().is_some() { phone.count_questions(&open)? } else { 0 };
    if questions > 0 {
        say(&Says::Asked { questions });
    }
    say(&Says::Waiting { changes: status.unsent, is_revoked: status.revoked });
    if let Some(reason) = status.held_back {
        say(&Says::HeldBack { sentence: &reason.words(language()) });
    }
    if status.undelivered > 0 {
        say(&Says::NotTakenIn { changes: status.undelivered });
    }
    say(&Says::LastSync { at: status.last_success });
    say(&Says::Traffic { up: status.bytes_up, down: status.bytes_down });
    if let Some(error) = &status.last_error {
        say(&Says::LastError { sentence: &error.words(language()) });
    }
    if let Some(shown) = phone.wrong_date() {
        say(&Says::WrongDate { shown, today: phone.today() });
    }
    for notice in &status.quarantined {
        say(&Says::QuarantinedBecause { sentence: &notice.words(language()) });
    }
    for file in phone.set_aside()? {
        say(&Says::SetAsideFile { file: &file });
    }
    Ok(())
}
