//! A device that writes its bytes by hand, and documents for others to open.

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::phone::Phone;
use granary_client_core::protocol::enrolment::{EnrolReply, EnrolRequest};
use granary_client_core::protocol::frame::{UnsignedRequest, read_reply};
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::protocol::nudge::GREETING;
use granary_client_core::protocol::signing::{Audience, Binding, Purpose, ServerKey};
use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::LotDraft;
use granary_client_core::transport::{HttpsTransport, Outgoing, Route, ServerLink, Transport};
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::server::Server;

pub(super) struct Device {
    pair: Ed25519KeyPair,
    id: DeviceId,
    audience: Audience,
}

impl Device {
    pub(super) fn enrolled(server: &Server) -> Self {
        let link: ServerLink = server.invitation("household:new").parse().unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let public_key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let mut device = Self { pair, id: DeviceId::of_public_key(&public_key), audience: Audience::UNKNOWN };
        let request = EnrolRequest { code: link.code.clone(), public_key, name: "many sockets".into() };
        let body = device.signed(Purpose::Enrol, &write_message(&request));
        let transport = HttpsTransport::new(&link).unwrap();
        let reply = transport.exchange(Route::Enrol, Outgoing::Bytes(body)).unwrap();
        let reply: EnrolReply = read_message(&read_reply(&reply).unwrap()).unwrap();
        device.audience = Audience { server: ServerKey(reply.server_key), cooperative: reply.cooperative };
        device
    }

    fn signed(&self, purpose: Purpose, content: &[u8]) -> Vec<u8> {
        let binding = Binding { purpose, audience: self.audience, channel: None };
        let sign = |bytes: &[u8]| self.pair.sign(bytes).as_ref().try_into().unwrap();
        UnsignedRequest::new(self.id, content).sign(&binding, sign)
    }

    /// The first message of a live socket.
    pub(super) fn greeting(&self) -> Vec<u8> {
        self.signed(Purpose::Listen, GREETING)
    }
}

/// Begins a household's book.
pub(super) fn begin_book(coordinator: &Phone, number: u8) {
    let draft = LotDraft::new("millet", Grams::new(1_000).unwrap(), "2026-10-03".parse().unwrap());
    coordinator.record_of_day(HouseholdId::from_bytes([number; 16]), &draft).unwrap();
}
