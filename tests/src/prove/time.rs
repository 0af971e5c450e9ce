//! Planning, against a second implementation on another library of time zones: see `docs/proof.md`.

mod changed;
mod deliveries;
mod oracle;
mod rows;
mod spans;
mod terms;
mod zones;

use self::spans::Span;
use self::zones::{Change, Zone};
use super::spread::spread;
use super::{Extent, Failure, Order, Proof};

/// How many changes of clocks are tried by a test run; a long run tries all.
const SHORT: u64 = 300;
/// Of the remarkable changes, each so-many-th is tried by a test run.
const REMARKABLE_EVERY: usize = 7;

/// How many rows are drawn for each change, by a test run and by a long one.
const ROWS: [usize; 2] = [24, 100];
/// A change at which the data of the two differ.
const LEFT_OUT: &str = "left out, as the data differ";
/// What must have happened.
const FIRED: [&str; 29] = [
    "answer at once",
    "answer that waits",
    "clock that does not change",
    "day that is skipped",
    "delivery for two days",
    "delivery over a change of the clock",
    "delivery that ends with the appointment",
    "delivery within the notice",
    "gap of an hour",
    "gap of less",
    "gap of two hours or more",
    "message caught up",
    "message too late",
    "overlap of an hour",
    "overlap of less",
    "overlap of two hours or more",
    "plan at its base",
    "plan caught up",
    "plan given up for a nearer one of the day",
    "plan moved earlier",
    "plan moved later",
    "plan moved to the nearest, earlier",
    "plan moved to the nearest, later",
    "plan past due",
    "plan skipped, as the campaign says",
    "plan under a rule pack",
    "plan with a margin until closing",
    "plan without a legal instant",
    "two zones",
];

/// Compares planning around changes of clocks. The seed is the number of a change: the remarkable ones first, then all others
/// in an order that mixes zones and years.
///
/// # Errors
///
/// A zone that jiff does not know.
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let zones = chrono_tz::TZ_VARIANTS.iter().map(|tz| Zone::read(*tz)).collect::<Result<Vec<_>, _>>()?;
    let found = changed::found(&zones);
    eprintln!("  chrono-tz has the time zones of {}, jiff those of {}", changed::ours(), changed::theirs());
    for (name, since) in &found {
        eprintln!("  {name}: left out where it differs, since {since}, by {}", changed::release_of(name));
    }
    let mut proof = compare(&zones, order)?;
    proof.violations.extend(changed::unexplained(&found));
    if order.count.is_none() {
        for what in FIRED {
            proof.fired.entry(what).or_default();
        }
    }
    Ok(proof)
}

fn compare(zones: &[Zone], order: &Order) -> Result<Proof, Failure> {
    let spans = mixed(zones);
    let packs = terms::rule_pack()?;
    let rules = terms::binding(&packs)?;
    let rows = match order.extent {
        Extent::Short => ROWS[0],
        Extent::Long => ROWS[1],
    };
    let all = u64::try_from(spans.len())?;
    let seeds = order.seeds(SHORT, all);
    let attempt = |seed: u64| {
        let (zone, change) = spans[usize::try_from(seed).expect("few")];
        let span = Span { seed, zone, other: partner(zones, seed), change };
        if !zone.agrees(change.at, spans::AGREE, spans::AGREE) {
            return Proof { fired: [(LEFT_OUT, 1)].into(), ..Proof::default() };
        }
        let mut proof = span.compare(&rules);
        if zone.agrees(change.at, rows::AGREE, rows::AGREE) {
            let of_rows = rows::compare(&span, &rules, rows);
            proof.count += of_rows.count;
            proof.fired.extend(of_rows.fired);
            proof.violations.extend(of_rows.violations);
        }
        proof
    };
    let mut proof = spread(seeds.start.min(all)..seeds.end.min(all), attempt);
    proof.unit = "instants";
    Ok(proof)
}

/// Every change of every zone: some of the remarkable ones first, then all others, mixed.
fn mixed(zones: &[Zone]) -> Vec<(&Zone, Change)> {
    let all = zones.iter().flat_map(|zone| zone.changes.iter().map(move |change| (zone, *change)));
    let (remarkable, usual): (Vec<_>, Vec<_>) =
        all.partition(|(_, change)| !matches!(change.by.abs(), 0 | 3_600));
    let (first, rest): (Vec<_>, Vec<_>) =
        remarkable.into_iter().enumerate().partition(|(number, _)| number % REMARKABLE_EVERY == 0);
    // A step that has no divisor in common with their number visits all of them.
    let count = usual.len();
    let step = (count * 618 / 1_000..=count + 1).find(|step| divisor(*step, count) == 1).unwrap_or(1);
    let usual = (0..count).filter_map(|number| usual.get(number * step % count).copied());
    let (first, rest) =
        (first.into_iter().map(|(_, change)| change), rest.into_iter().map(|(_, change)| change));
    first.chain(usual).chain(rest).collect()
}

fn divisor(one: usize, other: usize) -> usize {
    if other == 0 { one } else { divisor(other, one % other) }
}

/// A zone in which somebody may be as well: one whose data agree everywhere.
fn partner(zones: &[Zone], seed: u64) -> &Zone {
    let start = usize::try_from(seed.wrapping_mul(7_919) % 100_003).expect("few");
    let turned = zones.iter().cycle().skip(start % zones.len());
    turned.take(zones.len()).find(|zone| zone.differs.is_empty()).unwrap_or(&zones[0])
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Africa, America, Antarctica, Asia, Australia, Pacific, Tz};

    use super::*;

    #[test]
    fn a_sample_is_planned_alike() {
        let names = [
            Africa::Casablanca,
            America::New_York,
            Antarctica::Troll,
            Asia::Kathmandu,
            Australia::Lord_Howe,
            Pacific::Apia,
            Tz::UTC,
        ];
        let zones: Vec<Zone> = names.into_iter().map(|tz| Zone::read(tz).unwrap()).collect();
        let order = Order { extent: Extent::Short, first_seed: 0, count: Some(8) };
        let proof = compare(&zones, &order).unwrap();
        assert_eq!(proof.violations, []);
        assert!(proof.count > 600_000, "{}", proof.count);
    }
}
