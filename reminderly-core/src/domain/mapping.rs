//! From rows to appointments, contact points and fields, and from fields to texts.

mod clean;
mod compiled;
mod fingerprint;
mod mapped_row;
mod mapper;
mod missing_columns;
mod names;
mod pipeline;
mod render;
#[cfg(test)]
mod tests;

pub use compiled::{CompiledCampaign, check};
pub use mapped_row::{ContactField, MappedRow, RowNote};
pub use mapper::RowMapper;
pub use missing_columns::{MissingColumn, MissingColumns};
pub use render::RenderFault;
