//! The states of an order: our own, the platform's, what the buyer asked for afterwards, and the one of them that lists show.

use serde::{Deserialize, Serialize};

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// It came in and is to be packed.
    Placed,
    /// It is packed.
    Packed,
    /// It is on its way.
    Shipped,
    /// The buyer or the co-operative called it off.
    Cancelled,
}

impl OrderStatus {
    /// Its name in documents and rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Placed, Self::Packed, Self::Shipped, Self::Cancelled].into_iter().find(|status| status.name() == name)
    }
}

/// What the platform says of an order's state, in the order in which it goes on. What is not paid is no order yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToldStatus {
    /// It is paid, and waits to be shipped.
    ToShip,
    /// A part of it is on its way.
    PartShipped,
    /// It is on its way.
    Shipped,
    /// The buyer has it.
    Done,
    /// It was called off, or the money went back.
    Closed,
}

impl ToldStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::ToShip, Self::PartShipped, Self::Shipped, Self::Done, Self::Closed];

    /// Its name in documents, rows and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToShip => "to-ship",
            Self::PartShipped => "part-shipped",
            Self::Shipped => "shipped",
            Self::Done => "done",
            Self::Closed => "closed",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a buyer asked for after buying, in the order in which it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterSale {
    /// Nothing.
    #[default]
    None,
    /// To be decided by the shop.
    Asked,
    /// A part of the money went back.
    PartRefunded,
    /// All of it went back.
    Refunded,
}

impl AfterSale {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Asked, Self::PartRefunded, Self::Refunded];

    /// Its name in documents, rows and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Asked => "asked",
            Self::PartRefunded => "part-refunded",
            Self::Refunded => "refunded",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Where an order stands, of what the platform told and of what was done here: one of them for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OrderState {
    /// To be packed.
    ToPack,
    /// Packed, and not on its way yet.
    Packed,
    /// On its way.
    Shipped,
    /// The buyer has it, as the platform told.
    Done,
    /// Called off or paid back, as the platform told.
    Closed,
    /// Called off here.
    Cancelled,
}

impl OrderState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::ToPack, Self::Packed, Self::Shipped, Self::Done, Self::Closed, Self::Cancelled];

    /// Its name in rows and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::ToPack => "to-pack",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::Done => "done",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
