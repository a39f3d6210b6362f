//! Files of the server's folder. Only their owner may read them, whatever the umask, and no link is followed when one is
//! made.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::Error;

/// Permissions of others than the owner.
const OF_OTHERS: u32 = 0o077;

pub(crate) fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::File { path: path.display().to_string(), cause: error.into() }
}

/// Makes a folder that only its owner may enter, if it is not there.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| file_error(path, &error))
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| file_error(path, &error))
}

/// Writes a file atomically; only its owner may read it. The new file has a name that nobody can prepare, and must not be
/// there, so nobody else holds it open or gets it by a link.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new =
        path.with_file_name(format!(".{name}.{}", crate::environment::hex(&crate::environment::random_bytes::<8>()?)));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let written = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&new, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        written
    };
    write().map_err(|error| file_error(path, &error))
}

/// Warns of a folder, and of files in it, that others than their owner may read.
pub(crate) fn warn_of_open_files(folder: &Path) {
    for path in open_files(folder) {
        tracing::warn!(path = %path.display(), "others than the owner may read this; run chmod -R go= on the server's folder");
    }
}

fn open_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = std::iter::once(folder.to_owned()).chain(inside);
    all.filter(|path| std::fs::symlink_metadata(path).is_ok_and(|about| about.permissions().mode() & OF_OTHERS != 0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // A file that somebody had prepared under the name of the new one made a key readable for all.
    #[test]
    fn prepared_file_or_link_gets_nothing_of_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let (key, elsewhere) = (folder.path().join("identity.key"), folder.path().join("elsewhere"));
        std::fs::write(&elsewhere, "before").unwrap();
        std::fs::write(folder.path().join("identity.new"), "").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &key).unwrap();
        write_private(&key, b"secret").unwrap();
        assert_eq!(std::fs::read(&elsewhere).unwrap(), b"before");
        assert_eq!(std::fs::read(folder.path().join("identity.new")).unwrap(), b"");
        let about = std::fs::symlink_metadata(&key).unwrap();
        assert!(about.is_file() && about.permissions().mode() & OF_OTHERS == 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "no other file is left");
    }

    #[test]
    fn folder_or_file_that_others_may_read_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (data, key) = (folder.path().join("data"), folder.path().join("data/identity.key"));
        make_folder(&data).unwrap();
        write_private(&key, b"secret").unwrap();
        assert_eq!(open_files(&data), Vec::<std::path::PathBuf>::new());
        for path in [&data, &key] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(open_files(&data), vec![data, key]);
    }
}
