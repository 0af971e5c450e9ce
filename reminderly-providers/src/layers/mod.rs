//! Decorators of providers. Each keeps the contract of [`Provider`](reminderly_core::ports::provider::Provider), so they can
//! be stacked: [`Trace`] outside [`TimeOut`] also shows the calls that were cut.
//!
//! ```
//! use std::sync::Arc;
//!
//! use reminderly_core::clock::{Clock, SystemClock};
//! use reminderly_core::domain::contact_method::ContactMethod;
//! use reminderly_core::ports::provider::Provider;
//! use reminderly_providers::layers::{TimeOut, Trace};
//! use reminderly_providers::sandbox::{Sandbox, SandboxSettings};
//!
//! let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
//! let sandbox = Sandbox::new(Arc::clone(&clock), SandboxSettings::default());
//! let cut = Arc::new(TimeOut::new(sandbox.provider(ContactMethod::Sms), Arc::clone(&clock)));
//! let provider: Arc<dyn Provider> = Arc::new(Trace::new(cut, clock));
//! assert_eq!(provider.name(), "sandbox-sms".into());
//! ```

mod time_out;
mod trace;

#[cfg(test)]
mod tests;

pub use time_out::TimeOut;
pub use trace::{REQUESTS_METRIC, SECONDS_METRIC, Trace};
