//! The way of messages that are due through everything: feed, claim, sandbox, settle, ack.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_providers::sandbox::NamedPersona;
use reminderly_tests::report::{Failure, Report, median, micros_each, processor_time, rate};
use reminderly_tests::sending::Sending;

use crate::site::Site;

const CONNECTIONS: u32 = 8;

/// At the same time; each has some of the packets.
const POLLERS: usize = 8;

pub(crate) async fn measure(
    report: &mut Report,
    site: &Site,
    messages: usize,
    packets: usize,
    runs: usize,
) -> Result<(), Failure> {
    let (mut times, mut busies) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        let Run { time, busy, .. } = run(site, messages, packets).await?;
        println!("dispatch {time:.2?}, processor of this process {busy:.2?}");
        times.push(time);
        busies.push(busy);
    }
    let messages = messages as u64;
    let (time, busy) = (median(times).unwrap_or_default(), median(busies).unwrap_or_default());
    let measured =
        format!("{:.0}/s; processor {:.1} µs each", rate(messages, time), micros_each(busy, messages));
    report.add(
        &format!("feed, claim, sandbox, settle, ack; {packets} packets"),
        messages,
        measured,
        "-",
        None,
    );
    Ok(())
}

/// What messages take.
pub(crate) struct Run {
    /// Making them: the store's part of planning.
    pub(crate) plan: Duration,
    /// Feeding and sending them.
    pub(crate) time: Duration,
    /// Processor time of this process for that.
    busy: Duration,
}

pub(crate) async fn run(site: &Site, messages: usize, packets: usize) -> Result<Run, Failure> {
    let place = site.place().await?;
    let store = place.store(CONNECTIONS).await?;
    let sending = Sending::with_store(NamedPersona::Silent, Arc::new(store.clone())).await?;
    let each = messages / packets.max(1);
    let (mut made, mut plan) = (Vec::new(), Duration::ZERO);
    for number in 0..packets {
        let (packet, planning) = sending.add_packet(number, each).await?;
        made.push(packet);
        plan += planning;
    }
    let (clock, busy) = (SystemClock::new(), processor_time());
    let start = clock.monotonic();
    let pollers =
        made.chunks(packets.div_ceil(POLLERS).max(1)).map(|packets| {
            let (sending, packets) = (sending.clone(), packets.to_vec());
            async move {
                tokio::spawn(async move { sending.send_all(&packets).await }).await?.map_err(Failure::from)
            }
        });
    let spent = try_join_all(pollers).await?;
    let (time, busy) = (clock.monotonic().since(start), processor_time().saturating_sub(busy));
    let (feed, dispatch) = (
        spent.iter().map(|spent| spent.feed).sum::<Duration>(),
        spent.iter().map(|spent| spent.dispatch).sum::<Duration>(),
    );
    println!("all pollers together: feed {feed:.2?}, dispatch {dispatch:.2?}");
    let accepted = sending.sandbox.accepted_count();
    if accepted != (each * packets) as u64 {
        return Err(format!("only {accepted} messages were sent").into());
    }
    store.close().await;
    place.clear().await?;
    Ok(Run { plan, time, busy })
}
