//! What the words in the tables mean, for people with a SQL client.

use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::{IngestSource, PacketStage};
use reminderly_core::domain::template::message_functions;
use reminderly_mysql::ServerKind;
use rstest::rstest;
use sqlx::{MySqlConnection, query, query_as};

use crate::bench::sql;
use crate::database::{block_on, database, fresh_url, migrated_at};

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn reference_tables_are_what_the_library_knows(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let url = fresh_url(&database);
    block_on(async {
        let store = migrated_at(&url).await;
        let mut sql = sql(&url).await;
        assert_known(&mut sql).await;

        // What somebody has changed is mended by the next migration; words of a newer version stay.
        for change in [
            "DELETE FROM contact_methods WHERE name = 'sms'",
            "UPDATE contact_status SET position = 99, description = '' WHERE name = 'planned'",
            "INSERT INTO data_ingest_stage VALUES ('archived', 9, 'of a newer version')",
        ] {
            query(change).execute(&mut sql).await.expect("changed");
        }
        store.migrate().await.expect("tables");
        let gone = query("DELETE FROM data_ingest_stage WHERE name = 'archived'").execute(&mut sql).await;
        assert_eq!(gone.expect("deleted").rows_affected(), 1);
        assert_known(&mut sql).await;
    });
}

async fn assert_known(sql: &mut MySqlConnection) {
    let tables = [
        ("contact_methods", ContactMethod::ALL.map(ContactMethod::as_str).to_vec()),
        ("contact_status", MessageStatus::ALL.map(MessageStatus::as_str).to_vec()),
        ("data_ingest_source", IngestSource::ALL.map(IngestSource::as_str).to_vec()),
        ("data_ingest_stage", PacketStage::ALL.map(PacketStage::as_str).to_vec()),
        ("message_functions", message_functions().collect()),
    ];
    for (table, known) in tables {
        let select = format!(
            "SELECT CONVERT(name USING utf8mb4), CONVERT(description USING utf8mb4) FROM {table} ORDER BY position"
        );
        let rows: Vec<(String, String)> = query_as(&select).fetch_all(&mut *sql).await.expect("a table");
        let names: Vec<&str> = rows.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, known, "{table}");
        assert!(rows.iter().all(|(_, description)| !description.is_empty()), "{table}");
    }
}
