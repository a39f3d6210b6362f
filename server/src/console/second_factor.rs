//! A coordinator's second factor: an authenticator app reads a code from the screen, and shows six digits from then on.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::forms::encode;
use super::page::{Page, token};
use super::parts::qr;
use super::refusal::{Refused, refuse, refused};
use super::sessions;
use super::sign_in::signed_in;
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::second_factor::SetUp;
use crate::http::Shared;

/// The page's address, which is open also to who must set it up first.
pub(super) const ADDRESS: &str = "/console/second-factor";

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    done: Option<String>,
}

/// `GET /console/second-factor`: with a secret that holds once a code of it was typed; right after that, that it was.
pub(super) async fn show(signed: SignedIn, Query(which): Query<Which>) -> Result<Response, Refused> {
    let locale = signed.locale;
    if which.done.is_some() && signed.session.has_second {
        let main = html! {
            p.notice role="status" { (locale.t("second-was-set")) }
            p { a href="/console" { (locale.t("back-to-overview")) } }
        };
        return Ok(Page { title: locale.t("second-factor"), part: "", main }.show(&signed));
    }
    page(&signed, None)
}

fn page(signed: &SignedIn, wrong: Option<&str>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let secret = signed.granary.second_secret(&signed.session, crate::environment::now());
    let secret = secret.map_err(|error| refuse(locale, &error))?;
    let words = |text: &str| encode(text).replace('+', "%20");
    let (issuer, login) = (words(signed.cooperative.name()), words(&signed.session.login));
    let link = format!("otpauth://totp/{issuer}:{login}?secret={secret}&issuer={issuer}");
    let is_demanded = signed.session.must_set_up_second;
    let main = html! {
        @if let Some(wrong) = wrong { p.error role="alert" { (locale.t(wrong)) } }
        @if is_demanded { p.notice { (locale.t("second-demanded")) } }
        @if signed.session.has_second { p.notice { (locale.t("second-is-set")) } }
        p { (locale.t("second-help")) }
        (qr(&link))
        p { (locale.t("second-secret")) " " code { (secret) } }
        form.card method="post" action=(ADDRESS) {
            (token(signed))
            label { (locale.t("password-present"))
                input name="present" type="password" autocomplete="current-password" required; }
            label { (locale.t("second-code"))
                input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7" required; }
            button { (locale.t("second-set")) }
        }
        p.small { (locale.t("second-after")) }
    };
    Ok(Page { title: locale.t("second-factor"), part: "", main }.show(signed))
}

/// `POST /console/second-factor`: all else that was signed in ends; this browser goes on.
pub(super) async fn set(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, session, now) = (signed.locale, signed.session.clone(), crate::environment::now());
    let account = format!("{}/{}", session.cooperative.0, session.login);
    if shared.gate.sign_in(address.ip(), &account, now).is_err() {
        return Err(refused(locale, 429, "sign-in-too-often"));
    }
    // Held until the password was checked.
    let Ok(_pass) = shared.gate.password().await else {
        return Err(refused(locale, 429, "sign-in-too-often"));
    };
    let (granary, present, code) =
        (signed.granary.clone(), form.get("present").to_owned(), form.get("code").to_owned());
    match signed.work(move || granary.set_second(&session, &present, &code, now)).await? {
        SetUp::Done(token) => {
            let (granary, from, noted) =
                (signed.granary.clone(), sessions::origin(address.ip(), &headers), token.clone());
            signed
                .work(move || {
                    sessions::note(&granary, &noted, &from);
                    Ok(())
                })
                .await?;
            Ok(signed_in(&token, &format!("{ADDRESS}?done=yes")))
        }
        SetUp::WrongPassword => page(&signed, Some("password-not-yours")),
        SetUp::WrongCode => page(&signed, Some("second-code-wrong")),
        SetUp::TooOld => page(&signed, Some("second-too-old")),
    }
}

/// `POST /console/second-factor/demand`: of every coordinator, or no more.
pub(super) async fn demand(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let demanded = form.get("demanded") == "yes";
    if demanded && !signed.session.has_second {
        return Err(refused(signed.locale, 400, "second-yours-first"));
    }
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.demand_second(by, number, demanded, crate::environment::now())).await?;
    Ok(Redirect::to("/console/coordinators").into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::super::tests::{Answer, PASSWORD, World};
    use super::*;
    use crate::access::second_factor::SecondFactor;

    async fn sign_in(world: &World, code: &str) -> Answer {
        let form = format!("coop={}&login=zhang&password={}&code={code}", world.coop.0, PASSWORD.replace(' ', "+"));
        world.ask(Method::POST, "/console/sign-in", &[("accept-language", "en")], form).await
    }

    /// Sets up a second factor; gives it, and the cookie of the session that goes on.
    async fn set_up(world: &World, cookie: &str) -> (SecondFactor, String) {
        let page = world.get(ADDRESS, cookie).await.page;
        let secret = page.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let second = SecondFactor::of_secret(&secret).unwrap();
        let code = second.code(World::now(), 0);
        for (present, code) in [("another+password", code.as_str()), ("correct+horse+battery", "12345")] {
            let refused = world.post(ADDRESS, cookie, &format!("present={present}&code={code}")).await;
            assert!(refused.cookie.is_none() && refused.page.contains(&secret), "the app need not be set up again");
        }
        // Another secret is nobody's to choose.
        let other = SecondFactor::of_secret(&"A".repeat(32)).unwrap();
        let chosen =
            format!("secret={}&present=correct+horse+battery&code={}", "A".repeat(32), other.code(World::now(), 0));
        assert!(world.post(ADDRESS, cookie, &chosen).await.cookie.is_none());
        let form = format!("present=correct+horse+battery&code={code}");
        let done = world.post(ADDRESS, cookie, &form).await;
        let cookie = done.cookie.unwrap();
        let page = world.get(&done.to, &cookie).await.page;
        assert!(page.contains("role=\"status\"") && !page.contains("<code>"), "it says that it is set up: {page}");
        (second, cookie)
    }

    #[tokio::test]
    async fn second_factor_is_asked_beside_the_password_and_a_code_is_taken_once() {
        let world = World::new();
        world.coordinator("zhang");
        let before = world.sign_in("zhang", PASSWORD).await.unwrap();
        let (second, cookie) = set_up(&world, &before).await;
        assert_eq!(world.get("/console", &cookie).await.status, 200);
        assert_eq!(world.get("/console", &before).await.to, "/console/sign-in", "what was issued before has ended");
        let missing = sign_in(&world, "").await;
        assert!(missing.cookie.is_none() && missing.page.contains("the code from your app"), "{}", missing.page);
        assert!(sign_in(&world, "000000").await.cookie.is_none());
        let code = second.code(World::now(), 1);
        assert!(sign_in(&world, &code).await.cookie.is_some());
        assert!(sign_in(&world, &code).await.cookie.is_none(), "it was taken");
        world.granary.set_coordinator(world.coop, "zhang", "zhang", PASSWORD, World::now()).unwrap();
        assert!(sign_in(&world, "").await.cookie.is_none(), "another password leaves the second factor");
        world.granary.clear_second(world.coop, "zhang", World::now()).unwrap();
        assert!(sign_in(&world, "").await.cookie.is_some());
    }

    #[tokio::test]
    async fn where_it_is_demanded_nothing_else_can_be_done_without_it() {
        let world = World::new();
        world.coordinator("zhang");
        world.coordinator("wang");
        let (zhang, wang) = (world.sign_in("zhang", PASSWORD).await, world.sign_in("wang", PASSWORD).await.unwrap());
        let demand = "/console/second-factor/demand";
        let refused = world.post(demand, zhang.as_ref().unwrap(), "demanded=yes").await;
        assert_eq!(refused.status, 400, "nobody locks themselves out");
        let (_, zhang) = set_up(&world, &zhang.unwrap()).await;
        assert_eq!(world.post(demand, &zhang, "demanded=yes").await.status, 303);
        for path in ["/console", "/console/harvests", "/console/export/harvests.csv", "/console/lots/second-factor"] {
            assert_eq!(world.get(path, &wang).await.to, ADDRESS, "{path}");
            assert_ne!(world.get(path, &zhang).await.to, ADDRESS, "{path}");
        }
        assert_eq!(world.post(demand, &wang, "demanded=no").await.to, ADDRESS);
        assert_eq!(world.get(ADDRESS, &wang).await.status, 200);
        assert_eq!(world.post("/console/sign-out", &wang, "").await.to, "/console/sign-in");
        assert_eq!(world.post(demand, &zhang, "demanded=no").await.status, 303);
        let wang = world.sign_in("wang", PASSWORD).await.unwrap();
        assert_eq!(world.get("/console", &wang).await.status, 200);
    }
}
