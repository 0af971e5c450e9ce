//! From rows to appointments, contact points and fields, and from fields to texts.

mod clean;
mod compiled;
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

/// Whether nothing of a text would be left to read.
pub(in crate::domain) fn is_blank(text: &str) -> bool {
    clean::clean(text).0.is_empty()
}
