//! What disagrees about stock, under names that are the same on every replica.

use std::fmt;

use super::facts::{Flow, FlowKind};
use crate::quantities::decimal;
use crate::schema::{EntryId, HoldingId, OrderName, StockMonth};
use crate::words::{Language, Words, counted};

/// What took goods, or said something of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// An entry of a stock book.
    Entry(EntryId),
    /// An order that goods are planned for, or that took them.
    Order(OrderName),
    /// A parcel, batch or return, by name.
    Flow(FlowKind, String),
    /// The balance at the beginning of a month.
    Opening,
}

impl Source {
    pub(super) fn of_flow(flow: &Flow) -> Self {
        Self::Flow(flow.kind, flow.name.clone())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => entry.fmt(formatter),
            Self::Order(order) => order.fmt(formatter),
            Self::Flow(kind, name) => write!(formatter, "{}:{name}", kind.code()),
            Self::Opening => formatter.write_str("opening"),
        }
    }
}

/// See the module. The sums that are shown are in grams.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StockCase {
    /// More went out of a holding, or is planned, than came in.
    BelowNothing {
        /// Which holding.
        holding: HoldingId,
        /// What is left, below 0.
        on_hand: i64,
        /// All that took from it.
        sources: Vec<Source>,
    },
    /// More went out of a bin than was put into it.
    BinBelowNothing {
        /// Of which holding.
        holding: HoldingId,
        /// Which bin; empty for what lies in none.
        bin: String,
        /// What is left there, below 0.
        grams: i64,
        /// The moves and losses that took from it.
        sources: Vec<Source>,
    },
    /// Two people counted one holding and did not know of each other. The count that applies is the first of them; counting again
    /// closes the case.
    CountedTwice {
        /// Which holding.
        holding: HoldingId,
        /// The counts with what each found, the one that applies first.
        counts: Vec<(EntryId, i64)>,
    },
    /// Something is said of goods that nothing here says came in.
    Unknown {
        /// Which holding.
        holding: HoldingId,
        /// What names it.
        sources: Vec<Source>,
    },
    /// A lot was received whose product nothing here says: none of it is sold.
    WithoutProduct {
        /// Which holding.
        holding: HoldingId,
    },
    /// Goods that are not sold any more are planned for orders.
    RecalledPlanned {
        /// Which holding.
        holding: HoldingId,
        /// For which orders.
        orders: Vec<OrderName>,
    },
    /// An entry can't be read, and does not count.
    Damaged {
        /// Which entry.
        entry: EntryId,
        /// Its fields that can't be read.
        fields: Vec<String>,
    },
    /// Written by someone who may not: a balance, or an order's plan. It does not count.
    WrittenByOthers {
        /// The month's book or the order.
        document: String,
        /// The balances; empty for a plan.
        names: Vec<String>,
    },
    /// The balance at the beginning of a month is not what its documents say.
    OpeningDiffers {
        /// Which month.
        month: StockMonth,
        /// Which holding.
        holding: HoldingId,
        /// As it stands there.
        said: i64,
        /// As it follows from the documents.
        found: i64,
    },
}

impl StockCase {
    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BelowNothing { .. } => "below-nothing",
            Self::BinBelowNothing { .. } => "bin-below-nothing",
            Self::CountedTwice { .. } => "counted-twice",
            Self::Unknown { .. } => "unknown-goods",
            Self::WithoutProduct { .. } => "without-product",
            Self::RecalledPlanned { .. } => "recalled-planned",
            Self::Damaged { .. } => "damaged-entry",
            Self::WrittenByOthers { .. } => "written-by-others",
            Self::OpeningDiffers { .. } => "opening-differs",
        }
    }

    /// The holding that it is about, where it is about one.
    pub fn holding(&self) -> Option<&HoldingId> {
        match self {
            Self::BelowNothing { holding, .. }
            | Self::BinBelowNothing { holding, .. }
            | Self::CountedTwice { holding, .. }
            | Self::Unknown { holding, .. }
            | Self::WithoutProduct { holding }
            | Self::RecalledPlanned { holding, .. }
            | Self::OpeningDiffers { holding, .. } => Some(holding),
            Self::Damaged { .. } | Self::WrittenByOthers { .. } => None,
        }
    }

    /// What it names: entries, orders, parcels.
    pub fn sources(&self) -> Vec<Source> {
        match self {
            Self::BelowNothing { sources, .. }
            | Self::BinBelowNothing { sources, .. }
            | Self::Unknown { sources, .. } => sources.clone(),
            Self::CountedTwice { counts, .. } => counts.iter().map(|(entry, _)| Source::Entry(entry.clone())).collect(),
            Self::RecalledPlanned { orders, .. } => orders.iter().cloned().map(Source::Order).collect(),
            Self::Damaged { entry, .. } => vec![Source::Entry(entry.clone())],
            Self::WithoutProduct { .. } | Self::WrittenByOthers { .. } => Vec::new(),
            Self::OpeningDiffers { .. } => vec![Source::Opening],
        }
    }

    fn sentence(&self, language: Language) -> String {
        let is_chinese = language == Language::Chinese;
        let kilograms = |grams: i64| match language {
            Language::Chinese => format!("{} 公斤", decimal(grams, 1000)),
            Language::English => format!("{} kg", decimal(grams, 1000)),
        };
        let code = self.holding().map(|holding| holding.code().to_string()).unwrap_or_default();
        match self {
            Self::BelowNothing { on_hand, .. } if is_chinese => {
                format!("{code} 出库或已分配的比入库的多：结余 {}", kilograms(*on_hand))
            }
            Self::BelowNothing { on_hand, .. } => {
                format!("more of {code} went out or is planned than came in: {} are left", kilograms(*on_hand))
            }
            Self::BinBelowNothing { bin, grams, .. } if is_chinese => {
                format!("{code} 在库位“{bin}”里移出的比放入的多：{}", kilograms(*grams))
            }
            Self::BinBelowNothing { bin, grams, .. } => {
                format!("more of {code} was taken from bin {bin:?} than lay there: {}", kilograms(*grams))
            }
            Self::CountedTwice { counts, .. } => {
                let found: Vec<String> = counts.iter().map(|(_, grams)| kilograms(*grams)).collect();
                match language {
                    Language::Chinese => format!("{code} 被分别盘点过：{}；按第一个计，请再盘点一次", found.join("、")),
                    Language::English => format!(
                        "{code} was counted by people who did not know of each other: {}; the first one counts. Count it again",
                        found.join(", ")
                    ),
                }
            }
            Self::Unknown { .. } if is_chinese => format!("有人记了 {code}，可是这里没有这批货入库的记录"),
            Self::Unknown { .. } => format!("something is said of {code}, and nothing here says that it came in"),
            Self::WithoutProduct { .. } if is_chinese => format!("{code} 已收货，但不知道是什么产品：不会卖出"),
            Self::WithoutProduct { .. } => format!("{code} was received, and nothing says what it is: it is not sold"),
            Self::RecalledPlanned { orders, .. } if is_chinese => {
                format!("{code} 已停售，但还分配给 {} 个订单", orders.len())
            }
            Self::RecalledPlanned { orders, .. } => {
                let orders = counted(orders.len(), "order", "orders");
                format!("{code} is not sold any more, and is planned for {orders}")
            }
            Self::Damaged { entry, fields } if is_chinese => {
                format!("库存记录 {entry} 读不出来（{}）：不计入", fields.join("、"))
            }
            Self::Damaged { entry, fields } => {
                format!("the stock entry {entry} can't be read ({}), and does not count", fields.join(", "))
            }
            Self::WrittenByOthers { document, .. } if is_chinese => format!("{document}：由无权的人写入，不计入"),
            Self::WrittenByOthers { document, .. } => {
                format!("{document}: written by someone who may not; it does not count")
            }
            Self::OpeningDiffers { month, said, found, .. } if is_chinese => {
                format!("{month} 月初 {code} 的结余写的是 {}，算出来是 {}", kilograms(*said), kilograms(*found))
            }
            Self::OpeningDiffers { month, said, found, .. } => {
                format!(
                    "the balance of {code} at the beginning of {month} is {}, and should be {}",
                    kilograms(*said),
                    kilograms(*found)
                )
            }
        }
    }
}

impl fmt::Display for StockCase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence(Language::English))
    }
}

impl Words for StockCase {
    fn chinese(&self) -> String {
        self.sentence(Language::Chinese)
    }
}
