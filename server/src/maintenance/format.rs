//! A store that is made anew is of this program's format.

use granary_client_core::store::StoreFault;

use super::rebuild::Writes;
use crate::log::format::format_row;

/// Notes that a store is of this program's format.
pub(super) fn note_format(writes: &mut Writes<'_>) -> Result<(), StoreFault> {
    let (key, value) = format_row();
    writes.put(key, value)
}
