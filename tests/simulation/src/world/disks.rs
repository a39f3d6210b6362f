//! Disks that fail while something happens, and the machines that stop over it.

use super::World;

impl World {
    /// Before something happens to a phone: its machine may stop at a write, or its disk be full for a while.
    pub(crate) fn phones_disk_may_fail(&mut self, phone: usize) {
        match self.dice.roll(100) {
            0..12 => self.phones[phone].disk.stop_after(1 + u32::try_from(self.dice.roll(5)).unwrap()),
            12..16 => self.phones[phone].disk.fill_for(1 + u32::try_from(self.dice.roll(3)).unwrap()),
            _ => {}
        }
    }

    /// Afterwards: it starts again when it has stopped, and has room.
    pub(crate) fn phones_disk_is_well(&mut self, phone: usize) -> Result<(), String> {
        if self.phones[phone].disk.has_stopped() {
            let kept = usize::try_from(self.dice.roll(2)).unwrap();
            self.tell(format!("phone {phone} crashes"));
            self.count("phone stops at a write");
            self.phones[phone].start_again(kept)?;
        }
        self.phones[phone].disk.keep_going();
        if self.phones[phone].disk.make_room() {
            self.count("phone's disk full");
        }
        Ok(())
    }

    /// Before something is asked of the server: its machine may stop at a write, or its disk be full for a while.
    pub(crate) fn servers_disk_may_fail(&mut self) {
        let writes = 1 + u32::try_from(self.dice.roll(6)).unwrap();
        match self.dice.roll(100) {
            0..15 => self.disk.stop_after(writes),
            15..19 => self.disk.fill_for(writes),
            _ => {}
        }
    }

    /// Afterwards: it has room, and its machine stops when a write failed.
    pub(crate) fn servers_disk_is_well(&mut self) {
        self.disk.keep_going();
        if self.disk.has_stopped() | self.disk.make_room() {
            self.server_crashes();
        }
    }
}
