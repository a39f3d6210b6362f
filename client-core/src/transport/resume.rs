//! The state of one exchange across broken lines: how much of request and reply has arrived, and what to send next.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response, StatusCode};

use super::{LineFault, Outgoing, Route};
use crate::error::Error;
use crate::protocol::limits::MESSAGE_BYTES_MAX;
use crate::protocol::signing::Channel;
use crate::protocol::transfer::{KEY_HEADER, OFFSET_HEADER, PART_BYTES_MIN, PROOF_HEADER, PartKey, write_proof};

/// An exchange in progress.
pub(super) struct Exchange {
    route: Route,
    outgoing: Outgoing,
    /// What was sent last: signed for the connection on which it began.
    body: Bytes,
    /// The request's key, for a request that is large enough to resume.
    key: Option<PartKey>,
    /// The reply's key, and the bytes of the reply that have arrived.
    reply: Option<(PartKey, Vec<u8>)>,
    /// True once the server may have a part of the request.
    begun: bool,
}

/// What to send next.
pub(super) enum Ask {
    /// The whole request.
    All,
    /// A question: how much of the request the server has.
    HowFar(PartKey),
    /// The rest of the request, from this byte on.
    Rest(usize),
}

/// The meaning of an answer.
pub(super) enum Outcome {
    /// The reply is whole.
    Done(Vec<u8>),
    /// The server has this much of the request.
    Has(usize),
    /// The server has nothing of it any more.
    Forgotten,
    /// The server refused, with this status and body.
    Refused(StatusCode, Vec<u8>),
}

fn line(error: impl std::fmt::Display) -> Error {
    Error::Line(LineFault::broke(error))
}

impl Exchange {
    pub(super) fn new(route: Route, outgoing: Outgoing) -> Self {
        Self { route, outgoing, body: Bytes::new(), key: None, reply: None, begun: false }
    }

    /// Makes the body for a connection. One that goes on with its rest keeps the signature of its beginning.
    fn begin(&mut self, channel: Option<Channel>) {
        let body = match &self.outgoing {
            Outgoing::Bytes(bytes) => bytes.clone(),
            Outgoing::Request(request, signer) => request.signed_by(signer, self.route.purpose(), channel),
        };
        self.key = (self.route == Route::Sync && body.len() >= PART_BYTES_MIN).then(|| PartKey::of(&body));
        self.body = Bytes::from(body);
    }

    /// The header that shows whose exchange it is.
    fn proof(&self, key: PartKey, channel: Option<Channel>) -> String {
        match &self.outgoing {
            Outgoing::Bytes(_) => String::new(),
            Outgoing::Request(_, signer) => write_proof(&signer.resume(key, channel)),
        }
    }

    /// True when a broken exchange can resume.
    pub(super) fn can_resume(&self) -> bool {
        self.key.is_some() || self.reply.is_some()
    }

    /// What to send at the beginning or after a break.
    pub(super) fn next(&mut self) -> Ask {
        let begun = std::mem::replace(&mut self.begun, true);
        match self.reply.as_ref().map(|(key, _)| *key).or(self.key) {
            Some(key) if begun => Ask::HowFar(key),
            _ => Ask::All,
        }
    }

    pub(super) fn request(
        &mut self,
        host: &str,
        channel: Option<Channel>,
        ask: &Ask,
    ) -> Result<Request<Full<Bytes>>, Error> {
        if matches!(ask, Ask::All) {
            self.begin(channel);
        }
        let post = || {
            let post = Request::post(self.route.path()).header("host", host);
            match self.key {
                Some(key) => post.header(KEY_HEADER, key.to_string()),
                None => post,
            }
        };
        match ask {
            Ask::All => post().body(Full::new(self.body.clone())),
            Ask::Rest(offset) => post()
                .header(OFFSET_HEADER, *offset)
                .header(PROOF_HEADER, self.key.map(|key| self.proof(key, channel)).unwrap_or_default())
                .body(Full::new(self.body.slice((*offset).min(self.body.len())..))),
            Ask::HowFar(key) => {
                let have = self.reply.as_ref().map_or(0, |(_, reply)| reply.len());
                Request::get(format!("/k/{key}/{have}"))
                    .header("host", host)
                    .header(PROOF_HEADER, self.proof(*key, channel))
                    .body(Full::default())
            }
        }
        .map_err(line)
    }

    /// Takes the answer to `ask`. When the line breaks within a reply, the bytes that arrived are kept.
    pub(super) async fn take(&mut self, ask: &Ask, answer: Response<hyper::body::Incoming>) -> Result<Outcome, Error> {
        let status = answer.status();
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        if let (Ask::HowFar(_), StatusCode::ACCEPTED) = (ask, status) {
            let offset = header(OFFSET_HEADER).and_then(|offset| offset.parse::<usize>().ok()).unwrap_or(0);
            return Ok(Outcome::Has(offset.min(self.body.len())));
        }
        if let (Ask::HowFar(_), StatusCode::NOT_FOUND) = (ask, status) {
            self.reply = None;
            return Ok(Outcome::Forgotten);
        }
        let goes_on = matches!(ask, Ask::HowFar(_));
        // The rest of a reply has the key of its beginning.
        let key = match ask {
            Ask::HowFar(key) => Some(*key),
            Ask::All | Ask::Rest(_) => header(KEY_HEADER).and_then(|key| key.parse().ok()),
        };
        let mut reply = match self.reply.take() {
            Some((_, begun)) if goes_on => begun,
            _ => Vec::new(),
        };
        let key = key.or(self.key).filter(|_| status == StatusCode::OK);
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                self.reply = key.map(|key| (key, std::mem::take(&mut reply)));
                line(error)
            })?;
            let Ok(bytes) = frame.into_data() else { continue };
            if reply.len().saturating_add(bytes.len()) > MESSAGE_BYTES_MAX {
                return Err(Error::BadReply("it is too large".into()));
            }
            reply.extend_from_slice(&bytes);
        }
        Ok(if status == StatusCode::OK { Outcome::Done(reply) } else { Outcome::Refused(status, reply) })
    }
}
