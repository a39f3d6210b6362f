//! What was typed in a session that ended comes back to whoever typed it, and to nobody else; nothing is sent by itself.

use granary_client_core::schema::harvest::lots;

use super::forms::{Two, book};
use super::page::PageForm;
use super::*;

impl Two {
    fn weight(&self) -> i64 {
        lots(&self.document(&book()))[0].quantity.unwrap().get()
    }

    /// The correction of the lot as somebody typed it.
    async fn typed(&self, cookie: &str) -> PageForm {
        let page = self.world.get(&self.path(), cookie).await.page;
        let form = PageForm::one(&page, &format!("{}/correct", self.path()));
        form.typed(&[("grams", "13.75"), ("place", "河湾 <b>\"旁\"</b>")])
    }

    /// Sends a form with the token that it has.
    async fn send_as_it_is(&self, cookie: Option<&str>, form: &PageForm) -> Answer {
        let cookie = cookie.unwrap_or("granary-language=en");
        let headers = [("cookie", cookie), ("accept-language", "en")];
        self.world.ask(Method::POST, &form.action, &headers, form.body()).await
    }

    /// Signs in on a sign-in page.
    async fn sign_in_on(&self, page: &str, login: &str, password: &str) -> Answer {
        let form = PageForm::one(page, "/console/sign-in").typed(&[("login", login), ("password", password)]);
        self.send_as_it_is(None, &form).await
    }
}

fn end(two: &Two, cookie: &str) {
    two.world.granary.sign_out(&session_token(cookie), false, World::now()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_before_the_session_ended_comes_back_after_signing_in() {
    let two = Two::new().await;
    for cookie in [Some(two.zhang.as_str()), None] {
        let form = two.typed(&two.world.sign_in("zhang", PASSWORD).await.unwrap()).await;
        let zhang = two.world.sign_in("zhang", PASSWORD).await.unwrap();
        end(&two, &zhang);
        let asked = two.send_as_it_is(cookie.map(|_| zhang.as_str()), &form).await;
        assert_eq!((asked.status, asked.cookie.is_none()), (403, true), "{}", asked.page);
        assert!(asked.page.contains("what you typed comes back"), "{}", asked.page);
        // A slip of the password keeps it.
        let again = two.sign_in_on(&asked.page, "zhang", "no such password").await;
        assert_eq!(again.status, 403);
        let signed_in = two.sign_in_on(&again.page, "zhang", PASSWORD).await;
        assert_eq!((signed_in.status, signed_in.to.as_str()), (303, "/console/unsent"));
        let cookie = signed_in.cookie.unwrap();
        for _ in 0..2 {
            let page = two.world.get("/console/unsent", &cookie).await;
            assert_eq!(page.status, 200);
            assert!(page.page.contains("nothing was saved. Look at it once more"), "{}", page.page);
            let filled = PageForm::one(&page.page, &format!("{}/correct", two.path()));
            assert_eq!((filled.get("grams"), filled.get("place")), ("13.75", "河湾 <b>\"旁\"</b>"));
            assert!(!page.page.contains("<b>\"旁\""), "it is text");
            assert_eq!(two.weight(), 12_500, "nothing is sent by itself");
        }
    }
    // Sent by whoever typed it, it is saved as any other form.
    let form = two.typed(&two.zhang).await;
    end(&two, &two.zhang);
    let asked = two.send_as_it_is(Some(&two.zhang), &form).await;
    let cookie = two.sign_in_on(&asked.page, "zhang", PASSWORD).await.cookie.unwrap();
    let page = two.world.get("/console/unsent", &cookie).await.page;
    let filled = PageForm::one(&page, &format!("{}/correct", two.path()));
    let saved = two.send_as_it_is(Some(&cookie), &filled.typed(&[("place", "mill")])).await;
    assert_eq!(saved.status, 303, "{}", saved.page);
    assert_eq!(two.weight(), 13_750);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gets_what_was_typed() {
    let two = Two::new().await;
    let form = two.typed(&two.zhang).await;
    end(&two, &two.zhang);
    let asked = two.send_as_it_is(Some(&two.zhang), &form).await;
    let wang = two.sign_in_on(&asked.page, "wang", PASSWORD).await;
    assert_eq!((wang.status, wang.to.as_str()), (303, "/console"));
    let page = two.world.get("/console/unsent", &wang.cookie.unwrap()).await;
    assert_eq!(page.to, "/console");
    // Another person signed in meanwhile in the same browser: her form is refused without being shown.
    let refused = two.send_as_it_is(Some(&two.wang), &form).await;
    assert!(refused.status == 403 && !refused.page.contains("13.75"), "{}", refused.page);
    assert_eq!(two.weight(), 12_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn form_of_the_same_persons_earlier_session_is_shown_again() {
    let two = Two::new().await;
    let form = two.typed(&two.zhang).await;
    end(&two, &two.zhang);
    let anew = two.world.sign_in("zhang", PASSWORD).await.unwrap();
    let shown = two.send_as_it_is(Some(&anew), &form).await;
    assert_eq!(shown.status, 409);
    let filled = PageForm::one(&shown.page, &format!("{}/correct", two.path()));
    assert_eq!((filled.get("grams"), two.weight()), ("13.75", 12_500));
    assert_eq!(two.send_as_it_is(Some(&anew), &filled.typed(&[("place", "mill")])).await.status, 303);
    assert_eq!(two.weight(), 13_750);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_and_what_is_too_long_are_not_carried() {
    let two = Two::new().await;
    let page = two.page("/console/password").await;
    let password =
        PageForm::one(&page, "/console/password").typed(&[("present", PASSWORD), ("new", "quite another one")]);
    let long = two.typed(&two.zhang).await.typed(&[("note", &"长".repeat(30_000))]);
    let foreign = two.typed(&two.zhang).await.typed(&[("page", "https://evil.example/")]);
    end(&two, &two.zhang);
    for form in [password, long, foreign] {
        let answer = two.send_as_it_is(Some(&two.zhang), &form).await;
        assert_eq!((answer.status, answer.to.as_str()), (303, "/console/sign-in"), "{}", form.action);
        assert!(!answer.page.contains(PASSWORD));
    }
    // A sign-in page that somebody wrote by hand leads to no other site, and fills no form of another person's.
    let by_hand = format!(
        "coop=1&login=zhang&password={}&unsent-action=%2F%2Fevil.example&unsent-fields=page%3D%252Fconsole%26author%3D1%252F0",
        PASSWORD.replace(' ', "+")
    );
    let answer = two.world.ask(Method::POST, "/console/sign-in", &[], by_hand).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, "/console"));
}
