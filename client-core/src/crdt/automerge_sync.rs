//! Automerge's own sync protocol for one document and one peer. The caller has parsed the peer's message within limits and
//! ingested its changes; none is applied here.
//!
//! Source: <https://automerge.org/automerge/automerge/sync/>, messages of version 1.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::sync::{Message, State, SyncDoc};

use super::{Document, DocumentFault, Schema};

/// The state of the sync of one document with one peer.
#[derive(Debug, Default)]
pub struct PeerState {
    state: State,
}

impl PeerState {
    /// From now on nothing is asked of the peer, and it learns that its changes are not accepted.
    pub fn take_nothing_more(&mut self) {
        self.state.read_only = true;
    }
}

fn failed() -> DocumentFault {
    DocumentFault::Unusable("the sync message made the library fail".into())
}

impl<S: Schema> Document<S> {
    /// Takes a peer's heads, needs and haves. `message` is of version 1 and has no changes.
    pub fn receive_sync_message(&mut self, peer: &mut PeerState, message: &[u8]) -> Result<(), DocumentFault> {
        let mut message = Message::decode(message).map_err(|error| DocumentFault::Unusable(error.to_string()))?;
        // Without flags the peer is answered in version 1, whose changes we can verify.
        message.flags = None;
        message.changes = Vec::<Vec<u8>>::new().into();
        let automerge = self.automerge_mut();
        catch_unwind(AssertUnwindSafe(|| automerge.sync().receive_sync_message(&mut peer.state, message)))
            .map_err(|_| failed())??;
        Ok(())
    }

    /// The next message for the peer; none when there is nothing to send.
    pub fn generate_sync_message(&mut self, peer: &mut PeerState) -> Result<Option<Vec<u8>>, DocumentFault> {
        let automerge = self.automerge_mut();
        let message = catch_unwind(AssertUnwindSafe(|| automerge.sync().generate_sync_message(&mut peer.state)))
            .map_err(|_| failed())?;
        Ok(message.map(|mut message| {
            if !peer.state.read_only {
                message.flags = None;
            }
            message.encode()
        }))
    }
}
