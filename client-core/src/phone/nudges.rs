//! A thread that keeps the live socket open while it may, and hands each nudge to the scheduler. When
//! the line breaks it waits longer each time, with full jitter.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::watch;

use super::Phone;
use crate::error::Error;
use crate::transport::{Stop, new_stop};

/// The first wait after a broken line is below this; it doubles each time.
const BACKOFF_FIRST: Duration = Duration::from_secs(4);
/// No wait is longer than this.
const BACKOFF_MAX: Duration = Duration::from_secs(600);

#[derive(Default)]
struct Wanted {
    /// True while the socket may be open.
    open: bool,
    ended: bool,
    stop: Option<Arc<Stop>>,
}

/// See the module. Ends when dropped.
pub(super) struct Nudges {
    shared: Arc<(Mutex<Wanted>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Nudges {
    pub(super) fn start(phone: Arc<Phone>, on_nudge: impl Fn() + Send + 'static) -> Result<Self, Error> {
        let shared = Arc::new((Mutex::new(Wanted { open: true, ..Wanted::default() }), Condvar::new()));
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("granary-live".into())
            .spawn(move || run(&phone, &own, &on_nudge))
            .map_err(|error| Error::Line(error.to_string()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Says whether the socket may be open.
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

/// Waits until the socket may be open; none when the end has come.
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
    let mut failures = 0u32;
    while let Some(mut stopped) = next_turn(shared) {
        let heard = AtomicBool::new(false);
        let _ = phone.listen(&mut stopped, &|| {
            heard.store(true, Ordering::Relaxed);
            on_nudge();
        });
        failures = if heard.load(Ordering::Relaxed) { 0 } else { failures.saturating_add(1) };
        let ceiling = BACKOFF_FIRST.saturating_mul(1 << failures.min(8)).min(BACKOFF_MAX);
        let mut bytes = [0u8; 4];
        let _ = SystemRandom::new().fill(&mut bytes);
        let share = f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
        let wanted = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted.ended && wanted.open {
            drop(shared.1.wait_timeout(wanted, ceiling.mul_f64(share)));
        }
    }
}
