//! Disk faults during an event, and the crashes that follow.

use super::World;

impl World {
    /// Before a phone's event: its machine may stop at a write, or its disk may be full for some writes.
    pub(crate) fn inject_phone_disk_fault(&mut self, phone: usize) {
        match self.dice.roll(100) {
            0..12 => self.phones[phone].disk.stop_after(1 + u32::try_from(self.dice.roll(5)).unwrap()),
            12..16 => self.phones[phone].disk.fill_for(1 + u32::try_from(self.dice.roll(3)).unwrap()),
            _ => {}
        }
    }

    /// After the event: restarts a stopped phone, and frees its disk.
    pub(crate) fn clear_phone_disk_fault(&mut self, phone: usize) -> Result<(), String> {
        if self.phones[phone].disk.has_stopped() {
            let kept = usize::try_from(self.dice.roll(2)).unwrap();
            self.log(format!("phone {phone} crashes"));
            self.count("phone stops at a write");
            self.phones[phone].restart(kept)?;
        }
        self.phones[phone].disk.keep_going();
        if self.phones[phone].disk.make_room() {
            self.count("phone's disk full");
        }
        Ok(())
    }

    /// Before a request: the server may stop at a write, or its disk may be full for some writes.
    pub(crate) fn inject_server_disk_fault(&mut self) {
        let writes = 1 + u32::try_from(self.dice.roll(6)).unwrap();
        match self.dice.roll(100) {
            0..15 => self.disk.stop_after(writes),
            15..19 => self.disk.fill_for(writes),
            _ => {}
        }
    }

    /// After the request: frees the disk. The server crashes if a write failed.
    pub(crate) fn clear_server_disk_fault(&mut self) {
        self.disk.keep_going();
        if self.disk.has_stopped() | self.disk.make_room() {
            self.crash_server();
        }
    }
}
