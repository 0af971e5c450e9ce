//! Tests on real servers, in containers. `tests/run` makes ready what they need; without it they say that they are skipped, and
//! fail where `CI=true`.

#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail as tests do: by panicking")]

mod access;
mod bench;
mod broken_files;
mod campaigns;
mod company_log;
mod connecting;
mod cuts;
#[expect(dead_code, reason = "other tests use more of it")]
mod database;
mod drill;
mod history;
mod indexes;
mod migrating;
mod model;
mod offload;
mod offload_months;
mod packets;
mod pressure;
#[expect(dead_code, reason = "other tests use more of it")]
mod proxy;
mod reference;
mod simulated;
mod sql_clients;
mod unsubscribes;
mod values;
