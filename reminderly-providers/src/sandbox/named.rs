//! The personas that have names.

use std::fmt;
use std::time::Duration;

use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::ports::provider::Rejection;
use serde::Deserialize;

use super::persona::{Answered, Persona, RequestBehaviour, ScriptedReply, ScriptedReport};

/// A persona with a name: see the table of the [module](super).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedPersona {
    /// Accepts, sends, delivers.
    Delivers,
    /// Accepts and never reports.
    Silent,
    /// Accepts; it does not arrive.
    Undelivered,
    /// Accepts; the number is a landline.
    Landline,
    /// Refuses for good.
    Invalid,
    /// Asks to wait once, then delivers.
    Throttled,
    /// Answers 503 once without accepting, then delivers.
    ServerError,
    /// Answers 503 once and delivers nevertheless.
    ServerErrorAccepted,
    /// Gives no answer once and accepts nothing, then delivers.
    TimeOut,
    /// Gives no answer once and delivers nevertheless.
    TimeOutAccepted,
    /// Accepts and delivers, but the first answer is lost.
    LostAnswer,
    /// Delivers, and the person confirms.
    Confirms,
    /// Delivers, and the person cancels.
    Cancels,
    /// Delivers, and the person unsubscribes.
    Stops,
    /// Delivers, and the person writes something that no grammar understands.
    Gibberish,
    /// Delivers; every report comes twice, the last one first.
    DuplicateReports,
    /// The first call hangs for longer than the contract allows and accepts nothing, then delivers.
    Hangs,
    /// Gives no answer once, accepts 40 seconds later and delivers.
    AcceptedLate,
    /// Delivers, and the person complains about it.
    Complains,
    /// Answers the call and presses 1.
    PressesOne,
    /// Answers the call and presses 9.
    PressesNine,
    /// Answers the call, hears it again with *, and presses 1.
    RepeatsThenPressesOne,
    /// Answers the call and presses nothing.
    Listens,
    /// Answers the call and presses 8.
    PressesEight,
    /// A machine answers that takes messages.
    Voicemail,
    /// A machine answers that takes none.
    Machine,
    /// The line is busy once, then somebody answers.
    BusyOnce,
    /// The line is always busy.
    Busy,
    /// It rings, and nobody answers.
    NoAnswer,
    /// It rings once unanswered, then somebody answers.
    NoAnswerOnce,
    /// The call cannot be made: no such number.
    FailedNumber,
    /// Refuses, because the person has told the carrier that they want nothing more.
    OptedOut,
}

impl NamedPersona {
    /// Every named persona; the position is the NN of its number `+1 202 555 01NN`.
    pub const ALL: [Self; 32] = [
        Self::Delivers,
        Self::Silent,
        Self::Undelivered,
        Self::Landline,
        Self::Invalid,
        Self::Throttled,
        Self::ServerError,
        Self::ServerErrorAccepted,
        Self::TimeOut,
        Self::TimeOutAccepted,
        Self::LostAnswer,
        Self::Confirms,
        Self::Cancels,
        Self::Stops,
        Self::Gibberish,
        Self::DuplicateReports,
        Self::Hangs,
        Self::AcceptedLate,
        Self::Complains,
        Self::PressesOne,
        Self::PressesNine,
        Self::RepeatsThenPressesOne,
        Self::Listens,
        Self::PressesEight,
        Self::Voicemail,
        Self::Machine,
        Self::BusyOnce,
        Self::Busy,
        Self::NoAnswer,
        Self::NoAnswerOnce,
        Self::FailedNumber,
        Self::OptedOut,
    ];

    /// The name in scripts, and the local part of its address at [`DOMAIN`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivers => "delivers",
            Self::Silent => "silent",
            Self::Undelivered => "undelivered",
            Self::Landline => "landline",
            Self::Invalid => "invalid",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::ServerErrorAccepted => "server_error_accepted",
            Self::TimeOut => "time_out",
            Self::TimeOutAccepted => "time_out_accepted",
            Self::LostAnswer => "lost_answer",
            Self::Confirms => "confirms",
            Self::Cancels => "cancels",
            Self::Stops => "stops",
            Self::Gibberish => "gibberish",
            Self::DuplicateReports => "duplicate_reports",
            Self::Hangs => "hangs",
            Self::AcceptedLate => "accepted_late",
            Self::Complains => "complains",
            Self::PressesOne => "presses_one",
            Self::PressesNine => "presses_nine",
            Self::RepeatsThenPressesOne => "repeats_then_presses_one",
            Self::Listens => "listens",
            Self::PressesEight => "presses_eight",
            Self::Voicemail => "voicemail",
            Self::Machine => "machine",
            Self::BusyOnce => "busy_once",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::NoAnswerOnce => "no_answer_once",
            Self::FailedNumber => "failed_number",
            Self::OptedOut => "opted_out",
        }
    }

    /// The persona of a well-known contact point.
    pub(super) fn well_known(contact: &ContactPoint) -> Option<Self> {
        match contact {
            ContactPoint::Sms(number) | ContactPoint::Phone(number) => {
                let position: usize = number.as_str().strip_prefix(NUMBERS)?.parse().ok()?;
                Self::ALL.get(position).copied()
            }
            ContactPoint::Email(address) => {
                let (local, domain) = address.as_str().rsplit_once('@')?;
                let name = local.split('+').next().filter(|_| domain == DOMAIN)?;
                Self::ALL.into_iter().find(|persona| persona.as_str() == name)
            }
        }
    }
}

/// The domain of the well-known e-mail addresses; reserved by [RFC 2606](https://www.rfc-editor.org/rfc/rfc2606#section-3).
pub const DOMAIN: &str = "sandbox.example";

/// What the well-known numbers start with; `555-01XX` is reserved for fiction in the North American Numbering Plan.
const NUMBERS: &str = "+120255501";

impl From<NamedPersona> for Persona {
    fn from(name: NamedPersona) -> Self {
        let accept = RequestBehaviour::Accept;
        match name {
            NamedPersona::Delivers => delivers(accept),
            NamedPersona::Silent => Self::default(),
            NamedPersona::Undelivered => fails(30, "unreachable"),
            NamedPersona::Landline => fails(3, "landline"),
            NamedPersona::Invalid => rejected("invalid_address", Rejection::ForGood),
            NamedPersona::OptedOut => rejected("opted_out", Rejection::OptedOut),
            NamedPersona::Throttled => {
                delivers(RequestBehaviour::Throttle { retry_after: Some(Duration::from_secs(30)), times: 1 })
            }
            NamedPersona::ServerError => {
                delivers(RequestBehaviour::ServerError { accepted: false, times: 1 })
            }
            NamedPersona::ServerErrorAccepted => {
                delivers(RequestBehaviour::ServerError { accepted: true, times: 1 })
            }
            NamedPersona::TimeOut => delivers(time_out(false, Duration::ZERO)),
            NamedPersona::TimeOutAccepted => delivers(time_out(true, Duration::ZERO)),
            NamedPersona::AcceptedLate => delivers(time_out(true, Duration::from_secs(40))),
            NamedPersona::LostAnswer => delivers(RequestBehaviour::LostAnswer { times: 1 }),
            NamedPersona::Hangs => delivers(RequestBehaviour::Hang { accepted: false, times: 1 }),
            NamedPersona::Confirms => answers("1"),
            NamedPersona::Cancels => answers("2"),
            NamedPersona::Stops => answers("STOP"),
            NamedPersona::Gibberish => answers("hm, who is this?"),
            NamedPersona::DuplicateReports => {
                let (delivered, sent) = (AttemptReport::Delivered, AttemptReport::Sent);
                let reports =
                    vec![report(2, delivered.clone()), report(3, delivered), report(4, sent.clone())];
                Self { reports: reports.into_iter().chain([report(5, sent)]).collect(), ..Self::default() }
            }
            NamedPersona::Complains => {
                let mut persona = delivers(accept);
                persona.reports.push(report(600, AttemptReport::Complained));
                persona
            }
            NamedPersona::PressesOne => presses(&["1"]),
            NamedPersona::PressesNine => presses(&["9"]),
            NamedPersona::RepeatsThenPressesOne => presses(&["*", "1"]),
            NamedPersona::Listens => presses(&[]),
            NamedPersona::PressesEight => presses(&["8"]),
            NamedPersona::Voicemail => rings(AttemptReport::Voicemail, 40),
            NamedPersona::Machine => rings(AttemptReport::Machine, 25),
            NamedPersona::BusyOnce => at_the_second_call(AttemptReport::Busy, 3),
            NamedPersona::Busy => rings(AttemptReport::Busy, 3),
            NamedPersona::NoAnswer => rings(AttemptReport::NoAnswer, 60),
            NamedPersona::NoAnswerOnce => at_the_second_call(AttemptReport::NoAnswer, 60),
            NamedPersona::FailedNumber => fails(2, "no_such_number"),
        }
    }
}

impl fmt::Display for NamedPersona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn delivers(request: RequestBehaviour) -> Persona {
    let reports = vec![report(1, AttemptReport::Sent), report(5, AttemptReport::Delivered)];
    Persona { request, reports, replies: Vec::new() }
}

fn rejected(code: &str, rejection: Rejection) -> Persona {
    let request = RequestBehaviour::Reject { code: code.to_owned(), rejection };
    Persona { request, ..Persona::default() }
}

fn fails(after_secs: u64, code: &str) -> Persona {
    let failure = AttemptReport::Undelivered { code: code.into() };
    Persona {
        reports: vec![report(1, AttemptReport::Sent), report(after_secs, failure)],
        ..Persona::default()
    }
}

fn answers(text: &str) -> Persona {
    let reply = ScriptedReply { after: Duration::from_mins(2), text: text.into(), to: Answered::default() };
    Persona { replies: vec![reply], ..delivers(RequestBehaviour::Accept) }
}

/// A call that comes to this after some seconds.
fn rings(end: AttemptReport, after_secs: u64) -> Persona {
    Persona { reports: vec![report(1, AttemptReport::Sent), report(after_secs, end)], ..Persona::default() }
}

/// Somebody answers after eight seconds and presses keys, 15 seconds apart.
fn presses(keys: &[&str]) -> Persona {
    let reply = |(position, key): (u64, &&str)| ScriptedReply {
        after: Duration::from_secs(20 + 15 * position),
        text: (*key).into(),
        to: Answered::default(),
    };
    Persona { replies: (0..).zip(keys).map(reply).collect(), ..rings(AttemptReport::Delivered, 8) }
}

/// The first call comes to this; somebody answers the second.
fn at_the_second_call(first: AttemptReport, after_secs: u64) -> Persona {
    let first = ScriptedReport { to: Answered::Nth(1), ..report(after_secs, first) };
    let answered = ScriptedReport { to: Answered::From(2), ..report(8, AttemptReport::Delivered) };
    Persona { reports: vec![report(1, AttemptReport::Sent), first, answered], ..Persona::default() }
}

const fn time_out(accepted: bool, accepted_after: Duration) -> RequestBehaviour {
    RequestBehaviour::TimeOut { accepted, accepted_after, times: 1 }
}

const fn report(after_secs: u64, report: AttemptReport) -> ScriptedReport {
    ScriptedReport { after: Duration::from_secs(after_secs), report, to: Answered::Every }
}
