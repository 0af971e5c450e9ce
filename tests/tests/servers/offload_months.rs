//! Months that are over go into files, and come back with all that was in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, TimeDelta, Utc};
use object_store::local::LocalFileSystem;
use reminderly_core::domain::access::{Action, Actor, Grants, authorize};
use reminderly_core::domain::attempt::{AttemptLocation, ProviderName};
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::disposition::{AttemptReport, Disposition};
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::report::PacketCounts;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::ids::{AttemptId, CompanyId, PacketId};
use reminderly_core::ports::store::{
    AccessStore as _, DispositionStore as _, IncomingStore as _, LocatedDisposition, MessageStore as _,
    NewPacket, PacketStore as _, ReportStore as _,
};
use reminderly_core::services::{
    Access, CompiledCampaigns, Dispositions, Explain, Messages, QueueNames, Recipients, Reconcile, ReportOn,
    ServiceError, Settings,
};
use reminderly_core::testing::VirtualClock;
use reminderly_mysql::{
    History, HistorySettings, MySqlStore, Offload, OffloadError, OffloadSettings, Offloaded, ServerKind, Sink,
};
use reminderly_tests::intake::ports;
use rstest::rstest;
use sqlx::{MySqlConnection, query, query_as, query_scalar};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use uuid::Uuid;

use crate::bench::{batch, call, packet as made_packet, sql};
use crate::broken_files::BrokenFiles;
use crate::database::{Database, database, fresh_url, migrated_at};
use crate::simulated::carry_out;
use crate::values::{id, role, user};

/// A schedule in which people answer, and a packet is cancelled.
const SEED: u64 = 5;

/// What a schedule left, in the tables of months that are over.
struct Site {
    store: Arc<MySqlStore>,
    sql: MySqlConnection,
    folder: TempDir,
    packets: Vec<(CompanyId, PacketId)>,
}

/// What is shown of a packet.
type Contents = Vec<String>;

impl Site {
    fn new(database: &Database, runtime: &Arc<Runtime>) -> Self {
        let url = fresh_url(database);
        let store = Arc::new(runtime.block_on(migrated_at(&url)));
        carry_out(SEED, &store, runtime);
        runtime.block_on(async {
            let mut sql = sql(&url).await;
            for months in 0..2 {
                let clock = Arc::new(VirtualClock::new(ended() + Months::new(months)));
                let history = History::new(MySqlStore::clone(&store), clock, HistorySettings::default());
                history.move_ended().await.expect("moved");
            }
            let moved = "SELECT company_id, id FROM data_packet WHERE version = 0 ORDER BY id";
            let packets: Vec<(Uuid, Uuid)> = query_as(moved).fetch_all(&mut sql).await.expect("packets");
            assert!(packets.len() > 2, "{packets:?}");
            let packets =
                packets.into_iter().map(|(company, packet)| (company.into(), packet.into())).collect();
            Self { store, sql, folder: TempDir::new().expect("a folder"), packets }
        })
    }

    fn offload(&self, months: u32) -> Offload {
        let files = LocalFileSystem::new_with_prefix(self.folder.path()).expect("a folder").with_fsync(true);
        self.offload_into(months, Sink::new(Arc::new(files), "test"))
    }

    fn offload_into(&self, months: u32, sink: Sink) -> Offload {
        let clock = Arc::new(VirtualClock::new(ended() + Months::new(months)));
        Offload::new(MySqlStore::clone(&self.store), clock, sink, OffloadSettings::default())
    }

    async fn contents(&self) -> BTreeMap<PacketId, Contents> {
        let (mut contents, store) = (BTreeMap::new(), &self.store);
        for (company, packet) in self.packets.iter().copied() {
            let of_packet: &mut Contents = contents.entry(packet).or_default();
            let messages = store.messages(company, packet, None, 1_000).await.expect("messages");
            for record in messages.items {
                let id = record.message.id;
                let attempts = store.attempts(company, packet, id).await.expect("attempts");
                let history = store.history(company, packet, id).await.expect("a history");
                of_packet.push(format!("{record:?} {attempts:?} {history:?}"));
            }
            let rows = store.rows(company, packet, RowNumber(0), 1_000).await.expect("rows");
            let rejected = store.rejected(company, packet, RowNumber(0), 1_000).await.expect("rejected");
            of_packet.push(format!("{rows:?} {rejected:?}"));
        }
        contents
    }

    async fn counts(&self) -> Vec<PacketCounts> {
        let mut counts = Vec::new();
        for (company, packet) in self.packets.iter().copied() {
            counts.push(self.store.packet_counts(company, packet).await.expect("counted"));
        }
        counts
    }

    async fn are_offloaded(&self) -> Vec<bool> {
        let mut offloaded = Vec::new();
        for (company, packet) in self.packets.iter().copied() {
            let found = self.store.packet(company, packet).await.expect("read").expect("there");
            offloaded.push(found.offloaded_at.is_some());
        }
        offloaded.dedup();
        offloaded
    }

    /// That there is nothing would not be true.
    async fn assert_refused(&self) {
        let companies: Vec<CompanyId> = self.packets.iter().map(|(company, _)| *company).collect();
        let viewers = role(Action::ViewMessages, &companies);
        let viewer = user(&[viewers.id]);
        self.store.save_role_across_companies(&viewers).await.expect("saved");
        self.store.save_user_across_companies(&viewer).await.expect("saved");
        let ports = ports(Arc::clone(&self.store) as _);
        let (company, packet) = *self.packets.first().expect("a packet");
        let access = Access::new(&ports);
        let scope = access.authorize(Actor::User(viewer.id), Action::ViewMessages, company).await;
        let scope = scope.expect("permitted");
        let refusals = [
            Messages::new(&ports).page(&scope, packet, None, 9).await.err(),
            Messages::new(&ports).attempts(&scope, packet, id()).await.err(),
            Messages::new(&ports).rejected(&scope, packet, RowNumber(0), 9).await.err(),
            Explain::new(&ports).message(&scope, packet, id()).await.err(),
            Reconcile::new(&ports).packet(&scope, packet).await.err(),
            Recipients::new(&ports).page(&scope, ReportOn::Packet(packet), None, 9).await.err(),
        ];
        for refusal in refusals {
            let is_told = matches!(refusal, Some(ServiceError::WrongState { state: "offloaded", .. }));
            assert!(is_told, "{refusal:?}");
        }
    }

    /// Somebody who wants nothing any more, of whom nobody knows who it is.
    async fn assert_no_complaint_is_dropped(&self, complained: &[AttemptLocation]) {
        let AttemptLocation { company, packet, message } = *complained.first().expect("an attempt");
        let ports = ports(Arc::clone(&self.store) as _);
        let settings = Settings::new(QueueNames::of_deployment("test").expect("a name"));
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
        let dispositions = Dispositions::new(&ports, &settings, campaigns);
        let scope =
            authorize(Actor::Worker, Action::Operate, company, &Grants::default()).expect("permitted");
        let disposition = Disposition {
            provider: ProviderName("sandbox".into()),
            event: "complaint".into(),
            attempt: id(),
            reference: None,
            report: AttemptReport::Complained,
            at: ended(),
        };
        let complaint = LocatedDisposition { packet, message, disposition };
        let refused = dispositions.record(&scope, &[complaint]).await;
        assert!(matches!(refused, Err(ServiceError::WrongState { state: "offloaded", .. })), "{refused:?}");
    }

    async fn number(&mut self, select: &str) -> i64 {
        query_scalar(select).fetch_one(&mut self.sql).await.expect(select)
    }

    /// How many tables there are of months.
    async fn tables(&mut self) -> i64 {
        let count = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() \
                     AND table_type = 'BASE TABLE' AND table_name LIKE 'campaign\\\\_data\\\\_%' \
                     AND table_name NOT LIKE 'campaign\\\\_data\\\\_0\\\\_%'";
        self.number(count).await
    }

    /// How many rows there are by which messages of these packets are found, or what they hold.
    async fn traces(&mut self) -> i64 {
        let numbers = "SELECT packet_number FROM offloaded_packets";
        let mut traces = 0;
        for table in ["contact_messages", "packet_asking", "packet_windows"] {
            let count = format!("SELECT COUNT(*) FROM {table} WHERE packet_number IN ({numbers})");
            traces += self.number(&count).await;
        }
        let packets = format!("SELECT id FROM data_packet WHERE number IN ({numbers})");
        let count = format!("SELECT COUNT(*) FROM attempts WHERE packet_id IN ({packets})");
        traces + self.number(&count).await
    }

    /// How many rows there are by which messages are found, of all packets.
    async fn rows_elsewhere(&mut self) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in ["attempts", "contact_messages", "natural_keys"] {
            rows.push(self.number(&format!("SELECT COUNT(*) FROM {table}")).await);
        }
        rows
    }

    /// Who was ever to be contacted where.
    async fn persons(&mut self) -> BTreeMap<(CompanyId, String), Vec<PersonKey>> {
        let contacts: Vec<(Uuid, String, String)> = query_as(
            "SELECT DISTINCT company_id, CONVERT(method USING utf8mb4), CONVERT(address USING utf8mb4) FROM person_contacts",
        )
        .fetch_all(&mut self.sql)
        .await
        .expect("contacts");
        let mut persons = BTreeMap::new();
        for (company, method, address) in contacts {
            let method = ContactMethod::ALL.into_iter().find(|known| known.as_str() == method);
            let contact = ContactPoint::parse_stored(method.expect("a method"), &address).expect("stored");
            let found = self.store.persons_of(company.into(), &contact).await.expect("looked up");
            persons.insert((company.into(), address), found);
        }
        persons
    }

    /// Views of months that are gone would stop a dump.
    async fn assert_views(&mut self) {
        let views: Vec<String> = query_scalar(
            "SELECT CONVERT(table_name USING utf8mb4) FROM information_schema.views WHERE table_schema = DATABASE()",
        )
        .fetch_all(&mut self.sql)
        .await
        .expect("views");
        assert!(views.iter().any(|view| view.starts_with("campaign_data_")), "{views:?}");
        for view in views {
            self.number(&format!("SELECT COUNT(*) FROM {view}")).await;
        }
    }

    /// A call of a campaign with a month that is over, on a day of that month.
    async fn call(&self) -> (CompanyId, PacketId) {
        let (company, packet) = *self.packets.first().expect("a packet");
        let campaign = self.store.packet(company, packet).await.expect("read").expect("there").campaign;
        let created_at = ended() - Days::new(10);
        let new = NewPacket { id: id(), campaign, campaign_version: 1, origin: call("late"), created_at };
        let made = self.store.create_loaded_packet(company, new, batch(0, &[1, 2], &[])).await;
        (company, made_packet(&made.expect("made")).id)
    }

    async fn run(&mut self, statement: &str) {
        query(statement).execute(&mut self.sql).await.expect(statement);
    }

    /// A table of a month that has rows.
    async fn table(&mut self, of: &str) -> String {
        let campaigns: Vec<u32> = query_scalar("SELECT number FROM company_campaigns")
            .fetch_all(&mut self.sql)
            .await
            .expect("campaigns");
        let last = month().with_day(1).expect("a day") + Months::new(1) - Days::new(1);
        for campaign in campaigns {
            let table = format!("campaign_data_{campaign}_{}{of}", last.format("%m%d%Y"));
            let select = format!("SELECT COUNT(*) FROM {table}");
            let rows: Result<i64, _> = query_scalar(&select).fetch_one(&mut self.sql).await;
            if rows.is_ok_and(|rows| rows > 0) {
                return table;
            }
        }
        panic!("no month has rows in {of}");
    }

    /// An attempt of each message that has one.
    async fn attempts(&mut self) -> Vec<AttemptId> {
        let ids: Vec<Uuid> = query_scalar("SELECT attempts.id FROM attempts JOIN data_packet ON data_packet.id = packet_id WHERE version = 0")
            .fetch_all(&mut self.sql)
            .await
            .expect("attempts");
        ids.into_iter().map(AttemptId::from).collect()
    }
}

/// When all packets have ended for long.
fn ended() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(50_000)
}

fn month() -> NaiveDate {
    ended().date_naive()
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn months_go_into_files_and_come_back(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut site = Site::new(&database, &runtime);
    runtime.block_on(async {
        let (contents, counts, tables) = (site.contents().await, site.counts().await, site.tables().await);
        let (attempts, persons) = (site.attempts().await, site.persons().await);
        assert!(!attempts.is_empty() && persons.values().any(|persons| !persons.is_empty()));
        let kept = site.rows_elsewhere().await;
        let located = site.store.locate_attempts_across_companies(&attempts).await.expect("looked up");
        let complained: Vec<AttemptLocation> = located.into_iter().flatten().collect();
        let nothing = site.offload(13).offload_months().await.expect("nothing is old enough");
        assert_eq!(nothing, Offloaded::default());
        assert_eq!(site.are_offloaded().await, [false]);

        let offload = site.offload(14);
        let offloaded = offload.offload_months().await.expect("taken out");
        assert_eq!(i64::try_from(offloaded.tables).expect("few"), tables / 5 * 4);
        assert_eq!(site.tables().await, 0);
        assert_eq!(site.traces().await, 0);
        assert_eq!(site.are_offloaded().await, [true]);
        assert_eq!(site.counts().await, counts, "reports count them still");
        assert_eq!(site.persons().await, persons, "a refusal covers whom it covered");
        for (before, after) in kept.into_iter().zip(site.rows_elsewhere().await) {
            assert!(after < before, "{after} of {before} rows are left");
        }
        site.assert_views().await;
        let empty = site.contents().await;
        assert!(empty.values().all(|of_packet| of_packet.len() == 1), "{empty:?}");
        let located = site.store.locate_attempts_across_companies(&attempts).await.expect("looked up");
        assert!(located.iter().all(Option::is_none), "late reports find nothing");
        assert_eq!(offload.offload_months().await.expect("nothing is left"), Offloaded::default());
        site.assert_refused().await;
        site.assert_no_complaint_is_dropped(&complained).await;

        for _ in 0..2 {
            let restored = offload.reload_month(month()).await.expect("restored");
            assert_eq!(restored, offloaded);
            assert_eq!(site.contents().await, contents);
            assert_eq!(site.are_offloaded().await, [false]);
            assert_eq!(site.number("SELECT COUNT(*) FROM offloaded_packets").await, 0);
            assert_eq!(offload.reload_month(month()).await.expect("it is there"), Offloaded::default());
            for (company, packet) in site.packets.iter().copied() {
                let kept = site.store.packet_counts(company, packet).await.expect("counted");
                assert_eq!(kept, site.store.recount_packet(company, packet).await.expect("counted"));
            }
            // They are old still, and their files are there.
            assert_eq!(offload.offload_months().await.expect("taken out"), offloaded);
        }
        let never = offload.reload_month(month() + Months::new(1)).await;
        assert!(matches!(never, Err(OffloadError::Missing { .. })), "{never:?}");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn wherever_two_of_them_are_cut_off_nothing_is_lost(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut site = Site::new(&database, &runtime);
    runtime.block_on(async {
        let (contents, tables) = (site.contents().await, site.tables().await);
        let (one, other) = (site.offload(14), site.offload(14));
        let patience = |cut: u64| Duration::from_millis(2 + cut % 60 + cut / 4);
        let mut cut = 0;
        loop {
            let both = async { tokio::join!(one.offload_months(), other.offload_months()) };
            // One of them may find that the other one has dropped what it reads.
            match timeout(patience(cut), both).await {
                Ok((Ok(_), Ok(_))) => break,
                Ok(_) | Err(_) => cut += 1,
            }
        }
        assert!(cut > 5, "they were cut off {cut} times");
        assert_eq!((site.tables().await, site.traces().await), (0, 0));
        cut = 0;
        while timeout(patience(cut), one.reload_month(month())).await.is_err() {
            cut += 1;
        }
        one.reload_month(month()).await.expect("restored");
        assert!(cut > 5, "it was cut off {cut} times");
        assert_eq!((site.contents().await, site.tables().await), (contents, tables));
    });
}

/// A month whose files cannot be written, or not be read back, is there still.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn what_cannot_be_written_stays(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut site = Site::new(&database, &runtime);
    runtime.block_on(async {
        let (contents, tables) = (site.contents().await, site.tables().await);
        fs::write(site.folder.path().join("test"), "in the way").expect("written");
        let refused = site.offload(14).offload_months().await;
        assert!(matches!(refused, Err(OffloadError::File { .. })), "{refused:?}");
        let files = BrokenFiles::default();
        files.set_broken(true);
        let offload = site.offload_into(14, Sink::new(Arc::new(files.clone()), ""));
        let refused = offload.offload_months().await;
        assert!(matches!(refused, Err(OffloadError::Damaged { .. })), "{refused:?}");
        assert_eq!((site.tables().await, site.are_offloaded().await), (tables, vec![false]));
        assert_eq!(site.contents().await, contents);
        files.set_broken(false);
        offload.offload_months().await.expect("taken out");
        assert_eq!(site.tables().await, 0);
        offload.reload_month(month()).await.expect("brought back");
        assert_eq!(site.contents().await, contents);
    });
}

/// Damaged files are not believed, and tables with other rows are not taken for what was there.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn what_is_brought_back_is_what_was_there(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut site = Site::new(&database, &runtime);
    runtime.block_on(async {
        let (offload, transitions) = (site.offload(14), site.table("_transitions").await);
        offload.offload_months().await.expect("taken out");
        offload.reload_month(month()).await.expect("brought back");
        // What has changed since is in the next files.
        site.run(&format!("UPDATE {transitions} SET transitions = REPLACE(transitions, 'due', 'overdue')"))
            .await;
        let contents = site.contents().await;
        offload.offload_months().await.expect("taken out again");

        let files = fs::read_dir(site.folder.path().join("test")).expect("files");
        let files = files.map(|file| file.expect("a file").path());
        let beginning = format!("{transitions}.2.");
        let is_wanted = |file: &PathBuf| {
            file.to_string_lossy().contains(&beginning) && file.extension() == Some("gz".as_ref())
        };
        let file = files.into_iter().find(is_wanted).expect("a file");
        let whole = fs::read(&file).expect("read");
        fs::write(&file, whole.get(..whole.len() / 2).expect("a half")).expect("written");
        let refused = offload.reload_month(month()).await;
        assert!(matches!(refused, Err(OffloadError::Damaged { .. })), "{refused:?}");
        assert!(site.are_offloaded().await.contains(&true));
        fs::write(&file, whole).expect("written");

        // Left by somebody who loaded it from elsewhere.
        let strange = "(packet_number, slot, number, transitions, state) VALUES (0, 0, 1, '[]', '{}')";
        site.run(&format!("INSERT INTO {transitions} {strange}")).await;
        let refused = offload.reload_month(month()).await.expect_err("it is not what was there");
        assert!(!matches!(refused, OffloadError::File { .. }), "{refused:?}");
        site.run(&format!("DELETE FROM {transitions} WHERE packet_number = 0")).await;
        offload.reload_month(month()).await.expect("brought back");
        assert_eq!(site.contents().await, contents);
        assert_eq!(site.are_offloaded().await, [false]);
    });
}

/// A month of which something goes on stays as a whole.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn what_is_not_over_stays(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut site = Site::new(&database, &runtime);
    runtime.block_on(async {
        let (offload, messages) = (site.offload(14), site.table("_messages").await);
        let tables = site.tables().await;
        for (goes_on, is_over) in [
            ("UPDATE data_packet SET has_ended = 0 WHERE version = 0".to_owned(), "UPDATE data_packet SET has_ended = 1 WHERE version = 0".to_owned()),
            (
                format!("INSERT INTO {} (packet_number, place, method, closes_at, at, slot) VALUES (1, 'due', 'sms', NOW(), NOW(), 9)", messages.replace("_messages", "_due")),
                format!("DELETE FROM {}", messages.replace("_messages", "_due")),
            ),
            (
                format!("UPDATE {messages} SET message = REPLACE(message, '\"at\":\"20', '\"at\":\"29')"),
                format!("UPDATE {messages} SET message = REPLACE(message, '\"at\":\"29', '\"at\":\"20')"),
            ),
        ] {
            let before = site.contents().await;
            site.run(&goes_on).await;
            offload.offload_months().await.expect("nothing is wrong");
            site.run(&is_over).await;
            let of_month = site.number(&format!("SELECT COUNT(*) FROM {messages}")).await;
            assert!(of_month > 0, "{goes_on}");
            offload.reload_month(month()).await.expect("others are brought back");
            assert_eq!(site.contents().await, before, "{goes_on}");
        }
        assert_eq!(site.tables().await, tables);

        // Opened again when the month had begun to leave.
        let before = site.contents().await;
        for statement in [
            "UPDATE packet_table_tracking SET state = 'leaving', offloads = 9 WHERE purpose = 'month' AND state = 'closed'",
            "UPDATE data_packet SET has_ended = 0 WHERE version = 0",
        ] {
            site.run(statement).await;
        }
        assert_eq!(offload.offload_months().await.expect("nothing is wrong"), Offloaded::default());
        assert_eq!(site.are_offloaded().await, [false]);
        assert_eq!(site.contents().await, before);
        let on_its_way = "SELECT COUNT(*) FROM packet_table_tracking WHERE purpose = 'month' AND state <> 'closed'";
        assert_eq!(site.number(on_its_way).await, 0);
    });
}

/// Nobody drops what is in no file that he can read, and nothing is moved into a month that is in files.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn hosts_that_know_other_files_or_times_lose_nothing(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut site = Site::new(&database, &runtime);
    runtime.block_on(async {
        let (contents, tables, offload) = (site.contents().await, site.tables().await, site.offload(14));
        offload.offload_months().await.expect("taken out");
        offload.reload_month(month()).await.expect("brought back");
        let month_of = "purpose = 'month' AND state";
        let elsewhere = site.offload_into(14, Sink::new(Arc::new(BrokenFiles::default()), ""));
        site.run(&format!("UPDATE packet_table_tracking SET state = 'dropping' WHERE {month_of} = 'closed'"))
            .await;
        let refused = elsewhere.offload_months().await;
        assert!(matches!(refused, Err(OffloadError::Missing { .. })), "{refused:?}");
        assert_eq!(site.tables().await, tables);
        assert_eq!(site.contents().await, contents, "all of it is shown again");

        offload.offload_months().await.expect("taken out");
        let late = site.call().await;
        site.run("UPDATE data_packet SET has_ended = 1, is_open = 0").await;
        let clock = Arc::new(VirtualClock::new(ended()));
        let history = History::new(MySqlStore::clone(&site.store), clock, HistorySettings::default());
        let moved = history.move_ended().await;
        let error = moved.expect_err("that month is gone");
        let source = std::error::Error::source(&error).expect("a source").to_string();
        assert!(source.contains("is the clock right?"), "{source}");
        let (company, packet) = late;
        let rows = site.store.rows(company, packet, RowNumber(0), 9).await.expect("rows");
        assert_eq!(rows.items.len(), 2, "they are where they were");
        offload.reload_month(month()).await.expect("brought back");
        assert_eq!(site.contents().await, contents);
        assert_eq!(history.move_ended().await.expect("moved").packets, 1);
    });
}
