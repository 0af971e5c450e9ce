//! Files that come again, and their order.

use chrono::{DateTime, TimeDelta, Utc};

use super::bench::{Answered as _, Bench};
use crate::domain::file_arrival::FileArrival;
use crate::domain::packet::{Draining, PacketOrigin, PacketStage};
use crate::ids::PacketId;
use crate::ports::store::{NewPacket, PacketCreation};

/// What another file has followed says again what it said, so it is taken as often as it takes turns.
pub async fn content_that_another_file_has_followed_counts_again(bench: &Bench) {
    for _ in 0..3 {
        for content in [1, 2] {
            let packet = bench.create(bench.file(content)).await;
            bench.raise(packet, PacketStage::Complete).await;
            assert_eq!(again(bench, bench.file(content)).await, packet);
        }
    }
}

/// The file before a wrong one counts again once the wrong one is cancelled, or is about to be.
pub async fn the_file_before_a_cancelled_one_counts_again(bench: &Bench) {
    bench.packet_of(1, PacketStage::Mapped).await;
    let wrong = bench.packet_of(2, PacketStage::Mapped).await;
    bench.store.set_draining(bench.company, wrong, Draining::Cancelling).await.answered();
    let right = bench.packet_of(1, PacketStage::Mapped).await;
    bench.store.set_draining(bench.company, right, Draining::Cancelling).await.answered();
    bench.create(bench.file(1)).await;
}

/// Who goes on with a file after a crash gets its packet, whatever came in meanwhile.
pub async fn a_file_that_is_still_read_is_not_read_beside_itself(bench: &Bench) {
    let first = bench.create(bench.file(1)).await;
    bench.create(bench.file(2)).await;
    for stage in [PacketStage::Prepared, PacketStage::Ingested] {
        bench.raise(first, stage).await;
        assert_eq!(again(bench, bench.file(1)).await, first, "{stage}");
    }
    bench.raise(first, PacketStage::Loaded).await;
    bench.create(bench.file(1)).await;
}

/// Who looks into an inbox twice, or slowly, takes nothing twice: what is known and did not change after all others is known.
pub async fn a_found_file_is_taken_once(bench: &Bench) {
    let (one, two, three) = (bench.at(1), bench.at(2), bench.at(3));
    let first = bench.create(found(bench, 1, Some(one))).await;
    let second = bench.create(found(bench, 2, Some(two))).await;
    for modified in [None, Some(one), Some(two)] {
        assert_eq!(again(bench, found(bench, 1, modified)).await, first, "{modified:?}");
    }
    bench.raise(second, PacketStage::Cancelled).await;
    for modified in [None, Some(two)] {
        assert_eq!(again(bench, found(bench, 2, modified)).await, second, "cancelled, and {modified:?}");
    }
    let third = bench.create(found(bench, 1, Some(three))).await;
    assert_eq!(again(bench, found(bench, 1, Some(bench.at(4)))).await, third, "the newest");
    let unknown = bench.create(found(bench, 3, Some(one))).await;
    assert!(unknown > third, "new content is new, however old");
}

/// A copy that lay in the inbox all the time does not undo what somebody has handed in.
pub async fn a_found_file_does_not_undo_one_that_was_handed_in(bench: &Bench) {
    let first = bench.create(found(bench, 1, Some(bench.at(-2)))).await;
    bench.raise(first, PacketStage::Complete).await;
    bench.create(bench.file(2)).await;
    for modified in [bench.at(-1), bench.now] {
        assert_eq!(again(bench, found(bench, 1, Some(modified))).await, first);
    }
    bench.create(found(bench, 1, Some(bench.now + TimeDelta::seconds(1)))).await;
}

/// A file whose id sorts before that of another would say nothing: whoever mints it hears of that.
pub async fn a_file_is_the_newest_of_its_campaign(bench: &Bench) {
    let (earlier, between) = (bench.file(1), bench.file(2));
    let newest = bench.create(bench.file(3)).await;
    for late in [earlier.clone(), between.clone()] {
        let made = bench.store.create_packet(bench.company, late).await.answered();
        assert_eq!(made, PacketCreation::NotNewest(newest));
    }
    assert_eq!(bench.store.packet(bench.company, earlier.id).await.answered(), None);
    let follow_up = NewPacket { origin: PacketOrigin::FollowUp, ..earlier };
    bench.create(follow_up).await;
    let campaign = bench.new_campaign(bench.id()).await.id;
    bench.create(NewPacket { campaign, ..between }).await;
}

fn found(bench: &Bench, content: u64, modified: Option<DateTime<Utc>>) -> NewPacket {
    let new = bench.file(content);
    let PacketOrigin::File { name, digest, .. } = new.origin else { panic!("a file") };
    let arrival = FileArrival::Found { modified };
    NewPacket { origin: PacketOrigin::File { name, digest, arrival }, ..new }
}

/// The packet that a file is once more.
async fn again(bench: &Bench, file: NewPacket) -> PacketId {
    match bench.store.create_packet(bench.company, file).await.answered() {
        PacketCreation::Exists(packet) => packet.id,
        other => panic!("not known: {other:?}"),
    }
}

impl Bench {
    async fn packet_of(&self, content: u64, stage: PacketStage) -> PacketId {
        let packet = self.create(self.file(content)).await;
        self.raise(packet, stage).await;
        packet
    }
}
