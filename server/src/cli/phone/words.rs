//! What the terminal phone says, in both languages. Errors have their own sentences.

mod chinese;
mod english;

use std::path::Path;

use granary_client_core::quantities::{Day, Grams, Instant};
use granary_client_core::words::Language;

/// See the module.
pub(super) enum Says<'a> {
    /// Shown with every command of a phone that was revoked.
    TakenOut,
    StartedAnew,
    NothingLost,
    WhomOneJoins {
        server: &'a str,
        cooperative: &'a str,
        role: &'a str,
    },
    Joined {
        cooperative: &'a str,
        waiting: u64,
    },
    OtherHousehold,
    Recorded {
        lot: &'a str,
        typed: &'a str,
        grams: Grams,
        product: &'a str,
        day: Day,
    },
    RecordedFor {
        household: &'a str,
    },
    NoHouseholds,
    Corrected {
        lot: &'a str,
        weight: Option<(&'a str, Grams)>,
    },
    Received {
        lot: &'a str,
        typed: &'a str,
        grams: Grams,
        grade: &'a str,
        product: &'a str,
        day: Day,
        recorded: Option<Grams>,
    },
    SentBack {
        lot: &'a str,
        product: &'a str,
        reason: &'a str,
    },
    HasReceipt {
        weighed: Option<Grams>,
        grade: &'a str,
        reason: &'a str,
        day: Option<Day>,
    },
    More {
        shown: usize,
        all: u64,
    },
    NoLots,
    NoQuestions,
    Asked {
        questions: u64,
    },
    Answered {
        waiting: u64,
    },
    Forgotten {
        documents: usize,
    },
    Erased {
        documents: usize,
    },
    NothingToCarry,
    CarriedOut {
        file: &'a Path,
        changes: u64,
        is_revoked: bool,
    },
    HandedIn {
        file: &'a Path,
    },
    Exported {
        file: &'a Path,
        lots: u64,
    },
    Alone {
        unsent: u64,
        undelivered: u64,
        is_revoked: bool,
    },
    Left {
        cooperative: &'a str,
    },
    TakenBack {
        file: &'a Path,
    },
    LeftAside {
        file: &'a Path,
    },
    Unreadable {
        file: &'a Path,
    },
    NothingSetAside,
    NothingTakenBack,
    Recovered {
        changes: u64,
        unsent: u64,
    },
    Belongs {
        cooperative: &'a str,
        roles: &'a str,
        is_revoked: bool,
    },
    BelongsToNobody,
    Waiting {
        changes: u64,
        is_revoked: bool,
    },
    HeldBack {
        sentence: &'a str,
    },
    NotTakenIn {
        changes: u64,
    },
    LastSync {
        at: Option<Instant>,
    },
    Traffic {
        up: u64,
        down: u64,
    },
    LastError {
        sentence: &'a str,
    },
    WrongDate {
        shown: Day,
        today: Day,
    },
    QuarantinedBecause {
        sentence: &'a str,
    },
    SetAsideFile {
        file: &'a Path,
    },
    Arrived {
        documents: usize,
    },
}

/// A weight with its unit in a language.
pub(super) fn weight(grams: Grams, language: Language) -> String {
    match language {
        Language::Chinese => grams.to_string().replace(" kg", " 公斤"),
        Language::English => grams.to_string(),
    }
}

/// What was typed, where that says something that the weight does not.
fn as_typed(typed: &str, grams: Grams, language: Language) -> String {
    let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let shown = weight(grams, language);
    match plain(typed) == plain(&shown) {
        true => shown,
        false => match language {
            Language::Chinese => format!("{shown}（您写的是 {typed}）"),
            Language::English => format!("{shown} (you typed {typed})"),
        },
    }
}
