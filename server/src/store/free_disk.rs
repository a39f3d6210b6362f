//! How much of the disk is free, and the floor below which the server takes nothing new: what is left then is for
//! revocations, sign-ins and verdicts on what came before.

use std::path::PathBuf;
use std::sync::Arc;

/// A disk's room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskRoom {
    /// Bytes that this user may still write.
    pub free_bytes: u64,
    /// Bytes of the whole disk.
    pub total_bytes: u64,
}

/// Looks at the disk; none when that is not known.
pub type DiskProbe = Arc<dyn Fn() -> Option<DiskRoom> + Send + Sync>;

/// Looks at the disk that holds a folder.
pub(crate) fn probe_of(folder: PathBuf) -> DiskProbe {
    Arc::new(move || {
        let found = rustix::fs::statvfs(&folder).ok()?;
        Some(DiskRoom {
            free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        })
    })
}

/// The floor where nobody set another.
pub(crate) const USUAL_FLOOR_BYTES: u64 = 512 * 1024 * 1024;
/// On a disk of less than fifty times the usual floor, this part of it is the floor. A larger floor that somebody set holds as it is.
const SMALL_DISK_PART: u64 = 50;

/// A floor of free disk.
#[derive(Clone)]
pub(crate) struct DiskFloor {
    probe: DiskProbe,
    floor_bytes: u64,
}

impl Default for DiskFloor {
    /// No floor: nothing is known of the disk.
    fn default() -> Self {
        Self { probe: Arc::new(|| None), floor_bytes: 0 }
    }
}

impl DiskFloor {
    pub(crate) fn new(probe: DiskProbe, floor_bytes: u64) -> Self {
        Self { probe, floor_bytes }
    }

    /// What the disk has now; none when that is not known.
    pub(crate) fn room(&self) -> Option<DiskRoom> {
        (self.probe)()
    }

    /// True unless the disk is known to have less free than the floor.
    pub(crate) fn is_above(&self) -> bool {
        self.room().is_none_or(|room| {
            let floor = match self.floor_bytes > USUAL_FLOOR_BYTES {
                true => self.floor_bytes,
                false => self.floor_bytes.min(room.total_bytes / SMALL_DISK_PART),
            };
            room.free_bytes >= floor
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(free_bytes: u64, total_bytes: u64) -> DiskFloor {
        DiskFloor::new(Arc::new(move || Some(DiskRoom { free_bytes, total_bytes })), 512)
    }

    #[test]
    fn floor_is_a_fiftieth_of_a_small_disk() {
        assert!(floor(512, 1_000_000).is_above() && !floor(511, 1_000_000).is_above());
        assert!(floor(20, 1_000).is_above() && !floor(19, 1_000).is_above());
        assert!(DiskFloor::default().is_above());
        let (free_bytes, total_bytes) = (USUAL_FLOOR_BYTES, 2 * USUAL_FLOOR_BYTES);
        let set = DiskFloor::new(Arc::new(move || Some(DiskRoom { free_bytes, total_bytes })), USUAL_FLOOR_BYTES + 1);
        assert!(!set.is_above(), "a larger floor that was set holds");
    }

    #[test]
    fn folder_has_a_disk() {
        let folder = tempfile::tempdir().unwrap();
        let room = probe_of(folder.path().to_owned())().unwrap();
        assert!(room.total_bytes >= room.free_bytes && room.total_bytes > 0);
        assert_eq!(probe_of("/nowhere/at/all".into())(), None);
    }
}
