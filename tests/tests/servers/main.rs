//! Tests on real servers, in containers. `tests/run` makes ready what they need; without it they say that they are skipped, and
//! fail where `CI=true`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "the helpers of tests fail as tests do: by panicking; and what is skipped must be said"
)]

mod connecting;
mod database;
