//! A few rounds of each fault. `granary-faults` runs any number.

use std::process::Command;

fn holds(words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_granary-faults")).args(words).output();
    let (held, printed) = match output {
        Ok(output) => (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => (false, error.to_string()),
    };
    assert!(held, "{words:?}: {printed}");
}

#[test]
fn kills_lose_nothing() {
    holds(&["kills", "--rounds", "6", "--phones", "3"]);
}

#[test]
fn openers_of_one_phone_lose_nothing() {
    holds(&["openers", "--rounds", "25", "--processes", "4"]);
}

#[test]
fn phone_syncs_in_crowd() {
    holds(&["crowd", "--connections", "900", "--syncs", "5"]);
}

#[test]
fn floods_of_its_own_address_keep_no_phone_out() {
    holds(&["gate", "--only", "the phone's own address", "--percent", "40", "--hurry", "90", "--untimed"]);
}

#[test]
fn feeders_sell_what_is_granted_to_the_pack_across_a_kill() {
    holds(&["feeders", "--rounds", "1", "--feeders", "200", "--orders", "4"]);
}
