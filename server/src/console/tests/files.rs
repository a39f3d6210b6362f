//! Files that go out and come in again.

use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::Part;
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::harvest::{LotDraft, record};

use super::forms::{HOUSEHOLD, Two, book, text_of};
use super::page::PageForm;
use super::*;

/// Posts a file to the preview of an import.
pub(super) async fn posted(two: &Two, file: impl AsRef<[u8]>) -> Answer {
    let token = two.token(&two.zhang);
    let part = |name: &str, more: &str, content: &[u8]| {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    };
    let file = part("file", "; filename=\"x.csv\"", file.as_ref());
    let body = [part("token", "", token.as_bytes()), file, b"--b--\r\n".to_vec()].concat();
    let kind = ("content-type", "multipart/form-data; boundary=b");
    let headers = [("cookie", two.zhang.as_str()), ("accept-language", "en"), kind];
    two.world.ask(Method::POST, "/console/import/preview", &headers, body).await
}

/// The preview of a file.
pub(super) async fn previewed(two: &Two, file: &str) -> String {
    let answer = posted(two, file).await;
    assert_eq!(answer.status, 200, "{}", answer.page);
    answer.page
}

// Households and products came in as CSV alone; Excel's own file was 'no text'.
#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_is_imported_like_a_csv_file() {
    let two = Two::new().await;
    let workbook = |rows: &[&[&str]]| {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in (0u32..).zip(rows) {
            for (column, cell) in (0u16..).zip(*cells) {
                match cell.parse::<f64>() {
                    Ok(number) => sheet.write_number(row, column, number).unwrap(),
                    Err(_) => sheet.write_string(row, column, *cell).unwrap(),
                };
            }
        }
        book.save_to_buffer().unwrap()
    };
    let shown = posted(&two, workbook(&[&["农户", "村"], &[], &["樊秀英", "西河村"]])).await;
    assert_eq!(shown.status, 200, "{}", shown.page);
    assert!(text_of(&shown.page).contains("樊秀英"), "{}", shown.page);
    let confirm = PageForm::one(&shown.page, "/console/import/confirm");
    assert_eq!(two.send(&two.zhang, &confirm).await.status, 303);
    assert!(two.page("/console/households?search=fxy").await.contains("樊秀英"));
    let prices = posted(&two, workbook(&[&["code", "zh", "en", "A"], &["millet", "小米", "Millet", "8.1"]])).await;
    assert!(text_of(&prices.page).contains("¥8.10"), "{}", prices.page);
    // Cut off, it is damaged; and the list of lots is compared from its CSV file.
    let whole = workbook(&[&["农户"], &["樊秀英"]]);
    let cut = posted(&two, &whole[..whole.len() / 2]).await;
    assert!(
        cut.status == 400 && cut.page.contains("damaged") && cut.page.contains("Nothing was imported"),
        "{}",
        cut.page
    );
    let lots = two.world.get("/console/export/lots.csv", &two.zhang).await.page;
    let lines: Vec<Vec<&str>> =
        lots.trim_start_matches('\u{feff}').lines().map(|line| line.split(',').take(20).collect()).collect();
    let rows: Vec<&[&str]> = lines.iter().map(Vec::as_slice).collect();
    let compared = posted(&two, workbook(&rows)).await;
    assert!(compared.status == 400 && compared.page.contains("from its CSV file"), "{}", compared.page);
}

// What we wrote ourselves, we read again as what it is: nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_is_imported_without_a_change() {
    let two = Two::new().await;
    let world = &two.world;
    let edit = |id: u8, name: &'static str, village: &'static str| {
        let key = DocumentKey::Household(HouseholdId::from_bytes([id; 16]));
        world.granary.edit(world.coop, &key, World::now(), move |doc| household::set_name(doc, name, village)).unwrap();
    };
    // Namesakes, names that look like formulas or numbers, and names with all that CSV quotes.
    edit(1, "李家", "dongpo");
    edit(2, "=SUM(A1)", "xihe");
    edit(3, "'=SUM(A1)", "xihe");
    edit(4, "007", "xihe");
    edit(5, "Li, \"the\" elder; 一", "xihe");
    let product = |doc: &mut _| {
        catalogue::name_product(doc, "jujube", "红枣", "Jujube")?;
        let from = PriceName::new("B".into(), "2026-11-01".parse().ok()).unwrap();
        catalogue::set_price(doc, "jujube", &from, Fen::new(1_005).unwrap())
    };
    world.granary.edit(world.coop, &DocumentKey::Catalogue(Part::FIRST), World::now(), product).unwrap();
    let noted = LotDraft {
        grade: "A".into(),
        note: "三袋,\n\"湿\" -1".into(),
        ..LotDraft::new("millet", Grams::new(1_250_500).unwrap(), "2026-10-04".parse().unwrap())
    };
    world.granary.edit(world.coop, &book(), World::now(), move |doc| record(doc, &noted).map(drop)).unwrap();
    two.shown();
    let lot = two.path();
    let receipt = PageForm::one(&two.page(&lot).await, &format!("{lot}/receipt"));
    two.send(&two.zhang, &receipt.typed(&[("state", "received"), ("grams", "12.4")])).await;
    for (what, rows) in [("households", 6), ("catalogue", 2), ("lots", 2)] {
        for language in ["en", "zh"] {
            let headers = [("cookie", two.zhang.as_str()), ("accept-language", language)];
            let file = world.ask(Method::GET, &format!("/console/export/{what}.csv"), &headers, String::new()).await;
            let page = previewed(&two, &file.page).await;
            let text = text_of(&page);
            assert!(text.contains("Changes: 0. Errors: 0."), "{what} {language}: {text}");
            assert!(text.contains(&format!("what is here already: {rows}.")), "{what} {language}: {text}");
            assert!(PageForm::all(&page, "/console/import/confirm").is_empty());
        }
    }
    // A copy that differs is shown so, and changes nothing.
    let file = world.get("/console/export/lots.csv", &two.zhang).await.page.replace("12.5", "13.5");
    assert!(text_of(&previewed(&two, &file).await).contains("is another one here: Weight (kg)"));
}

// An empty line, or a name with an apostrophe before it, made every confirmation another one than was shown.
#[tokio::test(flavor = "multi_thread")]
async fn import_of_a_file_with_empty_lines_is_confirmed() {
    let two = Two::new().await;
    let page = previewed(&two, "\n名称,村\n\n赵家,东坡村\n\n'=1+1,西河村\n").await;
    assert!(page.contains("<td class=\"number\">4</td>") && page.contains("<td class=\"number\">6</td>"), "{page}");
    let taken = two.send(&two.zhang, &PageForm::one(&page, "/console/import/confirm")).await;
    assert_eq!(taken.status, 303, "{}", taken.page);
    assert!(two.page("/console/households").await.contains("赵家"));
}

// The Chinese page named columns in English, and the audit its deeds.
#[tokio::test(flavor = "multi_thread")]
async fn pages_and_files_are_in_the_readers_language() {
    let two = Two::new().await;
    let zh = [("cookie", two.zhang.as_str()), ("accept-language", "zh")];
    let page = |path: &'static str| async { two.world.ask(Method::GET, path, &zh, String::new()).await.page };
    let import = page("/console/import").await;
    for heads in ["名称,村", "编号,名称,村", "代码,中文名,英文名,A,B,C"] {
        assert!(import.contains(&format!("<code>{heads}</code>")), "{import}");
    }
    assert!(text_of(&previewed(&two, "代码,中文名,英文名,A\nrice,大米,Rice,5\n").await).contains("Changes: 1."));
    let path = format!("/console/households/{HOUSEHOLD}/erase");
    let erase = text_of(&two.world.ask(Method::GET, &path, &zh, String::new()).await.page);
    assert!(erase.contains("农户资料 · 李家") && erase.contains("收成簿 · 李家 · 2026"), "{erase}");
    let (granary, coop) = (&two.world.granary, two.world.coop);
    let role = Role::Household(HOUSEHOLD);
    let made = granary.invite(coop, role, 1, World::now()).unwrap();
    let (device, _) = two.world.enrol(&made.code, 1).unwrap();
    let by = crate::access::Principal::Operator;
    granary.grant(by, coop, device, &[role], World::now()).unwrap();
    granary.demand_second(by, coop, true, World::now()).unwrap();
    granary.demand_second(by, coop, false, World::now()).unwrap();
    page("/console/export/lots.csv").await;
    let audit = page("/console/export/audit.csv").await;
    for detail in ["农户 李家", "是", "否"] {
        assert!(audit.contains(detail), "{detail}: {audit}");
    }
    for english in ["household:", "yes", "lots.csv", "operator"] {
        assert!(!audit.contains(english), "{english}: {audit}");
    }
}

// Somebody moved a household between the look at a file and its confirmation: it was moved back, unseen.
#[tokio::test(flavor = "multi_thread")]
async fn import_takes_only_what_was_shown() {
    let two = Two::new().await;
    let file = format!("id,name,village\n{HOUSEHOLD},李家,dongpo\n,新户,xihe\n");
    let confirm = PageForm::one(&previewed(&two, &file).await, "/console/import/confirm");
    let household = format!("/console/households/{HOUSEHOLD}");
    let moved = PageForm::one(&two.page(&household).await, &household).typed(&[("village", "xihe")]);
    assert_eq!(two.send(&two.wang, &moved).await.status, 303);
    let refused = two.send(&two.zhang, &confirm).await;
    assert!(refused.page.contains("changed since the file was looked at"), "{}", refused.page);
    assert_eq!(PageForm::one(&two.page(&household).await, &household).get("village"), "xihe");
    // Seen as it is now, it may be confirmed.
    let confirm = PageForm::one(&refused.page, "/console/import/confirm");
    assert_eq!(two.send(&two.zhang, &confirm).await.status, 303);
    assert_eq!(PageForm::one(&two.page(&household).await, &household).get("village"), "dongpo");
}
