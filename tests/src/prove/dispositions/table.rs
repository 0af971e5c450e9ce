//! The reports of an attempt as `docs/lifecycles.md` writes them.

use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::domain::message_status::MessageStatus;

use crate::prove::Failure;

const DOCUMENT: &str = include_str!("../../../../docs/lifecycles.md");

/// The names of the reports by their rank, each with where it takes a message that was sent.
#[derive(Debug)]
pub(super) struct Ranks(Vec<(String, MessageStatus)>);

impl Ranks {
    /// The table of the document.
    ///
    /// # Errors
    ///
    /// It is not there, or names what is no event of a report.
    pub(super) fn read() -> Result<Self, Failure> {
        let (_, table) = DOCUMENT.split_once("<!-- table: reports -->").ok_or("no table of reports")?;
        let lines = table.lines().skip_while(|line| !line.starts_with('|')).skip(2);
        let lines = lines.take_while(|line| line.starts_with('|'));
        let ranks: Result<Vec<_>, Failure> = lines.map(line).collect();
        let ranks = ranks?;
        let is_ordered = ranks.iter().zip(1_usize..).all(|((rank, ..), number)| *rank == number);
        if ranks.is_empty() || !is_ordered {
            return Err("the ranks of reports are not 1, 2, 3 …".into());
        }
        Ok(Self(ranks.into_iter().map(|(_, name, status)| (name, status)).collect()))
    }

    /// The greatest of these reports: by rank, of two failures by the bytes of their codes.
    pub(super) fn greatest<'r>(&self, reports: &'r [AttemptReport]) -> Option<&'r AttemptReport> {
        reports.iter().max_by_key(|report| (self.rank(report), code(report)))
    }

    /// Where a report takes a message that was sent.
    pub(super) fn status(&self, report: &AttemptReport) -> Option<MessageStatus> {
        self.0.get(self.rank(report)?).map(|(_, status)| *status)
    }

    fn rank(&self, report: &AttemptReport) -> Option<usize> {
        self.0.iter().position(|(name, _)| name == report.as_str())
    }
}

fn line(line: &str) -> Result<(usize, String, MessageStatus), Failure> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [rank, name, event] = cells[..] else { return Err(format!("no line of the table: {line}").into()) };
    let status = match event {
        "found" => MessageStatus::Sent,
        "undelivered" => MessageStatus::Undelivered,
        "delivered" => MessageStatus::Delivered,
        other => return Err(format!("no event of a report: {other}").into()),
    };
    Ok((rank.parse()?, name.to_owned(), status))
}

fn code(report: &AttemptReport) -> &[u8] {
    match report {
        AttemptReport::Undelivered { code } => code.as_bytes(),
        _ => &[],
    }
}
