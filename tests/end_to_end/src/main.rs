//! The `granary` program under a name that tests can find, to start it and kill it.

fn main() -> std::process::ExitCode {
    granary_server::cli::main()
}
