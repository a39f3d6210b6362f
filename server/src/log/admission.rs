//! Admission: each entry is tried on a copy of its document, checked by the typed view, before any other device gets
//! it. An entry that fails is quarantined, and a notice tells its device and the coordinators. An entry that depends on
//! it stays an orphan. One thread does this.

mod trial;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::messages::write_message;
use granary_client_core::schema::Document;
use granary_client_core::store::{Store, StoreFault};

use self::trial::{Open, gives_back, split_ready, try_on};
use super::Cooperative;
use super::documents::Documents;
use super::keys::{DocumentNumber, Entry, LogEvent, entry_key, meta_key, quarantine_key, saved_key, unadmitted_key};
use super::rows::parse;
use super::set_aside::SetAside;
use super::writer::{Completion, Writer};
use crate::log::throttle::{BackgroundThrottle, BackgroundWork};

/// Positions since its saved form after which a document is saved again.
const POSITIONS_BEFORE_SAVE: u32 = 128;

/// A document with unadmitted entries.
type Task = (Arc<Cooperative>, DocumentNumber);

/// A handle on the admission thread; it ends when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Admission {
    tasks: Sender<Task>,
}

impl Admission {
    pub(crate) fn start(
        store: Arc<dyn Store>,
        documents: Arc<Documents>,
        writer: Writer,
        throttle: BackgroundThrottle,
        on_fault: impl Fn(StoreFault) + Send + 'static,
        on_admitted: impl Fn(&Arc<Cooperative>, DocumentNumber) + Send + Sync + 'static,
        on_decided: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (tasks, receiver) = channel();
        let thread = std::thread::Builder::new().name("admission".into()).spawn(move || {
            let (on_admitted, on_decided) = (Arc::new(on_admitted), Arc::new(on_decided));
            let worker = Worker { store, documents, writer, throttle, on_admitted, on_decided };
            if let Err(fault) = worker.run(&receiver) {
                on_fault(fault);
            }
        })?;
        Ok((Self { tasks }, thread))
    }

    /// Enqueues all documents of a co-operative that have unadmitted entries.
    pub(crate) fn enqueue(&self, cooperative: &Arc<Cooperative>) {
        let documents = cooperative.state().queue.documents();
        for document in documents {
            // A send fails only when the thread has ended, and then the server is stopping too.
            let _ = self.tasks.send((Arc::clone(cooperative), document));
        }
    }

    /// Enqueues these documents: where many are unadmitted, naming those that are new costs less than naming all.
    pub(crate) fn enqueue_these(&self, cooperative: &Arc<Cooperative>, documents: &[DocumentNumber]) {
        for document in documents {
            let _ = self.tasks.send((Arc::clone(cooperative), *document));
        }
    }
}

/// Called for each document of which entries were admitted or quarantined, before they count as decided: who waited for the decision
/// finds that all who follow from it were told.
type OnAdmitted = dyn Fn(&Arc<Cooperative>, DocumentNumber) + Send + Sync;

/// Called once entries count as decided.
type OnDecided = dyn Fn() + Send + Sync;

/// Documents whose verdicts are in flight to the store at once, so that one flush serves many.
const IN_FLIGHT_MAX: usize = 64;
/// The sleep after a round of verdicts, in multiples of the round's time.
const SLEEP_TIMES: u32 = 4;

/// A document whose verdicts are in flight to the store.
struct InFlight {
    cooperative: Arc<Cooperative>,
    number: DocumentNumber,
    document: Document,
    durable: Receiver<()>,
}

struct Worker {
    store: Arc<dyn Store>,
    documents: Arc<Documents>,
    writer: Writer,
    throttle: BackgroundThrottle,
    on_admitted: Arc<OnAdmitted>,
    on_decided: Arc<OnDecided>,
}

/// The decision on one entry.
enum Verdict {
    Admitted,
    Quarantined(AsideReason),
}

impl Worker {
    fn run(&self, receiver: &Receiver<Task>) -> Result<(), StoreFault> {
        while let Ok(first) = receiver.recv() {
            // Takes all tasks that have come by now, each document once.
            let mut tasks = vec![first];
            tasks.extend(receiver.try_iter());
            let mut seen = BTreeSet::new();
            tasks.retain(|(cooperative, document)| seen.insert((cooperative.number(), *document)));
            self.throttle.pass(BackgroundWork::Admission);
            let (began, before) = (Instant::now(), self.throttle.count());
            let mut in_flight = Vec::new();
            for (cooperative, document) in tasks {
                match self.decide(&cooperative, document) {
                    Ok(written) => in_flight.extend(written),
                    // Damage in one document must not stop the others. Its entries stay unadmitted; phones or a
                    // backup give the damaged rows back.
                    Err(StoreFault::Damaged(key)) => {
                        let fault = StoreFault::Damaged(key);
                        tracing::error!(cooperative = cooperative.number().0, %fault, "a document can't be admitted to");
                        cooperative.state().queue.mark_undecidable(document);
                    }
                    Err(fault) => return Err(fault),
                }
                if in_flight.len() >= IN_FLIGHT_MAX {
                    in_flight.drain(..).try_for_each(|written: InFlight| self.finish(written))?;
                }
            }
            // Each document is in this round once, so its next verdicts come after these are durable.
            in_flight.into_iter().try_for_each(|written| self.finish(written))?;
            self.throttle.pause(began, before, SLEEP_TIMES);
        }
        Ok(())
    }

    /// Waits until the verdicts are durable, then returns the document to the cache.
    fn finish(&self, written: InFlight) -> Result<(), StoreFault> {
        let InFlight { cooperative, number, document, durable } = written;
        durable.recv().map_err(|_| StoreFault::Failed("the writer has stopped".into()))?;
        self.documents.put(&cooperative, number, document, cooperative.last_position(number));
        Ok(())
    }

    /// Decides the unadmitted entries of a document; gives the document when verdicts are in flight.
    fn decide(&self, cooperative: &Arc<Cooperative>, number: DocumentNumber) -> Result<Option<InFlight>, StoreFault> {
        if cooperative.state().documents.is_erased(number) {
            return Ok(None);
        }
        let numbers = cooperative.state().queue.entries_of(number);
        let mut open: Open = Vec::new();
        // Entries that a coordinator takes in, or that give back what others wrote: these have more room.
        let mut has_more_room: BTreeSet<u64> = BTreeSet::new();
        for entry in numbers {
            let key = entry_key(cooperative.number(), entry);
            // The entry is not flushed yet; its ingest enqueues the document again once it is.
            let Some(bytes) = self.store.get(&key)? else { continue };
            let record: Entry = parse(&key, Some(&bytes))?;
            let changes = record.documents().map_err(|_| StoreFault::Damaged(key))?;
            if self.store.get(&quarantine_key(cooperative.number(), record.device, entry))?.is_some() {
                has_more_room.insert(entry);
            }
            let changes: Vec<VerifiedChange> = changes.into_iter().flat_map(|document| document.changes).collect();
            if gives_back(cooperative, &record, &changes) {
                has_more_room.insert(entry);
            }
            open.push((entry, record, changes));
        }
        if open.is_empty() {
            return Ok(None);
        }
        let mut document = self.documents.take(cooperative, number)?;
        let mut verdicts: Vec<(u64, Entry, Verdict)> = Vec::new();
        loop {
            let (ready, rest) = split_ready(&mut document, open);
            open = rest;
            if ready.is_empty() {
                break;
            }
            let together: Vec<VerifiedChange> =
                ready.iter().flat_map(|(_, _, changes)| changes.iter().cloned()).collect();
            let has_room = ready.iter().any(|(entry, ..)| has_more_room.contains(entry));
            if let Ok(tried) = try_on(&document, &together, has_room) {
                document = tried;
                verdicts.extend(ready.into_iter().map(|(entry, record, _)| (entry, record, Verdict::Admitted)));
                continue;
            }
            // At least one entry does harm: each is tried alone to find which. Entries that depend on each other and
            // do harm together are quarantined together.
            let decided = verdicts.len();
            let mut together = Vec::new();
            for (entry, record, changes) in ready {
                let is_ready = split_ready(&mut document, vec![(entry, record.clone(), changes.clone())]).1.is_empty();
                match try_on(&document, &changes, has_more_room.contains(&entry)) {
                    _ if !is_ready => together.push((entry, record, changes)),
                    Ok(tried) => {
                        document = tried;
                        verdicts.push((entry, record, Verdict::Admitted));
                    }
                    Err(fault) => verdicts.push((entry, record, Verdict::Quarantined(AsideReason::from(&fault)))),
                }
            }
            if verdicts.len() > decided {
                open.extend(together);
                continue;
            }
            let reason = AsideReason::HarmfulTogether;
            verdicts
                .extend(together.into_iter().map(|(entry, record, _)| (entry, record, Verdict::Quarantined(reason))));
        }
        self.note_orphans(cooperative, &open);
        if verdicts.is_empty() {
            self.documents.put(cooperative, number, document, cooperative.last_position(number));
            return Ok(None);
        }
        let bytes = match document.saved_bytes() {
            Some(bytes) => bytes,
            None => document.save().len() as u64,
        };
        cooperative.state().documents.set_bytes(number, bytes);
        self.write(cooperative, number, document, verdicts).map(Some)
    }

    /// Counts orphans against their devices.
    fn note_orphans(&self, cooperative: &Cooperative, open: &[(u64, Entry, Vec<VerifiedChange>)]) {
        let mut state = cooperative.state();
        for (number, entry, changes) in open {
            let bytes = changes.iter().map(|change| change.chunk().len()).sum();
            state.queue.mark_orphan(*number, entry.document, entry.device, bytes);
        }
    }

    fn write(
        &self,
        cooperative: &Arc<Cooperative>,
        number: DocumentNumber,
        mut document: Document,
        verdicts: Vec<(u64, Entry, Verdict)>,
    ) -> Result<InFlight, StoreFault> {
        let heads = document.heads();
        let due = cooperative
            .state()
            .documents
            .get(number)
            .is_some_and(|(_, meta)| meta.since_saved.saturating_add(1) >= POSITIONS_BEFORE_SAVE);
        let saved = due.then(|| document.save());
        let (done, durable) = channel();
        let target = Arc::clone(cooperative);
        let (on_admitted, on_decided) = (Arc::clone(&self.on_admitted), Arc::clone(&self.on_decided));
        let submitted = self.writer.submit(Box::new(move |group| {
            let mut state = target.state();
            let own = target.number();
            if state.documents.is_erased(number) {
                drop(state);
                return Ok(Box::new(move || _ = done.send(())));
            }
            // A copy of the meta: readers see the new position only once it is durable.
            let (document_key, mut meta) = match state.documents.get(number) {
                Some((key, meta)) => (key.to_bytes(), meta.clone()),
                None => return Err(StoreFault::Damaged(meta_key(own, number))),
            };
            for (entry, record, verdict) in &verdicts {
                group.remove(unadmitted_key(own, *entry));
                match verdict {
                    Verdict::Admitted => {
                        group.remove(quarantine_key(own, record.device, *entry));
                        let event = LogEvent::Admitted {
                            entry: *entry,
                            document: number,
                            previous: meta.last,
                            device: record.device,
                            tag: record.tag,
                        };
                        meta.last = state.heads.append_event(own, group, event);
                        meta.since_saved = meta.since_saved.saturating_add(1);
                    }
                    Verdict::Quarantined(reason) => {
                        let bundle = record.documents().unwrap_or_default();
                        let changes: Vec<VerifiedChange> =
                            bundle.into_iter().flat_map(|document| document.changes).collect();
                        let aside = SetAside::new(document_key.clone(), *reason, &changes, record.bundle.len());
                        tracing::warn!(cooperative = own.0, device = %record.device, entry, reason = reason.code(), "changes quarantined");
                        group.put(quarantine_key(own, record.device, *entry), write_message(&aside));
                    }
                }
            }
            let decided: BTreeSet<u64> = verdicts.iter().map(|(entry, ..)| *entry).collect();
            let last_entry = state.heads.written().entry;
            state.queue.advance_start(own, group, &decided, last_entry);
            meta.heads = heads;
            if let Some(saved) = saved {
                group.put(saved_key(own, number), saved);
                meta.saved_through = meta.last;
                meta.since_saved = 0;
            }
            group.put(meta_key(own, number), write_message(&meta));
            drop(state);
            let completion: Completion = Box::new(move || {
                let mut state = target.state();
                state.heads.publish();
                state.documents.set_meta(number, meta);
                drop(state);
                on_admitted(&target, number);
                let mut state = target.state();
                for (entry, record, _) in &verdicts {
                    state.queue.remove(*entry, number, record.device);
                }
                drop(state);
                on_decided();
                let _ = done.send(());
            });
            Ok(completion)
        }));
        match submitted {
            true => Ok(InFlight { cooperative: Arc::clone(cooperative), number, document, durable }),
            false => Err(StoreFault::Failed("the writer has stopped".into())),
        }
    }
}
