//! Answers as JSON: `{"ok": value}`, or `{"error": {"code", "field", "sentence"}}` with the sentence in the person's language.

use granary_client_core::crdt::DocumentFault;
use granary_client_core::error::Error;
use granary_client_core::ids::IdFault;
use granary_client_core::quantities::QuantityFault;
use granary_client_core::quantities::typed::TypedFault;
use granary_client_core::store::StoreFault;
use granary_client_core::words::{Language, Phrase, Words};
use serde_json::{Value, json};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The phone's own error.
    Core(Error),
    /// What a person typed into a field.
    Typed(&'static str, TypedFault),
    /// The call itself is wrong, which is a fault of the app.
    Call(String),
}

const WRONG_CALL: Phrase =
    Phrase::new("wrong-call", "this app made a mistake; close it and open it again", "这个程序出错了；请关掉再打开");

impl Failure {
    /// A call that can't be read.
    pub fn call(what: impl std::fmt::Display) -> Self {
        Self::Call(what.to_string())
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Core(Error::Quantity(fault) | Error::Document(DocumentFault::Quantity(fault))) => fault.code(),
            Self::Core(error) => error.code(),
            Self::Typed(_, fault) => fault.code(),
            Self::Call(_) => WRONG_CALL.code,
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::Core(Error::Quantity(fault) | Error::Document(DocumentFault::Quantity(fault))) => Some(fault.field()),
            Self::Typed(field, _) => Some(field),
            Self::Core(_) | Self::Call(_) => None,
        }
    }

    fn sentence(&self, language: Language) -> String {
        match self {
            Self::Core(error) => error.words(language),
            Self::Typed(_, fault) => fault.words(language),
            Self::Call(_) => WRONG_CALL.words(language),
        }
    }

    /// As JSON.
    pub fn to_json(&self, language: Language) -> Value {
        let cause = match self {
            Self::Call(what) => Some(what),
            _ => None,
        };
        json!({"error": {
            "code": self.code(), "field": self.field(), "sentence": self.sentence(language), "cause": cause,
        }})
    }
}

macro_rules! from {
    ($($fault:ty),*) => { $(impl From<$fault> for Failure {
        fn from(fault: $fault) -> Self {
            Self::Core(fault.into())
        }
    })* };
}
from!(Error, QuantityFault, DocumentFault, StoreFault);

impl From<IdFault> for Failure {
    fn from(fault: IdFault) -> Self {
        Self::call(fault)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(fault: serde_json::Error) -> Self {
        Self::call(fault)
    }
}

/// What came of a call, as JSON.
pub(crate) fn told(result: Result<Value, Failure>, language: Language) -> String {
    match result {
        Ok(value) => json!({ "ok": value }),
        Err(failure) => failure.to_json(language),
    }
    .to_string()
}
