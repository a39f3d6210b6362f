//! What the worker calls.

#![allow(unsafe_code, reason = "wasm-bindgen generates it")]

use std::sync::Arc;

use granary_client_core::phone::Clock;
use granary_client_core::quantities::Instant;
use granary_client_core::transport::LineFault;
use granary_client_core::words::Language;
use js_sys::{Array, Date, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::answer::Failure;
use crate::work::Kind;

struct PageClock;

impl Clock for PageClock {
    fn now(&self) -> Instant {
        // A date of JavaScript is a whole number of milliseconds that fits.
        Instant(Date::now() as i64)
    }
}

fn language_of(code: &str) -> Language {
    Language::from_code(code).unwrap_or(Language::Chinese)
}

/// An error whose message is JSON with code, field and sentence.
fn thrown(failure: &Failure, language: Language) -> JsError {
    JsError::new(&failure.to_json(language).get("error").map(ToString::to_string).unwrap_or_default())
}

/// Takes the rows of a profile, and opens its phone.
#[wasm_bindgen]
#[derive(Default)]
pub struct Loader {
    rows: Vec<(Vec<u8>, Vec<u8>)>,
}

#[wasm_bindgen]
impl Loader {
    /// Without rows.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one row.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.rows.push((key, value));
    }

    /// Opens the phone.
    pub fn open(self, language: &str) -> Result<Phone, JsError> {
        let language = language_of(language);
        crate::WebPhone::open(self.rows, Arc::new(PageClock), language)
            .map(|phone| Phone { phone })
            .map_err(|error| thrown(&error.into(), language))
    }
}

/// The phone of one profile.
#[wasm_bindgen]
pub struct Phone {
    phone: crate::WebPhone,
}

#[wasm_bindgen]
impl Phone {
    /// Sets the language of sentences.
    pub fn language(&self, code: &str) {
        self.phone.speak(language_of(code));
    }

    /// Makes a call: JSON in, JSON out.
    pub fn call(&self, json: &str) -> String {
        self.phone.call(json)
    }

    /// What was written since the last call: key, value (or null), key, value.
    #[wasm_bindgen(js_name = takeWrites)]
    pub fn take_writes(&self) -> Array {
        let writes = Array::new();
        for (key, value) in self.phone.take_writes() {
            writes.push(&Uint8Array::from(key.as_slice()));
            writes.push(&value.map_or(JsValue::NULL, |value| Uint8Array::from(value.as_slice()).into()));
        }
        writes
    }

    /// Begins work that needs the line or the device's key.
    pub fn begin(&self, kind: &str, arguments: &str, bytes: Option<Vec<u8>>) -> Result<Work, JsError> {
        let begin = || {
            let mut json: serde_json::Value = serde_json::from_str(arguments)?;
            if let Some(object) = json.as_object_mut() {
                object.insert("kind".into(), kind.into());
            }
            let mut kind: Kind = serde_json::from_value(json)?;
            if let (Kind::Import { file }, Some(bytes)) = (&mut kind, bytes) {
                *file = bytes;
            }
            self.phone.begin(kind)
        };
        begin().map(|work| Work { work }).map_err(|failure| thrown(&failure, self.phone.language.get()))
    }
}

/// A piece of work that needs the line or the device's key.
#[wasm_bindgen]
pub struct Work {
    work: crate::Work,
}

#[wasm_bindgen]
impl Work {
    /// What to do next, as JSON.
    pub fn next(&self) -> String {
        self.work.next()
    }

    /// The bytes to be signed.
    #[wasm_bindgen(js_name = toSign)]
    pub fn to_sign(&self) -> Vec<u8> {
        self.work.to_sign().to_vec()
    }

    /// Takes their signature.
    pub fn signed(&mut self, signature: &[u8]) -> Result<(), JsError> {
        let signature = signature.try_into().map_err(|_| JsError::new("a signature of another length"))?;
        self.work.signed(signature);
        Ok(())
    }

    /// The body to be sent.
    pub fn body(&self) -> Vec<u8> {
        self.work.body().to_vec()
    }

    /// Takes the head of the answer; true when its body matters.
    #[wasm_bindgen(js_name = answerBegins)]
    pub fn answer_begins(&mut self, status: u16, headers: &str) -> bool {
        let headers: std::collections::BTreeMap<String, String> = serde_json::from_str(headers).unwrap_or_default();
        self.work.answer_begins(status, |name| headers.get(name).map(String::as_str))
    }

    /// Takes bytes of the answer's body.
    pub fn chunk(&mut self, bytes: &[u8]) {
        self.work.chunk(bytes);
    }

    /// The answer is whole; request and answer took this long.
    #[wasm_bindgen(js_name = answerEnds)]
    pub fn answer_ends(&mut self, millis: f64) {
        self.work.answer_ends(millis as u64);
    }

    /// The line broke: `offline`, `silent`, `intercepted`, `sign-in-first` or anything else.
    pub fn broke(&mut self, reason: &str) {
        self.work.broke(match reason {
            "offline" => LineFault::NotReached { cause: "there is no network".into() },
            "silent" => LineFault::Silent,
            "sign-in-first" | "intercepted" => LineFault::SignInFirst,
            other => LineFault::broke(other),
        });
    }

    /// Counts bytes that were sent and received.
    pub fn traffic(&self, up: f64, down: f64) {
        self.work.traffic(up as u64, down as u64);
    }

    /// What came of the work, as JSON.
    pub fn outcome(&self) -> String {
        self.work.outcome()
    }

    /// What was made by work that is only signed.
    pub fn bytes(&self) -> Vec<u8> {
        self.work.bytes().to_vec()
    }
}
