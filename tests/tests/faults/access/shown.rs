//! What shows things, and what callers do.

use std::sync::Arc;

use futures::TryStreamExt as _;
use reminderly_core::domain::access::{Action, CompanyScope};
use reminderly_core::domain::answers::Goal;
use reminderly_core::domain::log_entry::Deed;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::services::{
    Answers, CallProgress, Check, CompanyLog, CompiledCampaigns, Explain, Forecasts, Messages, OnDemand,
    Recipients, Reconcile, ReportOn, Reports, Unsubscribes,
};
use reminderly_tests::material;
use reminderly_tests::world::callers::line;
use reminderly_tests::world::instant;

use super::{NoPollers, Victim, Walked, contact, walked};

/// What runs campaigns and shows them.
pub(super) fn office<'a>(victim: &'a Victim, scope: &'a CompanyScope) -> Vec<Walked<'a>> {
    use Action::{EditCampaign, ManageUnsubscribes, RunCampaign, ViewMessages, ViewReports};
    let Victim { world, campaign, packet, message, .. } = victim;
    let (ports, campaigns) = (&world.ports, world.campaigns());
    let (id, packet, message) = (campaign.id, *packet, *message);
    let on = move |name, change: u8| {
        let campaigns = campaigns.clone();
        walked(name, &[RunCampaign], async move {
            match change {
                0 => campaigns.activate(scope, id).await,
                1 => campaigns.pause(scope, id).await,
                2 => campaigns.resume(scope, id).await,
                _ => campaigns.remove(scope, id).await,
            }
            .map(|_| true)
        })
    };
    let campaigns = world.campaigns();
    let (create, edit, get, cancel) = (campaigns.clone(), campaigns.clone(), campaigns.clone(), campaigns);
    let (reports, unsubscribes) = (Reports::new(ports), Unsubscribes::new(ports));
    let (report, incoming) = (reports.clone(), reports.clone());
    let history = unsubscribes.clone();
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
    let forecasts = Forecasts::new(ports, &world.settings, compiled);
    let (explain, reconcile) = (Explain::new(ports), Reconcile::new(ports));
    let document = material::document().to_string();
    let same = document.clone();
    vec![
        // For a company of its own, this does something, and to the other nothing.
        walked("campaigns::create", &[EditCampaign], async move {
            create.create(scope, &document).await.map(|_| false)
        }),
        walked("campaigns::edit", &[EditCampaign], async move {
            edit.edit(scope, id, 1, &same).await.map(|_| true)
        }),
        walked("campaigns::get", &[ViewReports], async move { get.get(scope, id).await.map(|_| true) }),
        on("campaigns::activate", 0),
        on("campaigns::pause", 1),
        on("campaigns::resume", 2),
        on("campaigns::remove", 3),
        walked("campaigns::cancel_packet", &[RunCampaign], async move {
            cancel.cancel_packet(scope, packet).await.map(|_| true)
        }),
        walked("reports::packet", &[ViewReports], async move {
            reports.packet(scope, packet).await.map(|_| true)
        }),
        walked("forecasts::packet", &[ViewReports], async move {
            forecasts.packet(scope, packet).await.map(|_| true)
        }),
        walked(
            "reports::campaign",
            &[ViewReports],
            async move { report.campaign(scope, id).await.map(|_| true) },
        ),
        walked("reports::incoming", &[ViewReports], async move {
            Ok(incoming.incoming(scope).await?.total() > 0)
        }),
        walked("explain::message", &[ViewMessages], async move {
            explain.message(scope, packet, message).await.map(|_| true)
        }),
        walked("reconcile::packet", &[ViewMessages], async move {
            reconcile.packet(scope, packet).await.map(|_| true)
        }),
        walked("unsubscribes::change", &[ManageUnsubscribes], async move {
            let change = UnsubscribeChange::OptedOut;
            unsubscribes.change(scope, contact().refusal_key(), change).await.map(|_| false)
        }),
        walked("unsubscribes::history", &[ManageUnsubscribes], async move {
            // The change above is the caller's own.
            Ok(history.history(scope, &contact().refusal_key()).await?.len() > 1)
        }),
    ]
}

/// What shows who did what.
pub(super) fn logs<'a>(victim: &'a Victim, scope: &'a CompanyScope) -> Vec<Walked<'a>> {
    let Victim { world, campaign, packet, .. } = victim;
    let (log, id, packet) = (CompanyLog::new(&world.ports), campaign.id, *packet);
    vec![walked("company_log::page", &[Action::ViewReports], async move {
        let during = instant("2026-01-01T00:00:00Z")..instant("2027-01-01T00:00:00Z");
        // What the caller asks for in vain is in no log, and what it does for itself in its own.
        let own = log.page(scope, during, None, 100).await?;
        Ok(own.items.iter().any(|entry| match entry.deed {
            Deed::Campaign(campaign, _) => campaign == id,
            Deed::Packet(of, _) => of == packet,
        }))
    })]
}

/// What shows messages one by one.
pub(super) fn recipients<'a>(victim: &'a Victim, scope: &'a CompanyScope) -> Vec<Walked<'a>> {
    let service = Recipients::new(&victim.world.ports);
    let (breakdown, csv) = (service.clone(), service.clone());
    let (packet, all) = (ReportOn::Packet(victim.packet), ReportOn::Campaign(victim.campaign.id));
    vec![
        walked("recipients::breakdown", &[Action::ViewReports], async move {
            breakdown.breakdown(scope, packet).await.map(|_| true)
        }),
        walked("recipients::page", &[Action::ViewMessages], async move {
            service.page(scope, all, None, 9).await.map(|_| true)
        }),
        walked("recipients::csv", &[Action::ViewMessages], async move {
            csv.csv(*scope, all).try_collect::<Vec<_>>().await.map(|_| true)
        }),
    ]
}

/// What callers do.
pub(super) fn callers<'a>(victim: &'a Victim, scope: &'a CompanyScope) -> Vec<Walked<'a>> {
    let Victim { world, campaign, call, .. } = victim;
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let send = OnDemand::new(&world.ports, &world.settings, compiled, Arc::new(NoPollers));
    let outcome = send.clone();
    let id = campaign.id;
    vec![
        walked("on_demand::send", &[Action::SendOnDemand], async move {
            send.send(scope, id, &line(9)).await.map(|_| true)
        }),
        walked("on_demand::outcome", &[Action::SendOnDemand, Action::ViewMessages], async move {
            let open = CallProgress::Open;
            outcome.outcome(scope, *call, open, std::time::Duration::ZERO).await.map(|_| true)
        }),
    ]
}

/// What lists a packet's messages.
pub(super) fn listings<'a>(victim: &'a Victim, scope: &'a CompanyScope) -> Vec<Walked<'a>> {
    let (packet, message) = (victim.packet, victim.message);
    let service = || Messages::new(&victim.world.ports);
    let (likely, calibration) = (Answers::new(&victim.world.ports), Answers::new(&victim.world.ports));
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&victim.world.ports.store)));
    let check = Check::new(&victim.world.ports, compiled);
    let split = instant("2026-03-04T00:00:00Z");
    let (pages, attempts, rejected) = (service(), service(), service());
    vec![
        walked("answers::likely_responders", &[Action::ViewMessages], async move {
            Ok(!likely.likely_responders(scope, Goal::Answer, 10).await?.is_empty())
        }),
        walked("answers::calibration", &[Action::ViewReports], async move {
            Ok(calibration.calibration(scope, Goal::Answer, split).await?.contacts > 0)
        }),
        walked("check::packet", &[Action::ViewMessages], async move {
            check.packet(scope, packet).await.map(|_| true)
        }),
        walked("messages::page", &[Action::ViewMessages], async move {
            Ok(!pages.page(scope, packet, None, 10).await?.items.is_empty())
        }),
        walked("messages::attempts", &[Action::ViewMessages], async move {
            Ok(!attempts.attempts(scope, packet, message).await?.is_empty())
        }),
        walked("messages::rejected", &[Action::ViewMessages], async move {
            Ok(!rejected.rejected(scope, packet, RowNumber::default(), 10).await?.items.is_empty())
        }),
    ]
}
