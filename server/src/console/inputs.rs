//! The fields of a form on a page. Each carries what its author sees; in a form that was refused they hold what she typed, what
//! she had seen, and the fault beside its field.

use maud::{Markup, html};

use super::again::Again;
use super::asked_back::{AskedBack, confirming};
use super::forms::{Form, was};
use super::i18n::Locale;
use super::page::token;
use super::signed_in::SignedIn;
use crate::engine::Names;

/// The mark at the fault of a refused form.
pub(super) const FAULT: &str = "fault";

/// What a browser takes in a field.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    /// As HTML has it.
    takes: &'static str,
    /// The message that says it to people, with how many letters there may be at most.
    says: &'static str,
    most: u64,
}

/// How a field is typed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kind {
    /// As HTML has it; empty for a text.
    kind: &'static str,
    mode: Option<&'static str>,
    is_required: bool,
    pattern: Option<Pattern>,
    letters_max: Option<usize>,
    autocomplete: Option<&'static str>,
}

/// A text in one line.
pub(super) const TEXT: Kind =
    Kind { kind: "text", mode: None, is_required: false, pattern: None, letters_max: None, autocomplete: None };
/// A text that must be there.
pub(super) const REQUIRED: Kind = Kind { is_required: true, ..TEXT };
/// A weight, a price, a moisture.
pub(super) const AMOUNT: Kind = Kind { mode: Some("decimal"), ..TEXT };
/// A day.
pub(super) const DAY: Kind = Kind { kind: "date", ..TEXT };
/// A moment, in China's time.
pub(super) const MOMENT: Kind = Kind { kind: "datetime-local", ..TEXT };
/// A count.
pub(super) const COUNT: Kind = Kind { mode: Some("numeric"), ..TEXT };
/// The code of a platform that is in no choice.
pub(super) const PLATFORM: Kind = Kind {
    pattern: Some(Pattern { takes: "[a-z0-9\\-]{1,32}", says: "code-takes", most: 32 }),
    letters_max: Some(32),
    ..TEXT
};
/// A code of a product, a promotion, a village, a place.
pub(super) const CODE: Kind = Kind {
    is_required: true,
    pattern: Some(Pattern { takes: "[a-z0-9\\-]{1,40}", says: "code-takes", most: 40 }),
    ..TEXT
};

impl Kind {
    /// The same, which must be there.
    pub(super) fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The same, with at most so many letters.
    pub(super) fn at_most(self, letters: usize) -> Self {
        Self { letters_max: Some(letters), ..self }
    }

    /// A password, which a browser keeps under this name and which no page shows again.
    pub(super) fn password(autocomplete: &'static str) -> Self {
        Self { kind: "password", is_required: true, autocomplete: Some(autocomplete), ..TEXT }
    }
}

/// The fields of one form.
pub(super) struct Inputs<'a> {
    signed: &'a SignedIn,
    keys: Vec<(&'static str, String)>,
    /// The form, where it was refused.
    again: Option<&'a Again>,
}

impl<'a> Inputs<'a> {
    /// The form that is sent to `action` with these keys in it, which tell it from others on the page.
    pub(super) fn of(signed: &'a SignedIn, action: &str, keys: &[(&'static str, &str)]) -> Self {
        let is_this =
            |again: &&Again| again.action == action && keys.iter().all(|(name, key)| again.form.get(name) == *key);
        let again = signed.again.as_deref().filter(is_this).filter(|again| !again.is_shown());
        if let Some(again) = again {
            again.note_shown();
        }
        let keys = keys.iter().map(|(name, key)| (*name, (*key).to_owned())).collect();
        Self { signed, keys, again }
    }

    /// True for a form that was refused and comes back.
    pub(super) fn was_refused(&self) -> bool {
        self.again.is_some()
    }

    /// What is asked about the form.
    fn asked(&self) -> Option<&'a AskedBack> {
        self.again.and_then(|again| again.refused.asked.as_deref())
    }

    /// What the form's button says: that it confirms, where something is asked.
    pub(super) fn doing(&self, words: &str) -> String {
        let words = self.signed.locale.t(words);
        if self.asked().is_some() { confirming(self.signed.locale, &words) } else { words }
    }

    /// The fields that nobody sees: the session's token, the page, the keys; above them a fault that is of no one field.
    pub(super) fn hidden(&self) -> Markup {
        let fault = self.again.filter(|again| again.refused.field.is_none() && again.refused.asked.is_none());
        html! {
            @if let Some((asked, again)) = self.asked().zip(self.again) {
                (asked.hidden())
                @for (mark, _, said) in asked.all().filter(|(_, field, _)| !again.form.has(field)) { p.ask id=(mark) tabindex="-1" { (said) } }
            }
            (token(self.signed))
            @for (name, key) in &self.keys { input type="hidden" name=(name) value=(key); }
            @if let Some(again) = fault { p.error id=(FAULT) tabindex="-1" { (again.refused.sentence) } }
        }
    }

    /// A hidden field with what the author sees of something that is no field, such as a version.
    pub(super) fn seen(&self, name: &str, now: &str) -> Markup {
        let seen = match self.again {
            Some(again) if again.form.has(name) && !again.refused.is_seen_anew => again.form.get(name),
            _ => now,
        };
        html! { input type="hidden" name=(name) value=(seen); }
    }

    fn is_wrong(&self, name: &str) -> bool {
        self.again.is_some_and(|again| again.refused.field.as_deref() == Some(name))
    }

    /// What a field holds: what was typed, or `shown`.
    pub(super) fn value(&self, name: &str, shown: &str) -> String {
        let typed = self.again.filter(|again| again.form.has(name));
        typed.map_or_else(|| shown.to_owned(), |again| again.form.get(name).to_owned())
    }

    /// True for the choice of a field that was made, or is made where the form is new.
    pub(super) fn is_chosen(&self, name: &str, value: &str, when_new: bool) -> bool {
        match self.again {
            Some(again) => again.form.all(name).any(|chosen| chosen == value),
            None => when_new,
        }
    }

    /// True for a field that shows what its author had not seen: the refused one, or all where it is no one field.
    fn is_seen_anew(&self, again: &Again, name: &str) -> bool {
        again.refused.is_seen_anew && (again.refused.field.is_none() || self.is_wrong(name))
    }

    /// The hidden field with what the author saw of a field.
    pub(super) fn was(&self, name: &str, shown: &str) -> Markup {
        let hidden = was(name);
        let seen = match self.again {
            Some(again) if again.form.has(&hidden) && !self.is_seen_anew(again, name) => again.form.get(&hidden),
            _ => shown,
        };
        html! { input type="hidden" name=(hidden) value=(seen); }
    }

    /// What is said beside a field, its fault or the question about it, with its mark.
    fn said(&self, name: &str) -> Option<(String, &'a str)> {
        match self.asked() {
            Some(asked) => asked.all().find(|(_, field, _)| *field == name).map(|(mark, _, said)| (mark, said)),
            None => self
                .again
                .filter(|_| self.is_wrong(name))
                .map(|again| (FAULT.to_owned(), again.refused.sentence.as_str())),
        }
    }

    /// The fault of a field, or the question about it, where there is one.
    pub(super) fn fault(&self, name: &str) -> Markup {
        let look = if self.asked().is_some() { "ask" } else { "error" };
        html! { @if let Some((mark, said)) = self.said(name) { span class=(look) id=(mark) { (said) } } }
    }

    /// The mark of what is said beside a field, and whether it is the first of the form, which gets the focus.
    fn mark(&self, name: &str) -> (Option<String>, bool) {
        let mark = self.said(name).map(|(mark, _)| mark);
        let is_first = mark.as_deref() == Some(FAULT);
        (mark, is_first)
    }

    /// A field that its author fills: nothing is in it before.
    pub(super) fn empty(&self, name: &str, kind: Kind) -> Markup {
        let value = if kind.kind == "password" { String::new() } else { self.value(name, "") };
        self.input(name, &value, kind)
    }

    /// A field with a start that nobody has written yet, such as today.
    pub(super) fn proposed(&self, name: &str, proposal: &str, kind: Kind) -> Markup {
        self.input(name, &self.value(name, proposal), kind)
    }

    fn input(&self, name: &str, value: &str, kind: Kind) -> Markup {
        let (is_wrong, (mark, is_first)) = (self.is_wrong(name), self.mark(name));
        let says = |pattern: Pattern| self.signed.locale.with(pattern.says, &[("most", pattern.most.to_string())]);
        html! {
            input type=(kind.kind) name=(name) value=(value) inputmode=[kind.mode] required[kind.is_required] pattern=[kind.pattern.map(|pattern| pattern.takes)] title=[kind.pattern.map(says)]
                maxlength=[kind.letters_max] autocomplete=[kind.autocomplete] aria-invalid=[is_wrong.then_some("true")]
                aria-describedby=[mark] autofocus[is_first];
            (self.fault(name))
        }
    }

    /// A field of something that is here.
    pub(super) fn field(&self, name: &str, shown: &str, kind: Kind) -> Markup {
        html! { (self.input(name, &self.value(name, shown), kind)) (self.was(name, shown)) }
    }

    /// A field of several lines of something that is here.
    pub(super) fn lines(&self, name: &str, shown: &str) -> Markup {
        let (is_wrong, (mark, is_first)) = (self.is_wrong(name), self.mark(name));
        html! {
            textarea name=(name) rows="2" aria-invalid=[is_wrong.then_some("true")] aria-describedby=[mark] autofocus[is_first] { (self.value(name, shown)) }
            (self.fault(name)) (self.was(name, shown))
        }
    }

    /// A field of several lines that its author fills.
    pub(super) fn empty_lines(&self, name: &str, letters_max: usize) -> Markup {
        let (value, is_wrong) = (self.value(name, ""), self.is_wrong(name));
        html! {
            textarea name=(name) rows="2" required maxlength=(letters_max) aria-invalid=[is_wrong.then_some("true")]
                aria-describedby=[is_wrong.then_some(FAULT)] autofocus[is_wrong] { (value) }
            (self.fault(name))
        }
    }

    /// A choice among codes with their names, of something that is here. One that is not among them stays.
    pub(super) fn choice<'b>(
        &self,
        name: &str,
        shown: &str,
        choices: impl IntoIterator<Item = (&'b str, String)>,
    ) -> Markup {
        html! { (self.select(name, shown, choices)) (self.was(name, shown)) }
    }

    /// As [`Self::choice`], of something new.
    pub(super) fn select<'b>(
        &self,
        name: &str,
        shown: &str,
        choices: impl IntoIterator<Item = (&'b str, String)>,
    ) -> Markup {
        let (value, choices): (String, Vec<_>) = (self.value(name, shown), choices.into_iter().collect());
        let (is_wrong, (mark, is_first)) = (self.is_wrong(name), self.mark(name));
        html! {
            select name=(name) aria-invalid=[is_wrong.then_some("true")] aria-describedby=[mark] autofocus[is_first] {
                @if !choices.iter().any(|(code, _)| *code == value) { option value=(value) selected { (value) } }
                @for (code, name) in &choices { option value=(code) selected[*code == value] { (name) } }
            }
            (self.fault(name))
        }
    }
}

/// The box that erases the name of whoever is taken out.
pub(super) fn erases_name(locale: Locale) -> Markup {
    html! { label.check { input type="checkbox" name="erase" value="yes"; (locale.t("erase-name")) } }
}

/// What [`erases_name`] says.
pub(super) fn names_of(form: &Form) -> Names {
    if form.get("erase") == "yes" { Names::Erased } else { Names::Kept }
}

/// The box that must be ticked before something that is hard to take back.
pub(super) fn sure(locale: Locale) -> Markup {
    html! { label.check { input type="checkbox" name="sure" value="yes" required; (locale.t("sure")) } }
}
