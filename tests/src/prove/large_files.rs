//! Files that are larger than any machine's memory, in a process of their own: what it uses at most is what the system says.

use std::env;
use std::fs;
use std::io;
use std::process::{Child, Command, Stdio, exit};
use std::sync::Arc;

use async_trait::async_trait;
use futures::executor::block_on;
use futures::future::try_join;
use reminderly_core::clock::SystemClock;
use reminderly_core::domain::access::{Action, Actor, Company, Grants, authorize};
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::ids::{IdSourceExt as _, RandomIds};
use reminderly_core::ports::source::{PacketSource, SourceError, SourceFile, SourceReader};
use reminderly_core::ports::store::{NewCampaign, Store};
use reminderly_core::sealers::PlainSealer;
use reminderly_core::services::{CompiledCampaigns, Ingest, Mapping, Ports, Prepared, QueueNames, Settings};
use reminderly_providers::router::MethodRouter;
use reminderly_providers::sandbox::{Sandbox, SandboxSettings};
use reminderly_queue_memory::MemoryQueue;

use super::{Failure, Order, Proof, Violation};
use crate::discarding_store::{DiscardingStore, Tally};
use crate::example::{HEADER, Methods, definition};
use crate::generated_file::{FILE, GeneratedFile};
use crate::world::instant;

/// Bytes of each file: what takes some seconds and would still be too much to hold, and 10 GB.
const BYTES: (u64, u64) = (70_000_000, 10_000_000_000);
/// Of so many rows one is bad.
const BAD_EVERY: u64 = 1_000;
/// The most memory of a process, whatever the size of its file.
const KIB_MAX: u64 = 64 << 10;
/// Tells the other process which file it is to read.
const CHILD: &str = "REMINDERLY_LARGE_FILE";

/// Reads a file of very many rows, and one with a single row of nearly all its bytes.
///
/// # Errors
///
/// A process that cannot be started, or does not say what it found.
pub(super) fn run(order: &Order) -> Result<Proof, Failure> {
    let bytes = order.count(BYTES.0, BYTES.1);
    if let Ok(shape) = env::var(CHILD) {
        println!("{}", block_on(read(Shape::named(&shape)?, bytes))?);
        exit(0);
    }
    let mut proof = Proof { unit: "bytes", ..Proof::default() };
    let running = Shape::ALL.map(|shape| start(shape, bytes).map(|process| (shape, process)));
    for started in running {
        let (shape, process) = started?;
        let ended = process.wait_with_output()?;
        let [told, besides] = [&ended.stdout, &ended.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        let found = Found::parse(&told)
            .ok_or_else(|| format!("{}: it ended with {}: {told}{besides}", shape.name(), ended.status))?;
        proof.count += bytes;
        proof.fired.insert(shape.peak(), found.peak_kib);
        proof.fired.insert(shape.rejects(), found.rejected);
        let wrong = shape.wrong(bytes, &found).into_iter();
        proof.violations.extend(wrong.map(|what| Violation { at: shape.name().to_owned(), what }));
    }
    Ok(proof)
}

/// Starts this program anew, for one file.
fn start(shape: Shape, bytes: u64) -> io::Result<Child> {
    Command::new(env::current_exe()?)
        .args(["short", "large_files", "--count", &bytes.to_string()])
        .env(CHILD, shape.name())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Rows,
    OneLine,
}

impl Shape {
    const ALL: [Self; 2] = [Self::Rows, Self::OneLine];

    fn named(name: &str) -> Result<Self, Failure> {
        Self::ALL.into_iter().find(|shape| shape.name() == name).ok_or_else(|| "no such shape".into())
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::OneLine => "one-line",
        }
    }

    const fn peak(self) -> &'static str {
        match self {
            Self::Rows => "many rows: peak KiB",
            Self::OneLine => "one line: peak KiB",
        }
    }

    const fn rejects(self) -> &'static str {
        match self {
            Self::Rows => "many rows: rejected",
            Self::OneLine => "one line: rejected",
        }
    }

    fn expected(self, bytes: u64) -> Expected {
        match self {
            Self::Rows => {
                let file = GeneratedFile::of_bytes(bytes);
                let (rows, rejected) = (file.rows(), file.rows() / BAD_EVERY);
                // A message for each of the two send entries; where there is no cell phone, another that says so.
                let messages = 2 * (rows - rejected) + 2 * file.without_cell();
                Expected { rows, rejected, messages }
            }
            Self::OneLine => Expected { rows: 3, rejected: 1, messages: 4 },
        }
    }

    fn wrong(self, bytes: u64, found: &Found) -> Vec<String> {
        let mut wrong = Vec::new();
        let expected = self.expected(bytes);
        let told = Expected {
            rows: found.good + found.rejected,
            rejected: found.rejected,
            messages: found.planned + found.skipped,
        };
        if told != expected || found.failed > 0 {
            wrong.push(format!("expected {expected:?}, found {found:?}"));
        }
        if found.peak_kib > KIB_MAX {
            wrong.push(format!("{} KiB of memory; {KIB_MAX} are allowed", found.peak_kib));
        }
        wrong
    }
}

/// What must come of a file.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    rows: u64,
    rejected: u64,
    messages: u64,
}

/// What the other process found.
#[derive(Debug)]
struct Found {
    good: u64,
    rejected: u64,
    failed: u64,
    planned: u64,
    skipped: u64,
    peak_kib: u64,
}

impl Found {
    fn parse(told: &str) -> Option<Self> {
        let mut numbers = told.lines().last()?.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        let (good, rejected, failed) = (next()?, next()?, next()?);
        Some(Self { good, rejected, failed, planned: next()?, skipped: next()?, peak_kib: next()? })
    }
}

/// Loads and maps a file of this shape. The numbers of [`Found`], in their order.
async fn read(shape: Shape, bytes: u64) -> Result<String, Failure> {
    let tally = match shape {
        Shape::Rows => through(&GeneratedFile::of_bytes(bytes).with_bad_rows(BAD_EVERY)).await?,
        Shape::OneLine => through(&OneLine { bytes }).await?,
    };
    let Tally { rows, rejected, failed, planned, skipped, .. } = tally;
    Ok(format!("{rows} {rejected} {failed} {planned} {skipped} {}", peak_kib()?))
}

async fn through(file: &dyn PacketSource) -> Result<Tally, Failure> {
    let now = instant("2026-03-01T00:00:00Z");
    let discarding = DiscardingStore::default();
    let ingest_side = discarding.ingest_side();
    let (company, campaign) = (RandomIds.next(now), RandomIds.next(now));
    let new = Company { id: company, name: "Smith".to_owned(), server_name: "smith".to_owned() };
    ingest_side.save_company_across_companies(&new).await?;
    let new = NewCampaign { id: campaign, definition: definition(Methods::FirstAvailable)?, created_at: now };
    ingest_side.create_campaign(company, new).await?;
    ingest_side.change_campaign_state(company, campaign, CampaignState::Draft, CampaignState::Active).await?;

    let mut settings = Settings::new(QueueNames::of_deployment("large")?);
    // So many rows of ordinary length are more than a company has; here they are to be read.
    settings.file_limits.max_rows = u64::MAX;
    let ingest = Ingest::new(&ports(ingest_side, now), &settings);
    let ports = ports(discarding.mapping_side(), now);
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
    let mapping = Mapping::new(&ports, &settings, campaigns);
    let scope = authorize(Actor::Worker, Action::Operate, company, &Grants::default())?;
    let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) =
        ingest.prepare(&scope, campaign, file, FILE).await?;
    let (mut loading, mut mapping_on) = (|_| {}, |_| {});
    let map = async {
        discarding.opened().await.ok();
        mapping.map(&scope, packet.id, &mut mapping_on).await
    };
    try_join(ingest.load(&scope, packet.id, file, &mut loading), map).await?;
    Ok(discarding.tally())
}

fn ports(store: Arc<dyn Store>, now: chrono::DateTime<chrono::Utc>) -> Ports {
    let clock = Arc::new(reminderly_core::testing::VirtualClock::new(now));
    let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock) as _));
    let sandbox = Sandbox::new(Arc::new(SystemClock::new()), SandboxSettings::default());
    Ports {
        store,
        queue: Arc::clone(&queue) as _,
        queues: queue,
        providers: Arc::new(MethodRouter::sandbox(&sandbox)),
        sealer: Arc::new(PlainSealer),
        clock,
        ids: Arc::new(RandomIds),
    }
}

/// The most memory that this process has used.
fn peak_kib() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.ok_or_else(|| "the system does not say how much memory was used".into())
}

/// A file of a good row, one whose name takes all the room there is, and another good row.
#[derive(Debug, Clone, Copy)]
struct OneLine {
    bytes: u64,
}

impl OneLine {
    const AROUND: (&str, &str) = (
        "A-1,Ann,03/10/2026,02:00 PM,520-555-0100,ann@example.com,en\nA-2,",
        ",03/10/2026,02:00 PM,520-555-0101,bob@example.com,en\nA-3,Cy,03/10/2026,02:00 PM,520-555-0102,cy@example.com,en\n",
    );
}

#[async_trait]
impl PacketSource for OneLine {
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError> {
        Ok(vec![SourceFile { name: FILE.to_owned(), size: self.bytes, modified: None }])
    }

    async fn open(&self, _: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError> {
        Ok(Box::new(OneLineReader { file: *self, at: offset }))
    }
}

#[derive(Debug)]
struct OneLineReader {
    file: OneLine,
    at: u64,
}

#[async_trait]
impl SourceReader for OneLineReader {
    async fn read(&mut self, buffer: &mut Vec<u8>, max: usize) -> Result<usize, SourceError> {
        let (before, behind) = OneLine::AROUND;
        let before = format!("{HEADER}\n{before}");
        let fixed = (before.len() + behind.len()) as u64;
        let name = self.file.bytes.saturating_sub(fixed);
        let name_at = before.len() as u64;
        let (from, left): (&[u8], u64) = if self.at < name_at {
            (before.as_bytes(), self.at)
        } else if self.at < name_at + name {
            let bytes = usize::try_from(name_at + name - self.at).unwrap_or(max).min(max);
            buffer.resize(buffer.len() + bytes, b'x');
            self.at += bytes as u64;
            return Ok(bytes);
        } else {
            (behind.as_bytes(), self.at - name_at - name)
        };
        let rest = from.get(usize::try_from(left).unwrap_or(usize::MAX)..).unwrap_or_default();
        let bytes = rest.len().min(max);
        buffer.extend_from_slice(rest.get(..bytes).unwrap_or_default());
        self.at += bytes as u64;
        Ok(bytes)
    }
}
