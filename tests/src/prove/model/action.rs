//! What can happen in the model.

use std::fmt;

/// Something that happens, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Action {
    pub(super) deed: Deed,
    pub(super) worker: Option<u8>,
    pub(super) message: Option<u8>,
}

/// Something that happens. The order is that of the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    HandOver,
    HandOverAgain,
    PlanAgain,
    Expire,
    DoubleCopy,
    LoseCopy,
    Receive,
    ReceiveOfAnother,
    Check,
    Claim,
    ClaimUnanswered,
    ClaimNotMade,
    ClaimAgain,
    RefuseClaim,
    Call,
    ReturnUnsent,
    ReturnLate,
    Accept,
    AcceptLate,
    LoseRequest,
    AnswerAccepted,
    AnswerRefused,
    AnswerRefusedForGood,
    AnswerWait,
    AnswerAmbiguous,
    Settle,
    SettleUnanswered,
    SettleInVain,
    Snooze,
    Skip,
    Ack,
    Crash,
    SecondPasses,
    AnswerByPasses,
    QuietTimePasses,
    WindowEnds,
    OptOut,
    Pause,
    Resume,
    Cancel,
    Reap,
    Find,
    ProveAbsent,
    Exhaust,
    PermitResend,
    GiveUp,
    SweepWrites,
    SweepWritesInVain,
    SweepCrashes,
    Report,
    ReportEarlier,
    PermitRedial,
    CancelOpen,
    SeeNothingOpen,
    MarkCompleting,
    Unmark,
    CheckNothingOpen,
    End,
}

impl Deed {
    /// Every deed with its name.
    pub(super) const ALL: [(Self, &'static str); 58] = [
        (Self::HandOver, "message handed over"),
        (Self::HandOverAgain, "copy presumed lost and made again"),
        (Self::PlanAgain, "late message planned again"),
        (Self::Expire, "late message closed"),
        (Self::DoubleCopy, "copy doubled"),
        (Self::LoseCopy, "copy lost"),
        (Self::Receive, "copy received"),
        (Self::ReceiveOfAnother, "copy received that another worker holds (lease lost)"),
        (Self::Check, "guards asked outside the claim"),
        (Self::Claim, "claimed"),
        (Self::ClaimUnanswered, "claimed, answer lost"),
        (Self::ClaimNotMade, "claim rolled back, answer lost"),
        (Self::ClaimAgain, "claim asked again"),
        (Self::RefuseClaim, "claim refused"),
        (Self::Call, "request started"),
        (Self::ReturnUnsent, "request not made in time, or surely not"),
        (Self::ReturnLate, "request given up, start_by is past"),
        (Self::Accept, "request accepted"),
        (Self::AcceptLate, "request accepted after the worker gave up"),
        (Self::LoseRequest, "request refused or lost"),
        (Self::AnswerAccepted, "answer: accepted"),
        (Self::AnswerRefused, "answer: refused for now"),
        (Self::AnswerRefusedForGood, "answer: refused for good"),
        (Self::AnswerWait, "answer: wait, or unreachable"),
        (Self::AnswerAmbiguous, "answer lost, late or a 5xx"),
        (Self::Settle, "settled"),
        (Self::SettleUnanswered, "settled, answer lost"),
        (Self::SettleInVain, "settlement was stale"),
        (Self::Snooze, "message snoozed"),
        (Self::Skip, "message skipped"),
        (Self::Ack, "copy acked"),
        (Self::Crash, "worker crashed"),
        (Self::SecondPasses, "a second passed"),
        (Self::AnswerByPasses, "answer_by and its margin passed"),
        (Self::QuietTimePasses, "quiet time passed"),
        (Self::WindowEnds, "window ended"),
        (Self::OptOut, "person opted out"),
        (Self::Pause, "campaign paused"),
        (Self::Resume, "campaign resumed"),
        (Self::Cancel, "packet cancelled"),
        (Self::Reap, "sweep finds a claim that ran out"),
        (Self::Find, "look-up finds the request"),
        (Self::ProveAbsent, "look-up proves absence"),
        (Self::Exhaust, "look-up proves absence, no attempt is left"),
        (Self::PermitResend, "policy permits a resend"),
        (Self::GiveUp, "resolver gives up"),
        (Self::SweepWrites, "sweep writes"),
        (Self::SweepWritesInVain, "what the sweep writes is stale"),
        (Self::SweepCrashes, "sweep crashed"),
        (Self::Report, "report of the latest attempt"),
        (Self::ReportEarlier, "report of an earlier attempt"),
        (Self::PermitRedial, "redial permitted"),
        (Self::CancelOpen, "waiting messages cancelled"),
        (Self::SeeNothingOpen, "fleet reads that nothing is open"),
        (Self::MarkCompleting, "packet marked as completing"),
        (Self::Unmark, "mark taken back, something opened"),
        (Self::CheckNothingOpen, "fleet reads it again, draining"),
        (Self::End, "packet ended"),
    ];

    /// The name in figures and traces.
    pub(super) const fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// So that it reads well.
    pub(super) const fn by(self, worker: u8, message: u8) -> Action {
        Action { deed: self, worker: Some(worker), message: Some(message) }
    }

    pub(super) const fn to(self, message: u8) -> Action {
        Action { deed: self, worker: None, message: Some(message) }
    }

    pub(super) const fn to_all(self) -> Action {
        Action { deed: self, worker: None, message: None }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.deed.as_str())?;
        match (self.worker, self.message) {
            (Some(worker), _) => write!(f, " [worker {}]", worker + 1),
            (None, Some(message)) => write!(f, " [message {}]", message + 1),
            (None, None) => Ok(()),
        }
    }
}
