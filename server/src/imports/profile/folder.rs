//! An operator's own profiles, in a folder.

use std::io::Read;
use std::path::Path;

use super::Profiles;
use super::check::{FaultKind, ProfileFault};

/// A larger file is no profile.
const BYTES_MAX: u64 = 65_536;
const FILES_MAX: usize = 200;

impl Profiles {
    /// Ours, and those of the folder's `*.toml` files. No folder is no fault.
    pub fn with_folder(folder: &Path) -> Self {
        let mut profiles = Self::own();
        let Ok(entries) = std::fs::read_dir(folder) else { return profiles };
        let mut files: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        files.sort();
        for path in files.into_iter().take(FILES_MAX) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let mut text = String::new();
            let read = std::fs::File::open(&path).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text));
            match read {
                Ok(_) => profiles.add(&name, text.strip_prefix('\u{feff}').unwrap_or(&text)),
                Err(error) => profiles
                    .faults
                    .push((name, ProfileFault { line: 1, kind: FaultKind::Unreadable(error.to_string()) })),
            }
        }
        profiles
    }
}
