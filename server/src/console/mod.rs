//! The coordinators' console: pages rendered on the server, plain JavaScript for live updates, nothing from other
//! hosts. Reads use the read models; edits are changes of documents, by the signed-in person's own device.

mod activity;
mod again;
mod api_keys;
mod asked_back;
mod assets;
mod bidi;
mod cards;
mod case_card;
mod cases;
mod catalogue;
mod charts;
mod cookies;
mod cooperative;
mod coordinators;
mod difference;
mod erase;
mod export;
mod first_run;
mod form_token;
mod forms;
mod harvests;
mod history;
mod household;
mod households;
mod i18n;
mod import;
mod inputs;
mod invitations;
mod layout;
mod left_since;
mod lot;
mod names;
mod order_files;
mod orders;
mod origin;
mod overview;
mod page;
mod parts;
mod password;
mod phones;
mod question_many;
mod questions;
mod receipts;
mod refusal;
mod search;
mod second_factor;
mod sessions;
mod set_aside;
mod settle;
mod settle_many;
mod sheets;
mod sign_in;
mod signed_in;
mod spelled;
mod stock;
mod streams;
#[cfg(test)]
mod tests;
mod trespasses;
mod turns;
mod unsent;
mod unusual;
mod updates;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Extension, Router};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

pub(crate) use self::forms::is_code;
pub(crate) use self::layout::reading_page;
use crate::http::Shared;

/// All pages, below `/console`.
fn pages() -> Router<Shared> {
    let pages = Router::new()
        .route("/", get(overview::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/once/{token}", get(sign_in::show_once).post(sign_in::redeem_once))
        .route("/password", get(password::show).post(password::change))
        .route("/second-factor", get(second_factor::show).post(second_factor::set))
        .route("/second-factor/demand", post(second_factor::demand))
        .route("/unsent", get(unsent::show))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/sessions/end", post(sessions::end))
        .route("/language", post(sign_in::language))
        .route("/harvests", get(harvests::show))
        .route("/lots/{lot}", get(lot::show))
        .route("/lots/{lot}/receipt", post(lot::receive))
        .route("/lots/{lot}/correct", post(lot::correct))
        .route("/cases", get(cases::show))
        .route("/cases/settle", post(settle::settle))
        .route("/cases/many", post(settle_many::settle_many))
        .route("/cases/many/undo", post(settle_many::undo_many))
        .route("/cases/undo", post(settle::undo))
        .route("/cases/reclaim", post(trespasses::take_out))
        .route("/questions", get(questions::show))
        .route("/questions/ask", post(questions::ask))
        .route("/questions/close", post(questions::close))
        .route("/questions/reopen", post(questions::reopen))
        .route("/unusual", get(unusual::show))
        .route("/unusual/right", post(unusual::found_right))
        .route("/cooperative", get(cooperative::show))
        .route("/cooperative/details", post(cooperative::save_details))
        .route("/cooperative/season", post(cooperative::save_season))
        .route("/cooperative/village", post(cooperative::save_village))
        .route("/cooperative/place", post(cooperative::save_place))
        .route("/cooperative/announce", post(cooperative::announce))
        .route("/orders", get(orders::show))
        .route("/orders/status", post(orders::set_status))
        .route("/orders/undo", post(orders::undo))
        .route("/orders/files", get(order_files::show))
        .route(
            "/orders/files/bring",
            post(order_files::bring).layer(DefaultBodyLimit::max(order_files::FORM_BYTES_MAX)),
        )
        .route("/orders/files/{id}", get(order_files::show_one))
        .route("/orders/files/{id}/refused.csv", get(order_files::refused_rows))
        .route("/orders/files/{id}/profile", post(order_files::choose))
        .route("/orders/files/{id}/map", post(order_files::map))
        .route("/orders/files/{id}/take", post(order_files::take))
        .route("/orders/files/{id}/drop", post(order_files::drop_file))
        .route("/orders/{name}", get(orders::show_one))
        .route("/orders/{name}/map", post(orders::map_line))
        .route("/activity", get(activity::show))
        .route("/activity/{file}", get(activity::download))
        .route("/catalogue", get(catalogue::show).post(catalogue::product::save))
        .route("/catalogue/{code}", get(catalogue::product::show))
        .route("/catalogue/{code}/end", post(catalogue::product::end))
        .route("/catalogue/{code}/price-end", post(catalogue::product::end_price))
        .route("/skus", post(catalogue::skus::save))
        .route("/skus/{code}", get(catalogue::skus::show))
        .route("/skus/{code}/end", post(catalogue::skus::end))
        .route("/stock", get(stock::show))
        .route("/stock/goods-in", post(stock::entries::goods_in))
        .route("/stock/{product}", get(stock::show_product))
        .route("/holdings/{holding}", get(stock::show_holding))
        .route("/holdings/{holding}/count", post(stock::entries::count))
        .route("/holdings/{holding}/loss", post(stock::entries::loss))
        .route("/holdings/{holding}/move", post(stock::entries::move_bin))
        .route("/holdings/{holding}/recall", post(stock::entries::recall))
        .route("/holdings/{holding}/take-back", post(stock::entries::withdraw))
        .route("/streams", get(streams::show).post(streams::plan::save))
        .route("/streams/demo", post(streams::start_demo))
        .route("/streams/{code}", get(streams::one))
        .route("/streams/{code}/ready", post(streams::ready::save))
        .route("/streams/{code}/offer", post(streams::plan::save_offer))
        .route("/streams/{code}/more", post(streams::plan::more))
        .route("/streams/{code}/offer-end", post(streams::plan::end_offer))
        .route("/streams/{code}/end", post(streams::plan::end))
        .route("/promotions", post(catalogue::promotion::save))
        .route("/promotions/{code}", get(catalogue::promotion::show))
        .route("/promotions/{code}/end", post(catalogue::promotion::end))
        .route("/promotions/{code}/offer-end", post(catalogue::promotion::end_offer))
        .route("/households", get(households::show))
        .route("/households/add", post(households::add))
        .route("/households/{household}", get(household::one).post(household::save))
        .route("/households/{household}/member", post(household::move_member))
        .route("/households/{household}/payment", post(household::put_back_payment))
        .route("/households/{household}/erase", get(erase::household).post(erase::erase_household))
        .route("/orders/erase-buyer", get(erase::buyer).post(erase::erase_buyer))
        .route("/households/invite", post(sheets::invite))
        .route("/households/cards", get(cards::show))
        .route("/households/sheet", post(sheets::sheet))
        .route("/phones", get(phones::show))
        .route("/phones/invite", post(phones::invite))
        .route("/phones/revoke", post(phones::revoke))
        .route("/phones/villages", post(phones::change_villages))
        .route("/coordinators", get(coordinators::show))
        .route("/coordinators/invite", post(coordinators::invite))
        .route("/coordinators/remove", post(coordinators::remove))
        .route("/api", get(api_keys::show))
        .route("/api/keys", post(api_keys::add))
        .route("/api/keys/revoke", post(api_keys::revoke))
        .route("/api/webhooks", post(api_keys::add_webhook))
        .route("/api/webhooks/rotate", post(api_keys::rotate))
        .route("/api/webhooks/test", post(api_keys::test))
        .route("/api/webhooks/remove", post(api_keys::remove))
        .route("/api/webhooks/again", post(api_keys::again))
        .route("/invitations", get(invitations::show))
        .route("/invitations/withdraw", post(invitations::withdraw))
        .route("/invitations/withdraw-all", post(invitations::withdraw_all))
        .route("/phones/take-back", post(phones::take_back))
        .route("/set-aside", get(set_aside::show))
        .route("/set-aside/take-in", post(set_aside::take_in))
        .route("/set-aside/refuse", post(set_aside::refuse))
        .route("/export", get(export::show))
        .route("/export/{file}", get(export::download))
        .route("/import", get(import::show))
        .route("/import/preview", post(import::preview))
        .route("/import/confirm", post(import::confirm))
        .route("/search", get(search::show))
        .route("/questions/ask-many", post(question_many::ask))
        .route("/views/keep", post(parts::views::keep))
        .route("/views/drop", post(parts::views::drop))
        .route("/live", get(updates::listen))
        .fallback(page::not_found)
        .layer(from_fn(parts::toast::tell))
        .layer(from_fn(again::show_refused_again));
    Router::new().nest("/console", pages)
}

/// The console.
pub(crate) fn router() -> Router<Shared> {
    pages()
        .route("/", get(|| async { Redirect::to("/console") }))
        .route("/console/", get(|| async { Redirect::permanent("/console") }))
        .route("/assets/{file}", get(assets::give))
        .layer(from_fn(origin::refuse_other_sites))
        .layer(from_fn(page::with_language))
        .layer(from_fn(page::security_headers))
        .layer(Extension(Arc::new(parts::toast::Toasts::default())))
        .layer(Extension(Arc::new(turns::Turns::default())))
        .layer(
            CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new("image/"))),
        )
}
