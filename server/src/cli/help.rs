//! The program's help and what it says of wrong arguments, in the reader's language. The English sentences stand in the code, where
//! clap reads them; [`sentences`] has each with its Chinese one.

mod faults;
mod sentences;

use std::ffi::OsString;

use clap::builder::Str;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};
use granary_client_core::words::Language;

use super::arguments::Arguments;
use sentences::{OWN, SENTENCES, VALUES};

/// Reads the process's arguments; shows help or a fault, and ends the process, where they ask for that. `usual` is the language
/// where the arguments choose none.
pub(super) fn read_arguments(usual: Language) -> Arguments {
    let words: Vec<OsString> = std::env::args_os().collect();
    match chosen(&words).unwrap_or(usual) {
        Language::English => Arguments::parse_from(words),
        Language::Chinese => read_in_chinese(words).unwrap_or_else(|said| {
            match said.is_fault {
                true => eprintln!("{}", said.text),
                false => println!("{}", said.text),
            }
            std::process::exit(said.code)
        }),
    }
}

/// Help that was asked for, or a fault of the arguments.
#[derive(Debug)]
struct SaidInstead {
    text: String,
    is_fault: bool,
    /// Of the process.
    code: i32,
}

fn read_in_chinese(words: Vec<OsString>) -> Result<Arguments, SaidInstead> {
    let command = in_chinese(Arguments::command());
    let read = command.try_get_matches_from(words).and_then(|matches| Arguments::from_arg_matches(&matches));
    read.map_err(|error| {
        let text = match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::DisplayVersion => own_in_chinese(&error.render().to_string()),
            _ => faults::in_chinese(&error),
        };
        SaidInstead { text: text.trim_end().to_owned(), is_fault: error.use_stderr(), code: error.exit_code() }
    })
}

/// The language that the arguments choose, looked for before they are read: a fault of theirs is told in it too.
fn chosen(words: &[OsString]) -> Option<Language> {
    let mut words = words.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        let code = match word.strip_prefix("--lang") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(language) = code.and_then(Language::from_code) {
            return Some(language);
        }
    }
    None
}

fn in_chinese(command: clap::Command) -> clap::Command {
    let about = command.get_about().map(|about| sentence(&about.to_string()));
    let command = command.mut_args(argument_in_chinese).mut_subcommands(in_chinese).subcommand_value_name("命令");
    match about {
        Some(about) => command.about(about),
        None => command,
    }
}

fn argument_in_chinese(argument: clap::Arg) -> clap::Arg {
    let help = argument.get_help().map(|help| sentence(&help.to_string()));
    let values: Vec<Str> = argument.get_value_names().unwrap_or_default().iter().map(value).collect();
    let argument = if values.is_empty() { argument } else { argument.value_names(values) };
    match help {
        Some(help) => argument.help(help),
        None => argument,
    }
}

fn sentence(english: &str) -> String {
    let found = SENTENCES.into_iter().flatten().find(|(one, _)| *one == english);
    found.map_or(english, |(_, chinese)| chinese).to_owned()
}

fn value(english: &Str) -> Str {
    let found = VALUES.iter().find(|(one, _)| *one == english.as_str());
    found.map_or_else(|| english.clone(), |(_, chinese)| Str::from(*chinese))
}

/// What clap writes of its own around the sentences, which it has in English alone.
fn own_in_chinese(text: &str) -> String {
    OWN.iter().fold(text.to_owned(), |text, (english, chinese)| text.replace(english, chinese))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
    }

    /// A command's sentences and names of values, with those of the commands below it.
    fn of(command: &clap::Command, path: &str, found: &mut BTreeSet<(String, String, bool)>) {
        let path = format!("{path} {}", command.get_name());
        let about = command.get_about().unwrap_or_else(|| panic!("no help:{path}"));
        found.insert((about.to_string(), path.clone(), true));
        assert!(command.get_long_about().is_none_or(|long| *long == *about), "one paragraph alone:{path}");
        for argument in command.get_arguments() {
            let path = format!("{path} {}", argument.get_id());
            let help = argument.get_help().unwrap_or_else(|| panic!("no help:{path}"));
            found.insert((help.to_string(), path.clone(), true));
            assert!(argument.get_long_help().is_none_or(|long| *long == *help), "one paragraph alone:{path}");
            for name in argument.get_value_names().unwrap_or_default() {
                // A switch has no value.
                if argument.get_action().takes_values() {
                    found.insert((name.to_string(), path.clone(), false));
                }
            }
        }
        command.get_subcommands().for_each(|below| of(below, &path, found));
    }

    #[test]
    fn each_command_argument_and_value_has_both_languages() {
        let mut found = BTreeSet::new();
        of(&Arguments::command(), "", &mut found);
        let mut missing: Vec<String> = Vec::new();
        let sentences = SENTENCES.concat();
        for (english, path, is_sentence) in &found {
            let table = if *is_sentence { &sentences } else { VALUES };
            match table.iter().find(|(one, _)| one == english) {
                Some((_, chinese)) => assert!(is_chinese(chinese), "{chinese}"),
                None => missing.push(format!("{english:?} of{path}")),
            }
        }
        assert!(missing.is_empty(), "{}", missing.join("\n"));
        let used =
            |english: &str, is_sentence| found.iter().any(|(one, _, kind)| one == english && *kind == is_sentence);
        let tables: [(&[(&str, &str)], bool); 2] = [(&sentences, true), (VALUES, false)];
        for (table, is_sentence) in tables {
            for (number, (english, _)) in table.iter().enumerate() {
                assert!(used(english, is_sentence), "nothing says {english:?}");
                assert!(table.iter().skip(number + 1).all(|(other, _)| other != english), "twice: {english:?}");
            }
        }
    }

    fn said(words: &[&str]) -> SaidInstead {
        let words = std::iter::once("granary").chain(words.iter().copied()).map(OsString::from).collect();
        read_in_chinese(words).err().unwrap()
    }

    /// Small English words, without what stands in backticks, and without names of commands and options.
    fn english_in(text: &str) -> Vec<String> {
        let outside: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        let mut names = BTreeSet::from(["granary".to_owned()]);
        fn gather(command: &clap::Command, names: &mut BTreeSet<String>) {
            names.insert(command.get_name().to_owned());
            names.extend(command.get_all_aliases().map(str::to_owned));
            command.get_subcommands().for_each(|below| gather(below, names));
        }
        gather(&Arguments::command(), &mut names);
        let words = outside.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_/.:=".contains(letter)));
        words
            .filter(|word| word.len() > 3 && word.chars().all(|letter| letter.is_ascii_lowercase()))
            .filter(|word| !names.contains(*word))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn help_of_every_command_is_chinese() {
        fn ask(command: &clap::Command, path: &[&str]) {
            let said = said(&[path, &["--help"]].concat());
            assert!(!said.is_fault && said.code == 0, "{path:?}");
            for heading in ["用法：", "选项："] {
                assert!(said.text.contains(heading), "{path:?}: {}", said.text);
            }
            for english in ["Usage", "Options", "Commands", "Arguments", "[default", "[env", "[alias", "Print "] {
                assert!(!said.text.contains(english), "{path:?}: {}", said.text);
            }
            let left: Vec<String> = english_in(&said.text)
                .into_iter()
                // What a person types: the default of a name.
                .filter(|word| !["localhost", "terminal", "help", "demo", "data", "phone"].contains(&word.as_str()))
                .collect();
            assert!(left.is_empty(), "{path:?}: {left:?} in {}", said.text);
            for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
                ask(below, &[path, &[below.get_name()]].concat());
            }
        }
        ask(&Arguments::command(), &[]);
    }

    #[test]
    fn wrong_arguments_are_told_in_chinese() {
        for (words, wanted) in [
            (vec!["fone"], "没有“fone”这个命令"),
            (vec!["phone", "recor"], "是不是 record"),
            (vec!["phone", "record"], "还要给出"),
            (vec!["phone", "record", "millet", "1kg", "--day", "3 October"], "日期写成"),
            (vec!["erase", "household", "x"], "不是农户的编号"),
            (vec!["phone", "record", "millet", "1kg", "--dai", "1"], "没有“--dai”这个选项"),
            (vec!["phone", "record", "millet", "1", "kg", "more"], "多了“more”"),
            (vec!["phone", "list", "--day", "2026-10-03", "--from", "2026-10-03"], "不能一起用"),
            (vec!["phone", "list", "--day"], "后面要写"),
            (vec!["phone", "list", "--all", "--all"], "只能写一次"),
            (vec!["invite", "--role", "packer", "--hours", "9000"], "1..=8760"),
            (vec!["invite", "--role", "packer", "--hours", "many"], "要写一个整数"),
            (vec!["invite", "--role", "packer", "--hours", "99999999999999999999"], "这个数太大"),
            (vec!["grant", "x", "packer"], "不是手机的编号"),
            (vec!["token", "x", "--role", "king"], "不是身份"),
            (vec!["serve", "--listen", "here"], "IP:端口"),
            (vec!["--lang", "fr", "config"], "`zh` 或 `en`"),
            (vec!["phone", "receive", "7KQ2-M9XT-4B0F"], "--weight"),
        ] {
            let said = said(&words);
            assert!(said.is_fault && said.code == 2, "{words:?}: {said:?}");
            assert!(said.text.contains(wanted), "{words:?}: {}", said.text);
            let mut left = english_in(&said.text);
            left.retain(|word| {
                !words.contains(&word.as_str()) && !["many", "millet", "packer", "recorder"].contains(&word.as_str())
            });
            assert!(left.is_empty(), "{words:?}: {left:?} in {}", said.text);
        }
    }

    #[test]
    fn language_is_found_before_the_arguments_are_read() {
        let of = |words: &[&str]| chosen(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["granary", "--lang", "zh", "nothing"]), Some(Language::Chinese));
        assert_eq!(of(&["granary", "phone", "--lang=en"]), Some(Language::English));
        assert_eq!(of(&["granary", "--lang"]), None);
        assert_eq!(of(&["granary", "--language", "zh"]), None);
        assert_eq!(of(&["granary", "--lang", "fr"]), None);
    }
}
