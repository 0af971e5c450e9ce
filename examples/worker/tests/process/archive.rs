//! Old logs leave the database for the folder of the archive, and come back when somebody asks.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::domain::access::Actor;
use reminderly_core::domain::log_entry::{Deed, LogEntry, PacketDeed};
use reminderly_core::ids::{IdSourceExt as _, RandomIds};
use reminderly_core::ports::store::LogStore as _;
use reminderly_mysql::{MySqlConfig, MySqlStore, ServerKind};

use crate::database::{block_on, connect, database, fresh_url};
use crate::site::{CONFIGURATION, Site, wait_for};

const COMPANY: &str = "019ac000-0000-7000-8000-000000000001";

const ARCHIVE: &str = "[archive]\nfolder = \"archive\"\nkeep_logs_days = 30\n";

/// Another connection to the worker's database.
struct Desk(MySqlStore);

impl Desk {
    fn new(url: &str) -> Self {
        let config = MySqlConfig::from_url(url).expect("a URL");
        Self(block_on(connect(&config)).expect("connected"))
    }

    fn append(&self, at: DateTime<Utc>) {
        let ids = RandomIds;
        let deed = Deed::Packet(ids.next(at), PacketDeed::TakeInFile);
        let entry = LogEntry { id: ids.next(at), at, actor: Actor::Operator, deed };
        block_on(self.0.append_to_log(COMPANY.parse().expect("an id"), entry)).expect("written");
    }

    fn entries(&self) -> usize {
        let ever = DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC;
        let company = COMPANY.parse().expect("an id");
        block_on(self.0.log(company, ever, None, 100)).expect("read").items.len()
    }
}

/// The files of a day whose names end so.
fn files_of(site: &Site, day: NaiveDate, end: &str) -> Vec<PathBuf> {
    let beginning = format!("company_log_{}", day.format("%m%d%Y"));
    let Ok(files) = fs::read_dir(site.path().join("archive")) else { return Vec::new() };
    let files = files.map(|file| file.expect("a file").path());
    let is_of_day = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        name.starts_with(&beginning) && name.ends_with(end)
    };
    files.filter(is_of_day).collect()
}

fn old_logs_leave_the_database_and_come_back(kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let url = fresh_url(&database);
    let site = Site::new(&url);
    assert!(site.worker(&["--init"]).status.success());
    let (desk, old) = (Desk::new(&url), SystemClock::new().now() - Days::new(40));
    for _ in 0..3 {
        desk.append(old);
    }
    let before = desk.entries();
    let day = old.date_naive();
    let said = |arguments: &[&str]| {
        let output = site.worker(arguments);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let reload = ["--reload-log", &day.to_string()];
    let (is_done, text) = said(&reload);
    assert!(!is_done && text.contains("[archive]"), "{text}");

    site.configure(&format!("{CONFIGURATION}{ARCHIVE}"));
    let (is_done, text) = said(&reload);
    assert!(!is_done && text.contains("there is no file"), "{text}");
    let (is_done, text) = said(&["--reload-month", "2020-05"]);
    assert!(!is_done && text.contains("campaign_data_*_05312020"), "{text}");
    let running = site.start();
    wait_for("there is a file", Duration::from_secs(30), || {
        !files_of(&site, day, ".manifest.json").is_empty()
    });
    assert_eq!(running.stop(), Some(0));
    assert_eq!(desk.entries(), before - 3);
    let [file] = &*files_of(&site, day, ".gz") else { panic!("one file") };
    let (is_done, text) = said(&reload);
    assert!(is_done && text.contains("rows=3"), "{text}");
    assert_eq!(desk.entries(), before);

    let whole = fs::read(file).expect("read");
    fs::write(file, whole.get(..whole.len() - 9).expect("a file")).expect("written");
    let (is_done, text) = said(&reload);
    assert!(!is_done && text.contains(&file.file_name().expect("a name").display().to_string()), "{text}");
}

#[test]
fn old_logs_leave_mariadb_and_come_back() {
    old_logs_leave_the_database_and_come_back(ServerKind::MariaDb);
}

#[test]
fn old_logs_leave_mysql_and_come_back() {
    old_logs_leave_the_database_and_come_back(ServerKind::MySql);
}
