//! Months that are over go into files, and come back with all that was in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use object_store::local::LocalFileSystem;
use reminderly_core::domain::access::{Action, Actor};
use reminderly_core::domain::report::PacketCounts;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::ids::{AttemptId, CompanyId, PacketId};
use reminderly_core::ports::store::{
    AccessStore as _, DispositionStore as _, MessageStore as _, PacketStore as _, ReportStore as _,
};
use reminderly_core::services::{Access, Explain, Messages, Recipients, Reconcile, ReportOn, ServiceError};
use reminderly_core::testing::VirtualClock;
use reminderly_mysql::{
    History, HistorySettings, MySqlStore, Offload, OffloadError, OffloadSettings, Offloaded, ServerKind, Sink,
};
use reminderly_tests::intake::ports;
use rstest::rstest;
use sqlx::{MySqlConnection, query_as, query_scalar};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use uuid::Uuid;

use crate::bench::sql;
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
        let clock = Arc::new(VirtualClock::new(ended() + Months::new(months)));
        let files = LocalFileSystem::new_with_prefix(self.folder.path()).expect("a folder").with_fsync(true);
        let sink = Sink::new(Arc::new(files), "test");
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
        let attempts = site.attempts().await;
        assert!(!attempts.is_empty());
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
        let empty = site.contents().await;
        assert!(empty.values().all(|of_packet| of_packet.len() == 1), "{empty:?}");
        let located = site.store.locate_attempts_across_companies(&attempts).await.expect("looked up");
        assert!(located.iter().all(Option::is_none), "late reports find nothing");
        assert_eq!(offload.offload_months().await.expect("nothing is left"), Offloaded::default());
        site.assert_refused().await;

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

/// A month whose files cannot be written is there still, and one whose files are damaged is not believed.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn what_cannot_be_written_or_believed_loses_nothing(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let mut site = Site::new(&database, &runtime);
    runtime.block_on(async {
        let (contents, tables, offload) = (site.contents().await, site.tables().await, site.offload(14));
        fs::write(site.folder.path().join("test"), "in the way").expect("written");
        let refused = offload.offload_months().await;
        assert!(matches!(refused, Err(OffloadError::File { .. })), "{refused:?}");
        assert_eq!((site.tables().await, site.are_offloaded().await), (tables, vec![true]));
        offload.reload_month(month()).await.expect("it never left");
        assert_eq!(site.contents().await, contents);

        fs::remove_file(site.folder.path().join("test")).expect("out of the way");
        let offloaded = offload.offload_months().await.expect("taken out");
        let files = fs::read_dir(site.folder.path().join("test")).expect("files");
        let files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        let is_wanted = |file: &&PathBuf| {
            file.to_string_lossy().contains("_messages.") && file.extension() == Some("gz".as_ref())
        };
        let file = files.iter().find(is_wanted).expect("a file");
        let whole = fs::read(file).expect("read");
        fs::write(file, whole.get(..whole.len() / 2).expect("a half")).expect("written");
        let refused = offload.reload_month(month()).await;
        assert!(matches!(refused, Err(OffloadError::Damaged { .. })), "{refused:?}");
        assert!(site.are_offloaded().await.contains(&true));
        fs::write(file, whole).expect("written");
        assert!(offload.reload_month(month()).await.expect("restored").rows <= offloaded.rows);
        assert_eq!(site.contents().await, contents);
    });
}
