//! The time, as well as a phone can tell it. A phone's clock may stand at 1970 or years off. The server tells the time with
//! each reply; what it last told is kept with what the phone's clock said then, and the difference is added from then on.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::error::Error;
use crate::quantities::{Day, Instant};
use crate::replica::{put_meta, read_meta};
use crate::store::{Batch, Store};

/// The name under which it is kept.
const KEPT_AS: &str = "told time";
/// No server tells a time before this one, 2026-01-01, or after [`LAST`].
const FIRST: Instant = Instant(1_767_225_600_000);
/// 2200-01-01.
const LAST: Instant = Instant(7_258_118_400_000);
/// A phone whose clock says that more time than this went by without a sync had its clock set meanwhile, if the clock alone
/// says that less did: 45 days.
const WITHOUT_SYNC_MILLIS: u64 = 45 * 86_400_000;
/// Clocks that differ by less than this show the same: 10 minutes.
const SAME_MILLIS: u64 = 600_000;

/// What the server told, and what the phone's clock said then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
struct Told {
    server: Instant,
    phone: Instant,
}

/// See the module.
#[derive(Debug)]
pub(super) struct ToldTime {
    told: Option<Told>,
    /// What the phone's clock said when the phone was opened, or when the server last told the time since.
    since: Instant,
}

impl ToldTime {
    /// What is kept of it. `clock` is what the phone's clock says.
    pub(super) fn read(store: &dyn Store, clock: Instant) -> Result<Self, Error> {
        Ok(Self { told: read_meta(store, KEPT_AS)?, since: clock })
    }

    /// Takes what the server told just now. A time that no server tells changes nothing.
    pub(super) fn take(&mut self, server: Instant, clock: Instant) {
        if (FIRST..LAST).contains(&server) {
            self.told = Some(Told { server, phone: clock });
            self.since = clock;
        }
    }

    /// Puts it into a batch of the store.
    pub(super) fn put(&self, batch: &mut Batch) {
        if let Some(told) = &self.told {
            put_meta(batch, KEPT_AS, told);
        }
    }

    /// The time now. Never before the time that the server last told.
    pub(super) fn now(&self, clock: Instant) -> Instant {
        let Some(told) = self.told else { return clock };
        // A clock that was set back since, as one that starts again at 1970, is off by another difference.
        let is_set_back = clock.min(self.since) < told.phone;
        let shifted = (!is_set_back).then(|| told.server.plus_millis(clock.millis_since(told.phone)));
        let unshifted = Some(clock).filter(|clock| *clock >= told.server);
        match (shifted, unshifted) {
            (Some(shifted), Some(clock))
                if shifted.millis_since(told.server) > WITHOUT_SYNC_MILLIS && clock < shifted =>
            {
                clock
            }
            (Some(shifted), _) => shifted,
            (None, Some(clock)) => clock,
            (None, None) => told.server.plus_millis(clock.millis_since(self.since)),
        }
    }

    /// The date that the phone's clock shows, when that is another day than it is.
    pub(super) fn wrong_date(&self, clock: Instant) -> Option<Day> {
        let now = self.now(clock);
        let apart = now.millis_since(clock).max(clock.millis_since(now));
        let shown = Day::in_china(clock);
        (apart > SAME_MILLIS && shown != Day::in_china(now)).then_some(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;
    /// 2026-11-26 in China.
    const AUTUMN: Instant = Instant(1_795_000_000_000 - 1_795_000_000_000 % DAY + DAY / 3);

    fn told(server: Instant, phone: i64) -> ToldTime {
        let mut time = ToldTime { told: None, since: Instant(phone) };
        time.take(server, Instant(phone));
        time
    }

    fn after(days: i64) -> Instant {
        Instant(AUTUMN.0 + days * DAY)
    }

    #[test]
    fn clock_that_is_off_is_put_right_by_what_the_server_told() {
        for off in [-AUTUMN.0, -AUTUMN.0 + DAY, -400 * DAY, -DAY, 0, DAY, 5 * 365 * DAY] {
            let time = told(AUTUMN, AUTUMN.0 + off);
            for days in [0, 1, 3, 30] {
                assert_eq!(time.now(Instant(after(days).0 + off)), after(days), "off by {off}, after {days} days");
            }
        }
    }

    #[test]
    fn clock_that_starts_again_at_1970_gives_no_day_before_the_last_told() {
        // The battery was out: the clock is behind what it was.
        let mut time = told(AUTUMN, 3 * DAY);
        time.since = Instant(60_000);
        assert_eq!(time.now(Instant(60_000)), AUTUMN);
        for days in [1, 5] {
            assert_eq!(time.now(Instant(60_000 + days * DAY)), after(days), "it goes on while the phone is open");
        }
        let right_until_then = told(AUTUMN, AUTUMN.0);
        assert!(right_until_then.now(Instant(0)) >= AUTUMN);
    }

    #[test]
    fn clock_that_somebody_sets_right_is_believed() {
        assert_eq!(told(AUTUMN, 5 * DAY).now(after(2)), after(2), "it stood at 1970");
        assert_eq!(told(AUTUMN, after(5 * 365).0).now(after(2)), after(2), "it stood years ahead");
    }

    #[test]
    fn time_that_no_server_tells_is_not_taken() {
        let mut time = told(AUTUMN, 0);
        for wrong in [Instant(0), Instant(i64::MIN), Instant(i64::MAX), LAST] {
            time.take(wrong, Instant(0));
            assert_eq!(time.now(Instant(0)), AUTUMN);
        }
    }

    #[test]
    fn date_that_is_wrong_is_named() {
        assert_eq!(told(AUTUMN, AUTUMN.0).wrong_date(after(3)), None);
        assert_eq!(told(AUTUMN, AUTUMN.0 + 60_000).wrong_date(after(3)), None);
        assert_eq!(told(AUTUMN, 0).wrong_date(Instant(DAY)).unwrap().to_string(), "1970-01-02");
    }
}
