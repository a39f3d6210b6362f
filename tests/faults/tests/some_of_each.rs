//! A few rounds of each; `granary-faults` goes on for as long as it is told.

use std::process::Command;

fn holds(words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_granary-faults")).args(words).output();
    let (held, said) = match output {
        Ok(output) => (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => (false, error.to_string()),
    };
    assert!(held, "{words:?}: {said}");
}

#[test]
fn the_server_and_phones_are_killed_and_nothing_is_lost() {
    holds(&["kills", "--rounds", "6", "--phones", "3"]);
}

#[test]
fn a_phone_syncs_in_a_crowd() {
    holds(&["crowd", "--connections", "900", "--syncs", "5"]);
}
