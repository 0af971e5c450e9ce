//! Cost per message as messages and packets grow.

use std::time::Duration;

use futures::executor::block_on;
use reminderly_providers::sandbox::NamedPersona;
use reminderly_tests::sending::Sending;

use crate::report::{Failure, Report, median, micros_each};

/// The cost per message may grow to this.
const GOAL: f64 = 2.0;

/// How often a small run is repeated where a large one is measured once.
const SMALL_RUNS: usize = 7;

/// Messages, and the packets that they are spread over.
type Shape = (usize, usize);

#[derive(Clone, Copy)]
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
    // A small run is over in some ten milliseconds, in which much may happen on a shared machine: it is repeated more often.
    let [small, large, spread] =
        shapes.map(|shape| cost_of(shape, if shape.0 < *many { runs * SMALL_RUNS } else { runs }));
    let (small, large, spread) = (small?, large?, spread?);
    let names = [format!("{few} → {many} messages"), format!("1 → {packets} packets")];
    for (name, (before, after), (from, to)) in
        [(names.first(), (small, large), (*few, *many)), (names.last(), (large, spread), (*many, *many))]
    {
        for (stage, of) in [
            ("plan", (|cost| cost.plan) as fn(Cost) -> Duration),
            ("feed", |cost| cost.feed),
            ("dispatch", |cost| cost.dispatch),
        ] {
            let (from, to) = (micros_each(of(before), from as u64), micros_each(of(after), to as u64));
            let what = format!("{stage}: {}", name.map_or("", String::as_str));
            let growth = to / from;
            let median = format!("{from:.2} → {to:.2} µs each: × {growth:.2}");
            report.add(&what, *many as u64, median, "≤ × 2", Some(GOAL / growth));
        }
    }
    Ok(())
}

fn cost_of(shape: Shape, runs: usize) -> Result<Cost, Failure> {
    let costs = (0..runs.max(1)).map(|_| block_on(run(shape))).collect::<Result<Vec<_>, _>>()?;
    let of = |stage: fn(&Cost) -> Duration| median(costs.iter().map(stage).collect()).unwrap_or_default();
    Ok(Cost { plan: of(|cost| cost.plan), feed: of(|cost| cost.feed), dispatch: of(|cost| cost.dispatch) })
}

async fn run((messages, packets): Shape) -> Result<Cost, Failure> {
    let sending = Sending::new(NamedPersona::Silent).await?;
    let start = sending.ports.clock.monotonic();
    let mut plan = Duration::ZERO;
    let mut ids = Vec::with_capacity(packets);
    for number in 0..packets {
        let (packet, spent) = sending.add_packet(number, messages / packets).await?;
        plan += spent;
        ids.push(packet);
    }
    let set_up = sending.ports.clock.monotonic().since(start);
    let spent = sending.send_all(&ids).await?;
    println!(
        "{messages} messages in {packets} packets: set-up {set_up:.2?}, of it plan {plan:.2?}; {spent:?}"
    );
    Ok(Cost { plan, feed: spent.feed, dispatch: spent.dispatch })
}
