//! Nobody but their owner may read the files of a server, of a backup and of a terminal's phone, whatever the umask.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::{PROGRAM, World, household_role};

/// Files and folders, this one included, that others than the owner may use in any way. The operator's socket counts too.
fn open_to_others(path: &Path) -> Vec<PathBuf> {
    let about = std::fs::symlink_metadata(path).unwrap();
    let below = if about.is_dir() {
        std::fs::read_dir(path).unwrap().flat_map(|entry| open_to_others(&entry.unwrap().path())).collect()
    } else {
        Vec::new()
    };
    let own = (about.permissions().mode() & 0o077 != 0).then(|| path.to_owned());
    own.into_iter().chain(below).collect()
}

#[test]
fn files_are_private_whatever_the_umask() {
    let world = World::new();
    let (phone, backup) = (world.folder.path().join("terminal"), world.folder.path().join("backup"));
    let run = |arguments: &[&str]| {
        let script = r#"umask 000; exec "$0" "$@""#;
        let output = Command::new("sh").args(["-c", script, PROGRAM]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (folder, invitation) = (phone.to_str().unwrap(), world.invitation(1, &household_role()));
    run(&["phone", "--folder", folder, "enrol", "--yes", &invitation]);
    run(&["phone", "--folder", folder, "record", "millet", "9000", "--yes"]);
    run(&["phone", "--folder", folder, "sync"]);
    run(&["backup", "--folder", world.data().to_str().unwrap(), "--to", backup.to_str().unwrap()]);
    for folder in [phone, backup, world.data()] {
        assert_eq!(open_to_others(&folder), Vec::<PathBuf>::new());
    }
}
