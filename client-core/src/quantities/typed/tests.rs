use proptest::prelude::*;

use super::*;

fn kilograms(text: &str) -> Result<i64, TypedFault> {
    weight(text, WeightUnit::Kilogram).map(Grams::get)
}

fn readings(fault: TypedFault) -> [String; 2] {
    match fault {
        TypedFault::Ambiguous { readings, .. } => readings,
        other => panic!("{other:?} is not ambiguous"),
    }
}

#[test]
fn weights_are_read_as_people_write_them() {
    for (written, grams) in [
        ("12", 12_000),
        ("12.5", 12_500),
        ("12,5", 12_500),
        ("12,50", 12_500),
        ("１２．５", 12_500),
        ("１２，５", 12_500),
        ("12。5", 12_500),
        ("12.5公斤", 12_500),
        ("12.5 公斤", 12_500),
        ("12.5　千克", 12_500),
        ("12,5kg", 12_500),
        ("12.5 KG", 12_500),
        ("１２．５ｋｇ", 12_500),
        ("12500g", 12_500),
        ("12500 克", 12_500),
        ("25斤", 12_500),
        ("25 jin", 12_500),
        ("25.5 Jin", 12_750),
        ("25市斤", 12_500),
        ("3两", 150),
        ("1.2吨", 1_200_000),
        ("1,250", 1_250_000),
        ("1，250", 1_250_000),
        ("12,500", 12_500_000),
        ("1,250 g", 1_250),
        ("1,250.5", 1_250_500),
        ("100,250.125", 100_250_125),
        ("1.250", 1_250),
        ("0,250", 250),
        ("0.250", 250),
        (".5", 500),
        (",5", 500),
        ("  7  ", 7_000),
        ("12.5000", 12_500),
        ("007", 7_000),
    ] {
        assert_eq!(kilograms(written), Ok(grams), "{written}");
    }
}

#[test]
fn what_is_empty_is_called_so() {
    for empty in ["", "  ", "　"] {
        assert_eq!(kilograms(empty), Err(TypedFault::Nothing));
        assert_eq!(price_per_kilogram(empty), Err(TypedFault::Nothing));
        assert_eq!(moisture(empty), Err(TypedFault::Nothing));
    }
}

#[test]
fn prices_are_read_as_people_write_them() {
    for (written, fen) in [
        ("12.40", 1_240),
        ("12,40", 1_240),
        ("¥12.40", 1_240),
        ("￥ 12.40", 1_240),
        ("１２．４０元", 1_240),
        ("12.4块", 1_240),
        ("12块钱", 1_200),
        ("5角", 50),
        ("¥1,250", 125_000),
        ("1,250.50", 125_050),
        ("0", 0),
        ("3.8元/斤", 760),
        ("7.6 yuan/kg", 760),
        ("7.60元/公斤", 760),
    ] {
        assert_eq!(price_per_kilogram(written).map(Fen::get), Ok(fen), "{written}");
    }
    assert_eq!(price_per_kilogram("7.605").unwrap_err().code(), "too-fine");
    assert_eq!(price_per_kilogram("$7").unwrap_err().code(), "not-a-number");
    assert_eq!(price_per_kilogram("7 kg").unwrap_err().code(), "unknown-unit");
}

#[test]
fn moistures_are_read_as_people_write_them() {
    for (written, permille) in
        [("13.5", 135), ("13,5", 135), ("13.5%", 135), ("１３．５％", 135), ("135‰", 135), ("14", 140)]
    {
        assert_eq!(moisture(written).map(Permille::get), Ok(permille), "{written}");
    }
    assert_eq!(moisture("135").unwrap_err().code(), "share-out-of-range");
    assert_eq!(moisture("13.55").unwrap_err().code(), "too-fine");
}

#[test]
fn what_is_not_clear_is_asked() {
    for (written, one, other) in [
        ("1.250,5", "1250.5", "12505"),
        ("1.250.000", "1250.000", "1250000"),
        ("1234,567", "1234.567", "1234567"),
        ("1,25,000", "125.000", "125000"),
        ("12,5.5", "125.5", "1255"),
        ("1,2500", "1.2500", "12500"),
        ("012,500", "012.500", "012500"),
        ("1,250,5", "1250.5", "12505"),
        ("1.250.5 公斤", "1250.5", "12505"),
    ] {
        assert_eq!(readings(kilograms(written).unwrap_err()), [one, other], "{written}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for written in [
        "-3",
        "－3",
        "+3",
        "twelve",
        "十二",
        "1..5",
        "1,,5",
        ",",
        ".",
        "5.",
        "5,",
        "kg",
        "1,2,",
        "99999999999999999999",
    ] {
        assert_eq!(kilograms(written).unwrap_err().code(), "not-a-number", "{written}");
    }
    for written in ["1e9", "12 lb", "3斤2两", "12 5", "12公斤半", "1.2万", "12kg!"] {
        assert_eq!(kilograms(written).unwrap_err().code(), "unknown-unit", "{written}");
    }
    assert_eq!(kilograms("1.2345").unwrap_err().code(), "too-fine");
    assert_eq!(weight("12.5", WeightUnit::Gram).unwrap_err().code(), "too-fine");
    assert_eq!(kilograms("0").unwrap_err().code(), "weight-out-of-range");
    assert_eq!(kilograms("1000001").unwrap_err().code(), "weight-out-of-range");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,40}") {
        let _ = (kilograms(&text), price_per_kilogram(&text), moisture(&text));
    }

    #[test]
    fn numbers_and_signs_are_read_or_refused(text in "[0-9.,，．。¥ ]{0,20}(kg|斤|元|元/斤|%)?") {
        let _ = (kilograms(&text), price_per_kilogram(&text), moisture(&text));
    }

    #[test]
    fn every_weight_is_read_back_however_it_is_written(grams in 1i64..1_000_000_000, comma: bool, wide: bool) {
        let mut plain = format!("{}.{:03}", grams / 1000, grams % 1000);
        prop_assert_eq!(kilograms(&plain), Ok(grams));
        // A comma before three digits would be thousands: one digit fewer says decimal.
        if comma && grams % 10 == 0 {
            plain = format!("{},{:02}", grams / 1000, grams % 1000 / 10);
        }
        if wide {
            plain = plain.chars().map(|letter| char::from_u32(u32::from(letter) + 0xfee0).unwrap()).collect();
        }
        prop_assert_eq!(kilograms(&plain), Ok(grams));
        prop_assert_eq!(kilograms(&format!("{grams} 克")), Ok(grams));
    }

    #[test]
    fn ambiguous_readings_are_two_clear_numbers(text in "[0-9]{1,4}[.,][0-9]{1,4}[.,][0-9]{1,4}") {
        if let Err(fault @ TypedFault::Ambiguous { .. }) = kilograms(&text) {
            for reading in readings(fault) {
                let ambiguous = matches!(kilograms(&reading), Err(TypedFault::Ambiguous { .. } | TypedFault::NotANumber { .. }));
                prop_assert!(!ambiguous, "{reading}");
            }
        }
    }
}
