//! What travels in queues.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::contact_method::ContactMethod;
use crate::domain::sealed::Sealed;
use crate::ids::{CampaignId, CompanyId, MessageId, PacketId};

/// The version that is written; older ones are still read.
pub const ENVELOPE_VERSION: u16 = 1;

/// The most message ids in one slice. One queue item per message would cap dispatch at the queue's own rate and cost a
/// hundred times as much.
pub const MAX_SLICE: usize = 100;

/// The unit of a queue: a slice of a packet on its way out, or one sealed payload on its way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Envelope {
    /// Messages of one packet and method that are due.
    Outbound(Slice),
    /// A disposition that a provider reported.
    Disposition(SealedPayload),
    /// A message from a person.
    Incoming(SealedPayload),
}

/// Messages of one packet and method that are due: ids only, so that no queue ever holds personal data.
///
/// A copy is a hint; the store is the truth. Losing, doubling or reordering slices changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// The company whose messages these are.
    pub company: CompanyId,
    /// The campaign of the packet.
    pub campaign: CampaignId,
    /// The packet of the messages.
    pub packet: PacketId,
    /// The method by which all of them go.
    pub method: ContactMethod,
    /// When the first of their legal intervals ends, where that is known: of a packet's slices the most urgent goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<DateTime<Utc>>,
    /// 1 to [`MAX_SLICE`] ids.
    pub messages: Vec<MessageId>,
}

/// One disposition or incoming message, encrypted on its way through the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedPayload {
    /// When the gateway accepted the callback: payloads that nobody can place are given up 72 hours later.
    pub received_at: DateTime<Utc>,
    /// The payload.
    pub sealed: Sealed,
}

/// A queue body that is no envelope. A value, not an error: one bad body never fails its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// The body is not JSON of the expected shape. The text names the place, never the content.
    #[error("body is not an envelope (line {line}, column {column})")]
    Malformed {
        /// Line of the body, from 1.
        line: usize,
        /// Column of that line, from 1.
        column: usize,
    },
    /// The body was written by a newer release.
    #[error("envelope version {found} is not known here (newest known: {ENVELOPE_VERSION})")]
    UnknownVersion {
        /// The version in the body.
        found: u16,
    },
    /// A slice without ids or with more than [`MAX_SLICE`].
    #[error("slice has {found} ids, expected 1 to {MAX_SLICE}")]
    SliceSize {
        /// How many ids it has.
        found: usize,
    },
}

impl Envelope {
    /// The body of a queue message: JSON with a version, ASCII letters, digits and punctuation only where it holds ids.
    ///
    /// # Errors
    ///
    /// [`serde_json::Error`] if the envelope cannot be written as JSON, which its types rule out.
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Written { v: ENVELOPE_VERSION, envelope: self })
    }

    /// Reads a queue body.
    ///
    /// # Errors
    ///
    /// [`Undecodable`] says why the body is no envelope; it never quotes the body.
    pub fn decode(body: &str) -> Result<Self, Undecodable> {
        // The version goes first: nobody knows what the envelope of another looks like. Reading the body twice is cheaper
        // than a tree of all that it holds.
        let Version { v } = serde_json::from_str(body).map_err(|error| malformed(&error))?;
        if v != ENVELOPE_VERSION {
            return Err(Undecodable::UnknownVersion { found: v });
        }
        let Read { envelope } = serde_json::from_str(body).map_err(|error| malformed(&error))?;
        if let Self::Outbound(slice) = &envelope
            && !(1..=MAX_SLICE).contains(&slice.messages.len())
        {
            return Err(Undecodable::SliceSize { found: slice.messages.len() });
        }
        Ok(envelope)
    }
}

#[derive(Serialize)]
struct Written<'a> {
    v: u16,
    envelope: &'a Envelope,
}

#[derive(Deserialize)]
struct Version {
    v: u16,
}

#[derive(Deserialize)]
struct Read {
    envelope: Envelope,
}

fn malformed(error: &serde_json::Error) -> Undecodable {
    Undecodable::Malformed { line: error.line(), column: error.column() }
}
