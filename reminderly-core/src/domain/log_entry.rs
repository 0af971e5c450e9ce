//! The log of a company: who asked for what to be done to which campaign or packet. Nothing in it is about a person whom the company contacts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::access::Actor;
use crate::ids::{CampaignId, LogEntryId, PacketId};

/// Somebody asked for something. What lets a campaign or a packet go on is written before it is done: an entry without effect tells of what was
/// refused, came too late, or was cut off. What stops them, and that a packet was made, is written afterwards, so that nothing keeps it from
/// being done; if that fails, it is counted and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its id.
    pub id: LogEntryId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub deed: Deed,
}

/// A place in a log: entries are in the order of their instants, and of their ids where these are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogPlace {
    /// The instant of an entry.
    pub at: DateTime<Utc>,
    /// Its id.
    pub id: LogEntryId,
}

impl LogEntry {
    /// Where it stands.
    pub const fn place(&self) -> LogPlace {
        LogPlace { at: self.at, id: self.id }
    }
}

/// What is done, and to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// To a campaign.
    Campaign(CampaignId, CampaignDeed),
    /// To a packet.
    Packet(PacketId, PacketDeed),
}

/// What is done to a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignDeed {
    /// It is created.
    Create,
    /// Its document is replaced.
    Edit,
    /// It sends from now on.
    Activate,
    /// It sends nothing for now.
    Pause,
    /// It ends.
    Remove,
}

impl CampaignDeed {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Edit, Self::Activate, Self::Pause, Self::Remove];

    /// The name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Activate => "activate",
            Self::Pause => "pause",
            Self::Remove => "remove",
        }
    }
}

/// What is done to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketDeed {
    /// A file has become this packet.
    TakeInFile,
    /// A call has become this packet.
    TakeInCall,
    /// It failed, and goes on.
    Resume,
    /// It is cancelled.
    Cancel,
    /// It was fenced after a restore, and sends again.
    Release,
}

impl PacketDeed {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::TakeInFile, Self::TakeInCall, Self::Resume, Self::Cancel, Self::Release];

    /// The name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TakeInFile => "take_in_file",
            Self::TakeInCall => "take_in_call",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Release => "release",
        }
    }
}
