//! What is written of a household: only what its author changed.

use axum::extract::Path;
use axum::response::Response;
use granary_client_core::quantities::{Day, TextField};
use granary_client_core::schema::{DocumentKey, household};

use super::{household_of, id_of, shown};
use crate::console::refusal::{Refused, refused};
use crate::console::signed_in::SignedInForm;
use crate::engine::own_edits::Edits;

/// `POST /console/households/{household}`: writes the fields that its author changed.
pub(in crate::console) async fn save(
    Path(id): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, id) = (signed.locale, id_of(&signed, &id)?);
    form.must_be_as_seen(locale, &shown(&household_of(&signed, id).await?.1))?;
    let changed = |field: &str| form.changed(field).is_some();
    let name = changed("name").then(|| form.text(locale, "name", TextField::HouseholdName)).transpose()?;
    let village =
        changed("village").then(|| form.optional_text(locale, "village", TextField::VillageCode)).transpose()?;
    let payment = changed("payment").then(|| form.optional_text(locale, "payment", TextField::Payment)).transpose()?;
    let member = changed("member").then(|| form.text(locale, "member", TextField::MemberName)).transpose()?;
    if [&name, &village, &payment, &member].into_iter().any(Option::is_some) {
        let edit = Edits::one(DocumentKey::Household(id), move |doc| {
            household::rename(doc, name.as_deref(), village.as_deref())?;
            payment.iter().try_for_each(|payment| household::set_payment(doc, payment))?;
            member.iter().try_for_each(|member| household::add_member(doc, member))
        });
        signed.edit(vec![edit]).await?;
    }
    Ok(signed.back_to("particulars"))
}

/// `POST /console/households/{household}/member`: takes a member out, or in again.
pub(in crate::console) async fn move_member(
    Path(id): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, id) = (signed.locale, id_of(&signed, &id)?);
    let (_, read) = household_of(&signed, id).await?;
    let key = form.get("member").to_owned();
    let member = read.people.iter().find(|member| member.key == key);
    let member = member.ok_or_else(|| refused(locale, 404, "not-found"))?;
    let today = Day::in_china(crate::environment::now());
    let edit = match (form.get("what"), member.left) {
        ("out", None) => Edits::one(DocumentKey::Household(id), move |doc| household::remove_member(doc, &key, today)),
        ("in", Some(_)) => Edits::one(DocumentKey::Household(id), move |doc| household::put_back_member(doc, &key)),
        // Somebody else was faster, or it was tapped twice.
        ("out" | "in", _) => return Ok(signed.back_to("people")),
        _ => return Err(refused(locale, 400, "form-field-wrong").at("what")),
    };
    signed.edit(vec![edit]).await?;
    Ok(signed.back_to("people"))
}

/// `POST /console/households/{household}/payment`: puts back the payment account that was cleared.
pub(in crate::console) async fn put_back_payment(
    Path(id): Path<String>,
    SignedInForm(signed, _): SignedInForm,
) -> Result<Response, Refused> {
    let id = id_of(&signed, &id)?;
    let (document, _) = household_of(&signed, id).await?;
    if let Some(payment) = document.and_then(|mut document| household::last_payment(&mut document)) {
        let edit = Edits::one(DocumentKey::Household(id), move |doc| household::set_payment(doc, &payment));
        signed.edit(vec![edit]).await?;
    }
    Ok(signed.back_to("people"))
}
