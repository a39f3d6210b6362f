//! How numbers are shown, one way everywhere: groups of three with commas, as many places as they need.

/// `units` divided by `per`, with as many places as it needs, up to three.
pub fn decimal(units: i64, per: u64) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let units = units.unsigned_abs();
    let per = per.max(1);
    let thousandths = (units % per).saturating_mul(1000) / per;
    let whole = grouped(units / per);
    if thousandths == 0 {
        return format!("{sign}{whole}");
    }
    let places = format!("{thousandths:03}");
    format!("{sign}{whole}.{}", places.trim_end_matches('0'))
}

/// A number with groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len().saturating_add(6));
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_in_groups() {
        assert_eq!((grouped(0), grouped(999), grouped(1_250)), ("0".into(), "999".into(), "1,250".into()));
        assert_eq!(decimal(1_250_000, 1000), "1,250");
        assert_eq!(decimal(-1_234_567, 1000), "-1,234.567");
        assert_eq!(decimal(12_500, 1000), "12.5");
    }
}
