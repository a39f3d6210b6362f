//! Forms: read within limits, parsed field by field. A form carries what its author saw (`was:FIELD`), and only what differs from
//! that is hers: whatever else came meanwhile stays.

use axum::body::Body;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::typed::{self, TypedFault, WeightUnit};
use granary_client_core::quantities::{Day, Fen, Grams, Instant, Permille, TextField, checked_text, with_plain_lines};
use granary_client_core::words::Words;
use http_body_util::BodyExt;

use super::i18n::{Locale, grouped};
use super::refusal::{Refused, refuse, refused, refused_with, unreadable, wrong};
use crate::error::Error;
use crate::http::{Gate, Origin, read_body};

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 320 * 1024;
/// A refused form is given up after this long.
const DISCARD_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// Fields in a form at most.
const FIELDS_MAX: usize = 2_000;

/// The fields of a form.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form within the limits of size, time and memory that hold for all bodies.
    pub(super) async fn read(locale: Locale, gate: &Gate, from: Origin, body: Body) -> Result<Self, Refused> {
        let (bytes, _held) = read_body(gate, from, body, FORM_BYTES_MAX).await.map_err(|error| match &error {
            Error::Refused { kind: ProblemKind::TooLarge, .. } => refused(locale, 413, "form-too-large"),
            other => refuse(locale, other),
        })?;
        let pairs = form_pairs(&bytes);
        if pairs.len() > FIELDS_MAX {
            return Err(refused(locale, 413, "form-too-large"));
        }
        Ok(Self { fields: pairs })
    }

    /// The fields of a body, which was within the limits before.
    pub(super) fn parse(body: &str) -> Self {
        Self { fields: form_pairs(body.as_bytes()) }
    }

    /// A field's text; empty when the field is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    /// True for a field that the form has, empty or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// All fields, to send them again.
    pub(super) fn everything(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Fields whose names begin with `prefix`, with the rest of their names.
    pub(super) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.fields.iter().filter_map(move |(field, value)| Some((field.strip_prefix(prefix)?, value.trim())))
    }

    /// A form with these fields, as if it had been sent.
    pub(super) fn of(fields: &[(&str, &str)]) -> Self {
        Self { fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
    }

    /// A field, parsed as its type.
    pub(super) fn parsed<T: std::str::FromStr<Err: Words>>(&self, locale: Locale, name: &str) -> Result<T, Refused> {
        self.get(name).parse().map_err(|fault| unreadable(locale, name, &fault))
    }

    /// What the author changed a field to; none for one that she left as it was shown. A page gives a text with line breaks back
    /// in another spelling; that is no change.
    pub(super) fn changed(&self, name: &str) -> Option<&str> {
        let (was, now) = (self.get(&was(name)), self.get(name));
        (self.has(name) && with_plain_lines(was) != with_plain_lines(now)).then_some(now)
    }

    /// Refuses a field that its author changed after somebody else had: she must have seen what she replaces. `present` holds the
    /// fields as a page would show them now.
    pub(super) fn must_be_as_seen(&self, locale: Locale, present: &[(&str, String)]) -> Result<(), Refused> {
        for (name, now) in present {
            let Some(typed) = self.changed(name).filter(|_| self.has(&was(name))) else { continue };
            let now_shown = with_plain_lines(now);
            if now_shown != with_plain_lines(self.get(&was(name))) && now_shown != with_plain_lines(typed) {
                let shown = if now.is_empty() { "—".to_owned() } else { now.clone() };
                return Err(refused_with(locale, 409, "changed-meanwhile", &[("now", shown)]).at(name).seen_anew());
            }
        }
        Ok(())
    }

    /// A field's text within its bounds.
    pub(super) fn text(&self, locale: Locale, name: &str, field: TextField) -> Result<String, Refused> {
        checked_text(field, self.get(name)).map_err(|fault| refuse(locale, &fault.into()).at(name))
    }

    /// As [`Self::text`], for a text that may be empty.
    pub(super) fn optional_text(&self, locale: Locale, name: &str, field: TextField) -> Result<String, Refused> {
        if self.get(name).is_empty() { Ok(String::new()) } else { self.text(locale, name, field) }
    }

    /// A day.
    pub(super) fn day(&self, locale: Locale, name: &str) -> Result<Day, Refused> {
        self.get(name).parse().map_err(|_| refused(locale, 400, "day-wrong").at(name))
    }

    /// A moment in China's time, as a browser sends it (`2026-11-11T20:00`), or with a blank between.
    pub(super) fn moment(&self, locale: Locale, name: &str) -> Result<Instant, Refused> {
        moment(self.get(name)).ok_or_else(|| refused(locale, 400, "moment-wrong").at(name))
    }

    /// An amount of money, in yuan where it says nothing else.
    pub(super) fn money(&self, locale: Locale, name: &str) -> Result<Fen, Refused> {
        typed::money(self.get(name)).map_err(|fault| wrong(locale, "price", &fault).at(name))
    }

    /// A whole number within these bounds.
    pub(super) fn whole(&self, locale: Locale, name: &str, least: u32, most: u32) -> Result<u32, Refused> {
        let typed = typed::plain(self.get(name)).replace(',', "");
        let number = typed.parse().ok().filter(|number| (least..=most).contains(number));
        let values = [("least", grouped(u64::from(least))), ("most", grouped(u64::from(most)))];
        number.ok_or_else(|| refused_with(locale, 400, "whole-wrong", &values).at(name))
    }

    /// A weight, in kilograms where it says no unit.
    pub(super) fn weight(&self, locale: Locale, name: &str) -> Result<Grams, Refused> {
        weight(locale, self.get(name)).map_err(|refused| refused.at(name))
    }
}

/// The hidden field with what the author saw of a field.
pub(super) fn was(name: &str) -> String {
    format!("was:{name}")
}

/// Takes a refused form to its end and keeps nothing of it: an answer before the form's end can break an HTTP/2 stream, and
/// then nobody reads the answer. One that is too long or too slow is given up.
pub(super) async fn discard(mut body: Body) {
    let taking = async {
        let mut length = 0usize;
        while let Some(Ok(frame)) = body.frame().await {
            length = length.saturating_add(frame.data_ref().map_or(0, |bytes| bytes.len()));
            if length > FORM_BYTES_MAX {
                return;
            }
        }
    };
    // Given up or not, the answer is the same.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, taking).await;
}

/// True for a valid code of a product, promotion, village or place.
pub(crate) fn is_code(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A moment of China's time as a field has it; seconds that a browser adds are dropped.
pub(super) fn moment(text: &str) -> Option<Instant> {
    let (day, time) = text.trim().split_once(['T', ' '])?;
    let mut pieces = time.split(':');
    let (hour, minute) = (pieces.next()?.parse::<u64>().ok()?, pieces.next()?.parse::<u64>().ok()?);
    let is_time = hour < 24 && minute < 60 && pieces.next().is_none_or(|second| second.parse::<f32>().is_ok());
    let minutes = hour.saturating_mul(60).saturating_add(minute);
    let begins = day.parse::<Day>().ok()?.begins_in_china();
    is_time.then(|| begins.plus_millis(minutes.saturating_mul(60_000)))
}

/// A moment as a field has it.
pub(super) fn moment_text(at: Instant) -> String {
    at.in_china().replace(' ', "T")
}

/// A typed weight, in kilograms where it says no unit.
pub(super) fn weight(locale: Locale, text: &str) -> Result<Grams, Refused> {
    typed::weight(text, WeightUnit::Kilogram).map_err(|fault| wrong(locale, "weight", &fault))
}

/// A typed moisture, in percent where it says nothing else.
pub(super) fn moisture(locale: Locale, text: &str) -> Result<Permille, Refused> {
    typed::moisture(text).map_err(|fault| wrong(locale, "moisture-percent", &fault))
}

/// A typed price of a kilogram, in yuan where it says nothing else.
pub(super) fn price(locale: Locale, text: &str) -> Result<Fen, Refused> {
    typed::price_per_kilogram(text).map_err(|fault: TypedFault| wrong(locale, "price", &fault))
}

/// Browsers send every line break as `\r\n`, also in values that a page gave them with `\n`.
fn form_pairs(bytes: &[u8]) -> Vec<(String, String)> {
    // One more than may be, so that a form with too many is told without making all of them.
    let pairs = form_urlencoded::parse(bytes).take(FIELDS_MAX.saturating_add(1));
    pairs.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n"))).collect()
}

/// A text, percent-encoded for a query.
pub(super) fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The fields of a query that are given, as text.
pub(super) fn query_string(fields: &[(&str, &str)]) -> String {
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_is_read_as_browsers_and_people_write_it() {
        let evening = moment("2026-11-11T20:05").unwrap();
        assert_eq!((moment_text(evening).as_str(), evening.0 % 60_000), ("2026-11-11T20:05", 0));
        assert_eq!(moment("2026-11-11 20:05"), Some(evening));
        assert_eq!(moment("2026-11-11T20:05:30"), Some(evening));
        for wrong in
            ["", "20:05", "2026-11-11", "2026-11-11T24:00", "2026-13-11T20:05", "2026-11-11T20:60", "2026-11-11T20"]
        {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn form_returns_any_text(name in ".{0,12}", value in ".{0,40}") {
            let body = format!("{}={}", encode(&name), encode(&value));
            prop_assert_eq!(form_pairs(body.as_bytes()), vec![(name, value.replace("\r\n", "\n"))]);
        }

        #[test]
        fn form_reads_any_bytes(bytes: Vec<u8>) {
            let _ = form_pairs(&bytes);
        }
    }
}
