//! The background thread that syncs when the scheduler says so, and tells the app what happened.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::nudges::Nudges;
use super::{Phone, Status};
use crate::error::Error;
use crate::protocol::problem::ProblemKind;
use crate::schema::DocumentKey;
use crate::sync::{Scheduler, Wake};

/// What an app is told, from the background thread.
pub trait Observer: Send + Sync {
    /// The sync's standing has changed.
    fn status_changed(&self, status: Status);
    /// Documents have changed by what others did.
    fn documents_changed(&self, documents: Vec<DocumentKey>);
}

enum Order {
    Wake(Wake),
    Stop,
}

/// Runs the sync of a phone until it is dropped.
pub struct Driver {
    orders: Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
    nudges: Nudges,
    /// What the platform says of the network, and what the app says of the live socket.
    may_listen: Mutex<(bool, bool)>,
}

impl Driver {
    /// Starts the background thread; it also wakes by itself after each edit.
    pub fn start(phone: Arc<Phone>, observer: Arc<dyn Observer>) -> Result<Self, Error> {
        let (orders, waiting) = channel();
        let wake = orders.clone();
        phone.wake_on_edit(Box::new(move || {
            // A send fails only when the thread has ended, and then there is nobody to wake.
            let _ = wake.send(Order::Wake(Wake::Edited));
        }));
        let nudged = orders.clone();
        let nudges = Nudges::start(Arc::clone(&phone), move || {
            let _ = nudged.send(Order::Wake(Wake::Nudged));
        })?;
        let thread = std::thread::Builder::new()
            .name("granary-sync".into())
            .spawn(move || run(&phone, observer.as_ref(), &waiting))
            .map_err(|error| Error::Line(error.to_string()))?;
        Ok(Self { orders, thread: Mutex::new(Some(thread)), nudges, may_listen: Mutex::new((true, true)) })
    }

    fn tell(&self, wake: Wake) {
        // A send fails only when the thread has ended, and then there is nothing to tell.
        let _ = self.orders.send(Order::Wake(wake));
    }

    /// The platform says whether there is a network.
    pub fn set_online(&self, online: bool) {
        self.tell(if online { Wake::NetworkBack } else { Wake::NetworkGone });
        self.allow_nudges(|may| may.0 = online);
    }

    /// Whether the live socket may be open: an app in the background saves battery without it (with it,
    /// an idle phone costs some 40 kB a day) and still syncs by its timer.
    pub fn set_live(&self, live: bool) {
        self.allow_nudges(|may| may.1 = live);
    }

    fn allow_nudges(&self, change: impl FnOnce(&mut (bool, bool))) {
        let mut may = self.may_listen.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut may);
        self.nudges.allow(may.0 && may.1);
    }

    /// A person asked for a sync.
    pub fn sync_soon(&self) {
        self.tell(Wake::Asked);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn run(phone: &Phone, observer: &dyn Observer, orders: &Receiver<Order>) {
    let mut scheduler = Scheduler::new(phone.clock.now());
    loop {
        let now = phone.clock.now();
        if phone.device().is_some() && scheduler.start(now) {
            observer.status_changed(phone.status());
            let result = phone.sync_now();
            let wake = outcome(&result);
            if let Ok(summary) = result {
                let received = summary.received;
                let changed: Vec<DocumentKey> = received.changed.into_iter().chain(received.forgotten).collect();
                if !changed.is_empty() {
                    observer.documents_changed(changed);
                }
            }
            scheduler.handle(phone.clock.now(), wake);
            observer.status_changed(phone.status());
            continue;
        }
        let wait = scheduler.next_timeout().map_or(60_000, |due| due.millis_since(now).min(60_000));
        match orders.recv_timeout(Duration::from_millis(wait.max(1))) {
            Ok(Order::Wake(wake)) => scheduler.handle(phone.clock.now(), wake),
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn outcome(result: &Result<crate::sync::Summary, Error>) -> Wake {
    let hopeless = |kind: &ProblemKind| {
        matches!(kind, ProblemKind::DeviceRevoked | ProblemKind::UnknownDevice | ProblemKind::BadSignature)
    };
    match result {
        Ok(_) => Wake::Succeeded,
        Err(Error::Refused { kind, .. }) if hopeless(kind) => Wake::Hopeless,
        Err(_) => {
            let mut bytes = [0u8; 8];
            let _ = SystemRandom::new().fill(&mut bytes);
            Wake::Failed { random: u64::from_le_bytes(bytes) }
        }
    }
}
