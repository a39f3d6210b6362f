//! Exports for spreadsheets: CSV that Excel opens with its Chinese intact (UTF-8 with a byte order
//! mark), and workbooks.

mod lots;
mod sheet;

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use granary_client_core::conflicts::{CaseId, Contender};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{CaseFilter, CaseRow, HouseholdFilter, LotFilter, LotRow, ReadModel};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::catalogue::{PriceName, Product};
use granary_client_core::store::StoreFault;
use maud::html;

use self::lots::lots;
use self::sheet::{csv_bytes, kilograms, number, xlsx_bytes, yuan};
use super::harvests;
use super::household::phones::HouseholdPhones;
use super::i18n::Locale;
use super::names::Names;
use super::page::Page;
use super::refusal::{Refused, refused};
use super::signed_in::SignedIn;
use crate::access::AuditAction;

pub(super) use lots::{LOT_COLUMNS, lot_texts};
pub(super) use sheet::{Cell, Sheet, harmless, plain, sheet};

const WHAT: [&str; 6] = ["lots", "orders", "cases", "households", "catalogue", "audit"];
/// Rows of one export at most: the limit of an Excel sheet.
pub(super) const ROWS_MAX: u32 = 1_000_000;

/// `GET /console/export`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let main = html! {
        p { (locale.t("export-help")) }
        ul { @for what in WHAT { li {
            (locale.of("export", what)) ": "
            a href={ "/console/export/" (what) ".csv" } { "CSV" } " · " a href={ "/console/export/" (what) ".xlsx" } { "XLSX" }
        } } }
        p { a href="/console/import" { (locale.t("import")) } }
    };
    Ok(Page { title: locale.t("part-export"), part: "export", main }.show(&signed))
}

/// `GET /console/export/{file}`: `lots.csv`, `orders.xlsx` and so on; lots with the filter of the list.
pub(super) async fn download(
    signed: SignedIn,
    Path(file): Path<String>,
    Query(query): Query<harvests::HarvestsQuery>,
) -> Result<Response, Refused> {
    let missing = || refused(signed.locale, 404, "not-found");
    let (what, form) = file.split_once('.').ok_or_else(missing)?;
    let names = Names::of(&signed).await?;
    let locale = signed.locale;
    let sheet = match what {
        "lots" => {
            let filter = LotFilter { limit: ROWS_MAX, ..query.filter_by_sound(&signed).await? };
            signed.read(move |models| lots(models, locale, &names, &filter)).await?
        }
        "orders" => signed.read(move |models| orders(models, locale, &names)).await?,
        "cases" => signed.read(move |models| cases(models, locale, &names)).await?,
        "catalogue" => catalogue(locale, &names),
        "households" => {
            let everyone = HouseholdPhones::of(&signed).everyone();
            signed.read(move |models| households(models, locale, &names, &everyone)).await?
        }
        "audit" => audit(&signed, &names.with_households(&signed).await?).await?,
        _ => return Err(missing()),
    };
    give(&signed, what, form, sheet).await
}

/// Gives a sheet out in a form, `csv` or `xlsx`, and tells the audit of it before.
pub(super) async fn give(signed: &SignedIn, what: &str, form: &str, sheet: Sheet) -> Result<Response, Refused> {
    let locale = signed.locale;
    let missing = || refused(locale, 404, "not-found");
    let (kind, bytes) = match form {
        "csv" => ("text/csv; charset=utf-8", csv_bytes(&sheet)),
        "xlsx" => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_bytes(&sheet)),
        _ => return Err(missing()),
    };
    let bytes = bytes.map_err(|error| super::refusal::refuse(locale, &error))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let (name, rows) = (format!("{what}.{form}"), sheet.rows.len());
    signed
        .work(move || {
            granary.audit(number, crate::environment::now(), by, AuditAction::Exported, &format!("{name}: {rows}"))
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{what}.{form}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

fn orders(models: &ReadModel, locale: Locale, names: &Names) -> Result<Sheet, StoreFault> {
    let columns = ["platform", "order", "buyer", "product", "kg", "yuan", "state", "shipment"];
    let rows = models.orders(None, false, ROWS_MAX, 0)?.into_iter().map(|order| {
        vec![
            Cell::Text(order.name.platform),
            Cell::Id(order.name.outside_id),
            Cell::Text(order.receiver),
            Cell::Text(names.products_of(&order.products)),
            kilograms(Some(order.grams)),
            yuan(order.fen),
            Cell::Text(order.status.map(|status| locale.of("order", status.name())).unwrap_or_default()),
            Cell::Id(order.shipment),
        ]
    });
    Ok(sheet(locale, &columns, rows.collect()))
}

/// A row for each decision about a case, in their order, and one for a case about which nobody has decided.
fn cases(models: &ReadModel, locale: Locale, names: &Names) -> Result<Sheet, StoreFault> {
    let columns = [
        "household-id",
        "household",
        "village",
        "season",
        "kind",
        "lot",
        "lot-id",
        "field",
        "values",
        "state",
        "decision",
        "who",
        "when",
        "chosen",
        "note",
    ];
    let villages: HashMap<HouseholdId, String> =
        models.household_names()?.into_iter().map(|(id, _, village)| (id, village)).collect();
    let filter = CaseFilter { limit: ROWS_MAX, ..CaseFilter::default() };
    let mut rows = Vec::new();
    for case in models.cases(&filter)? {
        let (kind, field) = match &case.case {
            CaseId::Field(_, field) => ("field", field.as_str()),
            CaseId::Twice(..) => ("twice", ""),
            CaseId::Weight(_) => ("weight", ""),
            CaseId::Receipt(_) => ("receipt", "receipt"),
        };
        let head = |values: &[Contender]| {
            let values: Vec<String> = values.iter().map(|value| names.value(field, &value.value)).collect();
            let household = case.case.lot().household();
            vec![
                Cell::Id(household.to_string()),
                Cell::Text(names.household(&case.household_name, household)),
                Cell::Text(villages.get(&household).map(|code| names.village(code)).unwrap_or_default()),
                number(i64::from(case.case.lot().season().year())),
                Cell::Text(locale.of("kind", kind)),
                Cell::Id(case.case.lot().to_string()),
                Cell::Id(case.case.lot().in_full()),
                Cell::Text(if field.is_empty() { String::new() } else { locale.of("field", field) }),
                Cell::Text(values.join(" / ")),
                Cell::Text(locale.of("cases", case.state.name())),
            ]
        };
        let decisions = models.decisions(&case.case)?;
        if decisions.is_empty() {
            rows.push([head(&case.contenders), vec![Cell::Empty; 5]].concat());
        }
        for decision in decisions {
            let kind = decision.kind.map(|kind| locale.of("decision", kind.name())).unwrap_or_default();
            let shown = CaseRow { chosen: decision.chosen, ..case.clone() };
            let tail = vec![
                Cell::Text(kind),
                Cell::Text(decision.by),
                Cell::Moment(decision.at),
                Cell::Text(super::cases::chosen_words(names, &shown)),
                Cell::Text(locale.note(&decision.note)),
            ];
            rows.push([head(&decision.values), tail].concat());
        }
    }
    Ok(sheet(locale, &columns, rows))
}

/// Products with their prices by grade, in the columns that an import reads.
/// The products with a column for each price. Beside one that was ended stands its last day; one that was ended before its first day
/// is left out.
fn catalogue(locale: Locale, names: &Names) -> Sheet {
    let products = &names.catalogue.products;
    let prices = products.iter().flat_map(|product| {
        product.price_by_grade.keys().filter(|price| !product.never_holds(price)).map(|price| {
            let ends = |product: &Product| product.price_until.contains_key(price) && !product.never_holds(price);
            (price, products.iter().any(ends))
        })
    });
    let prices: BTreeMap<&PriceName, bool> = prices.collect();
    let rows = products.iter().map(|product| {
        let name = |name: &Option<String>| Cell::Text(name.clone().unwrap_or_default());
        let mut row = vec![Cell::Id(product.code.clone()), name(&product.name_zh), name(&product.name_en)];
        for (price, ends) in &prices {
            let held = product.price_by_grade.get(price).filter(|_| !product.never_holds(price));
            row.push(held.map_or(Cell::Empty, |fen| yuan(fen.get())));
            if *ends {
                row.push(
                    product
                        .price_until
                        .get(price)
                        .filter(|_| held.is_some())
                        .map_or(Cell::Empty, |day| Cell::Day(*day)),
                );
            }
        }
        row
    });
    let mut sheet = sheet(locale, &["code", "zh", "en"], rows.collect());
    for (price, ends) in &prices {
        sheet.heads.push(price.to_string());
        if *ends {
            sheet.heads.push(format!("{price} · {}", locale.t("last-day")));
        }
    }
    sheet
}

fn households(
    models: &ReadModel,
    locale: Locale,
    names: &Names,
    everyone: &HouseholdFilter,
) -> Result<Sheet, StoreFault> {
    let columns = ["id", "household", "village", "payment", "members"];
    let rows = models.households(everyone)?.into_iter().map(|row| {
        vec![
            Cell::Id(row.household.to_string()),
            Cell::Text(row.name),
            Cell::Text(names.village_to_read(&row.village)),
            Cell::Text(row.payment),
            Cell::Text(row.members),
        ]
    });
    Ok(sheet(locale, &columns, rows.collect()))
}

async fn audit(signed: &SignedIn, names: &Names) -> Result<Sheet, Refused> {
    let locale = signed.locale;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let most = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let log = signed.work(move || granary.audit_log(number, most)).await?;
    let rows = log.into_iter().map(|line| {
        vec![
            Cell::Moment(Instant(line.at_millis)),
            Cell::Text(names.doer(&line.who)),
            Cell::Text(locale.of("deed", line.action.name())),
            Cell::Text(names.detail(line.action, &line.detail)),
        ]
    });
    Ok(sheet(locale, &["when", "who", "deed", "detail"], rows.collect()))
}
