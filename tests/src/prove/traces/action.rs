//! What a trace is made of.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use reminderly_core::domain::message_status::MessageStatus;

use crate::prove::model::verdict::Verdict;

/// The most claims of a message in a trace.
pub(super) const CLAIMS: usize = 8;

/// One call of the store, a second or more after the one before. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Time passes.
    Wait(i64),
    HandOver,
    /// With a new attempt id.
    Claim,
    /// With the id of the attempt with this number, from 1.
    ClaimAgain(u8),
    /// Whatever queues the message again says that it goes after so long.
    Settle {
        epoch: u8,
        verdict: Verdict,
        wait: i64,
    },
    /// The report with this place in the lattice, by an event with this number.
    Report {
        epoch: u8,
        rank: u8,
        event: u8,
    },
    SnoozeUnchanged,
    SnoozeFor(i64),
    PlanAgain(i64),
    Skip,
    Expire,
    CancelOpen,
    Pause,
    Resume,
    Drain(Drain),
    OptOut,
    OptIn,
}

/// The draining mark of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    Off,
    Completing,
    Cancelling,
}

/// How many events reports share: some come again.
const EVENTS: u8 = 24;

/// The greatest place in the lattice of reports.
pub(super) const RANKS: u8 = 10;

impl Action {
    /// Something, for a message in this status that was claimed so often. Mostly what goes on with the protocol; else it would hardly
    /// ever be sent at all.
    pub(super) fn drawn(random: &mut SmallRng, status: MessageStatus, epoch: u8) -> Self {
        if random.random_range(0..4) == 0 {
            return Self::anything(random, epoch);
        }
        let settle = |random: &mut SmallRng, verdicts: &[Verdict]| {
            let verdict = verdicts[random.random_range(0..verdicts.len())];
            Self::Settle { epoch, verdict, wait: wait(random) }
        };
        match (status, random.random_range(0..8)) {
            (MessageStatus::Planned, 0..3) | (MessageStatus::Queued, 0) => time(random),
            (MessageStatus::Planned, _) | (MessageStatus::Queued, 1..3) => Self::HandOver,
            (MessageStatus::Queued, _) if usize::from(epoch) < CLAIMS => Self::Claim,
            (MessageStatus::Sending, 0..6) => settle(random, &BY_WORKERS),
            (MessageStatus::Unknown, 0..5) => settle(random, &BY_RESOLVER),
            (MessageStatus::Undelivered, 0..3) => settle(random, &[Verdict::RedialPermitted]),
            _ if epoch > 0 => report(random, epoch),
            _ => time(random),
        }
    }

    /// Whatever there is, whether it fits or not.
    fn anything(random: &mut SmallRng, epoch: u8) -> Self {
        let claims = u8::try_from(CLAIMS).unwrap_or(u8::MAX);
        let an_epoch = match random.random_range(0..4) {
            0 => epoch.max(1),
            1..3 => random.random_range(1..=epoch.max(1)),
            _ => random.random_range(1..=claims),
        };
        match random.random_range(0..64) {
            0..4 => time(random),
            4..8 => Self::HandOver,
            8..12 if epoch < claims => Self::Claim,
            8..16 => Self::ClaimAgain(an_epoch),
            16..28 => {
                let verdict = Verdict::ALL[random.random_range(0..Verdict::ALL.len())];
                Self::Settle { epoch: an_epoch, verdict, wait: wait(random) }
            }
            28..40 => report(random, an_epoch),
            40 => Self::SnoozeUnchanged,
            41..43 => Self::SnoozeFor(wait(random)),
            43..45 => Self::PlanAgain(wait(random)),
            45 => Self::Skip,
            46 => Self::Expire,
            47 => Self::CancelOpen,
            48..50 => Self::Pause,
            50..54 => Self::Resume,
            54..56 => Self::Drain(Drain::Completing),
            56..59 => Self::Drain(Drain::Off),
            59 => Self::Drain(Drain::Cancelling),
            60 => Self::OptOut,
            _ => Self::OptIn,
        }
    }

    /// The names of all there are.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        let settlements = Verdict::ALL.map(|verdict| Self::Settle { epoch: 1, verdict, wait: 0 });
        let drains = [Drain::Off, Drain::Completing, Drain::Cancelling].map(Self::Drain);
        let others = [
            Self::Wait(1),
            Self::HandOver,
            Self::Claim,
            Self::ClaimAgain(1),
            Self::Report { epoch: 1, rank: 1, event: 0 },
            Self::SnoozeUnchanged,
            Self::SnoozeFor(0),
            Self::PlanAgain(0),
            Self::Skip,
            Self::Expire,
            Self::CancelOpen,
            Self::Pause,
            Self::Resume,
            Self::OptOut,
            Self::OptIn,
        ];
        settlements.into_iter().chain(drains).chain(others).map(Self::as_str)
    }

    /// The name in the figures.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Wait(_) => "wait",
            Self::HandOver => "hand over",
            Self::Claim => "claim",
            Self::ClaimAgain(_) => "claim with a known attempt id",
            Self::Settle { verdict, .. } => match verdict {
                Verdict::Accepted => "settle: accepted",
                Verdict::RefusedForNow => "settle: refused for now",
                Verdict::RefusedForGood => "settle: refused for good",
                Verdict::Returned => "settle: returned",
                Verdict::Ambiguous => "settle: ambiguous",
                Verdict::Reaped => "settle: reaped",
                Verdict::Found => "settle: found",
                Verdict::ProvenAbsent => "settle: proven absent",
                Verdict::ResendPermitted => "settle: resend permitted",
                Verdict::RedialPermitted => "settle: redial permitted",
                Verdict::GivenUp => "settle: given up",
            },
            Self::Report { .. } => "report",
            Self::SnoozeUnchanged => "snooze",
            Self::SnoozeFor(_) => "snooze until",
            Self::PlanAgain(_) => "plan again",
            Self::Skip => "skip",
            Self::Expire => "expire",
            Self::CancelOpen => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Drain(Drain::Off) => "stop draining",
            Self::Drain(Drain::Completing) => "drain, completing",
            Self::Drain(Drain::Cancelling) => "drain, cancelling",
            Self::OptOut => "opt out",
            Self::OptIn => "opt in",
        }
    }
}

/// What workers and the sweep of overdue claims say.
const BY_WORKERS: [Verdict; 6] = [
    Verdict::Accepted,
    Verdict::RefusedForNow,
    Verdict::RefusedForGood,
    Verdict::Returned,
    Verdict::Ambiguous,
    Verdict::Reaped,
];

/// What the resolver says, and workers that come late.
const BY_RESOLVER: [Verdict; 7] = [
    Verdict::Found,
    Verdict::ProvenAbsent,
    Verdict::ResendPermitted,
    Verdict::ResendPermitted,
    Verdict::GivenUp,
    Verdict::RefusedForNow,
    Verdict::Accepted,
];

fn wait(random: &mut SmallRng) -> i64 {
    [0, 0, 0, 1, 60, 900, 8_000][random.random_range(0..7)]
}

fn time(random: &mut SmallRng) -> Action {
    Action::Wait([1, 5, 12, 31, 65, 900, 3_700][random.random_range(0..7)])
}

fn report(random: &mut SmallRng, epoch: u8) -> Action {
    let rank = random.random_range(1..=RANKS);
    Action::Report { epoch, rank, event: random.random_range(0..EVENTS) }
}
