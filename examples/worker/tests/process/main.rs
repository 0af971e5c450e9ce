//! The worker as a process, on real servers: killed, started again, asked, and told to stop.

#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail as tests do: by panicking")]

mod archive;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../../../../tests/tests/servers/database.rs"]
mod database;
mod killed;
mod misuse;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../../../../tests/tests/servers/proxy.rs"]
mod proxy;
mod site;
