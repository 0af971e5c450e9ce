//! What goes wrong, and what must be true all the same. Judged by the provider's own log of accepted requests.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod main_job;
