//! Builds runtimes. Where the system has no open files left, tokio panics while it makes its own, so that is tried first.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Files that a runtime opens: for its events, for waking, and two pairs for signals; with some for the first connection.
#[cfg(unix)]
const PAIRS: usize = 5;

/// Builds a runtime. Fails with the system's error where that has no more open files, or no thread.
pub fn build_runtime(builder: &mut Builder) -> io::Result<Runtime> {
    #[cfg(unix)]
    {
        let tried: io::Result<Vec<_>> = (0..PAIRS).map(|_| std::os::unix::net::UnixStream::pair()).collect();
        drop(tried?);
    }
    builder.enable_all().build()
}
