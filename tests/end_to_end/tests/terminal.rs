//! The terminal phone as a person uses it: what it asks, refuses and says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use granary_client_core::error::Error;
use granary_client_core::phone::Phone;
use granary_client_core::protocol::problem::ProblemKind;

use crate::world::{PROGRAM, World, household_role, record};

fn on(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["phone", "--folder"]).arg(folder).args(words).stdin(Stdio::null());
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(name);
    }
    command
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// What a command says that is done.
pub(crate) fn done(folder: &Path, words: &[&str]) -> String {
    let output = on(folder, words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", printed(&output));
    printed(&output)
}

/// What a command says that is refused.
pub(crate) fn refused(folder: &Path, words: &[&str]) -> String {
    let output = on(folder, words).output().unwrap();
    assert!(!output.status.success(), "{words:?}: {}", printed(&output));
    printed(&output)
}

fn enrolled(world: &mut World, role: &str) -> PathBuf {
    let folder = world.phone_folder();
    done(&folder, &["enrol", "--yes", &world.invitation(1, role)]);
    folder
}

fn device(folder: &Path) -> String {
    Phone::open(folder).unwrap().device().unwrap().to_string()
}

fn lot_in(said: &str) -> String {
    said.lines().find_map(|line| line.strip_prefix("recorded ")).unwrap().to_owned()
}

#[test]
fn record_and_correct_ask_back_and_say_what_was_understood() {
    let mut world = World::new();
    let folder = enrolled(&mut world, &household_role());
    // Before the first sync no catalogue is here: a product is asked about once.
    let said = refused(&folder, &["record", "millet", "25斤", "--day", "2026-10-03"]);
    assert!(said.contains("there is no catalogue here yet; is \"millet\" right?"), "{said}");
    let said = done(&folder, &["record", "millet", "25斤", "--day", "2026-10-03", "--yes"]);
    assert!(said.contains("12.5 kg (you typed 25斤)"), "{said}");
    done(&folder, &["record", "millet", "26斤", "--day", "2026-10-03"]);
    let lot = lot_in(&said);
    for (words, asked) in [
        (vec!["--weight", "900000kg"], "far from what is usual"),
        (vec!["--weight", "12"], "far from what is usual"),
        (vec!["--day", "2099-01-01"], "is in the future"),
    ] {
        let said = refused(&folder, &[&["correct", lot.as_str()], words.as_slice()].concat());
        assert!(said.contains(asked), "{said}");
    }
    let said = refused(&folder, &["correct", &lot]);
    assert!(said.contains("nothing was said to correct"), "{said}");
    let said = done(&folder, &["correct", &lot, "--weight", "30公斤", "--grade", "A"]);
    assert!(said.contains("corrected") && said.contains("30 kg"), "{said}");
    // One lot of another product is enough to ask about a weight a hundred times as heavy.
    let said = refused(&folder, &["record", "ginger", "3t", "--day", "2026-10-04"]);
    assert!(said.contains("far from what is usual") || said.contains("no unit"), "{said}");
    let said = refused(&folder, &["record", "ginger", "3000kg", "--day", "2026-10-04"]);
    assert!(said.contains("far from what is usual"), "{said}");
}

#[test]
fn coordinator_is_asked_about_an_unknown_household() {
    let mut world = World::new();
    let household = enrolled(&mut world, &household_role());
    done(&household, &["record", "millet", "20kg", "--day", "2026-10-03", "--yes"]);
    done(&household, &["sync"]);
    let folder = enrolled(&mut world, "coordinator");
    done(&folder, &["sync"]);
    let known = household_role().trim_start_matches("household:").to_owned();
    let off = known.replacen('7', "1", 1);
    let words = ["record", "millet", "20kg", "--day", "2026-10-03", "--household"];
    let said = refused(&folder, &[words.as_slice(), &[off.as_str()]].concat());
    assert!(said.contains("there is no household") && said.contains(&format!("did you mean {known}")), "{said}");
    done(&folder, &[words.as_slice(), &[known.as_str()]].concat());
}

#[test]
fn list_says_how_many_more_there_are() {
    let mut world = World::new();
    let folder = enrolled(&mut world, &household_role());
    let phone = Phone::open(&folder).unwrap();
    (1..=205).for_each(|grams| drop(record(&phone, grams)));
    drop(phone);
    let said = done(&folder, &["list"]);
    assert!(said.contains("200 of 205 lots") && said.contains("--all"), "{said}");
    assert_eq!(done(&folder, &["list", "--all"]).matches("millet").count(), 205);
    assert!(done(&folder, &["list", "--day", "2026-10-04"]).contains("no lots"));
}

#[test]
fn link_that_was_cut_off_says_so_and_a_refused_line_promises_nothing() {
    let mut world = World::new();
    let folder = world.phone_folder();
    let link = world.invitation(1, &household_role());
    let (head, tail) = link.split_once('#').unwrap();
    for cut in [head.to_owned(), format!("{head}#"), format!("{head}#{}", &tail[..40])] {
        for yes in [true, false] {
            let words = ["enrol", cut.as_str(), "--yes"];
            let said = refused(&folder, if yes { &words } else { &words[..2] });
            assert!(said.contains("cut off") && !said.contains("somebody"), "{said}");
        }
    }
    world.kill();
    let said = refused(&folder, &["enrol", &link, "--yes"]);
    assert!(said.contains("has not joined") && !said.contains("recorded"), "{said}");
}

#[test]
fn terminal_phone_speaks_chinese() {
    let mut world = World::new();
    let folder = enrolled(&mut world, &household_role());
    let english = |said: &str| {
        let words = said.split(|letter: char| !letter.is_ascii_alphabetic()).filter(|word| word.len() > 3);
        words
            .filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for words in [
        vec!["record", "millet", "25斤", "--day", "2026-10-03"],
        vec!["record", "millet", "99999kg", "--day", "2026-10-03"],
        vec!["record", "millet", "many"],
        vec!["list"],
        vec!["status"],
        vec!["sync"],
        vec!["correct", "7KQ2-M9XT-4B0F", "--weight", "1kg"],
        vec!["recover"],
        vec!["start-anew"],
        vec!["hand-in", "nowhere"],
        vec!["enrol", "http://example.com"],
        vec!["record", "millet", "1kg", "--day", "many"],
    ] {
        let by_option = printed(&on(&folder, &words).args(["--lang", "zh"]).output().unwrap());
        let by_variable = printed(&on(&folder, &words).env("LANG", "zh_CN.UTF-8").output().unwrap());
        for said in [by_option, by_variable] {
            let mut left = english(&said);
            // Codes and commands, which are the same in both.
            left.retain(|word| {
                !["millet", "granary", "phone", "http", "example", "household", "recorded", "many", "nowhere", "help"]
                    .contains(&word.as_str())
            });
            assert!(left.is_empty(), "{words:?}: {left:?} in {said}");
            assert!(said.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{words:?}: {said}");
        }
    }
}

// A packer had no command at all: a lot could be weighed in by an app alone.
#[test]
fn packer_weighs_in_and_sends_back() {
    let mut world = World::new();
    let family = enrolled(&mut world, &household_role());
    let packer = enrolled(&mut world, "packer");
    let said = done(&family, &["record", "millet", "25斤", "--day", "2026-10-03", "--yes"]);
    let lot = lot_in(&said);
    let other = lot_in(&done(&family, &["record", "millet", "8kg", "--day", "2026-10-03"]));
    done(&family, &["sync"]);
    done(&packer, &["sync"]);
    fn of<'a>(lot: &'a str, words: &[&'a str]) -> Vec<&'a str> {
        [&["receive", lot], words].concat()
    }
    // Far from what was recorded, in the packer's own unit; before the harvest; to come.
    let day = ["--day", "2026-10-04"];
    let said = refused(&packer, &of(&lot, &[&["--weight", "100jin"], &day[..]].concat()));
    assert!(said.contains("100 jin weighed is far from the 25 jin recorded") && said.contains("--yes"), "{said}");
    let chinese =
        on(&packer, &of(&lot, &["--weight", "100斤", "--day", "2026-10-04"])).args(["--lang", "zh"]).output().unwrap();
    assert!(printed(&chinese).contains("过秤 100 斤与登记的 25 斤相差很远"), "{}", printed(&chinese));
    let said = refused(&packer, &of(&lot, &["--weight", "12kg", "--day", "2026-10-02"]));
    assert!(said.contains("before the day of the harvest"), "{said}");
    let said = refused(&packer, &of(&lot, &["--weight", "12kg", "--day", "2099-01-01"]));
    assert!(said.contains("is in the future"), "{said}");
    for (words, wanted) in [
        (vec!["--day", "2026-10-04"], "--weight"),
        (vec!["--weight", "many"], "no number"),
        (vec!["--weight", "12kg", "--reject", "wet"], "cannot be used with"),
        (vec!["--reject", " "], "missing"),
    ] {
        let said = refused(&packer, &of(&lot, &words));
        assert!(said.contains(wanted), "{words:?}: {said}");
    }
    assert!(done(&packer, &["list"]).matches("recorded").count() == 2, "nothing of it was kept");

    let said = done(&packer, &of(&lot, &["--grams", "12.3kg", "--grade", "A", "--day", "2026-10-04"]));
    assert!(
        said.contains(&format!("received {lot}")) && said.contains("12.3 kg, grade A, 2026-10-04; recorded as 12.5 kg"),
        "{said}"
    );
    // A receipt is not replaced unasked.
    let said = refused(&packer, &of(&lot, &["--weight", "12kg", "--day", "2026-10-04"]));
    assert!(
        said.contains("has a receipt of 2026-10-04: 12.3 kg, grade A") && said.contains("nothing was changed"),
        "{said}"
    );
    let said = done(&packer, &["receive", &other, "--reject", "太湿", "--day", "2026-10-04", "--lang", "zh"]);
    assert!(said.contains(&format!("已退回 {other}")) && said.contains("太湿"), "{said}");
    done(&packer, &["sync"]);
    done(&family, &["sync"]);
    let listed = done(&family, &["list"]);
    assert!(listed.contains("received") && listed.contains("rejected"), "{listed}");

    // Whoever may not weigh in is told so, and one that is corrected is replaced with `--yes`.
    let said = refused(&family, &of(&lot, &["--weight", "12kg", "--yes"]));
    assert!(said.contains("may not change that"), "{said}");
    let said = done(&packer, &of(&lot, &["--weight", "24jin", "--day", "2026-10-04", "--yes"]));
    assert!(said.contains("12 kg (you typed 24jin)"), "{said}");
}

// Before the sync that takes them away, the former household's lots were listed as the new one's.
#[test]
fn lots_of_a_former_household_are_marked_until_they_leave() {
    let mut world = World::new();
    let folder = enrolled(&mut world, &household_role());
    done(&folder, &["record", "millet", "1kg", "--day", "2026-10-03", "--yes"]);
    done(&folder, &["sync"]);
    done(&folder, &["record", "millet", "2kg", "--day", "2026-10-03", "--yes"]);
    world.order(&["revoke", &device(&folder)]);
    refused(&folder, &["sync"]);
    let elsewhere = "household:09090909-0909-0909-0909-090909090909";
    done(&folder, &["enrol", "--yes", &world.invitation(1, elsewhere)]);
    done(&folder, &["record", "millet", "4kg", "--day", "2026-10-03", "--yes"]);
    let marks = |said: &str| -> Vec<(bool, bool)> {
        let line = |weight: &str| {
            said.lines().find(|line| line.contains(weight)).map(|line| line.contains("former household"))
        };
        ["  1 kg", "  2 kg", "  4 kg"].map(|weight| (line(weight).is_some(), line(weight) == Some(true))).to_vec()
    };
    let said = done(&folder, &["list"]);
    assert_eq!(marks(&said), [(true, true), (true, true), (true, false)], "{said}");
    let said = printed(&on(&folder, &["list", "--lang", "zh"]).output().unwrap());
    assert_eq!(said.matches("原来那一户的").count(), 2, "{said}");
    done(&folder, &["sync"]);
    // What was delivered has left; what was not stays, marked, until a coordinator has decided.
    let said = done(&folder, &["list"]);
    assert_eq!(marks(&said)[0], (false, false), "{said}");
    assert_eq!(marks(&said)[2], (true, false), "{said}");
    let of_former = said.lines().find(|line| line.contains("  2 kg"));
    assert!(of_former.is_none_or(|line| line.contains("former household") && line.contains("NOT TAKEN IN")), "{said}");
}

#[test]
fn help_is_in_the_readers_language() {
    let folder = tempfile::tempdir().unwrap();
    for words in [vec!["--help"], vec!["record", "--help"], vec!["record"]] {
        let english = printed(&on(folder.path(), &words).output().unwrap());
        assert!(english.contains("Usage: ") && !english.contains("用法"), "{english}");
        for chosen in
            [on(folder.path(), &words).args(["--lang", "zh"]), on(folder.path(), &words).env("LANG", "zh_CN.UTF-8")]
        {
            let output = chosen.output().unwrap();
            let said = printed(&output);
            assert!(said.contains("用法：") && !said.contains("Usage"), "{words:?}: {said}");
            assert_eq!(output.status.code(), Some(if words == ["record"] { 2 } else { 0 }), "{words:?}");
        }
    }
}

/// From the first lot to another household: each sentence is true when it is said.
#[test]
fn life_of_a_phone_is_told_truly() {
    let mut world = World::new();
    let folder = enrolled(&mut world, &household_role());
    let other = enrolled(&mut world, "coordinator");
    done(&folder, &["record", "millet", "1kg", "--day", "2026-10-03", "--yes"]);
    done(&folder, &["sync"]);
    done(&folder, &["record", "millet", "2kg", "--day", "2026-10-03", "--yes"]);
    world.order(&["revoke", &device(&folder)]);
    refused(&folder, &["sync"]);
    let said = done(&folder, &["record", "millet", "3kg", "--day", "2026-10-03", "--yes"]);
    assert!(said.contains("TAKEN OUT"), "{said}");
    let said = done(&folder, &["status"]);
    assert!(said.contains("nothing is sent while it is taken out"), "{said}");
    let file = world.folder.path().join("carried");
    let said = done(&folder, &["carry-out", file.to_str().unwrap()]);
    assert!(said.contains("until a coordinator takes it in") && !said.contains("anywhere"), "{said}");
    let said = refused(&folder, &["leave", "--export-to", world.folder.path().join("lots.csv").to_str().unwrap()]);
    assert!(said.contains("can't send them") && !said.to_lowercase().contains("sync first"), "{said}");
    let said = done(&other, &["hand-in", file.to_str().unwrap()]);
    assert!(said.contains("waits until a coordinator takes it in"), "{said}");
    // Invited again, for another household.
    let elsewhere = "household:09090909-0909-0909-0909-090909090909";
    let said = done(&folder, &["enrol", "--yes", &world.invitation(1, elsewhere)]);
    assert!(said.contains("another household than before") && !said.contains("TAKEN OUT"), "{said}");
    assert!(!done(&folder, &["status"]).contains("TAKEN OUT"), "it belongs again");
    let said = done(&folder, &["sync"]);
    assert!(said.contains("have left it") || said.contains("not taken in"), "{said}");
    let said = done(&folder, &["list"]);
    assert!(!said.contains("restoration") && !said.contains("  1 kg"), "delivered lots are gone or not marked: {said}");
    done(&folder, &["record", "millet", "4kg", "--day", "2026-10-03", "--yes"]);
    done(&folder, &["sync"]);
    let said = done(&folder, &["list"]);
    assert!(said.contains("  4 kg") && !said.contains("restoration"), "{said}");
    let listed = world.order(&["set-aside", "list"]);
    assert!(listed.contains("2 kg") && listed.contains("3 kg"), "a coordinator has what was not delivered: {listed}");
}

#[test]
fn unreadable_file_is_left_and_said_so() {
    let mut world = World::new();
    let folder = enrolled(&mut world, &household_role());
    let aside = folder.join("phone.db.damaged-1");
    std::fs::write(&aside, "no database").unwrap();
    let said = done(&folder, &["recover"]);
    assert!(said.contains("nothing can be read of it") && said.contains("nothing was taken back"), "{said}");
    assert_eq!(std::fs::read(&aside).unwrap(), b"no database");
}

#[test]
fn invitation_needs_hours_within_a_year() {
    let world = World::new();
    for hours in ["0", "8761", "4000000000"] {
        let output = Command::new(PROGRAM)
            .args(["invite", "--role", "packer", "--hours", hours, "--folder"])
            .arg(world.data())
            .output()
            .unwrap();
        assert!(!output.status.success(), "{hours}: {}", printed(&output));
    }
}

/// A day of enrolments behind one address: without more, so many come in as the limit says; once the operator has opened it,
/// all do, also when the server starts again in between and it is opened again.
#[test]
fn sixty_phones_behind_one_address_enrol() {
    let mut world = World::new();
    world.order(&["open-enrolment", "--phones", "130", "--hours", "1"]);
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..60 {
        if number == 30 {
            world.kill();
            world.start();
            world.order(&["open-enrolment", "--phones", "130", "--hours", "1"]);
        }
        let phone = Phone::open(&world.phone_folder()).unwrap();
        let link = world.invitation(1, "household:new");
        phone.look_at_invitation(&link).unwrap();
        phone.enrol(&link, &format!("phone {number}")).unwrap();
        seen.insert(phone.household().unwrap());
    }
    assert_eq!(seen.len(), 60, "each begins a household");
    // Without opening it, the limit holds.
    world.kill();
    world.start();
    let link = world.invitation(1, "household:new");
    let phone = Phone::open(&world.phone_folder()).unwrap();
    let results: Vec<_> = (0..60).map(|_| phone.look_at_invitation(&link).map(drop)).collect();
    let refused = results.iter().filter(|result| matches!(result, Err(Error::Refused { kind: ProblemKind::Busy, .. })));
    assert!(refused.count() >= 10 && results.iter().filter(|result| result.is_ok()).count() >= 40);
}
