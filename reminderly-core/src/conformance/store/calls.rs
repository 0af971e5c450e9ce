//! Packets of calls: stored with their rows, known by the caller's key.

use futures::future::join_all;

use super::bench::{Answered as _, Bench};
use super::values::{digest, rejected, row};
use crate::domain::call::{CallKey, CallKind};
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Packet, PacketOrigin, PacketStage};
use crate::domain::row::{RejectedRow, Row, RowFault, RowNumber};
use crate::ids::{CampaignId, MessageId, PacketId};
use crate::ports::store::{NewPacket, PacketCreation, RowBatch, SettleVerdict, StoreError};

/// A call is a packet with all of its rows from the start, and its counters count them.
pub async fn a_call_starts_as_loaded_with_its_rows(bench: &Bench) {
    let new = call(bench, "order-1", 1);
    let (id, origin) = (new.id, new.origin.clone());
    let batch = rows();
    let made = take(bench, new, batch.clone()).await;
    let PacketCreation::Created(packet) = made else { panic!("not a new packet: {made:?}") };
    assert_eq!(packet, bench.packet(id).await);
    assert_eq!((packet.stage, &packet.origin), (PacketStage::Loaded, &origin));
    assert_eq!(packet.ingest, batch.progress);
    let counts = packet.rows;
    assert_eq!((counts.read, counts.loaded, counts.rejected), (3, 2, 1));
    assert_eq!(stored(bench, id).await, (batch.rows, batch.rejected));
    let report = bench.store.packet_counts(bench.company, id).await.answered();
    assert_eq!(report, bench.store.recount_packet(bench.company, id).await.answered());
    assert_eq!(report.faults.get(&RowFault::FieldCount), Some(&1));
}

/// A loaded call is found by those who go on with packets.
pub async fn a_call_is_an_open_packet(bench: &Bench) {
    let id = create(bench, "order-1", 1).await;
    let page = bench.store.packets(bench.company, bench.campaign, None, 10).await.answered();
    assert_eq!(page.items.iter().map(|packet| packet.id).collect::<Vec<_>>(), [id]);
    let mut after = None;
    loop {
        let page = bench.store.open_packets_across_companies(after, 100).await.answered();
        if page.items.iter().any(|packet| packet.id == id) {
            break;
        }
        after = page.next;
        assert!(after.is_some(), "nobody would go on with it");
    }
}

/// Without rows there is nothing to load.
pub async fn a_call_without_rows_starts_as_loaded(bench: &Bench) {
    let made = bench.store.create_packet(bench.company, call(bench, "order-1", 1)).await.answered();
    let PacketCreation::Created(packet) = made else { panic!("not a new packet: {made:?}") };
    assert_eq!((packet.stage, packet.rows.read), (PacketStage::Loaded, 0));
}

/// The same key is the same call, at whatever stage it is, and whatever it brings the second time.
pub async fn the_same_call_key_is_one_packet(bench: &Bench) {
    let id = create(bench, "order-1", 1).await;
    let kept = stored(bench, id).await;
    for stage in [PacketStage::Loaded, PacketStage::Mapped, PacketStage::Queued, PacketStage::Complete] {
        bench.raise(id, stage).await;
        for content in [1, 2] {
            let other = Bench::row_batch(0, vec![row(1)], Vec::new());
            let again = take(bench, call(bench, "order-1", content), other).await;
            assert_eq!(again, PacketCreation::Exists(bench.packet(id).await), "{stage}");
        }
        let found = find(bench, "order-1").await;
        assert_eq!(found, Some(bench.packet(id).await), "{stage}");
    }
    assert_eq!(stored(bench, id).await, kept);
}

/// Of calls that are made at the same time one is the first.
pub async fn concurrent_calls_with_one_key_make_one_packet(bench: &Bench) {
    let calls = (0..8).map(|_| take(bench, call(bench, "order-1", 1), rows()));
    let (mut created, mut found) = (Vec::new(), Vec::new());
    for outcome in join_all(calls).await {
        match outcome {
            PacketCreation::Created(packet) => created.push(packet.id),
            PacketCreation::Exists(packet) => found.push(packet.id),
            other => panic!("neither the first nor the same: {other:?}"),
        }
    }
    assert_eq!(created.len(), 1);
    assert_eq!(found, [created[0]; 7]);
    let counts = bench.packet(created[0]).await.rows;
    assert_eq!(counts.read, 3);
}

/// Keys differ if one character does: neither case nor accents nor their writing are folded.
pub async fn call_keys_are_compared_exactly(bench: &Bench) {
    let keys = ["order", "Order", "ordér", "orde\u{301}r", "order.", "ord er", "ord  er"];
    let mut ids = Vec::new();
    for key in keys {
        ids.push(create(bench, key, 1).await);
    }
    for (key, id) in keys.iter().zip(ids) {
        assert_eq!(find(bench, key).await.map(|packet| packet.id), Some(id), "{key}");
    }
}

/// A failed packet goes on; it is not made a second time.
pub async fn a_failed_call_still_holds_its_key(bench: &Bench) {
    let id = create(bench, "order-1", 1).await;
    bench.raise(id, PacketStage::Failed).await;
    let again = take(bench, call(bench, "order-1", 1), rows()).await;
    assert_eq!(again, PacketCreation::Exists(bench.packet(id).await));
}

/// A cancelled call may be made again.
pub async fn a_cancelled_call_frees_its_key(bench: &Bench) {
    let first = create(bench, "order-1", 1).await;
    bench.raise(first, PacketStage::Cancelled).await;
    assert_eq!(find(bench, "order-1").await, None);
    let second = create(bench, "order-1", 1).await;
    assert_ne!(first, second);
    let again = take(bench, call(bench, "order-1", 1), rows()).await;
    assert_eq!(again, PacketCreation::Exists(bench.packet(second).await));
    assert_eq!(find(bench, "order-1").await.map(|packet| packet.id), Some(second));
}

/// A key is unique within a campaign, not beyond.
pub async fn another_campaign_takes_the_same_call_key(bench: &Bench) {
    let first = create(bench, "order-1", 1).await;
    let campaign = bench.new_campaign(bench.id()).await.id;
    let new = NewPacket { campaign, ..call(bench, "order-1", 1) };
    let second = new.id;
    assert!(matches!(take(bench, new, rows()).await, PacketCreation::Created(_)));
    let key = key("order-1");
    let found = bench.store.packet_of_call(bench.company, campaign, &key).await.answered();
    assert_eq!(found.map(|packet| packet.id), Some(second));
    assert_eq!(find(bench, "order-1").await.map(|packet| packet.id), Some(first));
}

/// Neither does the key of another company stand in the way, nor is its call found.
pub async fn another_company_takes_the_same_call_key(bench: &Bench) {
    let other = bench.beside().await;
    let theirs = create(&other, "order-1", 1).await;
    assert_eq!(find(bench, "order-1").await, None);
    let key = key("order-1");
    let foreign = bench.store.packet_of_call(bench.company, other.campaign, &key).await.answered();
    assert_eq!(foreign, None);
    create(bench, "order-1", 1).await;
    assert_eq!(find(&other, "order-1").await.map(|packet| packet.id), Some(theirs));
    let stolen = NewPacket { campaign: other.campaign, ..call(bench, "order-2", 1) };
    let outcome = bench.store.create_loaded_packet(bench.company, stolen, rows()).await;
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}

/// A call that brings what a file has is not that file.
pub async fn a_call_is_no_file_of_the_same_content(bench: &Bench) {
    bench.create(bench.file(1)).await;
    create(bench, "order-1", 1).await;
    create(bench, "order-2", 1).await;
}

/// An archived campaign takes no call, but knows those that it has.
pub async fn an_archived_campaign_takes_no_call(bench: &Bench) {
    let id = create(bench, "order-1", 1).await;
    bench.change_state(bench.campaign, CampaignState::Active, CampaignState::Archived).await;
    let other = take(bench, call(bench, "order-2", 1), rows()).await;
    assert_eq!(other, PacketCreation::CampaignArchived);
    assert_eq!(find(bench, "order-2").await, None);
    let same = take(bench, call(bench, "order-1", 1), rows()).await;
    assert_eq!(same, PacketCreation::Exists(bench.packet(id).await));
}

/// A call is a campaign's.
pub async fn a_call_needs_its_campaign(bench: &Bench) {
    let lost = NewPacket { campaign: bench.id::<CampaignId>(), ..call(bench, "order-1", 1) };
    let outcome = bench.store.create_loaded_packet(bench.company, lost, rows()).await;
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}

/// One question for many messages: the latest attempt of each, or none.
pub async fn latest_attempts_are_answered_by_position(bench: &Bench) {
    let sent = bench.in_status(MessageStatus::Sent).await;
    let waiting = bench.in_status(MessageStatus::Planned).await;
    let first = bench.in_status(MessageStatus::Unknown).await;
    bench.must_settle(&first, SettleVerdict::ResendPermitted, MessageStatus::Queued).await;
    let second = bench.send_again(&first).await;
    let of = async |packet, messages: &[MessageId]| {
        bench.store.latest_attempts(bench.company, packet, messages).await.answered()
    };
    let missing = bench.id::<MessageId>();
    let expected = Some(bench.attempt(&sent).await);
    assert_eq!(of(sent.packet, &[missing, sent.message]).await, [None, expected]);
    assert_eq!(of(waiting.packet, &[waiting.message]).await, [None]);
    let attempts = bench.attempts(&second).await;
    assert_eq!(of(second.packet, &[second.message]).await, [attempts.last().cloned()]);
    assert!(attempts.len() > 1);
    assert_eq!(of(sent.packet, &[]).await, []);
    let other = bench.beside().await;
    let foreign = other.store.latest_attempts(other.company, sent.packet, &[sent.message]).await;
    assert_eq!(foreign.answered(), [None]);
}

fn key(text: &str) -> CallKey {
    CallKey::new(text).expect("a key")
}

fn call(bench: &Bench, name: &str, content: u64) -> NewPacket {
    let origin = PacketOrigin::OnDemand { key: key(name), digest: digest(content), kind: CallKind::Rows };
    NewPacket { origin, ..bench.file(0) }
}

/// Two good rows and a bad one between them.
fn rows() -> RowBatch {
    Bench::row_batch(0, vec![row(1), row(3)], vec![rejected(2, RowFault::FieldCount)])
}

async fn take(bench: &Bench, new: NewPacket, rows: RowBatch) -> PacketCreation {
    bench.store.create_loaded_packet(bench.company, new, rows).await.answered()
}

async fn create(bench: &Bench, name: &str, content: u64) -> PacketId {
    match take(bench, call(bench, name, content), rows()).await {
        PacketCreation::Created(packet) => packet.id,
        other => panic!("not a new packet: {other:?}"),
    }
}

async fn find(bench: &Bench, name: &str) -> Option<Packet> {
    bench.store.packet_of_call(bench.company, bench.campaign, &key(name)).await.answered()
}

async fn stored(bench: &Bench, id: PacketId) -> (Vec<Row>, Vec<RejectedRow>) {
    let rows = bench.store.rows(bench.company, id, RowNumber(0), 10).await.answered();
    let rejected = bench.store.rejected(bench.company, id, RowNumber(0), 10).await.answered();
    (rows.items, rejected.items)
}
