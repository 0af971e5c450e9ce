//! Cost per message as messages and packets grow.

use std::time::Duration;

use futures::executor::block_on;
use reminderly_providers::sandbox::NamedPersona;
use reminderly_tests::sending::Sending;

use reminderly_tests::report::{Failure, Report, median, micros_each};

/// The cost per message may grow to this.
const GOAL: f64 = 2.0;

/// Messages, and the packets that they are spread over.
type Shape = (usize, usize);

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    plan: Duration,
    feed: Duration,
    dispatch: Duration,
}

pub(crate) fn measure(
    report: &mut Report,
    messages: &[usize],
    packets: usize,
    runs: usize,
) -> Result<(), Failure> {
    let [few, many] = messages else { return Err("expected two numbers of messages".into()) };
    let shapes: [Shape; 3] = [(*few, 1), (*many, 1), (*many, packets.max(1))];
    let [small, large, spread] = shapes.map(|shape| cost_of(shape, many / shape.0.max(1), runs));
    let (small, large, spread) = (small?, large?, spread?);
    let names = [format!("{few} → {many} messages"), format!("1 → {packets} packets")];
    for (name, (before, after)) in [(names.first(), (small, large)), (names.last(), (large, spread))] {
        // Each shape handles as many messages in all.
        let all = *many as u64;
        for (stage, of) in [
            ("plan", (|cost| cost.plan) as fn(Cost) -> Duration),
            ("feed", |cost| cost.feed),
            ("dispatch", |cost| cost.dispatch),
        ] {
            let (from, to) = (micros_each(of(before), all), micros_each(of(after), all));
            let what = format!("{stage}: {}", name.map_or("", String::as_str));
            let growth = to / from;
            let median = format!("{from:.2} → {to:.2} µs each: × {growth:.2}");
            report.add(&what, all, median, "≤ × 2", Some(GOAL / growth));
        }
    }
    Ok(())
}

fn cost_of(shape: Shape, times: usize, runs: usize) -> Result<Cost, Failure> {
    let costs = (0..runs.max(1)).map(|_| block_on(run(shape, times))).collect::<Result<Vec<_>, _>>()?;
    let of = |stage: fn(&Cost) -> Duration| median(costs.iter().map(stage).collect()).unwrap_or_default();
    Ok(Cost { plan: of(|cost| cost.plan), feed: of(|cost| cost.feed), dispatch: of(|cost| cost.dispatch) })
}

/// So many deployments of a shape, one after the other. None goes before the end: otherwise small ones would be made of memory
/// that the system has given already, and large ones of fresh memory, which costs more than planning.
async fn run(shape: Shape, times: usize) -> Result<Cost, Failure> {
    let (messages, packets) = shape;
    let mut kept = Vec::with_capacity(times);
    let mut cost = Cost::default();
    for _ in 0..times {
        let sending = Sending::new(NamedPersona::Silent).await?;
        let mut ids = Vec::with_capacity(packets);
        for number in 0..packets {
            let (packet, spent) = sending.add_packet(number, messages / packets).await?;
            cost.plan += spent;
            ids.push(packet);
        }
        let spent = sending.send_all(&ids).await?;
        cost.feed += spent.feed;
        cost.dispatch += spent.dispatch;
        kept.push(sending);
    }
    println!("{times} × {messages} messages in {packets} packets: {cost:?}");
    Ok(cost)
}
