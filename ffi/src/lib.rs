//! Bindings for phone apps in Kotlin, Swift and Python: signatures and conversions over client-core, through UniFFI. Every
//! rule is in client-core.
//!
//! Weights are whole grams, money whole fen (¥0.01), moisture permille, days `2026-10-03`, moments
//! milliseconds since 1970 in UTC. Every call may be made from any thread. Calls that record return
//! once the record is durable. Only `enrol`, `sync_now` and `import_outbox_file` wait for the network.

mod error;
mod goods;
mod language;
mod lots;
mod phone;
mod status;

pub use error::PhoneError;
pub use goods::{GoodsIn, Holding, PacksLeft, Sku, Stock, StockCase, StreamLeft};
pub use language::{set_language, set_weight_unit};
pub use lots::{FieldConflict, Lot, LotDraft, LotEdit, LotFilter, LotState, Product, Receipt, Total, Unusual};
pub use phone::GranaryPhone;
pub use status::{PhoneObserver, SyncState, SyncStatus};

uniffi::setup_scaffolding!("granary");
