//! Writes the table of the browser's app, as `web/dist` holds it: each file packed (`*.br`), under its address below `/app/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn packed_files(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            packed_files(&path, into)?;
        } else if path.extension().is_some_and(|kind| kind == "br") {
            into.push(path);
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var(name).map(PathBuf::from).map_err(io::Error::other);
    let web = variable("CARGO_MANIFEST_DIR")?.join("../web");
    let dist = web.join("dist");
    // A folder that comes later changes the one that it comes into.
    println!("cargo::rerun-if-changed={}", if dist.exists() { &dist } else { &web }.display());
    let mut files = Vec::new();
    if dist.exists() {
        packed_files(&dist, &mut files)?;
    }
    files.sort();
    let mut table =
        String::from("/// Address below `/app/`, and the packed bytes.\nconst EMBEDDED: &[(&str, &[u8])] = &[\n");
    for file in &files {
        let address = file.strip_prefix(&dist).map_err(io::Error::other)?.with_extension("");
        let file = fs::canonicalize(file)?;
        writeln!(table, "    ({:?}, include_bytes!({:?})),", address.display().to_string(), file.display().to_string())
            .map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    fs::write(variable("OUT_DIR")?.join("web_app.rs"), table)
}
