//! What is written of a household: only what its author changed.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::TextField;
use granary_client_core::schema::{DocumentKey, household};

use super::{household_of, id_of, shown};
use crate::console::refusal::Refused;
use crate::console::signed_in::SignedInForm;
use crate::engine::own_edits::Edits;

/// `POST /console/households/{household}`: writes the fields that its author changed.
pub(in crate::console) async fn save(
    Path(id): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, id) = (signed.locale, id_of(&signed, &id)?);
    form.must_be_as_seen(locale, &shown(&household_of(&signed, id).await?))?;
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
    Ok(Redirect::to(&format!("/console/households/{id}")).into_response())
}
