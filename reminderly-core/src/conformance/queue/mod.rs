//! What every queue adapter must do.
//!
//! ```text
//! reminderly_core::queue_conformance!(MyHarness::new());
//! reminderly_core::queue_conformance!(MyHarness::new(), my_runtime::block_on);
//! ```

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "cases are tests that live in a library: to panic is how they fail"
)]

mod bench;
mod dead_letters;
mod leasing;
mod limits;
mod queues;
mod receiving;
mod sending;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::clock::Clock;
use crate::ports::queue::{MessageQueue, QueueAdmin, QueueName};

pub use dead_letters::*;
pub use leasing::*;
pub use limits::*;
pub use queues::*;
pub use receiving::*;
pub use sending::*;

/// What the suite needs of an adapter under test.
#[async_trait]
pub trait QueueHarness: Debug + Send + Sync {
    /// The adapter.
    fn queue(&self) -> Arc<dyn MessageQueue>;

    /// Its administration, on the same queues.
    fn admin(&self) -> Arc<dyn QueueAdmin>;

    /// The clock of the adapter.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Lets `duration` pass: a virtual clock moves, a real server is waited for.
    async fn advance(&self, duration: Duration);

    /// The longest time that is worth advancing. Cases that need longer do not apply.
    fn patience(&self) -> Duration;

    /// Puts a body as it is.
    async fn send_raw(&self, queue: &QueueName, body: &str);

    /// The reasons of the dead letters that can be received now, in any order.
    async fn dead_letter_reasons(&self, dead_letters: &QueueName) -> Vec<String>;

    /// The most items that may be in flight, if it is small enough to be reached in a test: 40 to 1,000.
    fn in_flight_limit(&self) -> Option<u64>;

    /// Whether an ack of an ended lease answers `Stale`, not `Done`.
    fn tells_stale_acks(&self) -> bool;

    /// Never the same twice, not in another run against the same server either.
    fn unique(&self) -> Uuid;
}

/// The list of cases: calls `callback!([context] case…)`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_queue_case {
    ($callback:path, [$($context:tt)*]) => {
        $callback! {
            [$($context)*]
            a_sent_item_is_received_and_acked
            outcomes_have_the_order_and_length_of_the_items
            empty_batches_do_nothing
            batches_of_any_size_are_taken
            a_delayed_item_comes_after_its_delay
            too_long_a_delay_is_refused_alone
            too_large_an_envelope_is_refused_alone
            a_receive_gives_at_most_as_many_as_asked
            a_long_poll_returns_when_something_arrives
            a_long_poll_returns_when_something_becomes_visible
            a_long_poll_returns_when_a_lease_ends
            a_long_poll_ends_empty
            a_dropped_receive_loses_nothing
            an_undecodable_body_is_a_value
            an_unknown_version_is_a_value
            a_leased_item_is_invisible
            an_unsettled_item_comes_again
            a_lease_lasts_until_it_says
            a_stale_ack_is_harmless
            a_stale_release_is_harmless
            a_stale_extend_is_harmless
            an_unknown_lease_is_stale
            a_second_ack_is_stale
            a_released_item_comes_at_once
            a_released_item_comes_after_its_delay
            a_released_lease_is_over
            an_extended_lease_lasts_longer
            a_shortened_lease_ends_early
            a_lease_ends_twelve_hours_after_the_receipt
            a_dead_letter_moves_with_its_reason
            a_stale_lease_makes_no_dead_letter
            an_item_received_too_often_moves_to_the_dead_letters
            a_redriven_letter_returns_to_its_queue
            a_redrive_moves_no_more_than_its_limit
            a_letter_without_its_queue_stays
            an_undecodable_letter_stays
            the_last_receives_are_settled_as_any_other
            a_depth_counts_ready_leased_and_delayed
            a_missing_queue_has_no_depth
            queues_are_listed_by_prefix
            an_ensured_queue_keeps_its_content
            an_ensured_queue_has_dead_letters
            a_delete_is_idempotent
            calls_on_a_missing_queue_say_so
            a_deleted_name_is_blocked_for_a_minute
            queues_do_not_see_each_other
            the_in_flight_limit_stops_receives
            an_ack_makes_room_under_the_in_flight_limit
        }
    };
}

/// Expands to one test per case.
///
/// The first argument makes the [`QueueHarness`](crate::conformance::queue::QueueHarness) of one case. The second, if given, runs
/// a future to its end; it is for adapters that need a runtime.
#[macro_export]
macro_rules! queue_conformance {
    ($harness:expr) => {
        $crate::queue_conformance!($harness, $crate::conformance::block_on);
    };
    ($harness:expr, $block_on:path) => {
        $crate::for_each_queue_case!($crate::queue_case_tests, [$harness, $block_on]);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! queue_case_tests {
    ([$harness:expr, $block_on:path] $($case:ident)*) => {$(
        #[test]
        fn $case() {
            let harness = $harness;
            $block_on($crate::conformance::queue::$case(&harness));
        }
    )*};
}

#[cfg(test)]
mod tests {
    macro_rules! names {
        ([] $($case:ident)*) => { const LISTED: &[&str] = &[$(stringify!($case)),*]; };
    }

    for_each_queue_case!(names, []);

    #[test]
    fn every_case_is_on_the_list() {
        let sources = [
            include_str!("dead_letters.rs"),
            include_str!("leasing.rs"),
            include_str!("limits.rs"),
            include_str!("queues.rs"),
            include_str!("receiving.rs"),
            include_str!("sending.rs"),
        ];
        let written = sources
            .iter()
            .flat_map(|source| source.lines())
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        let missing: Vec<_> = written.filter(|case| !LISTED.contains(case)).collect();
        assert!(missing.is_empty(), "cases that no adapter runs: {missing:?}");
    }
}
