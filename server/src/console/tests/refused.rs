//! What was typed wrong is named in the reader's language.

use granary_client_core::quantities::typed::{self, WeightUnit};

use super::super::i18n::{Language, Locale};
use super::super::refusal::refuse;
use super::*;
use crate::access::passwords::check_new;
use crate::said::Said;

// One sentence stood for all of these.
#[test]
fn each_wrong_input_has_its_own_sentence_in_both_languages() {
    let password = |text: &str| Error::invalid("password", Said::of(&check_new(text, "zhang").unwrap_err()));
    let weight =
        |text: &str| Error::Typed { field: "weight", fault: typed::weight(text, WeightUnit::Kilogram).unwrap_err() };
    let inputs = [
        ("password", password("short")),
        ("password", password(&"x".repeat(2_000))),
        ("password", password(" correct horse battery ")),
        ("password", password("password123456")),
        ("login", Error::invalid("login", ("somebody who was erased had this login", "已抹去的人用过这个登录名"))),
        ("weight", weight("")),
        ("weight", weight("many")),
        ("weight", weight("1,25,0")),
        ("weight", weight("12 stone")),
    ];
    let mut sentences = std::collections::BTreeSet::new();
    for language in [Language::Chinese, Language::English] {
        let locale = Locale { language };
        for (field, error) in &inputs {
            let refused = refuse(locale, error);
            assert_eq!((refused.status, refused.field.as_deref()), (400, Some(*field)), "{error}");
            let is_chinese = refused.sentence.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
            assert_eq!(is_chinese, language == Language::Chinese, "{}", refused.sentence);
            assert!(sentences.insert(refused.sentence.clone()), "twice: {}", refused.sentence);
        }
    }
}

#[tokio::test]
async fn id_that_is_none_is_named() {
    let world = World::new();
    world.coordinator("zhang");
    let cookie = world.sign_in("zhang", PASSWORD).await.unwrap();
    let session = world.granary.session(&session_token(&cookie), World::now()).unwrap().unwrap();
    let token = super::super::form_token::masked(&session.csrf).unwrap();
    for (language, wanted) in [("zh", "“x”不是手机的编号"), ("en", "is not a valid device id. Nothing was changed.")]
    {
        let headers = [("cookie", cookie.as_str()), ("accept-language", language)];
        let form = format!("token={token}&device=x&sure=yes");
        let answer = world.ask(Method::POST, "/console/phones/revoke", &headers, form).await;
        assert_eq!(answer.status, 400);
        assert!(answer.page.contains(wanted), "{}", answer.page);
    }
}
