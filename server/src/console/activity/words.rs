//! A row of the activity in the reader's words.

use granary_client_core::conflicts::CaseId;
use granary_client_core::projection::ActivityRow;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::catalogue::PriceName;
use granary_client_core::schema::deeds::{DeedKind, TAKEN_BACK};
use granary_client_core::schema::{LotId, Season};

use crate::console::i18n::{Locale, decimal, money};
use crate::console::names::Names;

/// See the module.
pub(super) struct Told {
    /// The deed, and on which field.
    pub(super) what: String,
    /// The thing's name.
    pub(super) thing: String,
    /// Its page.
    pub(super) address: Option<String>,
    pub(super) before: String,
    pub(super) after: String,
}

/// Says a value as people read it.
type Tell<'a> = Box<dyn Fn(&str) -> String + 'a>;

impl Told {
    pub(super) fn of(locale: Locale, names: &Names, row: &ActivityRow) -> Self {
        let (thing, address) = names.thing(&row.thing);
        let kind = DeedKind::ALL.into_iter().find(|kind| kind.name() == row.kind);
        let Some(kind) = kind else { return Self::of_audit(locale, names, row, (thing, address)) };
        let field = field(locale, names, kind, &row.field);
        let value = |text: &str| value(locale, names, kind, &row.field, text);
        if let Some((lot, field)) = lot_of(kind, row) {
            return Self::of_lot(locale, names, row, (thing, lot, field));
        }
        let address = match case_of(kind, row) {
            Some(case) => Some(format!("/console/lots/{}", case.lot())),
            None => address,
        };
        let (mut before, mut after) = (value(&row.before), value(&row.after));
        // A live-stream is planned as a promotion is, and called what it is.
        let is_stream = row.thing.starts_with("stream:");
        let of = if is_stream { locale.t("stream") } else { locale.of("activity", kind.name()) };
        let mut what = format!("{of} · {field}");
        if let Some(case) = case_of(kind, row) {
            if let CaseId::Field(_, field) = &case {
                what = format!("{what} · {}", locale.of("field", field));
            }
            what = format!("{what} · {}", case.lot());
            after = decided(locale, names, &case, &row.after);
            // What an undoing takes back stood there before it.
            if row.field.starts_with("undone ") {
                (before, after) = (after, locale.t("cases-open"));
            }
        }
        Self { what, thing, address, before, after }
    }

    fn of_lot(locale: Locale, names: &Names, row: &ActivityRow, (thing, lot, field): (String, LotId, &str)) -> Self {
        let each = |text: &str, tell: &dyn Fn(&str) -> String| match text {
            "" => "—".to_owned(),
            text => text.split(" / ").map(tell).collect::<Vec<_>>().join(" / "),
        };
        let (kind, tell): (_, Tell<'_>) = match field {
            "" => (locale.of("activity", "receipt"), Box::new(|text| names.value("receipt", text))),
            "withdrawn" => (locale.of("history", field), Box::new(|text| names.value("grams", text))),
            field => {
                let what = format!("{} · {}", locale.of("activity", "lot"), locale.of("field", field));
                (what, Box::new(move |text| names.value(field, text)))
            }
        };
        Self {
            what: format!("{kind} · {lot}"),
            thing,
            address: Some(format!("/console/lots/{}", lot.in_full())),
            before: each(&row.before, &tell),
            after: each(&row.after, &tell),
        }
    }

    fn of_audit(locale: Locale, names: &Names, row: &ActivityRow, (thing, address): (String, Option<String>)) -> Self {
        let (before, after) = match row.kind.as_str() {
            "granted" => (names.detail_of("granted", &row.before), names.detail_of("granted", &row.after)),
            kind => (String::new(), names.detail_of(kind, &row.after)),
        };
        Self { what: locale.of("deed", &row.kind), thing, address, before, after }
    }
}

/// What was decided about a case, for people.
fn decided(locale: Locale, names: &Names, case: &CaseId, text: &str) -> String {
    match case {
        _ if text.is_empty() => "—".to_owned(),
        CaseId::Field(_, field) => locale.note(&names.value(field, text)),
        CaseId::Weight(_) => names.value("grams", text),
        CaseId::Receipt(_) => names.value("receipt", text),
        CaseId::Twice(..) => locale.note(text),
    }
}

/// The lot that a deed is about, and the field of it; none for a receipt of it.
fn lot_of(kind: DeedKind, row: &ActivityRow) -> Option<(LotId, &str)> {
    let is_of_lot = matches!(kind, DeedKind::Lot | DeedKind::Receipt);
    let household = row.thing.strip_prefix("household:").filter(|_| is_of_lot)?.parse().ok()?;
    let (season, lot) = row.field.split_once(' ')?;
    let (lot, field) = lot.split_once(' ').unwrap_or((lot, ""));
    let season = Season::new(season.parse().ok()?)?;
    Some((LotId::from_season_name(household, season, lot)?, field))
}

/// The case that a decision is about.
fn case_of(kind: DeedKind, row: &ActivityRow) -> Option<CaseId> {
    let household = row.thing.strip_prefix("household:").filter(|_| kind == DeedKind::Decision)?.parse().ok()?;
    let (_, case) = row.field.split_once(' ')?;
    let (season, case) = case.split_once(' ')?;
    let season = Season::new(season.parse().ok()?)?;
    CaseId::from_season_name(household, season, case).ok()
}

fn field(locale: Locale, names: &Names, kind: DeedKind, field: &str) -> String {
    let of_price = |name: &str| match name.parse::<PriceName>() {
        Ok(PriceName { grade, from: Some(day) }) => {
            format!("{} {grade}, {}", locale.t("grade"), locale.with("price-from", &[("day", day.to_string())]))
        }
        Ok(PriceName { grade, from: None }) => format!("{} {grade}", locale.t("grade")),
        Err(_) => name.to_owned(),
    };
    match (kind, field.split_once('/')) {
        (DeedKind::Price, Some(("until", name))) => format!("{} · {}", of_price(name), locale.t("last-day")),
        (DeedKind::Price, _) => of_price(field),
        (DeedKind::Promotion, Some((what, sku))) if what.starts_with("stream-offer-") => {
            format!("{sku} · {}", locale.of("activity-field", what))
        }
        (DeedKind::Order, Some(("sku", line))) => format!("{} {line}", locale.of("activity-field", "order-sku")),
        (DeedKind::Promotion, Some(("offer", product))) => format!("{} {}", locale.t("offers"), names.product(product)),
        (DeedKind::Promotion, Some((_, product))) => format!("{} {}", locale.t("end-offer"), names.product(product)),
        (DeedKind::Product, Some((what @ ("sku-name" | "sku-code"), text))) => {
            format!("{} {text}", locale.of("activity-field", what))
        }
        (DeedKind::Cooperative, Some(("season", rest))) => {
            let (year, name) = rest.split_once('/').unwrap_or((rest, ""));
            format!("{} {year} · {}", locale.of("activity-field", "season"), locale.of("activity-field", name))
        }
        (DeedKind::Cooperative, Some((what, _))) => locale.of("activity-field", what),
        (DeedKind::Stock, _) => match field.strip_prefix(TAKEN_BACK) {
            Some(entry) => format!("{} · {}", stock_entry(locale, entry), locale.t("activity-taken-back")),
            None => stock_entry(locale, field),
        },
        (DeedKind::Decision, _) => locale.of("decision", field.split(' ').next().unwrap_or_default()),
        _ => locale.of("activity-field", field),
    }
}

fn value(locale: Locale, names: &Names, kind: DeedKind, field: &str, text: &str) -> String {
    if text.is_empty() {
        return "—".to_owned();
    }
    // Several values that stood there at once are told one by one.
    let each = |tell: &dyn Fn(&str) -> String| text.split(" / ").map(tell).collect::<Vec<_>>().join(" / ");
    let fen = |text: &str| text.parse().map(money).unwrap_or_else(|_| text.to_owned());
    let is_amount = !field.starts_with("until/") && !field.starts_with("offer-ended/");
    match (kind, field) {
        (DeedKind::Price, _) if is_amount => each(&fen),
        (DeedKind::Promotion, field) if field.starts_with("stream-") => stream_value(locale, field, text),
        (DeedKind::Promotion, field) if field.starts_with("offer/") => each(&fen),
        (DeedKind::Payment, "advance") => each(&fen),
        (DeedKind::Product, "tolerance") => each(&|share| {
            share.parse().map(|share| format!("{} %", decimal(share, 10))).unwrap_or_else(|_| share.to_owned())
        }),
        (DeedKind::Product, "sku-grams") => names.value("grams", text),
        (DeedKind::Product, "sku-product") => names.product(text),
        (DeedKind::Product, "sku-certificate") => locale.of("certificate", text),
        (DeedKind::Product, field) if field.starts_with("sku-") => locale.of("activity-value", text),
        (DeedKind::Stock, field) => stock_value(names, field.trim_start_matches(TAKEN_BACK), text),
        (DeedKind::Household, "village") => each(&|code| names.village(code)),
        (DeedKind::Order, "status") => each(&|status| locale.of("order", status)),
        (DeedKind::Decision, field) => {
            let of = field.split_once(' ').map(|(_, case)| case).unwrap_or_default();
            // A field's case ends in the field's name; a receipt's in its lot.
            let of = if of.contains(" receipt/") { "receipt" } else { of.rsplit('/').next().unwrap_or_default() };
            each(&|value| locale.note(&names.value(of, value)))
        }
        _ => text.to_owned(),
    }
}

/// What an entry of a stock book is called.
fn stock_entry(locale: Locale, entry: &str) -> String {
    locale.of("stock-event", entry)
}

/// An entry of a stock book: its weight, then its words.
fn stock_value(names: &Names, entry: &str, text: &str) -> String {
    let (grams, words) = text.split_once(' ').unwrap_or((text, ""));
    let words = match (entry, words.split_once(' ')) {
        ("recall", _) => return text.to_owned(),
        ("in", Some((product, grade))) => format!("{} {grade}", names.product(product)).trim().to_owned(),
        _ => words.trim().to_owned(),
    };
    match grams.parse::<i64>() {
        Err(_) => text.to_owned(),
        Ok(_) if words.is_empty() => names.value("grams", grams),
        Ok(_) => format!("{} · {words}", names.value("grams", grams)),
    }
}

/// A value of a live-stream's plan or offer.
fn stream_value(locale: Locale, field: &str, text: &str) -> String {
    let what = field.split('/').next().unwrap_or_default();
    let what = what.strip_prefix("stream-offer-").unwrap_or(what.trim_start_matches("stream-"));
    let number = text.parse::<i64>();
    match (what, number) {
        ("starts" | "ends" | "begins", Ok(millis)) => locale.moment(Instant(millis)),
        ("ended", Ok(millis)) => locale.moment(Instant(millis)),
        ("ended", Err(_)) => locale.of("activity-value", text),
        ("fen", Ok(fen)) => money(fen),
        ("margin", Ok(permille)) => format!("{} %", decimal(permille, 10)),
        ("platform", _) => locale.of("platform", text),
        _ => text.to_owned(),
    }
}
