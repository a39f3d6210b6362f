//! The `granary` program: a server, its operator's commands, and a phone for the terminal.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The milliseconds after which the allocator gives freed memory back to the system. By default it does so only while more is
/// asked for, so that an idle server would keep all that a flood took.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

fn main() -> ExitCode {
    if let (None, Ok(program)) = (env::var_os(PURGE_DELAY), env::current_exe()) {
        // The allocator reads its settings before `main`, so the program begins anew with this one. When that can't be done,
        // memory is given back later.
        let mut words = env::args_os();
        let name = words.next().unwrap_or_else(|| program.clone().into_os_string());
        let _error = Command::new(program).arg0(name).args(words).env(PURGE_DELAY, "0").exec();
    }
    granary_server::cli::main()
}
