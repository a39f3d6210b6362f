//! Letters that turn the direction of text: a note with one of them can show its figures the other way round. On a page their names
//! stand in their place. Fields keep what stands there, so that a form changes only what its author changed.

/// True for what embeds, overrides or isolates a direction.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A page, with the names of such letters in its texts.
pub(super) fn shown(page: String) -> String {
    if !page.contains(turns) {
        return page;
    }
    let (mut shown, mut rest) = (String::with_capacity(page.len()), page.as_str());
    while !rest.is_empty() {
        // A tag, with a text area's content, stays as it is; what is before it is text.
        let (text, from) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        for letter in text.chars() {
            match turns(letter) {
                true => shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(letter))),
                false => shown.push(letter),
            }
        }
        let end = if from.starts_with("<textarea") { "</textarea>" } else { ">" };
        let length = from.find(end).map_or(from.len(), |at| at.saturating_add(end.len()));
        let (tag, after) = from.split_at(length);
        shown.push_str(tag);
        rest = after;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_turn_text_are_named_and_fields_keep_them() {
        let page = "<p title=\"\u{202E}a\">12\u{202E}5 kg</p><textarea name=\"note\">\u{2066}x</textarea>\u{2069}";
        let named = "<p title=\"\u{202E}a\">12⟨U+202E⟩5 kg</p><textarea name=\"note\">\u{2066}x</textarea>⟨U+2069⟩";
        assert_eq!(shown(page.to_owned()), named);
        assert_eq!(shown("<p>李家 <".to_owned()), "<p>李家 <");
        assert_eq!(shown("\u{202E}<textarea".to_owned()), "⟨U+202E⟩<textarea");
    }
}
