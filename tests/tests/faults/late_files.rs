//! A file that is mapped after a later one: its worker was held up.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message::Detail;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::services::{Campaigns, CompiledCampaigns, Mapping};
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const AT: &str = "2026-03-04 14:00";
const TOMORROW: &str = "2026-03-05 14:00";

/// Two files; the second one was mapped first.
fn overtaken(document: &Value, older: &str, newer: &str) -> (World, Campaign, [PacketId; 2]) {
    let world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, document);
    let older = world.load(company, campaign.id, older);
    world.clock.advance_to(world.now() + TimeDelta::seconds(1));
    let newer = world.load(company, campaign.id, newer);
    for packet in [newer, older] {
        map(&world, company, packet);
    }
    (world, campaign, [older, newer])
}

fn map(world: &World, company: CompanyId, packet: PacketId) {
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let mapping = Mapping::new(&world.ports, &world.settings, compiled);
    block_on(mapping.map(&world.worker_scope(company), packet, &mut |_| {})).unwrap();
}

#[test]
fn it_does_not_undo_the_newer_one() {
    let (mut world, campaign, [older, newer]) =
        overtaken(&material::document(), &material::csv(1, TOMORROW), &material::csv(1, AT));
    let company = campaign.company;
    let stale = &world.messages(company, older)[0];
    assert_eq!(stale.state.detail, Some(Detail::Skip(SkipReason::Superseded)));
    // The newer one is cancelled: nothing of it counts, and a third file speaks for the appointment.
    let campaigns: Campaigns = world.campaigns();
    block_on(campaigns.cancel_packet(&world.scope(company, Action::RunCampaign), newer)).unwrap();
    let third = format!("{}\n", material::csv(1, TOMORROW));
    let third = world.load(company, campaign.id, &third);
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let statuses: Vec<_> = world.messages(company, third).iter().map(|record| record.state.status).collect();
    assert_eq!(statuses, [MessageStatus::Delivered]);
    assert_eq!(world.sandbox.accepted().len(), 1);
}

#[test]
fn what_the_newer_one_does_not_name_vanishes() {
    let line = |index| material::line(index, &material::number(index), AT);
    let unread = format!("K2,Name2,{},,soon,P2\n", material::number(2));
    for (vanished, newer, went) in [
        ("cancel", line(1), 1),
        // What a bad row names has not vanished.
        ("cancel", format!("{}{unread}", line(1)), 2),
        // Of which nothing can be mapped, it tells nothing.
        ("cancel", unread, 3),
        ("keep", line(1), 3),
    ] {
        let document = material::document_with(&[("/mapping/vanished", json!(vanished))]);
        let newer = format!("{}{newer}", material::HEADER);
        let (mut world, campaign, [older, newer]) = overtaken(&document, &material::csv(3, AT), &newer);
        let waits = |packet| {
            let records = world.messages(campaign.company, packet);
            records.iter().filter(|record| record.state.status == MessageStatus::Planned).count()
        };
        assert_eq!(waits(older) + waits(newer), went, "{vanished}");
        world.start_worker();
        world.run_to_end();
        judge::all_is_well(&world, &campaign);
        assert_eq!(world.sandbox.accepted().len(), went, "{vanished}");
    }
}
