//! What shops sell of a product: packs of one grade and weight, with the codes and names that shops write for them. A product's
//! page lists them; each has a page of its own, where it is changed and ended. Two people who each add a name keep both; a code or
//! a name belongs to one of them alone.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::automerge::AutoCommit;
use granary_client_core::crdt::DocumentFault;
use granary_client_core::quantities::{TextField, checked_text};
use granary_client_core::schema::catalogue::{Catalogue, Product};
use granary_client_core::schema::sku::{self, Certificate, Sku};
use granary_client_core::schema::{DocumentKey, Part};
use maud::{Markup, html};

use super::{HERE, present, product, today};
use crate::console::activity;
use crate::console::forms::{Form, encode, was};
use crate::console::i18n::{Locale, decimal};
use crate::console::inputs::{AMOUNT, Inputs, Kind, REQUIRED, TEXT};
use crate::console::names::Names;
use crate::console::page::Page;
use crate::console::parts::{Column, Row, Table};
use crate::console::refusal::{Refused, refused, refused_with, unreadable};
use crate::console::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;

/// Where their forms are sent to.
const SAVE: &str = "/console/skus";
/// Names or codes in one form at most.
const LINES_MAX: usize = 100;

/// The page of one of them.
pub(in crate::console) fn address(code: &str) -> String {
    format!("{SAVE}/{}", encode(code))
}

/// Those of a product, with the form of a new one.
pub(super) fn section(signed: &SignedIn, names: &Names, product: &Product) -> Markup {
    let locale = signed.locale;
    let form = Inputs::of(signed, SAVE, &[("new", "yes"), ("product", &product.code)]);
    let of_product: Vec<&Sku> = names.catalogue.skus.values().filter(|sku| sku.product == product.code).collect();
    html! {
        section #skus tabindex="-1" { h2 { (locale.t("skus")) }
            p.small { (locale.t("skus-help")) }
            @if of_product.is_empty() { p.empty { (locale.t("no-skus")) } } @else { (table(locale, &of_product)) }
            details open[form.was_refused()] { summary { (locale.t("new-sku")) } (new(locale, &form)) }
        }
    }
}

fn table(locale: Locale, skus: &[&Sku]) -> Markup {
    let columns = vec![
        Column::text(locale.t("sku")),
        Column::number(locale.t("sku-pack")),
        Column::text(locale.t("grade")),
        Column::text(locale.t("sku-names")),
        Column::text(locale.t("sku-codes")),
        Column::text(locale.t("sku-shelf-days")),
        Column::text(locale.t("sku-certificate")),
        Column::text(locale.t("state")),
    ];
    let rows = skus.iter().map(|sku| {
        Row::of(vec![
            html! { a href=(address(&sku.code)) { (sku.code) } },
            html! { (pack(locale, sku)) },
            html! { (sku.grade) },
            html! { (sku.names.join(&locale.t("list-comma"))) },
            html! { (sku.codes.join(&locale.t("list-comma"))) },
            html! { (sku.shelf_days.map(|days| days.to_string()).unwrap_or_default()) },
            html! { (locale.of("certificate", sku.certificate.name())) },
            html! { @if sku.ended { span.mark { (locale.t("sku-ended")) } } @else { (locale.t("sku-sold")) } },
        ])
        .ended(sku.ended)
    });
    Table::of(locale.t("skus"), columns).show(rows.collect())
}

/// Those that are sold, for a field to choose from; the first says none.
pub(in crate::console) fn choices(names: &Names) -> Vec<(&str, String)> {
    let sold = names.catalogue.skus.values().filter(|sku| !sku.ended);
    let sold = sold.map(|sku| {
        let words =
            format!("{} · {} {} · {}", sku.code, names.product(&sku.product), sku.grade, pack(names.locale(), sku));
        (sku.code.as_str(), words)
    });
    std::iter::once(("", "—".to_owned())).chain(sold).collect()
}

/// Refuses to give a SKU a code or a name that another one has.
pub(in crate::console) fn must_be_free(
    locale: Locale,
    catalogue: &Catalogue,
    own: &str,
    (code, name): (Option<&str>, Option<&str>),
) -> Result<(), Refused> {
    if let Some((text, other)) = code.and_then(|code| Some((code, other_of_code(catalogue, own, code)?))) {
        return Err(taken(locale, "sku-code-taken", text, other));
    }
    let name = name.filter(|_| code.is_none());
    match name.and_then(|name| Some((name, other_of_name(catalogue, own, name)?))) {
        Some((text, other)) => Err(taken(locale, "sku-name-taken", text, other)),
        None => Ok(()),
    }
}

/// How much is in a pack, for people.
pub(in crate::console) fn pack(locale: Locale, sku: &Sku) -> String {
    locale.kilograms(sku.grams.get())
}

fn new(locale: Locale, form: &Inputs<'_>) -> Markup {
    html! {
        form.card method="post" action=(SAVE) {
            (form.hidden())
            label { (locale.t("sku-code")) (form.empty("code", REQUIRED.at_most(32))) }
            p.small { (locale.t("sku-code-help")) }
            (fields(locale, form, None))
            button { (locale.t("add")) }
        }
    }
}

/// The fields that a new one and a changed one have.
fn fields(locale: Locale, form: &Inputs<'_>, sku: Option<&Sku>) -> Markup {
    let certificates = || Certificate::ALL.map(|one| (one.name(), locale.of("certificate", one.name())));
    let shown = |field: &str| sku.map(|sku| shown_field(sku, field)).unwrap_or_default();
    let input = |field: &str, kind: Kind| match sku {
        Some(_) => form.field(field, &shown(field), kind),
        None => form.empty(field, kind),
    };
    html! {
        label { (locale.t("sku-grams")) (input("grams", AMOUNT.required())) }
        label { (locale.t("grade")) (input("grade", TEXT)) }
        label { (locale.t("sku-names-lines")) (form.lines("names", &shown("names"))) }
        label { (locale.t("sku-codes-lines")) (form.lines("codes", &shown("codes"))) }
        p.small { (locale.t("sku-lines-help")) }
        label { (locale.t("sku-shelf-days-long")) (input("shelf", TEXT)) }
        label { (locale.t("sku-certificate")) @match sku {
            Some(_) => (form.choice("certificate", &shown("certificate"), certificates())),
            None => (form.select("certificate", Certificate::No.name(), certificates())),
        } }
    }
}

/// A field as the form shows it.
fn shown_field(sku: &Sku, field: &str) -> String {
    match field {
        "grams" => decimal(sku.grams.get(), 1000),
        "grade" => sku.grade.clone(),
        "names" => sku.names.join("\n"),
        "codes" => sku.codes.join("\n"),
        "shelf" => sku.shelf_days.map(|days| days.to_string()).unwrap_or_default(),
        "certificate" => sku.certificate.name().to_owned(),
        _ => String::new(),
    }
}

/// `GET /console/skus/{code}`
pub(in crate::console) async fn show(signed: SignedIn, Path(code): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let sku = names.catalogue.skus.get(&code).ok_or_else(|| refused(locale, 404, "not-found"))?;
    let product = names.catalogue.products.iter().find(|product| product.code == sku.product);
    let form = Inputs::of(&signed, SAVE, &[("code", &sku.code), ("new", "")]);
    let end = format!("{}/end", address(&sku.code));
    let main = html! {
        p { @if product.is_some() { a href={ (HERE) "/" (sku.product) "#skus" } { (names.product(&sku.product)) } } @else { (sku.product) }
            " · " (pack(locale, sku)) @if sku.ended { " · " span.mark { (locale.t("sku-ended")) } }
            @if let Some(product) = product { " · " (product::state(locale, product, today())) } }
        (of_two(locale, &names.catalogue, sku))
        div.columns {
            section { form.card method="post" action=(SAVE) {
                (form.hidden())
                (fields(locale, &form, Some(sku)))
                button { (locale.t("save")) }
            } }
            section { h2 { (locale.t(if sku.ended { "take-up-again" } else { "end-sku" })) }
                p.small { (locale.t("end-sku-help")) }
                @let ending = Inputs::of(&signed, &end, &[]);
                form.inline method="post" action=(end) {
                    (ending.hidden()) (ending.was("ended", yes_no(sku.ended)))
                    input type="hidden" name="ended" value=(yes_no(!sku.ended));
                    button.quiet { (locale.t(if sku.ended { "take-up-again" } else { "end-sku" })) }
                } }
        }
        section { h2 { (locale.t("history")) } (activity::of_sku(&signed, &sku.code).await) }
    };
    Ok(Page { title: sku.code.clone(), part: "catalogue", main }.show(&signed))
}

fn yes_no(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// Says which of its codes and names another one lists too: an order with it finds neither.
fn of_two(locale: Locale, catalogue: &Catalogue, sku: &Sku) -> Markup {
    let mut twice: Vec<(&str, &Sku)> = Vec::new();
    for code in sku.codes.iter().chain([&sku.code]) {
        twice.extend(other_of_code(catalogue, &sku.code, code).map(|other| (code.as_str(), other)));
    }
    for name in &sku.names {
        twice.extend(other_of_name(catalogue, &sku.code, name).map(|other| (name.as_str(), other)));
    }
    html! { @for (text, other) in twice { p.notice role="alert" {
    (locale.with("sku-of-two", &[("text", text.to_owned())])) " " a href=(address(&other.code)) { (other.code) } } } }
}

fn other_of_code<'a>(catalogue: &'a Catalogue, own: &str, code: &str) -> Option<&'a Sku> {
    let lists = |sku: &&Sku| sku.code == code || sku.codes.iter().any(|other| other == code);
    catalogue.skus.values().filter(|sku| sku.code != own && !sku.ended).find(lists)
}

fn other_of_name<'a>(catalogue: &'a Catalogue, own: &str, name: &str) -> Option<&'a Sku> {
    let others = catalogue.skus.values().filter(|sku| sku.code != own && !sku.ended);
    others.into_iter().find(|sku| sku.names.iter().any(|other| other == name))
}

/// What a field of lines adds and takes away.
struct Lines {
    added: Vec<String>,
    removed: Vec<String>,
}

impl Lines {
    fn of(locale: Locale, form: &Form, field: &str) -> Result<Self, Refused> {
        let each = |text: &str| -> Vec<String> {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.map(str::to_owned).collect()
        };
        if form.changed(field).is_none() {
            return Ok(Self { added: Vec::new(), removed: Vec::new() });
        }
        let (before, now) = (each(form.get(&was(field))), each(form.get(field)));
        if now.len() > LINES_MAX {
            return Err(refused(locale, 400, "sku-lines-too-many").at(field));
        }
        for line in &now {
            checked_text(TextField::ShopText, line).map_err(|fault| unreadable(locale, field, &fault))?;
        }
        Ok(Self {
            added: now.iter().filter(|line| !before.contains(line)).cloned().collect(),
            removed: before.into_iter().filter(|line| !now.contains(line)).collect(),
        })
    }
}

/// Writes what differs from what is there: who saw an older page was refused before, where it is the same field.
async fn write(
    signed: &SignedIn,
    edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send + 'static,
) -> Result<(), Refused> {
    signed.edit(vec![Edits::one(DocumentKey::Catalogue(Part::FIRST), edit)]).await
}

/// `POST /console/skus`: adds one, or changes one.
pub(in crate::console) async fn save(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let catalogue = present(&signed).await?;
    let is_new = form.get("new") == "yes";
    let (before, to) = if is_new {
        let sku = begun(locale, &catalogue, &form)?;
        let to = format!("{HERE}/{}#skus", sku.product);
        (sku, to)
    } else {
        let sku = catalogue.skus.get(form.get("code")).ok_or_else(|| refused(locale, 404, "not-found"))?;
        let now = ["grams", "grade", "shelf", "certificate"].map(|field| (field, shown_field(sku, field)));
        form.must_be_as_seen(locale, &now)?;
        (sku.clone(), address(&sku.code))
    };
    let given = |field: &str| if is_new { Some(form.get(field)) } else { form.changed(field) };
    let mut sku = Sku { names: Vec::new(), codes: Vec::new(), ..before };
    if given("grams").is_some() {
        sku.grams = form.weight(locale, "grams")?;
    }
    if given("grade").is_some() {
        sku.grade = form.optional_text(locale, "grade", TextField::PriceGrade)?;
    }
    if let Some(typed) = given("shelf") {
        sku.shelf_days = shelf_days(locale, typed)?;
    }
    if let Some(name) = given("certificate") {
        let certificate = Certificate::from_name(name);
        sku.certificate = certificate.ok_or_else(|| refused(locale, 400, "form-field-wrong").at("certificate"))?;
    }
    let names = Lines::of(locale, &form, "names")?;
    let codes = Lines::of(locale, &form, "codes")?;
    for name in &names.added {
        if let Some(other) = other_of_name(&catalogue, &sku.code, name) {
            return Err(taken(locale, "sku-name-taken", name, other).at("names"));
        }
    }
    for code in &codes.added {
        if let Some(other) = other_of_code(&catalogue, &sku.code, code) {
            return Err(taken(locale, "sku-code-taken", code, other).at("codes"));
        }
    }
    (sku.names, sku.codes) = (names.added, codes.added);
    write(&signed, move |doc| {
        sku::set_sku(doc, &sku)?;
        names.removed.iter().try_for_each(|name| sku::unmap_name(doc, &sku.code, name))?;
        codes.removed.iter().try_for_each(|code| sku::unmap_code(doc, &sku.code, code))
    })
    .await?;
    Ok(Redirect::to(&to).into_response())
}

/// A new one, of which the form's code and product are right.
fn begun(locale: Locale, catalogue: &Catalogue, form: &Form) -> Result<Sku, Refused> {
    let code = sku::checked_code(form.get("code")).map_err(|_| refused(locale, 400, "sku-code-wrong").at("code"))?;
    let known = catalogue.skus.get(&code).or_else(|| other_of_code(catalogue, "", &code));
    if let Some(other) = known {
        return Err(taken(locale, "sku-code-taken", &code, other).at("code"));
    }
    let product = form.get("product");
    if !catalogue.products.iter().any(|known| known.code == product) {
        return Err(refused(locale, 400, "sku-no-product"));
    }
    Ok(Sku::new(&code, product, "", form.weight(locale, "grams")?))
}

fn taken(locale: Locale, word: &str, text: &str, other: &Sku) -> Refused {
    refused_with(locale, 409, word, &[("text", text.to_owned()), ("sku", other.code.clone())])
}

/// Days for which a pack keeps; none where nothing is typed.
fn shelf_days(locale: Locale, typed: &str) -> Result<Option<u16>, Refused> {
    if typed.is_empty() {
        return Ok(None);
    }
    let days = typed.trim_end_matches(['天', ' ']).parse().ok().filter(|days| (1..=9_999).contains(days));
    days.map(Some).ok_or_else(|| refused(locale, 400, "sku-shelf-wrong").at("shelf"))
}

/// `POST /console/skus/{code}/end`: no new orders are expected of it, or again.
pub(in crate::console) async fn end(
    Path(code): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let catalogue = present(&signed).await?;
    let present = catalogue.skus.get(&code).ok_or_else(|| refused(locale, 404, "not-found"))?;
    form.must_be_as_seen(locale, &[("ended", yes_no(present.ended).to_owned())])?;
    let ended = form.get("ended") == "yes";
    let to = address(&code);
    write(&signed, move |doc| sku::end_sku(doc, &code, ended)).await?;
    Ok(Redirect::to(&to).into_response())
}
