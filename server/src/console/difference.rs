//! Values side by side, with what differs marked: a wrong digit is seen at once.

use maud::{Markup, html};

/// Values that may differ, each with the letters marked that it does not share with the others, at its beginning or its end.
pub(super) fn marked(values: &[String]) -> Vec<Markup> {
    let letters: Vec<Vec<char>> = values.iter().map(|value| value.chars().collect()).collect();
    let shortest = letters.iter().map(Vec::len).min().unwrap_or(0);
    let alike = |at: &dyn Fn(&Vec<char>) -> Option<char>| {
        let mut found = letters.iter().map(at);
        let first = found.next().flatten();
        found.all(|letter| letter == first)
    };
    let begin = (0..shortest).take_while(|place| alike(&|value| value.get(*place).copied())).count();
    let room = shortest.saturating_sub(begin);
    let end = (1..=room).take_while(|back| alike(&|value| value.get(value.len().checked_sub(*back)?).copied())).count();
    letters
        .iter()
        .map(|value| {
            let until = value.len().saturating_sub(end);
            let text = |from: usize, to: usize| value.get(from..to).unwrap_or_default().iter().collect::<String>();
            let (before, differs, after) = (text(0, begin), text(begin, until), text(until, value.len()));
            html! { (before) @if !differs.is_empty() { mark { (differs) } } (after) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(values: &[&str]) -> Vec<String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        marked(&values).into_iter().map(|one| one.0).collect()
    }

    #[test]
    fn what_differs_is_marked_and_nothing_else() {
        assert_eq!(marks(&["18.5 kg", "15.8 kg"]), ["1<mark>8.5</mark> kg", "1<mark>5.8</mark> kg"]);
        assert_eq!(marks(&["12 kg", "125 kg"]), ["12 kg", "12<mark>5</mark> kg"]);
        assert_eq!(marks(&["东坡地", "西坡地"]), ["<mark>东</mark>坡地", "<mark>西</mark>坡地"]);
        assert_eq!(marks(&["11", "1"]), ["1<mark>1</mark>", "1"]);
        assert_eq!(marks(&["same", "same"]), ["same", "same"]);
        assert_eq!(marks(&["", "<b>"]), ["", "<mark>&lt;b&gt;</mark>"]);
        assert_eq!(marks(&["a", "b", "ab"]), ["<mark>a</mark>", "<mark>b</mark>", "<mark>ab</mark>"]);
        assert!(marks(&[]).is_empty());
    }
}
