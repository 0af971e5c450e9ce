use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use chrono::DateTime;
use futures::executor::block_on;
use futures::future::join;
use rstest::rstest;

use super::*;
use crate::clock::SystemClock;
use crate::domain::access::{Actor, Company, Grants, Role, authorize};
use crate::domain::campaign::document;
use crate::domain::row::RowNumber;
use crate::ids::{RoleId, SeededIds, UserId};
use crate::memory::MemoryStore;
use crate::ports::source::SourceReader;
use crate::ports::store::{AccessStore as _, CampaignStore as _, NewCampaign, PacketStore as _};
use crate::services::QueueNames;
use crate::sources::MemorySource;

const FILE: &str = "name,cell\nAnn,1\nBob,2\nonly one\nCid,3\n\"D\nd\",4\nEve,\"5";

struct Bench {
    store: Arc<MemoryStore>,
    ingest: Ingest,
    company: CompanyId,
    campaign: CampaignId,
}

impl Bench {
    fn new(store: MemoryStore) -> Self {
        let store = Arc::new(store);
        let ids = Arc::new(SeededIds::new(1));
        let [company, other] = [1, 2].map(|_| ids.next(DateTime::UNIX_EPOCH));
        let campaign = ids.next(DateTime::UNIX_EPOCH);
        let definition = document::parse(
            r#"{
                "name": "Recall", "time_zone": "America/Phoenix", "purpose": "care_reminder",
                "source": { "file": "recall_*.csv" },
                "mapping": { "key": "row['name']", "fields": { "appointment_at": "row['at'] | datetime('%Y-%m-%d %H:%M')", "sms": "row['cell'] | phone('US')" } },
                "messages": { "sms": { "text": "Call us." } },
                "schedule": {
                    "send": [{ "hours_before": 3 }],
                    "windows": { "default": { "days": ["mon"], "from": "08:00", "to": "16:30" } }
                },
                "methods": { "order": ["sms"] }
            }"#,
        );
        let definition = Arc::new(definition.unwrap());
        block_on(async {
            for id in [company, other] {
                let company = Company { id, name: String::new(), server_name: String::new() };
                store.save_company_across_companies(&company).await.unwrap();
            }
            let new = NewCampaign { id: campaign, definition, created_at: DateTime::UNIX_EPOCH };
            store.create_campaign(company, new).await.unwrap();
        });
        let queues = QueueNames::of_deployment("test").unwrap();
        let settings = Settings { rows_per_batch: 2, max_row_bytes: 100, ..Settings::new(queues) };
        let ingest = Ingest::over(Arc::clone(&store) as _, Arc::new(SystemClock::new()), ids, &settings);
        Self { store, ingest, company, campaign }
    }

    fn scope(&self, action: Action) -> CompanyScope {
        scope(self.company, action)
    }

    fn prepare(&self, source: &MemorySource, name: &str) -> Packet {
        let scope = self.scope(Action::Ingest);
        match block_on(self.ingest.prepare(&scope, self.campaign, source, name)).unwrap() {
            Prepared::New(packet) => packet,
            Prepared::AlreadyLoaded(packet) => panic!("{packet:?}"),
        }
    }

    fn load(&self, packet: PacketId, source: &dyn PacketSource) -> Result<Packet, ServiceError> {
        let scope = self.scope(Action::Ingest);
        block_on(self.ingest.load(&scope, packet, source, &mut |_| {}))
    }

    fn discover(&self, source: &MemorySource) -> Vec<String> {
        let scope = self.scope(Action::Ingest);
        let files = block_on(self.ingest.discover(&scope, self.campaign, source)).unwrap();
        files.into_iter().map(|file| file.name).collect()
    }

    fn packet(&self, id: PacketId) -> Packet {
        block_on(self.store.packet(self.company, id)).unwrap().unwrap()
    }

    fn archive(&self) {
        let (from, to) = (CampaignState::Draft, CampaignState::Archived);
        block_on(self.store.change_campaign_state(self.company, self.campaign, from, to)).unwrap();
    }

    fn cancel(&self, packet: &Packet) {
        let change = StageChange {
            packet: packet.id,
            from: packet.stage,
            to: PacketStage::Cancelled,
            failure: None,
            at: DateTime::UNIX_EPOCH,
        };
        assert_eq!(block_on(self.store.change_stage(self.company, change)).unwrap(), WriteOutcome::Applied);
    }

    /// `row@line:name` of the good rows, and `row:code` of the bad ones.
    fn stored(&self, packet: PacketId) -> (Vec<String>, Vec<String>) {
        block_on(async {
            let rows = self.store.rows(self.company, packet, RowNumber(0), 99).await.unwrap().items;
            let rejected = self.store.rejected(self.company, packet, RowNumber(0), 99).await.unwrap().items;
            (
                rows.iter()
                    .map(|row| format!("{}@{}:{}", row.number, row.line, row.field(0).unwrap()))
                    .collect(),
                rejected.iter().map(|row| format!("{}:{}", row.row, row.code)).collect(),
            )
        })
    }

    fn assert_loaded(&self, id: PacketId) {
        let packet = self.packet(id);
        assert_eq!(packet.stage, PacketStage::Loaded);
        assert_eq!((packet.rows.read, packet.rows.loaded, packet.rows.rejected), (6, 4, 2));
        assert_eq!(packet.ingest.offset, FILE.len() as u64);
        let (rows, rejected) = self.stored(id);
        assert_eq!(rows, ["1@2:Ann", "2@3:Bob", "4@5:Cid", "5@6:D\nd"]);
        assert_eq!(rejected, ["3:field_count", "6:unbalanced_quote"]);
    }
}

fn scope(company: CompanyId, action: Action) -> CompanyScope {
    let role = Role {
        id: RoleId::from(uuid::Uuid::nil()),
        name: String::new(),
        actions: [action].into(),
        companies: [company].into(),
    };
    let user = Actor::User(UserId::from(uuid::Uuid::nil()));
    authorize(user, action, company, &Grants { roles: vec![role] }).unwrap()
}

fn source() -> MemorySource {
    MemorySource::new().with_file("recall_1.csv", FILE)
}

#[test]
fn loads_every_row_or_rejects_it() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let mut heard = Vec::new();
    let scope = bench.scope(Action::Ingest);
    let mut listen = |progress| heard.push(progress);
    let loaded = block_on(bench.ingest.load(&scope, packet.id, &source(), &mut listen)).unwrap();
    assert_eq!(loaded, bench.packet(packet.id));
    bench.assert_loaded(packet.id);
    let total_bytes = FILE.len() as u64;
    let progress = |rows_read, rejected, bytes| LoadProgress { rows_read, rejected, bytes, total_bytes };
    let expected = [progress(2, 0, 22), progress(4, 1, 37), progress(6, 2, total_bytes)];
    assert_eq!(heard, [expected[0], expected[1], expected[2], expected[2]]);
}

#[test]
fn loading_may_move_between_threads() {
    fn is_send<T: Send>(_: &T) -> bool {
        true
    }
    let bench = Bench::new(MemoryStore::new());
    let (scope, source, packet) = (bench.scope(Action::Ingest), source(), PacketId::from(uuid::Uuid::nil()));
    assert!(is_send(&bench.ingest.load(&scope, packet, &source, &mut |_| {})));
}

#[test]
fn a_loaded_packet_is_answered_at_once() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let loaded = bench.load(packet.id, &source()).unwrap();
    assert_eq!(bench.load(packet.id, &MemorySource::new()).unwrap(), loaded);
}

#[test]
fn a_header_alone_is_a_file_without_rows() {
    let bench = Bench::new(MemoryStore::new());
    let source = MemorySource::new().with_file("a.csv", "name,cell\n");
    let packet = bench.prepare(&source, "a.csv");
    let loaded = bench.load(packet.id, &source).unwrap();
    assert_eq!((loaded.stage, loaded.rows.read), (PacketStage::Loaded, 0));
}

#[test]
fn discovers_what_matches_and_is_new_by_content() {
    let bench = Bench::new(MemoryStore::new());
    let source = source().with_file("other.csv", "name\n").with_file("recall_2.csv", "name\n");
    assert_eq!(bench.discover(&source), ["recall_1.csv", "recall_2.csv"]);
    let packet = bench.prepare(&source, "recall_1.csv");
    let renamed = source.with_file("recall_3.csv", FILE);
    assert_eq!(bench.discover(&renamed), ["recall_2.csv"]);
    bench.cancel(&packet);
    assert_eq!(bench.discover(&renamed), ["recall_1.csv", "recall_2.csv", "recall_3.csv"]);
    bench.archive();
    assert!(bench.discover(&renamed).is_empty());
}

#[test]
fn the_same_content_is_one_packet() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let renamed = MemorySource::new().with_file("renamed.csv", FILE);
    let scope = bench.scope(Action::Ingest);
    let again = block_on(bench.ingest.prepare(&scope, bench.campaign, &renamed, "renamed.csv")).unwrap();
    assert_eq!(again, Prepared::AlreadyLoaded(packet));
}

#[test]
fn an_archived_campaign_takes_no_file() {
    let bench = Bench::new(MemoryStore::new());
    bench.archive();
    let scope = bench.scope(Action::Ingest);
    let refused = block_on(bench.ingest.prepare(&scope, bench.campaign, &source(), "recall_1.csv"));
    assert!(matches!(refused, Err(ServiceError::WrongState { what: "campaign", state: "archived", .. })));
}

#[test]
fn scopes_are_asked_for_and_bind_to_their_company() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let wrong = bench.scope(Action::ViewReports);
    let foreign = scope(CompanyId::from(uuid::Uuid::nil()), Action::Ingest);
    block_on(async {
        let ingest = &bench.ingest;
        let listing = ingest.discover(&wrong, bench.campaign, &source()).await;
        assert!(matches!(listing, Err(ServiceError::Denied(_))));
        let prepared = ingest.prepare(&wrong, bench.campaign, &source(), "recall_1.csv").await;
        assert!(matches!(prepared, Err(ServiceError::Denied(_))));
        let loaded = ingest.load(&wrong, packet.id, &source(), &mut |_| {}).await;
        assert!(matches!(loaded, Err(ServiceError::Denied(_))));
        let loaded = ingest.load(&foreign, packet.id, &source(), &mut |_| {}).await;
        assert!(matches!(loaded, Err(ServiceError::NotFound { what: "packet" })));
        let prepared = ingest.prepare(&foreign, bench.campaign, &source(), "recall_1.csv").await;
        assert!(matches!(prepared, Err(ServiceError::NotFound { what: "campaign" })));
        let worker = bench.scope(Action::Operate);
        ingest.load(&worker, packet.id, &source(), &mut |_| {}).await.unwrap();
    });
}

#[rstest]
#[case::empty("", "file is empty")]
#[case::duplicate("a,a\n", "columns 1 and 2 of the header have the same name: rename one of them")]
#[case::large(&"x".repeat(101), "header is larger than 100 bytes: its first line must name the columns")]
fn an_unusable_file_fails_the_packet(#[case] file: &str, #[case] expected: &str) {
    let bench = Bench::new(MemoryStore::new());
    let source = MemorySource::new().with_file("a.csv", file);
    let packet = bench.prepare(&source, "a.csv");
    let error = bench.load(packet.id, &source).unwrap_err();
    assert!(matches!(error, ServiceError::UnusableFile { reason } if reason == expected));
    let failure = bench.packet(packet.id).failure.unwrap();
    assert_eq!((failure.stage, failure.reason.as_str()), (PacketStage::Prepared, expected));
    let again = bench.load(packet.id, &source);
    assert!(matches!(again, Err(ServiceError::WrongState { state: "failed", .. })));
}

#[test]
fn a_missing_file_fails_the_packet_until_it_is_back() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let scope = bench.scope(Action::RunCampaign);
    let early = block_on(bench.ingest.resume(&scope, packet.id));
    assert!(matches!(early, Err(ServiceError::WrongState { state: "prepared", .. })));
    let error = bench.load(packet.id, &MemorySource::new()).unwrap_err();
    assert!(matches!(error, ServiceError::Source(SourceError::Missing { .. })));
    assert_eq!(bench.packet(packet.id).stage, PacketStage::Failed);
    let resumed = block_on(bench.ingest.resume(&scope, packet.id)).unwrap();
    assert_eq!((resumed.stage, resumed.failure), (PacketStage::Prepared, None));
    bench.load(packet.id, &source()).unwrap();
    bench.assert_loaded(packet.id);
}

#[test]
fn another_file_of_the_same_name_is_not_mixed_in() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let replaced = MemorySource::new().with_file("recall_1.csv", FILE.replace("Ann", "Abe"));
    assert!(matches!(bench.load(packet.id, &replaced), Err(ServiceError::UnusableFile { .. })));
    assert_eq!(bench.packet(packet.id).rows.read, 0);
    block_on(bench.ingest.resume(&bench.scope(Action::Ingest), packet.id)).unwrap();
    bench.load(packet.id, &source()).unwrap();
    bench.assert_loaded(packet.id);
}

/// A source whose file has other content, or cannot be read to its end, from one opening to the next.
#[derive(Debug)]
struct Scripted(Mutex<VecDeque<(Vec<u8>, bool)>>);

impl Scripted {
    fn new(openings: impl IntoIterator<Item = (Vec<u8>, bool)>) -> Self {
        Self(Mutex::new(openings.into_iter().collect()))
    }
}

#[derive(Debug)]
struct Breaking(Box<dyn SourceReader>, bool);

#[async_trait]
impl PacketSource for Scripted {
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError> {
        Ok(Vec::new())
    }

    async fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError> {
        let (bytes, breaks) = self.0.lock().unwrap().pop_front().unwrap();
        let file = MemorySource::new().with_file(name, bytes).open(name, offset).await?;
        Ok(Box::new(Breaking(file, breaks)))
    }
}

#[async_trait]
impl SourceReader for Breaking {
    async fn read(&mut self, buffer: &mut Vec<u8>, max: usize) -> Result<usize, SourceError> {
        match self.0.read(buffer, max).await? {
            0 if self.1 => Err(SourceError::Unreadable { name: None, source: "network is down".into() }),
            bytes => Ok(bytes),
        }
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_read_fails_before_its_last_row() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let (whole, cut) = (FILE.as_bytes(), &FILE.as_bytes()[..20]);
    let scripted = Scripted::new([whole, whole, cut].map(|bytes| (bytes.to_vec(), false)));
    assert!(matches!(bench.load(packet.id, &scripted), Err(ServiceError::UnusableFile { .. })));
    let failed = bench.packet(packet.id);
    assert_eq!((failed.stage, failed.failure.unwrap().stage), (PacketStage::Failed, PacketStage::Ingested));
    assert!(bench.stored(packet.id).0.iter().all(|row| row == "1@2:Ann"));
}

#[test]
fn a_fault_that_passes_leaves_the_packet_where_it_is() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let file = |breaks| (FILE.as_bytes().to_vec(), breaks);
    for (openings, stage) in [
        (vec![file(true)], PacketStage::Prepared),
        (vec![file(false), file(false), file(true)], PacketStage::Ingested),
    ] {
        let error = bench.load(packet.id, &Scripted::new(openings)).unwrap_err();
        assert!(error.is_transient());
        assert_eq!(bench.packet(packet.id).stage, stage);
    }
    bench.load(packet.id, &source()).unwrap();
    bench.assert_loaded(packet.id);
}

#[test]
fn a_crash_at_any_point_loses_and_doubles_no_row() {
    let mut crashes = 0;
    for polls in 0.. {
        let bench = Bench::new(MemoryStore::yielding());
        let packet = bench.prepare(&source(), "recall_1.csv");
        let (scope, source) = (bench.scope(Action::Ingest), source());
        let mut ignore = |_| {};
        let is_done = {
            let mut load = pin!(bench.ingest.load(&scope, packet.id, &source, &mut ignore));
            let mut context = Context::from_waker(Waker::noop());
            (0..polls).any(|_| matches!(load.as_mut().poll(&mut context), Poll::Ready(Ok(_))))
        };
        if is_done {
            break;
        }
        crashes += 1;
        bench.load(packet.id, &source).unwrap();
        bench.assert_loaded(packet.id);
    }
    assert!(crashes > 10, "{crashes}");
}

#[test]
fn two_who_load_the_same_packet_load_each_row_once() {
    for head_start in 0..20 {
        let bench = Bench::new(MemoryStore::yielding());
        let packet = bench.prepare(&source(), "recall_1.csv");
        let (scope, source) = (bench.scope(Action::Ingest), source());
        let (mut ignore, mut ignore_too) = (|_| {}, |_| {});
        let mut first = Box::pin(bench.ingest.load(&scope, packet.id, &source, &mut ignore));
        let second = bench.ingest.load(&scope, packet.id, &source, &mut ignore_too);
        let mut context = Context::from_waker(Waker::noop());
        let done = (0..head_start).find_map(|_| match first.as_mut().poll(&mut context) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        });
        let results = match done {
            Some(result) => (result, block_on(second)),
            None => block_on(join(first, second)),
        };
        for result in <[_; 2]>::from(results) {
            assert!(
                matches!(result, Ok(_) | Err(ServiceError::WrongState { what: "packet", .. })),
                "{result:?}"
            );
        }
        bench.load(packet.id, &source).unwrap();
        bench.assert_loaded(packet.id);
    }
}

#[test]
fn a_cancelled_packet_is_not_loaded() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    bench.cancel(&packet);
    let refused = bench.load(packet.id, &source());
    assert!(matches!(refused, Err(ServiceError::WrongState { state: "cancelled", .. })));
}

#[test]
fn batches_are_bounded_in_bytes_too() {
    let bench = Bench::new(MemoryStore::new());
    let ingest = Ingest { rows_per_batch: 1_000, max_row_bytes: 2 << 20, ..bench.ingest.clone() };
    let row = format!("x,{}\n", "y".repeat(1 << 20));
    let source = MemorySource::new().with_file("a.csv", format!("name,cell\n{}", row.repeat(10)));
    let packet = bench.prepare(&source, "a.csv");
    let mut rows = Vec::new();
    let mut listen = |progress: LoadProgress| rows.push(progress.rows_read);
    block_on(ingest.load(&bench.scope(Action::Ingest), packet.id, &source, &mut listen)).unwrap();
    assert_eq!(rows, [4, 8, 10]);
}
