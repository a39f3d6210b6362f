//! The memory of bodies while they are received and worked on. The beginnings of bodies have a room apart from the rest of
//! large ones, so that large bodies keep no small sync out. In both an address has a share; when it is full, the body of that
//! address which began first and still comes gives way. What was received of it is kept, where it can be resumed.

use std::sync::Arc;

use super::gate::busy;
use super::limiter::Origin;
use super::places::{Place, Places};
use crate::config::Limits;
use crate::error::Error;

/// The beginning of a body: most syncs are smaller.
const BEGINNING_BYTES: usize = 64 * 1024;
/// Bytes of one place.
const UNIT_BYTES: usize = 4 * 1024;

/// See the module.
pub(crate) struct Rooms {
    beginnings: Arc<Places<Origin>>,
    rests: Arc<Places<Origin>>,
}

/// Room for the memory of a body of this address; dropping it gives it back.
pub(crate) struct Held {
    origin: Origin,
    comes: bool,
    beginning: Option<Place<Origin>>,
    rest: Option<Place<Origin>>,
}

impl Held {
    /// Nothing yet.
    pub(crate) fn by(origin: Origin) -> Self {
        Self { origin, comes: false, beginning: None, rest: None }
    }

    /// Whether it still comes, and so gives way.
    pub(super) fn comes(&mut self, comes: bool) {
        self.comes = comes;
        [&self.beginning, &self.rest].into_iter().flatten().for_each(|place| place.gives_way(comes));
    }

    /// Waits until it had to give way.
    pub(super) async fn given_away(&self) {
        let told = |place: &Option<Place<Origin>>| place.as_ref().map(Place::given_away);
        match (told(&self.beginning), told(&self.rest)) {
            (Some(beginning), Some(rest)) => tokio::select! { () = beginning => {}, () = rest => {} },
            (Some(one), None) | (None, Some(one)) => one.await,
            (None, None) => std::future::pending().await,
        }
    }
}

/// Another body has the room.
pub(super) fn too_much() -> Error {
    busy("too much is coming in at once; try again later")
}

impl Rooms {
    pub(super) fn new(limits: &Limits) -> Self {
        let places = |of_one: usize, of_all: usize| Places::new(of_one / UNIT_BYTES, of_all / UNIT_BYTES);
        Self {
            beginnings: places(limits.small_body_bytes_per_address, limits.small_body_bytes),
            rests: places(limits.body_bytes_per_address, limits.body_bytes),
        }
    }

    /// Extends the room of a body to `bytes`, before they are allocated; refuses when there is none.
    pub(crate) fn hold(&self, held: &mut Held, bytes: usize) -> Result<(), Error> {
        let beginning = bytes.min(BEGINNING_BYTES);
        let rest = bytes.saturating_sub(BEGINNING_BYTES);
        let Held { origin, comes, beginning: first, rest: second } = held;
        for (room, place, bytes) in [(&self.beginnings, first, beginning), (&self.rests, second, rest)] {
            if bytes == 0 {
                continue;
            }
            let place = match place {
                Some(place) => place,
                none => none.insert(room.take(*origin).ok_or_else(too_much)?),
            };
            if !place.grow_to(bytes.div_ceil(UNIT_BYTES)) {
                return Err(too_much());
            }
            place.gives_way(*comes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms() -> Rooms {
        Rooms::new(&Limits {
            body_bytes: 1024 * 1024,
            body_bytes_per_address: 512 * 1024,
            small_body_bytes: 1024 * 1024,
            small_body_bytes_per_address: 256 * 1024,
            ..Limits::default()
        })
    }

    fn held(last: u8) -> Held {
        Held::by(Origin::Four([192, 0, 2, last]))
    }

    #[test]
    fn large_bodies_keep_no_small_one_out() {
        let rooms = rooms();
        let mut large: Vec<Held> = (0..2).map(|_| held(1)).collect();
        large.iter_mut().for_each(|held| rooms.hold(held, 300 * 1024).unwrap());
        assert!(rooms.hold(&mut held(1), 300 * 1024).is_err(), "its share is full");
        rooms.hold(&mut held(1), 48 * 1024).unwrap();
        let mut second = held(2);
        rooms.hold(&mut second, 500 * 1024).unwrap();
        assert!(rooms.hold(&mut held(3), 300 * 1024).is_err(), "all of it is full");
        rooms.hold(&mut held(3), 48 * 1024).unwrap();
        large.pop();
        rooms.hold(&mut held(1), 300 * 1024).unwrap();
    }

    #[tokio::test]
    async fn body_that_stands_still_gives_way_to_a_newcomer_of_its_address() {
        let rooms = rooms();
        let mut still: Vec<Held> = (0..64).map(|_| held(1)).collect();
        for held in &mut still {
            held.comes(true);
            rooms.hold(held, 4 * 1024).unwrap();
        }
        let mut other = held(2);
        other.comes(true);
        rooms.hold(&mut other, 60 * 1024).unwrap();
        let mut newcomer = held(1);
        newcomer.comes(true);
        rooms.hold(&mut newcomer, 8 * 1024).unwrap();
        still[0].given_away().await;
        still[1].given_away().await;
        assert!(rooms.hold(&mut still[1], 8 * 1024).is_err(), "it has no room to grow in");
        // What came whole is worked on, and gives way to nobody.
        newcomer.comes(false);
        still.iter_mut().for_each(|held| held.comes(false));
        assert!(rooms.hold(&mut held(1), 1).is_err());
        rooms.hold(&mut other, 64 * 1024).unwrap();
    }
}
