//! Ingest, map, plan and render with a store that discards.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::try_join;
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::domain::access::{Action, Actor, Grants, authorize};
use reminderly_core::ports::source::PacketSource as _;
use reminderly_core::services::{CompiledCampaigns, Ingest, Mapping, Prepared, QueueNames, Settings};
use reminderly_tests::discarding_store::{DiscardingStore, Tally};
use reminderly_tests::example::Methods;
use reminderly_tests::generated_file::{FILE, GeneratedFile};
use reminderly_tests::intake::{ports, set_up};
use reminderly_tests::table::grouped;

use reminderly_tests::report::{Failure, Report, median, micros_each, peak_memory_kib, processor_time, rate};

const GOAL: Duration = Duration::from_secs(15);
const GOAL_ROWS: u32 = 1_000_000;
const GOAL_KIB: u64 = 64 << 10;

struct Run {
    /// From the first look at the file to the last dropped message.
    whole: Duration,
    /// Of it: the digest of the file.
    prepare: Duration,
    /// Processor time.
    busy: Duration,
    tally: Tally,
}

pub(crate) fn measure(report: &mut Report, rows: u64, methods: Methods, runs: usize) -> Result<(), Failure> {
    let file = GeneratedFile::new(rows);
    let (mut wholes, mut busies) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        let Run { whole, prepare, busy, tally } = block_on(run(&file, methods))?;
        println!("{}: {whole:.2?}, processor {busy:.2?}, prepare {prepare:.2?}; {tally:?}", methods.as_str());
        wholes.push(whole);
        busies.push(busy);
    }
    let busy = median(busies).unwrap_or_default();
    let whole = median(wholes).unwrap_or_default();
    let goal = GOAL.mul_f64(micros_each(Duration::from_micros(rows), u64::from(GOAL_ROWS)));
    let what = format!("ingest, map, plan, render ({})", methods.as_str());
    let median = format!("{whole:.2?} ({:.0} rows/s); processor {busy:.2?}", rate(rows, whole));
    let ratio = goal.as_secs_f64() / whole.as_secs_f64();
    report.add(&what, rows, median, &format!("≤ {:.2} s", goal.as_secs_f64()), Some(ratio));
    let reading = block_on(read_through(&file))?;
    report.add("… of it making the file, three times", rows, format!("{:.2?}", reading * 3), "-", None);
    Ok(())
}

pub(crate) fn measure_memory(report: &mut Report, bytes: u64) -> Result<(), Failure> {
    let file = GeneratedFile::of_bytes(bytes);
    let before = peak_memory_kib().unwrap_or_default();
    let Run { whole, tally, .. } = block_on(run(&file, Methods::FirstAvailable))?;
    let peak = peak_memory_kib().ok_or("the system does not say how much memory was used")?;
    println!("{} rows in {whole:.1?}; peak before: {} KiB; {tally:?}", grouped(file.rows()), grouped(before));
    #[expect(clippy::cast_precision_loss, reason = "kibibytes of one process")]
    let ratio = GOAL_KIB as f64 / peak as f64;
    let what = format!("peak memory for a file of {} MiB", bytes >> 20);
    report.add(
        &what,
        file.rows(),
        format!("{:.1} MiB", micros_each(Duration::from_micros(peak), 1_024)),
        "≤ 64 MiB",
        Some(ratio),
    );
    Ok(())
}

/// How long making the file takes, once.
async fn read_through(file: &GeneratedFile) -> Result<Duration, Failure> {
    let clock = SystemClock::new();
    let start = clock.monotonic();
    let mut reader = file.open(FILE, 0).await?;
    let mut chunk = Vec::new();
    while reader.read(&mut chunk, 64 << 10).await? > 0 {
        chunk.clear();
    }
    Ok(clock.monotonic().since(start))
}

async fn run(file: &GeneratedFile, methods: Methods) -> Result<Run, Failure> {
    let discarding = DiscardingStore::default();
    let ingest_side = discarding.ingest_side();
    let (company, campaign) = set_up(&*ingest_side, methods).await?;
    let settings = Settings::new(QueueNames::of_deployment("figures")?);
    let ingest = Ingest::new(&ports(ingest_side), &settings);
    let ports = ports(discarding.mapping_side());
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
    let mapping = Mapping::new(&ports, &settings, campaigns);
    let scope = authorize(Actor::Worker, Action::Operate, company, &Grants::default())?;

    let clock = SystemClock::new();
    let (start, busy) = (clock.monotonic(), processor_time());
    let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) =
        ingest.prepare(&scope, campaign, file, FILE).await?;
    let prepare = clock.monotonic().since(start);
    let (mut loading, mut mapping_on) = (|_| {}, |_| {});
    let load = ingest.load(&scope, packet.id, file, &mut loading);
    let map = async {
        // A file that has no header never opens, and then `load` says so.
        discarding.opened().await.ok();
        mapping.map(&scope, packet.id, &mut mapping_on).await
    };
    try_join(load, map).await?;
    let (whole, busy) = (clock.monotonic().since(start), processor_time().saturating_sub(busy));
    Ok(Run { whole, prepare, busy, tally: discarding.tally() })
}
