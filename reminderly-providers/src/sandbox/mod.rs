//! A stand-in for real providers of text messages, e-mails and calls, with which a host tests everything without sending
//! anything.
//!
//! The sandbox is deterministic: the same seed, script, instants and order of messages give the same answers, the same log
//! and the same callbacks, however the messages are split into calls. It never drops a duplicate, because its log of accepted
//! requests is what tests judge sending by: a message that is in it twice was sent twice.
//!
//! # Personas
//!
//! What happens to a message depends on its contact point, which has a *persona*. Some contact points are well known and need
//! no script: the numbers `+1 202 555 0100` to `0130`, for text messages and calls, and the addresses `NAME@sandbox.example`
//! or, if many are needed, `NAME+anything@sandbox.example`.
//!
//! | Number `…01NN` | `NAME` | Answer to the request | Reports after the acceptance | Reply |
//! |---|---|---|---|---|
//! | 00 | `delivers` | accepted | sent 1 s, delivered 5 s | |
//! | 01 | `silent` | accepted | none | |
//! | 02 | `undelivered` | accepted | sent 1 s, undelivered (`unreachable`) 30 s | |
//! | 03 | `landline` | accepted | sent 1 s, undelivered (`landline`) 3 s | |
//! | 04 | `invalid` | rejected for good (`invalid_address`) | | |
//! | 05 | `throttled` | 1st: deferred for 30 s | as `delivers` | |
//! | 06 | `server_error` | 1st: unknown (`http_503`), not accepted | as `delivers` | |
//! | 07 | `server_error_accepted` | 1st: unknown (`http_503`), accepted | as `delivers` | |
//! | 08 | `time_out` | 1st: unknown (`timeout`), not accepted | as `delivers` | |
//! | 09 | `time_out_accepted` | 1st: unknown (`timeout`), accepted | as `delivers` | |
//! | 10 | `lost_answer` | 1st: unknown (`connection_reset`), accepted | as `delivers` | |
//! | 11 | `confirms` | accepted | as `delivers` | `1` after 2 min |
//! | 12 | `cancels` | accepted | as `delivers` | `2` after 2 min |
//! | 13 | `stops` | accepted | as `delivers` | `STOP` after 2 min |
//! | 14 | `gibberish` | accepted | as `delivers` | `hm, who is this?` after 2 min |
//! | 15 | `duplicate_reports` | accepted | delivered 2 s and 3 s, sent 4 s and 5 s | |
//! | 16 | `hangs` | 1st: call back 1 s after `answer_by`, not accepted | as `delivers` | |
//! | 17 | `accepted_late` | 1st: unknown (`timeout`), accepted 40 s later | as `delivers` | |
//! | 18 | `complains` | accepted | as `delivers`, complained 10 min | |
//! | 19 | `presses_one` | accepted | sent 1 s, delivered (answered) 8 s | `1` after 20 s |
//! | 20 | `presses_nine` | accepted | as `presses_one` | `9` after 20 s |
//! | 21 | `repeats_then_presses_one` | accepted | as `presses_one` | `*` after 20 s, `1` after 35 s |
//! | 22 | `listens` | accepted | as `presses_one` | |
//! | 23 | `presses_eight` | accepted | as `presses_one` | `8` after 20 s |
//! | 24 | `voicemail` | accepted | sent 1 s, voicemail 40 s; machine if the campaign leaves none | |
//! | 25 | `machine` | accepted | sent 1 s, machine 25 s | |
//! | 26 | `busy_once` | accepted | 1st: sent 1 s, busy 3 s; then as `presses_one` | |
//! | 27 | `busy` | accepted | sent 1 s, busy 3 s | |
//! | 28 | `no_answer` | accepted | sent 1 s, no answer 60 s | |
//! | 29 | `no_answer_once` | accepted | 1st: sent 1 s, no answer 60 s; then as `presses_one` | |
//! | 30 | `failed_number` | accepted | sent 1 s, undelivered (`no_such_number`) 2 s | |
//! | 31 | `opted_out` | refused because the person told the carrier to stop (`opted_out`) | | |
//!
//! "1st" is the first request for a company to the contact point; later ones are accepted. Replies answer the first accepted
//! message of a company to the contact point. A message whose report of delivery would come at or after its `expires_at` is
//! reported undelivered (`expired`) instead and gets no reply.
//!
//! From 19 on they are made for calls. Replies to a call are keys that are pressed: each comes back as an incoming message by phone
//! whose text is the key, except those that the call's content gives to the provider, which repeats and transfers by itself. Text
//! messages and e-mails to them are reported in the words of messages: undelivered (`busy`), delivered instead of voicemail.
//!
//! An unanswered request holds up its call until 100 ms before `answer_by`; the other messages of the call keep their own
//! outcomes. Only `hangs` breaks the contract of providers, and takes its whole call along: put
//! [`TimeOut`](crate::layers::TimeOut) around the sandbox.
//!
//! # Scripts
//!
//! A script, in JSON, gives contact points other personas. What it says of a contact point goes first, then the well-known
//! ones, then its default. Each can be the name of a persona, a persona in full, or a mix of named ones by weight. A mix picks
//! by seed and contact point alone.
//!
//! ```
//! use reminderly_providers::sandbox::SandboxScript;
//!
//! let script = SandboxScript::parse(
//!     r#"{
//!         "default": {"mix": {"delivers": 70, "confirms": 15, "cancels": 10, "undelivered": 5}},
//!         "contact_points": {
//!             "+15205550100": "stops",
//!             "+15205550101": {
//!                 "request": {"throttle": {"retry_after": "90s", "times": 3}},
//!                 "reports": [
//!                     {"after": "250ms", "report": "sent"},
//!                     {"after": "1h", "report": {"undelivered": {"code": "30003"}}}
//!                 ]
//!             },
//!             "ann@example.org": {
//!                 "reports": [{"after": "5s", "report": "delivered"}],
//!                 "replies": [
//!                     {"after": "2m", "text": "Can I come at 3?"},
//!                     {"after": "5m", "text": "1", "to": {"nth": 2}},
//!                     {"after": "1d", "text": "thanks", "to": "every"}
//!                 ]
//!             }
//!         }
//!     }"#,
//! )?;
//! # let _ = script;
//! let error = SandboxScript::parse(r#"{"default": "deliver"}"#).unwrap_err();
//! assert_eq!((error.line, error.column), (1, 21));
//! # Ok::<(), reminderly_providers::sandbox::ScriptError>(())
//! ```
//!
//! - `request`: `"accept"`, or one of `reject` (`code`, `rejection`: `for_now`, `for_good` or `opted_out`), `throttle` (`retry_after`, `times`), `server_error`
//!   (`accepted`, `times`), `time_out` (`accepted`, `accepted_after` up to 60 s, `times`), `hang` (`accepted`, `times`),
//!   `lost_answer` (`times`). Left out: `"accept"`.
//! - `report`: `"accepted"`, `"sent"`, `"delivered"`, `"complained"` or `{"undelivered": {"code": …}}`; of calls also `"busy"`,
//!   `"no_answer"`, `"machine"` and `"voicemail"`.
//! - `to`, of reports and replies: which of the accepted messages of a company to the contact point, `{"nth": 2}`, `{"from": 2}`
//!   (that one and all after it) or `"every"`. Left out: every one for reports, the first for replies.
//! - Durations: a whole number and `ms`, `s`, `m`, `h` or `d`.
//!
//! # Callbacks
//!
//! Reports and replies wait in the sandbox until the host takes them and hands each to whatever serves its callback endpoint.
//! They are signed with [Standard Webhooks](crate::standard_webhooks), with the time at which they are taken.
//!
//! ```
//! # use std::sync::Arc;
//! # use std::time::Duration;
//! # use chrono::{DateTime, TimeDelta};
//! # use futures::executor::block_on;
//! # use reminderly_core::domain::contact_method::ContactMethod;
//! # use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
//! # use reminderly_core::domain::content::Content;
//! # use reminderly_core::ports::callback::CallbackEvent;
//! # use reminderly_core::ports::provider::{OutboundMessage, SendDeadline};
//! use reminderly_core::clock::Clock;
//! use reminderly_core::testing::VirtualClock;
//! use reminderly_providers::sandbox::{Sandbox, SandboxSettings};
//!
//! let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
//! let sandbox = Sandbox::new(clock.clone(), SandboxSettings::default());
//! # let uuid: uuid::Uuid = "019a0000-0000-7000-8000-000000000001".parse()?;
//! # let message = OutboundMessage {
//! #     attempt: uuid.into(),
//! #     message: uuid.into(),
//! #     company: uuid.into(),
//! #     contact: ContactPoint::Sms(PhoneNumber::parse("+12025550111", None)?),
//! #     content: Content::Sms { text: "See you at 3".into(), segments: 1 },
//! #     expires_at: DateTime::UNIX_EPOCH + TimeDelta::hours(8),
//! # };
//! # let start = clock.monotonic();
//! # let deadline = SendDeadline {
//! #     start_by: start.plus(Duration::from_secs(1)),
//! #     answer_by: start.plus(Duration::from_secs(10)),
//! # };
//! // A message to +1 202 555 0111, who confirms.
//! let outcomes = block_on(sandbox.provider(ContactMethod::Sms).send(&[message], deadline))?;
//! # assert_eq!(outcomes.len(), 1);
//! assert_eq!(sandbox.accepted().len(), 1);
//!
//! let mut events = Vec::new();
//! while let Some(at) = sandbox.next_callback_at() {
//!     clock.advance_to(at);
//!     for callback in sandbox.take_callbacks(clock.now()) {
//!         // A host's endpoint would find the decoder by `callback.provider`.
//!         events.extend(sandbox.decoder().decode(&callback.request, clock.now())?);
//!     }
//! }
//! assert_eq!(events.len(), 3);
//! assert!(matches!(&events[2], CallbackEvent::Incoming(incoming) if &*incoming.text == "1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The body is `{"report_v1": {"event", "method", "attempt", "reference", "report", "at"}}` or
//! `{"incoming_v1": {"event", "account", "from": {"method", "address"}, "text", "at"}}`; its event is the `webhook-id` as well.

mod decoder;
mod duration;
mod journal;
mod named;
mod persona;
mod provider;
mod script;
mod script_choice;
mod state;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reminderly_core::clock::Clock;
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::ids::{AttemptId, CompanyId};
use reminderly_core::ports::callback::{CallbackDecoder, CallbackRequest};
use reminderly_core::ports::provider::{
    AttemptLookup, Finding, OutboundMessage, Provider, ProviderOutcome, ProviderRate, Rejection,
};
use sha2::{Digest as _, Sha256};

pub use decoder::{MAX_BODY_BYTES, SandboxDecoder};
pub use journal::JournalError;
pub use named::{DOMAIN, NamedPersona};
pub use persona::{Answered, Persona, QUIET_AFTER, RequestBehaviour, ScriptedReply, ScriptedReport};
pub use provider::{ANSWER_WITHIN, BATCH};
pub use script::{SandboxScript, ScriptError};
pub use state::{AcceptedLog, AcceptedRequest};

use crate::standard_webhooks::{ID_HEADER, WebhookKey};
use journal::Journal;
use provider::{SandboxLookup, SandboxProvider, provider_name};
use state::{Answer, PendingCallback, Request, State};

/// What the account of a company is called that has no other.
const ACCOUNT_PREFIX: &str = "sandbox-";

/// How a sandbox is set up. The default: seed 0, every contact point delivers, everything is logged.
#[derive(Debug, Clone, Default)]
pub struct SandboxSettings {
    /// Decides what the mixes of the script pick.
    pub seed: u64,
    /// Who behaves how.
    pub script: SandboxScript,
    /// The accounts or numbers to which people reply, by company; of one without entry it is `sandbox-<company id>`.
    pub accounts: HashMap<CompanyId, Arc<str>>,
    /// The first signs callbacks, all are accepted. If there is none, one is derived from the seed: no secret, so set one
    /// wherever strangers reach the callback endpoint.
    pub keys: Vec<WebhookKey>,
    /// What is kept of accepted requests.
    pub log: AcceptedLog,
    /// How long after `answer_by` its look-up says that a request is surely dead; [`QUIET_AFTER`] by default. Shorter than an
    /// `accepted_after` of the script, it lets a message be sent twice, as a real provider's would.
    pub quiet_after: Option<Duration>,
    /// How fast its providers say that they may be asked, by method; none by default. The sandbox itself does not mind.
    pub rates: HashMap<ContactMethod, Vec<ProviderRate>>,
}

/// A stand-in for real providers. A clone is the same sandbox. `Debug` shows numbers only.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    settings: SandboxSettings,
    companies: HashMap<Arc<str>, CompanyId>,
    state: Mutex<State>,
}

/// A call that the host's callback endpoint gets. `Debug` shows no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxCallback {
    /// Who calls.
    pub provider: ProviderName,
    /// What it is about: the same each time that it is made.
    pub event: String,
    /// The signed call.
    pub request: CallbackRequest,
}

impl Sandbox {
    /// A sandbox that has accepted nothing yet. The clock must be the one that dispatch uses.
    pub fn new(clock: Arc<dyn Clock>, mut settings: SandboxSettings) -> Self {
        if settings.keys.is_empty() {
            settings.keys.extend(derived_key(settings.seed));
        }
        let companies =
            settings.accounts.iter().map(|(company, account)| (Arc::clone(account), *company)).collect();
        let state = Mutex::new(State::new(settings.log));
        Self(Arc::new(Inner { clock, settings, companies, state }))
    }

    /// A sandbox that keeps what it accepts in a file, and so outlives the process, though not the machine: a new one that opens the
    /// same file goes on, with what was accepted and the callbacks that nobody [confirmed](Self::confirm). Everything is logged, whatever
    /// the settings say. While the file cannot be written, requests are deferred.
    ///
    /// A line of JSON for each request; numbers, addresses and texts stand in it. All of it is read at the start and kept in memory,
    /// and what is called back of earlier requests is what the script says now: begin a new file with a new script, and when it has
    /// grown too large. Requests that were not accepted are not remembered, so a persona's first refusal may come again.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if the file cannot be used, another sandbox uses it, or it is no journal.
    pub fn open(
        clock: Arc<dyn Clock>,
        settings: SandboxSettings,
        journal: &Path,
    ) -> Result<Self, JournalError> {
        let (journal, written) = Journal::open(journal)?;
        let sandbox = Self::new(clock, SandboxSettings { log: AcceptedLog::Full, ..settings });
        {
            let mut state = sandbox.state();
            for accepted in written.accepted {
                let company = accepted.company;
                let persona = sandbox.persona(&accepted.contact);
                state.restore(accepted, &persona, &|| sandbox.account(company));
            }
            state.forget_callbacks(&written.called_back);
            for (company, contact) in written.opted_out {
                state.opt_out(company, contact);
            }
            state.keep(journal);
        }
        Ok(sandbox)
    }

    /// The provider for a method: `sandbox-sms`, `sandbox-email` or `sandbox-phone`.
    pub fn provider(&self, method: ContactMethod) -> Arc<dyn Provider> {
        Arc::new(SandboxProvider::new(self.clone(), method))
    }

    /// Asks the log about attempts, for all its providers. With [`AcceptedLog::Counting`] it cannot say anything.
    pub fn lookup(&self) -> Arc<dyn AttemptLookup> {
        Arc::new(SandboxLookup(self.clone()))
    }

    /// Reads its callbacks, of all its providers.
    pub fn decoder(&self) -> Arc<dyn CallbackDecoder> {
        Arc::new(SandboxDecoder::new(self.0.settings.keys.clone()))
    }

    /// The account or number to which people reply who got a message of the company.
    pub fn account(&self, company: CompanyId) -> Arc<str> {
        let configured = self.0.settings.accounts.get(&company).cloned();
        configured.unwrap_or_else(|| format!("{ACCOUNT_PREFIX}{company}").into())
    }

    /// The company to which an account belongs.
    pub fn company_of(&self, account: &str) -> Option<CompanyId> {
        let configured = self.0.companies.get(account).copied();
        configured.or_else(|| account.strip_prefix(ACCOUNT_PREFIX)?.parse().ok())
    }

    /// Every accepted request in the order of acceptance. Empty with [`AcceptedLog::Counting`].
    pub fn accepted(&self) -> Vec<AcceptedRequest> {
        let mut accepted = self.state().accepted.clone();
        // Requests that are accepted late stand where they were made.
        accepted.sort_by_key(|request| request.at);
        accepted
    }

    /// How many requests were accepted, late acceptances to come included.
    pub fn accepted_count(&self) -> u64 {
        self.state().accepted_count
    }

    /// How many requests were made, whatever became of them.
    pub fn requests(&self) -> u64 {
        self.state().requests
    }

    /// From now on requests of the company to the contact point are refused as those to `opted_out` are: the person has told
    /// the carrier to stop, whether or not the host has heard of it.
    pub fn opt_out(&self, company: CompanyId, contact: ContactPoint) {
        self.state().opt_out(company, contact);
    }

    /// When the next callback is due.
    pub fn next_callback_at(&self) -> Option<DateTime<Utc>> {
        self.state().next_callback_at()
    }

    /// The callbacks that are due at `now`, earliest first, signed at `now`. They are gone from the sandbox: give those back
    /// with [`put_back`](Self::put_back) that could not be handled.
    pub fn take_callbacks(&self, now: DateTime<Utc>) -> Vec<SandboxCallback> {
        let due = self.state().take_callbacks(now);
        due.filter_map(|callback| self.sign(callback, now)).collect()
    }

    /// Makes a callback due again at `at`, as real providers do when the endpoint fails. It stays the same event and is signed
    /// anew when it is taken. One that is not the sandbox's own is ignored.
    pub fn put_back(&self, callback: SandboxCallback, at: DateTime<Utc>) {
        let method =
            ContactMethod::ALL.into_iter().find(|method| provider_name(*method) == callback.provider);
        let event = callback.request.header(ID_HEADER).map(str::to_owned);
        if let (Some(method), Some(event)) = (method, event) {
            self.state().plan(at, PendingCallback { method, event, body: callback.request.body });
        }
    }

    /// The endpoint has taken the callbacks of this event: a sandbox with a journal does not make them again after a restart.
    pub fn confirm(&self, event: &str) {
        self.state().called_back(event);
    }

    fn persona(&self, contact: &ContactPoint) -> Arc<Persona> {
        self.0.settings.script.persona(self.0.settings.seed, contact)
    }

    fn request(&self, method: ContactMethod, message: &OutboundMessage) -> Answer {
        if message.contact.method() != method {
            let code = "wrong_method".to_owned();
            return Answer::Now(ProviderOutcome::Rejected { code, rejection: Rejection::ForGood });
        }
        let persona = self.persona(&message.contact);
        let account = || self.account(message.company);
        let request = Request { message, persona: &persona, account: &account, now: self.0.clock.now() };
        self.state().request(&request)
    }

    fn find(&self, attempts: &[AttemptId]) -> Vec<Finding> {
        let now = self.0.clock.now();
        let state = self.state();
        attempts.iter().map(|attempt| state.find(*attempt, now)).collect()
    }

    fn sign(&self, callback: PendingCallback, now: DateTime<Utc>) -> Option<SandboxCallback> {
        let PendingCallback { method, event, body } = callback;
        let provider = provider_name(method);
        let headers = self.0.settings.keys.first()?.sign(&event, now, &body);
        let url = format!("https://{DOMAIN}/callbacks/{provider}");
        Some(SandboxCallback { provider, event, request: CallbackRequest { url, headers, body } })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, accepted) = (self.requests(), self.accepted_count());
        f.debug_struct("Sandbox")
            .field("requests", &requests)
            .field("accepted", &accepted)
            .finish_non_exhaustive()
    }
}

/// A digest has the length of a key, so there always is one.
fn derived_key(seed: u64) -> Option<WebhookKey> {
    let digest = Sha256::new().chain_update("reminderly sandbox").chain_update(seed.to_be_bytes()).finalize();
    WebhookKey::new(&digest).ok()
}
