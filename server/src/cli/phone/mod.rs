//! A phone for the terminal; it uses client-core as an app does.

mod arguments;
mod goods;
mod goods_words;
mod names;
pub(super) mod phrases;
mod show;
mod words;

use std::path::Path;
use std::sync::Arc;

use granary_client_core::error::Error as PhoneError;
use granary_client_core::phone::{Driver, ExportForm, Observer, Opening, Phone, Status, SyncState};
use granary_client_core::projection::{LotFilter, LotState};
use granary_client_core::quantities::typed::{self, WeightUnit};
use granary_client_core::quantities::{Day, Grams, Permille};
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::{LotDraft, LotEdit};
use granary_client_core::schema::receipt::Outcome;
use granary_client_core::words::{Language, Words};

use crate::config::{read_file, write_private};
use crate::error::Error;
use arguments::Command;
pub(super) use arguments::PhoneArguments;
use names::Products;
use show::{confirm, confirm_another_receipt, list, questions, say, says_yes, show, warn};
use words::Says;

pub(super) fn run(arguments: PhoneArguments) -> Result<(), Error> {
    let PhoneArguments { folder, command } = arguments;
    let opening = Opening { doing: command.words(), ..Opening::default() };
    let phone = Phone::open_as(&folder, &opening)?;
    for damage in phone.damage() {
        eprintln!("{}", damage.words(super::language()));
    }
    if phone.is_lost() && !matches!(command, Command::Recover | Command::StartAnew { .. }) {
        for file in phone.set_aside()? {
            warn(&Says::SetAsideFile { file: &file });
        }
        return Err(PhoneError::Lost.into());
    }
    if phone.status().revoked && command.tells_of_revocation() {
        warn(&Says::TakenOut);
    }
    match command {
        Command::Enrol { link, name, yes } => enrol(&phone, &link, &name, yes)?,
        Command::Record { product, weight, day, grade, moisture, place, note, household, yes } => {
            let day = day.unwrap_or_else(|| phone.today());
            let typed = weight.join(" ");
            let draft = LotDraft {
                product,
                quantity: typed_weight(&typed)?,
                grade,
                moisture: moisture.as_deref().map(typed_moisture).transpose()?,
                day,
                place,
                note,
                photos: Vec::new(),
            };
            let household = household.map(|name| phone.find_household(&name)).transpose()?;
            let household = phone.household_or(household)?;
            if !yes {
                confirm(phone.unusual(household, &draft)?, Some(&typed))?;
            }
            let lot = phone.record_of_day(household, &draft)?.to_string();
            let (grams, products) = (draft.quantity, Products::of(&phone, super::language())?);
            let product = products.name(&draft.product);
            say(&Says::Recorded { lot: &lot, typed: &typed, grams, product, day });
            if phone.household() != Some(household) {
                say(&Says::RecordedFor { household: &names::of_listed(&phone, household)? });
            }
        }
        Command::Households { search } => show::households(&phone, &search)?,
        Command::Correct { lot, weight, grade, day, moisture, place, product, note, yes } => {
            let lot = phone.find_lot(&lot)?;
            let grams = weight.as_deref().map(typed_weight).transpose()?;
            let moisture = moisture.as_deref().map(typed_moisture).transpose()?;
            let edits: Vec<LotEdit> = [
                product.map(LotEdit::Product),
                grams.map(LotEdit::Quantity),
                grade.map(LotEdit::Grade),
                moisture.map(LotEdit::Moisture),
                day.map(LotEdit::Day),
                place.map(LotEdit::Place),
                note.map(LotEdit::Note),
            ]
            .into_iter()
            .flatten()
            .collect();
            if edits.is_empty() {
                return Err(Error::NotDone(phrases::NOTHING_TO_CORRECT));
            }
            if !yes {
                confirm(phone.unusual_correction(&lot, &edits)?, weight.as_deref())?;
            }
            phone.correct(&lot, &edits)?;
            say(&Says::Corrected { lot: &lot.to_string(), weight: weight.as_deref().zip(grams) });
        }
        Command::Receive { lot, weight, grade, reject, day, yes } => {
            let receipt = Receipt { weight: weight.as_deref(), grade: grade.unwrap_or_default(), reject, day };
            receive(&phone, &lot, receipt, yes)?;
        }
        Command::List { product, day, from, to, state, all } => {
            let state = match state.as_deref() {
                None => None,
                Some(name) => Some(LotState::from_name(name).ok_or(Error::NotDone(phrases::NO_STATE))?),
            };
            let limit = if all { u32::MAX } else { 0 };
            list(
                &phone,
                &LotFilter { product, from: day.or(from), to: day.or(to), state, limit, ..LotFilter::default() },
            )?;
        }
        Command::Questions { all } => questions(&phone, all)?,
        Command::Answer { question, text } => {
            phone.answer(question, &text.join(" "))?;
            say(&Says::Answered { waiting: phone.status().unsent });
        }
        Command::Goods(command) => goods::run(&phone, command)?,
        Command::Sync => {
            let synced = phone.sync_now();
            if phone.status().revoked {
                warn(&Says::TakenOut);
            }
            let summary = synced?;
            let erased = summary.received.erased.len();
            let forgotten = summary.received.forgotten.len().saturating_sub(erased);
            if forgotten > 0 {
                say(&Says::Forgotten { documents: forgotten });
            }
            if erased > 0 {
                say(&Says::Erased { documents: erased });
            }
            show(&phone)?;
        }
        Command::CarryOut { to } => {
            let status = phone.status();
            // What was set aside is in the file only where this phone can't sync.
            let changes = if status.revoked { alone(&status) } else { status.unsent };
            let file = phone.export_outbox()?;
            if changes == 0 {
                say(&Says::NothingToCarry);
                return Ok(());
            }
            write_private(&to, &file)?;
            say(&Says::CarriedOut { file: &to, changes, is_revoked: status.revoked });
        }
        Command::HandIn { from } => {
            phone.import_outbox_file(&read_file(&from)?)?;
            say(&Says::HandedIn { file: &from });
        }
        Command::Export { to } => export(&phone, &to)?,
        Command::Leave { export_to, yes } => leave(&phone, &export_to, yes)?,
        Command::Recover => recover(&phone)?,
        Command::StartAnew { yes } => start_anew(&phone, yes)?,
        Command::Status => show(&phone)?,
        Command::Watch => watch(phone)?,
    }
    Ok(())
}

/// A receipt as it was typed.
struct Receipt<'a> {
    weight: Option<&'a str>,
    grade: String,
    /// Why the lot is sent back.
    reject: Option<String>,
    day: Option<Day>,
}

/// Weighs a lot in, or sends it back. Asks about what is unusual, and before it replaces a receipt.
fn receive(phone: &Phone, name: &str, receipt: Receipt<'_>, yes: bool) -> Result<(), Error> {
    let Receipt { weight, grade, reject, day } = receipt;
    let lot = phone.find_lot(name)?;
    let day = day.unwrap_or_else(|| phone.today());
    let outcome = match (reject, weight) {
        (Some(reason), _) => Outcome::Rejected { reason },
        (None, Some(weight)) => Outcome::Received { weighed: typed_weight(weight)?, grade },
        (None, None) => return Err(Error::NotDone(phrases::NOTHING_WEIGHED)),
    };
    let filter = LotFilter { lot: Some(lot.clone()), with_merged: true, ..LotFilter::default() };
    let row = phone.lots(&filter)?.into_iter().next().ok_or_else(|| PhoneError::NoSuchLot(lot.to_string()))?;
    if !yes {
        if row.state != LotState::Recorded {
            confirm_another_receipt(&row)?;
        }
        confirm(phone.unusual_receipt(&lot, &outcome, day)?, weight)?;
    }
    phone.receive(&lot, &outcome, day)?;
    let (lot, products) = (lot.to_string(), Products::of(phone, super::language())?);
    let product = products.name(&row.product);
    match &outcome {
        Outcome::Received { weighed, grade } => {
            let typed = weight.unwrap_or_default();
            let recorded = row.grams.and_then(|grams| Grams::new(grams).ok());
            say(&Says::Received { lot: &lot, typed, grams: *weighed, grade: grade.trim(), product, day, recorded });
        }
        Outcome::Rejected { reason } => say(&Says::SentBack { lot: &lot, product, reason: reason.trim() }),
    }
    Ok(())
}

/// Joins. Shows a person first whom she joins, and asks.
fn enrol(phone: &Phone, link: &str, name: &str, yes: bool) -> Result<(), Error> {
    if (phone.device().is_none() || phone.status().revoked) && !yes {
        let invitation = phone.look_at_invitation(link)?;
        let (server, cooperative) = (invitation.server.as_str(), invitation.cooperative_name.as_str());
        let language = super::language();
        // A household is named by its name, not by its id.
        let role = match (invitation.role, invitation.whose.as_str()) {
            (role, "") => role.words(language),
            (Role::Household(_), name) => names::household_named(name, language),
            (role, name) => match language {
                Language::Chinese => format!("{}（{name}）", role.words(language)),
                Language::English => format!("{role} ({name})"),
            },
        };
        say(&Says::WhomOneJoins { server, cooperative, role: &role });
        if !says_yes(&phrases::JOIN) {
            return Err(Error::NotDone(phrases::NOT_JOINED));
        }
    }
    let before = phone.household();
    phone.enrol(link, name)?;
    let cooperative = phone.cooperative_name().unwrap_or_default();
    say(&Says::Joined { cooperative: &cooperative, waiting: phone.status().unsent });
    if before.is_some() && phone.household() != before {
        say(&Says::OtherHousehold);
    }
    Ok(())
}

fn export(phone: &Phone, to: &Path) -> Result<(), Error> {
    let is_json = to.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let form = if is_json { ExportForm::Json } else { ExportForm::Csv };
    write_private(to, phone.export_lots(form)?.as_bytes())?;
    let lots = phone.count_lots(&LotFilter { with_merged: true, ..LotFilter::default() })?;
    say(&Says::Exported { file: to, lots });
    Ok(())
}

/// Leaves the co-operative. Asks when the server lacks work of this phone.
fn leave(phone: &Phone, to: &Path, yes: bool) -> Result<(), Error> {
    export(phone, to)?;
    let status = phone.status();
    if alone(&status) > 0 && !yes {
        let Status { unsent, undelivered, revoked, .. } = status;
        say(&Says::Alone { unsent, undelivered, is_revoked: revoked });
        if !says_yes(&phrases::LEAVE) {
            return Err(Error::NotDone(phrases::NOT_LEFT));
        }
    }
    let cooperative = phone.cooperative_name().unwrap_or_default();
    phone.leave(true)?;
    say(&Says::Left { cooperative: &cooperative });
    Ok(())
}

/// Changes that the server does not have, or did not take in.
fn alone(status: &Status) -> u64 {
    status.unsent.saturating_add(status.undelivered)
}

fn recover(phone: &Phone) -> Result<(), Error> {
    let recovered = phone.recover()?;
    recovered.files.iter().for_each(|file| say(&Says::TakenBack { file }));
    recovered.unreadable.iter().for_each(|file| say(&Says::Unreadable { file }));
    recovered.left.iter().for_each(|file| say(&Says::LeftAside { file }));
    match (recovered.files.is_empty(), recovered.left.is_empty() && recovered.unreadable.is_empty()) {
        (true, true) => say(&Says::NothingSetAside),
        (true, false) => say(&Says::NothingTakenBack),
        (false, _) => say(&Says::Recovered { changes: recovered.changes, unsent: recovered.unsent }),
    }
    if phone.is_lost() {
        return Err(PhoneError::Lost.into());
    }
    Ok(())
}

fn start_anew(phone: &Phone, yes: bool) -> Result<(), Error> {
    if !phone.is_lost() {
        say(&Says::NothingLost);
        return Ok(());
    }
    if !yes && !says_yes(&phrases::GIVE_UP) {
        return Err(Error::NotDone(phrases::NOT_GIVEN_UP));
    }
    phone.start_anew()?;
    say(&Says::StartedAnew);
    Ok(())
}

fn typed_weight(text: &str) -> Result<Grams, Error> {
    typed::weight(text, WeightUnit::Gram).map_err(|fault| Error::Typed { field: "weight", fault })
}

fn typed_moisture(text: &str) -> Result<Permille, Error> {
    typed::moisture(text).map_err(|fault| Error::Typed { field: "moisture", fault })
}

struct Shown(Arc<Phone>);

impl Observer for Shown {
    fn status_changed(&self, status: Status) {
        if let Some(error) = status.last_error.filter(|_| status.state != SyncState::Syncing) {
            eprintln!("{}", error.words(super::language()));
        }
    }

    fn documents_changed(&self, documents: Vec<DocumentKey>) {
        say(&Says::Arrived { documents: documents.len() });
        if let Err(error) = list(&self.0, &LotFilter { limit: 5, ..LotFilter::default() }) {
            eprintln!("{}", super::sentence(&error, super::language()));
        }
    }
}

/// Runs until interrupted; the driver syncs when the server nudges.
fn watch(phone: Arc<Phone>) -> Result<(), Error> {
    let _driver = Driver::start(Arc::clone(&phone), Arc::new(Shown(Arc::clone(&phone))))?;
    loop {
        std::thread::park();
    }
}
