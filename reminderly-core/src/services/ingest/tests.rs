mod again;
mod faults;
mod formats;

use chrono::DateTime;
use futures::executor::block_on;
use rstest::rstest;

use super::*;
use crate::clock::SystemClock;
use crate::domain::access::{Actor, Company, Grants, Role, authorize};
use crate::domain::campaign::document;
use crate::domain::row::RowNumber;
use crate::ids::{RoleId, SeededIds, UserId};
use crate::memory::MemoryStore;
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
                "mapping": { "key": "row['name']", "fields": {
                    "appointment_at": "row['at'] | datetime('%Y-%m-%d %H:%M')",
                    "sms": "row['cell'] | phone('US')"
                } },
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
    assert_eq!(bench.discover(&renamed), ["recall_2.csv"], "a cancelled file does not come back by itself");
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
#[case::unnamed("a,,b\n", "column 2 of the header has no name: name it, or remove the column")]
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
