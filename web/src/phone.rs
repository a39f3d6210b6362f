//! The phone of one profile: client-core over the mirrored store, with the language that its sentences are in.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use granary_client_core::error::Error;
use granary_client_core::phone::{Clock, Phone};
use granary_client_core::store::{Batch, MemoryStore, MirrorStore, Store, Writes};
use granary_client_core::transport::Used;
use granary_client_core::words::Language;

use crate::answer::{Failure, told};
use crate::calls;
use crate::work::{Kind, Work};

/// See the module.
pub struct WebPhone {
    pub(crate) phone: Rc<Phone>,
    store: MirrorStore,
    pub(crate) language: Cell<Language>,
    /// The traffic since the app was started, as the worker counts it.
    pub(crate) used: Rc<Cell<Used>>,
}

impl WebPhone {
    /// Opens a phone over the rows of its profile, all of which are durable.
    pub fn open(rows: Vec<(Vec<u8>, Vec<u8>)>, clock: Arc<dyn Clock>, language: Language) -> Result<Self, Error> {
        let memory = MemoryStore::default();
        let mut batch = Batch::default();
        rows.into_iter().for_each(|(key, value)| batch.put(key, value));
        memory.apply(&batch)?;
        let store = MirrorStore::of(memory);
        let phone = Rc::new(Phone::over(Arc::new(store.clone()), clock)?);
        Ok(Self { phone, store, language: Cell::new(language), used: Rc::default() })
    }

    /// Sets the language of sentences.
    pub fn speak(&self, language: Language) {
        self.language.set(language);
    }

    /// Makes a call of the page, as JSON, and returns its answer.
    pub fn call(&self, json: &str) -> String {
        told(calls::call(self, json), self.language.get())
    }

    /// What was written since the last call, to be made durable as one.
    pub fn take_writes(&self) -> Writes {
        self.store.take_writes()
    }

    /// Begins a piece of work that needs the line or the device's key.
    pub fn begin(&self, kind: Kind) -> Result<Work, Failure> {
        Work::begin(Rc::clone(&self.phone), Rc::clone(&self.used), self.language.get(), kind)
    }
}
