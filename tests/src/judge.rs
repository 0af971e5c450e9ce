//! Judges of sending. They believe the provider's own log, and our tables only as far as they agree with it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveTime, TimeDelta, Utc, Weekday};
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message::{MessageRecord, Origin};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::ids::{CompanyId, MessageId, PacketId};
use reminderly_core::ports::store::IncomingStore as _;
use reminderly_core::services::{Reconcile, Reports};

use crate::world::World;

/// The whole of it: at most one accepted request per message, everything ended, everything accounted for, nothing lost,
/// nothing outside of the windows of [`document`](crate::material::document).
pub fn all_is_well(world: &World, campaign: &Campaign) {
    at_most_once(world);
    everything_ended(world, campaign);
    accounted_for(world, campaign);
    told_the_truth(world, campaign);
    inside_windows(world, campaign);
}

/// Nobody got a message twice.
pub fn at_most_once(world: &World) {
    for (message, times) in times_accepted(world) {
        assert_eq!(times, 1, "message {message} was accepted {times} times");
    }
}

/// How often each message was accepted.
pub fn times_accepted(world: &World) -> BTreeMap<MessageId, usize> {
    let mut times = BTreeMap::new();
    for request in world.sandbox.accepted() {
        *times.entry(request.message).or_default() += 1;
    }
    times
}

/// Every packet has ended and its queue is gone; no message waits for anything.
pub fn everything_ended(world: &World, campaign: &Campaign) {
    for packet in world.packets(campaign) {
        assert!(packet.stage.is_closed(), "{packet:?}");
        let queue = reminderly_core::ports::queue::QueueName::of_packet(packet.id);
        assert_eq!(world.depth(&queue), None, "the queue of packet {} is left over", packet.id);
        for record in world.messages(campaign.company, packet.id) {
            assert!(!record.state.is_open(), "{} of a packet that is {}", record.state.status, packet.stage);
        }
    }
}

/// The ledger closes, and nothing is missing.
pub fn accounted_for(world: &World, campaign: &Campaign) {
    for packet in world.packets(campaign) {
        packet_accounted_for(world, campaign.company, packet.id);
    }
}

/// The ledger of a packet closes, and nothing is missing.
pub fn packet_accounted_for(world: &World, company: CompanyId, packet: PacketId) {
    let found =
        block_on(Reconcile::new(&world.ports).packet(&world.scope(company, Action::ViewMessages), packet));
    assert_eq!(found.expect("reconciled"), []);
    let report =
        block_on(Reports::new(&world.ports).packet(&world.scope(company, Action::ViewReports), packet));
    assert_eq!(report.expect("a report").ledger.gaps(), []);
}

/// What the provider accepted we know as sent, and what it did not accept we do not.
pub fn told_the_truth(world: &World, campaign: &Campaign) {
    let accepted = times_accepted(world);
    for record in records(world, campaign) {
        let went = matches!(
            record.state.status,
            MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Undelivered
        );
        let known = accepted.contains_key(&record.message.id);
        let unknown = record.state.status == MessageStatus::Unknown;
        assert!(
            went == known || unknown,
            "{} although accepted is {known}: {:?}",
            record.state.status,
            block_on(reminderly_core::ports::store::MessageStore::history(
                &*world.store,
                campaign.company,
                record.message.packet,
                record.message.id
            ))
        );
    }
}

/// Every message of a campaign.
pub fn records(world: &World, campaign: &Campaign) -> Vec<MessageRecord> {
    let packets = world.packets(campaign);
    packets.iter().flat_map(|packet| world.messages(campaign.company, packet.id)).collect()
}

/// Nothing was accepted outside Monday to Friday, 08:00 to 16:30 of the contact zone, but for answers within five minutes
/// of what they answer.
pub fn inside_windows(world: &World, campaign: &Campaign) {
    let records: BTreeMap<MessageId, MessageRecord> =
        records(world, campaign).into_iter().map(|record| (record.message.id, record)).collect();
    let page = block_on(world.store.incoming(campaign.company, None, 1_000_000)).expect("listed");
    let asked: BTreeMap<_, DateTime<Utc>> =
        page.items.iter().map(|record| (record.id, record.incoming.at)).collect();
    for request in world.sandbox.accepted() {
        let Some(record) = records.get(&request.message) else { continue };
        if let Origin::Reply { incoming } = record.message.origin
            && request.at <= asked[&incoming] + TimeDelta::minutes(5) + TimeDelta::seconds(1)
        {
            continue;
        }
        let local = request.at.with_timezone(&record.message.contact_zone);
        let open = NaiveTime::from_hms_opt(8, 0, 0)..NaiveTime::from_hms_opt(16, 30, 0);
        let weekend = matches!(local.weekday(), Weekday::Sat | Weekday::Sun);
        assert!(!weekend && open.contains(&Some(local.time())), "accepted at {local}");
        let ahead = record.message.appointment.is_none_or(|appointment| request.at < appointment.at);
        assert!(ahead, "accepted after the appointment");
    }
}

/// No request of these messages started later than a second after `stop`.
pub fn none_after(world: &World, stop: DateTime<Utc>, concerned: impl Fn(MessageId) -> bool) {
    for request in world.sandbox.accepted().iter().filter(|request| concerned(request.message)) {
        let late = request.at - stop;
        assert!(late <= TimeDelta::seconds(1), "a request started {late} after the stop");
    }
}

/// How many messages of a campaign are in each status.
pub fn statuses(world: &World, campaign: &Campaign) -> BTreeMap<MessageStatus, usize> {
    let mut counts = BTreeMap::new();
    for record in records(world, campaign) {
        *counts.entry(record.state.status).or_default() += 1;
    }
    counts
}

/// The messages that went out, by the provider's log.
pub fn accepted_messages(world: &World) -> BTreeSet<MessageId> {
    world.sandbox.accepted().iter().map(|request| request.message).collect()
}
