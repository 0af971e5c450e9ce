//! Packets.

use std::collections::BTreeSet;

use super::bench::{Answered as _, Bench};
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{
    Draining, IngestProgress, Packet, PacketFailure, PacketOrigin, PacketStage, RowCounts,
};
use crate::domain::row::RowNumber;
use crate::ids::{CampaignId, PacketId};
use crate::ports::store::{NewPacket, PacketCreation, StageChange, StoreError, WriteOutcome};

/// What a packet of a file is when it is new.
pub async fn a_file_starts_as_prepared(bench: &Bench) {
    let new = bench.file(1);
    let expected = fresh(bench, &new, PacketStage::Prepared).await;
    let made = bench.store.create_packet(bench.company, new).await.answered();
    assert_eq!(made, PacketCreation::Created(expected.clone()));
    assert_eq!(bench.packet(expected.id).await, expected);
}

/// It has no rows, so everything is mapped.
pub async fn a_follow_up_packet_starts_as_mapped(bench: &Bench) {
    let new = NewPacket { origin: PacketOrigin::FollowUp, ..bench.file(1) };
    let expected = fresh(bench, &new, PacketStage::Mapped).await;
    let made = bench.store.create_packet(bench.company, new).await.answered();
    assert_eq!(made, PacketCreation::Created(expected));
}

/// The newest file once more is no other, at whatever stage it is.
pub async fn the_same_content_is_one_packet(bench: &Bench) {
    let id = bench.create(bench.file(1)).await;
    for stage in [
        PacketStage::Prepared,
        PacketStage::Ingested,
        PacketStage::Loaded,
        PacketStage::Mapped,
        PacketStage::Queued,
        PacketStage::Complete,
    ] {
        bench.raise(id, stage).await;
        let again = bench.store.create_packet(bench.company, bench.file(1)).await.answered();
        assert_eq!(again, PacketCreation::Exists(bench.packet(id).await), "{stage}");
    }
}

/// A failed packet goes on; it is not loaded beside itself.
pub async fn a_failed_packet_still_holds_its_content(bench: &Bench) {
    let id = bench.create(bench.file(1)).await;
    bench.raise(id, PacketStage::Failed).await;
    let again = bench.store.create_packet(bench.company, bench.file(1)).await.answered();
    assert_eq!(again, PacketCreation::Exists(bench.packet(id).await));
}

/// A cancelled packet lets its content be loaded again.
pub async fn a_cancelled_packet_frees_its_content(bench: &Bench) {
    let first = bench.create(bench.file(1)).await;
    bench.raise(first, PacketStage::Cancelled).await;
    let second = bench.create(bench.file(1)).await;
    assert_ne!(first, second);
    let again = bench.store.create_packet(bench.company, bench.file(1)).await.answered();
    assert_eq!(again, PacketCreation::Exists(bench.packet(second).await));
}

/// Another campaign may load the same content.
pub async fn another_campaign_takes_the_same_content(bench: &Bench) {
    bench.create(bench.file(1)).await;
    let campaign = bench.new_campaign(bench.id()).await.id;
    bench.create(NewPacket { campaign, ..bench.file(1) }).await;
}

/// The same id again is the same packet.
pub async fn a_packet_is_created_once(bench: &Bench) {
    let new = bench.file(1);
    let id = bench.create(new.clone()).await;
    let again = bench.store.create_packet(bench.company, new).await.answered();
    assert_eq!(again, PacketCreation::Exists(bench.packet(id).await));
}

/// An archived campaign takes no data, but knows what it has.
pub async fn an_archived_campaign_takes_no_packet(bench: &Bench) {
    let id = bench.create(bench.file(1)).await;
    bench.change_state(bench.campaign, CampaignState::Active, CampaignState::Archived).await;
    let other = bench.store.create_packet(bench.company, bench.file(2)).await.answered();
    assert_eq!(other, PacketCreation::CampaignArchived);
    let same = bench.store.create_packet(bench.company, bench.file(1)).await.answered();
    assert_eq!(same, PacketCreation::Exists(bench.packet(id).await));
    let follow_up = NewPacket { origin: PacketOrigin::FollowUp, ..bench.file(1) };
    let follow_up = bench.store.create_packet(bench.company, follow_up).await.answered();
    assert_eq!(follow_up, PacketCreation::CampaignArchived);
}

/// Drafts and paused campaigns ingest.
pub async fn a_campaign_that_does_not_send_takes_packets(bench: &Bench) {
    bench.pause().await;
    bench.create(bench.file(1)).await;
    let campaign = bench.new_campaign(bench.id()).await.id;
    bench.create(NewPacket { campaign, ..bench.file(1) }).await;
}

/// A packet is a campaign's.
pub async fn a_packet_needs_its_campaign(bench: &Bench) {
    let lost = NewPacket { campaign: bench.id::<CampaignId>(), ..bench.file(1) };
    let outcome = bench.store.create_packet(bench.company, lost).await;
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}

/// There is one follow-up packet that takes messages.
pub async fn an_open_follow_up_packet_is_used_again(bench: &Bench) {
    let first = bench.follow_up_packet().await;
    for stage in [PacketStage::Mapped, PacketStage::Queued] {
        bench.raise(first, stage).await;
        let again = NewPacket { origin: PacketOrigin::FollowUp, ..bench.file(1) };
        let again = bench.store.create_packet(bench.company, again).await.answered();
        assert_eq!(again, PacketCreation::Exists(bench.packet(first).await), "{stage}");
    }
    bench.raise(first, PacketStage::Complete).await;
    let second = bench.follow_up_packet().await;
    bench.raise(second, PacketStage::Cancelled).await;
    bench.follow_up_packet().await;
}

/// What answers by one version of the campaign is planned and judged by that version.
pub async fn another_version_has_another_follow_up_packet(bench: &Bench) {
    let first = bench.follow_up_packet().await;
    let newer = NewPacket { origin: PacketOrigin::FollowUp, campaign_version: 2, ..bench.file(1) };
    let second = bench.create(newer.clone()).await;
    assert_ne!(second, first);
    let again =
        bench.store.create_packet(bench.company, NewPacket { id: bench.id(), ..newer }).await.answered();
    assert_eq!(again, PacketCreation::Exists(bench.packet(second).await));
}

/// A follow-up packet that is being torn down takes no messages, so there is another.
pub async fn a_draining_follow_up_packet_is_replaced(bench: &Bench) {
    let first = bench.follow_up_packet().await;
    bench.raise(first, PacketStage::Queued).await;
    bench.drain(first, Draining::Completing).await;
    assert_ne!(bench.follow_up_packet().await, first);
}

/// All pairs of stages, with the right and with a wrong expectation.
pub async fn a_packet_changes_stage_by_its_table_only(bench: &Bench) {
    for from in PacketStage::ALL {
        for to in PacketStage::ALL {
            let id = bench.packet_in(from).await;
            let before = bench.packet(id).await;
            for wrong in PacketStage::ALL.into_iter().filter(|stage| *stage != from) {
                assert_eq!(bench.change_stage(id, wrong, to).await, WriteOutcome::Stale, "{wrong} in {from}");
            }
            assert_eq!(bench.packet(id).await, before);
            if (from, to) == (PacketStage::Queued, PacketStage::Complete) {
                bench.drain(id, Draining::Completing).await;
            }
            let expected = if from.may_become(to) { WriteOutcome::Applied } else { WriteOutcome::Stale };
            assert_eq!(bench.change_stage(id, from, to).await, expected, "{from} to {to}");
            let stage = if from.may_become(to) { to } else { from };
            assert_eq!(bench.packet(id).await.stage, stage);
        }
    }
}

/// A packet that was reopened since somebody began to end it is not ended by who is slow.
pub async fn a_packet_completes_only_while_it_is_completing(bench: &Bench) {
    let (queued, complete) = (PacketStage::Queued, PacketStage::Complete);
    let packet = bench.packet_in(queued).await;
    for drain in [Draining::Off, Draining::Completing, Draining::Off] {
        bench.drain(packet, drain).await;
        if drain == Draining::Off {
            assert_eq!(bench.change_stage(packet, queued, complete).await, WriteOutcome::Stale);
            assert_eq!(bench.packet(packet).await.stage, queued);
        }
    }
    bench.drain(packet, Draining::Completing).await;
    assert_eq!(bench.change_stage(packet, queued, complete).await, WriteOutcome::Applied);
}

/// A message that came back since somebody counted is not left behind.
pub async fn a_packet_completes_only_when_nothing_is_open(bench: &Bench) {
    let (queued, complete) = (PacketStage::Queued, PacketStage::Complete);
    for status in MessageStatus::ALL {
        let placed = bench.in_status(status).await;
        bench.drain(placed.packet, Draining::Completing).await;
        let expected =
            if bench.state(&placed).await.is_open() { WriteOutcome::Stale } else { WriteOutcome::Applied };
        assert_eq!(bench.change_stage(placed.packet, queued, complete).await, expected, "{status}");
    }
}

/// A failure says where and why, and is gone when the packet goes on.
pub async fn a_failure_is_recorded_and_cleared(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Loaded).await;
    let failure = PacketFailure { stage: PacketStage::Loaded, reason: "no such column: Date".to_owned() };
    let fail = StageChange {
        packet,
        from: PacketStage::Loaded,
        to: PacketStage::Failed,
        failure: Some(failure.clone()),
        at: bench.at(7),
    };
    assert_eq!(bench.store.change_stage(bench.company, fail.clone()).await.answered(), WriteOutcome::Applied);
    let failed = bench.packet(packet).await;
    assert_eq!((failed.failure.as_ref(), failed.stage_changed_at), (Some(&failure), bench.at(7)));
    let resume = StageChange { from: PacketStage::Failed, to: PacketStage::Loaded, ..fail };
    assert_eq!(bench.store.change_stage(bench.company, resume).await.answered(), WriteOutcome::Applied);
    let resumed = bench.packet(packet).await;
    assert_eq!((resumed.stage, resumed.failure), (PacketStage::Loaded, None));
}

/// Draining is switched on and off, any number of times.
pub async fn draining_starts_and_stops(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Queued).await;
    for drain in [Draining::Completing, Draining::Completing, Draining::Off, Draining::Off] {
        bench.drain(packet, drain).await;
        assert_eq!(bench.packet(packet).await.draining, drain);
    }
}

/// Who cancels has the last word.
pub async fn a_cancelling_packet_stays_so(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Queued).await;
    for drain in [Draining::Completing, Draining::Cancelling, Draining::Cancelling] {
        bench.drain(packet, drain).await;
    }
    for drain in [Draining::Off, Draining::Completing] {
        let outcome = bench.store.set_draining(bench.company, packet, drain).await.answered();
        assert_eq!(
            (outcome, bench.packet(packet).await.draining),
            (WriteOutcome::Stale, Draining::Cancelling)
        );
    }
}

/// Who has seen a packet while it was queued, and is slow, does not begin to end what has ended or goes on.
pub async fn only_a_queued_packet_begins_to_complete(bench: &Bench) {
    for stage in PacketStage::ALL.into_iter().filter(|stage| *stage != PacketStage::Queued) {
        let packet = bench.packet_in(stage).await;
        let before = bench.packet(packet).await;
        let outcome = bench.store.set_draining(bench.company, packet, Draining::Completing).await.answered();
        assert_eq!((outcome, bench.packet(packet).await), (WriteOutcome::Stale, before), "{stage}");
    }
}

/// A packet that goes on, or comes back, is not marked as one that is about to end.
pub async fn a_packet_that_goes_on_does_not_complete(bench: &Bench) {
    let (mapped, queued) = (PacketStage::Mapped, PacketStage::Queued);
    for (end, back) in [(PacketStage::Complete, mapped), (PacketStage::Failed, queued)] {
        let packet = bench.packet_in(queued).await;
        bench.drain(packet, Draining::Completing).await;
        assert_eq!(bench.change_stage(packet, queued, end).await, WriteOutcome::Applied);
        assert_eq!(bench.change_stage(packet, end, back).await, WriteOutcome::Applied);
        let found = bench.packet(packet).await;
        assert_eq!((found.stage, found.draining), (back, Draining::Off), "after {end}");
    }
}

/// Pages by id: full, full, rest.
pub async fn packets_of_a_campaign_are_paged(bench: &Bench) {
    let mut ids = BTreeSet::new();
    for content in 1..=5 {
        ids.insert(bench.create(bench.file(content)).await);
    }
    let campaign = bench.new_campaign(bench.id()).await.id;
    bench.create(NewPacket { campaign, ..bench.file(1) }).await;
    let (mut found, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = bench.store.packets(bench.company, bench.campaign, after, 2).await.answered();
        sizes.push(page.items.len());
        found.extend(page.items.iter().map(|packet| packet.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, ids.into_iter().collect::<Vec<_>>());
    assert_eq!(sizes, [2, 2, 1]);
}

/// Sweeps look at what has neither ended nor failed, and at what goes on again.
pub async fn open_packets_are_those_that_go_on(bench: &Bench) {
    let mut open = BTreeSet::new();
    for stage in PacketStage::ALL {
        let packet = bench.packet_in(stage).await;
        if !stage.is_closed() && stage != PacketStage::Failed {
            open.insert(packet);
        }
    }
    let resumed = bench.packet_in(PacketStage::Failed).await;
    assert_eq!(
        bench.change_stage(resumed, PacketStage::Failed, PacketStage::Prepared).await,
        WriteOutcome::Applied
    );
    open.insert(resumed);
    let mut found = Vec::new();
    let mut after: Option<PacketId> = None;
    loop {
        let page = bench.store.open_packets_across_companies(after, 3).await.answered();
        assert!(page.items.len() <= 3);
        assert!(page.items.iter().all(|packet| after.is_none_or(|after| packet.id > after)));
        found.extend(
            page.items.iter().filter(|packet| packet.company == bench.company).map(|packet| packet.id),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, open.into_iter().collect::<Vec<_>>());
}

/// Whose queues may go: those of packets that have ended, in the order in which they were asked for.
pub async fn ended_packets_are_told_from_others(bench: &Bench) {
    let (mut packets, mut expected) = (vec![bench.id::<PacketId>()], vec![false]);
    for stage in PacketStage::ALL {
        packets.push(bench.packet_in(stage).await);
        expected.push(stage.is_closed());
    }
    assert_eq!(bench.store.ended_across_companies(&packets).await.answered(), expected);
    assert_eq!(bench.store.ended_across_companies(&[]).await.answered(), Vec::<bool>::new());
}

/// Writes to a packet that does not exist say so; reads find nothing.
pub async fn a_missing_packet_is_missing(bench: &Bench) {
    let id = bench.id::<PacketId>();
    assert_eq!(bench.store.packet(bench.company, id).await.answered(), None);
    let (from, to, at) = (PacketStage::Prepared, PacketStage::Ingested, bench.now);
    let change = StageChange { packet: id, from, to, failure: None, at };
    let changed = bench.store.change_stage(bench.company, change).await;
    assert!(matches!(changed, Err(StoreError::Missing { .. })), "{changed:?}");
    let drained = bench.store.set_draining(bench.company, id, Draining::Completing).await;
    assert!(matches!(drained, Err(StoreError::Missing { .. })), "{drained:?}");
}

async fn fresh(bench: &Bench, new: &NewPacket, stage: PacketStage) -> Packet {
    Packet {
        id: new.id,
        company: bench.company,
        campaign: bench.campaign,
        campaign_version: 1,
        origin: new.origin.clone(),
        stage,
        failure: None,
        draining: Draining::Off,
        reconciled: bench.store.restore_across_companies().await.answered().epoch,
        ingest: IngestProgress::default(),
        mapped_through: RowNumber(0),
        rows: RowCounts::default(),
        created_at: bench.now,
        vanished: crate::domain::vanished::VanishedAppointments::default(),
        stage_changed_at: bench.now,
        offloaded_at: None,
    }
}
