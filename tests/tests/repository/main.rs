//! Tests of the repository itself: dependency rules, and documents that must say what the code does.

mod campaign_document;
mod dependency_rules;
mod import_rules;
mod lifecycles;
mod metrics_table;
mod workspace;
