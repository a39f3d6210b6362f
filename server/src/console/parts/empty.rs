//! A place where nothing is yet.

use maud::{Markup, html};

/// Says that nothing is there, and where to go on: addresses with their words.
pub(in crate::console) fn empty(words: String, next: &[(&str, String)]) -> Markup {
    html! {
        p.empty {
            (words)
            @for (place, (address, words)) in next.iter().enumerate() {
                @if place > 0 { " ·" } " " a href=(address) { (words) }
            }
        }
    }
}
