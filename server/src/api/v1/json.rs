//! JSON as it comes: within its size, and with each wrong place named. A name that comes twice in an object is refused, since programs
//! disagree on which of the two holds.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::caller::Caller;
use super::problem::{Fault, INVALID, MALFORMED, Problem, WRONG_TYPE};
use crate::http::Held;

/// A value whose objects have each name once.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, it: bool) -> Result<Value, E> {
        Ok(Value::Bool(it))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_u64<E>(self, it: u64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_f64<E>(self, it: f64) -> Result<Value, E> {
        Ok(Number::from_f64(it).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, it: &str) -> Result<Value, E> {
        Ok(Value::String(it.to_owned()))
    }

    fn visit_string<E>(self, it: String) -> Result<Value, E> {
        Ok(Value::String(it))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(Self)?;
            if map.contains_key(&name) {
                let name: String = name.chars().take(40).collect();
                return Err(A::Error::custom(format!("the field {name:?} comes twice in one object")));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// A body that was read: what it says, its bytes, and the room that it takes.
pub(super) struct Read {
    pub(super) fields: Map<String, Value>,
    pub(super) bytes: Vec<u8>,
    pub(super) _held: Held,
}

/// Reads a body that must be a JSON object.
pub(super) async fn read(caller: &Caller, headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Read, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(WRONG_TYPE.because("send `Content-Type: application/json`"));
    }
    let (bytes, held) = caller.body(body, bytes_max).await?;
    let value = parse(&bytes).map_err(|error| MALFORMED.because(format!("this is no JSON: {error}")))?;
    match value {
        Value::Object(fields) => Ok(Read { fields, bytes, _held: held }),
        _ => Err(Problem::field("", "wrong-type", "the body is to be an object")),
    }
}

/// The faults of a request as they are found.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

/// Faults that are gathered at most.
const FAULTS_MAX: usize = 1_000;

impl Faults {
    /// The problem that names them all.
    pub(super) fn problem(self) -> Problem {
        INVALID.at("nothing was done; `errors` names each place that is wrong", self.0)
    }

    /// Nothing, or the problem that names them all.
    pub(super) fn none(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(self.problem()) }
    }
}

/// Where fields stand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) order: Option<u32>,
    pub(super) line: Option<u32>,
    /// The object that they are in, with a dot behind it.
    pub(super) within: &'static str,
}

/// The fields of an object, read one by one; what is wrong with each is noted.
pub(super) struct Fields<'a> {
    pub(super) map: &'a Map<String, Value>,
    pub(super) place: Place,
    pub(super) faults: &'a mut Faults,
}

impl Fields<'_> {
    /// Notes a fault of a field.
    pub(super) fn fault(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        if self.faults.0.len() < FAULTS_MAX {
            let field = format!("{}{}", self.place.within, field.chars().take(60).collect::<String>());
            let Place { order, line, .. } = self.place;
            self.faults.0.push(Fault { order, line, field, code: code.to_owned(), detail: detail.into() });
        }
    }

    /// Notes every field that is not among these.
    pub(super) fn known(&mut self, names: &[&str]) {
        let others: Vec<String> = self.map.keys().filter(|name| !names.contains(&name.as_str())).cloned().collect();
        for name in others {
            self.fault(&name, "unknown-field", format!("there is no such field; there are {}", names.join(", ")));
        }
    }

    /// A field's value; none for a missing one and for null.
    pub(super) fn given(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Notes a field that is missing.
    pub(super) fn required<R>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        if self.given(name).is_none() {
            self.fault(name, "missing", "this field must be there");
            return None;
        }
        read(self)
    }

    /// A text of 1 to `bytes_max` bytes without control characters.
    pub(super) fn text(&mut self, name: &str, bytes_max: usize) -> Option<String> {
        let text = match self.given(name)? {
            Value::String(text) => text.clone(),
            _ => return self.wrong(name, "wrong-type", "this is to be a text"),
        };
        if text.is_empty() {
            return self.wrong(name, "missing", "the text is empty; leave the field out");
        }
        if text.len() > bytes_max {
            return self.wrong(
                name,
                "too-long",
                format!("the text has {} bytes; {bytes_max} are the most", text.len()),
            );
        }
        if text.chars().any(granary_client_core::quantities::is_hidden) {
            return self.wrong(
                name,
                "control-characters",
                "the text has control characters, or marks that nobody sees",
            );
        }
        Some(text)
    }

    fn wrong<R>(&mut self, name: &str, code: &str, detail: impl Into<String>) -> Option<R> {
        self.fault(name, code, detail);
        None
    }

    /// A whole number from `least` to `most`.
    pub(super) fn integer(&mut self, name: &str, (least, most): (i64, i64), code: &str) -> Option<i64> {
        let value = match self.given(name)? {
            Value::Number(number) => number.as_i64(),
            _ => return self.wrong(name, "wrong-type", "this is to be a whole number"),
        };
        match value {
            Some(value) if (least..=most).contains(&value) => Some(value),
            _ => self.wrong(name, code, format!("this is to be a whole number from {least} to {most}")),
        }
    }

    /// True or false; false where it is missing.
    pub(super) fn truth(&mut self, name: &str) -> bool {
        match self.given(name) {
            None => false,
            Some(Value::Bool(truth)) => *truth,
            Some(_) => {
                self.fault(name, "wrong-type", "this is to be true or false");
                false
            }
        }
    }

    /// One of some words.
    pub(super) fn word<W: Copy>(&mut self, name: &str, words: &[(&str, W)], code: &str) -> Option<W> {
        let text = match self.given(name)? {
            Value::String(text) => text.clone(),
            _ => return self.wrong(name, "wrong-type", "this is to be a text"),
        };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            self.fault(name, code, format!("this is to be one of {known}"));
        }
        found
    }

    /// A list; an empty one where it is missing.
    pub(super) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.given(name) {
            None => Vec::new(),
            Some(Value::Array(list)) => list.clone(),
            Some(_) => {
                self.fault(name, "wrong-type", "this is to be a list");
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_twice_is_refused() {
        assert!(parse(br#"{"a": {"b": 1, "c": [{"b": 2}]}, "b": 1.5}"#).is_ok());
        for bad in [
            &br#"{"a": 1, "a": 1}"#[..],
            br#"{"x": [{"a": 1, "b": 2, "a": 3}]}"#,
            b"{} {}",
            b"{",
            b"\xff",
            b"{\"a\": NaN}",
        ] {
            assert!(parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        assert!(parse("[".repeat(100_000).as_bytes()).is_err(), "deep");
    }
}
