//! From rows to appointments, contact points and fields, and from fields to texts.

mod bound_field;
mod clean;
mod compiled;
mod draft;
mod fingerprint;
mod mapped_row;
mod mapper;
mod names;
mod pipeline;
mod render;
#[cfg(test)]
mod tests;
pub(in crate::domain) mod texts;
mod unfit_header;

pub(in crate::domain) use clean::is_blank;
pub use compiled::{CompiledCampaign, check, check_with};
pub use mapped_row::{ContactField, MappedRow, RowNote};
pub use mapper::RowMapper;
pub use render::RenderFault;
pub use unfit_header::{DuplicateColumn, MissingColumn, NameDifference, NearColumn, UnfitHeader};
