//! What the next page says of what was just done, and the form that takes it back. It is kept for the session until that page is
//! shown, and in memory alone: a server that starts anew has nothing to say.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use granary_client_core::quantities::Instant;
use maud::{Markup, html};

use crate::console::again::{Asked, PAGE};
use crate::console::asked_back::{CONFIRMED, CONFIRMS_ALL};
use crate::console::forms::{Form, was};
use crate::console::page::token;
use crate::console::phones::{VILLAGES, in_one_word};
use crate::console::questions::{CLOSE, REOPEN};
use crate::console::signed_in::SignedIn;
use crate::console::turns::{Turns, sent};
use crate::console::unsent::AUTHOR;

/// Sessions for which something is kept at most; the oldest goes first.
const KEPT_MAX: usize = 500;
/// What could not be shown for so long is of no use any more.
const KEPT_MILLIS: i64 = 60_000;
/// Lines of what was left that are shown at most.
const LEFT_MAX: usize = 8;
/// The largest form that takes something back, in bytes.
const UNDO_BYTES_MAX: usize = 8_000;
/// Forms whose values can be put back by the same form.
const PUT_BACK: [&str; 7] = [
    "/console/lots/",
    "/console/households/",
    "/console/catalogue",
    "/console/promotions",
    "/console/cooperative/",
    "/console/skus",
    "/console/streams",
];
/// Fields that say which thing a form is of.
const KEYS: [&str; 8] = ["code", "new", "id", "year", "price", "product", "what", "sku"];
/// Fields that are of one sending alone.
const OF_ONE_SENDING: [&str; 7] = ["token", PAGE, AUTHOR, "seen", CONFIRMED, "sure", "kept"];

/// What was done, in one word that the page's words know, and how to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Done {
    word: &'static str,
    undo: Option<Undo>,
    told: Told,
}

/// What a form's handler says itself of what it did, put on its answer: a sentence in place of the word, and what it left as it was,
/// each with its page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::console) struct Told {
    pub(in crate::console) sentence: Option<String>,
    pub(in crate::console) left: Vec<(String, String)>,
}

impl Told {
    /// The answer that carries it to the next page.
    pub(in crate::console) fn with(self, mut answer: Response) -> Response {
        answer.extensions_mut().insert(self);
        answer
    }
}

/// A form that takes something back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Undo {
    action: String,
    fields: Vec<(String, String)>,
}

/// What is kept for sessions, the oldest first.
#[derive(Default)]
pub(in crate::console) struct Toasts(Mutex<VecDeque<(String, Instant, Done)>>);

impl Toasts {
    fn keep(&self, session: &str, now: Instant, done: Done) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, ..)| of != session);
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((session.to_owned(), now, done));
    }

    fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn take(&self, session: &str, now: Instant) -> Option<Done> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(of, ..)| of == session)?;
        let (_, at, done) = kept.remove(place)?;
        (now.millis_since(at) <= u64::try_from(KEPT_MILLIS).unwrap_or(0)).then_some(done)
    }
}

/// Keeps what a form did for the page to which it leads.
pub(in crate::console) async fn tell(request: Request, next: Next) -> Response {
    let asked = (request.method() == Method::POST).then(|| request.extensions().get::<Asked>().cloned()).flatten();
    let turns = request.extensions().get::<Arc<Turns>>().cloned();
    let toasts = request.extensions().get::<Arc<Toasts>>().cloned();
    let action = format!("/console{}", request.uri().path());
    let response = next.run(request).await;
    let leads_on = response.status() == StatusCode::SEE_OTHER && response.headers().contains_key(header::LOCATION);
    if let Some(((signed, form), toasts)) = asked.and_then(|asked| asked.known()).zip(toasts).filter(|_| leads_on)
        && signed.has_written()
    {
        let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        if let Some((turns, to)) = turns.zip(to) {
            turns.note_done(sent(&signed.token, &action, &form), to.to_owned());
        }
        // Nothing of who was erased waits in anybody's message.
        if action.ends_with("/erase") {
            toasts.forget_all();
        }
        let told = response.extensions().get::<Told>().cloned().unwrap_or_default();
        toasts.keep(&signed.token, crate::environment::now(), Done { told, ..done_by(&action, &form) });
    }
    response
}

fn done_by(action: &str, form: &Form) -> Done {
    let word = match (action, form.get("how")) {
        ("/console/cases/settle", "leave") => "left",
        ("/console/cases/settle" | "/console/cases/many", _) => "settled",
        (REOPEN, _) => "undone",
        _ if form.get("undoes") == "yes" || action.ends_with("/undo") => "undone",
        _ => "saved",
    };
    let undo = match action {
        "/console/cases/settle" => {
            let until = crate::environment::now().seconds().to_string();
            let fields = vec![("case".to_owned(), form.get("case").to_owned()), ("until".to_owned(), until)];
            Some(Undo { action: "/console/cases/undo".to_owned(), fields })
        }
        CLOSE => {
            let field = |name: &str| (name.to_owned(), form.get(name).to_owned());
            Some(Undo { action: REOPEN.to_owned(), fields: vec![field("question"), field("lot")] })
        }
        VILLAGES => {
            let seen = form.get(&was("villages"));
            let before = seen.split(',').map(|village| ("village".to_owned(), village.to_owned()));
            let villages: Vec<String> = form.all("village").map(str::to_owned).collect();
            let others = [
                ("device".to_owned(), form.get("device").to_owned()),
                (was("villages"), in_one_word(&villages)),
                ("undoes".to_owned(), "yes".to_owned()),
            ];
            let undoes = form.get("undoes") == "yes" || seen.is_empty();
            (!undoes).then(|| Undo { action: VILLAGES.to_owned(), fields: before.chain(others).collect() })
        }
        _ => put_back(action, form),
    };
    Done { word, undo, told: Told::default() }
}

/// The same form the other way round: it writes what stood there, and is refused where somebody else has written since. None where
/// the form also made something new.
fn put_back(action: &str, form: &Form) -> Option<Undo> {
    // A receipt can't be made unwritten; one that was changed gets its values back.
    let is_first_receipt = action.ends_with("/receipt") && form.get(&was("state")).is_empty();
    if is_first_receipt
        || !PUT_BACK.iter().any(|beginning| action.starts_with(beginning))
        || form.get("undoes") == "yes"
    {
        return None;
    }
    let mut fields = vec![("undoes".to_owned(), "yes".to_owned()), (CONFIRMED.to_owned(), CONFIRMS_ALL.to_owned())];
    let mut has_changed = false;
    for (name, value) in form.everything() {
        if OF_ONE_SENDING.contains(&name) || name.starts_with("was:") {
            continue;
        }
        let seen = was(name);
        if form.has(&seen) {
            let before = form.get(&seen);
            let is_changed = before != value.trim();
            // A price that holds from today is another price than the one that stood there.
            if is_changed && name.starts_with("price:") {
                return None;
            }
            has_changed |= is_changed;
            fields.extend([(name.to_owned(), before.to_owned()), (seen, value.to_owned())]);
        } else if KEYS.contains(&name) {
            fields.push((name.to_owned(), value.to_owned()));
        } else if !value.trim().is_empty() {
            return None;
        }
    }
    let bytes: usize = fields.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    (has_changed && bytes <= UNDO_BYTES_MAX).then(|| Undo { action: action.to_owned(), fields })
}

/// What was just done, for the page that is shown now.
pub(in crate::console) fn show(signed: &SignedIn) -> Markup {
    let Some(done) = signed.toasts.as_ref().and_then(|toasts| toasts.take(&signed.token, crate::environment::now()))
    else {
        return html! {};
    };
    let locale = signed.locale;
    html! {
        div.toast role="status" {
            p { (done.told.sentence.unwrap_or_else(|| locale.of("done", done.word))) }
            @if !done.told.left.is_empty() { ul {
                @for (address, words) in done.told.left.iter().take(LEFT_MAX) { li { a href=(address) { (words) } } }
                @if done.told.left.len() > LEFT_MAX { li { "…" } }
            } }
            @if let Some(undo) = done.undo {
                form method="post" action=(undo.action) {
                    (token(signed))
                    @for (name, value) in &undo.fields { input type="hidden" name=(name) value=(value); }
                    button.quiet data-undo { (locale.t("undo")) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        Form::of(fields)
    }

    #[test]
    fn what_was_changed_is_put_back_by_the_same_form() {
        let sent = form(&[("token", "x"), ("grams", "15.8"), ("was:grams", "18.5"), ("note", ""), ("was:note", "")]);
        let undo = put_back("/console/lots/7KQ2/correct", &sent).unwrap();
        let value = |name: &str| undo.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        assert_eq!((value("grams"), value("was:grams"), value("token")), (Some("18.5"), Some("15.8"), None));
        assert_eq!(value("undoes"), Some("yes"));
    }

    #[test]
    fn nothing_is_put_back_where_something_new_was_made_or_nothing_changed() {
        let new = form(&[("zh", "小米"), ("was:zh", "米"), ("new-price", "7.60")]);
        assert_eq!(put_back("/console/catalogue/product", &new), None);
        assert_eq!(put_back("/console/catalogue/product", &form(&[("zh", "米"), ("was:zh", "米")])), None);
        assert_eq!(put_back("/console/password", &form(&[("a", "1"), ("was:a", "2")])), None);
        let undone = form(&[("undoes", "yes"), ("zh", "小米"), ("was:zh", "米")]);
        assert_eq!(put_back("/console/catalogue/product", &undone), None);
    }

    #[test]
    fn a_message_is_shown_once_to_its_session_and_only_for_a_while() {
        let toasts = Toasts::default();
        let done = Done { word: "saved", undo: None, told: Told::default() };
        toasts.keep("a", Instant(0), done.clone());
        assert_eq!(toasts.take("b", Instant(1)), None);
        assert_eq!(toasts.take("a", Instant(1)), Some(done.clone()));
        assert_eq!(toasts.take("a", Instant(1)), None);
        toasts.keep("a", Instant(0), done.clone());
        assert_eq!(toasts.take("a", Instant(KEPT_MILLIS + 1)), None);
        for number in 0..KEPT_MAX + 3 {
            toasts.keep(&number.to_string(), Instant(0), done.clone());
        }
        assert_eq!(toasts.0.lock().unwrap().len(), KEPT_MAX);
    }
}
