//! Which of several names was meant.

/// Letters of a code that may differ from what was meant.
const LETTERS_OFF_MAX: usize = 2;

/// The one of which a name looks most like what was given, where one does.
pub(super) fn meant<'a>(given: &str, all: impl Iterator<Item = (&'a str, Vec<&'a str>)>) -> Option<&'a str> {
    let given = given.trim().to_lowercase();
    // Of a short word, one letter off is another word already.
    let most = LETTERS_OFF_MAX.min(given.chars().count() / 3);
    let distance =
        |names: &[&str]| names.iter().map(|name| letters_off(&given, &name.to_lowercase())).min().unwrap_or(usize::MAX);
    let nearest = all.map(|(code, names)| (distance(&names), code)).min()?;
    (nearest.0 <= most).then_some(nearest.1)
}

/// Letters that must be added, taken away, changed or swapped with their neighbour to make one word of the other.
pub(super) fn letters_off(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().take(64).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().take(64).enumerate() {
        let mut next = vec![row.saturating_add(1)];
        for (column, against) in other.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX / 2);
            let mut least = at(&last, column).saturating_add(usize::from(letter != against));
            least = least
                .min(at(&last, column.saturating_add(1)).saturating_add(1))
                .min(at(&next, column).saturating_add(1));
            let (left, up) = (column.checked_sub(1), row.checked_sub(1));
            if let (Some(left), Some(up)) = (left, up)
                && one.get(up) == Some(against)
                && other.get(left) == Some(letter)
            {
                least = least.min(at(&before, left).saturating_add(1));
            }
            next.push(least);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(usize::MAX)
}
