//! Nothing in a reply is of a document that the device may not read now.

use granary_client_core::protocol::bundle::read_bundle;
use granary_client_core::protocol::messages::SyncReply;

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "replies_hold_what_may_be_read"
    }

    fn is_leak(&self) -> bool {
        true
    }

    fn on_reply(&mut self, world: &mut World, phone: usize, reply: &SyncReply) -> Result<(), String> {
        if reply.bundle.is_empty() {
            return Ok(());
        }
        let (number, device) = (world.coops[world.phones[phone].coop], world.phones[phone].device);
        let cooperative = world.server()?.cooperative(number).map_err(|error| error.to_string())?;
        let Some(record) = cooperative.device(device) else { return Ok(()) };
        let grants = record.grants_now();
        let documents = read_bundle(&reply.bundle).map_err(|fault| fault.to_string())?;
        match documents.iter().find(|document| !grants.may_read(&document.key)) {
            Some(document) => Err(format!("{:?} to {device}, which may {:?}", document.key, grants.roles)),
            None => Ok(()),
        }
    }
}
