//! Claims with all their guards, and settlements, through the store.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::try_join_all;
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::domain::attempt::ProviderReference;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::{CompanyId, IdSourceExt as _, MessageId, PacketId, RandomIds};
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, ClaimTerms, HandOver, MaxCopies, MessageStore as _, SettleOutcome,
    SettleVerdict, Settlement,
};
use reminderly_mysql::MySqlStore;
use reminderly_providers::sandbox::NamedPersona;
use reminderly_tests::report::{Failure, Report, median, rate};
use reminderly_tests::sending::Sending;

use crate::bare::{self, Design};
use crate::site::Site;

/// What is claimed and settled.
pub(crate) struct Load {
    pub(crate) messages: usize,
    pub(crate) batch: usize,
    pub(crate) connections: usize,
}

/// The goal: this much of the rate of bare inserts.
const GOAL: f64 = 0.6;

pub(crate) async fn measure(
    report: &mut Report,
    site: &Site,
    load: &Load,
    runs: usize,
) -> Result<(), Failure> {
    let (mut ours, mut inserts, mut updates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        inserts.push(bare::run(site, load, Design::Inserts).await?);
        ours.push(run(site, load).await?);
        updates.push(bare::run(site, load, Design::Updates).await?);
        println!(
            "store {:.2?}, bare inserts {:.2?}, bare updates {:.2?}",
            ours.last(),
            inserts.last(),
            updates.last()
        );
    }
    let messages = load.messages as u64;
    let per_second = |times| rate(messages, median(times).unwrap_or_default());
    let (ours, inserts, updates) = (per_second(ours), per_second(inserts), per_second(updates));
    let batches = format!("batch {} × {}", load.batch, load.connections);
    report.add(
        &format!("claim, guards, settle; {batches}"),
        messages,
        format!("{ours:.0}/s"),
        "≥ 0.60 of bare inserts",
        Some(ours / inserts / GOAL),
    );
    report.add(
        &format!("bare inserts; {batches}"),
        messages,
        format!("{inserts:.0}/s; store {:.2} of it", ours / inserts),
        "-",
        None,
    );
    report.add(
        &format!("bare updates; {batches}"),
        messages,
        format!("{updates:.0}/s; store {:.2} of it", ours / updates),
        "-",
        None,
    );
    Ok(())
}

async fn run(site: &Site, load: &Load) -> Result<Duration, Failure> {
    let place = site.place().await?;
    let store = place.store(u32::try_from(load.connections)?).await?;
    let sending = Sending::with_store(NamedPersona::Silent, Arc::new(store.clone())).await?;
    let (packet, _) = sending.add_packet(0, load.messages).await?;
    let ids = hand_over(&store, sending.company, packet, load.messages).await?;
    let clock = SystemClock::new();
    let start = clock.monotonic();
    // Slices lie beside each other, as those of a queue do.
    let workers = (0..load.connections).map(|worker| {
        let slices = ids.chunks(load.batch).skip(worker).step_by(load.connections);
        work(&store, sending.company, packet, slices)
    });
    try_join_all(workers).await?;
    let time = clock.monotonic().since(start);
    store.close().await;
    place.clear().await?;
    Ok(time)
}

async fn hand_over(
    store: &MySqlStore,
    company: CompanyId,
    packet: PacketId,
    messages: usize,
) -> Result<Vec<MessageId>, Failure> {
    let now = SystemClock::new().now();
    let max_copies = MaxCopies::each(messages);
    let terms = HandOver { now, copy_until: now + TimeDelta::hours(1), limit: 1_000, max_copies };
    let mut ids = Vec::new();
    while ids.len() < messages {
        let handed = store.hand_over(company, packet, terms).await?;
        if handed.due.is_empty() {
            return Err(format!("only {} messages were handed over", ids.len()).into());
        }
        ids.extend(handed.due.iter().map(|due| due.id));
    }
    Ok(ids)
}

async fn work(
    store: &MySqlStore,
    company: CompanyId,
    packet: PacketId,
    slices: impl Iterator<Item = &[MessageId]>,
) -> Result<(), Failure> {
    for slice in slices {
        claim_and_settle(store, company, packet, slice).await?;
    }
    Ok(())
}

/// Claims messages, and says that they were accepted.
pub(crate) async fn claim_and_settle(
    store: &MySqlStore,
    company: CompanyId,
    packet: PacketId,
    slice: &[MessageId],
) -> Result<(), Failure> {
    let clock = SystemClock::new();
    let now = clock.now();
    let requests: Vec<ClaimRequest> = slice
        .iter()
        .map(|message| ClaimRequest { message: *message, attempt: RandomIds.next(now) })
        .collect();
    let (start_by, answer_by) = (now + TimeDelta::seconds(1), now + TimeDelta::seconds(30));
    let terms =
        ClaimTerms { now, start_by, answer_by, provider: "sandbox".into(), method: ContactMethod::Sms };
    let claims = store.claim(company, packet, &requests, &terms).await?;
    let mut settlements = Vec::with_capacity(slice.len());
    for (message, claim) in slice.iter().zip(claims) {
        let ClaimOutcome::Claimed(claimed) = claim else { return Err(format!("{claim:?}").into()) };
        let verdict =
            SettleVerdict::Accepted { reference: Some(ProviderReference("SM0123456789abcdef".into())) };
        settlements.push(Settlement { message: *message, epoch: claimed.epoch, verdict, at: clock.now() });
    }
    for settled in store.settle(company, packet, &settlements).await? {
        if !matches!(settled, SettleOutcome::Applied(_)) {
            return Err(format!("{settled:?}").into());
        }
    }
    Ok(())
}
