//! Everything, from the file to the last report, on memory adapters.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::ids::PacketId;
use reminderly_core::ports::store::MessageStore as _;
use reminderly_core::services::{Ingest, PacketReport, Prepared, Reports};
use reminderly_providers::sandbox::AcceptedLog;
use reminderly_tests::example::{Methods, document};
use reminderly_tests::generated_file::{FILE, GeneratedFile};
use reminderly_tests::table::grouped;
use reminderly_tests::world::{Setup, World, instant};

use reminderly_tests::report::{Failure, Report, micros_each, peak_memory_kib, processor_time};

/// Goals for a million messages.
const GOAL: Duration = Duration::from_secs(90);
const GOAL_KIB: u64 = 2 << 20;

/// Messages that are looked at at a time.
const PAGE: usize = 10_000;

/// What became of the messages.
#[derive(Debug, Default)]
struct Account {
    statuses: BTreeMap<MessageStatus, u64>,
    messages: u64,
    attempts: u64,
    attempts_most: u64,
}

pub(crate) fn measure(report: &mut Report, rows: u64) -> Result<(), Failure> {
    let setup =
        Setup { start: instant("2026-03-01T17:00:00Z"), log: AcceptedLog::Counting, ..Setup::default() };
    let mut world = World::new(&setup);
    let company = world.company();
    let campaign = world.campaign(company, &serde_json::from_str(&document(Methods::FirstAvailable))?);

    let clock = SystemClock::new();
    let (start, busy) = (clock.monotonic(), processor_time());
    let packet = load(&world, &campaign, rows)?;
    let loaded = clock.monotonic().since(start);
    world.start_worker();
    let last = world.now() + TimeDelta::days(70);
    world.settle();
    while !world.is_done() {
        if !world.advance(last) {
            return Err(format!("not everything ended until {last}: {:?}", world.open_packets()).into());
        }
        world.settle();
    }
    let (whole, busy) = (clock.monotonic().since(start), processor_time().saturating_sub(busy));
    let peak = peak_memory_kib().ok_or("the system does not say how much memory was used")?;

    let account = account(&world, &campaign, packet)?;
    let (accepted, reports) = (world.sandbox.accepted_count(), world.accepted_callbacks);
    println!(
        "loaded in {loaded:.1?}; {} accepted, {} callbacks; {account:?}",
        grouped(accepted),
        grouped(reports)
    );
    let scope = world.scope(company, Action::ViewReports);
    let result = block_on(Reports::new(&world.ports).packet(&scope, packet))?;
    check(&account, &result, accepted, rows)?;
    let goal = GOAL.mul_f64(micros_each(Duration::from_micros(account.messages), 1_000_000));
    let median = format!("{whole:.1?}; processor {busy:.1?}");
    let ratio = goal.as_secs_f64() / whole.as_secs_f64();
    let what = format!("file of {} rows to the last report, one thread", grouped(rows));
    report.add(&what, account.messages, median, &format!("≤ {:.0} s", goal.as_secs_f64()), Some(ratio));
    #[expect(clippy::cast_precision_loss, reason = "kibibytes of one process")]
    let ratio = GOAL_KIB as f64 / peak as f64;
    report.add(
        "peak memory of that",
        account.messages,
        format!("{} MiB", peak >> 10),
        "≤ 2048 MiB",
        Some(ratio),
    );
    Ok(())
}

fn load(world: &World, campaign: &Campaign, rows: u64) -> Result<PacketId, Failure> {
    let file = GeneratedFile::new(rows);
    let ingest = Ingest::new(&world.ports, &world.settings);
    let scope = world.scope(campaign.company, Action::Ingest);
    block_on(async {
        let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) =
            ingest.prepare(&scope, campaign.id, &file, FILE).await?;
        Ok(ingest.load(&scope, packet.id, &file, &mut |_| {}).await?.id)
    })
}

/// Looks at every message, and at every attempt that it had.
fn account(world: &World, campaign: &Campaign, packet: PacketId) -> Result<Account, Failure> {
    let mut account = Account::default();
    let mut after = None;
    block_on(async {
        loop {
            let page = world.store.messages(campaign.company, packet, after, PAGE).await?;
            for record in &page.items {
                *account.statuses.entry(record.state.status).or_default() += 1;
                account.messages += 1;
                let attempts = world.store.attempts(campaign.company, packet, record.message.id).await?;
                account.attempts += attempts.len() as u64;
                account.attempts_most = account.attempts_most.max(attempts.len() as u64);
            }
            after = page.next;
            if after.is_none() {
                return Ok(account);
            }
        }
    })
}

/// Nothing is lost, nothing is sent twice, and the counters say what the messages say.
fn check(account: &Account, report: &PacketReport, accepted: u64, rows: u64) -> Result<(), Failure> {
    let told = report.counts.in_status(MessageStatus::Delivered);
    let all = [
        ("rows that were read", report.counts.rows.read, rows),
        ("gaps of the ledger", report.ledger.gaps().len() as u64, 0),
        ("open messages", report.counts.open, 0),
        ("delivered messages, by the provider", accepted, told),
        ("attempts, by the provider", accepted, account.attempts),
        ("attempts of the message that has most", account.attempts_most, 1),
    ];
    for (what, found, expected) in all {
        if found != expected {
            return Err(format!("{what}: {found}, not {expected}").into());
        }
    }
    if account.statuses != report.counts.messages {
        return Err("the counters differ from the messages".into());
    }
    Ok(())
}
