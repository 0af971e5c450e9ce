//! `messages.csv`: every message, skipped ones included.

use std::path::PathBuf;

use reminderly_core::domain::attempt::Attempt;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::content::Content;
use reminderly_core::domain::message::{MessageRecord, Origin};
use reminderly_core::services::Messages;

use super::csv_file::{CsvFile, guarded, instant};
use super::{PAGE, View};
use crate::failure::Failure;
use crate::scenario::Mode;

const HEADER: [&str; 15] = [
    "message",
    "kind",
    "row",
    "key",
    "method",
    "contact_point",
    "status",
    "reason",
    "planned_at",
    "sent_at",
    "attempts",
    "segments",
    "disposition",
    "reply",
    "body",
];

/// What is counted while messages are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// SMS segments of what was sent; where nothing is sent, of what would be.
    pub(crate) segments: u64,
    /// Calls that the provider made, further ones of one message included.
    pub(crate) calls: u64,
    /// Messages that told people of another time than they knew; where nothing is sent, those that would.
    pub(crate) corrections: u64,
}

impl Totals {
    fn count(&mut self, record: &MessageRecord) {
        self.segments += segments(record);
        self.corrections += u64::from(matches!(record.message.origin, Origin::Correction { .. }));
    }
}

/// Packet by packet, each in the order of its rows.
pub(super) async fn write(view: &View<'_>, path: PathBuf) -> Result<Totals, Failure> {
    let messages = Messages::new(&view.host.ports);
    let mut file = CsvFile::create(path, &HEADER)?;
    let mut totals = Totals::default();
    for packet in view.packets() {
        let mut after = None;
        loop {
            let page = messages.page(&view.scope, packet, after, PAGE).await?;
            for record in &page.items {
                let attempts = messages.attempts(&view.scope, packet, record.message.id).await?;
                file.row(&cells(record, &attempts))?;
                if counts(record, view.scenario.mode) {
                    totals.count(record);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    file.finish()?;
    let calls = view.host.sandbox.accepted().into_iter().filter(|call| call.method == ContactMethod::Phone);
    totals.calls = u64::try_from(calls.count()).unwrap_or(u64::MAX);
    Ok(totals)
}

fn cells(record: &MessageRecord, attempts: &[Attempt]) -> [String; HEADER.len()] {
    let (message, state) = (&record.message, &record.state);
    let report = attempts.last().and_then(|attempt| attempt.report.as_ref());
    [
        message.id.to_string(),
        kind(&message.origin).to_owned(),
        rows(&message.origin),
        guarded(message.key.as_str()).into_owned(),
        message.method.to_string(),
        // A number begins with `+` and nothing else: it stays what it is.
        message.contact.as_ref().map(|contact| contact.address().to_owned()).unwrap_or_default(),
        state.status.to_string(),
        state.detail.as_ref().map(|detail| guarded(&detail.to_string()).into_owned()).unwrap_or_default(),
        instant(state.planned_at),
        instant(state.sent_at),
        state.attempts.to_string(),
        segments(record).to_string(),
        report.map(|report| guarded(&report.to_string()).into_owned()).unwrap_or_default(),
        state.response.map(|response| response.kind.to_string()).unwrap_or_default(),
        message.content.as_ref().map(|content| guarded(content.text()).into_owned()).unwrap_or_default(),
    ]
}

/// What it was made for.
const fn kind(origin: &Origin) -> &'static str {
    match origin {
        Origin::Row { .. } => "reminder",
        Origin::Correction { .. } => "correction",
        Origin::Household { .. } => "household",
        Origin::Reply { .. } => "follow_up",
    }
}

/// The rows that it is about, parted by spaces.
fn rows(origin: &Origin) -> String {
    match origin {
        Origin::Household { members, .. } => {
            members.iter().map(|member| member.row.to_string()).collect::<Vec<_>>().join(" ")
        }
        other => other.row().map(|row| row.to_string()).unwrap_or_default(),
    }
}

fn segments(record: &MessageRecord) -> u64 {
    record.message.content.as_ref().map_or(0, Content::segments).into()
}

fn counts(record: &MessageRecord, mode: Mode) -> bool {
    match mode {
        Mode::Run => record.state.sent_at.is_some(),
        Mode::Plan => record.state.planned_at.is_some(),
    }
}
