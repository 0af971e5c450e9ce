//! The use cases that hosts ask for, and repeat until they are told that they are done.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::TryStreamExt as _;
use futures::future::BoxFuture;
use reminderly_core::domain::access::{Action, Actor, Company, Role, User};
use reminderly_core::domain::answers::Goal;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::restore::RestoreEpoch;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::ids::IdSourceExt as _;
use reminderly_core::ports::store::WriteOutcome;
use reminderly_core::services::{
    Access, Answers, CallProgress, Check, CompanyLog, CompiledCampaigns, Explain, Fleet, Messages, OnDemand,
    Recipients, Reconcile, ReportOn, Reports, RestoreFence, Unsubscribes,
};
use serde_json::json;

use super::judges;
use super::preparations::{due, half_due, loaded, nothing, over, queued};
use super::use_cases::{Ready, UseCase, delivering};
use crate::material;
use crate::world::World;
use crate::world::callers::line;

/// Every use case of hosts.
pub(super) fn all() -> Vec<UseCase> {
    changing().into_iter().chain(keeping()).collect()
}

fn case(
    name: &'static str,
    covers: &'static [&'static str],
    prepare: fn(&mut World, &Campaign) -> Ready,
    work: fn(&World, &Campaign, &Ready) -> BoxFuture<'static, ()>,
) -> UseCase {
    UseCase { is_repeated: true, ..UseCase::new(name, covers, prepare, work) }
}

/// What changes what is sent.
fn changing() -> [UseCase; 8] {
    let changes = &["Campaigns::get", "Campaigns::edit", "Campaigns::pause", "Campaigns::resume"];
    [
        UseCase {
            judge: |world, campaign, ready| {
                judges::made_active_beside(world, campaign);
                judges::each_row_told_once(world, campaign, ready);
            },
            ..case("making a campaign", &["Campaigns::create", "Campaigns::activate"], loaded, create)
        },
        UseCase {
            judge: |world, campaign, ready| {
                judges::edited_and_active(world, campaign);
                judges::each_row_told_once(world, campaign, ready);
            },
            ..case("editing, pausing and resuming", changes, queued, pause)
        },
        UseCase {
            judge: |world, campaign, _| judges::cancelled_untold(world, campaign),
            ..case("cancelling a packet", &["Campaigns::cancel_packet"], queued, cancel)
        },
        UseCase {
            judge: |world, campaign, _| judges::cancelled_untold(world, campaign),
            ..case("removing a campaign", &["Campaigns::remove"], queued, remove)
        },
        UseCase {
            document: material::on_demand,
            setup: delivering,
            judge: |world, campaign, _| judges::called_once(world, campaign),
            ..case("sending on demand", &["OnDemand::send", "OnDemand::outcome"], nothing, call)
        },
        UseCase {
            judge: |world, campaign, _| {
                judges::all_told_but_the_first(world, campaign);
                judges::heard_and_answered_once(world, campaign);
            },
            ..case("unsubscribing", &["Unsubscribes::change", "Unsubscribes::history"], due, unsubscribe)
        },
        UseCase {
            judge: told_what_was_not_due,
            ..case(
                "fencing and releasing",
                &["RestoreFence::raise", "RestoreFence::fenced", "RestoreFence::release_all"],
                half_due,
                restore,
            )
        },
        UseCase {
            judge: told_what_was_not_due,
            ..case(
                "fencing and releasing a packet",
                &[
                    "RestoreFence::last",
                    "RestoreFence::raise",
                    "RestoreFence::fenced",
                    "RestoreFence::release",
                ],
                half_due,
                restore_a_packet,
            )
        },
    ]
}

fn told_what_was_not_due(world: &World, campaign: &Campaign, _: &Ready) {
    judges::told_what_was_not_due_at_the_restore(world);
    judges::heard_and_answered_once(world, campaign);
}

/// What must change nothing that is sent.
fn keeping() -> [UseCase; 2] {
    let keeps = &["Access::save_company", "Access::save_role", "Access::save_user", "Access::authorize"];
    let reads = &[
        "Messages::page",
        "Messages::rejected",
        "Messages::attempts",
        "Explain::message",
        "Reports::packet",
        "Reports::campaign",
        "Reports::incoming",
        "CompanyLog::page",
        "Recipients::page",
        "Recipients::breakdown",
        "Reconcile::packet",
        "Check::packet",
        "Answers::likely_responders",
        "Answers::calibration",
    ];
    [case("keeping access", keeps, loaded, access), case("reading", reads, over, read)]
}

fn create(world: &World, campaign: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let campaigns = world.campaigns();
    let company = campaign.company;
    let (edit, run) = (world.scope(company, Action::EditCampaign), world.scope(company, Action::RunCampaign));
    Box::pin(async move {
        let made = campaigns.create(&edit, &material::document().to_string()).await.expect("made");
        campaigns.activate(&run, made.id).await.expect("activated");
    })
}

fn pause(world: &World, campaign: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let (campaigns, id, company) = (world.campaigns(), campaign.id, campaign.company);
    let [edit, run, view] = [Action::EditCampaign, Action::RunCampaign, Action::ViewReports]
        .map(|action| world.scope(company, action));
    Box::pin(async move {
        let version = campaigns.get(&view, id).await.expect("a campaign").version;
        let document = material::document_with(&[("/name", json!(format!("Visits {version}")))]);
        campaigns.edit(&edit, id, version, &document.to_string()).await.expect("edited");
        campaigns.pause(&run, id).await.expect("paused");
        campaigns.resume(&run, id).await.expect("resumed");
    })
}

fn cancel(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let (campaigns, packet) = (world.campaigns(), ready.packet());
    let run = world.scope(campaign.company, Action::RunCampaign);
    let rounds = take_down(world, ready);
    Box::pin(async move {
        // Once it has ended, a repeated cancellation is refused.
        let _ = campaigns.cancel_packet(&run, packet).await;
        rounds.await;
    })
}

fn remove(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let (campaigns, id) = (world.campaigns(), campaign.id);
    let run = world.scope(campaign.company, Action::RunCampaign);
    let rounds = take_down(world, ready);
    Box::pin(async move {
        campaigns.remove(&run, id).await.expect("removed");
        rounds.await;
    })
}

fn take_down(world: &World, ready: &Ready) -> BoxFuture<'static, ()> {
    let (worker, pollers) = world.idle_worker(ready.process);
    drop(worker);
    let fleet = Fleet::new(&world.ports, &world.settings, pollers);
    let scope = world.platform_scope();
    Box::pin(async move {
        for _ in 0..2 {
            fleet.tend(&scope).await.expect("tended");
        }
    })
}

fn call(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let (worker, pollers) = world.idle_worker(ready.process);
    drop(worker);
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let on_demand = OnDemand::new(&world.ports, &world.settings, campaigns, pollers);
    let (scope, id) = (world.scope(campaign.company, Action::SendOnDemand), campaign.id);
    let view = world.scope(campaign.company, Action::SendOnDemand);
    Box::pin(async move {
        let receipt = on_demand.send(&scope, id, &line(0)).await.expect("called");
        let asked =
            on_demand.outcome(&view, receipt.packet, CallProgress::Settled, Duration::from_millis(50));
        let _ = asked.await;
    })
}

fn unsubscribe(world: &World, campaign: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let service = Unsubscribes::new(&world.ports);
    let scope = world.scope(campaign.company, Action::ManageUnsubscribes);
    let contact = ContactPoint::Sms(PhoneNumber::parse(&material::number(0), None).expect("a number"));
    Box::pin(async move {
        let key = contact.refusal_key();
        // A repetition changes nothing.
        let (WriteOutcome::Applied | WriteOutcome::Stale) =
            service.change(&scope, key.clone(), UnsubscribeChange::OptedOut).await.expect("changed");
        service.history(&scope, &key).await.expect("read");
    })
}

fn restore(world: &World, _: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let (fence, scope) = (RestoreFence::new(&world.ports), world.operator_scope());
    Box::pin(async move {
        fence.raise(&scope, RestoreEpoch::default()).await.expect("raised");
        assert!(fence.fenced(&scope, None, 10).await.expect("listed").items.len() <= 1);
        let release = fence.release_all(&scope).await.expect("released");
        assert_eq!((release.failed, release.discrepant.len()), (0, 0));
    })
}

fn restore_a_packet(world: &World, _: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let (fence, scope) = (RestoreFence::new(&world.ports), world.operator_scope());
    Box::pin(async move {
        // A repetition may be another restore, at the same instant.
        let last = fence.last(&scope).await.expect("read");
        fence.raise(&scope, last.epoch).await.expect("raised");
        for fenced in fence.fenced(&scope, None, 10).await.expect("listed").items {
            let release = fence.release(&scope, fenced.company, fenced.packet).await.expect("released");
            assert_eq!(release.discrepancies, []);
        }
    })
}

fn access(world: &World, campaign: &Campaign, _: &Ready) -> BoxFuture<'static, ()> {
    let (access, scope, now) = (Access::new(&world.ports), world.operator_scope(), world.now());
    let company =
        Company { id: world.ports.ids.next(now), name: "Other".to_owned(), server_name: "memory".to_owned() };
    let actions = [Action::ViewReports].into();
    let role = Role {
        id: world.ports.ids.next(now),
        name: "Desk".to_owned(),
        actions,
        companies: [campaign.company].into(),
    };
    let user = User {
        id: world.ports.ids.next(now),
        name: "Ann".to_owned(),
        roles: [role.id].into(),
        suspended: false,
    };
    let of = campaign.company;
    Box::pin(async move {
        access.save_company(&scope, &company).await.expect("saved");
        access.save_role(&scope, &role).await.expect("saved");
        access.save_user(&scope, &user).await.expect("saved");
        access.authorize(Actor::User(user.id), Action::ViewReports, of).await.expect("granted");
    })
}

fn read(world: &World, campaign: &Campaign, ready: &Ready) -> BoxFuture<'static, ()> {
    let (company, packet, id, now) = (campaign.company, ready.packet(), campaign.id, world.now());
    let [reports, messages] =
        [Action::ViewReports, Action::ViewMessages].map(|action| world.scope(company, action));
    let ports = world.ports.clone();
    Box::pin(async move {
        let service = Messages::new(&ports);
        let page = service.page(&messages, packet, None, 100).await.expect("listed");
        let rejected = service.rejected(&messages, packet, RowNumber(0), 10).await.expect("listed");
        assert_eq!(rejected.items, []);
        for record in page.items.iter().take(2) {
            service.attempts(&messages, packet, record.message.id).await.expect("listed");
            Explain::new(&ports).message(&messages, packet, record.message.id).await.expect("explained");
        }
        Reports::new(&ports).packet(&reports, packet).await.expect("a report");
        Reports::new(&ports).campaign(&reports, id).await.expect("a report");
        Reports::new(&ports).incoming(&reports).await.expect("counted");
        let during = now - TimeDelta::days(30)..now + TimeDelta::days(1);
        let log = CompanyLog::new(&ports).page(&reports, during, None, 10).await.expect("listed");
        assert!(!log.items.is_empty());
        let (recipients, all) = (Recipients::new(&ports), ReportOn::Campaign(id));
        recipients.breakdown(&reports, all).await.expect("counted");
        let page = recipients.page(&messages, all, None, 10).await.expect("listed");
        assert!(!page.items.is_empty());
        recipients.csv(messages, all).try_collect::<Vec<_>>().await.expect("written");
        Reconcile::new(&ports).packet(&messages, packet).await.expect("reconciled");
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
        Check::new(&ports, campaigns).packet(&messages, packet).await.expect("checked");
        let answers = Answers::new(&ports);
        answers.likely_responders(&messages, Goal::Answer, 10).await.expect("ranked");
        answers.calibration(&reports, Goal::Answer, now - TimeDelta::days(1)).await.expect("calibrated");
    })
}
