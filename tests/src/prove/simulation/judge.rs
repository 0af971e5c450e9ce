//! What must be true of a schedule that was carried out. The oracle is the provider's log; our own tables say only whose a
//! message is, and must agree with it.

mod caps;
mod ended;
mod happened;
mod heard;
mod hours;
mod households;
mod once;
mod reasons;
mod refused;
mod shown;
mod stops;
mod truth;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use reminderly_core::domain::message::{MessageRecord, Origin};
use reminderly_core::domain::packet::Packet;
use reminderly_core::ids::{AttemptId, CampaignId, MessageId, PacketId};
use reminderly_providers::sandbox::AcceptedRequest;

pub(super) use happened::add_what_happened;

use super::documents::{Said, read_back};
use super::trial::Trial;
use super::wire::Request;
use super::witness::Seen;

/// What P4 allows between a stop and the last request.
const ONE_SECOND: TimeDelta = TimeDelta::seconds(1);

/// What two clocks may be apart that do not jump.
const SKEW: TimeDelta = TimeDelta::seconds(2);

/// How far a clock jumps.
const JUMP: TimeDelta = TimeDelta::hours(1);

/// Everything there is to judge by.
struct Evidence<'a> {
    trial: &'a Trial<'a>,
    seen: Seen,
    /// In the order of their making.
    requests: Vec<Request>,
    /// In the order of acceptance.
    accepted: Vec<Accepted>,
    /// By message: the position of the campaign, and the record.
    records: BTreeMap<MessageId, (usize, MessageRecord)>,
    /// By packet: the position of the campaign.
    packets: BTreeMap<PacketId, (usize, Packet)>,
}

/// A request that the provider accepted.
struct Accepted {
    request: AcceptedRequest,
    /// When it was made; a provider may accept it later.
    at: DateTime<Utc>,
    /// How far the clock of the worker was ahead.
    skew: TimeDelta,
    /// About each appointment that it names.
    said: Vec<Said>,
}

/// All that is wrong.
pub(super) fn judge(trial: &Trial<'_>) -> Vec<String> {
    let evidence = Evidence::of(trial);
    let mut wrong = trial.violations.clone();
    for check in [
        ended::check,
        once::check,
        hours::check,
        stops::check,
        heard::check,
        refused::check,
        caps::check,
        households::check,
        shown::check,
        truth::check,
        reasons::check,
    ] {
        check(&evidence, &mut wrong);
    }
    wrong
}

impl<'a> Evidence<'a> {
    fn of(trial: &'a Trial<'a>) -> Self {
        let deployment = &trial.deployment;
        let world = &deployment.world;
        let requests = deployment.wire.requests();
        let by_attempt: BTreeMap<AttemptId, &Request> =
            requests.iter().map(|request| (request.attempt, request)).collect();
        let accept = |request: AcceptedRequest| {
            let made = by_attempt.get(&request.attempt);
            let late = |made: &&&Request| request.at - made.at > TimeDelta::seconds(3);
            let at = made.filter(late).map_or(request.at, |made| made.at);
            let skew = made.map_or(TimeDelta::zero(), |made| made.skew);
            let said = read_back(request.content.text());
            Accepted { request, at, skew, said }
        };
        let accepted = world.sandbox.accepted().into_iter().map(accept).collect();
        let (mut records, mut packets) = (BTreeMap::new(), BTreeMap::new());
        for (position, campaign) in deployment.campaigns.iter().enumerate() {
            for packet in world.packets(campaign) {
                let page = block_on(world.ports.store.messages(campaign.company, packet.id, None, 1_000_000));
                for record in page.expect("listed").items {
                    records.insert(record.message.id, (position, record));
                }
                packets.insert(packet.id, (position, packet));
            }
        }
        Self { trial, seen: deployment.witness.seen(), requests, accepted, records, packets }
    }

    /// How far two clocks may be apart.
    fn clocks_apart(&self) -> TimeDelta {
        if self.trial.schedule.jumps() { SKEW + JUMP } else { SKEW }
    }

    fn campaign_id(&self, position: usize) -> CampaignId {
        self.trial.deployment.campaigns[position].id
    }

    /// The position of the campaign of a request; an answer to a person does not say it, so our tables do.
    fn campaign_of(&self, accepted: &Accepted) -> Option<usize> {
        let said = accepted.said.first().map(|said| said.campaign);
        said.or_else(|| self.records.get(&accepted.request.message).map(|(position, _)| *position))
    }

    fn packet_of(&self, message: MessageId) -> Option<PacketId> {
        let made = self.seen.made.get(&message).map(|made| made.packet);
        made.or_else(|| self.records.get(&message).map(|(_, record)| record.message.packet))
    }

    /// What became of a message, for people.
    fn history(&self, position: usize, record: &MessageRecord) -> String {
        let company = self.trial.deployment.campaigns[position].company;
        let store = &self.trial.deployment.world.ports.store;
        let history = block_on(store.history(company, record.message.packet, record.message.id));
        let lines: Vec<String> = history
            .expect("read")
            .iter()
            .map(|line| format!("{} {}→{} {}", line.at.format("%H:%M:%S"), line.from, line.to, line.reason))
            .collect();
        format!("{:?} {}", record.state, lines.join(", "))
    }

    /// When a message came to its end, by the clock of whoever ended it.
    fn ended_at(&self, position: usize, record: &MessageRecord) -> Option<DateTime<Utc>> {
        let company = self.trial.deployment.campaigns[position].company;
        let store = &self.trial.deployment.world.ports.store;
        let history = block_on(store.history(company, record.message.packet, record.message.id));
        history.expect("read").last().map(|line| line.at)
    }

    fn is_scheduled(&self, message: MessageId) -> bool {
        let made = self.seen.made.get(&message);
        made.is_some_and(|made| matches!(made.origin, Origin::Row { .. } | Origin::Household { .. }))
    }
}
