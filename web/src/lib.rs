//! The phone for browsers: client-core over a store in memory that the worker mirrors into IndexedDB. What JavaScript may
//! call is in [`exports`]; all else is plain Rust without a browser, and tested as such. No socket, key or clock is here:
//! the worker carries, signs and tells the time.

mod answer;
mod calls;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod exports;
mod link;
mod phone;
mod work;

pub use answer::Failure;
pub use phone::WebPhone;
pub use work::{Kind, Work};
