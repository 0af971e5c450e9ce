//! Old logs go into files, and come back: nothing is lost on the way, wherever it is cut off.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use object_store::local::LocalFileSystem;
use reminderly_core::domain::access::Actor;
use reminderly_core::domain::log_entry::{Deed, LogEntry, PacketDeed};
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::{AccessStore as _, LogStore as _};
use reminderly_core::testing::VirtualClock;
use reminderly_mysql::{MySqlStore, Offload, OffloadError, OffloadSettings, Offloaded, ServerKind, Sink};
use rstest::rstest;
use sqlx::{MySqlConnection, query, query_scalar};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::bench::sql;
use crate::database::{Database, block_on, database, fresh_url, migrated_at};
use crate::values::{company, id, now};

/// A store with the logs of two companies.
struct Site {
    store: MySqlStore,
    sql: MySqlConnection,
    folder: TempDir,
    companies: [CompanyId; 2],
}

impl Site {
    async fn new(database: &Database) -> Self {
        let url = fresh_url(database);
        let store = migrated_at(&url).await;
        let owners = [company(), company()];
        for owner in &owners {
            store.save_company_across_companies(owner).await.expect("saved");
        }
        let (sql, folder) = (sql(&url).await, TempDir::new().expect("a folder"));
        Self { store, sql, folder, companies: owners.map(|owner| owner.id) }
    }

    /// Seven entries of each company, one an hour from the beginning of a day.
    async fn write(&self, day: DateTime<Utc>) {
        for company in self.companies {
            for hours in 0..7 {
                self.append(company, day + TimeDelta::hours(hours)).await;
            }
        }
    }

    async fn append(&self, company: CompanyId, at: DateTime<Utc>) {
        let deed = Deed::Packet(id(), PacketDeed::TakeInFile);
        let entry = LogEntry { id: id(), at, actor: Actor::User(id()), deed };
        self.store.append_to_log(company, entry).await.expect("written");
    }

    /// What is left a week after the first day: logs of five days.
    fn offload(&self) -> Offload {
        let clock = Arc::new(VirtualClock::new(day(7)));
        let files = LocalFileSystem::new_with_prefix(self.folder.path()).expect("a folder");
        let settings = OffloadSettings::default().with_keep_logs(Days::new(5));
        Offload::new(self.store.clone(), clock, Sink::new(Arc::new(files), "test/logs"), settings)
    }

    async fn entries(&self) -> Vec<LogEntry> {
        let mut entries = Vec::new();
        for company in self.companies {
            let ever = DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC;
            entries.extend(self.store.log(company, ever, None, 1_000).await.expect("read").items);
        }
        entries
    }

    async fn tables(&mut self) -> i64 {
        let count = "SELECT COUNT(*) FROM information_schema.tables \
                     WHERE table_schema = DATABASE() AND table_name LIKE 'company\\\\_log\\\\_%'";
        query_scalar(count).fetch_one(&mut self.sql).await.expect("counted")
    }
}

/// So many days after the first.
fn day(days: i64) -> DateTime<Utc> {
    now().date_naive().and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::days(days)
}

fn date(days: i64) -> NaiveDate {
    day(days).date_naive()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("test/logs"))
        .expect("files")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    files
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn logs_go_into_files_and_come_back(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let mut site = Site::new(&database).await;
        for days in [0, 1, 2, 7] {
            site.write(day(days)).await;
        }
        let (all, offload) = (site.entries().await, site.offload());
        assert_eq!(all.len(), 4 * 14);
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 2, rows: 28 });
        assert_eq!(site.tables().await, 2);
        let kept: Vec<LogEntry> = all.iter().filter(|entry| entry.at >= day(2)).copied().collect();
        assert_eq!(site.entries().await, kept);
        assert_eq!(offload.offload_logs().await.expect("nothing is left"), Offloaded::default());

        // An entry that is late is in another file of its day.
        site.append(site.companies[0], day(0)).await;
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 1 });
        assert_eq!(files(site.folder.path()).len(), 2 * 3);
        assert_eq!(offload.restore_log(date(0)).await.expect("restored"), 15);
        assert_eq!(offload.restore_log(date(0)).await.expect("restored again"), 15);
        assert_eq!(site.entries().await.len(), kept.len() + 15);

        // They are old still.
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 15 });
        for days in 0..2 {
            offload.restore_log(date(days)).await.expect("restored");
        }
        let restored = site.entries().await;
        assert!(all.iter().all(|entry| restored.contains(entry)));
        let never = offload.restore_log(date(3)).await;
        assert!(matches!(never, Err(OffloadError::Missing { .. })), "{never:?}");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn wherever_it_is_cut_off_nothing_is_lost(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        for days in 0..2 {
            site.write(day(days)).await;
        }
        let (all, offload) = (site.entries().await, site.offload());
        // Each time it comes a little further.
        let mut cut = 0;
        for milliseconds in 1.. {
            match timeout(Duration::from_millis(milliseconds), offload.offload_logs()).await {
                Err(_) => cut += 1,
                Ok(done) => {
                    done.expect("taken out");
                    break;
                }
            }
        }
        assert!(cut > 3, "it was cut off {cut} times");
        assert_eq!(site.entries().await, []);
        for days in 0..2 {
            assert_eq!(offload.restore_log(date(days)).await.expect("restored"), 14);
        }
        assert_eq!(site.entries().await, all);
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_file_that_cannot_be_written_or_is_damaged_loses_nothing(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let mut site = Site::new(&database).await;
        site.write(day(0)).await;
        let offload = site.offload();
        // A file where its folder is to be.
        fs::write(site.folder.path().join("test"), "in the way").expect("written");
        let refused = offload.offload_logs().await;
        assert!(matches!(refused, Err(OffloadError::File { .. })), "{refused:?}");
        assert_eq!(site.tables().await, 1, "set aside, and not dropped");
        fs::remove_file(site.folder.path().join("test")).expect("out of the way");
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 14 });

        let content =
            files(site.folder.path()).into_iter().find(|file| file.extension() == Some("gz".as_ref()));
        let content = content.expect("a file");
        let whole = fs::read(&content).expect("read");
        for damaged in [&whole[..whole.len() / 2], &[whole.as_slice(), &whole].concat(), b"no gzip"] {
            fs::write(&content, damaged).expect("written");
            let refused = offload.restore_log(date(0)).await;
            let is_told = matches!(refused, Err(OffloadError::Damaged { .. } | OffloadError::File { .. }));
            assert!(is_told, "{refused:?}");
            assert_eq!(site.entries().await, []);
        }
        fs::write(&content, whole).expect("written");
        assert_eq!(offload.restore_log(date(0)).await.expect("restored"), 14);
    });
}

/// A backup that was loaded may have a table again whose file is there, and not all that is in it.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_file_is_not_replaced_by_another_table(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let mut site = Site::new(&database).await;
        site.write(day(0)).await;
        let offload = site.offload();
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 14 });
        query("DELETE FROM log_tables").execute(&mut site.sql).await.expect("as in the backup");
        // The store believes in the table that it used, and finds that it is not there.
        site.append(site.companies[0], day(0)).await;
        let refused = offload.offload_logs().await;
        assert!(matches!(refused, Err(OffloadError::Damaged { .. })), "{refused:?}");
        assert_eq!(site.tables().await, 1);
        let away = site.folder.path().join("away");
        fs::rename(site.folder.path().join("test/logs"), &away).expect("moved away");
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 1 });
        assert_eq!(site.tables().await, 0);
    });
}
