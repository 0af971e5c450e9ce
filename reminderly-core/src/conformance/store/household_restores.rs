//! Households after a restore.

use super::bench::{Bench, Placed};
use super::counters::assert_packet;
use super::family::ALL;
use super::restore::{expire, restore};
use super::sending::refused_for_good;
use crate::domain::caps::Caps;
use crate::domain::message::Detail;
use crate::domain::message_status::MessageStatus;
use crate::domain::skip_reason::SkipReason;
use crate::ports::store::HandOver;

/// What was to go before the restore may have gone, or have left its members to go: none of them goes now, whenever it was to.
pub async fn a_restore_ends_a_household_with_its_members(bench: &Bench) {
    for limit in [1, ALL] {
        let family = bench.family(Caps::default(), -60).await;
        let terms = HandOver { now: bench.at(-59), ..bench.hand_over_terms() };
        bench.hand_over_with(family.packet, terms).await;
        restore(bench, 0).await;
        while expire(bench, family.packet, limit).await == limit {}
        let ended = [MessageStatus::Expired, MessageStatus::Skipped, MessageStatus::Skipped];
        assert_eq!(bench.statuses(&family).await, ended, "pages of {limit}");
        for child in &family.children {
            assert_eq!(bench.state(child).await.detail, Some(Detail::Skip(SkipReason::PastDue)));
        }
        assert_packet(bench, family.packet).await;
    }
}

/// What was not to go yet stays as it is.
pub async fn a_household_that_was_not_due_before_a_restore_goes(bench: &Bench) {
    let family = bench.family(Caps::default(), 60).await;
    restore(bench, 0).await;
    assert_eq!(expire(bench, family.packet, ALL).await, 0);
    assert_eq!(bench.statuses(&family).await, [MessageStatus::Planned; 3]);
}

/// The members may have gone when an attempt from before the restore failed.
pub async fn members_do_not_go_for_an_attempt_from_before_a_restore(bench: &Bench) {
    let family = bench.sending_family().await;
    restore(bench, 30).await;
    let household: &Placed = &family.household;
    bench.must_settle(household, refused_for_good(), MessageStatus::Failed).await;
    for child in &family.children {
        assert_eq!(bench.state(child).await.detail, Some(Detail::Skip(SkipReason::PastDue)));
    }
    assert_packet(bench, family.packet).await;
}
