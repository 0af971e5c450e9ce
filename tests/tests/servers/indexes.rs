//! No statement looks at more than it needs: all that the services send to a server, explained by it when its tables are large.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use reminderly_core::testing::VirtualClock;
use reminderly_mysql::{History, HistorySettings, MySqlConfig, MySqlStore, ServerKind};
use rstest::rstest;
use sqlx::mysql::MySqlRow;
use sqlx::{Connection as _, Executor as _, MySqlConnection, Row as _, query, query_as};
use tokio::runtime::Runtime;

use crate::database::{connect, database, fresh_url};
use crate::simulated::carry_out;

/// A schedule in which files come again, people answer, and a packet is cancelled.
const SEED: u64 = 5;

/// So many rows are added to each table.
const ROWS: u32 = 20_000;

/// A statement that sorts this many rows, or more, sorts too many.
const SORTED_MOST: u64 = 2_000;

/// What may look at all of a table, and why.
const EXCEPTIONS: [(&str, &str); 3] = [
    ("SELECT number FROM schema_migrations", "there are as many as this release knows"),
    ("SELECT ? FROM packet_?_?_?_", "whether there is any row: it reads the first one"),
    ("SELECT ? FROM campaign_data_?_?", "likewise"),
];

/// The set of tables that stands for all of packets: theirs are gone when they have moved.
const SET: &str = "packet_999_01012026_1";

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn every_statement_finds_its_rows_by_an_index(#[case] kind: ServerKind) {
    let Some(database) = database(kind).filter(|database| database.is_of_tests()) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let url = fresh_url(&database);
    let (server, mut sql) = runtime.block_on(async {
        let config = MySqlConfig::from_url(&url).expect("a URL");
        MySqlStore::create_database(&config).await.expect("a database");
        let mut sql = MySqlConnection::connect(&url).await.expect("connected");
        for set in ["SET autocommit = 1", "SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = 1"] {
            query(set).execute(&mut sql).await.expect(set);
        }
        let store = connect(&config).await.expect("connected");
        store.migrate().await.expect("tables");
        (Arc::new(store), sql)
    });
    carry_out(SEED, &server, &runtime);
    runtime.block_on(async {
        let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH + TimeDelta::days(50_000)));
        let history = History::new(MySqlStore::clone(&server), clock, HistorySettings::default());
        assert!(history.move_ended().await.expect("moved").packets > 0);
        query("SET GLOBAL general_log = 0").execute(&mut sql).await.expect("set");
        let statements = statements(&mut sql).await;
        assert!(statements.len() > 100, "only {} kinds of statements", statements.len());
        for table in ["data", "messages", "transitions", "dispositions", "due"] {
            let like = if table == "data" { String::new() } else { format!("_{table}") };
            let make = format!("CREATE TABLE {SET}_{table} LIKE campaign_data_1_11302106{like}");
            query(&make).execute(&mut sql).await.expect(table);
        }
        let large = enlarge(&mut sql).await;
        let scan = explain(&mut sql, "SELECT id FROM attempts WHERE message_id = x'00'", &large).await;
        assert!(scan.is_some(), "what has no index is found");
        let mut wasteful = BTreeMap::new();
        for (kind, statement) in &statements {
            if let Some(why) = explain(&mut sql, statement, &large).await {
                wasteful.insert(kind.clone(), why);
            }
        }
        wasteful.retain(|kind, _| !EXCEPTIONS.iter().any(|(known, _)| kind.starts_with(known)));
        assert_eq!(wasteful, BTreeMap::new());
    });
}

/// One statement of each kind that was sent.
async fn statements(sql: &mut MySqlConnection) -> BTreeMap<String, String> {
    let sent: Vec<(Vec<u8>,)> = query_as(
        // Of connections to this database: other tests use the server, too.
        "SELECT DISTINCT CAST(argument AS BINARY) FROM mysql.general_log \
         WHERE command_type IN ('Query', 'Execute') AND thread_id IN ( \
         SELECT thread_id FROM mysql.general_log WHERE command_type = 'Connect' AND LOCATE(DATABASE(), argument) > 0)",
    )
    .fetch_all(sql)
    .await
    .expect("the log");
    let sent = sent.into_iter().map(|(bytes,)| String::from_utf8_lossy(&bytes).into_owned());
    let begins = |text: &String| {
        ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|word| text.starts_with(word))
    };
    let looks = |text: &String| text.contains(" FROM ") || text.starts_with("UPDATE");
    sent.filter(begins).filter(looks).map(|text| (shape(&text), on_set(&text))).collect()
}

/// A statement on the tables that stand for all of packets.
fn on_set(text: &str) -> String {
    let mut parts = text.split("packet_");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name: String = part.chars().take_while(|c| c.is_ascii_digit() || *c == '_').collect();
        let name = name.trim_end_matches('_');
        let is_set = name.split('_').filter(|number| !number.is_empty()).count() == 3;
        whole.push_str(if is_set { SET } else { "packet_" });
        whole.push_str(if is_set { part.strip_prefix(name).unwrap_or(part) } else { part });
    }
    whole
}

/// A statement without its values and the names of its set.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                while characters.next().is_some_and(|character| character != '\'') {}
                shape.push('?');
            }
            '0'..='9' => {
                while characters.next_if(char::is_ascii_digit).is_some() {}
                shape.push('?');
            }
            other => shape.push(other),
        }
    }
    let shape = shape.replace("_utf?mb? x?", "?").replace("x?", "?").replace("TIMESTAMP?", "?");
    let mut short = shape;
    while short.contains("?, ?") {
        short = short.replace("?, ?", "?");
    }
    while short.contains("(?) OR (?)") || short.contains("(?), (?)") {
        short = short.replace("(?), (?)", "(?)");
    }
    short
}

/// Adds rows to every table; the names of those that have many.
async fn enlarge(sql: &mut MySqlConnection) -> BTreeSet<String> {
    let columns: Vec<(String, String, String, String)> = query_as(
        "SELECT CAST(c.table_name AS CHAR), CAST(column_name AS CHAR), CAST(data_type AS CHAR), CAST(extra AS CHAR) \
         FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
         WHERE c.table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY ordinal_position",
    )
    .fetch_all(&mut *sql)
    .await
    .expect("columns");
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (table, column, kind, extra) in columns {
        if extra != "auto_increment" {
            tables.entry(table).or_default().push((column, kind));
        }
    }
    for (table, columns) in &tables {
        let names: Vec<&str> = columns.iter().map(|(name, _)| &**name).collect();
        let values: Vec<String> = columns.iter().map(|(name, kind)| value(table, name, kind)).collect();
        let fill = format!(
            "INSERT IGNORE INTO {table} ({}) SELECT {} FROM \
             (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS n FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} d, {DIGITS} e) \
             AS numbers WHERE n < {ROWS}",
            names.join(", "),
            values.join(", ")
        );
        query(&fill).execute(&mut *sql).await.expect(table);
        sql.execute(&*format!("ANALYZE TABLE {table}")).await.expect(table);
    }
    tables.into_keys().collect()
}

const DIGITS: &str = "(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 \
                       UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";

/// What a column of an added row has: of one company, one campaign and one packet all of it, like what is there; else something of its own.
fn value(table: &str, column: &str, kind: &str) -> String {
    let like_others = format!("(SELECT {column} FROM {table} AS others ORDER BY 1 LIMIT 1)");
    match (column, kind) {
        ("company_id" | "campaign_id" | "packet_number" | "campaign_number", _)
        | (_, "varchar" | "longtext" | "mediumtext" | "text") => like_others,
        (_, "json") => "'[]'".to_owned(),
        (_, "binary") => format!("UNHEX(LEFT(SHA2(CONCAT('{column}', n), 256), 32))"),
        (_, "datetime") => "TIMESTAMP'2026-01-01 00:00:00' + INTERVAL n MINUTE".to_owned(),
        (_, "date") => "DATE'2026-01-01' + INTERVAL n DAY".to_owned(),
        (_, "tinyint") => "0".to_owned(),
        _ => "1000 + n".to_owned(),
    }
}

/// Why a statement looks at more than it needs; `None` if it does not.
async fn explain(sql: &mut MySqlConnection, statement: &str, large: &BTreeSet<String>) -> Option<String> {
    let explained = sql.fetch_all(&*format!("EXPLAIN FORMAT=TRADITIONAL {statement}")).await;
    let plan = match explained {
        Ok(plan) => plan,
        Err(error) => return Some(format!("it cannot be explained: {error}")),
    };
    let text = |row: &MySqlRow, column: &str| {
        let bytes: Option<Vec<u8>> = row.try_get_unchecked(column).expect(column);
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    };
    plan.iter().find_map(|row| {
        let (table, how, extra) = (text(row, "table"), text(row, "type"), text(row, "Extra"));
        // Text or a number, as the server likes.
        let rows = text(row, "rows").parse().unwrap_or(0_u64);
        let is_scan = matches!(&*how, "ALL" | "index") && rows > SORTED_MOST;
        let sorts = extra.contains("filesort") && rows > SORTED_MOST;
        let is_named = large.contains(&table) || !table.starts_with('<');
        (is_named && (is_scan || sorts)).then(|| format!("{table}: {how}, {rows} rows, {extra}"))
    })
}
