//! What a coordinator enters into the stock book: goods bought in, counts, losses, moves between bins, recalls. Each is one entry,
//! which is never changed; one that was a mistake is taken back, and stays to be read.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::plausibility::{Unusual, unusual_count};
use granary_client_core::quantities::{Day, Grams, GramsDelta, TextField};
use granary_client_core::schema::stock_book::{self, Count, Deed, GoodsIn};
use granary_client_core::schema::{DocumentKey, EntryId, HoldingId, MAIN_WAREHOUSE, StockMonth};
use granary_client_core::trade::Holding;
use maud::{Markup, html};

use super::holding::seen;
use super::{HERE, Now, holding_address};
use crate::console::asked_back::must_be_confirmed;
use crate::console::forms::Form;
use crate::console::i18n::{Locale, decimal};
use crate::console::inputs::{AMOUNT, DAY, Inputs, REQUIRED, TEXT, sure};
use crate::console::names::Names;
use crate::console::refusal::{Refused, refused, refused_with};
use crate::console::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;

const GOODS_IN: &str = "/console/stock/goods-in";

/// Writes into the present month's book, the part that has room.
async fn write(signed: &SignedIn, deed: Deed) -> Result<(), Refused> {
    let now = crate::environment::now();
    let month = StockMonth::of(MAIN_WAREHOUSE, Day::in_china(now));
    let month = month.ok_or_else(|| refused(signed.locale, 400, "form-field-wrong"))?;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let book = signed.work(move || granary.part_to_write(number, &DocumentKey::StockBook(month))).await?;
    signed.edit(vec![Edits::one(book, move |doc| stock_book::write(doc, &deed, now).map(drop))]).await
}

/// The form of goods that were bought in.
pub(super) fn goods_in_form(signed: &SignedIn, names: &Names) -> Markup {
    let locale = signed.locale;
    let form = Inputs::of(signed, GOODS_IN, &[]);
    let today = Day::in_china(crate::environment::now()).to_string();
    html! {
        form.card method="post" action=(GOODS_IN) {
            (form.hidden())
            label { (locale.t("product")) (form.select("product", "", std::iter::once(("", "—".to_owned())).chain(names.product_choices()))) }
            label { (locale.t("grade")) (form.empty("grade", TEXT)) }
            label { (locale.t("weight-kg")) (form.empty("grams", AMOUNT.required())) }
            label { (locale.t("day")) (form.proposed("day", &today, DAY.required())) }
            label { (locale.t("stock-expiry-long")) (form.empty("expiry", DAY)) }
            label { (locale.t("stock-from")) (form.empty("from", TEXT)) }
            label { (locale.t("stock-bin")) (form.empty("bin", TEXT)) }
            button { (locale.t("add")) }
        }
        p.small { (locale.t("stock-goods-in-help")) }
    }
}

/// `POST /console/stock/goods-in`
pub(in crate::console) async fn goods_in(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let product = form.get("product").to_owned();
    if !names.products().contains_key(&product) {
        return Err(refused(locale, 400, "stock-product-missing").at("product"));
    }
    let goods = GoodsIn {
        product,
        grade: form.optional_text(locale, "grade", TextField::Grade)?,
        quantity: form.weight(locale, "grams")?,
        day: form.day(locale, "day")?,
        expiry: if form.get("expiry").is_empty() { None } else { Some(form.day(locale, "expiry")?) },
        from: form.optional_text(locale, "from", TextField::Supplier)?,
        bin: form.optional_text(locale, "bin", TextField::Bin)?,
    };
    if goods.day > Day::in_china(crate::environment::now()) {
        return Err(refused(locale, 400, "stock-day-ahead").at("day"));
    }
    if goods.expiry.is_some_and(|expiry| expiry < goods.day) {
        return Err(refused(locale, 400, "stock-expired-already").at("expiry"));
    }
    let to = super::product_address(&goods.product, &goods.grade);
    write(&signed, Deed::In(goods)).await?;
    Ok(Redirect::to(&to).into_response())
}

fn action(holding: &HoldingId, what: &str) -> String {
    format!("{}/{what}", holding_address(holding))
}

/// The counts that were known, in one text.
fn knew(holding: &Holding) -> String {
    holding.counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

pub(super) fn count_form(signed: &SignedIn, id: &HoldingId, holding: &Holding) -> Markup {
    let locale = signed.locale;
    let action = action(id, "count");
    let form = Inputs::of(signed, &action, &[]);
    html! {
        form.card method="post" action=(action) {
            (form.hidden()) (seen(&form, holding.present(), &knew(holding)))
            label { (locale.t("stock-counted-kg")) (form.empty("counted", AMOUNT.required())) }
            p.small { (locale.with("stock-count-help", &[("weight", locale.kilograms(holding.present()))])) }
            button { (form.doing("save")) }
        }
    }
}

fn bin_field(locale: Locale, form: &Inputs<'_>, name: &str, holding: &Holding) -> Markup {
    let bins: Vec<(&str, String)> = holding
        .by_bin
        .iter()
        .map(|(bin, grams)| {
            let word = if bin.is_empty() { locale.t("stock-no-bin") } else { bin.clone() };
            (bin.as_str(), format!("{word} · {}", locale.kilograms(*grams)))
        })
        .collect();
    let none = (!holding.by_bin.contains_key("")).then(|| ("", locale.t("stock-no-bin")));
    let first = holding.by_bin.keys().find(|bin| !bin.is_empty()).map_or("", String::as_str);
    form.select(name, first, none.into_iter().chain(bins))
}

pub(super) fn loss_form(signed: &SignedIn, id: &HoldingId, holding: &Holding) -> Markup {
    let locale = signed.locale;
    let action = action(id, "loss");
    let form = Inputs::of(signed, &action, &[]);
    html! {
        form.card method="post" action=(action) {
            (form.hidden())
            label { (locale.t("weight-kg")) (form.empty("grams", AMOUNT.required())) }
            label { (locale.t("stock-reason")) (form.empty("reason", REQUIRED)) }
            @if !holding.by_bin.is_empty() { label { (locale.t("stock-bin")) (bin_field(locale, &form, "bin", holding)) } }
            button { (form.doing("save")) }
        }
    }
}

pub(super) fn move_form(signed: &SignedIn, id: &HoldingId, holding: &Holding) -> Markup {
    let locale = signed.locale;
    let action = action(id, "move");
    let form = Inputs::of(signed, &action, &[]);
    html! {
        form.card method="post" action=(action) {
            (form.hidden())
            label { (locale.t("weight-kg")) (form.proposed("grams", &decimal(holding.present().max(0), 1000), AMOUNT.required())) }
            label { (locale.t("stock-move-from")) (bin_field(locale, &form, "from", holding)) }
            label { (locale.t("stock-move-to")) (form.empty("to", REQUIRED)) }
            button { (form.doing("save")) }
        }
    }
}

pub(super) fn recall_form(signed: &SignedIn, id: &HoldingId) -> Markup {
    let locale = signed.locale;
    let action = action(id, "recall");
    let form = Inputs::of(signed, &action, &[]);
    html! {
        form.card method="post" action=(action) {
            (form.hidden())
            p.small { (locale.t("stock-recall-help")) }
            label { (locale.t("stock-reason")) (form.empty("reason", REQUIRED)) }
            (sure(locale))
            button.danger { (locale.t("stock-recall")) }
        }
    }
}

/// The button that takes an entry back.
pub(super) fn take_back(signed: &SignedIn, id: &HoldingId, entry: &EntryId) -> Markup {
    let locale = signed.locale;
    let action = action(id, "take-back");
    let entry = entry.to_string();
    let form = Inputs::of(signed, &action, &[("entry", &entry)]);
    html! {
        form.inline method="post" action=(action) {
            (form.hidden())
            button.quiet { (locale.t("stock-take-back")) }
        }
    }
}

/// The holding of an address, with what is known of it.
async fn found(signed: &SignedIn, holding: &str) -> Result<(HoldingId, Holding), Refused> {
    let missing = || refused(signed.locale, 404, "not-found");
    let id: HoldingId = holding.parse().map_err(|_| missing())?;
    let names = Names::of(signed).await?;
    let mut now = Now::of(signed, &names).await?;
    let holding = now.stock.holdings.remove(&id).ok_or_else(missing)?;
    Ok((id, holding))
}

/// Enters what happened to a holding and leads back to it; first asks back about what is unusual, unless that was confirmed.
async fn enter(
    signed: &SignedIn,
    id: &HoldingId,
    form: &Form,
    odd: &[(String, Unusual)],
    deed: Deed,
) -> Result<Response, Refused> {
    must_be_confirmed(signed.locale, form, odd)?;
    write(signed, deed).await?;
    Ok(Redirect::to(&holding_address(id)).into_response())
}

fn more_than_there(grams: Grams, there: i64) -> Vec<(String, Unusual)> {
    let odd = (grams.get() > there).then_some(Unusual::MoreThanThere { grams, there });
    odd.into_iter().map(|odd| ("grams".to_owned(), odd)).collect()
}

/// `POST /console/holdings/{holding}/count`
pub(in crate::console) async fn count(
    Path(holding): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (id, holding) = found(&signed, &holding).await?;
    if form.get("knew") != knew(&holding) {
        let now = locale.kilograms(holding.present());
        return Err(refused_with(locale, 409, "stock-counted-meanwhile", &[("now", now)]).at("counted").seen_anew());
    }
    // Nothing may be left of it.
    let counted = match form.get("counted") {
        zero if ["0", "０"].contains(&zero) => GramsDelta::ZERO,
        _ => GramsDelta::from(form.weight(locale, "counted")?),
    };
    let computed = form.get("computed").parse().ok().and_then(|grams| GramsDelta::new(grams).ok());
    let computed = computed.ok_or_else(|| refused(locale, 400, "form-field-wrong"))?;
    let odd = unusual_count(counted, computed.get()).map(|odd| ("counted".to_owned(), odd));
    let odd: Vec<(String, Unusual)> = odd.into_iter().collect();
    let deed = Deed::Count(Count { holding: id.clone(), counted, computed, knew: holding.counts });
    enter(&signed, &id, &form, &odd, deed).await
}

/// `POST /console/holdings/{holding}/loss`
pub(in crate::console) async fn loss(
    Path(holding): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (id, holding) = found(&signed, &holding).await?;
    let quantity = form.weight(locale, "grams")?;
    let reason = form.text(locale, "reason", TextField::Reason)?;
    let bin = form.optional_text(locale, "bin", TextField::Bin)?;
    let odd = more_than_there(quantity, holding.present());
    let deed = Deed::Loss { holding: id.clone(), quantity, reason, bin };
    enter(&signed, &id, &form, &odd, deed).await
}

/// `POST /console/holdings/{holding}/move`
pub(in crate::console) async fn move_bin(
    Path(holding): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (id, holding) = found(&signed, &holding).await?;
    let quantity = form.weight(locale, "grams")?;
    let from = form.optional_text(locale, "from", TextField::Bin)?;
    let to_bin = form.text(locale, "to", TextField::Bin)?;
    if from == to_bin {
        return Err(refused(locale, 400, "stock-same-bin").at("to"));
    }
    let odd = more_than_there(quantity, holding.by_bin.get(&from).copied().unwrap_or(0));
    let deed = Deed::Move { holding: id.clone(), quantity, from, to: to_bin };
    enter(&signed, &id, &form, &odd, deed).await
}

/// `POST /console/holdings/{holding}/recall`
pub(in crate::console) async fn recall(
    Path(holding): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (id, _) = found(&signed, &holding).await?;
    if form.get("sure") != "yes" {
        return Err(refused(locale, 400, "not-sure"));
    }
    let reason = form.text(locale, "reason", TextField::Reason)?;
    let deed = Deed::Recall { holding: id.clone(), reason };
    enter(&signed, &id, &form, &[], deed).await
}

/// `POST /console/holdings/{holding}/take-back`: an entry was a mistake.
pub(in crate::console) async fn withdraw(
    Path(holding): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let missing = || refused(locale, 404, "not-found");
    let (id, _) = found(&signed, &holding).await?;
    let entry: EntryId = form.get("entry").parse().map_err(|_| missing())?;
    signed.document(entry.book()).await?.ok_or_else(missing)?;
    let is_its_own = id == HoldingId::In(entry.clone());
    let to = if is_its_own { HERE.to_owned() } else { holding_address(&id) };
    signed.edit(vec![Edits::one(entry.book(), move |doc| stock_book::withdraw(doc, entry.key()))]).await?;
    Ok(Redirect::to(&to).into_response())
}
