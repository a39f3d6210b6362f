//! Marks of who was granted and revoked, kept in a file beside the store, as the logs' high-water marks are. An older store
//! that is put in its place gets them back at its start, so a restoration gives no authority back that was taken away.
//!
//! Each line of the file is one standing of a device, as JSON. A later line of a device replaces an earlier one; a line that
//! is broken is left out and reported.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use granary_client_core::ids::{CooperativeId, DeviceId};
use granary_client_core::schema::access::{Grants, Role};
use serde::{Deserialize, Serialize};

use crate::config::{file_error, read_file, write_private};
use crate::error::Error;
use crate::log::{DeviceRecord, RecorderRecord};

/// The file's name in the server's folder.
pub(crate) const FILE: &str = "access-marks.jsonl";

/// What a device was last known to be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccessMark {
    cooperative: CooperativeId,
    device: DeviceId,
    generation: u32,
    grants_version: u32,
    roles: Vec<Role>,
    revoked_millis: Option<i64>,
    /// The villages of a recorder; its households follow from them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    villages: BTreeSet<String>,
}

impl AccessMark {
    fn of(cooperative: CooperativeId, device: DeviceId, record: &DeviceRecord) -> Self {
        let grants = record.grants.last().cloned().unwrap_or_default();
        Self {
            cooperative,
            device,
            generation: record.generation,
            grants_version: grants.version,
            roles: grants.roles.into_iter().filter(|role| !role.is_derived()).collect(),
            revoked_millis: record.revoked_millis,
            villages: record.recorder.villages.clone(),
        }
    }

    /// Later standings of a device are higher: ending it raises the generation, granting the version.
    fn order(&self) -> (u32, u32, bool) {
        (self.generation, self.grants_version, self.revoked_millis.is_some())
    }

    /// Brings a record that is older than this mark up to it; false for one that is not older.
    pub(crate) fn raise(&self, record: &mut DeviceRecord) -> bool {
        if self.order() <= Self::of(self.cooperative, self.device, record).order() {
            return false;
        }
        if record.grants.last().is_none_or(|grants| grants.version < self.grants_version) {
            let roles = self.roles.iter().copied().collect();
            record.grants.push(Grants { version: self.grants_version, roles });
            record.recorder = RecorderRecord::of(self.villages.clone());
        }
        record.generation = record.generation.max(self.generation);
        record.revoked_millis = self.revoked_millis;
        true
    }
}

/// The marks of all devices whose access was ever changed.
pub(crate) struct AccessMarks {
    path: PathBuf,
    known: Mutex<BTreeMap<(CooperativeId, DeviceId), AccessMark>>,
}

impl AccessMarks {
    /// Reads the marks of this folder, and writes them anew without what was replaced.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let (mut known, mut lines) = (BTreeMap::new(), 0usize);
        if path.exists() {
            for line in read_file(&path)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                lines = lines.saturating_add(1);
                match serde_json::from_slice::<AccessMark>(line) {
                    Ok(mark) => keep(&mut known, mark),
                    // The last line of a power cut. Its deed was not acknowledged.
                    Err(error) => tracing::warn!(%error, "a mark of a grant or revocation can't be read"),
                }
            }
        }
        if lines > known.len() {
            write_private(&path, &text(known.values()))?;
        }
        Ok(Self { path, known: Mutex::new(known) })
    }

    /// The mark of a device; none for one whose access was never changed.
    pub(crate) fn of(&self, cooperative: CooperativeId, device: DeviceId) -> Option<AccessMark> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&(cooperative, device)).cloned()
    }

    /// Notes what these devices may do now. Durable when it returns. A device as it was enrolled needs no mark.
    pub(crate) fn note<'a>(
        &self,
        cooperative: CooperativeId,
        records: impl IntoIterator<Item = (DeviceId, &'a DeviceRecord)>,
    ) -> Result<(), Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = records.into_iter().map(|(device, record)| AccessMark::of(cooperative, device, record));
        let is_new = |mark: &AccessMark| {
            let before = known.get(&(mark.cooperative, mark.device)).map(AccessMark::order);
            mark.order() > before.unwrap_or((0, 1, false))
        };
        let new: Vec<AccessMark> = marks.filter(is_new).collect();
        if new.is_empty() {
            return Ok(());
        }
        let append = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
            file.write_all(&text(&new))?;
            file.sync_all()
        };
        append().map_err(|error| file_error(&self.path, &error))?;
        new.into_iter().for_each(|mark| keep(&mut known, mark));
        Ok(())
    }
}

fn keep(known: &mut BTreeMap<(CooperativeId, DeviceId), AccessMark>, mark: AccessMark) {
    let place = known.entry((mark.cooperative, mark.device)).or_insert_with(|| mark.clone());
    if mark.order() > place.order() {
        *place = mark;
    }
}

/// Lines, each with a break before it too, so that one that was cut off spoils no other.
fn text<'a>(marks: impl IntoIterator<Item = &'a AccessMark>) -> Vec<u8> {
    let lines = marks.into_iter().map(|mark| serde_json::to_vec(mark).unwrap_or_default());
    lines.flat_map(|line| [b"\n".as_slice(), &line, b"\n"].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::DeviceKind;

    fn record(version: u32, role: Role, revoked: Option<i64>, generation: u32) -> DeviceRecord {
        DeviceRecord {
            public_key: [1; 32],
            kind: DeviceKind::Phone,
            name: "phone".into(),
            grants: vec![Grants { version, roles: [role].into() }],
            enrolled_millis: 0,
            revoked_millis: revoked,
            generation,
            person: None,
            recorder: RecorderRecord::default(),
        }
    }

    #[test]
    fn latest_standing_is_known_again_and_a_torn_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (coop, device) = (CooperativeId::from_bytes([1; 16]), DeviceId::from_bytes([2; 8]));
        let other = DeviceId::from_bytes([3; 8]);
        let note = |device, record| AccessMarks::open(folder.path()).unwrap().note(coop, [(device, &record)]).unwrap();
        note(device, record(1, Role::Coordinator, None, 0));
        assert!(!folder.path().join(FILE).exists(), "as it was enrolled");
        note(device, record(4_099, Role::Packer, None, 1));
        let mut file = std::fs::OpenOptions::new().append(true).open(folder.path().join(FILE)).unwrap();
        file.write_all(b"\n{\"cooperative\":").unwrap();
        note(other, record(1, Role::Packer, Some(9), 1));
        note(device, record(1, Role::Coordinator, None, 0));
        let marks = AccessMarks::open(folder.path()).unwrap();
        let mut restored = record(1, Role::Coordinator, None, 0);
        assert!(marks.of(coop, device).unwrap().raise(&mut restored));
        assert_eq!(restored.grants_now().roles, [Role::Packer].into());
        assert!(!marks.of(coop, device).unwrap().raise(&mut restored), "once");
        let mut restored = record(1, Role::Packer, None, 0);
        assert!(marks.of(coop, other).unwrap().raise(&mut restored));
        assert_eq!(restored.revoked_millis, Some(9));
        assert_eq!(marks.of(coop, DeviceId::from_bytes([4; 8])), None);
    }

    #[test]
    fn device_that_was_granted_again_after_its_revocation_is_not_revoked_by_its_mark() {
        let folder = tempfile::tempdir().unwrap();
        let (coop, device) = (CooperativeId::from_bytes([1; 16]), DeviceId::from_bytes([2; 8]));
        let marks = AccessMarks::open(folder.path()).unwrap();
        marks.note(coop, [(device, &record(1, Role::Packer, Some(9), 1))]).unwrap();
        let again = record(4_099, Role::Packer, None, 1);
        marks.note(coop, [(device, &again)]).unwrap();
        assert!(!marks.of(coop, device).unwrap().raise(&mut again.clone()));
        let mut before = record(1, Role::Packer, Some(9), 1);
        assert!(marks.of(coop, device).unwrap().raise(&mut before));
        assert_eq!(before.revoked_millis, None);
    }
}
