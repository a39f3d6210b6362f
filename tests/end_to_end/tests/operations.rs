//! What docs/OPERATIONS.md says to type, typed.

use std::process::Command;

use super::world::{PROGRAM, World};

const FOLDER: &str = "/var/lib/granary";

/// The blocks of commands in a text.
fn blocks(text: &str) -> Vec<&str> {
    text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

// Some lines had words behind them that were no comment, names that stood for others, or asked for a password that the next
// pasted line became.
#[test]
fn documented_commands_run_as_they_stand() {
    let mut world = World::new();
    // What the last block but some needs: a phone in the list of devices.
    let _phone = world.phone(1, "packer");
    let bin = world.folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(PROGRAM, bin.join("granary")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let text = include_str!("../../../docs/OPERATIONS.md");
    let blocks = blocks(text);
    assert!(blocks.len() >= 6, "{}", blocks.len());
    for block in blocks {
        let here = block.replace(FOLDER, &world.data().display().to_string());
        let mut shell = Command::new("sh");
        shell.args(["-eu", "-c", &here]).env("PATH", &path).env_remove("GRANARY_FOLDER");
        let done = shell.current_dir(world.folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{block}\n{}{said}", String::from_utf8_lossy(&done.stdout));
    }
    let people = world.order(&["coordinator", "list"]);
    assert!(!people.contains("Zhang Wei"), "the last block removes her: {people}");
}

// A coordinator's phone that was invited for nobody could be ended with nobody.
#[test]
fn coordinators_phone_is_somebodys() {
    let world = World::new();
    let asked = Command::new(PROGRAM)
        .args(["invite", "--role", "coordinator"])
        .env("GRANARY_FOLDER", world.data())
        .output()
        .unwrap();
    let said = String::from_utf8(asked.stderr).unwrap();
    assert!(!asked.status.success() && said.contains("--for"), "{said}");
    assert!(!world.order(&["invitations", "list", "--all"]).contains("coordinator"));
}
