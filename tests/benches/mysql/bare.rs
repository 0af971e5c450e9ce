//! The least that a claim and a settlement can be: rows of ids and instants, without any guard.

use std::time::Duration;

use futures::future::try_join_all;
use reminderly_core::clock::{Clock as _, SystemClock};
use reminderly_core::ids::{IdSource as _, RandomIds};
use reminderly_tests::report::Failure;
use sqlx::mysql::{MySqlConnection, MySqlPool};
use sqlx::{Connection as _, Executor as _};

use crate::claims::Load;
use crate::site::Site;

/// By what a message is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Design {
    /// The row of the attempt is the claim, another one the settlement.
    Inserts,
    /// The message's row says how it stands, beside the row of the attempt.
    Updates,
}

const TABLES: [&str; 3] = [
    "CREATE TABLE messages (id BINARY(16) PRIMARY KEY, status TINYINT NOT NULL, epoch INT NOT NULL, body VARCHAR(400) NOT NULL)",
    "CREATE TABLE attempts (message_id BINARY(16) NOT NULL, epoch INT NOT NULL, id BINARY(16) NOT NULL, start_by DATETIME(6) NOT NULL, \
     answer_by DATETIME(6) NOT NULL, provider VARCHAR(32) NOT NULL, PRIMARY KEY (message_id, epoch))",
    "CREATE TABLE outcomes (attempt_id BINARY(16) PRIMARY KEY, verdict TINYINT NOT NULL, reference VARCHAR(64), at DATETIME(6) NOT NULL)",
];

const NOW: &str = "2026-03-09 09:15:00.123456";

/// How long it takes.
pub(crate) async fn run(site: &Site, load: &Load, design: Design) -> Result<Duration, Failure> {
    let place = site.place().await?;
    let pool = place.pool(u32::try_from(load.connections)?).await?;
    for table in TABLES {
        pool.execute(table).await?;
    }
    let now = SystemClock::new().now();
    let ids: Vec<String> =
        (0..load.messages).map(|_| RandomIds.next_uuid(now).simple().to_string()).collect();
    for some in ids.chunks(500) {
        let rows: Vec<String> = some.iter().map(|id| format!("(x'{id}', 0, 0, REPEAT('a', 300))")).collect();
        let insert = format!("INSERT INTO messages (id, status, epoch, body) VALUES {}", rows.join(", "));
        pool.execute(&*insert).await?;
    }
    let clock = SystemClock::new();
    let start = clock.monotonic();
    let share = load.messages.div_ceil(load.connections);
    let workers = ids.chunks(share).map(|ids| work(&pool, ids, load.batch, design));
    try_join_all(workers).await?;
    let time = clock.monotonic().since(start);
    pool.close().await;
    place.clear().await?;
    Ok(time)
}

async fn work(pool: &MySqlPool, ids: &[String], batch: usize, design: Design) -> Result<(), Failure> {
    let mut connection = pool.acquire().await?;
    for ids in ids.chunks(batch) {
        claim(&mut connection, ids, design).await?;
        settle(&mut connection, ids, design).await?;
    }
    Ok(())
}

async fn claim(connection: &mut MySqlConnection, ids: &[String], design: Design) -> Result<(), Failure> {
    let attempts: Vec<String> =
        ids.iter().map(|id| format!("(x'{id}', 1, x'{id}', '{NOW}', '{NOW}', 'sandbox')")).collect();
    let insert = format!(
        "INSERT INTO attempts (message_id, epoch, id, start_by, answer_by, provider) VALUES {}",
        attempts.join(", ")
    );
    if design == Design::Inserts {
        connection.execute(&*insert).await?;
        return Ok(());
    }
    let mut tx = connection.begin().await?;
    let update = format!(
        "UPDATE messages SET status = 1, epoch = epoch + 1 WHERE status = 0 AND id IN ({})",
        list(ids)
    );
    tx.execute(&*update).await?;
    tx.execute(&*insert).await?;
    tx.commit().await?;
    Ok(())
}

async fn settle(connection: &mut MySqlConnection, ids: &[String], design: Design) -> Result<(), Failure> {
    let text = match design {
        Design::Inserts => {
            let rows: Vec<String> =
                ids.iter().map(|id| format!("(x'{id}', 1, 'SM0123456789abcdef', '{NOW}')")).collect();
            format!("INSERT INTO outcomes (attempt_id, verdict, reference, at) VALUES {}", rows.join(", "))
        }
        Design::Updates => {
            format!("UPDATE messages SET status = 2 WHERE status = 1 AND epoch = 1 AND id IN ({})", list(ids))
        }
    };
    connection.execute(&*text).await?;
    Ok(())
}

fn list(ids: &[String]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("x'{id}'")).collect();
    ids.join(", ")
}
