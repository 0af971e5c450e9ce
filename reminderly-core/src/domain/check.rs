//! Check: what people should know about a campaign, and about a sample of its data, before anything is sent.
//!
//! A document that is saved is usable; this tells whether it is wise. Pure: the planner that sends is the one that is asked.

mod asked;
mod campaign;
mod finding;
mod hint;
mod limits;
mod sample;
#[cfg(test)]
mod tests;
mod text_use;

pub use campaign::check_campaign;
pub use finding::{Finding, Severity};
pub use sample::{FaultUse, FieldUse, Sample, SampleReport};
pub use text_use::{CharacterUse, TextUse};
