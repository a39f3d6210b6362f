//! The event bus: connected clients learn of new log positions, consoles of updated read models. Events carry no
//! content, so a slow subscriber that misses some loses none.

use granary_client_core::ids::DeviceId;
use granary_client_core::schema::DocumentKey;
use tokio::sync::broadcast;

use crate::log::CooperativeNumber;

/// Events that are buffered for a slow subscriber at most.
const BUFFERED_MAX: usize = 256;

/// An event of the server.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Entries of this document were admitted or quarantined.
    Admitted { cooperative: CooperativeNumber, key: DocumentKey },
    /// An order was admitted, or something of it.
    OrderAdmitted { cooperative: CooperativeNumber },
    /// Webhooks were set or removed, or have something new to send.
    WebhooksChanged { cooperative: CooperativeNumber },
    /// The grants of a device have changed.
    AccessChanged { device: DeviceId },
    /// The figures of a channel's pools have changed; at most once a second each.
    PoolsChanged { cooperative: CooperativeNumber },
    /// A co-operative's read models were written.
    ReadModelsUpdated { cooperative: CooperativeNumber },
}

/// Broadcasts events to all subscribers.
#[derive(Debug)]
pub(crate) struct EventBus {
    sender: broadcast::Sender<Event>,
}

impl Default for EventBus {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BUFFERED_MAX) }
    }
}

impl EventBus {
    pub(crate) fn publish(&self, event: Event) {
        // Sending fails only without subscribers, which is no fault.
        let _ = self.sender.send(event);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }
}
