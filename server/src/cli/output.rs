//! What commands print. The standard's `println!` and `eprintln!` panic when whoever reads has gone, as in
//! `granary devices | head -1`. Those of this room, which stand in their place, leave the rest unsaid.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use granary_client_core::quantities::is_hidden;

macro_rules! println {
    ($($part:tt)*) => { $crate::cli::output::say(&mut std::io::stdout().lock(), format_args!($($part)*)) };
}

macro_rules! eprintln {
    ($($part:tt)*) => { $crate::cli::output::say(&mut std::io::stderr().lock(), format_args!($($part)*)) };
}

static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Writes a line, without what could move a terminal's cursor or turn the order of letters. A reader that has gone wanted no more; any other fault is kept for [`has_failed`].
pub(super) fn say(to: &mut impl Write, line: Arguments<'_>) {
    let seen = |letter: char| if is_hidden(letter) && !matches!(letter, '\n' | '\t') { ' ' } else { letter };
    let line: String = line.to_string().chars().map(seen).collect();
    let written = writeln!(to, "{line}").and_then(|()| to.flush());
    if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        HAS_FAILED.store(true, Ordering::SeqCst);
    }
}

/// True once a line could not be written, as on a full disk.
pub(super) fn has_failed() -> bool {
    HAS_FAILED.load(Ordering::SeqCst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_moves_no_cursor_and_turns_no_letters() {
        let mut printed = Vec::new();
        say(&mut printed, format_args!("Li\u{1b}[2J \u{202e}gnim\n2\tlots 葛\u{e0100}"));
        assert_eq!(String::from_utf8(printed).unwrap(), "Li [2J  gnim\n2\tlots 葛\u{e0100}\n");
    }
}
