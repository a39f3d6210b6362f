//! The threads on which passwords are hashed: two, or one where there is one core, apart from those that syncs use. A hash takes
//! 19 MiB, and an allocator keeps what a thread has freed for that thread; on any thread of a large pool a flood of sign-ins
//! would leave that much behind on each. Whatever else the server does goes before them.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Threads at most: 19 MiB each.
const THREADS: usize = 2;
/// They give way to other threads by so much.
const NICE: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

fn run(jobs: &Mutex<Receiver<Job>>) {
    // On Linux this is of the thread alone. Where it can't be done, passwords are hashed all the same.
    let _ = rustix::process::nice(NICE);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// As many passwords are hashed at once.
pub(crate) fn threads_at_most() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(THREADS)
}

/// None where the system gives no thread.
fn threads() -> Option<&'static Sender<Job>> {
    static JOBS: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    let started = JOBS.get_or_init(|| {
        let (jobs, received) = channel::<Job>();
        let received = Arc::new(Mutex::new(received));
        let start = || {
            let received = Arc::clone(&received);
            std::thread::Builder::new().name("granary-hashing".into()).spawn(move || run(&received)).is_ok()
        };
        (0..threads_at_most()).filter(|_| start()).count().gt(&0).then_some(jobs)
    });
    started.as_ref()
}

/// Runs this on one of the threads and waits for it; none when that can't be. Callers are held back by permits
/// (`http/gate.rs`), so few of them wait.
pub(super) fn hash<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Option<R> {
    let (told, tells) = sync_channel(1);
    let job: Job = Box::new(move || {
        // Whoever waited may have gone.
        let _ = told.send(work());
    });
    threads()?.send(job).ok()?;
    tells.recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn hashes_are_made_by_two_threads() {
        let callers: Vec<_> = (0..64)
            .map(|_| std::thread::spawn(|| hash(|| format!("{:?}", std::thread::current().id())).unwrap()))
            .collect();
        let threads: BTreeSet<String> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
        assert!(threads.len() <= THREADS, "{threads:?}");
    }
}
