//! Orders as they come in: what is set aside for whom, what is sold, and what of it is served from where.

mod allocate_now;
mod context;
mod desk;
mod feed;
mod follow;
mod known;
mod ledger;
mod openings;
mod outside;
mod pools;
mod prepare;
mod retention;
mod round;
mod rows;
mod told;

pub use desk::{DESK_MINUTES, Desk, DeskOffer};
pub use pools::PoolFigures;
pub use told::{Answer, Mode, ORDERS_MAX, ToldOrder, Verdict};

#[cfg(test)]
mod tests;
