//! The protocol, and protocols that are not safe.

use super::row::EarlierEvidence;

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// What the product does.
    Production,
    /// Look whether it is unsent, call, write what came of it. Nothing is claimed.
    CheckCallWrite,
    /// The shape of many job queues: claim, call, and try again what failed or ran out.
    ClaimCallRetry,
    /// The guards are asked first, and the claim looks at the status only.
    GuardOutsideClaim,
    /// A copy is acked when it is received, and copies that got lost are not made again.
    AckBeforeSettle,
    /// A copy is acked when it is done with, but one that got lost is not made again.
    TrustsQueue,
    /// A claim that ran out is queued again.
    ReapedIsQueued,
    /// What may have been accepted is tried again, such as a 503.
    AmbiguousIsRetried,
    /// What may have been accepted is recorded as failed.
    AmbiguousIsFailed,
    /// Whoever had a claim once may settle.
    NoEpoch,
    /// A request starts however late it is.
    NoStartBy,
    /// A look-up that finds nothing is believed before the quiet time is over.
    LookUpAtOnce,
    /// A claim whose answer was lost is taken for made.
    LostAnswerBelieved,
    /// Evidence about an attempt that comes while a later one is in work is kept and not looked at again.
    EarlierForgotten,
    /// A packet ends when nothing waits, whatever is in work.
    TearDownAtOnce,
}

/// What must be seen to go wrong with a protocol that is not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// P2: a second request, while the first one was accepted or may be, and no policy permits it.
    SecondRequest,
    /// P2: a claim of a message that is on record as accepted.
    ClaimedThoughAccepted,
    /// P4: a request more than a second after the person refused.
    AfterRefusal,
    /// P4: a request more than a second after a pause.
    AfterPause,
    /// P4: a request more than a second after a cancellation.
    AfterCancel,
    /// P4: a request outside the window.
    OutsideWindow,
    /// P1: the packet ended, and a message of it is open.
    EndedOpen,
    /// P1: the packet ended, and what is recorded of a message is not so.
    EndedUntrue,
    /// P1: a message that can never end.
    NeverEnds,
}

impl Wrong {
    /// In a word or two.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::SecondRequest => "a second request that nothing permits (P2)",
            Self::ClaimedThoughAccepted => "a claim of what is known to be accepted (P2)",
            Self::AfterRefusal => "a request a second after an opt-out (P4)",
            Self::AfterPause => "a request a second after a pause (P4)",
            Self::AfterCancel => "a request a second after a cancellation (P4)",
            Self::OutsideWindow => "a request outside the window (P4)",
            Self::EndedOpen => "the packet ended with an open message (P1)",
            Self::EndedUntrue => "what is recorded of a message is not so (P1)",
            Self::NeverEnds => "a message that can never end (P1)",
        }
    }
}

impl Variant {
    /// Those that are not safe, each with what goes wrong first.
    pub(super) const UNSAFE: [(Self, Wrong); 14] = [
        (Self::CheckCallWrite, Wrong::SecondRequest),
        (Self::ClaimCallRetry, Wrong::SecondRequest),
        (Self::GuardOutsideClaim, Wrong::AfterRefusal),
        (Self::AckBeforeSettle, Wrong::NeverEnds),
        (Self::TrustsQueue, Wrong::NeverEnds),
        (Self::ReapedIsQueued, Wrong::SecondRequest),
        (Self::AmbiguousIsRetried, Wrong::SecondRequest),
        (Self::AmbiguousIsFailed, Wrong::EndedUntrue),
        (Self::NoEpoch, Wrong::SecondRequest),
        (Self::NoStartBy, Wrong::OutsideWindow),
        (Self::LookUpAtOnce, Wrong::SecondRequest),
        (Self::LostAnswerBelieved, Wrong::SecondRequest),
        (Self::EarlierForgotten, Wrong::ClaimedThoughAccepted),
        (Self::TearDownAtOnce, Wrong::EndedOpen),
    ];

    /// The name of the protocol.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::CheckCallWrite => "check, call, write",
            Self::ClaimCallRetry => "claim, call, retry",
            Self::GuardOutsideClaim => "guards outside the claim",
            Self::AckBeforeSettle => "ack before settle",
            Self::TrustsQueue => "lost copies are not made again",
            Self::ReapedIsQueued => "reaped is queued",
            Self::AmbiguousIsRetried => "ambiguous is retried",
            Self::AmbiguousIsFailed => "ambiguous is failed",
            Self::NoEpoch => "no epoch",
            Self::NoStartBy => "no start_by",
            Self::LookUpAtOnce => "look-up at once",
            Self::LostAnswerBelieved => "lost answer believed",
            Self::EarlierForgotten => "earlier evidence forgotten",
            Self::TearDownAtOnce => "teardown at once",
        }
    }

    pub(super) const fn claims(self) -> bool {
        !matches!(self, Self::CheckCallWrite)
    }

    pub(super) const fn checks_first(self) -> bool {
        matches!(self, Self::GuardOutsideClaim)
    }

    pub(super) const fn acks_first(self) -> bool {
        matches!(self, Self::AckBeforeSettle)
    }

    pub(super) const fn makes_lost_copies_again(self) -> bool {
        !matches!(self, Self::AckBeforeSettle | Self::TrustsQueue)
    }

    pub(super) const fn queues_reaped(self) -> bool {
        matches!(self, Self::ReapedIsQueued | Self::ClaimCallRetry)
    }

    pub(super) const fn retries_ambiguous(self) -> bool {
        matches!(self, Self::AmbiguousIsRetried | Self::ClaimCallRetry)
    }

    pub(super) const fn earlier_evidence(self) -> EarlierEvidence {
        match self {
            Self::EarlierForgotten => EarlierEvidence::IsForgotten,
            _ => EarlierEvidence::Counts,
        }
    }
}
