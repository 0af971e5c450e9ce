//! Sending on memory adapters.

use std::time::Duration;

use futures::executor::block_on;
use reminderly_core::ids::PacketId;
use reminderly_providers::sandbox::NamedPersona;
use reminderly_tests::sending::{Sending, Spent};

use reminderly_tests::report::{Failure, Report, median, micros_each, processor_time, rate};

/// The goal, messages a second on two cores.
const GOAL: f64 = 100_000.0;

/// What is sent.
pub(crate) struct Load {
    pub(crate) messages: usize,
    pub(crate) packets: usize,
    pub(crate) threads: usize,
    pub(crate) persona: NamedPersona,
}

pub(crate) fn measure(report: &mut Report, load: &Load, runs: usize) -> Result<(), Failure> {
    let (mut times, mut busies) = (Vec::new(), Vec::new());
    let mut sent = 0;
    for _ in 0..runs.max(1) {
        let (time, busy, accepted) = run(load)?;
        sent = accepted;
        times.push(time);
        busies.push(busy);
    }
    let busy = micros_each(median(busies).unwrap_or_default(), sent);
    let time = median(times).unwrap_or_default();
    let rate = rate(sent, time);
    let what = format!("feed, claim, sandbox ({}), settle, ack; {} threads", load.persona, load.threads);
    report.add(
        &what,
        sent,
        format!("{rate:.0} messages/s; processor {busy:.2} µs each"),
        "≥ 100000/s",
        Some(rate / GOAL),
    );
    Ok(())
}

/// The time of sending, the processor time, and how many messages went.
fn run(load: &Load) -> Result<(Duration, Duration, u64), Failure> {
    let sending = block_on(Sending::new(load.persona))?;
    let clock = &sending.ports.clock;
    let start = clock.monotonic();
    let each = load.messages / load.packets.max(1);
    let mut packets = Vec::new();
    for number in 0..load.packets {
        packets.push(block_on(sending.add_packet(number, each))?.0);
    }
    let set_up = clock.monotonic().since(start);
    let (start, busy) = (clock.monotonic(), processor_time());
    let spent = on_threads(&sending, &packets, load.threads)?;
    let (time, busy) = (clock.monotonic().since(start), processor_time().saturating_sub(busy));
    println!("{}: set-up {set_up:.2?}, sent in {time:.2?}; all threads: {spent:?}", load.persona);
    let accepted = sending.sandbox.accepted_count();
    if accepted != (each * load.packets) as u64 {
        return Err(format!("only {accepted} messages were sent").into());
    }
    Ok((time, busy, accepted))
}

/// Each thread has packets of its own, as pollers have.
fn on_threads(sending: &Sending, packets: &[PacketId], threads: usize) -> Result<Spent, Failure> {
    let share = packets.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = packets
            .chunks(share)
            .map(|packets| scope.spawn(move || block_on(sending.send_all(packets))))
            .collect();
        let mut all = Spent::default();
        for worker in workers {
            let spent = worker.join().map_err(|_| "a thread panicked")??;
            all.feed += spent.feed;
            all.dispatch += spent.dispatch;
        }
        Ok(all)
    })
}
