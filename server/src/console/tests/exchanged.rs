//! What exports say of people, grades and days, and what imports make of villages and of our own files.

use granary_client_core::quantities::{Grams, Permille};
use granary_client_core::schema::harvest::{LotDraft, lots, record};
use granary_client_core::schema::receipt::{Outcome, receive};
use granary_client_core::schema::{Book, LotId, Season};

use super::files::previewed;
use super::forms::{HOUSEHOLD, Two, text_of};
use super::page::PageForm;
use super::*;

const NAMESAKE: HouseholdId = HouseholdId::from_bytes([3; 16]);

/// The rows of an export, each cell by its head.
async fn exported(two: &Two, file: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = two.world.get(&format!("/console/export/{file}"), &two.zhang).await.page;
    let text = text.trim_start_matches('\u{feff}').to_owned();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let heads: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| heads.iter().cloned().zip(row.iter().map(str::to_owned)).collect()).collect()
}

/// Another household of the same name, in a village of its own, with a lot that the warehouse graded.
async fn with_namesake() -> Two {
    let two = Two::new().await;
    let edit =
        |key: DocumentKey, edit: crate::Edit| two.world.granary.edit(two.world.coop, &key, World::now(), edit).unwrap();
    edit(DocumentKey::Household(NAMESAKE), Box::new(|doc| household::set_name(doc, "李家", "")));
    let book = DocumentKey::HarvestBook(Book::first(NAMESAKE, Season::new(2026).unwrap()));
    let draft = LotDraft {
        grade: "A".into(),
        moisture: Some(Permille::new(135).unwrap()),
        ..LotDraft::new("millet", Grams::new(20_000).unwrap(), "2026-10-04".parse().unwrap())
    };
    edit(book.clone(), Box::new(move |doc| record(doc, &draft).map(drop)));
    let lot = LotId::in_book(&book, lots(&two.document(&book))[0].key.clone()).unwrap();
    let outcome = Outcome::Received { weighed: Grams::new(19_500).unwrap(), grade: "A".into() };
    edit(lot.receipt_book(), Box::new(move |doc| receive(doc, &lot, &outcome, "2026-10-05".parse().unwrap())));
    two.shown();
    two
}

// Two people of one name were one in every export, the warehouse's grade was in none, and moisture was in permille.
#[tokio::test(flavor = "multi_thread")]
async fn exports_tell_namesakes_apart_and_say_what_the_warehouse_said() {
    let two = with_namesake().await;
    let rows = exported(&two, "lots.csv").await;
    let row = |id: HouseholdId| rows.iter().find(|row| row["Household's id"] == id.to_string()).unwrap();
    let (one, other) = (row(HOUSEHOLD), row(NAMESAKE));
    assert_eq!((&one["Household"], &other["Household"]), (&"李家".to_owned(), &"李家".to_owned()));
    assert_eq!((one["Village"].as_str(), other["Village"].as_str()), ("东坡村", ""));
    assert!(one["Lot's id"] != other["Lot's id"] && one["Lot's id"].contains(&two.lot.in_full()));
    let said =
        ["Moisture (%)", "Warehouse's grade", "Received on", "Worth (yuan)", "Day"].map(|head| other[head].as_str());
    assert_eq!(said, ["13.5", "A", "2026-10-05", "148.2", "2026-10-04"]);
    assert_eq!(other["Recorded by"], "the server, for the household");
    let households = exported(&two, "households.csv").await;
    let ids: Vec<&str> = households.iter().map(|row| row["id"].as_str()).collect();
    assert!(ids.contains(&HOUSEHOLD.to_string().as_str()) && ids.contains(&NAMESAKE.to_string().as_str()));
}

// What was exported of a household without a village, or without a name, could not be read again.
#[tokio::test(flavor = "multi_thread")]
async fn own_files_are_taken_as_unchanged() {
    let two = with_namesake().await;
    let unnamed = HouseholdId::from_bytes([9; 16]);
    let code = two.world.granary.invite(two.world.coop, Role::Household(unnamed), 1, World::now()).unwrap().code;
    two.world.enrol(&code, 9).unwrap();
    let village = "/console/export/lots.csv?village=dongpo";
    for (file, rows) in [("/console/export/households.csv", 3), ("/console/export/lots.csv", 2), (village, 1)] {
        for language in ["en", "zh"] {
            let headers = [("cookie", two.zhang.as_str()), ("accept-language", language)];
            let text = two.world.ask(Method::GET, file, &headers, String::new()).await.page;
            let page = text_of(&previewed(&two, &text).await);
            assert!(page.contains("Changes: 0. Errors: 0."), "{file} {language}: {page}");
            assert!(page.contains(&format!("what is here already: {rows}.")), "{file} {language}: {page}");
        }
    }
    // Files about other things have names of households too, and are no list of households.
    let lot = two.path();
    let correct = PageForm::one(&two.page(&lot).await, &format!("{lot}/correct"));
    for (cookie, kilograms) in [(&two.wang, "13"), (&two.zhang, "14")] {
        two.send(cookie, &correct.typed(&[("grams", kilograms)])).await;
    }
    let cases = two.world.get("/console/export/cases.csv", &two.zhang).await.page;
    assert!(cases.contains(&HOUSEHOLD.to_string()), "{cases}");
    assert_eq!(super::files::posted(&two, &cases).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn villages_are_named_by_name_or_code_and_unknown_ones_are_listed() {
    let two = Two::new().await;
    let page = text_of(&two.page("/console/import").await);
    assert!(page.contains("东坡村 · dongpo") && page.contains("西河村 · xihe"), "{page}");
    let file = "name,village\n赵家,东坡村\n钱家,XIHE\n孙家,\n周家,南坡村\n吴家,东坡\n郑家,南坡村\n";
    let refused = previewed(&two, file).await;
    let page = text_of(&refused);
    assert!(page.contains("“南坡村”, row 5, 7") && page.contains("“东坡”, row 6"), "{page}");
    assert!(PageForm::all(&refused, "/console/import/confirm").is_empty());
    let good = previewed(&two, &file.lines().take(4).collect::<Vec<_>>().join("\n")).await;
    let taken = two.send(&two.zhang, &PageForm::one(&good, "/console/import/confirm")).await;
    assert_eq!(taken.status, 303, "{}", taken.page);
    let rows = exported(&two, "households.csv").await;
    let village = |name: &str| rows.iter().find(|row| row["Household"] == name).unwrap()["Village"].clone();
    assert_eq!([village("赵家"), village("钱家"), village("孙家")], ["东坡村", "西河村", ""]);
}
