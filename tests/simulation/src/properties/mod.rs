//! The properties of a world, one file each. A property has a hook for each time at which it is checked; its exceptions
//! are documented there.

mod acknowledged_stays;
mod console_edits_stay;
mod cursor_rises;
mod each_lot_is_there_once;
mod equal_heads;
mod excuses;
mod has_what_it_recorded;
mod imported_lots_stay;
mod logs_do_not_go_back;
mod newer_fields_survive;
mod no_leak_between_cooperatives;
mod no_orphans_left;
mod nothing_held_is_lost;
mod nothing_unsent;
mod phone_holds_what_it_may_read;
mod pools_follow_orders;
mod receivers_stay_apart;
mod recorded_lots_arrive;
mod replies_hold_what_may_be_read;
mod server_agrees;
mod stock_is_equal;
mod told_orders_stay;
mod unsent_count_is_right;

use std::collections::BTreeSet;

use granary_client_core::protocol::messages::SyncReply;

use crate::world::{World, household};

/// Prefix of the message of a leak.
pub(crate) const LEAKED: &str = "LEAKED";

/// A property that must hold. Each world has its own instance, with its own state.
pub(crate) trait Property {
    /// Its name, which begins the message of a failure.
    fn name(&self) -> &'static str;

    /// True if a failure is a leak, not a loss.
    fn is_leak(&self) -> bool {
        false
    }

    /// Called after each event, with its phone.
    fn after_event(&mut self, _world: &mut World, _phone: usize) -> Result<(), String> {
        Ok(())
    }

    /// Called for each reply before the phone gets it.
    fn on_reply(&mut self, _world: &mut World, _phone: usize, _reply: &SyncReply) -> Result<(), String> {
        Ok(())
    }

    /// Called when a phone has applied a reply.
    fn on_reply_applied(&mut self, _world: &mut World, _phone: usize, _reply: &SyncReply) -> Result<(), String> {
        Ok(())
    }

    /// Called when all faults have ended, before the first sync of the recovery.
    fn before_recovery(&mut self, _world: &mut World) -> Result<(), String> {
        Ok(())
    }

    /// Called for each co-operative after the recovery.
    fn after_recovery(&mut self, _world: &mut World, _coop: usize) -> Result<(), String> {
        Ok(())
    }
}

/// All properties, in the order of their checks.
pub(crate) fn all() -> Vec<Box<dyn Property>> {
    vec![
        Box::new(phone_holds_what_it_may_read::Holds),
        Box::new(unsent_count_is_right::Holds),
        Box::new(has_what_it_recorded::Holds),
        Box::new(logs_do_not_go_back::Holds::default()),
        Box::new(replies_hold_what_may_be_read::Holds),
        Box::new(cursor_rises::Holds::default()),
        Box::new(no_orphans_left::Holds),
        Box::new(each_lot_is_there_once::Holds),
        Box::new(nothing_unsent::Holds),
        Box::new(equal_heads::Holds),
        Box::new(newer_fields_survive::Holds),
        Box::new(recorded_lots_arrive::Holds),
        Box::new(acknowledged_stays::Holds),
        Box::new(imported_lots_stay::Holds),
        Box::new(server_agrees::Holds),
        Box::new(nothing_held_is_lost::Holds::default()),
        Box::new(console_edits_stay::Holds),
        Box::new(no_leak_between_cooperatives::Holds),
        Box::new(told_orders_stay::Holds),
        Box::new(pools_follow_orders::Holds),
        Box::new(stock_is_equal::Holds),
        Box::new(receivers_stay_apart::Holds),
    ]
}

impl World {
    /// Checks the properties after an event.
    pub(crate) fn must_hold(&mut self, phone: usize) -> Result<(), String> {
        self.check_each(|property, world| property.after_event(world, phone))
    }

    /// Checks a reply before the phone gets it.
    pub(crate) fn reply_must_hold(&mut self, phone: usize, reply: &SyncReply) -> Result<(), String> {
        self.check_each(|property, world| property.on_reply(world, phone, reply))
    }

    /// Checks a reply that a phone has applied.
    pub(crate) fn applied_reply_must_hold(&mut self, phone: usize, reply: &SyncReply) -> Result<(), String> {
        self.check_each(|property, world| property.on_reply_applied(world, phone, reply))
    }

    /// Says that all faults have ended.
    pub(crate) fn recovery_begins(&mut self) -> Result<(), String> {
        self.check_each(|property, world| property.before_recovery(world))
    }

    /// Checks the properties after the recovery.
    pub(crate) fn must_hold_after_recovery(&mut self) -> Result<(), String> {
        for coop in 0..self.setting.coops() {
            self.check_each(|property, world| property.after_recovery(world, coop))?;
        }
        Ok(())
    }

    fn check_each(
        &mut self,
        mut of: impl FnMut(&mut dyn Property, &mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut properties = std::mem::take(&mut self.properties);
        let looked = properties.iter_mut().try_for_each(|property| {
            let told = of(property.as_mut(), self);
            let leaked = if property.is_leak() { format!("{LEAKED} ") } else { String::new() };
            told.map_err(|why| format!("{leaked}{}: {why}", property.name()))
        });
        self.properties = properties;
        looked
    }

    /// The phones of a co-operative; the coordinator's is the first.
    fn phones_of(&self, coop: usize) -> impl Iterator<Item = usize> {
        (0..self.phones.len()).filter(move |phone| self.phones[*phone].coop == coop)
    }

    /// The coordinator's phone, which reads everything, never breaks, and keeps its grant.
    fn coordinator(&self, coop: usize) -> usize {
        self.phones_of(coop).next().unwrap()
    }

    /// The phones of a co-operative that can still sync.
    fn living(&self, coop: usize) -> Vec<usize> {
        self.phones_of(coop).filter(|phone| self.phones[*phone].can_sync()).collect()
    }

    /// The lots that the coordinator has, by the note that no other lot has.
    fn coordinator_notes(&mut self, coop: usize) -> BTreeSet<String> {
        let (coordinator, households) = (self.coordinator(coop), self.setting.households());
        let notes = (1..=households).flat_map(|number| self.phones[coordinator].notes(household(number)));
        notes.collect()
    }

    /// The number of orphans on the server.
    fn orphans(&mut self, coop: usize) -> Result<u64, String> {
        let number = self.coops[coop];
        let cooperative = self.server()?.cooperative(number).map_err(|error| error.to_string())?;
        Ok(cooperative.statistics().pending)
    }
}
