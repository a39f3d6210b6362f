//! Phones whose clocks stand at 1970 or years off.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use granary_client_core::error::Error;
use granary_client_core::phone::{Clock, Phone, SystemClock};
use granary_client_core::quantities::{Day, Instant};
use granary_client_core::store::MemoryStore;
use granary_client_core::transport::{LineFault, ServerLink};
use granary_client_core::words::{Language, Words};

use crate::world::{World, household, household_role, lot, lots, season, sync_until_lots};

const DAY: i64 = 86_400_000;

/// A clock that shows what a test says.
struct Shown(AtomicI64);

impl Shown {
    fn at(millis: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(millis)))
    }

    fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock for Shown {
    fn now(&self) -> Instant {
        Instant(self.0.load(Ordering::SeqCst))
    }
}

fn today() -> Day {
    Day::in_china(SystemClock.now())
}

#[test]
fn phone_whose_clock_is_years_off_enrols_records_and_syncs() {
    let mut world = World::new();
    let coordinator = world.phone(1, "coordinator");
    let now = SystemClock.now().0;
    // At 1970, before it, and so far ahead that no certificate holds.
    let clocks = [0, 3 * DAY, -40 * DAY, now - 6 * 365 * DAY, now + 6 * 365 * DAY, 250_000_000_000_000];
    for (number, clock) in clocks.into_iter().enumerate() {
        let store = MemoryStore::default();
        let shown = Shown::at(clock);
        let phone = Phone::in_memory(store.clone(), Arc::clone(&shown) as Arc<dyn Clock>).unwrap();
        phone.enrol(&world.invitation(1, &household_role()), "li").unwrap();
        phone.sync_now().unwrap();
        assert_eq!(phone.today(), today(), "the clock stands at {clock}");
        assert_eq!(phone.wrong_date(), Some(Day::in_china(Instant(clock))), "the clock stands at {clock}");
        let day = phone.today();
        let draft = granary_client_core::schema::harvest::LotDraft { day, ..lot(1_000 + number as i64) };
        phone.record(household(), season(), &draft).unwrap();
        phone.sync_now().unwrap();
        assert_eq!(phone.status().unsent, 0);
        assert!(phone.status().last_success.unwrap().millis_since(Instant(now)) < 3_600_000);

        // The battery was out, and the phone is opened again without a line: its clock starts again where it can.
        drop(phone);
        let again = clock.min(60_000);
        shown.set(again);
        let phone = Phone::in_memory(store, shown.clone() as Arc<dyn Clock>).unwrap();
        assert_eq!(phone.today(), today(), "what the server told outlives the opening");
        shown.set(again + 2 * DAY);
        assert_eq!(phone.today(), today().plus_days(2), "time goes on");
    }
    sync_until_lots(&coordinator, clocks.len());
    assert!(lots(&coordinator).iter().all(|row| row.day == Some(today())), "{:?}", lots(&coordinator));
}

/// A public authority's certificates do end, so their dates are looked at, and the sentence says what to do.
#[test]
fn wrong_date_is_said_where_a_public_certificate_does_not_hold_on_it() {
    let mut world = World::new();
    let pinned: ServerLink = world.invitation(1, &household_role()).parse().unwrap();
    let public = ServerLink { fingerprint: None, ..pinned.clone() }.to_string();
    let shown = Shown::at(DAY);
    let phone = Phone::in_memory(MemoryStore::default(), Arc::clone(&shown) as Arc<dyn Clock>).unwrap();
    let error = phone.enrol(&public, "li").unwrap_err();
    assert_eq!(error, Error::NotJoined(LineFault::WrongDate { today: "1970-01-02".parse().unwrap() }));
    assert!(error.to_string().starts_with("set this phone's date: it says 1970-01-02"), "{error}");
    assert!(error.words(Language::Chinese).starts_with("请设置这部手机的日期"), "{}", error.words(Language::Chinese));
    // With the date set, all that is wrong is that no public authority signed the certificate: so the link lost its end.
    shown.set(SystemClock.now().0);
    let error = phone.enrol(&public, "li").unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    phone.enrol(&pinned.to_string(), "li").unwrap();
    world.kill();
}
