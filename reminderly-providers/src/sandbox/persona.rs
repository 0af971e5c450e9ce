//! What one contact point's phone, mailbox and provider do.

use std::sync::Arc;
use std::time::Duration;

use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::ports::provider::Rejection;
use serde::Deserialize;

use super::duration;

/// How long after `answer_by` a late acceptance can still come; the look-up's `quiet_after`.
pub const QUIET_AFTER: Duration = Duration::from_mins(1);

/// What one contact point does with the messages of one company: the answer to the request, then reports, then replies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Persona {
    /// How the provider answers the request.
    pub request: RequestBehaviour,
    /// What the provider reports about every accepted message. Equal reports of one message are one event, sent again.
    pub reports: Vec<ScriptedReport>,
    /// What the person writes back; of a call: which keys they press.
    pub replies: Vec<ScriptedReply>,
}

/// How the provider answers requests. `times` says how many of the first requests to a contact point behave so, 1 if it is
/// left out; those after are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestBehaviour {
    /// Accepts.
    #[default]
    Accept,
    /// Definitely refuses every request.
    Reject {
        /// The provider's code.
        code: String,
        /// What its refusal means for further tries.
        rejection: Rejection,
    },
    /// Answers 429: does not take it and asks to wait.
    Throttle {
        /// How long, if it says so.
        #[serde(default, deserialize_with = "duration::optional")]
        retry_after: Option<Duration>,
        /// For how many requests.
        #[serde(default = "once")]
        times: u32,
    },
    /// Answers 503: the message is unknown with the code `http_503`.
    ServerError {
        /// Whether it was accepted nevertheless.
        accepted: bool,
        /// For how many requests.
        #[serde(default = "once")]
        times: u32,
    },
    /// Does not answer: shortly before `answer_by` the message is given up as unknown with the code `timeout`.
    TimeOut {
        /// Whether it was accepted nevertheless.
        accepted: bool,
        /// How long after the request it was accepted; at most [`QUIET_AFTER`].
        #[serde(default, deserialize_with = "duration::at_most_quiet_after")]
        accepted_after: Duration,
        /// For how many requests.
        #[serde(default = "once")]
        times: u32,
    },
    /// The whole call hangs for a second longer than `answer_by`, which breaks the contract of providers on purpose: for tests
    /// of what cuts such calls.
    Hang {
        /// Whether it was accepted nevertheless.
        accepted: bool,
        /// For how many requests.
        #[serde(default = "once")]
        times: u32,
    },
    /// Accepts, but the connection breaks: the message is unknown with the code `connection_reset`.
    LostAnswer {
        /// For how many requests.
        #[serde(default = "once")]
        times: u32,
    },
}

/// A report about an accepted message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReport {
    /// How long after the acceptance.
    #[serde(deserialize_with = "duration::required")]
    pub after: Duration,
    /// What it says. Of what is no call, a report of a call says the same in the words of messages: undelivered (`busy`,
    /// `no_answer`, `machine`), or delivered instead of left on a machine.
    pub report: AttemptReport,
    /// About which message; about every one, if it is left out.
    #[serde(default = "Answered::every")]
    pub to: Answered,
}

/// A message that the person writes back, or a key that they press during a call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReply {
    /// How long after the acceptance of the message that it answers.
    #[serde(deserialize_with = "duration::required")]
    pub after: Duration,
    /// Its text.
    pub text: Arc<str>,
    /// Which message it answers; the first, if it is left out.
    #[serde(default)]
    pub to: Answered,
}

/// Which of the accepted messages of a company to a contact point are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// The n-th, from 1. The default is the first: a person who confirms does not confirm the thanks as well.
    Nth(u32),
    /// The n-th, from 1, and all after it.
    From(u32),
    /// Every one.
    Every,
}

impl Default for Answered {
    fn default() -> Self {
        Self::Nth(1)
    }
}

impl Answered {
    /// For reports, which are about every message unless they say otherwise.
    const fn every() -> Self {
        Self::Every
    }

    /// Whether the message with this number, from 1, is meant.
    pub const fn includes(self, number: u32) -> bool {
        match self {
            Self::Nth(n) => n == number,
            Self::From(n) => number >= n,
            Self::Every => true,
        }
    }
}

impl Persona {
    /// Whether what it does depends on what happened before.
    pub(super) fn has_memory(&self) -> bool {
        !matches!(self.request, RequestBehaviour::Accept | RequestBehaviour::Reject { .. })
            || !self.replies.is_empty()
            || self.reports.iter().any(|report| report.to != Answered::Every)
    }
}

const fn once() -> u32 {
    1
}
