use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sha2::{Digest as _, Sha256};

use super::InvalidCall;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::call::{CallKey, CallKind};
use crate::domain::contact_method::ContactMethod;
use crate::domain::mapping::CompiledCampaign;
use crate::domain::one_liner::OneLiner;
use crate::domain::packet::{Digest, IngestProgress};
use crate::domain::row::{Header, RejectedRow, Row, RowFault, RowNumber};
use crate::domain::table::MAX_COLUMNS;
use crate::ids::CampaignId;
use crate::ports::store::RowBatch;
use crate::services::Settings;

/// The cells of a row, by column.
pub type CallRow = BTreeMap<String, String>;

/// Something to be sent at once, or to be planned as a file is. `Debug` shows no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDemandCall {
    /// The caller's own name of the call: however often it is made, it is one call.
    pub key: CallKey,
    /// What is to be sent.
    pub content: CallContent,
}

/// What a call brings. Personal data: `Debug` shows how much it is.
#[derive(Clone, PartialEq, Eq)]
pub enum CallContent {
    /// Rows, as a file of the campaign would have them. The header is the union of their columns; a row that lacks one of them
    /// is empty there.
    Rows(Vec<CallRow>),
    /// One message to one contact point.
    OneLiner(Box<OneLiner>),
}

/// A call that was understood.
#[derive(Debug)]
pub(super) struct ReadCall {
    pub(super) kind: CallKind,
    pub(super) rows: RowBatch,
}

impl OnDemandCall {
    /// A call of rows.
    pub const fn rows(key: CallKey, rows: Vec<CallRow>) -> Self {
        Self { key, content: CallContent::Rows(rows) }
    }

    /// A call of one message.
    pub fn one_liner(key: CallKey, one_liner: OneLiner) -> Self {
        Self { key, content: CallContent::OneLiner(Box::new(one_liner)) }
    }

    /// SHA-256 of what the call brings: every part with its length before it, so that no two calls look alike.
    pub(super) fn digest(&self) -> Digest {
        let mut sum = Sum(Sha256::new());
        match &self.content {
            CallContent::Rows(rows) => {
                sum.text("rows");
                sum.count(rows.len());
                for row in rows {
                    sum.cells(row);
                }
            }
            CallContent::OneLiner(one_liner) => {
                sum.text("one-liner");
                sum.text(one_liner.method.as_str());
                sum.text(&one_liner.contact);
                sum.text(one_liner.text.method().map_or("campaign", ContactMethod::as_str));
                for (part, text) in one_liner.text.parts() {
                    sum.text(part);
                    sum.text(text);
                }
                sum.cells(&one_liner.fields);
                for part in [&one_liner.person, &one_liner.language, &one_liner.time_zone] {
                    sum.count(usize::from(part.is_some()));
                    sum.text(part.as_deref().unwrap_or_default());
                }
            }
        }
        Digest(sum.0.finalize().into())
    }

    /// Refuses a call that is larger than one may be.
    pub(super) fn check_size(&self, settings: &Settings) -> Result<(), InvalidCall> {
        let cells = |row: &CallRow| row.iter().map(|(column, cell)| column.len() + cell.len()).sum::<usize>();
        let (bytes, max) = match &self.content {
            CallContent::Rows(rows) if rows.is_empty() => return Err(InvalidCall::NoRows),
            CallContent::Rows(rows) if rows.len() > settings.max_call_rows => {
                return Err(InvalidCall::TooManyRows { rows: rows.len(), max: settings.max_call_rows });
            }
            CallContent::Rows(rows) => (rows.iter().map(cells).sum(), settings.max_call_bytes),
            CallContent::OneLiner(one_liner) => {
                let text: usize = one_liner.text.parts().map(|(_, text)| text.len()).sum();
                let parts = [&one_liner.person, &one_liner.language, &one_liner.time_zone];
                let parts: usize = parts.into_iter().flatten().map(String::len).sum();
                let bytes = cells(&one_liner.fields) + text + parts + one_liner.contact.len();
                (bytes, settings.max_call_bytes.min(settings.max_row_bytes))
            }
        };
        if bytes > max { Err(InvalidCall::TooLarge { max }) } else { Ok(()) }
    }

    /// The rows of the call, as they are stored.
    pub(super) fn read(
        &self,
        campaign: CampaignId,
        compiled: &CompiledCampaign,
        settings: &Settings,
    ) -> Result<ReadCall, InvalidCall> {
        match &self.content {
            CallContent::Rows(rows) => {
                let rows = read_rows(rows, compiled, settings)?;
                Ok(ReadCall { kind: CallKind::Rows, rows })
            }
            CallContent::OneLiner(one_liner) => {
                let identity = self.identity(campaign);
                let (header, row) = one_liner.to_row(compiled, &identity).map_err(InvalidCall::OneLiner)?;
                let rows = batch(header, vec![row], Vec::new());
                Ok(ReadCall { kind: CallKind::OneLiner, rows })
            }
        }
    }

    /// What a one-liner is about: the call. Keys of two campaigns may be the same, identities of a company may not.
    fn identity(&self, campaign: CampaignId) -> AppointmentKey {
        let mut sum = Sum(Sha256::new());
        sum.text(&campaign.to_string());
        sum.text(self.key.as_str());
        AppointmentKey::of_call(&Digest(sum.0.finalize().into()))
    }
}

impl fmt::Debug for CallContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => f.debug_struct("Rows").field("rows", &rows.len()).finish_non_exhaustive(),
            Self::OneLiner(one_liner) => fmt::Debug::fmt(one_liner, f),
        }
    }
}

fn read_rows(
    rows: &[CallRow],
    compiled: &CompiledCampaign,
    settings: &Settings,
) -> Result<RowBatch, InvalidCall> {
    let numbered = || (1..).zip(rows);
    if let Some((row, _)) = numbered().find(|(_, row)| row.keys().any(|column| column.trim().is_empty())) {
        return Err(InvalidCall::UnnamedColumn { row });
    }
    let columns: BTreeSet<&str> = rows.iter().flat_map(BTreeMap::keys).map(String::as_str).collect();
    if columns.len() > MAX_COLUMNS {
        return Err(InvalidCall::TooManyColumns { found: columns.len() });
    }
    // Every cell has its end, the empty ones too: as separators count in a file.
    if columns.len().saturating_mul(rows.len()) > settings.max_call_bytes {
        return Err(InvalidCall::TooLarge { max: settings.max_call_bytes });
    }
    let header = Header(columns.iter().map(|column| (*column).to_owned()).collect());
    compiled.mapper(&header).map_err(InvalidCall::UnfitHeader)?;
    let (mut good, mut bad) = (Vec::with_capacity(rows.len()), Vec::new());
    for (number, row) in numbered() {
        if row.values().map(String::len).sum::<usize>() > settings.max_row_bytes {
            bad.push(too_large(number, settings.max_row_bytes));
        } else {
            let cells = columns.iter().map(|column| row.get(*column).map(String::as_str).unwrap_or_default());
            good.push(Row::new(RowNumber(number), number, cells));
        }
    }
    Ok(batch(header, good, bad))
}

fn too_large(row: u64, max: usize) -> RejectedRow {
    let detail = format!("line {row}: row is larger than {max} bytes");
    RejectedRow { row: RowNumber(row), column: None, code: RowFault::RowTooLarge, detail }
}

/// All rows of a call. A row's line is its number: there is no header line.
fn batch(header: Header, rows: Vec<Row>, rejected: Vec<RejectedRow>) -> RowBatch {
    let count = (rows.len() + rejected.len()) as u64;
    let progress = IngestProgress {
        header,
        delimiter: None,
        through: RowNumber(count),
        offset: 0,
        line: count + 1,
        ..IngestProgress::default()
    };
    RowBatch { after: RowNumber::default(), progress, rows, rejected }
}

/// A sum over parts with their lengths.
struct Sum(Sha256);

impl Sum {
    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn cells(&mut self, cells: &CallRow) {
        self.count(cells.len());
        for (column, cell) in cells {
            self.text(column);
            self.text(cell);
        }
    }
}
