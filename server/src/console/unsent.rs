//! What was typed is not lost with a session that ended meanwhile: the sign-in page carries the form, and whoever typed it sees it
//! again, filled as a refused one, once she has signed in. It is never sent by itself, and nobody else gets it.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::DeviceId;
use maud::{Markup, html};

use super::again::{filled, own_page, page_of};
use super::forms::Form;
use super::i18n::Locale;
use super::refusal::refused;
use super::sign_in::{SIGN_IN, ask_with};
use super::signed_in::SignedIn;
use crate::http::{Gate, Origin, Shared, UnsentForm};
use crate::log::CooperativeNumber;

/// Where it is shown again.
pub(super) const ADDRESS: &str = "/console/unsent";
/// The hidden field of every form with who is signed in.
pub(super) const AUTHOR: &str = "author";
/// The hidden fields of the sign-in page.
const ACTION: &str = "unsent-action";
const FIELDS: &str = "unsent-fields";
/// The longest form that is carried, in bytes.
const BYTES_MAX: usize = 64 * 1024;
/// Forms of which nothing is carried: they hold passwords, or there is nothing typed in them.
const NOT_CARRIED: [&str; 5] =
    ["/console/password", "/console/second-factor", "/console/sign-out", "/console/language", "/console/once"];
/// Fields that are of one session, or that no page shows again.
const LEFT_OUT: [&str; 2] = ["token", "password"];

/// Who a form's author is: her co-operative and her device, which stays the same from session to session.
pub(super) fn author(cooperative: CooperativeNumber, device: DeviceId) -> String {
    format!("{}/{device}", cooperative.0)
}

/// A form on its way through the sign-in page.
#[derive(Debug, Clone)]
pub(super) struct Carried(UnsentForm);

impl Carried {
    /// The form that was sent to this address; none for one that is not carried.
    pub(super) fn of(action: &str, form: &Form) -> Option<Self> {
        let is_left = NOT_CARRIED.iter().any(|address| action.starts_with(address));
        let fields = form.everything().filter(|(name, _)| !LEFT_OUT.contains(name));
        let fields = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self(UnsentForm { action: action.to_owned(), fields }).checked().filter(|_| !is_left)
    }

    /// The one that a sign-in page carried.
    pub(super) fn read(form: &Form) -> Option<Self> {
        Self(UnsentForm { action: form.get(ACTION).to_owned(), fields: form.get(FIELDS).to_owned() }).checked()
    }

    fn checked(self) -> Option<Self> {
        let form = self.form();
        let is_whole = own_page(&self.0.action).is_some() && page_of(&form).is_some() && form.has(AUTHOR);
        (is_whole && self.0.fields.len() <= BYTES_MAX).then_some(self)
    }

    fn form(&self) -> Form {
        Form::parse(&self.0.fields)
    }

    /// The hidden fields that carry it.
    pub(super) fn hidden(&self) -> Markup {
        html! {
            input type="hidden" name=(ACTION) value=(self.0.action);
            input type="hidden" name=(FIELDS) value=(self.0.fields);
        }
    }

    /// Keeps it for a session of its author; false for anybody else's.
    pub(super) fn keep_for(self, shared: &Shared, token: &str) -> bool {
        let now = crate::environment::now();
        let Ok(Some(session)) = shared.granary.session(token, now) else { return false };
        let is_hers = self.form().get(AUTHOR) == author(session.cooperative, session.device);
        if is_hers {
            shared.unsent.keep(token, self.0, now);
        }
        is_hers
    }
}

/// True for a form of an earlier session of the same person, of which what was typed is shown again.
pub(super) fn is_of_earlier_session(signed: &SignedIn, action: &str, form: &Form) -> bool {
    form.get(AUTHOR) == author(signed.session.cooperative, signed.session.device) && Carried::of(action, form).is_some()
}

/// Answers a form of nobody who is signed in: the sign-in page, with what was typed.
pub(super) async fn ask_to_sign_in(locale: Locale, gate: &Gate, from: Origin, action: &str, body: Body) -> Response {
    let form = match Form::read(locale, gate, from, body).await {
        Ok(form) => form,
        Err(refused) => return refused.into_response(),
    };
    match Carried::of(action, &form) {
        Some(carried) => {
            let coop = form.get(AUTHOR).split('/').next().and_then(|number| number.parse().ok()).unwrap_or(1);
            ask_with(locale, coop, &carried)
        }
        None => Redirect::to(SIGN_IN).into_response(),
    }
}

/// `GET /console/unsent`: the page of the form that is kept for this session, with what was typed.
pub(super) async fn show(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    signed: SignedIn,
    headers: HeaderMap,
) -> Response {
    let kept = shared.unsent.of(&signed.token, crate::environment::now()).map(Carried);
    let Some(carried) = kept else { return Redirect::to("/console").into_response() };
    let form = carried.form();
    let page = page_of(&form).unwrap_or_else(|| "/console".to_owned());
    let said = refused(signed.locale, StatusCode::OK.as_u16(), "unsent-form");
    let filled = filled(shared, (page.clone(), form), &carried.0.action, said, &headers, Some(ConnectInfo(peer))).await;
    filled.unwrap_or_else(|| Redirect::to(&page).into_response())
}
