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
mod answerable;
mod appointments;
mod bench;
mod calls;
mod campaigns;
mod carried_calls;
mod claim;
mod closing;
mod counters;
mod decoy;
mod dispositions;
mod hand_over;
mod incoming;
mod isolation;
mod ladder;
mod ledger;
mod one_liners;
mod outcomes;
mod packets;
mod plan;
mod redials;
mod restore;
mod rows;
mod safety;
mod sending;
mod settle;
mod sweeps;
mod unsubscribes;
mod values;
mod vanishing;
mod waiting;
mod withdrawn;

use std::fmt::Debug;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::ids::IdSource;
use crate::ports::store::Store;

pub use access::*;
pub use answerable::*;
pub use appointments::*;
pub use bench::Bench;
pub use calls::*;
pub use campaigns::*;
pub use carried_calls::*;
pub use claim::*;
pub use closing::*;
pub use counters::*;
pub use decoy::Decoy;
pub use dispositions::*;
pub use hand_over::*;
pub use incoming::*;
pub use isolation::*;
pub use ladder::*;
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

/// The list of cases: calls `callback!([context] case…)`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_store_case {
    ($callback:path, [$($context:tt)*]) => {
        $callback! {
            [$($context)*]
            a_saved_company_is_read_back
            a_company_saved_again_keeps_its_data
            an_unknown_company_is_none
            grants_are_the_roles_of_the_user
            a_role_saved_again_replaces_its_grants
            a_user_saved_again_has_the_new_roles
            a_suspended_user_has_no_grants
            an_unknown_user_has_no_grants
            a_new_campaign_is_a_draft_of_version_one
            a_campaign_is_created_once
            campaign_numbers_are_unique
            a_campaign_needs_its_company
            every_version_of_a_definition_is_kept
            a_definition_on_an_old_version_conflicts
            a_campaign_changes_state_by_its_table_only
            a_missing_campaign_is_missing
            campaigns_are_paged
            a_file_starts_as_prepared
            a_follow_up_packet_starts_as_mapped
            the_same_content_is_one_packet
            a_failed_packet_still_holds_its_content
            a_cancelled_packet_frees_its_content
            another_campaign_takes_the_same_content
            a_packet_is_created_once
            an_archived_campaign_takes_no_packet
            a_campaign_that_does_not_send_takes_packets
            a_packet_needs_its_campaign
            an_open_follow_up_packet_is_used_again
            a_draining_follow_up_packet_is_replaced
            a_call_starts_as_loaded_with_its_rows
            a_call_is_an_open_packet
            a_call_without_rows_starts_as_loaded
            the_same_call_key_is_one_packet
            concurrent_calls_with_one_key_make_one_packet
            call_keys_are_compared_exactly
            a_failed_call_still_holds_its_key
            a_cancelled_call_frees_its_key
            another_campaign_takes_the_same_call_key
            another_company_takes_the_same_call_key
            a_call_is_no_file_of_the_same_content
            an_archived_campaign_takes_no_call
            a_call_needs_its_campaign
            latest_attempts_are_answered_by_position
            a_packet_changes_stage_by_its_table_only
            a_packet_completes_only_while_it_is_completing
            a_failure_is_recorded_and_cleared
            draining_starts_and_stops
            a_cancelling_packet_stays_so
            packets_of_a_campaign_are_paged
            open_packets_are_those_that_go_on
            a_missing_packet_is_missing
            ingest_opens_from_prepared_only
            appended_rows_are_counted
            a_repeated_batch_of_rows_is_stale
            a_batch_after_a_gap_is_stale
            rows_are_stored_while_ingested_only
            a_row_is_read_back
            rows_are_paged
            rejected_rows_are_paged
            rows_of_a_missing_packet_are_missing
            planned_messages_are_read_back
            messages_are_paged
            a_plan_starts_where_the_packet_stands
            a_plan_needs_a_loaded_packet
            planned_rows_are_counted
            an_empty_plan_moves_the_packet_on
            a_natural_key_is_taken_once_in_a_batch
            a_duplicate_of_the_planner_is_not_the_stores
            natural_keys_differ_in_every_part
            a_natural_key_is_taken_across_packets_and_campaigns
            a_natural_key_is_free_when_its_holder_ends_unsent
            a_freed_natural_key_is_taken_by_the_next
            a_skipped_duplicate_does_not_free_the_key
            a_natural_key_is_taken_again_by_a_late_truth
            a_message_in_flight_keeps_its_natural_key
            a_skipped_message_takes_no_natural_key
            messages_of_a_missing_packet_are_missing
            a_row_speaks_for_its_appointment
            an_unchanged_row_keeps_its_messages
            a_moved_appointment_supersedes_what_waits
            a_superseded_copy_claims_nothing
            what_comes_back_superseded_is_refused
            what_comes_back_with_the_right_time_goes_on
            what_comes_back_to_another_contact_point_is_refused
            who_may_have_been_told_is_remembered
            what_was_told_outlives_the_row
            a_correction_is_no_duplicate
            a_correction_of_a_released_appointment_is_skipped
            an_overtaken_batch_changes_nothing
            an_unchanged_row_is_not_overtaken_by_sending
            planners_that_race_have_one_winner
            a_cancelled_packet_speaks_for_nothing
            a_cancelled_packet_confirms_nothing
            a_row_lapses_with_what_may_pass
            rows_of_one_key_stand_side_by_side
            messages_without_an_appointment_in_the_ledger_go
            a_call_that_waits_with_the_right_time_is_made
            a_call_permitted_after_an_amendment_is_made
            a_call_with_the_wrong_time_frees_its_day
            a_call_that_may_have_told_keeps_its_day
            a_call_about_what_vanished_frees_its_day
            a_one_liner_is_not_superseded_by_a_file
            what_vanishes_is_cancelled
            what_has_vanished_vanishes_once
            what_is_named_or_past_does_not_vanish
            an_earlier_packet_makes_nothing_of_a_later_one_vanish
            what_comes_back_vanished_is_refused
            what_has_vanished_may_come_back
            what_vanishes_is_paged
            only_a_loaded_packet_makes_things_vanish
            why_nothing_vanishes_is_recorded
            nothing_of_another_company_vanishes
            due_messages_are_handed_over
            a_message_is_due_from_its_instant
            a_message_is_handed_over_once
            a_lost_copy_is_handed_over_again
            a_claimed_message_is_not_handed_over
            only_an_active_campaign_hands_over
            only_a_queued_packet_hands_over
            a_draining_packet_hands_over_nothing
            the_most_urgent_are_handed_over_first
            the_longest_due_are_handed_over_first
            live_copies_are_bounded
            lost_copies_are_replaced_at_the_bound
            late_messages_are_listed_and_not_recorded
            a_lost_copy_may_be_late
            the_next_due_instant_is_told
            waiting_messages_are_counted_by_window
            what_is_due_waits_from_now_on
            only_what_is_planned_or_queued_waits
            nothing_waits_in_a_missing_packet
            nothing_is_due_when_nothing_waits
            a_snoozed_message_is_due_later
            a_missing_packet_hands_over_nothing
            a_claim_gives_the_right_to_send
            a_message_is_claimed_by_one
            concurrent_claims_have_one_winner
            a_claim_is_idempotent_on_its_attempt
            a_settled_attempt_is_not_claimed_again
            an_attempt_id_is_used_once
            attempts_are_numbered
            a_claim_starts_within_the_interval
            an_interval_ends_at_its_end
            a_claim_waits_for_its_instant
            only_a_queued_message_is_claimed
            a_message_of_another_packet_is_missing
            a_claim_is_for_the_method_of_the_message
            a_pause_acts_at_once
            an_archived_campaign_claims_nothing
            a_draining_packet_claims_nothing
            a_closed_packet_claims_nothing
            an_opt_out_of_a_number_stops_text_messages
            an_opt_out_of_a_person_stops_everything
            an_opt_out_of_an_address_stops_its_e_mails_only
            an_opt_out_is_for_its_key_only
            guards_are_checked_in_their_order
            claims_are_answered_in_order
            empty_batches_of_messages_do_nothing
            batches_of_messages_may_be_large
            an_accepted_message_is_sent
            a_message_refused_for_now_is_queued
            a_message_refused_for_good_fails
            a_returned_message_spends_no_attempt
            an_ambiguous_message_is_unknown
            a_reaped_message_is_unknown
            late_answers_count_after_a_reap
            a_found_message_is_sent
            a_message_proven_absent_is_queued
            a_permitted_resend_is_queued
            a_message_given_up_is_held
            a_held_message_is_moved_by_evidence
            a_held_message_stays_held_without_evidence
            settlements_follow_the_transition_table
            an_older_attempt_settles_nothing
            a_repeated_settlement_is_stale
            settlements_are_answered_in_order
            a_missing_packet_settles_nothing
            a_history_is_a_chain
            what_waits_is_snoozed
            a_snooze_may_keep_the_plan
            a_snooze_may_keep_the_interval
            what_waits_is_skipped
            what_was_queued_expires
            open_messages_are_cancelled_in_steps
            only_what_waits_is_cancelled
            writes_are_answered_in_order
            a_missing_packet_closes_nothing
            a_report_moves_the_message
            a_repeated_event_is_a_duplicate
            another_provider_has_nothing_to_say
            a_snooze_brings_nothing_forward
            a_report_of_an_older_attempt_stops_the_next
            a_late_acceptance_of_an_older_attempt_stops_the_next
            a_late_refusal_of_an_older_attempt_is_stale
            an_answer_proves_that_a_message_was_sent
            a_released_appointment_is_not_claimed
            a_rung_waits_for_the_one_below_to_go
            a_rung_waits_for_an_answer_to_the_one_below
            an_unknown_rung_may_be_answered
            a_rung_jumps_when_the_one_below_fails
            a_rung_jumps_when_the_one_below_did_not_arrive
            a_rung_jumps_when_the_one_below_is_not_sent
            a_call_is_not_made_again_once_the_rung_above_went
            an_answer_stops_the_rungs_above
            an_answer_holds_for_later_rungs
            a_released_appointment_is_not_planned
            persons_and_contact_points_are_found
            follow_ups_are_counted
            reports_out_of_order_are_joined
            every_order_of_reports_gives_one_result
            a_report_before_the_settlement_wins
            a_report_resolves_an_unknown_message
            evidence_moves_what_has_ended_unsent
            a_report_of_an_older_attempt_moves_nothing
            a_report_brings_the_reference
            reports_are_answered_in_order
            attempts_are_located
            a_call_may_be_made_again
            a_call_is_made_again_once
            old_news_leave_the_next_call
            a_late_answer_stops_the_next_call
            more_than_the_report_stops_the_next_call
            an_answer_to_an_earlier_call_counts_while_none_is_in_work
            a_call_that_is_not_made_leaves_the_message_undelivered
            a_packet_that_ends_takes_no_call
            an_incoming_message_is_read_back
            a_repeated_incoming_message_is_a_duplicate
            incoming_messages_are_counted
            incoming_messages_are_paged
            an_answer_is_tied_to_its_message
            an_answer_follows_what_it_may
            a_stale_answer_is_not_stored
            an_answer_is_the_appointments
            a_campaigns_own_answer_is_the_messages
            an_answer_may_come_from_another_contact_point
            an_answer_to_nothing_is_stale
            an_answer_may_end_the_reminders
            an_answer_ends_the_reminders_of_its_campaign_only
            an_answer_leaves_what_is_in_flight
            an_opt_out_comes_with_its_message
            a_follow_up_is_planned
            follow_ups_are_no_duplicates
            a_follow_up_without_a_way_is_skipped
            a_closed_follow_up_packet_changes_nothing
            a_question_is_open_until_it_is_not
            an_incoming_message_needs_its_company
            messages_that_may_have_arrived_are_answerable
            an_answerable_message_is_described
            an_unknown_message_was_sent_when_it_was_claimed
            an_appointment_lies_ahead
            the_latest_message_of_an_appointment_is_answerable
            answerable_messages_are_one_per_appointment_and_person
            an_answerable_message_shows_the_answer
            a_follow_up_is_not_answerable
            a_message_is_answerable_from_its_contact_point
            contact_points_of_a_person_are_known
            refused_keys_are_told_by_position
            a_repeated_will_is_stale
            the_source_of_a_will_is_kept
            the_later_will_stands_in_every_order
            a_late_opt_in_lifts_no_later_opt_out
            an_unknown_key_is_not_refused
            a_register_needs_its_company
            overdue_attempts_are_found
            an_open_attempt_is_described
            only_messages_in_sending_are_overdue
            unknown_attempts_are_paged
            only_open_unknown_attempts_are_found
            a_new_packet_counts_nothing
            counts_of_a_missing_packet_are_missing
            every_status_is_counted
            counters_hold_under_random_operations
            counters_hold_under_other_random_operations
            counters_hold_under_still_other_random_operations
            the_restore_epoch_is_raised_by_one
            a_restore_fences_every_packet_at_once
            a_packet_made_after_a_restore_is_not_fenced
            fenced_packets_are_paged
            what_was_to_go_before_a_restore_is_closed
            the_rungs_above_what_a_restore_ends_end_with_it
            a_rung_does_not_jump_for_an_attempt_from_before_a_restore
            a_restore_leaves_what_is_in_flight
            a_fence_is_lifted_packet_by_packet
            another_restore_fences_again
            an_attempt_from_before_a_restore_queues_nothing
            a_fenced_message_is_not_planned_again
            a_missing_packet_is_not_released
            contacts_are_told_with_their_answers
            only_what_arrived_is_a_contact
            contacts_are_paged_from_an_instant_on
            contacts_are_a_companys_own
            reads_find_nothing_of_another_company
            writes_to_packets_of_another_company_find_nothing
            writes_to_messages_of_another_company_find_nothing
            a_message_is_found_in_its_own_packet_only
            ids_of_another_company_are_not_taken_over
            guards_are_a_companys_own
        }
    };
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

    for_each_store_case!(names, []);

    #[test]
    fn every_case_is_on_the_list() {
        let sources = [
            include_str!("access.rs"),
            include_str!("answerable.rs"),
            include_str!("calls.rs"),
            include_str!("appointments.rs"),
            include_str!("campaigns.rs"),
            include_str!("carried_calls.rs"),
            include_str!("claim.rs"),
            include_str!("closing.rs"),
            include_str!("counters.rs"),
            include_str!("dispositions.rs"),
            include_str!("hand_over.rs"),
            include_str!("incoming.rs"),
            include_str!("isolation.rs"),
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
            include_str!("unsubscribes.rs"),
            include_str!("vanishing.rs"),
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
