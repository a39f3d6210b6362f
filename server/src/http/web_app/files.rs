//! The files of the browser's app: embedded in the program, packed with brotli; or those of a folder, for whoever writes the
//! app. Addresses are those below `/app/`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use axum::body::Bytes;
use ring::digest::{SHA256, digest};

include!(concat!(env!("OUT_DIR"), "/web_app.rs"));

/// Bytes of one file, unpacked; the largest is the core in WebAssembly.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Digits of a hash in a file's name, or in the query of its address, from which on it counts as one.
const HASH_DIGITS_MIN: usize = 8;

/// A file of the app.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) kind: &'static str,
    pub(super) plain: Bytes,
    /// As brotli; none where it is kept plain.
    pub(super) packed: Option<Bytes>,
    /// SHA-256 of the plain content, in hexadecimal.
    pub(super) hash: String,
    has_hashed_name: bool,
}

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WebApp {
    Embedded,
    Folder(PathBuf),
}

static FILES: LazyLock<BTreeMap<&'static str, File>> = LazyLock::new(|| {
    let read = |(path, packed): &(&'static str, &'static [u8])| {
        let mut plain = Vec::new();
        let unpacked = brotli_decompressor::Decompressor::new(*packed, 4_096);
        match unpacked.take(FILE_BYTES_MAX).read_to_end(&mut plain) {
            Ok(_) => Some((*path, File::new(path, plain.into(), Some(Bytes::from_static(packed))))),
            Err(error) => {
                tracing::error!(path, %error, "a file of the browser's app is damaged");
                None
            }
        }
    };
    EMBEDDED.iter().filter_map(read).collect()
});

impl File {
    fn new(path: &str, plain: Bytes, packed: Option<Bytes>) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let hash = crate::environment::hex(digest(&SHA256, &plain).as_ref());
        let has_hashed_name = name.split(['.', '-', '_']).any(is_hash);
        Self { kind: kind_of(name), plain, packed, hash, has_hashed_name }
    }

    /// True where the address stands for this content and no other: by a hash in the file's name, or by the beginning of its
    /// own hash in the query.
    pub(super) fn never_changes_at(&self, query: Option<&str>) -> bool {
        let values = query.into_iter().flat_map(|query| query.split('&'));
        let mut values = values.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        self.has_hashed_name || values.any(|value| is_hash(value) && self.hash.starts_with(value))
    }
}

fn is_hash(text: &str) -> bool {
    text.len() >= HASH_DIGITS_MIN && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

impl WebApp {
    /// The app of this folder, or the embedded one.
    pub(crate) fn of(folder: Option<&Path>) -> Self {
        folder.map_or(Self::Embedded, |folder| Self::Folder(folder.to_owned()))
    }

    /// True where there is an app to serve.
    pub(crate) fn is_there(&self) -> bool {
        match self {
            Self::Embedded => !EMBEDDED.is_empty(),
            Self::Folder(_) => true,
        }
    }

    /// The file at this address; reads the disk where it is one of a folder.
    pub(super) fn file(&self, path: &str) -> Option<File> {
        match self {
            Self::Embedded => FILES.get(path).cloned(),
            Self::Folder(folder) => {
                let is_plain = |part: Component<'_>| match part {
                    Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
                    _ => false,
                };
                if !Path::new(path).components().all(is_plain) {
                    return None;
                }
                let mut plain = Vec::new();
                std::fs::File::open(folder.join(path)).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut plain).ok()?;
                Some(File { has_hashed_name: false, ..File::new(path, plain.into(), None) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_a_hash_never_change() {
        let file = |path: &str| File::new(path, Bytes::from_static(b"content"), None);
        let hash = file("app.js").hash;
        assert!(file("wasm/core.5d41402abc4b.wasm").never_changes_at(None));
        assert!(file("core-5d41402a.js").never_changes_at(None));
        assert!(!file("app.js").never_changes_at(None));
        assert!(!file("5d41402a/app.js").never_changes_at(None), "a folder says nothing about a file");
        assert!(file("app.js").never_changes_at(Some(&format!("v={}", &hash[..12]))));
        assert!(file("app.js").never_changes_at(Some(&hash)));
        for other in ["v=5d41402a", "v=", "v=1", &hash[..7]] {
            assert!(!file("app.js").never_changes_at(Some(other)), "{other}");
        }
    }

    #[test]
    fn folder_gives_its_own_files_alone() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("app");
        std::fs::create_dir_all(folder.join("pages")).unwrap();
        for (path, text) in [("secret", "no"), ("app/.hidden", "no"), ("app/pages/lots.js", "yes")] {
            std::fs::write(outer.path().join(path), text).unwrap();
        }
        let app = WebApp::of(Some(&folder));
        assert_eq!(app.file("pages/lots.js").unwrap().plain, "yes");
        let absolute = outer.path().join("secret").display().to_string();
        for path in ["../secret", "pages/../../secret", ".hidden", "pages", "none", &absolute] {
            assert!(app.file(path).is_none(), "{path}");
        }
    }
}
