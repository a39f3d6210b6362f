//! A phone's cursor only rises, except after a restoration of the server.

use std::collections::BTreeMap;

use granary_client_core::protocol::messages::SyncReply;

use super::Property;
use crate::world::World;

#[derive(Default)]
pub(super) struct Holds {
    /// The position that each phone was last given, after so many restorations of the server.
    last: BTreeMap<usize, (u64, u32)>,
}

impl Property for Holds {
    fn name(&self) -> &'static str {
        "cursor_rises"
    }

    /// Checked only once the phone has applied the reply, since a full disk may prevent that.
    fn on_reply_applied(&mut self, world: &mut World, phone: usize, reply: &SyncReply) -> Result<(), String> {
        let (after, restorations) = (reply.cursor.position, world.restorations());
        match self.last.insert(phone, (after, restorations)) {
            Some((before, since)) if since == restorations && after < before => {
                Err(format!("the cursor of phone {phone} fell from {before} to {after}"))
            }
            _ => Ok(()),
        }
    }
}
