//! How large a model is.

use super::state::{ATTEMPTS, FAULTS, MESSAGES, SWEEPS, WORKERS};
use super::variant::Variant;

/// How large a model is, and what may happen in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// What of the figures it is.
    pub(super) name: &'static str,
    pub(super) variant: Variant,
    pub(super) workers: usize,
    pub(super) messages: usize,
    /// The most sweeps that are under way at a time.
    pub(super) sweeps: usize,
    /// The most claims of a message; each may be returned unsent.
    pub(super) claims: u8,
    /// The most attempts that count.
    pub(super) max_attempts: u8,
    /// The most copies of a message at a time.
    pub(super) copies: u8,
    pub(super) faults: Faults,
    pub(super) policy: Policy,
    pub(super) commands: &'static [Given],
    pub(super) labels: Labels,
}

/// How many faults there may be: crashes, lost answers, lost, doubled and slow copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Faults {
    /// Any number.
    Any,
    /// So many.
    UpTo(u8),
    /// Workers crash, and nothing else is wrong.
    CrashesOnly,
}

/// What the campaign permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// `resolve_then_hold`.
    Hold,
    /// `resolve_then_resend_once`.
    ResendOnce,
    /// A call that reached nobody is made again, once.
    Redial,
}

/// What people and operators do, and time does to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    OptOut,
    Pause,
    Cancel,
    WindowEnds,
}

/// Whether states that differ only in which worker and which message is which are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// They are one.
    Forgotten,
    /// A trace is read more easily with them.
    Kept,
}

/// Whatever people, operators and time do.
pub(super) const EVERY_COMMAND: &[Given] = &[Given::OptOut, Given::Pause, Given::Cancel, Given::WindowEnds];

impl Bounds {
    /// A message and two workers, with any number of faults.
    pub(super) const SMALL: Self = Self {
        name: "2 workers, 1 message, any faults",
        variant: Variant::Production,
        workers: 2,
        messages: 1,
        sweeps: 1,
        claims: 2,
        max_attempts: 2,
        copies: 2,
        faults: Faults::Any,
        policy: Policy::Hold,
        commands: EVERY_COMMAND,
        labels: Labels::Forgotten,
    };

    /// The same for another protocol, with no more in it than what makes it fail, so that its trace is short to read.
    pub(super) const fn of(variant: Variant) -> Self {
        let small =
            Self { name: variant.as_str(), variant, commands: &[], labels: Labels::Kept, ..Self::SMALL };
        match variant {
            Variant::AckBeforeSettle => Self {
                faults: Faults::CrashesOnly,
                commands: &[Given::WindowEnds],
                copies: 1,
                claims: 1,
                max_attempts: 1,
                ..small
            },
            Variant::TrustsQueue => {
                Self { commands: &[Given::WindowEnds], copies: 1, claims: 1, max_attempts: 1, ..small }
            }
            Variant::EarlierForgotten => {
                Self { claims: 3, max_attempts: 3, policy: Policy::ResendOnce, ..small }
            }
            Variant::NoEpoch => Self { claims: 3, max_attempts: 3, ..small },
            Variant::GuardOutsideClaim => Self { commands: &[Given::OptOut], ..small },
            Variant::NoStartBy => Self { commands: &[Given::WindowEnds], ..small },
            _ => small,
        }
    }

    /// Whether the numbers have room in a state.
    pub(super) fn is_possible(&self) -> bool {
        self.workers <= WORKERS
            && (1..=MESSAGES).contains(&self.messages)
            && usize::from(self.claims) <= ATTEMPTS
            && self.max_attempts <= self.claims
            && self.copies <= 3
            && (1..=SWEEPS).contains(&self.sweeps)
            && !matches!(self.faults, Faults::UpTo(most) if most > FAULTS)
    }
}
