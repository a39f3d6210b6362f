//! The `granary` program: a server, its operator's commands, and a phone for the terminal.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    granary_server::cli::main()
}
