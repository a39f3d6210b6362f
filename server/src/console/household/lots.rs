//! A household's lots of a season, with weights and prices, and what it is owed for them so far.

use std::collections::BTreeSet;

use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{LotFilter, LotRow, Owed, owed, price_of, worth};
use granary_client_core::quantities::{Day, Fen};
use maud::{Markup, html};

use crate::console::i18n::{grouped, money};
use crate::console::names::Names;
use crate::console::parts::{Column, Row, Table, empty};
use crate::console::refusal::Refused;
use crate::console::signed_in::SignedIn;

/// Lots on the page at most; the list of harvests has all.
const LOTS_SHOWN: usize = 300;

/// The lots of one household, and the season that is shown of them.
pub(super) struct SeasonOf {
    seasons: Vec<u16>,
    /// None for all of them.
    season: Option<u16>,
    lots: Vec<LotRow>,
    owed: Owed,
}

impl SeasonOf {
    /// Reads them. `asked` is a season, or `all`; the latest where it is neither.
    pub(super) async fn read(
        signed: &SignedIn,
        names: &Names,
        id: HouseholdId,
        advances: &[(Day, Fen)],
        asked: &str,
    ) -> Result<Self, Refused> {
        let filter = LotFilter { household: Some(id), limit: u32::MAX, ..LotFilter::default() };
        let mut lots = signed.read(move |models| models.lots(&filter)).await?;
        let seasons: BTreeSet<u16> = lots.iter().map(|lot| lot.season).collect();
        let latest = seasons.last().copied();
        let season = match asked {
            "all" => None,
            asked => asked.parse().ok().filter(|season| seasons.contains(season)).or(latest),
        };
        lots.retain(|lot| season.is_none_or(|season| lot.season == season));
        let is_of_it = |day: &Day| season.is_none_or(|season| day.to_string().starts_with(&format!("{season}-")));
        let advances = advances.iter().filter(|(day, _)| is_of_it(day)).map(|(_, fen)| *fen);
        let owed = owed(&lots, &names.catalogue, advances);
        Ok(Self { seasons: seasons.into_iter().rev().collect(), season, lots, owed })
    }

    /// What the household has brought and is owed, in a few figures.
    pub(super) fn figures(&self, signed: &SignedIn, open_cases: u64) -> Markup {
        let locale = signed.locale;
        let sum = |grams: fn(&LotRow) -> Option<i64>| self.lots.iter().filter_map(grams).fold(0, i64::saturating_add);
        let owed = &self.owed;
        html! {
            div.figures {
                (figure(&locale.t("owed-so-far"), &money(owed.fen.saturating_sub(owed.advances_fen))))
                (figure(&locale.t("recorded"), &locale.kilograms(sum(|lot| lot.grams))))
                (figure(&locale.t("weighed"), &locale.kilograms(sum(|lot| lot.weighed_grams))))
                (figure(&locale.t("lots"), &grouped(self.lots.len() as u64)))
                (figure(&locale.t("overview-open-cases"), &grouped(open_cases)))
            }
            p.small {
                (locale.t("owed-how"))
                @if owed.advances_fen > 0 { " " (locale.with("owed-advances", &[("worth", money(owed.fen)), ("advances", money(owed.advances_fen))])) }
                @if owed.not_weighed > 0 { " " (locale.with("owed-not-weighed", &[("count", grouped(owed.not_weighed))])) }
            }
            @if owed.without_price > 0 { p.notice { (locale.with("owed-without-price", &[("count", grouped(owed.without_price))])) } }
        }
    }

    /// The lots, each with its price and worth.
    pub(super) fn section(&self, signed: &SignedIn, names: &Names, id: HouseholdId) -> Markup {
        let locale = signed.locale;
        html! {
            section #lots {
                h2 { (match self.season { Some(season) => locale.with("lots-of-season", &[("season", season.to_string())]), None => locale.t("lots-of-household") }) }
                @if self.seasons.len() > 1 { (self.seasons_to_choose(signed, id)) }
                @if self.lots.is_empty() { (empty(locale.t("household-no-lots"), &[("/console/import", locale.t("import"))])) } @else { (self.table(signed, names)) }
                @if self.lots.len() > LOTS_SHOWN { p.notice { (locale.with("lots-first", &[("shown", grouped(LOTS_SHOWN as u64)), ("count", grouped(self.lots.len() as u64))])) } }
                p { a href={ "/console/harvests?household=" (id) } { (locale.t("lots-in-list")) } " · "
                    a href={ "/console/export/lots.csv?household=" (id) } { "CSV" } " · " a href={ "/console/export/lots.xlsx?household=" (id) } { "XLSX" } }
            }
        }
    }

    fn seasons_to_choose(&self, signed: &SignedIn, id: HouseholdId) -> Markup {
        html! {
            nav.tabs aria-label=(signed.locale.t("season")) {
                @for season in &self.seasons {
                    a href={ "/console/households/" (id) "?season=" (season) } aria-current=[(self.season == Some(*season)).then_some("page")] { (season) } }
                a href={ "/console/households/" (id) "?season=all" } aria-current=[self.season.is_none().then_some("page")] { (signed.locale.t("all")) }
            }
        }
    }

    fn table(&self, signed: &SignedIn, names: &Names) -> Markup {
        let locale = signed.locale;
        let columns = vec![
            Column::text(locale.t("day")),
            Column::text(locale.t("product")),
            Column::text(locale.t("grade")),
            Column::number(locale.t("recorded")),
            Column::text(locale.t("state")),
            Column::number(locale.t("weighed")),
            Column::number(locale.t("price-per-kilogram")),
            Column::number(locale.t("worth")),
        ];
        let rows = self.lots.iter().take(LOTS_SHOWN).map(|lot| Row::of(cells(signed, names, lot).into()));
        Table::of(locale.t("lots"), columns).show(rows.collect())
    }
}

fn cells(signed: &SignedIn, names: &Names, lot: &LotRow) -> [Markup; 8] {
    let (locale, catalogue) = (signed.locale, &names.catalogue);
    let or_dash = |text: Option<String>| html! { (text.unwrap_or_else(|| "—".to_owned())) };
    [
        html! { a href={ "/console/lots/" (lot.lot) } { (lot.day.map_or_else(|| locale.t("damaged"), |day| day.to_string())) } },
        html! { (names.product(&lot.product)) },
        html! { (grade(lot)) },
        html! { (lot.grams.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams))) },
        html! {
            (locale.of("state", lot.state.name()))
            @if let Some(day) = lot.weighed_day { " " span.small { (day) } }
            @if lot.in_conflict || lot.receipt_in_conflict { " " span.mark { (locale.t("edited-at-once")) } }
            @if lot.is_damaged { " " span.mark { (locale.t("damaged")) } }
        },
        or_dash(lot.weighed_grams.map(|grams| locale.kilograms(grams))),
        or_dash(price_of(lot, catalogue).map(|fen| money(fen.get()))),
        or_dash(worth(lot, catalogue).map(money)),
    ]
}

/// The warehouse's grade; where that is another than the household's, both.
fn grade(lot: &LotRow) -> String {
    match (lot.weighed_grade.as_str(), lot.grade.as_str()) {
        ("", own) => own.to_owned(),
        (weighed, own) if own.is_empty() || own == weighed => weighed.to_owned(),
        (weighed, own) => format!("{own} → {weighed}"),
    }
}

fn figure(label: &str, value: &str) -> Markup {
    html! { div.tile { span.name { (label) } span.figure { (value) } } }
}
