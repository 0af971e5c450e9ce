//! What both sides say of an action, and of the message after it. Times are seconds since the trace began.

use reminderly_core::domain::message_status::MessageStatus;

use crate::prove::model::attempt::{Outcome, Report};

/// What the call answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It answers nothing.
    Nothing,
    /// The message is not to be handed over.
    NotDue,
    HandedOver,
    /// It is due and late.
    Late,
    /// A request may be issued, before this instant.
    Claimed {
        epoch: u8,
        attempts_before: u8,
        start_by: i64,
    },
    NotClaimed(Refusal),
    Settled(Settled, MessageStatus),
    Reported(Reported),
    /// Whether it took effect.
    Written(bool),
}

/// Why a claim was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    NotQueued,
    PacketClosed,
    CampaignNotActive,
    Unsubscribed,
    NotYet,
    OutsideWindow,
    /// Nothing that the model knows.
    Other,
}

impl Refusal {
    /// All that must be seen.
    pub(super) const ALL: [Self; 6] = [
        Self::NotQueued,
        Self::PacketClosed,
        Self::CampaignNotActive,
        Self::Unsubscribed,
        Self::NotYet,
        Self::OutsideWindow,
    ];

    /// The name in the figures.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NotQueued => "claim refused: not queued",
            Self::PacketClosed => "claim refused: packet drains",
            Self::CampaignNotActive => "claim refused: campaign is paused",
            Self::Unsubscribed => "claim refused: person opted out",
            Self::NotYet => "claim refused: too early",
            Self::OutsideWindow => "claim refused: window is over",
            Self::Other => "claim refused otherwise",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    Applied,
    Stale,
    /// Nothing that the model knows.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reported {
    Recorded(MessageStatus),
    Duplicate(MessageStatus),
    Missing,
}

/// Where the message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) status: MessageStatus,
    pub(super) epoch: u8,
    pub(super) attempts: u8,
    pub(super) held: bool,
    pub(super) redialled: bool,
    pub(super) not_before: Option<i64>,
    pub(super) legal_until: Option<i64>,
    pub(super) copy_until: Option<i64>,
    pub(super) tries: Vec<(Outcome, Report)>,
    /// How many messages of the packet are open: the ledger.
    pub(super) open: u64,
    pub(super) next_due: Option<i64>,
    /// The claim that ran out.
    pub(super) overdue: Option<u8>,
    /// The attempt that is to be looked up.
    pub(super) unknown: Option<u8>,
}
