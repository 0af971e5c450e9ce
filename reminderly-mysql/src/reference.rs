//! Reference tables: what the words in the other tables mean, for people with a SQL client. The library itself reads none of them.

use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::{IngestSource, PacketStage};
use reminderly_core::domain::template::message_functions;
use sqlx::mysql::MySqlConnection;
use sqlx::query;

/// A word, and what it means.
type Word = (&'static str, &'static str);

/// Writes all of them. Words of a newer version than this stay.
pub(crate) async fn write(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    for (table, words) in tables() {
        let rows = vec!["(?, ?, ?)"; words.len()].join(", ");
        let insert = format!(
            "INSERT INTO {table} (name, position, description) VALUES {rows} \
             ON DUPLICATE KEY UPDATE position = VALUES(position), description = VALUES(description)"
        );
        // The name of a table of ours, and question marks.
        let insert = words
            .iter()
            .zip(1_u16..)
            .fold(query(&insert).persistent(false), |insert, ((name, description), position)| {
                insert.bind(*name).bind(position).bind(*description)
            });
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

fn tables() -> [(&'static str, Vec<Word>); 5] {
    let methods = ContactMethod::ALL.map(|method| (method.as_str(), of_method(method)));
    let statuses = MessageStatus::ALL.map(|status| (status.as_str(), of_status(status)));
    let sources = IngestSource::ALL.map(|source| (source.as_str(), of_source(source)));
    let stages = PacketStage::ALL.map(|stage| (stage.as_str(), of_stage(stage)));
    let functions = message_functions().map(|name| (name, "see docs/message-functions.md"));
    [
        ("contact_methods", methods.to_vec()),
        ("contact_status", statuses.to_vec()),
        ("data_ingest_source", sources.to_vec()),
        ("data_ingest_stage", stages.to_vec()),
        ("message_functions", functions.collect()),
    ]
}

const fn of_method(method: ContactMethod) -> &'static str {
    match method {
        ContactMethod::Sms => "a text message",
        ContactMethod::Email => "an e-mail",
        ContactMethod::Phone => "a voice call",
    }
}

const fn of_status(status: MessageStatus) -> &'static str {
    match status {
        MessageStatus::Planned => "it has an instant and waits for it",
        MessageStatus::Queued => "it was handed to the packet's queue",
        MessageStatus::Sending => "a worker has claimed it, and may be calling the provider",
        MessageStatus::Sent => "the provider accepted it",
        MessageStatus::Delivered => "the provider reports that it arrived",
        MessageStatus::Undelivered => "the provider reports that it did not arrive",
        MessageStatus::Skipped => "it is not sent, for a reason that its detail names",
        MessageStatus::Expired => "its window or its appointment was missed",
        MessageStatus::Cancelled => "its packet or campaign was cancelled, or its appointment vanished",
        MessageStatus::Failed => "every permitted attempt was refused",
        MessageStatus::Unknown => "nobody knows whether the latest attempt was accepted",
    }
}

const fn of_source(source: IngestSource) -> &'static str {
    match source {
        IngestSource::File => "a data file",
        IngestSource::OnDemand => "a call, which brought its rows with it",
        IngestSource::FollowUp => "none: what answers people",
    }
}

const fn of_stage(stage: PacketStage) -> &'static str {
    match stage {
        PacketStage::Prepared => "it exists",
        PacketStage::Ingested => "its source is readable: header and delimiter are known",
        PacketStage::Loaded => "every row is stored or rejected",
        PacketStage::Mapped => "every good row has its messages, or failed",
        PacketStage::Queued => "queue and poller are set up; messages go out",
        PacketStage::Complete => "nothing is open; queue and poller are gone",
        PacketStage::Failed => "it cannot go on as it is; resumable",
        PacketStage::Cancelled => "it was cancelled",
    }
}
