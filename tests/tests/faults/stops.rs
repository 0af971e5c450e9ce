//! Pause, cancellation, removal and opt-outs in the middle of sending.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::incoming::Incoming;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::ids::{MessageId, PacketId};
use reminderly_core::memory::MemoryStore;
use reminderly_core::services::{CompiledCampaigns, IncomingMessages, Unsubscribes};
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::json;

const ROWS: usize = 6;

struct Case {
    world: World,
    campaign: Campaign,
    packet: PacketId,
}

impl Case {
    fn message_to(&self, index: usize) -> MessageId {
        self.world.messages(self.campaign.company, self.packet)[index].message.id
    }
}

/// Stops the sending after 0, 1, 2, … polls from the moment at which it begins, until there is nothing left to stop. After
/// the stop, two seconds pass before anybody goes on. Answers how many moments there were.
fn at_every_moment(stop: impl Fn(&Case), then: impl Fn(&mut Case)) -> usize {
    let script = json!({ "default": { "mix": { "delivers": 3, "time_out": 1, "time_out_accepted": 1 } } });
    let (mut cut_short, mut sent_before) = (0, 0);
    for moment in 0..2_000 {
        let mut world =
            World::new(&Setup { store: MemoryStore::yielding, script: script.clone(), ..Setup::default() });
        let company = world.company();
        let campaign = world.campaign(company, &material::document());
        let packet = world.load(company, campaign.id, &material::csv(ROWS, "2026-03-04 14:00"));
        world.start_worker();
        world.run_until(instant("2026-03-04T17:59:59.9Z"));
        world.advance(instant("2026-03-04T18:00:00Z"));
        let polls = (0..moment).take_while(|_| world.step()).count();
        let mut case = Case { world, campaign, packet };
        let stopped_at = case.world.now();
        let before = case.world.sandbox.accepted_count();
        stop(&case);
        case.world.clock.advance(Duration::from_secs(2));
        case.world.run_for(Duration::from_mins(5));
        cut_short += u32::from(before == 0);
        sent_before += u32::from(before > 0);
        // What times out is accepted later than it is asked for only by what the sandbox adds: nothing here.
        let concerned = case.message_to(0);
        judge::none_after(&case.world, stopped_at, |message| message == concerned);
        then(&mut case);
        judge::all_is_well(&case.world, &case.campaign);
        if polls < moment {
            assert!(cut_short > 0 && sent_before > 0, "the moments lay beside the sending");
            return moment;
        }
    }
    panic!("the sending never came to its end");
}

#[test]
fn a_pause_holds_at_every_moment_and_a_resumption_goes_on() {
    let moments = at_every_moment(
        |Case { world, campaign, .. }| {
            let run = world.scope(campaign.company, Action::RunCampaign);
            block_on(world.campaigns().pause(&run, campaign.id)).unwrap();
        },
        |Case { world, campaign, .. }| {
            let stopped = world.now() - TimeDelta::seconds(302);
            judge::none_after(world, stopped, |_| true);
            let run = world.scope(campaign.company, Action::RunCampaign);
            block_on(world.campaigns().resume(&run, campaign.id)).unwrap();
            world.run_to_end();
            assert_eq!(judge::accepted_messages(world).len(), ROWS, "nothing was lost");
        },
    );
    println!("pause: {moments} moments");
}

fn cancelled(case: &mut Case) {
    let Case { world, campaign, packet } = case;
    judge::none_after(world, world.now() - TimeDelta::seconds(302), |_| true);
    world.run_to_end();
    assert_eq!(world.packet(campaign.company, *packet).stage, PacketStage::Cancelled);
    let statuses = judge::statuses(world, campaign);
    let cancelled = statuses.get(&MessageStatus::Cancelled).copied().unwrap_or(0);
    assert_eq!(cancelled + judge::accepted_messages(world).len(), ROWS, "{statuses:?}");
}

#[test]
fn a_cancellation_of_the_packet_holds_at_every_moment() {
    let moments = at_every_moment(
        |Case { world, campaign, packet }| {
            let run = world.scope(campaign.company, Action::RunCampaign);
            block_on(world.campaigns().cancel_packet(&run, *packet)).unwrap();
        },
        cancelled,
    );
    println!("cancel: {moments} moments");
}

#[test]
fn a_removal_of_the_campaign_holds_at_every_moment() {
    let moments = at_every_moment(
        |Case { world, campaign, .. }| {
            let run = world.scope(campaign.company, Action::RunCampaign);
            block_on(world.campaigns().remove(&run, campaign.id)).unwrap();
        },
        cancelled,
    );
    println!("remove: {moments} moments");
}

fn first_contact() -> ContactPoint {
    ContactPoint::Sms(PhoneNumber::parse(&material::number(0), None).unwrap())
}

fn only_the_first_is_spared(case: &mut Case) {
    case.world.run_to_end();
    let accepted = judge::accepted_messages(&case.world);
    for index in 1..ROWS {
        assert!(accepted.contains(&case.message_to(index)), "a neighbour was lost");
    }
}

#[test]
fn an_opt_out_by_the_operator_holds_at_every_moment() {
    let moments = at_every_moment(
        |Case { world, campaign, .. }| {
            let manage = world.scope(campaign.company, Action::ManageUnsubscribes);
            let key = first_contact().refusal_key();
            let change = UnsubscribeChange::OptedOut;
            let applied = block_on(Unsubscribes::new(&world.ports).change(&manage, key, change)).unwrap();
            assert_eq!(applied, reminderly_core::ports::store::WriteOutcome::Applied);
        },
        only_the_first_is_spared,
    );
    println!("operator: {moments} moments");
}

#[test]
fn an_opt_out_by_reply_holds_at_every_moment() {
    let moments = at_every_moment(
        |Case { world, campaign, .. }| {
            let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
            let service = IncomingMessages::new(&world.ports, &world.settings, campaigns);
            let incoming = Incoming {
                provider: "sandbox-sms".into(),
                account: world.sandbox.account(campaign.company),
                event: "stop".into(),
                from: first_contact(),
                text: "Stop.".into(),
                at: world.now(),
            };
            block_on(service.receive(&world.worker_scope(campaign.company), &incoming)).unwrap();
        },
        only_the_first_is_spared,
    );
    println!("reply: {moments} moments");
}
