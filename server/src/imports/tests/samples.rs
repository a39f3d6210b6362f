use std::path::PathBuf;

use granary_client_core::quantities::Instant;
use serde_json::{Value, json};

use crate::imports::{Ask, Preview, Profiles, SkuNames, Together, pairs, read};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/orders")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn preview(name: &str) -> Preview {
    let (profiles, skus) = (Profiles::own(), SkuNames::from_json(&bytes("skus.json")).unwrap());
    let ask = Ask {
        file_name: name.to_owned(),
        profiles: profiles.all(),
        profile: None,
        skus: &skus,
        uploaded_at: Instant::from_seconds(1_800_000_000),
    };
    read(&bytes(name), &ask).unwrap()
}

fn expected() -> Value {
    serde_json::from_slice(&bytes("expected.json")).unwrap()
}

#[test]
fn every_sample_gives_exactly_what_is_expected() {
    let expected = expected();
    let files = expected["files"].as_array().unwrap();
    assert_eq!(files.len(), 7);
    for file in files {
        let found = preview(file["file"].as_str().unwrap()).json();
        assert_eq!(&found, file, "\n{found:#}");
    }
}

#[test]
fn a_pair_of_files_gives_exactly_what_is_expected() {
    let (list, details) = (preview("taobao-list.csv"), preview("taobao-details.csv"));
    let found: Vec<Value> = pairs(&[&details, &list]).iter().map(Together::json).collect();
    let mut expected = expected()["together"].clone();
    for pair in expected.as_array_mut().unwrap() {
        pair.as_object_mut().unwrap().remove("note");
    }
    assert_eq!(json!(found), expected);
}
