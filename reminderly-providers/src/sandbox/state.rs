//! What a sandbox remembers: its accepted log and the callbacks to come.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reminderly_core::domain::attempt::ProviderReference;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::content::Content;
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::domain::message_status::MessageEvent;
use reminderly_core::domain::phone_keys::KeyAction;
use reminderly_core::ids::{AttemptId, CompanyId, MessageId};
use reminderly_core::ports::provider::{Finding, OutboundMessage, ProviderOutcome, Rejection};
use serde::{Deserialize, Serialize};
use tracing::error;

use super::journal::Journal;
use super::persona::{Persona, RequestBehaviour, ScriptedReply, ScriptedReport};
use super::wire::{CallbackBody, IncomingBody, ReportBody};
use crate::time::later;

/// What is kept of accepted requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcceptedLog {
    /// Everything.
    #[default]
    Full,
    /// Only how many there were, for benchmarks with millions of messages. The look-up can then say nothing.
    Counting,
}

/// A request that the sandbox accepted. A message that occurs twice was sent twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedRequest {
    /// The company it was sent for.
    pub company: CompanyId,
    /// The message.
    pub message: MessageId,
    /// The attempt.
    pub attempt: AttemptId,
    /// How it was sent.
    pub method: ContactMethod,
    /// Where it went.
    pub contact: ContactPoint,
    /// What it said.
    pub content: Content,
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// From when on it must not be delivered.
    pub expires_at: DateTime<Utc>,
    /// The sandbox's id of it.
    pub reference: ProviderReference,
}

/// How a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// At once.
    Now(ProviderOutcome),
    /// Not at all.
    Never,
    /// Not at all, and the call with it.
    Hang,
}

impl Answer {
    pub(super) fn into_outcome(self) -> ProviderOutcome {
        match self {
            Self::Now(outcome) => outcome,
            Self::Never | Self::Hang => unknown("timeout"),
        }
    }
}

/// A callback that is yet to come.
pub(super) struct PendingCallback {
    pub(super) method: ContactMethod,
    pub(super) event: String,
    pub(super) body: Vec<u8>,
}

#[derive(Default)]
pub(super) struct State {
    log: AcceptedLog,
    pub(super) requests: u64,
    pub(super) accepted_count: u64,
    pub(super) accepted: Vec<AcceptedRequest>,
    found: HashMap<AttemptId, (DateTime<Utc>, ProviderReference)>,
    /// Only of personas that have a memory, and per company: what one company sends changes nothing for another.
    histories: HashMap<(CompanyId, ContactPoint), History>,
    /// Who has told the carrier to stop.
    opted_out: HashMap<CompanyId, HashSet<ContactPoint>>,
    /// By time, then in the order in which they were planned.
    callbacks: BTreeMap<(DateTime<Utc>, u64), PendingCallback>,
    planned: u64,
    journal: Option<Journal>,
}

#[derive(Default, Clone, Copy)]
struct History {
    requests: u32,
    accepted: u32,
}

/// One request with all that decides about it.
pub(super) struct Request<'a> {
    pub(super) message: &'a OutboundMessage,
    pub(super) persona: &'a Persona,
    /// The account to which replies go.
    pub(super) account: &'a dyn Fn() -> Arc<str>,
    pub(super) now: DateTime<Utc>,
}

impl State {
    pub(super) fn new(log: AcceptedLog) -> Self {
        Self { log, ..Self::default() }
    }

    /// From now on everything is written into the journal before anybody hears of it.
    pub(super) fn keep(&mut self, journal: Journal) {
        self.journal = Some(journal);
    }

    pub(super) fn request(&mut self, request: &Request<'_>) -> Answer {
        self.requests = self.requests.saturating_add(1);
        self.answer(request).unwrap_or_else(|error| {
            error!(
                error = &error as &dyn std::error::Error,
                "the journal cannot be written: nothing is accepted"
            );
            Answer::Now(ProviderOutcome::Deferred { retry_after: None })
        })
    }

    fn answer(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        let OutboundMessage { company, contact, .. } = request.message;
        if self.opted_out.get(company).is_some_and(|contacts| contacts.contains(contact)) {
            let (code, rejection) = ("opted_out".to_owned(), Rejection::OptedOut);
            return Ok(Answer::Now(ProviderOutcome::Rejected { code, rejection }));
        }
        let number = self.remember(request, |history| &mut history.requests);
        Ok(match &request.persona.request {
            RequestBehaviour::Reject { code, rejection } => {
                Answer::Now(ProviderOutcome::Rejected { code: code.clone(), rejection: *rejection })
            }
            RequestBehaviour::Throttle { retry_after, times } if number <= *times => {
                Answer::Now(ProviderOutcome::Deferred { retry_after: *retry_after })
            }
            RequestBehaviour::ServerError { accepted, times } if number <= *times => {
                self.accept_if(*accepted, request, request.now)?;
                Answer::Now(unknown("http_503"))
            }
            RequestBehaviour::TimeOut { accepted, accepted_after, times } if number <= *times => {
                self.accept_if(*accepted, request, later(request.now, *accepted_after))?;
                Answer::Never
            }
            RequestBehaviour::Hang { accepted, times } if number <= *times => {
                self.accept_if(*accepted, request, request.now)?;
                Answer::Hang
            }
            RequestBehaviour::LostAnswer { times } if number <= *times => {
                self.accept(request, request.now)?;
                Answer::Now(unknown("connection_reset"))
            }
            _ => {
                let reference = Some(self.accept(request, request.now)?);
                Answer::Now(ProviderOutcome::Accepted { reference })
            }
        })
    }

    pub(super) fn opt_out(&mut self, company: CompanyId, contact: ContactPoint) {
        self.note(|journal| journal.opted_out(company, &contact));
        self.opted_out.entry(company).or_default().insert(contact);
    }

    /// A callback was taken, and need not be made again.
    pub(super) fn called_back(&mut self, event: &str) {
        self.note(|journal| journal.called_back(event));
    }

    /// Takes up what was accepted before the process began.
    pub(super) fn restore(
        &mut self,
        accepted: AcceptedRequest,
        persona: &Persona,
        account: &dyn Fn() -> Arc<str>,
    ) {
        let AcceptedRequest {
            attempt, message, company, contact, content, expires_at, at, reference, ..
        } = accepted;
        let message = OutboundMessage { attempt, message, company, contact, content, expires_at };
        let request = Request { message: &message, persona, account, now: at };
        self.accepted_count = self.accepted_count.saturating_add(1);
        self.remember(&request, |history| &mut history.requests);
        let accepted = accepted_request(&message, at, reference);
        self.enter(&request, accepted);
    }

    /// Forgets callbacks that were taken before the process began.
    pub(super) fn forget_callbacks(&mut self, events: &HashSet<String>) {
        self.callbacks.retain(|_, callback| !events.contains(&callback.event));
    }

    /// What has been accepted of an attempt by `now`.
    pub(super) fn find(&self, attempt: AttemptId, now: DateTime<Utc>) -> Finding {
        match (self.log, self.found.get(&attempt)) {
            (AcceptedLog::Counting, _) => Finding::Inconclusive,
            (AcceptedLog::Full, Some((at, reference))) if *at <= now => {
                Finding::Accepted { reference: reference.clone(), at: *at }
            }
            (AcceptedLog::Full, _) => Finding::Absent,
        }
    }

    pub(super) fn next_callback_at(&self) -> Option<DateTime<Utc>> {
        self.callbacks.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn take_callbacks(
        &mut self,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = PendingCallback> + use<> {
        let later = self.callbacks.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.callbacks, later).into_values()
    }

    pub(super) fn plan(&mut self, at: DateTime<Utc>, callback: PendingCallback) {
        self.planned = self.planned.saturating_add(1);
        self.callbacks.insert((at, self.planned), callback);
    }

    fn accept_if(&mut self, accepted: bool, request: &Request<'_>, at: DateTime<Utc>) -> io::Result<()> {
        if accepted {
            self.accept(request, at)?;
        }
        Ok(())
    }

    fn accept(&mut self, request: &Request<'_>, at: DateTime<Utc>) -> io::Result<ProviderReference> {
        let attempt = request.message.attempt;
        let count = self.accepted_count.saturating_add(1);
        // The counter tells requests apart, the attempt the runs of a sandbox whose results outlive it.
        let reference = format!("SB{count:08x}-{:016x}", attempt.as_uuid().as_u64_pair().1);
        let reference = ProviderReference(reference.into());
        let accepted = accepted_request(request.message, at, reference.clone());
        if let Some(journal) = &mut self.journal {
            journal.accepted(&accepted)?;
        }
        self.accepted_count = count;
        self.enter(request, accepted);
        Ok(reference)
    }

    /// Enters an accepted request, and plans what is called back.
    fn enter(&mut self, request: &Request<'_>, accepted: AcceptedRequest) {
        let (at, reference) = (accepted.at, accepted.reference.clone());
        if self.log == AcceptedLog::Full {
            self.found.entry(accepted.attempt).or_insert_with(|| (at, reference.clone()));
            self.accepted.push(accepted);
        }
        let number = self.remember(request, |history| &mut history.accepted);
        let arrives = self.plan_reports(request, &reference, at, number);
        if arrives {
            self.plan_replies(request, &reference, at, number);
        }
    }

    /// Writes what may be lost: it is heard of again.
    fn note(&mut self, write: impl FnOnce(&mut Journal) -> io::Result<()>) {
        if let Some(Err(error)) = self.journal.as_mut().map(write) {
            error!(error = &error as &dyn std::error::Error, "the journal cannot be written");
        }
    }

    /// Plans the reports; tells whether the message arrives as far as its time-to-live is concerned.
    fn plan_reports(
        &mut self,
        request: &Request<'_>,
        reference: &ProviderReference,
        at: DateTime<Utc>,
        number: u32,
    ) -> bool {
        let reports = &request.persona.reports;
        let delivers = |report: &&ScriptedReport| report.report.event() == MessageEvent::Delivered;
        let told = || reports.iter().filter(|report| report.to.includes(number));
        // Who was reached in time stays reached, however late that is told again.
        let reached_at = told().filter(delivers).map(|report| later(at, report.after)).min();
        let is_too_late = reached_at.is_some_and(|at| at >= request.message.expires_at);
        for scripted in told() {
            let ScriptedReport { after, report, .. } = scripted;
            let planned_at = later(at, *after);
            let expired = is_too_late && delivers(&scripted);
            let (report_at, said) = if expired {
                (request.message.expires_at.max(at), AttemptReport::Undelivered { code: "expired".into() })
            } else {
                (planned_at, said_of(report, &request.message.content))
            };
            // Equal reports are one event, told again.
            let first = reports.iter().position(|earlier| earlier.report == *report).unwrap_or_default();
            let body = CallbackBody::Report(ReportBody {
                event: format!("{reference}-r{first}").into(),
                method: request.message.contact.method(),
                attempt: request.message.attempt,
                reference: reference.clone(),
                report: said,
                at: report_at,
            });
            self.plan_body(report_at, &body);
            if expired {
                return false;
            }
        }
        true
    }

    fn plan_replies(
        &mut self,
        request: &Request<'_>,
        reference: &ProviderReference,
        at: DateTime<Utc>,
        number: u32,
    ) {
        let content = &request.message.content;
        let replies = request.persona.replies.iter().enumerate();
        for (position, ScriptedReply { after, text, .. }) in
            replies.filter(|(_, reply)| reply.to.includes(number) && reaches_us(&reply.text, content))
        {
            let sent_at = later(at, *after);
            let body = CallbackBody::Incoming(IncomingBody {
                event: format!("{reference}-m{position}").into(),
                account: (request.account)(),
                from: request.message.contact.clone(),
                text: Arc::clone(text),
                at: sent_at,
            });
            self.plan_body(sent_at, &body);
        }
    }

    fn plan_body(&mut self, at: DateTime<Utc>, body: &CallbackBody) {
        // Bodies are plain structs with string keys, which always serialize.
        if let Ok(bytes) = serde_json::to_vec(body) {
            self.plan(
                at,
                PendingCallback { method: body.method(), event: body.event().to_owned(), body: bytes },
            );
        }
    }

    /// Counts, and gives the new count; 1 for personas without a memory.
    fn remember(&mut self, request: &Request<'_>, counter: impl Fn(&mut History) -> &mut u32) -> u32 {
        if !request.persona.has_memory() {
            return 1;
        }
        let key = (request.message.company, request.message.contact.clone());
        let count = counter(self.histories.entry(key).or_default());
        *count = count.saturating_add(1);
        *count
    }
}

fn accepted_request(
    message: &OutboundMessage,
    at: DateTime<Utc>,
    reference: ProviderReference,
) -> AcceptedRequest {
    let OutboundMessage { attempt, message, company, contact, content, expires_at } = message.clone();
    let method = contact.method();
    AcceptedRequest { company, message, attempt, method, contact, content, at, expires_at, reference }
}

/// What a report says about a content: only calls are busy, and nothing is left on a machine if there is nothing to leave.
fn said_of(report: &AttemptReport, content: &Content) -> AttemptReport {
    match (report, content) {
        (AttemptReport::Voicemail, Content::Phone { voicemail: None, .. }) => AttemptReport::Machine,
        (_, Content::Phone { .. }) => report.clone(),
        (AttemptReport::Busy | AttemptReport::NoAnswer | AttemptReport::Machine, _) => {
            AttemptReport::Undelivered { code: report.as_str().into() }
        }
        (AttemptReport::Voicemail, _) => AttemptReport::Delivered,
        _ => report.clone(),
    }
}

/// Whether we are told of a reply: the provider of a call repeats and transfers by itself.
fn reaches_us(text: &str, content: &Content) -> bool {
    let Content::Phone { keys, .. } = content else { return true };
    let action = text.parse().ok().and_then(|key| keys.action(key));
    !action.is_some_and(KeyAction::is_the_providers)
}

fn unknown(code: &str) -> ProviderOutcome {
    ProviderOutcome::Unknown { code: code.to_owned() }
}
