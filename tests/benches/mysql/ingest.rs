//! A file, from its first byte to messages that are planned.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::domain::access::{Action, Actor, Grants, authorize};
use reminderly_core::ports::store::Store;
use reminderly_core::services::{CompiledCampaigns, Ingest, Mapping, Prepared, QueueNames, Settings};
use reminderly_tests::example::Methods;
use reminderly_tests::generated_file::{FILE, GeneratedFile};
use reminderly_tests::intake::{ports, set_up};
use reminderly_tests::report::{Failure, Report, median, processor_time, rate};
use sqlx::mysql::MySqlPool;
use sqlx::query_scalar;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::site::{Place, Site};

struct Run {
    load: Duration,
    map: Duration,
    /// Processor time of this process.
    busy: Duration,
    /// LOAD DATA of the rows that are there then, of each table on its own.
    bare: Option<Vec<(String, u64, Duration)>>,
}

pub(crate) async fn measure(report: &mut Report, site: &Site, rows: u64, runs: usize) -> Result<(), Failure> {
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        let Run { load, map, busy, bare } = run(site, rows).await?;
        println!("load {load:.2?}, map {map:.2?}, processor of this process {busy:.2?}");
        ours.push(load + map);
        for (table, rows, time) in bare.iter().flatten() {
            println!("  LOAD DATA of {table}, {rows} rows: {time:.2?}");
        }
        bares.extend(bare.map(|tables| tables.into_iter().map(|(_, _, time)| time).sum::<Duration>()));
    }
    let ours = median(ours).unwrap_or_default();
    let measured = format!("{:.0} rows/s", rate(rows, ours));
    let goal = if site.version.contains("MariaDB") { 0.7 } else { 0.5 };
    let bare = median(bares);
    let ratio = bare.map(|bare| bare.as_secs_f64() / ours.as_secs_f64());
    let shown = ratio.map_or_else(String::new, |ratio| format!("; {ratio:.2} of LOAD DATA"));
    report.add(
        "file to planned messages",
        rows,
        measured + &shown,
        &format!("≥ {goal:.2} of LOAD DATA"),
        ratio.map(|ratio| ratio / goal),
    );
    Ok(())
}

async fn run(site: &Site, rows: u64) -> Result<Run, Failure> {
    let place = site.place().await?;
    let mysql = place.store(4).await?;
    let store: Arc<dyn Store> = Arc::new(mysql.clone());
    let file = GeneratedFile::new(rows);
    let (company, campaign) = set_up(&*store, Methods::FirstAvailable).await?;
    let settings = Settings::new(QueueNames::of_deployment("figures")?);
    let ports = ports(Arc::clone(&store));
    let ingest = Ingest::new(&ports, &settings);
    let mapping = Mapping::new(&ports, &settings, Arc::new(CompiledCampaigns::new(store)));
    let scope = authorize(Actor::Worker, Action::Operate, company, &Grants::default())?;
    let (clock, busy) = (SystemClock::new(), processor_time());
    let start = clock.monotonic();
    let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) =
        ingest.prepare(&scope, campaign, &file, FILE).await?;
    ingest.load(&scope, packet.id, &file, &mut |_| {}).await?;
    let loaded = clock.monotonic();
    mapping.map(&scope, packet.id, &mut |_| {}).await?;
    let (load, map) = (loaded.since(start), clock.monotonic().since(loaded));
    let busy = processor_time().saturating_sub(busy);
    mysql.close().await;
    let bare = match &site.client {
        Some(client) => Some(load_data(client, &place).await?),
        None => None,
    };
    place.clear().await?;
    Ok(Run { load, map, busy, bare })
}

/// How long the server's own client takes for what stands in the tables now, into tables like them.
async fn load_data(client: &str, place: &Place) -> Result<Vec<(String, u64, Duration)>, Failure> {
    let pool: MySqlPool = place.pool(1).await?;
    let all: Vec<String> = query_scalar(
        "SELECT CONVERT(table_name USING utf8mb4) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
    )
    .fetch_all(&pool)
    .await?;
    let idle = tell(client, place, "SELECT 1;").await?;
    let mut loaded = Vec::new();
    for table in all {
        let count = format!("SELECT COUNT(*) FROM `{table}`");
        let rows: i64 = query_scalar(&count).fetch_one(&pool).await?;
        let rows = u64::try_from(rows)?;
        // Tables with a few rows are loaded in no time.
        if rows < 1_000 {
            continue;
        }
        let file = format!("/tmp/{}_{table}", place.name);
        let dump = format!(
            "SELECT * FROM `{table}` INTO OUTFILE '{file}'; CREATE TABLE `bare_{table}` LIKE `{table}`;"
        );
        tell(client, place, &dump).await?;
        let load = format!("LOAD DATA LOCAL INFILE '{file}' INTO TABLE `bare_{table}` CHARACTER SET binary;");
        let time = tell(client, place, &load).await?;
        let count = format!("SELECT COUNT(*) FROM `bare_{table}`");
        let again: i64 = query_scalar(&count).fetch_one(&pool).await?;
        if u64::try_from(again)? != rows {
            return Err(format!("LOAD DATA took {again} of {rows} rows of {table}").into());
        }
        loaded.push((table, rows, time.saturating_sub(idle)));
    }
    Ok(loaded)
}

async fn tell(client: &str, place: &Place, statements: &str) -> Result<Duration, Failure> {
    let clock = SystemClock::new();
    let start = clock.monotonic();
    let mut words = client.split_whitespace();
    let mut command = Command::new(words.next().ok_or("the client has no name")?);
    let mut client =
        command.args(words).arg(&place.name).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut input = client.stdin.take().ok_or("the client takes no statements")?;
    input.write_all(statements.as_bytes()).await?;
    drop(input);
    let status = client.wait().await?;
    if status.success() {
        Ok(clock.monotonic().since(start))
    } else {
        Err(format!("the client: {status}").into())
    }
}
