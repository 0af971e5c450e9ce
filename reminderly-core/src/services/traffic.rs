//! Who may ask a provider, and when: shares of companies and packets, and limits that hold in every stretch of time.
//!
//! A slice asks for permits before it claims. A permit is given when every limit of the message has room at once; of all that
//! wait for the same account, the turn is that of the company, then of the packet, that had the least for its weight, then of
//! the slice whose window closes first, of those that no limit of their own method holds up. Everything here is of one process: see [`Sharing::workers`](super::Sharing::workers).

mod fair_line;
mod limits;
mod permit;
mod scheduler;
mod sliding_window;
mod state;
#[cfg(test)]
mod tests;

pub(super) use limits::{Limit, LimitOf, limits_of};
pub(super) use permit::Permit;
pub(super) use scheduler::{Request, Scheduler};
