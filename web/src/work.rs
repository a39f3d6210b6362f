//! Work that needs the line or the device's key, step by step: the worker signs, carries and counts, and this decides what
//! comes next. See [`Next`].

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use granary_client_core::error::Error;
use granary_client_core::phone::{
    Errand, Invitation, Joining, Phone, Running, Turn, UnsignedOutboxFile, while_joining,
};
use granary_client_core::protocol::signing::{Binding, Purpose};
use granary_client_core::schema::access::Role;
use granary_client_core::transport::{
    Ask, Exchange, HttpRequest, LineFault, Outcome, Payload, ServerLink, Used, refusal,
};
use granary_client_core::words::Language;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Failure, told};
use crate::link::of_invitation;

/// An exchange that broke this often fails.
const BREAKS_MAX: u32 = 200;
/// An exchange resumes at once only when more bytes than this passed since the last break.
const PROGRESS_BYTES_MIN: u64 = 400;

/// What is to be done.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Kind {
    /// A look at an invitation.
    Look {
        /// What was typed, scanned or followed.
        link: String,
        /// The page's own address.
        origin: String,
    },
    /// Enrolment.
    Enrol {
        /// What was typed, scanned or followed.
        link: String,
        /// The page's own address.
        origin: String,
        /// How coordinators are to know this phone.
        name: String,
        /// The device's public key, in base64.
        key: String,
    },
    /// A sync.
    Sync,
    /// The import of another phone's outbox file.
    Import {
        /// The file.
        #[serde(skip)]
        file: Vec<u8>,
    },
    /// The greeting of the nudge socket, which is only signed.
    Listen,
    /// The outbox as a file, which is only signed.
    Outbox,
}

/// What the worker does next.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Sign [`Work::to_sign`], and give it to [`Work::signed`].
    Sign,
    /// Send this, and tell what comes of it by [`Work::answer_begins`] and what follows, or [`Work::broke`].
    Send(HttpRequest),
    /// Nothing: see [`Work::outcome`].
    Done,
}

/// What the exchanges are for.
enum Task {
    Look(ServerLink),
    Enrol(Box<Joining>),
    Sync(Running),
    Import(VecDeque<Errand>),
    Listen,
    Outbox(UnsignedOutboxFile),
}

/// See the module.
pub struct Work {
    phone: Rc<Phone>,
    used: Rc<Cell<Used>>,
    language: Language,
    task: Option<Task>,
    exchange: Option<Exchange>,
    ask: Ask,
    /// What the device is to sign, and what it has signed of it.
    to_sign: Vec<Vec<u8>>,
    signatures: Vec<[u8; 64]>,
    greeting: Option<Payload>,
    next: Next,
    bytes: Vec<u8>,
    result: Result<Value, Failure>,
    breaks: u32,
    /// The traffic when the line last broke.
    passed: u64,
    /// How long the exchange has taken so far, its breaks among it.
    took_millis: u64,
}

/// All bytes, both ways.
fn joined(used: &Used) -> u64 {
    used.up.saturating_add(used.down)
}

impl Work {
    pub(crate) fn begin(
        phone: Rc<Phone>,
        used: Rc<Cell<Used>>,
        language: Language,
        kind: Kind,
    ) -> Result<Self, Failure> {
        let mut work = Self {
            phone,
            used,
            language,
            task: None,
            exchange: None,
            ask: Ask::All,
            to_sign: Vec::new(),
            signatures: Vec::new(),
            greeting: None,
            next: Next::Done,
            bytes: Vec::new(),
            result: Ok(Value::Null),
            breaks: 0,
            passed: 0,
            took_millis: 0,
        };
        match kind {
            Kind::Look { link, origin } => {
                let server = of_invitation(&link, &origin)?;
                work.send(Invitation::ask(&server));
                work.task = Some(Task::Look(server));
            }
            Kind::Enrol { link, origin, name, key } => {
                let key = STANDARD.decode(key).map_err(Failure::call)?;
                let key: [u8; 32] = key.try_into().map_err(|_| Failure::call("a key of another length"))?;
                let joining = work.phone.begin_enrol(of_invitation(&link, &origin)?, Some(key))?;
                work.send(joining.send(&name));
                work.task = Some(Task::Enrol(Box::new(joining)));
            }
            Kind::Sync => {
                let (running, errand) = work.phone.begin_sync(work.used.get())?;
                work.send(errand);
                work.task = Some(Task::Sync(running));
            }
            Kind::Import { file } => {
                let mut errands: VecDeque<Errand> = Phone::requests_of_outbox_file(&file)?.into();
                if let Some(first) = errands.pop_front() {
                    work.send(first);
                }
                work.task = Some(Task::Import(errands));
            }
            Kind::Listen => {
                let greeting = work.phone.greeting()?;
                if let Payload::Request(request, audience) = &greeting {
                    let binding = Binding { purpose: Purpose::Listen, audience: *audience, channel: None };
                    work.to_sign = vec![request.to_sign(&binding)];
                    work.next = Next::Sign;
                }
                work.greeting = Some(greeting);
                work.task = Some(Task::Listen);
            }
            Kind::Outbox => {
                let file = work.phone.begin_export_outbox()?;
                work.to_sign = file.to_sign();
                work.task = Some(Task::Outbox(file));
                work.next = Next::Sign;
                if work.to_sign.is_empty() {
                    work.all_signed();
                }
            }
        }
        Ok(work)
    }

    /// Begins an exchange.
    fn send(&mut self, errand: Errand) {
        (self.breaks, self.took_millis) = (0, 0);
        self.passed = joined(&self.used.get());
        let mut exchange = Exchange::new(errand.route, errand.payload);
        let ask = exchange.next_ask();
        self.exchange = Some(exchange);
        self.ask_for(ask);
    }

    /// Sends this of the exchange, once what it needs is signed.
    fn ask_for(&mut self, ask: Ask) {
        self.ask = ask;
        self.signatures.clear();
        let Some(exchange) = &mut self.exchange else { return };
        match exchange.to_sign(ask, None) {
            Some(bytes) => {
                self.to_sign = vec![bytes];
                self.next = Next::Sign;
            }
            None => self.next = Next::Send(exchange.request(ask, None)),
        }
    }

    /// What the worker does next, as JSON.
    pub fn next(&self) -> String {
        match &self.next {
            Next::Sign => json!({"do": "sign"}),
            Next::Send(request) => {
                let headers: serde_json::Map<String, Value> =
                    request.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
                json!({"do": "send", "method": request.method, "path": request.path, "headers": headers})
            }
            Next::Done => json!({"do": if self.result.is_ok() { "done" } else { "failed" }}),
        }
        .to_string()
    }

    /// The bytes that the device signs next.
    pub fn to_sign(&self) -> &[u8] {
        self.to_sign.get(self.signatures.len()).map(Vec::as_slice).unwrap_or_default()
    }

    /// Takes the signature of [`Self::to_sign`].
    pub fn signed(&mut self, signature: [u8; 64]) {
        if self.next != Next::Sign {
            return;
        }
        self.signatures.push(signature);
        if self.signatures.len() < self.to_sign.len() {
            return;
        }
        match &mut self.exchange {
            Some(exchange) => self.next = Next::Send(exchange.request(self.ask, Some(signature))),
            None => self.all_signed(),
        }
    }

    /// Makes the bytes of what is only signed.
    fn all_signed(&mut self) {
        self.next = Next::Done;
        match (&self.task, &self.greeting, self.signatures.first()) {
            (Some(Task::Outbox(file)), ..) => match file.signed_with(&self.signatures).to_bytes() {
                Ok(bytes) => self.bytes = bytes,
                Err(fault) => self.result = Err(Failure::Core(fault.into())),
            },
            (_, Some(Payload::Request(request, _)), Some(signature)) => self.bytes = request.signed_with(signature),
            _ => {}
        }
    }

    /// The body of what is sent.
    pub fn body(&self) -> &[u8] {
        match &self.next {
            Next::Send(request) => &request.body,
            _ => &[],
        }
    }

    /// What was made by work that is only signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Counts what the worker sent and received.
    pub fn traffic(&self, up: u64, down: u64) {
        let mut used = self.used.get();
        (used.up, used.down) = (used.up.saturating_add(up), used.down.saturating_add(down));
        (used.content_up, used.content_down) = (used.up, used.down);
        self.used.set(used);
    }

    /// Takes the head of the answer. True when its body matters, and follows by [`Self::chunk`].
    pub fn answer_begins<'a>(&mut self, status: u16, header: impl Fn(&str) -> Option<&'a str>) -> bool {
        let mut used = self.used.get();
        used.exchanges = used.exchanges.saturating_add(1);
        self.used.set(used);
        let Some(exchange) = &mut self.exchange else { return false };
        match exchange.begins(self.ask, status, header) {
            Some(outcome) => {
                self.go_on(outcome);
                false
            }
            None => true,
        }
    }

    /// Takes bytes of the answer's body.
    pub fn chunk(&mut self, bytes: &[u8]) {
        if let Some(Err(error)) = self.exchange.as_mut().map(|exchange| exchange.arrived(bytes)) {
            self.came(Err(error));
        }
    }

    /// The body is whole; the request and its answer took this long.
    pub fn answer_ends(&mut self, took_millis: u64) {
        self.took_millis = self.took_millis.saturating_add(took_millis);
        if let Some(outcome) = self.exchange.as_mut().map(Exchange::ends) {
            self.go_on(outcome);
        }
    }

    /// The line broke, before the answer or within it. An exchange of which a part arrived goes on.
    pub fn broke(&mut self, fault: LineFault) {
        let Some(exchange) = &mut self.exchange else { return };
        exchange.broke();
        self.breaks = self.breaks.saturating_add(1);
        let now = joined(&self.used.get());
        let passed = now.saturating_sub(std::mem::replace(&mut self.passed, now));
        if exchange.can_resume() && passed >= PROGRESS_BYTES_MIN && self.breaks < BREAKS_MAX {
            let ask = exchange.next_ask();
            self.ask_for(ask);
        } else {
            self.came(Err(fault.into()));
        }
    }

    fn go_on(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Ask(ask) => self.ask_for(ask),
            Outcome::Done(reply) => self.came(Ok(reply)),
            Outcome::Refused(status, body) => self.came(Err(refusal(status, &body))),
        }
    }

    /// Takes what came of an exchange.
    fn came(&mut self, answer: Result<Vec<u8>, Error>) {
        self.exchange = None;
        self.next = Next::Done;
        let used = self.used.get();
        self.result = match self.task.take() {
            Some(Task::Look(server)) => answer
                .map_err(|error| while_joining(&server, error))
                .and_then(|reply| Invitation::read(&server, &reply))
                .map(|invitation| shown(&invitation))
                .map_err(Failure::from),
            Some(Task::Enrol(joining)) => answer
                .map_err(|error| while_joining(joining.server(), error))
                .and_then(|reply| self.phone.finish_enrol(*joining, &reply, used))
                .map(|()| Value::Null)
                .map_err(Failure::from),
            Some(Task::Sync(mut running)) => {
                match self.phone.take_answer(&mut running, answer, self.took_millis, used) {
                    Ok(Turn::Send(errand)) => {
                        self.task = Some(Task::Sync(running));
                        return self.send(errand);
                    }
                    Ok(Turn::Done(summary)) => {
                        let received = summary.received;
                        Ok(json!({"changed": !received.changed.is_empty() || !received.forgotten.is_empty()}))
                    }
                    Err(error) => Err(error.into()),
                }
            }
            Some(Task::Import(mut errands)) => match (answer, errands.pop_front()) {
                (Ok(_), Some(errand)) => {
                    self.task = Some(Task::Import(errands));
                    return self.send(errand);
                }
                (answer, _) => answer.map(|_| Value::Null).map_err(Failure::from),
            },
            Some(Task::Listen | Task::Outbox(_)) | None => Ok(Value::Null),
        };
    }

    /// What came of the work, as JSON.
    pub fn outcome(&self) -> String {
        told(self.result.clone(), self.language)
    }
}

/// An invitation, for a person to confirm.
fn shown(invitation: &Invitation) -> Value {
    let role = match invitation.role {
        Role::Household(_) => "household",
        Role::Packer => "packer",
        Role::Coordinator => "coordinator",
        Role::Recorder | Role::RecorderFor(_) => "recorder",
    };
    json!({
        "server": invitation.server, "cooperative": invitation.cooperative_name,
        "role": role, "whose": invitation.whose,
    })
}
