//! Numbers of orders, amounts, packs and times, as files have them.

use super::Value::{Bool, Empty, Number, Text};
use super::*;

#[test]
fn an_id_that_lost_digits_is_told_from_a_bad_one() {
    for id in ["6917926768800000011", "261111-1000", "E2026_a", "1", "2E10", &"9".repeat(64)] {
        assert_eq!(Text(id).id().as_deref(), Ok(id));
    }
    for lost in ["6.91793E+18", "6.9e+18", "7E+18", "6.9E18", "6917926768800000000.0"] {
        assert_eq!(Text(lost).id(), Err(Why::IdLostDigits), "{lost}");
    }
    for bad in ["订单1", "12 34", "１２３", "=A2", "1.5", &"9".repeat(65), "123.0", "#N/A"] {
        assert_eq!(Text(bad).id(), Err(Why::IdBad), "{bad}");
    }
    assert_eq!(Text("1;2").id(), Err(Why::MergedLines));
    assert_eq!(Empty.id(), Err(Why::IdMissing));
    assert_eq!(Number(1e15).id(), Err(Why::IdLostDigits));
    assert_eq!(Number(999_999_999_999_999.0).id().as_deref(), Ok("999999999999999"));
    for bad in [Number(1.5), Number(-7.0), Bool(true)] {
        assert_eq!(bad.id(), Err(Why::IdBad));
    }
    for lost in [Number(6.917_926_768_8e18), Number(-1e18), Number(f64::INFINITY)] {
        assert_eq!(lost.id(), Err(Why::IdLostDigits));
    }
    assert_eq!(Number(f64::NAN).id(), Err(Why::IdBad));
}

#[test]
fn money_is_yuan_with_two_decimals() {
    for (text, fen) in [
        ("49.90", 4990),
        ("49.9", 4990),
        ("49", 4900),
        ("49.9000", 4990),
        ("1,280.00", 128_000),
        ("1,234,567.8", 123_456_780),
        ("¥49.90", 4990),
        ("￥ 49.90 元", 4990),
        ("４９．９０", 4990),
        ("１，２８０元", 128_000),
        ("0.00", 0),
        ("1000000000", FEN_MAX),
    ] {
        assert_eq!(Text(text).fen(), Ok(fen), "{text}");
    }
    for text in [
        "-49.90",
        "49.905",
        "49,90",
        "1,28",
        "12,34,567",
        ",100",
        "1,,000",
        "四十九",
        "42.9O",
        "",
        "5.",
        ".5",
        "+1",
        "1e3",
        "1 280",
        "49.90.1",
        "1000000000.01",
        "99999999999999999999",
        "1,280.0,0",
        "免费",
        "--",
        "¥¥5",
        "¥",
    ] {
        assert_eq!(Text(text).fen(), Err(Why::MoneyBad), "{text}");
    }
    assert_eq!(Number(49.900_000_000_000_006).fen(), Ok(4990));
    assert_eq!(Number(0.1 + 0.2).fen(), Ok(30));
    assert_eq!(Number(1280.0).fen(), Ok(128_000));
    for bad in [Number(49.905), Number(-1.0), Number(f64::NAN), Number(1e300), Bool(true), Empty] {
        assert_eq!(bad.fen(), Err(Why::MoneyBad));
    }
}

#[test]
fn packs_are_whole() {
    for (value, packs) in [
        (Text("2"), 2),
        (Text("2.0"), 2),
        (Text("２"), 2),
        (Number(2.0), 2),
        (Text("999999"), 999_999),
        (Text("02"), 2),
    ] {
        assert_eq!(value.packs(), Ok(packs));
    }
    for bad in [
        Text("0"),
        Text("-1"),
        Text("1.5"),
        Text("1000000"),
        Text("两"),
        Text("2."),
        Text("1e2"),
        Empty,
        Bool(true),
        Number(0.0),
        Number(1.5),
        Number(1e6),
        Number(f64::NAN),
        Number(-1.0),
        Text("2件"),
    ] {
        assert_eq!(bad.packs(), Err(Why::QuantityBad), "{bad:?}");
    }
}

#[test]
fn times_are_chinas() {
    let at = |seconds: i64| Ok(Instant::from_seconds(seconds));
    // 2026-11-11 20:01:07 in China.
    let (full, minute, day) = (1_794_398_467, 1_794_398_460, 1_794_326_400);
    for text in [
        "2026-11-11 20:01:07",
        "2026/11/11 20:01:07",
        "2026.11.11 20:01:07",
        "2026年11月11日 20:01:07",
        "2026年11月11日20:01:07",
        "2026年11月11日20时01分07秒",
        "2026-11-11T20:01:07",
        "2026-11-11 20:01:07.000",
        "2026-11-11T20:01:07+08:00",
        "２０２６-１１-１１　２０：０１：０７",
        "2026-11-11   20:01:07",
    ] {
        assert_eq!(Text(text).time(false), at(full), "{text}");
    }
    assert_eq!(Text("2026/11/11 20:01").time(false), at(minute));
    assert_eq!(Text("2026年11月11日20时01分").time(false), at(minute));
    assert_eq!(Text("2026-11-11").time(false), at(day));
    assert_eq!(Text("2026/1/5 9:03").time(false), at(1_767_574_980));
    let serial = 46_337.0 + f64::from(20 * 3600 + 67) / 86_400.0;
    assert_eq!(Number(serial).time(false), at(full));
    assert_eq!(Number(serial - 1462.0).time(true), at(full));
    assert_eq!(Text("46337").time(false), at(day));
    for bad in [
        "昨天晚上",
        "2026-13-01",
        "2026-02-30 10:00",
        "2026-11-11 24:00:00",
        "2026-11-11 20:60",
        "11/11/2026",
        "26-11-11",
        "2026-11/11",
        "2026-11-11 20",
        "2026-11-11 20:1",
        "20261111",
        "2026-11-1120:01",
        "1999-12-31",
        "",
        "2026-11-11 20:01:07Z",
        "2026-11-11 下午8:01",
        "0",
        "46337.5.1",
        "1e5",
    ] {
        assert_eq!(Text(bad).time(false), Err(Why::TimeBad), "{bad}");
    }
    for bad in [Number(0.5), Number(-1.0), Number(1e12), Number(f64::NAN), Bool(false), Empty] {
        assert_eq!(bad.time(false), Err(Why::TimeBad));
    }
}
