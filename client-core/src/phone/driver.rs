//! The background thread that syncs when the scheduler says so and notifies the app.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::nudges::Nudges;
use super::steady::Steady;
use super::{Phone, Status, random_u64};
use crate::error::Error;
use crate::protocol::problem::ProblemKind;
use crate::schema::DocumentKey;
use crate::sync::{Scheduler, Wake};

/// Notified from the background thread. A panic in it ends neither the thread nor the sync; see
/// [`Status::observer_error`].
pub trait Observer: Send + Sync {
    /// The status of the sync has changed.
    fn status_changed(&self, status: Status);
    /// Others' changes to these documents have arrived, or the documents were forgotten.
    fn documents_changed(&self, documents: Vec<DocumentKey>);
}

/// What the thread is told to do.
enum DriverCommand {
    Wake(Wake),
    Stop,
}

/// Runs the sync of a phone until it is dropped.
pub struct Driver {
    commands: Sender<DriverCommand>,
    thread: Mutex<Option<JoinHandle<()>>>,
    nudges: Nudges,
    /// Whether the platform reports a network, and whether the app allows the nudge socket.
    may_listen: Mutex<(bool, bool)>,
}

impl Driver {
    /// Starts the background thread. Each edit of the phone wakes it.
    pub fn start(phone: Arc<Phone>, observer: Arc<dyn Observer>) -> Result<Self, Error> {
        let (commands, received) = channel();
        let wake = commands.clone();
        phone.wake_on_edit(Box::new(move || {
            // A send fails only once the thread has ended.
            let _ = wake.send(DriverCommand::Wake(Wake::Edited));
        }));
        let nudged = commands.clone();
        let nudges = Nudges::start(Arc::clone(&phone), move || {
            let _ = nudged.send(DriverCommand::Wake(Wake::Nudged));
        })?;
        let thread = std::thread::Builder::new()
            .name("granary-sync".into())
            .spawn(move || run(&phone, observer.as_ref(), &received))
            .map_err(|error| Error::ThreadStart(error.to_string()))?;
        Ok(Self { commands, thread: Mutex::new(Some(thread)), nudges, may_listen: Mutex::new((true, true)) })
    }

    fn tell(&self, wake: Wake) {
        // A send fails only once the thread has ended.
        let _ = self.commands.send(DriverCommand::Wake(wake));
    }

    /// Reports whether the platform has a network.
    pub fn set_online(&self, online: bool) {
        self.tell(if online { Wake::NetworkBack } else { Wake::NetworkGone });
        self.allow_nudges(|may| may.0 = online);
    }

    /// Allows the nudge socket, or closes it. An app in the background saves battery without it and still syncs by its
    /// timer. With it, an idle phone costs some 40 kB a day.
    pub fn set_nudges(&self, allowed: bool) {
        self.allow_nudges(|may| may.1 = allowed);
    }

    fn allow_nudges(&self, change: impl FnOnce(&mut (bool, bool))) {
        let mut may = self.may_listen.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut may);
        self.nudges.allow(may.0 && may.1);
    }

    /// Asks for a sync now, for a person.
    pub fn sync_soon(&self) {
        self.tell(Wake::Asked);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.commands.send(DriverCommand::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn run(phone: &Phone, observer: &dyn Observer, commands: &Receiver<DriverCommand>) {
    let mut steady = Steady::new(phone.clock.now());
    let mut scheduler = Scheduler::new(phone.clock.now());
    loop {
        let now = steady.now(phone.clock.now());
        if phone.device().is_some() && scheduler.start(now) {
            notify(phone, "status_changed", || observer.status_changed(phone.status()));
            let result = phone.sync_now();
            let wake = outcome(&result);
            if let Ok(summary) = result {
                let received = summary.received;
                let changed: Vec<DocumentKey> = received.changed.into_iter().chain(received.forgotten).collect();
                if !changed.is_empty() {
                    notify(phone, "documents_changed", || observer.documents_changed(changed));
                }
            }
            scheduler.handle(steady.now(phone.clock.now()), wake);
            notify(phone, "status_changed", || observer.status_changed(phone.status()));
            continue;
        }
        let wait = scheduler.next_timeout().map_or(60_000, |due| due.millis_since(now).min(60_000));
        match commands.recv_timeout(Duration::from_millis(wait.max(1))) {
            Ok(DriverCommand::Wake(wake)) => scheduler.handle(steady.now(phone.clock.now()), wake),
            Ok(DriverCommand::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Calls the app. An app that fails in it has no part in the sync, which goes on; its failure is shown in the status.
fn notify(phone: &Phone, call: &str, told: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(told)) {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        let reason = text.unwrap_or("it gives no reason");
        tracing::error!(call, reason, "the app's observer failed; the sync goes on");
        phone.observer_failed(format!("the app's observer failed in {call}: {reason}"));
    }
}

fn outcome(result: &Result<crate::sync::Summary, Error>) -> Wake {
    let hopeless = |kind: &ProblemKind| {
        matches!(kind, ProblemKind::DeviceRevoked | ProblemKind::UnknownDevice | ProblemKind::BadSignature)
    };
    match result {
        Ok(_) => Wake::Succeeded,
        Err(Error::Refused { kind, .. }) if hopeless(kind) => Wake::Hopeless,
        Err(_) => Wake::Failed { random: random_u64() },
    }
}
