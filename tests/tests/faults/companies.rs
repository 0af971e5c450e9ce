//! Companies that know the same people.

use std::sync::Arc;

use futures::executor::block_on;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::incoming::Incoming;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::services::{CompiledCampaigns, IncomingMessages};
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};

#[test]
fn an_opt_out_from_one_company_is_none_from_another() {
    let mut world = World::new(&Setup::default());
    let data = material::csv(10, "2026-03-04 14:00");
    let deployed: Vec<_> = (0..3)
        .map(|_| {
            let company = world.company();
            let campaign = world.campaign(company, &material::document());
            let packet = world.load(company, campaign.id, &data);
            (campaign, packet)
        })
        .collect();
    let first = deployed[0].0.company;
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let stop = Incoming {
        provider: "sandbox-sms".into(),
        account: world.sandbox.account(first),
        event: "stop".into(),
        from: ContactPoint::Sms(PhoneNumber::parse(&material::number(3), None).unwrap()),
        text: "STOP".into(),
        at: world.now(),
    };
    let service = IncomingMessages::new(&world.ports, &world.settings, campaigns);
    block_on(service.receive(&world.worker_scope(first), &stop)).unwrap();
    world.start_worker();
    world.run_to_end();
    for (campaign, _) in &deployed {
        judge::all_is_well(&world, campaign);
        let went =
            world.sandbox.accepted().iter().filter(|request| request.company == campaign.company).count();
        assert_eq!(
            went,
            if campaign.company == first { 9 } else { 10 },
            "the same keys and numbers are no duplicates"
        );
        for (other, packet) in &deployed {
            let visible = !world.messages(campaign.company, *packet).is_empty();
            assert_eq!(visible, other.id == campaign.id, "a company sees its own messages only");
        }
    }
    let statuses = judge::statuses(&world, &deployed[0].0);
    assert_eq!(statuses[&MessageStatus::Skipped], 2, "by text message and by e-mail, which there is none");
}
