//! Orders as they come in: what is set aside for whom, what is sold, and what of it is served from where.

mod allocate_now;
mod context;
mod desk;
mod feed;
mod follow;
mod known;
mod ledger;
mod mapping;
mod openings;
mod outside;
mod pools;
mod prepare;
mod readiness;
mod retention;
mod round;
mod rows;
mod told;

pub use desk::{DESK_MINUTES, Desk, DeskOffer, SLOW_SECONDS};
pub use pools::PoolFigures;
pub use readiness::OfferStock;
pub use told::{Answer, Mode, ORDERS_MAX, ToldOrder, Verdict};

#[cfg(test)]
pub(crate) use tests::set_aside;

#[cfg(test)]
mod tests;
