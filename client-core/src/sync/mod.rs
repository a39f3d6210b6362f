//! When to talk, and what to say: the session and the scheduler, as plain state machines.

mod scheduler;
mod session;

pub use scheduler::{Scheduler, Wake};
pub use session::{Pace, Session, Step, Summary};
