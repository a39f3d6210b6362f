//! Files as platforms export them, and what a reader must find in them.

mod bounds;
mod making;
mod nasty;
mod ole;
mod resaved;
mod samples;
