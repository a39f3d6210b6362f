//! The state of one exchange across broken lines: how much of request and reply has arrived, and what to send next. Nothing
//! here waits, signs or sends: a thread over hyper drives it, and so does a browser over `fetch`.

use super::{Payload, Route};
use crate::error::Error;
use crate::protocol::limits::MESSAGE_BYTES_MAX;
use crate::protocol::signing::{Binding, Channel, resume_statement};
use crate::protocol::transfer::{KEY_HEADER, OFFSET_HEADER, PART_BYTES_MIN, PROOF_HEADER, PartKey, write_proof};

/// An exchange in progress.
#[derive(Debug)]
pub struct Exchange {
    route: Route,
    payload: Payload,
    /// What was sent last: signed for the connection on which it began.
    body: Vec<u8>,
    /// The request's key, for a request that is large enough to resume.
    key: Option<PartKey>,
    /// The reply's key, and the bytes of the reply that have arrived.
    reply: Option<(PartKey, Vec<u8>)>,
    /// True once the server may have a part of the request.
    begun: bool,
    arriving: Option<Arriving>,
}

/// An answer whose body is being read.
#[derive(Debug)]
struct Arriving {
    status: u16,
    /// The key of the reply, where its beginning can be kept.
    key: Option<PartKey>,
    body: Vec<u8>,
}

/// What to send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The whole request.
    All,
    /// A question: how much of the request the server has.
    HowFar(PartKey),
    /// The rest of the request, from this byte on.
    Rest(usize),
}

/// One HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `POST` or `GET`.
    pub method: &'static str,
    /// The path, from `/` on.
    pub path: String,
    /// The headers, beside the host.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
}

/// The meaning of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The reply is whole.
    Done(Vec<u8>),
    /// The server wants this next.
    Ask(Ask),
    /// The server refused, with this status and body.
    Refused(u16, Vec<u8>),
}

impl Exchange {
    /// An exchange that has not begun.
    pub fn new(route: Route, payload: Payload) -> Self {
        Self { route, payload, body: Vec::new(), key: None, reply: None, begun: false, arriving: None }
    }

    /// True when a broken exchange can resume.
    pub fn can_resume(&self) -> bool {
        self.key.is_some() || self.reply.is_some()
    }

    /// What to send at the beginning or after a break.
    pub fn next_ask(&mut self) -> Ask {
        let begun = std::mem::replace(&mut self.begun, true);
        match self.reply.as_ref().map(|(key, _)| *key).or(self.key) {
            Some(key) if begun => Ask::HowFar(key),
            _ => Ask::All,
        }
    }

    /// The bytes that the device signs for [`Self::request`]; none where nothing is signed. A request that goes on with its
    /// rest keeps the signature of its beginning.
    pub fn to_sign(&self, ask: Ask, channel: Option<Channel>) -> Option<Vec<u8>> {
        let Payload::Request(request, audience) = &self.payload else { return None };
        let proven = match ask {
            Ask::All => {
                let binding = Binding { purpose: self.route.purpose(), audience: *audience, channel };
                return Some(request.to_sign(&binding));
            }
            Ask::HowFar(key) => key,
            Ask::Rest(_) => self.key?,
        };
        Some(resume_statement(proven, request.device(), audience, channel))
    }

    /// The request to send. `signature` is that of [`Self::to_sign`].
    pub fn request(&mut self, ask: Ask, signature: Option<[u8; 64]>) -> HttpRequest {
        if ask == Ask::All {
            self.body = match &self.payload {
                Payload::Request(request, _) => request.signed_with(&signature.unwrap_or([0; 64])),
                Payload::Bytes(bytes) => bytes.clone(),
            };
            let is_large = self.route == Route::Sync && self.body.len() >= PART_BYTES_MIN;
            self.key = is_large.then(|| PartKey::of(&self.body));
        }
        let proof = signature.filter(|_| ask != Ask::All).map(|signature| (PROOF_HEADER, write_proof(&signature)));
        let key = self.key.map(|key| (KEY_HEADER, key.to_string()));
        let post = |headers, body| HttpRequest { method: "POST", path: self.route.path().to_owned(), headers, body };
        match ask {
            Ask::All => post(key.into_iter().collect(), self.body.clone()),
            Ask::Rest(offset) => {
                let headers = key.into_iter().chain([(OFFSET_HEADER, offset.to_string())]).chain(proof);
                post(headers.collect(), self.body.get(offset..).unwrap_or_default().to_vec())
            }
            Ask::HowFar(key) => {
                let have = self.reply.as_ref().map_or(0, |(_, reply)| reply.len());
                let path = format!("/k/{key}/{have}");
                HttpRequest { method: "GET", path, headers: proof.into_iter().collect(), body: Vec::new() }
            }
        }
    }

    /// Takes the head of the answer to `ask`. Returns what it means where its body does not matter; otherwise the body
    /// follows by [`Self::arrived`].
    pub fn begins<'a>(&mut self, ask: Ask, status: u16, header: impl Fn(&str) -> Option<&'a str>) -> Option<Outcome> {
        if matches!(ask, Ask::HowFar(_)) && status == 202 {
            let offset = header(OFFSET_HEADER).and_then(|offset| offset.parse::<usize>().ok()).unwrap_or(0);
            let offset = offset.min(self.body.len());
            return Some(Outcome::Ask(if offset > 0 { Ask::Rest(offset) } else { Ask::All }));
        }
        if matches!(ask, Ask::HowFar(_)) && status == 404 {
            self.reply = None;
            return Some(Outcome::Ask(Ask::All));
        }
        // The rest of a reply has the key of its beginning.
        let (key, body) = match ask {
            Ask::HowFar(key) => (Some(key), self.reply.take().map(|(_, begun)| begun).unwrap_or_default()),
            Ask::All | Ask::Rest(_) => {
                self.reply = None;
                (header(KEY_HEADER).and_then(|key| key.parse().ok()), Vec::new())
            }
        };
        let key = key.or(self.key).filter(|_| status == 200);
        self.arriving = Some(Arriving { status, key, body });
        None
    }

    /// Takes bytes of the answer's body.
    pub fn arrived(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(arriving) = &mut self.arriving else { return Ok(()) };
        if arriving.body.len().saturating_add(bytes.len()) > MESSAGE_BYTES_MAX {
            self.arriving = None;
            return Err(Error::BadReply("it is too large".into()));
        }
        arriving.body.extend_from_slice(bytes);
        Ok(())
    }

    /// The line broke. Of a reply that had begun to arrive, the bytes are kept.
    pub fn broke(&mut self) {
        if let Some(Arriving { key: Some(key), body, .. }) = self.arriving.take() {
            self.reply = Some((key, body));
        }
    }

    /// The body of the answer is whole.
    pub fn ends(&mut self) -> Outcome {
        match self.arriving.take() {
            Some(Arriving { status: 200, body, .. }) => Outcome::Done(body),
            Some(Arriving { status, body, .. }) => Outcome::Refused(status, body),
            None => Outcome::Refused(0, Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_header(_: &str) -> Option<&'static str> {
        None
    }

    fn header(name: &'static str, value: &'static str) -> impl Fn(&str) -> Option<&'static str> {
        move |asked| (asked == name).then_some(value)
    }

    fn large() -> Exchange {
        Exchange::new(Route::Sync, Payload::Bytes(vec![7; PART_BYTES_MIN]))
    }

    #[test]
    fn request_goes_on_where_the_server_has_its_beginning() {
        let mut exchange = large();
        let all = exchange.next_ask();
        let key = exchange.request(all, None).headers.remove(0).1;
        exchange.broke();
        let ask = exchange.next_ask();
        assert_eq!(exchange.request(ask, None).path, format!("/k/{key}/0"));
        assert_eq!(exchange.begins(ask, 202, header("o", "1000")), Some(Outcome::Ask(Ask::Rest(1_000))));
        let rest = exchange.request(Ask::Rest(1_000), None);
        assert_eq!((rest.method, rest.body.len()), ("POST", PART_BYTES_MIN - 1_000));
    }

    #[test]
    fn reply_goes_on_where_it_broke() {
        let mut exchange = large();
        let all = exchange.next_ask();
        exchange.request(all, None);
        assert_eq!(exchange.begins(all, 200, header("k", "0000000000000001")), None);
        exchange.arrived(b"half of").unwrap();
        exchange.broke();
        let ask = exchange.next_ask();
        assert_eq!(exchange.request(ask, None).path, "/k/0000000000000001/7");
        assert_eq!(exchange.begins(ask, 200, no_header), None);
        exchange.arrived(b" it").unwrap();
        assert_eq!(exchange.ends(), Outcome::Done(b"half of it".to_vec()));
    }

    #[test]
    fn forgotten_exchange_begins_anew() {
        let mut exchange = large();
        let all = exchange.next_ask();
        exchange.request(all, None);
        exchange.begins(all, 200, no_header);
        exchange.arrived(b"half").unwrap();
        exchange.broke();
        let ask = exchange.next_ask();
        assert_eq!(exchange.begins(ask, 404, no_header), Some(Outcome::Ask(Ask::All)));
    }

    #[test]
    fn reply_without_end_is_refused() {
        let mut exchange = large();
        let all = exchange.next_ask();
        exchange.begins(all, 200, no_header);
        assert!(exchange.arrived(&vec![0; MESSAGE_BYTES_MAX]).is_ok());
        assert!(matches!(exchange.arrived(&[0]), Err(Error::BadReply(_))));
    }
}
