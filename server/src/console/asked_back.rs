//! What is unusual about a form is asked back in the form itself: it comes again on its page with what was typed and the question
//! beside its field, and its button pressed once more confirms it. A figure that is typed anew is asked about anew.

use granary_client_core::plausibility::Unusual;
use granary_client_core::words::{Language, Words};
use maud::{Markup, html};

use super::forms::Form;
use super::i18n::Locale;
use super::inputs::FAULT;
use super::refusal::{Refused, asked};

/// The hidden field with what a form confirms.
pub(super) const CONFIRMED: &str = "confirmed";
/// What a form confirms that puts back what stood there before, whatever it is.
pub(super) const CONFIRMS_ALL: &str = "yes";

/// The questions about one form.
#[derive(Debug, Clone)]
pub(super) struct AskedBack {
    /// Each field that is asked about once, with its question.
    fields: Vec<(String, String)>,
    /// What the form confirms when it is sent once more.
    confirms: String,
}

impl AskedBack {
    fn of(locale: Locale, form: &Form, odd: &[(String, Unusual)]) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (field, odd) in odd {
            let sentence = odd.words(locale.language);
            match fields.iter_mut().find(|(of, _)| of == field) {
                Some((_, said)) => *said = format!("{said} · {sentence}"),
                None => fields.push((field.clone(), sentence)),
            }
        }
        // In the order of the form; what is about none of its fields stands above them.
        fields.sort_by_key(|(field, _)| form.everything().position(|(name, _)| name == field));
        Self { fields, confirms: figures(odd) }
    }

    /// All questions, each with the mark of its place in the form.
    pub(super) fn all(&self) -> impl Iterator<Item = (String, &str, &str)> {
        self.fields.iter().enumerate().map(|(place, (field, said))| {
            let mark = if place == 0 { FAULT.to_owned() } else { format!("{FAULT}-{place}") };
            (mark, field.as_str(), said.as_str())
        })
    }

    /// The hidden field that confirms.
    pub(super) fn hidden(&self) -> Markup {
        html! { input type="hidden" name=(CONFIRMED) value=(self.confirms); }
    }

    /// The whole form on a page that is not its own, for when its own does not show it any more.
    pub(super) fn apart(&self, locale: Locale, action: &str, form: &Form) -> Markup {
        html! {
            ul { @for (_, _, said) in self.all() { li.mark { (said) } } }
            form.card method="post" action=(action) {
                @for (name, value) in form.everything().filter(|(name, _)| *name != CONFIRMED) {
                    input type="hidden" name=(name) value=(value);
                }
                (self.hidden())
                p { (locale.t("unusual-ask")) }
                button { (confirming(locale, &locale.t("save"))) }
            }
        }
    }
}

/// A button's words where they confirm.
pub(super) fn confirming(locale: Locale, words: &str) -> String {
    locale.with("unusual-confirm", &[("action", words.to_owned())])
}

/// What is asked about, the same in every language.
fn figures(odd: &[(String, Unusual)]) -> String {
    let all = odd.iter().map(|(_, odd)| odd.words(Language::English));
    all.collect::<Vec<_>>().join(" · ")
}

/// Asks about what is unusual, each with its field, unless the form confirms just this.
pub(super) fn must_be_confirmed(locale: Locale, form: &Form, odd: &[(String, Unusual)]) -> Result<(), Refused> {
    let confirmed = form.get(CONFIRMED);
    let is_confirmed = odd.is_empty() || confirmed == CONFIRMS_ALL || confirmed == figures(odd);
    if is_confirmed { Ok(()) } else { Err(asked(locale, AskedBack::of(locale, form, odd))) }
}
