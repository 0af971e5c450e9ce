//! Campaigns: one purpose of contact of a company.

pub mod definition;
pub mod document;
pub mod file_pattern;
pub mod lifecycle;
pub mod problem;
