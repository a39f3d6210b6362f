//! The console's pages over HTTP, as a browser asks for them, in both languages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod browser;

use browser::{Browser, HOUSEHOLD, world};
use granary_client_core::projection::LotFilter;

#[test]
fn a_note_with_line_breaks_is_kept_and_its_book_can_be_corrected() {
    let world = world();
    let browser = world.browser("zh");
    let lot = world.record("millet", 12_500, "2026-10-03", "rain\nuntil noon");
    let page = browser.get(&lot);
    assert!(page.body.contains("rain\nuntil noon</textarea>"), "{}", page.body);
    // The page gives the note back with the line breaks of the web; nothing but the weight is edited.
    let fields = [
        ("product", "millet"),
        ("grams", "12,5"),
        ("grade", "A"),
        ("day", "2026-10-03"),
        ("note", "rain\r\nuntil noon"),
    ];
    let changes = world.changes_of_book();
    assert_eq!(browser.post(&format!("{lot}/correct"), &fields).status, 303);
    assert_eq!(world.changes_of_book(), changes, "nothing was changed, so nothing is written");
    let fields =
        [("product", "millet"), ("grams", "１３．５公斤"), ("day", "2026-10-03"), ("note", "rain\r\n\tall day\rlong")];
    assert_eq!(browser.post(&format!("{lot}/correct"), &fields).status, 303);
    let row = &world.lots(&LotFilter { household: Some(HOUSEHOLD), ..LotFilter::default() })[0];
    assert_eq!((row.grams, row.note.as_str()), (Some(13_500), "rain\n\tall day\nlong"));
}

#[test]
fn what_is_not_clear_is_asked_back_in_the_readers_language() {
    let world = world();
    let lot = world.record("millet", 12_500, "2026-10-03", "");
    let fields = [("product", "millet"), ("grams", "1.250,5"), ("day", "2026-10-03")];
    for (language, sentence) in [
        ("zh", "重量：“1.250,5”不清楚：请写成 1250.5 或 12505。没有改动任何内容。"),
        ("en", "Weight: &quot;1.250,5&quot; is not clear: write 1250.5 or 12505. Nothing was changed."),
    ] {
        let answer = world.browser(language).post(&format!("{lot}/correct"), &fields);
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(sentence), "{}", answer.body);
    }
}

fn preview(browser: &Browser, file: &[u8]) -> (String, Vec<(String, String)>) {
    let answer = browser.upload("/console/import/preview", file);
    assert_eq!(answer.status, 200, "{}", answer.body);
    (answer.body.clone(), answer.checked_fields("/console/import/confirm"))
}

#[test]
fn imported_namesakes_stay_two_until_somebody_says_who_moves() {
    let world = world();
    let browser = world.browser("en");
    world.name_household(HOUSEHOLD, "王小明", "dongpo");
    // In GB18030, as Excel in China saves it, with an empty column and an empty row.
    let file = b"name,village,\r\n\xcd\xf5\xd0\xa1\xc3\xf7,xihe,\r\n,,\r\n";
    let (page, fields) = preview(&browser, file);
    assert!(
        page.contains("which gets this row&#39;s name and village")
            || page.contains("which gets this row's name and village"),
        "{page}"
    );
    let send = |fields: &[(String, String)]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(browser.post("/console/import/confirm", &fields).status, 303);
        let mut households = world.households();
        households.sort();
        households
    };
    let two = [("王小明".to_owned(), "dongpo".to_owned()), ("王小明".to_owned(), "xihe".to_owned())];
    assert_eq!(send(&fields), two);
    // The same file once more changes nothing.
    let (page, _) = preview(&browser, file);
    assert!(page.contains("Changes: 0. Errors: 0."), "{page}");
    // Who moves is chosen.
    let (_, mut fields) = preview(&browser, "name,village\n王小明,beishan\n".as_bytes());
    for (name, value) in &mut fields {
        if name.starts_with("choice:") {
            *value = HOUSEHOLD.to_string();
        }
    }
    assert_eq!(send(&fields), [("王小明".to_owned(), "beishan".to_owned()), two[1].clone()]);
}

#[test]
fn an_overlong_text_does_not_block_the_export() {
    let world = world();
    let browser = world.browser("zh");
    world.foreign_note(&"米".repeat(40_000));
    world.record("millet", 12_500, "2026-10-03", "next");
    for form in ["csv", "xlsx"] {
        let answer = browser.get(&format!("/console/export/lots.{form}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert!(browser.get("/console/export/lots.csv").body.contains("……（后面的已截断）"));
}

#[test]
fn what_is_unusual_is_asked_back_allowed_when_confirmed_and_listed() {
    let world = world();
    let lot = world.record("millet", 12_500, "2026-10-03", "");
    let browser = world.browser("zh");
    assert!(browser.get("/console/unusual").body.contains("没有不寻常的批次"));
    let fields = [
        ("page", lot.as_str()),
        ("product", "milet"),
        ("grams", "12.5吨"),
        ("grade", "丙"),
        ("day", "2026-10-03"),
        ("note", "两行\n备注"),
    ];
    let correct = format!("{lot}/correct");
    let asked = browser.post(&correct, &fields);
    assert_eq!(asked.status, 200);
    for sentence in ["产品目录里没有“milet”；是不是 millet？", "12,500 公斤与平常的 0.1 到 2,000 公斤相差很远"]
    {
        assert!(asked.body.contains(sentence), "{}", asked.body);
    }
    let row = || world.lots(&LotFilter::default())[0].clone();
    assert_eq!((row().grams, row().product.as_str()), (Some(12_500), "millet"), "nothing was saved");
    // The form is on its page as it was typed, and confirms what it asks.
    let mut again = asked.checked_fields(&correct);
    again.retain(|(name, _)| fields.iter().all(|(typed, _)| name != typed));
    again.extend(fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let again: Vec<(&str, &str)> = again.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.post(&correct, &again).status, 303);
    let after = row();
    assert_eq!((after.grams, after.product.as_str(), after.note.as_str()), (Some(12_500_000), "milet", "两行\n备注"));
    let list = world.browser("en").get("/console/unusual").body;
    assert!(list.contains("did you mean millet?") && list.contains("12,500 kg"), "{list}");
    // What is usual is not asked about.
    let fields = [("product", "millet"), ("grams", "100"), ("grade", "A"), ("day", "2026-10-03"), ("note", "")];
    assert_eq!(browser.post(&correct, &fields).status, 303);
}

/// English words that belong into a Chinese page: names of programs and formats, heads of columns, and what was typed.
const NAMES: &str = "Granary CSV XLSX UTF GB Excel QR English millet Millet zhang A granary coordinator add name village id code zh en \
    twelve lb milet x";

/// The English words that a person sees on a page: in its text, and in what is read out or stands in empty fields.
fn english_of(page: &str) -> Vec<String> {
    let mut seen = String::new();
    let mut rest = page;
    while let Some((text, after)) = rest.split_once('<') {
        seen.push_str(text);
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        for shown in ["placeholder", "aria-label", "title", "alt"] {
            let value = tag.split(&format!(" {shown}=\"")).nth(1).and_then(|value| value.split('"').next());
            seen.push_str(&format!(" {} ", value.unwrap_or_default()));
        }
        // What a program reads is not shown, and codes are codes.
        let skipped =
            ["script", "style", "code", "svg", "kbd"].into_iter().find(|name| tag.split(' ').next() == Some(*name));
        rest = match skipped.and_then(|name| after.split_once(&format!("</{name}>"))) {
            Some((_, after)) => after,
            None => after,
        };
        seen.push(' ');
    }
    let seen = seen.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    seen.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_./:@".contains(letter)))
        .filter(|word| word.chars().any(|letter| letter.is_ascii_alphabetic()))
        // Ids, days and addresses.
        .filter(|word| !word.chars().any(|letter| letter.is_ascii_digit() || "/:@_".contains(letter)))
        .map(|word| word.trim_matches(['-', '.']).to_owned())
        .filter(|word| !NAMES.split_whitespace().any(|name| name == word))
        .collect()
}

#[test]
fn no_english_stands_in_the_chinese_console() {
    let world = world();
    let lot = world.record("millet", 12_500, "2026-10-03", "备注");
    let browser = world.browser("zh");
    browser.post(
        &format!("{lot}/receipt"),
        &[("state", "received"), ("grams", "13"), ("grade", "A"), ("day", "2026-10-05")],
    );
    let mut wrong = Vec::new();
    let mut look = |what: String, page: &str| {
        let english = english_of(page);
        if !english.is_empty() {
            wrong.push(format!("{what}: {english:?}"));
        }
    };
    let household = format!("/console/households/{HOUSEHOLD}");
    let pages = [
        "/console",
        "/console/harvests",
        "/console/cases",
        "/console/cases?state=settled",
        "/console/unusual",
        "/console/orders",
        "/console/catalogue",
        "/console/catalogue/millet",
        "/console/cooperative",
        "/console/coordinators",
        "/console/password",
        "/console/activity",
        "/console/households",
        "/console/phones",
        "/console/export",
        "/console/import",
        &household,
        &lot,
        "/console/nothing-here",
        "/console/lots/7KQ2-M9XT-4B0F",
        "/console/sign-in?coop=1",
        "/console/once/used",
        "/console/export/audit.csv",
        "/console/export/lots.csv",
        "/console/export/cases.csv",
        "/console/export/households.csv",
    ];
    for page in pages {
        look(page.to_owned(), &browser.get(page).body);
    }
    look("signed out".into(), &world.stranger("zh").get("/console/sign-in").body);
    // Every form, with what people type wrong.
    let (correct, receipt) = (format!("{lot}/correct"), format!("{lot}/receipt"));
    let long = "长".repeat(600);
    let posts: [(&str, &[(&str, &str)]); 19] = [
        (&correct, &[("grams", "twelve")]),
        (&correct, &[("grams", "1.250,5")]),
        (&correct, &[("grams", "12 lb")]),
        (&correct, &[("grams", "0")]),
        (&correct, &[("grams", "1.23456")]),
        (&correct, &[("moisture", "200")]),
        (&correct, &[("day", "2026-13-40")]),
        (&correct, &[("note", &long)]),
        (&correct, &[("note", "a\u{7}b")]),
        (&correct, &[("product", "milet"), ("grams", "90000"), ("grade", "丙"), ("day", "2031-01-01")]),
        (&receipt, &[("state", "received"), ("grams", "x"), ("day", "2026-10-05")]),
        (&receipt, &[("state", "rejected"), ("day", "2026-10-05")]),
        (&receipt, &[("state", "received"), ("grams", "1"), ("day", "tomorrow")]),
        ("/console/catalogue", &[("code", "Not A Code"), ("zh", "x"), ("en", "y")]),
        ("/console/catalogue", &[("code", "rice"), ("zh", ""), ("en", "")]),
        ("/console/catalogue", &[("code", "millet"), ("new-grade", "@"), ("new-price", "1")]),
        ("/console/households/add", &[("name", ""), ("village", "")]),
        ("/console/cases/settle", &[("case", "nothing")]),
        ("/console/phones/invite", &[("role", "nobody")]),
    ];
    for (path, fields) in posts {
        look(format!("{path} {fields:?}"), &browser.post(path, fields).body);
    }
    for file in [
        "name,village\n王,nowhere\n",
        "id,name,village\nx,王,dongpo\n",
        "a,b\n",
        "code,zh,en,A\nmillet,小米,Millet,1.2.3\nX,小,b,1\n",
        "name,name\n",
        "name,village\n王,dongpo,1\n",
    ] {
        look(
            format!("{file:?}"),
            &browser
                .upload("/console/import/preview", file.as_bytes())
                .body
                .replace("nowhere", "")
                .replace("name", "")
                .replace('X', ""),
        );
    }
    look("no token".into(), &world.stranger("zh").post(&correct, &[]).body);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
