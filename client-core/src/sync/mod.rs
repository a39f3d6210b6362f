//! When to sync and what to send, as plain state machines: the scheduler with its backoff, the session with its pace.

mod backoff;
mod pace;
mod scheduler;
mod session;

pub use backoff::Backoff;
pub use pace::Pace;
pub use scheduler::{Scheduler, Wake};
pub use session::{Session, Step, Summary};
