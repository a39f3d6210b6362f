//! Receipts as people read them, and those that were written at once and disagree.

use granary_client_core::conflicts::Contender;
use granary_client_core::schema::receipt::{Outcome, Weighing};

use super::i18n::Locale;

/// A receipt for people: its outcome, weight and grade or reason, and its day.
pub(super) fn words(locale: Locale, text: &str) -> String {
    let Ok(Weighing { outcome, day }) = Weighing::parse(text) else { return text.to_owned() };
    let mut said = Vec::new();
    match outcome {
        Outcome::Received { weighed, grade } => {
            said.extend([locale.of("state", "received"), locale.weight(weighed.get())]);
            said.extend((!grade.is_empty()).then(|| format!("{} {grade}", locale.t("grade"))));
        }
        Outcome::Rejected { reason } => said.extend([locale.of("state", "rejected"), reason]),
    }
    said.extend(day.map(|day| day.to_string()));
    said.join(" · ")
}

/// The receipt that is shown among these, where it can be read.
pub(super) fn shown(values: &[Contender]) -> Option<Weighing> {
    Weighing::parse(&values.last()?.value).ok()
}
