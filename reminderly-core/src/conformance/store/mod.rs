//! What every store adapter must do.
//!
//! ```text
//! reminderly_core::store_conformance!(MyHarness::new());
//! reminderly_core::store_conformance!(MyHarness::new(), my_runtime::block_on);
//! ```
//!
//! Every case has a company of its own, and beside it a decoy with the same natural keys that must stay untouched.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "cases are tests that live in a library: to panic is how they fail"
)]

mod access;
mod answer_scope;
mod answerable;
mod appointments;
pub(crate) mod bench;
mod calls;
mod campaigns;
mod capped;
mod caps;
mod carried_calls;
mod cases;
mod claim;
mod closing;
mod counters;
mod decoy;
mod dispositions;
mod family;
mod files;
mod hand_over;
mod household_answers;
mod household_restores;
mod household_slots;
mod households;
mod incoming;
mod isolation;
mod ladder;
mod ledger;
mod log;
mod one_liners;
mod outcomes;
mod packets;
mod plan;
mod redials;
mod restore;
mod rows;
mod safety;
pub(crate) mod sending;
mod settle;
mod sweeps;
mod three_rungs;
mod unsubscribes;
pub(crate) mod values;
mod vanishing;
mod waiting;
mod withdrawn;

use std::fmt::Debug;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::ids::IdSource;
use crate::ports::store::Store;

pub use access::*;
pub use answer_scope::*;
pub use answerable::*;
pub use appointments::*;
pub use bench::Bench;
pub use calls::*;
pub use campaigns::*;
pub use caps::*;
pub use carried_calls::*;
pub use claim::*;
pub use closing::*;
pub use counters::*;
pub use decoy::Decoy;
pub use dispositions::*;
pub use files::*;
pub use hand_over::*;
pub use household_answers::*;
pub use household_restores::*;
pub use household_slots::*;
pub use households::*;
pub use incoming::*;
pub use isolation::*;
pub use ladder::*;
pub use log::*;
pub use one_liners::*;
pub use outcomes::*;
pub use packets::*;
pub use plan::*;
pub use redials::*;
pub use restore::*;
pub use rows::*;
pub use safety::*;
pub use settle::*;
pub use sweeps::*;
pub use three_rungs::*;
pub use unsubscribes::*;
pub use vanishing::*;
pub use waiting::*;
pub use withdrawn::*;

/// What the suite needs of an adapter under test.
pub trait StoreHarness: Debug + Send + Sync {
    /// The adapter. Always the same, or on the same data, which no other case uses at the same time: a restore concerns the
    /// whole store.
    fn store(&self) -> Arc<dyn Store>;

    /// Never the same id twice, not in another run against the same server either.
    fn ids(&self) -> Arc<dyn IdSource>;

    /// The day on which the cases happen.
    fn now(&self) -> DateTime<Utc>;
}

/// Expands to one test per case.
///
/// The first argument makes the [`StoreHarness`](crate::conformance::store::StoreHarness) of one case. The second, if given,
/// runs a future to its end; it is for adapters that need a runtime.
#[macro_export]
macro_rules! store_conformance {
    ($harness:expr) => {
        $crate::store_conformance!($harness, $crate::conformance::block_on);
    };
    ($harness:expr, $block_on:path) => {
        $crate::for_each_store_case!($crate::store_case_tests, [$harness, $block_on]);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! store_case_tests {
    ([$harness:expr, $block_on:path] $($case:ident)*) => {$(
        #[test]
        fn $case() {
            let harness = $harness;
            $block_on(async {
                let bench = $crate::conformance::store::Bench::new(&harness).await;
                let decoy = $crate::conformance::store::Decoy::new(&bench).await;
                $crate::conformance::store::$case(&bench).await;
                decoy.assert_untouched().await;
            });
        }
    )*};
}

#[cfg(test)]
mod tests {
    macro_rules! names {
        ([] $($case:ident)*) => { const LISTED: &[&str] = &[$(stringify!($case)),*]; };
    }

    crate::for_each_store_case!(names, []);

    #[test]
    fn every_case_is_on_the_list() {
        let sources = [
            include_str!("access.rs"),
            include_str!("answer_scope.rs"),
            include_str!("answerable.rs"),
            include_str!("calls.rs"),
            include_str!("carried_calls.rs"),
            include_str!("appointments.rs"),
            include_str!("campaigns.rs"),
            include_str!("caps.rs"),
            include_str!("claim.rs"),
            include_str!("closing.rs"),
            include_str!("counters.rs"),
            include_str!("dispositions.rs"),
            include_str!("files.rs"),
            include_str!("hand_over.rs"),
            include_str!("household_answers.rs"),
            include_str!("household_restores.rs"),
            include_str!("household_slots.rs"),
            include_str!("households.rs"),
            include_str!("incoming.rs"),
            include_str!("isolation.rs"),
            include_str!("ladder.rs"),
            include_str!("one_liners.rs"),
            include_str!("outcomes.rs"),
            include_str!("packets.rs"),
            include_str!("plan.rs"),
            include_str!("redials.rs"),
            include_str!("restore.rs"),
            include_str!("rows.rs"),
            include_str!("safety.rs"),
            include_str!("settle.rs"),
            include_str!("sweeps.rs"),
            include_str!("three_rungs.rs"),
            include_str!("unsubscribes.rs"),
            include_str!("vanishing.rs"),
            include_str!("waiting.rs"),
            include_str!("withdrawn.rs"),
        ];
        let written = sources
            .iter()
            .flat_map(|source| source.lines())
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        let missing: Vec<_> = written.filter(|case| !LISTED.contains(case)).collect();
        assert!(missing.is_empty(), "cases that no adapter runs: {missing:?}");
    }
}
