//! What follows from the documents of trade: stock, and which goods an order is served from. Pure functions of what the documents
//! say, in integers, without a clock: replicas with equal heads come to equal results.

mod allocate;
mod cases;
mod counts;
mod documents;
mod facts;
mod history;
mod openings;
mod orders;
mod stock;

pub use allocate::{Plan, PlanFault, Planned, Rule, Take, Wanted, allocate, check, is_usable};
pub use cases::{Source, StockCase};
pub use documents::FactsOfDocuments;
pub use facts::{Facts, Flow, FlowKind, OrderFacts, Origin, ReceivedLot};
pub use history::{HoldingEvent, history};
pub use openings::{covered, differing, openings};
pub use orders::OrderGoods;
#[cfg(feature = "sqlite")]
pub(crate) use orders::SoldLine;
pub use stock::{Holding, ProductStock, Stock, derive};

#[cfg(test)]
mod tests;
