//! A coordinator's second factor: an authenticator app reads a code from the screen, and shows six digits from then on.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::forms::encode;
use super::households::qr;
use super::page::{Page, token};
use super::refusal::{Refused, refuse, refused};
use super::sign_in::signed_in;
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::second_factor::SecondFactor;
use crate::engine::second_factor::SetUp;
use crate::http::Shared;

/// The page's address, which is open also to who must set it up first.
pub(super) const ADDRESS: &str = "/console/second-factor";

/// `GET /console/second-factor`: with a new secret each time; it holds once a code of it was typed.
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let secret = SecondFactor::new_secret().map_err(|error| refuse(signed.locale, &error))?;
    Ok(page(&signed, &secret, None))
}

fn page(signed: &SignedIn, secret: &str, wrong: Option<&str>) -> Response {
    let locale = signed.locale;
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
            input type="hidden" name="secret" value=(secret);
            label { (locale.t("password-present"))
                input name="present" type="password" autocomplete="current-password" required; }
            label { (locale.t("second-code"))
                input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7" required; }
            button { (locale.t("second-set")) }
        }
        p.small { (locale.t("second-after")) }
    };
    Page { title: locale.t("second-factor"), part: "", main }.show(signed)
}

/// `POST /console/second-factor`: all else that was signed in ends; this browser goes on.
pub(super) async fn set(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, session, now) = (signed.locale, signed.session.clone(), crate::environment::now());
    let secret = form.get("secret").to_owned();
    let Some(second) = SecondFactor::of_secret(&secret) else {
        return Err(refused(locale, 400, "form-field-wrong"));
    };
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
    match signed.work(move || granary.set_second(&session, &present, (second, &code), now)).await? {
        SetUp::Done(token) => Ok(signed_in(&token, "/console")),
        SetUp::WrongPassword => Ok(page(&signed, &secret, Some("password-not-yours"))),
        SetUp::WrongCode => Ok(page(&signed, &secret, Some("second-code-wrong"))),
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

    async fn sign_in(world: &World, code: &str) -> Answer {
        let form = format!("coop={}&login=zhang&password={}&code={code}", world.coop.0, PASSWORD.replace(' ', "+"));
        world.ask(Method::POST, "/console/sign-in", &[("accept-language", "en")], form).await
    }

    /// Sets up a second factor; gives it, and the cookie of the session that goes on.
    async fn set_up(world: &World, cookie: &str) -> (SecondFactor, String) {
        let page = world.get(ADDRESS, cookie).await.page;
        let secret = page.split("name=\"secret\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let second = SecondFactor::of_secret(&secret).unwrap();
        let code = second.code(World::now(), 0);
        for (present, code) in [("another+password", code.as_str()), ("correct+horse+battery", "12345")] {
            let refused = world.post(ADDRESS, cookie, &format!("secret={secret}&present={present}&code={code}")).await;
            assert!(refused.cookie.is_none() && refused.page.contains(&secret), "the app need not be set up again");
        }
        let form = format!("secret={secret}&present=correct+horse+battery&code={code}");
        (second, world.post(ADDRESS, cookie, &form).await.cookie.unwrap())
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
