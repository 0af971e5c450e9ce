//! A schedule: what a seed draws, as data, so that it can be shrunk.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::testing::{AdminFaults, LookupFaults, ProviderFaults, QueueFaults, StoreFaults};

use super::documents::RowDraft;

/// How long things go wrong.
pub(super) const FAULTS_FOR: TimeDelta = TimeDelta::minutes(75);

/// How often a copy is received before it is set aside as a dead letter, as in most deployments.
pub(super) const RECEIVES: u32 = 20;

/// A schedule: everything that is not the order in which tasks are polled, which the seed draws too.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Of ids, faults and the order of polls.
    pub seed: u64,
    pub(super) start: DateTime<Utc>,
    pub(super) zone: Tz,
    pub(super) is_change_of_clocks: bool,
    pub(super) workers: usize,
    /// The first worker is not killed.
    pub(super) is_steady: bool,
    /// Copies that are received so often are dead letters.
    pub(super) max_receives: u32,
    /// Between two rounds of a worker.
    pub(super) tick: TimeDelta,
    /// Of the clocks of the workers and, last, of the host.
    pub(super) skews: Vec<TimeDelta>,
    pub(super) campaigns: Vec<CampaignDraft>,
    pub(super) faults: Faults,
    /// In the order of their instants.
    pub(super) deeds: Vec<TimedDeed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caps {
    pub(super) per_day: usize,
    pub(super) per_week: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Methods {
    FirstAvailable,
    All,
    Ladder,
    Phone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Hold,
    ResolveThenHold,
    ResolveThenResendOnce,
}

impl Policy {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::ResolveThenHold => "resolve_then_hold",
            Self::ResolveThenResendOnce => "resolve_then_resend_once",
        }
    }
}

/// What becomes of the appointments that the next file does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vanished {
    Keep,
    Cancel,
}

impl Vanished {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Cancel => "cancel",
        }
    }
}

/// The hours of a campaign, every day: from, up to but without to; past midnight if it begins later than it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) from: NaiveTime,
    pub(super) to: NaiveTime,
}

#[derive(Debug, Clone)]
pub(super) struct CampaignDraft {
    pub(super) company: usize,
    pub(super) is_on_demand: bool,
    pub(super) methods: Methods,
    pub(super) policy: Policy,
    pub(super) window: Hours,
    pub(super) caps: Option<Caps>,
    pub(super) per_minute: Option<u32>,
    pub(super) vanished: Vanished,
    pub(super) area_code_zones: bool,
    /// One message for the appointments of a day at one contact point.
    pub(super) is_household: bool,
}

/// Rates of everything that goes wrong by itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Faults {
    pub(super) store: StoreFaults,
    pub(super) queue: QueueFaults,
    pub(super) admin: AdminFaults,
    pub(super) provider: ProviderFaults,
    pub(super) lookup: LookupFaults,
    pub(super) panic_per_mille: u32,
    pub(super) callbacks: CallbackFaults,
}

/// How often what the provider tells us goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct CallbackFaults {
    /// Per callback: it comes minutes later, so behind others.
    pub(super) late: f64,
    /// Per callback: it comes twice.
    pub(super) doubled: f64,
    /// Per callback: the provider hangs up while the endpoint takes it, and calls again.
    pub(super) given_up: f64,
    /// Per callback: a forged one comes before it.
    pub(super) forged: f64,
    /// Per report: it never comes.
    pub(super) lost: f64,
    /// Per report: one about an attempt that nobody knows comes before it.
    pub(super) strange: f64,
    /// Per STOP by text message: only the carrier hears it, and refuses from then on.
    pub(super) lost_stop: f64,
}

#[derive(Debug, Clone)]
pub(super) struct TimedDeed {
    pub(super) after: TimeDelta,
    pub(super) deed: Deed,
}

/// How an opt-out or opt-in comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Operator,
    Reply,
}

/// What the host, a person or fate does at an instant.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    File { campaign: usize, number: usize, rows: Vec<RowDraft> },
    Call { campaign: usize, worker: usize, row: RowDraft },
    Unsubscribe { company: usize, cell: String, change: UnsubscribeChange, way: Way },
    Pause { campaign: usize },
    Resume { campaign: usize },
    CancelPacket { campaign: usize },
    Archive { campaign: usize },
    Kill { worker: usize },
    Stop { worker: usize },
    Start { worker: usize },
    CrashHost,
    Jump { worker: usize, to: TimeDelta },
    BackUp,
    Restore,
    Release,
    DeleteQueue { campaign: usize },
    Poison { campaign: usize },
    Redrive,
}

impl Deed {
    /// Whether the host does it by a service.
    pub(super) const fn is_of_host(&self) -> bool {
        matches!(
            self,
            Self::Unsubscribe { .. }
                | Self::Pause { .. }
                | Self::Resume { .. }
                | Self::CancelPacket { .. }
                | Self::Archive { .. }
                | Self::Release
        )
    }
}

impl Schedule {
    pub(super) fn has(&self, is: impl Fn(&Deed) -> bool) -> bool {
        self.deeds.iter().any(|timed| is(&timed.deed))
    }

    /// Whether the store is brought back from a backup in it.
    pub fn is_restored(&self) -> bool {
        self.has(|deed| matches!(deed, Deed::Restore))
    }

    pub(super) fn jumps(&self) -> bool {
        self.has(|deed| matches!(deed, Deed::Jump { .. }))
    }
}
