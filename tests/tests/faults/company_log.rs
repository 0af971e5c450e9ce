//! The log of a company tells who asked for what.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::executor::block_on;
use reminderly_core::domain::access::{Action, Actor, CompanyScope};
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::domain::log_entry::{CampaignDeed, Deed, LogEntry, PacketDeed};
use reminderly_core::domain::packet::Draining;
use reminderly_core::domain::restore::RestoreEpoch;
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::{Store, StoreError};
use reminderly_core::services::{Campaigns, CompanyLog, RestoreFence, ServiceError};
use reminderly_core::testing::{HookedStore, StoreHooks};
use reminderly_tests::material;
use reminderly_tests::world::callers::line;
use reminderly_tests::world::{Setup, World, instant};

const START: &str = "2026-03-04T12:00:00Z";

/// What happens at the same instant is in no order.
const SECOND: Duration = Duration::from_secs(1);

fn log(world: &World, company: CompanyId, limit: usize) -> Vec<LogEntry> {
    let (service, scope) = (CompanyLog::new(&world.ports), world.scope(company, Action::ViewReports));
    let during = instant(START)..instant("2026-04-01T00:00:00Z");
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let page = block_on(service.page(&scope, during.clone(), after, limit)).unwrap();
        entries.extend(page.items);
        after = page.next;
        if after.is_none() {
            return entries;
        }
    }
}

fn deeds(world: &World, company: CompanyId) -> Vec<Deed> {
    log(world, company, 2).iter().map(|entry| entry.deed).collect()
}

#[test]
fn the_log_tells_who_did_what_to_campaigns_and_packets() {
    let mut world = World::new(&Setup { start: instant(START), ..Setup::default() });
    let company = world.company();
    let campaigns = world.campaigns();
    let [edit, run] = [Action::EditCampaign, Action::RunCampaign].map(|action| world.scope(company, action));
    let document = material::document().to_string();
    let campaign = block_on(campaigns.create(&edit, &document)).unwrap();
    let id = campaign.id;
    world.run_for(SECOND);
    block_on(campaigns.activate(&run, id)).unwrap();
    world.run_for(SECOND);
    block_on(campaigns.activate(&run, id)).unwrap();
    world.run_for(SECOND);
    block_on(campaigns.edit(&edit, id, 1, &document)).unwrap();
    world.run_for(SECOND);
    let file = world.load(
        company,
        id,
        &(material::HEADER.to_owned() + &material::line(1, &material::number(1), "2026-03-06 14:00")),
    );
    world.run_for(SECOND);
    let (on_demand, _process) = world.lone_on_demand();
    let scope = world.scope(company, Action::SendOnDemand);
    for _ in 0..2 {
        // Made again, it is the same call.
        drop(world.drive(on_demand.send(&scope, id, &line(2))).unwrap());
    }
    let call = world.packets(&campaign).iter().map(|packet| packet.id).find(|packet| *packet != file);
    let call = call.expect("a packet of the call");
    block_on(campaigns.pause(&run, id)).unwrap();
    world.run_for(SECOND);
    block_on(campaigns.cancel_packet(&run, file)).unwrap();
    world.run_for(SECOND);
    block_on(campaigns.remove(&run, id)).unwrap();
    world.run_for(SECOND);

    let of_campaign = |deed| Deed::Campaign(id, deed);
    assert_eq!(
        deeds(&world, company),
        [
            of_campaign(CampaignDeed::Create),
            of_campaign(CampaignDeed::Activate),
            of_campaign(CampaignDeed::Edit),
            Deed::Packet(file, PacketDeed::TakeInFile),
            Deed::Packet(call, PacketDeed::TakeInCall),
            of_campaign(CampaignDeed::Pause),
            Deed::Packet(file, PacketDeed::Cancel),
            of_campaign(CampaignDeed::Remove),
        ]
    );
    for entry in log(&world, company, 100) {
        assert!(matches!(entry.actor, Actor::User(_)), "{entry:?}");
    }
    let other = world.company();
    assert_eq!(deeds(&world, other), []);
}

#[test]
fn the_operator_is_told_of_too() {
    let mut world = World::new(&Setup { start: instant(START), ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let rows = material::line(1, &material::number(1), "2026-03-06 14:00");
    let file = world.load(company, campaign.id, &(material::HEADER.to_owned() + &rows));
    let (fence, scope) = (RestoreFence::new(&world.ports), world.operator_scope());
    world.run_for(SECOND);
    block_on(fence.raise(&scope, RestoreEpoch::default())).unwrap();
    block_on(fence.release(&scope, company, file)).unwrap();
    let last = log(&world, company, 100).pop().expect("an entry");
    assert_eq!((last.actor, last.deed), (Actor::Operator, Deed::Packet(file, PacketDeed::Release)));
}

#[test]
fn what_is_refused_is_not_written() {
    let world = World::new(&Setup { start: instant(START), ..Setup::default() });
    let company = world.company();
    let scope = |action| -> CompanyScope { world.scope(company, action) };
    let campaigns = world.campaigns();
    let unusable = block_on(campaigns.create(&scope(Action::EditCampaign), "{}"));
    assert!(matches!(unusable, Err(ServiceError::InvalidCampaign(_))));
    let denied = block_on(campaigns.create(&scope(Action::RunCampaign), &material::document().to_string()));
    assert!(matches!(denied, Err(ServiceError::Denied(_))));
    assert_eq!(deeds(&world, company), []);
}

/// What cannot be written does not go on; but it stops.
#[test]
fn a_log_that_cannot_be_written_keeps_nobody_from_stopping() {
    let world = World::new(&Setup { start: instant(START), ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let rows = material::line(1, &material::number(1), "2026-03-06 14:00");
    let file = world.load(company, campaign.id, &(material::HEADER.to_owned() + &rows));
    let mut ports = world.ports.clone();
    ports.store = Arc::new(HookedStore::new(Arc::clone(&world.ports.store), Arc::new(Unwritable)));
    let (campaigns, run) = (Campaigns::new(&ports), world.scope(company, Action::RunCampaign));
    assert_eq!(block_on(campaigns.pause(&run, campaign.id)).unwrap().state, CampaignState::Paused);
    let refused = block_on(campaigns.activate(&run, campaign.id));
    assert!(matches!(refused, Err(ServiceError::Store(StoreError::Unavailable { .. }))), "{refused:?}");
    let view = world.scope(company, Action::ViewReports);
    let found = block_on(world.campaigns().get(&view, campaign.id)).unwrap();
    assert_eq!(found.state, CampaignState::Paused);
    assert_eq!(block_on(campaigns.cancel_packet(&run, file)).unwrap().draining, Draining::Cancelling);
    assert_eq!(block_on(campaigns.remove(&run, campaign.id)).unwrap().state, CampaignState::Archived);
}

#[derive(Debug)]
struct Unwritable;

#[async_trait]
impl StoreHooks for Unwritable {
    async fn append_to_log(&self, _: &dyn Store, _: CompanyId, _: LogEntry) -> Result<(), StoreError> {
        Err(StoreError::Unavailable { source: "the disk is full".into() })
    }
}
