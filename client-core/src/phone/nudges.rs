//! A thread that keeps the nudge socket open while that is allowed and hands each nudge to the scheduler. After a
//! broken line it waits by [`Backoff`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::{Phone, random_u64};
use crate::error::Error;
use crate::sync::Backoff;
use crate::transport::{Stop, new_stop};

#[derive(Default)]
struct Wanted {
    /// True while the socket may be open.
    open: bool,
    /// True once the thread must end.
    ended: bool,
    /// Closes the open socket.
    stop: Option<Arc<Stop>>,
}

/// See the module. Dropping it closes the socket and ends the thread.
pub(super) struct Nudges {
    shared: Arc<(Mutex<Wanted>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Nudges {
    pub(super) fn start(phone: Arc<Phone>, on_nudge: impl Fn() + Send + 'static) -> Result<Self, Error> {
        let shared = Arc::new((Mutex::new(Wanted { open: true, ..Wanted::default() }), Condvar::new()));
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("granary-nudges".into())
            .spawn(move || run(&phone, &own, &on_nudge))
            .map_err(|error| Error::ThreadStart(error.to_string()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Allows the socket to be open, or closes it.
    pub(super) fn allow(&self, open: bool) {
        let mut wanted = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.open = open;
        if !open && let Some(stop) = &wanted.stop {
            stop.send_replace(true);
        }
        self.shared.1.notify_all();
    }
}

impl Drop for Nudges {
    fn drop(&mut self) {
        {
            let mut wanted = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.ended = true;
            if let Some(stop) = &wanted.stop {
                stop.send_replace(true);
            }
            self.shared.1.notify_all();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Blocks until the socket may be open, and returns what closes it; none when the thread must end.
fn next_turn(shared: &(Mutex<Wanted>, Condvar)) -> Option<watch::Receiver<bool>> {
    let mut wanted = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if wanted.ended {
            return None;
        }
        if wanted.open {
            let (stop, stopped) = new_stop();
            wanted.stop = Some(stop);
            return Some(stopped);
        }
        wanted = shared.1.wait(wanted).unwrap_or_else(PoisonError::into_inner);
    }
}

fn run(phone: &Phone, shared: &(Mutex<Wanted>, Condvar), on_nudge: &dyn Fn()) {
    let mut backoff = Backoff::default();
    while let Some(mut stopped) = next_turn(shared) {
        let was_nudged = AtomicBool::new(false);
        // Why it ended does not matter: the socket carries no content, and the timer finds the same.
        let _ = phone.listen(&mut stopped, &|| {
            was_nudged.store(true, Ordering::Relaxed);
            on_nudge();
        });
        if was_nudged.load(Ordering::Relaxed) {
            backoff.reset();
        }
        let wait = Duration::from_millis(backoff.fail(random_u64()));
        let wanted = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted.ended && wanted.open {
            drop(shared.1.wait_timeout(wanted, wait));
        }
    }
}
