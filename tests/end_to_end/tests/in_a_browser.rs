//! What the tests in a real browser share.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

pub(crate) fn browser_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../browser")
}

/// Installs the packages of the browser's script; false if this machine has no browser.
pub(crate) fn prepare() -> bool {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if !Path::new("/usr/bin/chromium").exists() {
        assert!(std::env::var_os("CI").is_none(), "chromium must be installed where CI runs");
        eprintln!("left out: there is no /usr/bin/chromium on this machine");
        return false;
    }
    if !browser_folder().join("node_modules/axe-core").exists() {
        let arguments = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        let status = Command::new("npm").args(arguments).current_dir(browser_folder()).status().unwrap();
        assert!(status.success(), "npm could not install the browser's driver");
    }
    true
}
