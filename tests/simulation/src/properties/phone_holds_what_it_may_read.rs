//! A phone holds no document that its newest known grants do not cover.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "phone_holds_what_it_may_read"
    }

    /// Excused until it has recovered: a damaged phone, which may have lost its newest grants.
    fn after_event(&mut self, world: &mut World, phone: usize) -> Result<(), String> {
        let one = &world.phones[phone];
        let grants = one.replica.grants();
        let strange = one.replica.documents().into_iter().find(|(key, _)| !grants.may_read(key));
        match strange.filter(|_| !one.was_damaged) {
            Some((key, _)) => Err(format!("phone {phone} holds {key:?}, which its grants do not cover")),
            None => Ok(()),
        }
    }
}
