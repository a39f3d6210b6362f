//! After a loss: until when phones give back everyone's changes, and not only their own.

use granary_client_core::quantities::Instant;

use super::Cooperative;
use super::keys::{CooperativeNumber, key};

/// After a proven loss, devices give back everyone's changes for this long: a season, since a phone may
/// be away for one.
const HEALS_MILLIS: u64 = 200 * 86_400_000;

/// Where it is kept until when devices give back everyone's changes.
pub(crate) fn healing_key(cooperative: CooperativeNumber) -> Vec<u8> {
    key(cooperative, b'z', &[])
}

/// Until when they do after a loss that is known of now, in milliseconds.
pub(crate) fn healing_until(now: Instant) -> i64 {
    now.plus_millis(HEALS_MILLIS).0
}

impl Cooperative {
    /// A device has shown a genuine cursor that does not fit: what came after a backup is lost here, and
    /// phones have it.
    pub(super) fn loss_is_proven(&self, now: Instant) {
        let mut state = self.state();
        let until = healing_until(now);
        // Written down again now and then, not for each phone.
        if until.saturating_sub(state.heals_until) > 86_400_000 {
            state.heals_until = until;
            state.healing_is_new = true;
        }
    }

    /// True while devices give back everyone's changes.
    pub(crate) fn heals(&self, now: Instant) -> bool {
        now.0 < self.state().heals_until
    }

    /// Until when devices give back everyone's changes, when that is new.
    pub(crate) fn take_new_healing(&self) -> Option<i64> {
        let mut state = self.state();
        std::mem::take(&mut state.healing_is_new).then_some(state.heals_until)
    }
}
