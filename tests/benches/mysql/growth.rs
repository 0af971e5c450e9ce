//! What a message costs as there are more of them, and of packets.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedMutRandom as _;
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::ids::PacketId;
use reminderly_core::ports::store::{HandOver, MaxCopies, MessageStore as _};
use reminderly_providers::sandbox::NamedPersona;
use reminderly_tests::report::{Failure, Report, micros_each};
use reminderly_tests::sending::Sending;

use crate::claims::claim_and_settle;
use crate::dispatch;
use crate::site::Site;

/// What is compared.
pub(crate) struct Sizes {
    /// Messages of a small run.
    pub(crate) few: usize,
    /// Messages of a large one.
    pub(crate) many: usize,
    /// Packets that are open at the same time, beside a run with eight.
    pub(crate) packets: usize,
}

/// Messages of a claim whose latency counts, and how many claims are timed.
const CLAIM: usize = 10;
const CLAIMS: usize = 1_000;

pub(crate) async fn measure(report: &mut Report, site: &Site, sizes: &Sizes) -> Result<(), Failure> {
    let Sizes { few, many, packets } = *sizes;
    let cost = async |messages: usize, packets: usize| -> Result<f64, Failure> {
        let run = dispatch::run(site, messages, packets).await?;
        let (plan, send) = (micros_each(run.plan, messages as u64), micros_each(run.time, messages as u64));
        println!("{messages} messages in {packets} packets: plan {plan:.0} µs, send {send:.0} µs each");
        Ok(plan + send)
    };
    // The first run warms the server up.
    cost(few, 8).await?;
    let small = cost(few, 8).await?;
    let large = cost(many, 8).await?;
    let ratio = large / small;
    let shown = format!("{small:.0} → {large:.0} µs each: × {ratio:.2}");
    report.add(
        &format!("plan, feed, send; {few} → {many} messages"),
        many as u64,
        shown,
        "≤ × 2",
        Some(2.0 / ratio),
    );
    let spread = cost(many, packets).await?;
    let ratio = spread / large;
    let shown = format!("{large:.0} → {spread:.0} µs each: × {ratio:.2}");
    report.add(&format!("the same; 8 → {packets} packets"), many as u64, shown, "≤ × 2", Some(2.0 / ratio));
    let (alone, among) = (latency(site, 1).await?, latency(site, packets).await?);
    let shown = format!("median {:.2?} → {:.2?}, p99 {:.2?} → {:.2?}", alone.0, among.0, alone.1, among.1);
    let ratio = among.1.as_secs_f64() / alone.1.as_secs_f64();
    let what = format!("a claim of {CLAIM} and its settlement; 1 → {packets} open packets");
    report.add(&what, CLAIMS as u64, shown, "p99 flat (≤ × 1.25)", Some(1.25 / ratio));
    Ok(())
}

/// The median and the 99th percentile of a claim and its settlement, one after the other, in packets that are drawn.
async fn latency(site: &Site, packets: usize) -> Result<(Duration, Duration), Failure> {
    let place = site.place().await?;
    let store = place.store(2).await?;
    let sending = Sending::with_store(NamedPersona::Silent, Arc::new(store.clone())).await?;
    let each = (CLAIM * CLAIMS).div_ceil(packets);
    let clock = SystemClock::new();
    let mut open: Vec<(PacketId, Vec<_>)> = Vec::new();
    for number in 0..packets {
        let (packet, _) = sending.add_packet(number, each).await?;
        let now = clock.now();
        let (copy_until, max_copies) = (now + TimeDelta::hours(1), MaxCopies::each(each));
        let mut ids = Vec::new();
        while ids.len() < each {
            let terms = HandOver { now, copy_until, limit: 1_000, max_copies };
            let handed = store.hand_over(sending.company, packet, terms).await?;
            if handed.due.is_empty() {
                return Err("nothing is due".into());
            }
            ids.extend(handed.due.into_iter().map(|due| due.id));
        }
        open.push((packet, ids));
    }
    let (mut random, mut times) = (StdRng::seed_from_u64(5), Vec::new());
    while let Some((packet, ids)) = open.choose_mut(&mut random) {
        let slice = ids.split_off(ids.len().saturating_sub(CLAIM));
        let start = clock.monotonic();
        claim_and_settle(&store, sending.company, *packet, &slice).await?;
        times.push(clock.monotonic().since(start));
        open.retain(|(_, ids)| !ids.is_empty());
    }
    store.close().await;
    place.clear().await?;
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Ok((at(50), at(99)))
}
