//! Who belongs to a household, and how it is paid.

use granary_client_core::ids::HouseholdId;
use granary_client_core::schema::Document;
use granary_client_core::schema::household::{self, Household, Member};
use maud::{Markup, html};

use super::shown;
use crate::console::inputs::{Inputs, REQUIRED, TEXT};
use crate::console::names::Names;
use crate::console::page::token;
use crate::console::signed_in::SignedIn;

/// The form of a household's own fields.
pub(super) fn form(signed: &SignedIn, names: &Names, id: HouseholdId, read: &Household) -> Markup {
    let locale = signed.locale;
    let action = format!("/console/households/{id}");
    let form = Inputs::of(signed, &action, &[]);
    let [(_, name), (_, village), (_, payment)] = shown(read);
    let none = locale.t("no-village");
    html! {
        form.card #particulars method="post" action=(action) {
            (form.hidden())
            label { (locale.t("name")) (form.field("name", &name, REQUIRED)) }
            label { (locale.t("village")) (form.choice("village", &village, names.village_choices(&none))) }
            label { (locale.t("payment")) (form.field("payment", &payment, TEXT)) }
            p.small { (locale.t("payment-empty")) }
            label { (locale.t("add-member")) (form.empty("member", TEXT)) }
            button { (locale.t("save")) }
        }
    }
}

/// Its members, each to be taken out; those who left, to be put back; and the payment account that was cleared.
pub(super) fn section(signed: &SignedIn, id: HouseholdId, read: &Household, document: Option<&mut Document>) -> Markup {
    let locale = signed.locale;
    let (present, left): (Vec<&Member>, Vec<&Member>) = read.people.iter().partition(|member| member.left.is_none());
    let cleared = document.and_then(household::last_payment);
    html! {
        section #people {
            h2 { (locale.t("members")) }
            @if present.is_empty() { p.empty { (locale.t("no-members")) } }
            ul { @for member in &present { li { (member.name) " " (move_form(signed, id, &member.key, "out", "member-out")) } } }
            @if !left.is_empty() {
                details { summary { (locale.t("members-left")) }
                    ul { @for member in &left { li {
                        (member.name) @if let Some(day) = member.left { " " span.small { (locale.with("member-left", &[("day", day.to_string())])) } }
                        " " (move_form(signed, id, &member.key, "in", "member-in"))
                    } } }
                }
            }
            @if let Some(payment) = cleared {
                p { (locale.with("payment-cleared", &[("payment", payment)])) " "
                    form.inline method="post" action={ "/console/households/" (id) "/payment" } { (token(signed)) button.quiet { (locale.t("put-back")) } } }
            }
        }
    }
}

fn move_form(signed: &SignedIn, id: HouseholdId, member: &str, what: &str, word: &str) -> Markup {
    html! {
        form.inline method="post" action={ "/console/households/" (id) "/member" } {
            (token(signed)) input type="hidden" name="member" value=(member);
            button.quiet name="what" value=(what) { (signed.locale.t(word)) }
        }
    }
}
