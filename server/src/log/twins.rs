//! Two phones that go by one device's name: one was copied, or set back to an older state. What the log has of
//! the device is then not what each of them has.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{Cursor, SyncRequest, write_message};

use super::Cooperative;
use super::intake::Taken;
use super::keys::key;
use super::writer::Gather;

impl Cooperative {
    /// How often a device showed that two phones go by its name; 0 for all but a few.
    pub(crate) fn twins_of(&self, device: DeviceId) -> u32 {
        self.state().twins.get(&device).copied().unwrap_or(0)
    }

    /// True when a request shows that another phone goes by the device's name: the log has an entry of it
    /// that this phone was never told of, and it does not send that again, as it would if the reply had been
    /// lost. `last` is the device's last entry before the request.
    pub(crate) fn shows_twin(&self, device: DeviceId, request: &SyncRequest, last: u64, taken: &Taken) -> bool {
        let says_all = !request.bundle.is_empty() || request.pending_after == 0;
        let is_new = request.cursor == Cursor::default();
        !is_new && request.cursor.receipt < last && says_all && !taken.has_repeats && self.twins_of(device) == 0
    }

    /// The number of a device's last entry; 0 for none.
    pub(crate) fn last_entry_of(&self, device: DeviceId) -> u64 {
        self.state().last_entries.get(&device).copied().unwrap_or(0)
    }

    /// Two phones go by this device's name: what one of them sends is not what the other has. From now on
    /// each gets the other's, and cursors from before count no more, so both compare once.
    pub(crate) fn twin_seen(&self, gather: &mut Gather<'_>, device: DeviceId) {
        let mut state = self.state();
        let count = state.twins.entry(device).or_default();
        *count = count.saturating_add(1);
        gather.put(key(self.number(), b'k', device.as_bytes()), write_message(count));
    }
}
