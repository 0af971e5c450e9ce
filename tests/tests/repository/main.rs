//! Tests of the repository itself: dependency rules, and documents that must say what the code does.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail as tests do: by panicking"
)]

mod campaign_document;
mod dependency_rules;
mod import_rules;
mod lifecycles;
mod metrics_table;
mod rule_packs;
mod use_cases;
mod workspace;
