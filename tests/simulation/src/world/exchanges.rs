//! Syncs over an unreliable line. Properties are checked on each reply.

use granary_client_core::protocol::frame::{SignedRequest, read_reply, write_reply};
use granary_client_core::protocol::messages::{SyncReply, read_message, write_message};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;
use granary_client_core::sync::{Session, Step};
use granary_server::Error;

use super::{World, settle};
use crate::dice::Dice;
use crate::phone::SimPhone;

/// Exchanges of one sync at most.
const EXCHANGES_MAX: usize = 200;

/// What the line does to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Whole,
    RequestLost,
    ReplyLost,
    /// The request is delivered twice.
    Twice,
    /// The request is delivered once more, much later.
    AgainLater,
}

/// The result of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synced {
    Done,
    LineFailed,
    PhoneFailed,
    Refused,
    /// The server did not know the device, and reinstated it by its certificate.
    Reinstated,
}

impl World {
    /// One exchange with the server; none when the line or the server failed.
    fn exchange(
        &mut self,
        phone: usize,
        body: &[u8],
        line: Line,
    ) -> Result<Option<Result<Vec<u8>, ProblemKind>>, String> {
        match line {
            Line::Whole => {}
            Line::RequestLost => self.count("request lost"),
            Line::ReplyLost => self.count("reply lost"),
            Line::Twice => self.count("request twice"),
            Line::AgainLater => self.count("request once more, much later"),
        }
        if line == Line::RequestLost {
            return Ok(None);
        }
        if line == Line::AgainLater {
            self.late.push(body.to_vec());
        }
        let mut answer = self.deliver(body)?;
        if line == Line::Twice {
            answer = self.deliver(body)?;
        }
        let Some(answer) = answer.filter(|_| line != Line::ReplyLost) else { return Ok(None) };
        Ok(Some(match answer {
            Ok(reply) => {
                self.reply_must_hold(phone, &reply)?;
                Ok(write_reply(&write_message(&reply)))
            }
            Err(kind) => Err(kind),
        }))
    }

    /// Delivers a request to the server; none if the server stops before it answers.
    fn deliver(&mut self, body: &[u8]) -> Result<Option<Result<SyncReply, ProblemKind>>, String> {
        let now = Instant(self.now);
        let coops = self.coops.clone();
        let server = self.server()?;
        let signed = SignedRequest::parse(body.to_vec()).map_err(|fault| fault.to_string())?;
        let result = server.sync(&signed, now);
        settle(server, &coops);
        if self.disk.was_full() {
            self.count("server's disk full");
        }
        if self.disk.has_stopped() || self.disk.was_full() {
            // A reply that was made before the stop still acknowledges its request.
            let answered = result.ok();
            self.crash_server();
            return Ok(answered.map(Ok));
        }
        match result {
            Ok(reply) => Ok(Some(Ok(reply))),
            Err(error @ (Error::Refused { .. } | Error::Denied(_))) => Ok(Some(Err(error.problem().kind))),
            Err(error) => Err(format!("the server failed without a fault: {error}")),
        }
    }

    /// Delivers old requests once more.
    pub(crate) fn deliver_late_requests(&mut self) -> Result<(), String> {
        for body in std::mem::take(&mut self.late) {
            self.deliver(&body)?;
        }
        Ok(())
    }

    /// Syncs a phone. `line` decides about each exchange.
    pub(crate) fn sync(&mut self, phone: usize, mut line: impl FnMut(&mut Dice) -> Line) -> Result<Synced, String> {
        let begun = {
            let SimPhone { replica, pace, notices_read, .. } = &mut self.phones[phone];
            Session::begin(replica, *pace, *notices_read, None)
        };
        let Ok((mut session, mut request)) = begun else { return Ok(Synced::PhoneFailed) };
        for _ in 0..EXCHANGES_MAX {
            let how = line(&mut self.dice);
            let body = self.phones[phone].signed(&request);
            let answer = self.exchange(phone, &body, how)?;
            let reply = match answer {
                None => {
                    self.phones[phone].pace.failed();
                    return Ok(Synced::LineFailed);
                }
                Some(Err(ProblemKind::UnknownDevice)) => {
                    let (certificate, now) = (self.phones[phone].certificate.clone(), Instant(self.now));
                    let _ = self.server()?.reinstate(&certificate, now);
                    self.revoke_again()?;
                    self.grant_again()?;
                    return Ok(Synced::Reinstated);
                }
                Some(Err(ProblemKind::DeviceRevoked)) => return Ok(Synced::Refused),
                Some(Err(kind)) => return Err(format!("a phone was refused: {kind:?}")),
                Some(Ok(reply)) => reply,
            };
            let one = &mut self.phones[phone];
            if !one.has_poor_line {
                one.pace.succeeded(1_000);
            }
            let SimPhone { replica, pace, .. } = one;
            let step = session.take_reply(replica, *pace, &reply);
            one.notices_read = session.notices_read();
            if step.is_ok() {
                let content = read_reply(&reply).map_err(|fault| fault.to_string())?;
                let applied: SyncReply = read_message(&content).map_err(|fault| fault.to_string())?;
                self.applied_reply_must_hold(phone, &applied)?;
            }
            match step {
                Ok(Step::Send(next)) => request = next,
                Ok(Step::Done(_)) => {
                    let one = &mut self.phones[phone];
                    if one.replica.unsent() == 0 && !one.grant_was_changed {
                        one.acknowledged = one.recorded.clone();
                        one.was_damaged = false;
                    }
                    return Ok(Synced::Done);
                }
                Err(_) if self.phones[phone].disk.has_stopped() || self.phones[phone].disk.was_full() => {
                    return Ok(Synced::PhoneFailed);
                }
                Err(error) => return Err(format!("a phone could not apply a reply: {error}")),
            }
        }
        Err("a sync does not end".into())
    }
}
