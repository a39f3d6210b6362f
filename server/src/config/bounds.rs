//! The bounds of what is kept on the disk: of a device, of a household, of what was set aside, and how much stays free.

/// One mebibyte.
pub(crate) const MIB: u64 = 1024 * 1024;

/// A share of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Bytes that may be added on one day (UTC).
    pub day_bytes: u64,
    /// Bytes in all.
    pub bytes: u64,
}

/// Bounds of what the store takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What one device writes.
    pub device: Share,
    /// What all phones of one household write in its documents.
    pub household: Share,
    /// Days after which the content of what was set aside is dropped.
    pub set_aside_days: u32,
    /// Bytes of the disk that stay free: below it nothing new is taken. On a small disk its fiftieth part, where that is less.
    pub disk_floor_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // A lot takes some 600 bytes when it is sent alone: a hundred thousand lots a day, a season of twenty thousand lots
            // in 12 MB.
            device: Share { day_bytes: 64 * MIB, bytes: 1024 * MIB },
            household: Share { day_bytes: 128 * MIB, bytes: 2048 * MIB },
            set_aside_days: 30,
            disk_floor_bytes: 512 * MIB,
        }
    }
}
