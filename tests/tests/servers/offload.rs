//! Old logs go into files, and come back: nothing is lost on the way, wherever it is cut off.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
use crate::broken_files::BrokenFiles;
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
        self.store.append_to_log(company, entry(at)).await.expect("written");
    }

    /// What is left a week after the first day: logs of five days.
    fn offload(&self) -> Offload {
        let files = LocalFileSystem::new_with_prefix(self.folder.path()).expect("a folder");
        self.offload_into(Sink::new(Arc::new(files), "test/logs"))
    }

    fn offload_into(&self, sink: Sink) -> Offload {
        let clock = Arc::new(VirtualClock::new(day(7)));
        let settings = OffloadSettings::default().with_keep_logs(Days::new(5));
        Offload::new(self.store.clone(), clock, sink, settings)
    }

    /// The only file with entries.
    fn content(&self) -> PathBuf {
        let files = files(self.folder.path()).into_iter();
        let mut files = files.filter(|file| file.extension() == Some("gz".as_ref()));
        files.next().filter(|_| files.next().is_none()).expect("one file")
    }

    /// Sets the table of the first day aside, as somebody does who is held up then.
    async fn rename_to(&mut self, number: u32) {
        let open = format!("company_log_{}", date(0).format("%m%d%Y"));
        let rename = format!("RENAME TABLE {open} TO {open}_{number}");
        query(&rename).execute(&mut self.sql).await.expect("renamed");
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

fn entry(at: DateTime<Utc>) -> LogEntry {
    let deed = Deed::Packet(id(), PacketDeed::TakeInFile);
    LogEntry { id: id(), at, actor: Actor::User(id()), deed }
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
        assert_eq!(offload.reload_log(date(0)).await.expect("restored"), 15);
        assert_eq!(offload.reload_log(date(0)).await.expect("restored again"), 15);
        assert_eq!(site.entries().await.len(), kept.len() + 15);

        // They are old still.
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 15 });
        for days in 0..2 {
            offload.reload_log(date(days)).await.expect("restored");
        }
        let restored = site.entries().await;
        assert!(all.iter().all(|entry| restored.contains(entry)));
        let never = offload.reload_log(date(3)).await;
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
        let (mut all, offload) = (site.entries().await, site.offload());
        // Each time it comes a little further, and then an entry comes late. A statement that was cut off may go on at the server, in the
        // way of the next one.
        let mut patience = Duration::ZERO;
        while !matches!(timeout(patience, offload.offload_logs()).await, Ok(Ok(_))) {
            let late = entry(day(0) + TimeDelta::hours(9));
            site.store.append_to_log(site.companies[1], late).await.expect("written");
            all.push(late);
            patience += Duration::from_millis(1);
        }
        assert!(all.len() > 31, "it was cut off {} times", all.len() - 28);
        assert_eq!(site.entries().await, []);
        for days in 0..2 {
            offload.reload_log(date(days)).await.expect("restored");
        }
        let restored = site.entries().await;
        assert!(restored.len() == all.len() && all.iter().all(|entry| restored.contains(entry)));
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_file_that_cannot_be_written_or_is_damaged_loses_nothing(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        site.write(day(0)).await;
        let offload = site.offload();
        // A file where its folder is to be.
        fs::write(site.folder.path().join("test"), "in the way").expect("written");
        let refused = offload.offload_logs().await;
        assert!(matches!(refused, Err(OffloadError::File { .. })), "{refused:?}");
        assert_eq!(site.entries().await.len(), 14, "nothing is begun");
        fs::remove_file(site.folder.path().join("test")).expect("out of the way");
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 14 });

        let content = site.content();
        let whole = fs::read(&content).expect("read");
        for damaged in [&whole[..whole.len() / 2], &[whole.as_slice(), &whole].concat(), b"no gzip"] {
            fs::write(&content, damaged).expect("written");
            let refused = offload.reload_log(date(0)).await;
            assert!(matches!(refused, Err(OffloadError::Damaged { .. })), "{refused:?}");
            assert_eq!(site.entries().await, []);
        }
        fs::write(&content, whole).expect("written");
        assert_eq!(offload.reload_log(date(0)).await.expect("restored"), 14);
    });
}

/// What a backup of the database has that was loaded: it knows of no file, or has a table again that is in one.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn files_outlive_the_database_that_they_are_from(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let mut site = Site::new(&database).await;
        site.write(day(0)).await;
        let all = site.entries().await;
        let offload = site.offload();
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 14 });
        query("DELETE FROM log_tables").execute(&mut site.sql).await.expect("as in the backup");
        // The store believes in the table that it used, and finds that it is not there.
        site.append(site.companies[0], day(0)).await;
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 1 });
        assert_eq!(offload.reload_log(date(0)).await.expect("restored"), 15);
        let restored = site.entries().await;
        assert!(restored.len() == 15 && all.iter().all(|entry| restored.contains(entry)));

        // It has all entries, and the file some. That keeps no other day from leaving.
        site.rename_to(1).await;
        site.write(day(1)).await;
        let refused = offload.offload_logs().await;
        assert!(matches!(refused, Err(OffloadError::Damaged { .. })), "{refused:?}");
        assert_eq!(site.tables().await, 1, "the other day has left");
        let away = site.folder.path().join("away");
        fs::rename(site.folder.path().join("test/logs"), &away).expect("moved away");
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 15 });
        assert_eq!(site.tables().await, 0);
    });
}

/// Somebody who was held up sets a table aside, or was killed before he dropped it.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn tables_that_somebody_left_are_taken_up(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let mut site = Site::new(&database).await;
        site.write(day(0)).await;
        let (all, offload) = (site.entries().await, site.offload());
        site.rename_to(7).await;
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 14 });
        assert_eq!(offload.reload_log(date(0)).await.expect("restored"), 14);

        // In its file already, of which a half is lost.
        site.rename_to(7).await;
        let content = site.content();
        let whole = fs::read(&content).expect("read");
        fs::write(&content, whole.get(..whole.len() / 2).expect("a half")).expect("written");
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 1, rows: 14 });
        assert_eq!(site.tables().await, 0);
        assert_eq!(offload.reload_log(date(0)).await.expect("restored"), 14);
        assert_eq!(site.entries().await, all);
    });
}

/// A place that breaks what it keeps: what cannot be read back is not dropped.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn what_cannot_be_read_back_stays(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let mut site = Site::new(&database).await;
        for days in 0..2 {
            site.write(day(days)).await;
        }
        let (all, files) = (site.entries().await, BrokenFiles::default());
        let offload = site.offload_into(Sink::new(Arc::new(files.clone()), ""));
        files.set_broken(true);
        let refused = offload.offload_logs().await;
        assert!(matches!(refused, Err(OffloadError::Damaged { .. })), "{refused:?}");
        assert_eq!(site.tables().await, 2);
        assert_eq!(site.entries().await.len(), 14, "no other day is begun");
        files.set_broken(false);
        assert_eq!(offload.offload_logs().await.expect("taken out"), Offloaded { tables: 2, rows: 28 });
        for days in 0..2 {
            assert_eq!(offload.reload_log(date(days)).await.expect("restored"), 14);
        }
        assert_eq!(site.entries().await, all);
    });
}

/// Tables of many pages, with entries of the same instant.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn large_logs_go_whole(#[case] kind: ServerKind) {
    const ENTRIES: u64 = 5_003;
    let Some(database) = database(kind) else { return };
    block_on(async {
        let mut site = Site::new(&database).await;
        site.append(site.companies[0], day(0)).await;
        let log = format!("company_log_{}", date(0).format("%m%d%Y"));
        // Three to an instant; one company has two thirds of them.
        let insert = format!(
            "INSERT INTO {log} (company_id, at, id, actor, deed, packet_id) \
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ENTRIES}) \
             SELECT IF(n % 3 = 0, ?, ?), TIMESTAMPADD(SECOND, FLOOR(n / 3), ?), UNHEX(LPAD(HEX(n), 32, '0')), 'worker', \
             'take_in_file', UNHEX(LPAD('1', 32, '0')) FROM numbers"
        );
        let recursive = match kind {
            ServerKind::MariaDb => "SET max_recursive_iterations = 10000",
            ServerKind::MySql => "SET cte_max_recursion_depth = 10000",
        };
        query(recursive).execute(&mut site.sql).await.expect(recursive);
        let [one, other] = site.companies.map(CompanyId::as_uuid);
        let insert = query(&insert).bind(one).bind(other).bind(day(0));
        insert.execute(&mut site.sql).await.expect("entries");
        let digest =
            format!("SELECT CAST(SUM(CRC32(CONCAT(HEX(company_id), at, HEX(id)))) AS UNSIGNED) FROM {log}");
        let before: u64 = query_scalar(&digest).fetch_one(&mut site.sql).await.expect("a digest");
        let offload = site.offload();
        let offloaded = offload.offload_logs().await.expect("taken out");
        assert_eq!(offloaded, Offloaded { tables: 1, rows: ENTRIES + 1 });
        assert_eq!(offload.reload_log(date(0)).await.expect("restored"), ENTRIES + 1);
        let after: u64 = query_scalar(&digest).fetch_one(&mut site.sql).await.expect("a digest");
        assert_eq!(after, before);
    });
}

/// Two hosts take out, and a third one brings back, while entries come late.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn hosts_that_do_it_at_the_same_time_lose_nothing(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let mut site = Site::new(&database).await;
        site.write(day(0)).await;
        let (one, other, third) = (site.offload(), site.offload(), site.offload());
        let done = AtomicBool::new(false);
        // Each may find that another one has dropped what it reads; it tries again.
        let taking_out = async |offload: Offload| {
            while !done.load(Ordering::Relaxed) {
                drop(offload.offload_logs().await);
            }
        };
        let bringing_back = async {
            while !done.load(Ordering::Relaxed) {
                drop(third.reload_log(date(0)).await);
            }
        };
        let appending = async {
            for number in 0..100 {
                let company = site.companies[number % 2];
                let entry = entry(day(0) + TimeDelta::hours(9));
                // Its table may be set aside again and again before it is written.
                while site.store.append_to_log(company, entry).await.is_err() {}
            }
            done.store(true, Ordering::Relaxed);
        };
        tokio::join!(taking_out(one), taking_out(other), bringing_back, appending);
        let offload = site.offload();
        offload.offload_logs().await.expect("taken out");
        assert_eq!((site.entries().await.len(), site.tables().await), (0, 0));
        offload.reload_log(date(0)).await.expect("restored");
        assert_eq!(site.entries().await.len(), 114);
    });
}
