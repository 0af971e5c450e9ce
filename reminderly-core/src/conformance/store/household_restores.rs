//! Households after a restore.

use super::bench::{Answered as _, Bench, Placed};
use super::counters::assert_packet;
use super::family::{ALL, alone};
use super::restore::{expire, restore};
use super::sending::refused_for_good;
use crate::domain::caps::Caps;
use crate::domain::message::Detail;
use crate::domain::message_status::MessageStatus;
use crate::domain::skip_reason::SkipReason;
use crate::ids::PacketId;
use crate::ports::store::HandOver;

/// What was to go before the restore may have gone, or have left its members to go: none of them goes now, whenever it was to.
pub async fn a_restore_ends_a_household_with_its_members(bench: &Bench) {
    for limit in [1, ALL] {
        let family = bench.family(Caps::default(), -60).await;
        let terms = HandOver { now: bench.at(-59), ..bench.hand_over_terms() };
        bench.hand_over_with(family.packet, terms).await;
        restore(bench, 0).await;
        if limit == ALL {
            assert_eq!(expire(bench, family.packet, limit).await, 3, "who ends with another is closed too");
        }
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

/// What was not mapped before the restore, as the backup has it, may have been, and may have brought a household's message forward
/// within the day. What was planned for another day was not told with it, and a rung goes by itself.
pub async fn what_may_have_gone_with_a_forgotten_member_ends(bench: &Bench) {
    let before = bench.planned_family(Caps::default(), 60).await;
    assert_eq!(expire_households(bench, before.packet, ALL).await, 0, "there was no restore");
    for limit in [1, ALL] {
        let n = 1_000 + 10 * bench.serial();
        let packet = bench.loaded(3).await;
        let planned = [60, 120, 24 * 60].into_iter().zip(0..);
        let children: Vec<_> =
            planned.map(|(minutes, position)| alone(bench, packet, n, position, minutes)).collect();
        bench.plan_children(packet, Caps::default(), &children).await;
        restore(bench, 0).await;
        assert_eq!(expire(bench, packet, ALL).await, 0, "none of them was due");
        let mut ended = 0;
        loop {
            let closed = expire_households(bench, packet, limit).await;
            ended += closed;
            if closed < limit {
                break;
            }
        }
        assert_eq!(ended, 2, "pages of {limit}");
        for (child, is_of_today) in children.iter().zip([true, true, false]) {
            let state = bench.state(&bench.place(packet, child, n)).await;
            let ended = Some(Detail::Skip(SkipReason::PastDue));
            assert_eq!(state.detail, ended.filter(|_| is_of_today));
            assert_eq!(state.status == MessageStatus::Skipped, is_of_today);
        }
        assert_packet(bench, packet).await;
    }
}

async fn expire_households(bench: &Bench, packet: PacketId, limit: usize) -> usize {
    let (company, at) = (bench.company, bench.at(2));
    bench.store.expire_households_before_restore(company, packet, at, limit).await.answered()
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
