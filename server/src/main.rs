//! The `granary` program: a server, its operator's commands, and a phone for the terminal.

fn main() -> std::process::ExitCode {
    granary_server::cli::main()
}
