//! Forms: read within limits, parsed field by field.

use axum::body::Body;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Grams;
use http_body_util::BodyExt;

use super::i18n::Locale;
use super::refusal::{Refused, refuse, refused};
use crate::error::Error;
use crate::http::{Gate, Origin, read_body};

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 256 * 1024;
/// A refused form is given up after this long.
const DISCARD_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// Fields in a form at most.
const FIELDS_MAX: usize = 2_000;

/// The fields of a form.
#[derive(Debug, Default)]
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

    /// Fields whose names begin with `prefix`, with the rest of their names.
    pub(super) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.fields.iter().filter_map(move |(field, value)| Some((field.strip_prefix(prefix)?, value.trim())))
    }

    /// A field, parsed as its type.
    pub(super) fn parsed<T: std::str::FromStr>(&self, locale: Locale, name: &str) -> Result<T, Refused> {
        self.get(name).parse().map_err(|_| refused(locale, 400, "form-field-wrong"))
    }

    /// A weight, typed in kilograms.
    pub(super) fn kilograms(&self, locale: Locale, name: &str) -> Result<Grams, Refused> {
        scaled(self.get(name), 3)
            .and_then(|grams| Grams::new(grams).ok())
            .ok_or_else(|| refused(locale, 400, "weight-wrong"))
    }
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

/// True for a valid code of a product or promotion.
pub(super) fn is_code(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A typed decimal number, times ten to the power of `places`; none when it is no number or has more places.
pub(super) fn scaled(text: &str, places: usize) -> Option<i64> {
    let text = text.trim().replace(',', "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || fraction.len() > places || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

fn form_pairs(bytes: &[u8]) -> Vec<(String, String)> {
    // One more than may be, so that a form with too many is told without making all of them.
    form_urlencoded::parse(bytes).into_owned().take(FIELDS_MAX.saturating_add(1)).collect()
}

/// A text, percent-encoded for a query.
pub(super) fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn form_parses_weights_and_money() {
        assert_eq!(scaled("12.5", 3), Some(12_500));
        assert_eq!(scaled("1,250", 3), Some(1_250_000));
        assert_eq!(scaled("7.60", 2), Some(760));
        for wrong in ["", "-3", "1.2345", "twelve", "1e9", "9999999999999"] {
            assert_eq!(scaled(wrong, 3), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn form_returns_any_text(name in ".{0,12}", value in ".{0,40}") {
            let body = format!("{}={}", encode(&name), encode(&value));
            prop_assert_eq!(form_pairs(body.as_bytes()), vec![(name, value)]);
        }

        #[test]
        fn form_reads_any_bytes(bytes: Vec<u8>) {
            let _ = form_pairs(&bytes);
        }
    }
}
