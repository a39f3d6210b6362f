//! Automerge's own sync protocol for one document and one peer, for clients that speak it. Whoever calls
//! this has read the peer's message with bounds first and taken its changes elsewhere: none is taken here.
//!
//! Source: <https://automerge.org/automerge/automerge/sync/>, messages of version 1.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::sync::{Message, State, SyncDoc};

use super::{Document, DocumentFault, Schema};

/// Where the sync of one document with one peer stands.
#[derive(Debug, Default)]
pub struct PeerState {
    state: State,
}

impl PeerState {
    /// From now on nothing is asked of the peer, and it is told that nothing it sends is taken.
    pub fn take_nothing_more(&mut self) {
        self.state.read_only = true;
    }
}

fn failed() -> DocumentFault {
    DocumentFault::Unusable("the sync message made the library fail".into())
}

impl<S: Schema> Document<S> {
    /// Notes what a peer says of itself: its heads, what it needs, what it has. `message` is in the form
    /// of version 1 and holds no changes.
    pub fn hear_peer(&mut self, peer: &mut PeerState, message: &[u8]) -> Result<(), DocumentFault> {
        let mut message = Message::decode(message).map_err(|error| DocumentFault::Unusable(error.to_string()))?;
        // Without them the peer is answered in version 1 only, whose every change we can check.
        message.flags = None;
        message.changes = Vec::<Vec<u8>>::new().into();
        let automerge = self.automerge_mut();
        catch_unwind(AssertUnwindSafe(|| automerge.sync().receive_sync_message(&mut peer.state, message)))
            .map_err(|_| failed())??;
        Ok(())
    }

    /// What the peer should be told now, if anything.
    pub fn tell_peer(&mut self, peer: &mut PeerState) -> Result<Option<Vec<u8>>, DocumentFault> {
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
