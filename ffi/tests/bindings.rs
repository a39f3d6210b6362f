//! Generates the bindings from the built library, and runs the Python ones end to end against a server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use granary_client_core::ids::HouseholdId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_server::Config;

const NOW: Instant = Instant(1_790_000_000_000);

/// The library that apps load, beside this test's own program.
fn library() -> PathBuf {
    let name = format!("{}granary_ffi{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = std::env::current_exe().unwrap().with_file_name(name);
    assert!(library.exists(), "{} was not built", library.display());
    library
}

fn generate(language: &str, folder: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_granary-bindgen"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["generate", "--no-format", "--language", language, "--out-dir"])
        .arg(folder)
        .arg(library())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn kotlin_and_swift_bindings_are_complete() {
    let folder = tempfile::tempdir().unwrap();
    generate("kotlin", folder.path());
    generate("swift", folder.path());
    let kotlin = std::fs::read_to_string(folder.path().join("uniffi/granary/granary.kt")).unwrap();
    let swift = std::fs::read_to_string(folder.path().join("granary.swift")).unwrap();
    for name in
        ["class GranaryPhone", "interface PhoneObserver", "class LotDraft", "fun `syncNow`", "class PhoneException"]
    {
        assert!(kotlin.contains(name), "Kotlin lacks {name}");
    }
    for name in ["class GranaryPhone", "protocol PhoneObserver", "struct LotDraft", "func syncNow", "enum PhoneError"] {
        assert!(swift.contains(name), "Swift lacks {name}");
    }
}

#[test]
fn python_app_records_observes_and_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let bindings = folder.path().join("bindings");
    generate("python", &bindings);
    let library = library();
    std::fs::copy(&library, bindings.join(library.file_name().unwrap())).unwrap();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config::local(folder.path().join("server"), 0);
    let server = runtime.block_on(granary_server::start(config, |fault| panic!("{fault}"))).unwrap();
    let coop = server.granary().create_cooperative("Linxian", NOW).unwrap();
    let link = |role| {
        // The server reads the system's clock, so the invitation is made now.
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = Instant(i64::try_from(since.as_millis()).unwrap());
        let code = server.granary().invite(coop, role, 24, now).unwrap().code;
        format!("granary://{}/{code}#{}", server.public_address(), server.fingerprint())
    };
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end.py"))
        .args([link(Role::Household(HouseholdId::from_bytes([7; 16]))), link(Role::Coordinator)])
        .arg(folder.path())
        .env("PYTHONPATH", &bindings)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    runtime.block_on(server.stop());
}
