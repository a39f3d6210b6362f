//! `granary orders`: what a file of orders says, without a server; and taking it, with one.

use std::io::Read;
use std::path::{Path, PathBuf};

use granary_client_core::words::Words;
use serde_json::json;

use super::language;
use crate::environment;
use crate::error::{Error, FileFault};
use crate::imports::{self, Ask, Preview, Profiles, SkuNames, pairs};
use crate::said::Said;

/// What `orders preview` was asked.
pub(super) struct PreviewArgs {
    pub(super) json: bool,
    pub(super) skus: Option<PathBuf>,
    pub(super) profile: Option<String>,
    pub(super) profiles: Option<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

/// A file's bytes, one more than is read at most; so the reader can say that it is too large.
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    let fault =
        |error: std::io::Error| Error::File { path: path.display().to_string(), cause: FileFault::from(&error) };
    let most = u64::try_from(imports::BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(fault)?.take(most).read_to_end(&mut bytes).map_err(fault)?;
    Ok(bytes)
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads each file and says what it says. One that can't be read does not keep the others from being read.
pub(super) fn preview(args: &PreviewArgs) -> Result<(), Error> {
    let profiles = args.profiles.as_deref().map_or_else(Profiles::own, Profiles::with_folder);
    for (file, fault) in profiles.faults() {
        eprintln!("{file}: {}", fault.words(language()));
    }
    if let Some(name) = &args.profile
        && !profiles.all().iter().any(|profile| profile.name == *name)
    {
        return Err(Error::NotFound { what: "profile", name: name.clone() });
    }
    let skus = match &args.skus {
        Some(path) => {
            SkuNames::from_json(&bytes_of(path)?).map_err(|fault| Error::invalid("skus", Said::of(&fault)))?
        }
        None => SkuNames::default(),
    };
    let mut previews: Vec<Preview> = Vec::new();
    let (mut refused, mut unread) = (None, None);
    for path in &args.files {
        let file = name_of(path);
        let bytes = match bytes_of(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                match args.json {
                    true => println!("{}", json!({"file": file, "error": "file-unreadable"})),
                    false => println!("{}", error.words(language())),
                }
                unread = Some(error);
                continue;
            }
        };
        let ask = Ask {
            file_name: file.clone(),
            profiles: profiles.all(),
            profile: args.profile.as_deref(),
            skus: &skus,
            uploaded_at: environment::now(),
        };
        match imports::read(&bytes, &ask) {
            Ok(preview) => {
                match args.json {
                    true => println!("{}", preview.json()),
                    false => println!("{}", preview.shown(language())),
                }
                // Only those of a pair are needed again.
                if preview.lines_in.is_some() || preview.orders_in.is_some() {
                    previews.push(preview);
                }
            }
            Err(fault) => {
                match args.json {
                    true => println!("{}", json!({"file": file, "error": fault.code()})),
                    false => println!("{file}: {} ({})", fault.words(language()), fault.code()),
                }
                refused = Some(file);
            }
        }
    }
    for together in pairs(&previews.iter().collect::<Vec<_>>()) {
        match args.json {
            true => println!("{}", together.json()),
            false => println!("{}", together.shown(language())),
        }
    }
    match (unread, refused) {
        (Some(error), _) => Err(error),
        // With `--json` the objects say so; a program asks no more of the exit code.
        (None, Some(file)) if !args.json => Err(Error::invalid(
            "file",
            Said::new(format!("{file} can't be taken as it is"), format!("{file} 这样收不了")),
        )),
        _ => Ok(()),
    }
}
