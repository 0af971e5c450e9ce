//! A packet: one file or call and all that comes of it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::call::{CallKey, CallKind};
use crate::domain::file_arrival::FileArrival;
use crate::domain::restore::RestoreEpoch;
use crate::domain::row::{Header, RowNumber};
use crate::domain::table::TextEncoding;
use crate::domain::vanished::VanishedAppointments;
use crate::ids::{CampaignId, CompanyId, PacketId};

/// One file or call and all that comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// Its id.
    pub id: PacketId,
    /// The company.
    pub company: CompanyId,
    /// The campaign.
    pub campaign: CampaignId,
    /// The version of the campaign's document that it was made with, and keeps.
    pub campaign_version: u32,
    /// Where its rows come from.
    pub origin: PacketOrigin,
    /// How far it is.
    pub stage: PacketStage,
    /// Why it failed, if it did, and at which stage it goes on.
    pub failure: Option<PacketFailure>,
    /// Whether it takes new claims and new messages.
    pub draining: Draining,
    /// The restore of the store up to which it is reconciled; while the store has a later one, it is fenced and sends nothing.
    #[serde(default)]
    pub reconciled: RestoreEpoch,
    /// How far reading its source is.
    pub ingest: IngestProgress,
    /// The last row that was mapped.
    pub mapped_through: RowNumber,
    /// Rows by what became of them.
    pub rows: RowCounts,
    /// What became of appointments that it does not name.
    pub vanished: VanishedAppointments,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its stage last changed.
    pub stage_changed_at: DateTime<Utc>,
    /// Since when its rows and messages are not in the store any more, but in files that the store was told to keep; `None` if they are there. What
    /// is counted stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offloaded_at: Option<DateTime<Utc>>,
}

impl Packet {
    /// When its file came; `None` if it is of no file.
    pub fn file_came_at(&self) -> Option<DateTime<Utc>> {
        match self.origin {
            PacketOrigin::File { arrival, .. } => Some(arrival.at(self.created_at)),
            PacketOrigin::OnDemand { .. } | PacketOrigin::FollowUp => None,
        }
    }

    /// Whether it needs a queue: its messages wait or go, and it is not about to end.
    pub const fn needs_queue(&self) -> bool {
        match self.stage {
            // Whatever marked it as completing was too late.
            PacketStage::Mapped => matches!(self.draining, Draining::Off | Draining::Completing),
            PacketStage::Queued => matches!(self.draining, Draining::Off),
            _ => false,
        }
    }

    /// Whether it says nothing any more: it was cancelled, or is about to be.
    pub fn is_given_up(&self) -> bool {
        self.stage == PacketStage::Cancelled || self.draining == Draining::Cancelling
    }
}

/// Where the rows of a packet come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketOrigin {
    /// A file.
    File {
        /// Its name in its source.
        name: Arc<str>,
        /// SHA-256 of its content: what tells files apart, whatever their names.
        digest: Digest,
        /// How it came.
        #[serde(default)]
        arrival: FileArrival,
    },
    /// None: messages that answer people are put into it as they arise.
    FollowUp,
    /// A call, which brought its rows with it.
    OnDemand {
        /// The caller's own name of the call: the same key is one packet per campaign.
        key: CallKey,
        /// SHA-256 of what the call brought: the same key with something else is an error of the caller.
        digest: Digest,
        /// How its rows are to be read.
        kind: CallKind,
    },
}

/// What packets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IngestSource {
    /// A data file.
    File,
    /// A call.
    OnDemand,
    /// None: messages that answer people.
    FollowUp,
}

impl IngestSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::File, Self::OnDemand, Self::FollowUp];

    /// The name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::OnDemand => "on_demand",
            Self::FollowUp => "follow_up",
        }
    }
}

impl PacketOrigin {
    /// What it came from.
    pub const fn source(&self) -> IngestSource {
        match self {
            Self::File { .. } => IngestSource::File,
            Self::FollowUp => IngestSource::FollowUp,
            Self::OnDemand { .. } => IngestSource::OnDemand,
        }
    }
}

/// Whether a packet is about to end: no new claims, no new messages, then its poller and its queue go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draining {
    /// It goes on.
    #[default]
    Off,
    /// Nothing is open; it becomes complete.
    Completing,
    /// It is being cancelled; what is open is cancelled first.
    Cancelling,
}

/// SHA-256 of a file, or of what a call brought.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// How far a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketStage {
    /// It exists.
    Prepared,
    /// Its source is readable: header and delimiter are known.
    Ingested,
    /// Every row is stored or rejected.
    Loaded,
    /// Every good row has its messages, or failed.
    Mapped,
    /// Queue and poller are set up; messages go out.
    Queued,
    /// Nothing is open; queue and poller are gone. A call that is to be made again takes it back to `Mapped`.
    Complete,
    /// It cannot go on as it is; resumable.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl PacketStage {
    /// Every stage, in the order of the lifecycle.
    pub const ALL: [Self; 8] = [
        Self::Prepared,
        Self::Ingested,
        Self::Loaded,
        Self::Mapped,
        Self::Queued,
        Self::Complete,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Whether a packet may go from this stage to `next`. The one table of the packet's lifecycle.
    ///
    /// ```
    /// use reminderly_core::domain::packet::PacketStage;
    ///
    /// assert!(PacketStage::Mapped.may_become(PacketStage::Queued));
    /// assert!(!PacketStage::Complete.may_become(PacketStage::Queued));
    /// ```
    pub const fn may_become(self, next: Self) -> bool {
        use PacketStage as S;
        match self {
            S::Prepared => matches!(next, S::Ingested | S::Failed | S::Cancelled),
            S::Ingested => matches!(next, S::Loaded | S::Failed | S::Cancelled),
            S::Loaded => matches!(next, S::Mapped | S::Failed | S::Cancelled),
            S::Mapped => matches!(next, S::Queued | S::Failed | S::Cancelled),
            S::Queued => matches!(next, S::Complete | S::Failed | S::Cancelled),
            S::Failed => {
                matches!(next, S::Prepared | S::Ingested | S::Loaded | S::Mapped | S::Queued | S::Cancelled)
            }
            // A call is to be made again.
            S::Complete => matches!(next, S::Mapped),
            S::Cancelled => false,
        }
    }

    /// Whether the packet has ended.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Complete | Self::Cancelled)
    }

    /// The name in reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Ingested => "ingested",
            Self::Loaded => "loaded",
            Self::Mapped => "mapped",
            Self::Queued => "queued",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for PacketStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a packet failed, and where it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketFailure {
    /// The stage at which it failed, and at which resuming goes on.
    pub stage: PacketStage,
    /// What is wrong and what to do; never personal data.
    pub reason: String,
}

/// How far reading the source is: enough to go on after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IngestProgress {
    /// The column names; empty until the header was read.
    pub header: Header,
    /// How the source is written; known with the header.
    #[serde(default)]
    pub format: FileFormat,
    /// What separates fields; known with the header, `None` of workbooks.
    pub delimiter: Option<u8>,
    /// The last row that was stored or rejected.
    pub through: RowNumber,
    /// Where the next row starts, in bytes from the start of the source; 0 of workbooks, which are found again by their line.
    pub offset: u64,
    /// The line on which the next row starts, from 1; of workbooks the row of the sheet.
    pub line: u64,
}

/// How a source is written: what was proven or declared when its header was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Delimited text in this encoding.
    Text(TextEncoding),
    /// An Excel workbook (`.xlsx`).
    Workbook,
}

/// Text in UTF-8, as which everything is read unless there is reason not to.
impl Default for FileFormat {
    fn default() -> Self {
        Self::Text(TextEncoding::Utf8)
    }
}

impl FileFormat {
    /// Every format.
    pub const ALL: [Self; 5] = [
        Self::Text(TextEncoding::Utf8),
        Self::Text(TextEncoding::Utf16Le),
        Self::Text(TextEncoding::Utf16Be),
        Self::Text(TextEncoding::Windows1252),
        Self::Workbook,
    ];

    /// The name in reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text(encoding) => encoding.as_str(),
            Self::Workbook => "xlsx",
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Rows of a packet by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowCounts {
    /// Read from the source.
    pub read: u64,
    /// Rejected on reading.
    pub rejected: u64,
    /// Stored.
    pub loaded: u64,
    /// Became messages of which at least one was planned.
    pub planned: u64,
    /// Became messages of which all were skipped.
    pub skipped: u64,
    /// Failed in mapping.
    pub failed: u64,
}
