//! The shapes that the description names: what goes over the line as bytes, and refusals.

use granary_client_core::protocol::problem::ProblemKind;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// A frame, or another run of bytes.
pub(super) struct Octets;

impl PartialSchema for Octets {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build().into()
    }
}

impl ToSchema for Octets {}

fn one_of(texts: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(texts)).build().into()
}

/// The line `ok`.
pub(super) struct OkLine;

impl PartialSchema for OkLine {
    fn schema() -> RefOr<Schema> {
        one_of(["ok\n"])
    }
}

impl ToSchema for OkLine {}

/// Every kind of refusal.
struct Kind;

const KINDS: [ProblemKind; 13] = [
    ProblemKind::Malformed,
    ProblemKind::TooLarge,
    ProblemKind::UnknownVersion,
    ProblemKind::BadSignature,
    ProblemKind::UnknownDevice,
    ProblemKind::DeviceRevoked,
    ProblemKind::BadInvitation,
    ProblemKind::Busy,
    ProblemKind::Timeout,
    ProblemKind::NotFound,
    ProblemKind::NoRoom,
    ProblemKind::ShareUsed,
    ProblemKind::Internal,
];

impl PartialSchema for Kind {
    fn schema() -> RefOr<Schema> {
        one_of(KINDS.map(ProblemKind::name))
    }
}

impl ToSchema for Kind {}

/// RFC 9457, with a type for programs and a sentence for people.
#[derive(ToSchema)]
#[schema(as = PhoneProblem)]
#[expect(dead_code, reason = "the shape of client-core's own type, for the description")]
pub(super) struct PhoneProblem {
    #[schema(inline)]
    r#type: Kind,
    status: u16,
    detail: String,
}

/// What a phone's request can be refused with.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description")]
pub(super) enum Refusals {
    /// The body does not have the shape of the message, or is of a version that the server does not speak.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] PhoneProblem),
    /// Not signed by a device of this server.
    #[response(status = 401, content_type = "application/problem+json")]
    NotADevice(#[to_schema] PhoneProblem),
    /// The device was revoked, or the invitation does not work.
    #[response(status = 403, content_type = "application/problem+json")]
    MayNot(#[to_schema] PhoneProblem),
    /// The request took too long to come.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(#[to_schema] PhoneProblem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] PhoneProblem),
    /// Too often, or too much at once: wait and try again.
    #[response(status = 429, content_type = "application/problem+json")]
    TooOften(#[to_schema] PhoneProblem),
    /// The server failed; nothing was acknowledged.
    #[response(status = 500, content_type = "application/problem+json")]
    Failed(#[to_schema] PhoneProblem),
    /// The server's disk is nearly full: it takes nothing new for now.
    #[response(status = 503, content_type = "application/problem+json")]
    NoRoom(#[to_schema] PhoneProblem),
}
