//! Values side by side, with what differs marked: a wrong digit is seen at once.

use maud::{Markup, html};

/// Letters of two values that are compared one by one at most: of longer texts all between their common ends is marked.
const COMPARED_MAX: usize = 40_000;

/// Values that may differ, each with the letters marked that the next one lacks.
pub(super) fn marked(values: &[String]) -> Vec<Markup> {
    let letters: Vec<Vec<char>> = values.iter().map(|value| value.chars().collect()).collect();
    let others = letters.iter().cycle().skip(1);
    letters.iter().zip(others).map(|(value, other)| shown(value, &lacking(value, other))).collect()
}

/// A value with these of its letters marked.
fn shown(value: &[char], is_marked: &[bool]) -> Markup {
    let mut runs: Vec<(bool, String)> = Vec::new();
    for (letter, is_marked) in value.iter().zip(is_marked) {
        match runs.last_mut() {
            Some((of, text)) if of == is_marked => text.push(*letter),
            _ => runs.push((*is_marked, letter.to_string())),
        }
    }
    html! { @for (is_marked, text) in &runs { @if *is_marked { mark { (text) } } @else { (text) } } }
}

/// Which letters of a value another one lacks. Figures are compared with the figures in their places, other texts letter by letter.
fn lacking(value: &[char], other: &[char]) -> Vec<bool> {
    let (own, its) = (pieces(value), pieces(other));
    let is_figure = |piece: &&[char]| piece.first().is_some_and(|letter| is_of_figure(*letter));
    let is_alike = |(one, two): (&&[char], &&[char])| one == two || (is_figure(one) && is_figure(two));
    if own.len() == its.len() && own.iter().zip(&its).all(is_alike) {
        return own
            .iter()
            .zip(&its)
            .flat_map(|(one, two)| between_ends(one, two, |own, _| vec![true; own.len()]))
            .collect();
    }
    between_ends(value, other, |own, its| match own.len().saturating_mul(its.len()) > COMPARED_MAX {
        true => vec![true; own.len()],
        false => longest(own, its),
    })
}

fn is_of_figure(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, '.' | ',')
}

/// A text as figures and what is between them.
fn pieces(text: &[char]) -> Vec<&[char]> {
    text.chunk_by(|one, two| is_of_figure(*one) == is_of_figure(*two)).collect()
}

/// What `compare` says of two texts without the beginning and the end that both have, which neither lacks.
fn between_ends(value: &[char], other: &[char], compare: impl FnOnce(&[char], &[char]) -> Vec<bool>) -> Vec<bool> {
    let begin = value.iter().zip(other).take_while(|(one, two)| one == two).count();
    let rest = |text: &[char]| text.get(begin..).unwrap_or_default().to_vec();
    let (mut own, mut its) = (rest(value), rest(other));
    while own.last().is_some() && own.last() == its.last() {
        own.pop();
        its.pop();
    }
    let mut lacks = vec![false; value.len()];
    for (place, is_lacking) in lacks.iter_mut().skip(begin).zip(compare(&own, &its)) {
        *place = is_lacking;
    }
    lacks
}

/// The same, without common ends.
fn longest(own: &[char], its: &[char]) -> Vec<bool> {
    // How long a sequence both have from each pair of places on, from the ends.
    let width = its.len().saturating_add(1);
    let mut rows: Vec<Vec<u32>> = vec![vec![0; width]];
    for letter in own.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0u32; width];
        for (place, other) in its.iter().enumerate().rev() {
            let after = place.saturating_add(1);
            let at = |row: &[u32], place: usize| row.get(place).copied().unwrap_or(0);
            let best = match letter == other {
                true => at(&below, after).saturating_add(1),
                false => at(&below, place).max(at(&row, after)),
            };
            if let Some(cell) = row.get_mut(place) {
                *cell = best;
            }
        }
        rows.push(row);
    }
    rows.reverse();
    let best = |row: usize, place: usize| rows.get(row).and_then(|row| row.get(place)).copied().unwrap_or(0);
    let mut place = 0usize;
    let lacks = own.iter().enumerate().map(|(row, letter)| {
        let below = row.saturating_add(1);
        while its.get(place).is_some_and(|other| other != letter)
            && best(row, place) == best(row, place.saturating_add(1))
        {
            place = place.saturating_add(1);
        }
        let is_shared = its.get(place) == Some(letter) && best(row, place) > best(below, place);
        if is_shared {
            place = place.saturating_add(1);
        }
        !is_shared
    });
    lacks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marks(values: &[&str]) -> Vec<String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        marked(&values).into_iter().map(|one| one.0).collect()
    }

    #[test]
    fn what_differs_is_marked_and_nothing_else() {
        assert_eq!(marks(&["12.5 kg", "15.2 kg"]), ["1<mark>2.5</mark> kg", "1<mark>5.2</mark> kg"]);
        assert_eq!(marks(&["2026-10-03", "2026-11-03"]), ["2026-1<mark>0</mark>-03", "2026-1<mark>1</mark>-03"]);
        let fields = marks(&["east field", "eastern fields"]);
        assert_eq!(fields, ["east field", "east<mark>ern</mark> field<mark>s</mark>"]);
        assert_eq!(marks(&["12 kg", "125 kg"]), ["12 kg", "12<mark>5</mark> kg"]);
        assert_eq!(marks(&["东坡地", "西坡地"]), ["<mark>东</mark>坡地", "<mark>西</mark>坡地"]);
        let weights = marks(&["45.8 公斤（91.6 斤）", "46 公斤（92 斤）"]);
        assert_eq!(
            weights,
            ["4<mark>5.8</mark> 公斤（9<mark>1.6</mark> 斤）", "4<mark>6</mark> 公斤（9<mark>2</mark> 斤）"]
        );
        assert_eq!(marks(&["11", "1"]), ["1<mark>1</mark>", "1"]);
        assert_eq!(marks(&["same", "same"]), ["same", "same"]);
        assert_eq!(marks(&["", "<b>"]), ["", "<mark>&lt;b&gt;</mark>"]);
        assert_eq!(marks(&["a", "b", "ab"]), ["<mark>a</mark>", "b", "a<mark>b</mark>"]);
        let long = ["a".repeat(500), "b".repeat(500)];
        assert_eq!(marked(&long)[0].0, format!("<mark>{}</mark>", long[0]));
        assert!(marks(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn text_stays_and_what_is_not_marked_is_in_both(one in "[ab1.]{0,12}", two in "[ab1.]{0,12}") {
            let (left, right): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
            let kept = |value: &[char], other: &[char]| -> String {
                value.iter().zip(lacking(value, other)).filter(|(_, lacks)| !lacks).map(|(letter, _)| *letter).collect()
            };
            let shared = kept(&left, &right);
            prop_assert_eq!(shared.len(), kept(&right, &left).len());
            // What is kept is a sequence of the other value.
            let mut rest = right.iter();
            prop_assert!(shared.chars().all(|letter| rest.any(|other| *other == letter)));
            prop_assert_eq!(shown(&left, &lacking(&left, &right)).0.replace("<mark>", "").replace("</mark>", ""), one);
        }
    }
}
