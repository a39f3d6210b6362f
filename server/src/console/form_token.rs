//! The token that every form of a session carries (CSRF), masked anew for each page. Pages are compressed, and what else
//! stands in them is partly a stranger's: with one and the same token in all of them, the lengths of many would tell it
//! (BREACH, <https://breachattack.com>).

use crate::access::accounts::new_token;
use crate::error::Error;

/// The digits of two hexadecimal texts, one over the other; none where one is longer, or no such text.
fn over(one: &str, other: &str) -> Option<String> {
    let digits = |(a, b): (char, char)| char::from_digit(a.to_digit(16)? ^ b.to_digit(16)?, 16);
    (one.len() == other.len()).then(|| one.chars().zip(other.chars()).map(digits).collect()).flatten()
}

/// A mask, and the token under it.
pub(super) fn masked(token: &str) -> Result<String, Error> {
    let mask = new_token()?;
    let under = over(&mask, token).unwrap_or_default();
    Ok(mask + &under)
}

/// True when a form's token is this one under a mask. Compares every byte, so that the time reveals nothing.
pub(super) fn is_masked(given: &str, token: &str) -> bool {
    let (Some(mask), Some(under)) = (given.get(..token.len()), given.get(token.len()..)) else { return false };
    let Some(found) = over(mask, under) else { return false };
    let differences = found.bytes().zip(token.bytes()).fold(0u8, |all, (a, b)| all | (a ^ b));
    found.len() == token.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_found_under_each_mask_and_no_other_is() {
        let (own, others) = (new_token().unwrap(), new_token().unwrap());
        let (one, two) = (masked(&own).unwrap(), masked(&own).unwrap());
        assert_ne!(one, two);
        assert!(!one.contains(&own) && !two.contains(&own));
        assert!(is_masked(&one, &own) && is_masked(&two, &own));
        assert!(!is_masked(&masked(&others).unwrap(), &own));
        for wrong in ["", &own, &one[1..], &format!("{one}0"), &"0".repeat(96), &"é".repeat(48), "中"] {
            assert!(!is_masked(wrong, &own), "{wrong}");
        }
    }
}
