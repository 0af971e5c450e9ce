//! A file that is mapped after a later one: its worker was held up.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::FutureExt as _;
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message::Detail;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::services::{Campaigns, CompiledCampaigns, Mapping, OnDemandCall};
use reminderly_core::testing::SkewedClock;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

const AT: &str = "2026-03-04 14:00";
const TOMORROW: &str = "2026-03-05 14:00";

fn vanishing() -> Value {
    material::document_with(&[("/mapping/vanished", json!("cancel"))])
}

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
fn the_rest_of_it_vanishes_with_what_was_there() {
    let mut world = World::new(&Setup { tune: |settings| settings.rows_per_batch = 1, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &vanishing());
    let older = world.load(company, campaign.id, &material::csv(4, AT));
    // Its worker dies after the first row.
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let mapping = Mapping::new(&world.ports, &world.settings, compiled);
    let scope = world.worker_scope(company);
    assert!(mapping.map(&scope, older, &mut |_| {}).now_or_never().is_none());
    assert!((1..4).contains(&world.packet(company, older).mapped_through.0));
    world.clock.advance_to(world.now() + TimeDelta::seconds(1));
    let newer = format!("{}{}", material::HEADER, material::line(1, &material::number(1), AT));
    let newer = world.load(company, campaign.id, &newer);
    for packet in [newer, older] {
        map(&world, company, packet);
    }
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(world.sandbox.accepted().len(), 1);
}

#[test]
fn a_call_is_no_late_file_even_if_a_clock_that_is_behind_numbers_it() {
    let (mut world, campaign, [_, newer]) =
        overtaken(&vanishing(), &material::csv(2, AT), &material::csv(1, AT));
    let true_clock = Arc::clone(&world.ports.clock);
    world.ports.clock = Arc::new(SkewedClock::new(Arc::clone(&true_clock), TimeDelta::minutes(-5)));
    let (on_demand, _) = world.lone_on_demand();
    world.ports.clock = true_clock;
    let number = material::number(9);
    let cells =
        [("Key", "K9"), ("Name", "Name9"), ("Cell", &number), ("Email", ""), ("At", AT), ("Person", "P9")];
    let cells = cells.into_iter().map(|(column, cell)| (column.to_owned(), cell.to_owned())).collect();
    let call = OnDemandCall::rows(CallKey::new("visit").unwrap(), vec![cells]);
    let scope = world.scope(campaign.company, Action::SendOnDemand);
    let receipt = block_on(on_demand.send(&scope, campaign.id, &call)).unwrap();
    assert!(receipt.packet < newer, "the clock is behind");
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(world.sandbox.accepted().len(), 2);
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
