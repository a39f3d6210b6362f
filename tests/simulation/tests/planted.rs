//! Each planted bug of the simulator's list has exactly one point in the code, and each point is on the list.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use granary_sim::planted::PLANTED;

/// The macro's own file, whose examples are no points.
const MACRO: &str = "client-core/src/planted.rs";

/// All source files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The names of all `planted!("name")`, with the files that have them.
fn points() -> BTreeMap<String, Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut points: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let files = ["client-core/src", "server/src"].into_iter().flat_map(|folder| sources(&root.join(folder)));
    for file in files.filter(|file| *file != root.join(MACRO)) {
        let text = std::fs::read_to_string(&file).unwrap();
        for rest in text.split("planted!(").skip(1) {
            let name = rest.trim_start().strip_prefix('"').and_then(|name| name.split_once('"'));
            let (name, _) = name.unwrap_or_else(|| panic!("a point without a name in {}", file.display()));
            points.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    points
}

#[test]
fn each_planted_bug_has_one_point_in_the_code() {
    let mut points = points();
    for bug in PLANTED {
        let files = points.remove(bug.name).unwrap_or_default();
        assert_eq!(files.len(), 1, "{} must be planted once, and is in {files:?}", bug.name);
    }
    assert!(points.is_empty(), "these points are not in PLANTED: {points:?}");
}
