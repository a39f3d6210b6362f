//! Tells whoever listens that something new can be had: phones when a log grew, consoles when lists
//! were written. A slow listener misses words, never content: it asks again.

use granary_client_core::documents::DocumentKey;
use granary_client_core::ids::DeviceId;
use tokio::sync::broadcast;

use crate::log::CooperativeNumber;

/// Words that wait for a slow listener at most.
const WAITING_MAX: usize = 256;

/// What happened.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// The log has something new about this document.
    Admitted { cooperative: CooperativeNumber, key: DocumentKey },
    /// What a device may do has changed.
    Access { device: DeviceId },
    /// The lists show this document as it is now.
    Listed { cooperative: CooperativeNumber },
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Live {
    sender: broadcast::Sender<News>,
}

impl Default for Live {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(WAITING_MAX) }
    }
}

impl Live {
    pub(crate) fn tell(&self, news: News) {
        // Nobody listening is no fault.
        let _ = self.sender.send(news);
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<News> {
        self.sender.subscribe()
    }
}
