//! Providers: who carries messages to people.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::batch::Outcomes;
use crate::clock::Monotonic;
use crate::domain::attempt::{ProviderName, ProviderReference};
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::content::Content;
use crate::domain::rate::Rate;
use crate::ids::{AttemptId, CompanyId, MessageId};
use crate::ports::BoxError;
use crate::ports::callback::CallbackDecoder;

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundMessage {
    /// The attempt; goes along as idempotency key where the provider has one, and always in callback URL, tags or metadata.
    pub attempt: AttemptId,
    /// The message.
    pub message: MessageId,
    /// For whom it is sent.
    pub company: CompanyId,
    /// Where it goes.
    pub contact: ContactPoint,
    /// What it says.
    pub content: Content,
    /// The provider must not deliver it at or after this instant: the end of the contact window, or the appointment.
    pub expires_at: DateTime<Utc>,
}

/// The deadlines of one call, on the monotonic scale of the [`Clock`](crate::clock::Clock) that dispatch and provider share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendDeadline {
    /// A request starts before this point or not at all.
    pub start_by: Monotonic,
    /// The answer comes before this point or counts as ambiguous.
    pub answer_by: Monotonic,
}

/// What became of one message of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderOutcome {
    /// The provider accepted it.
    Accepted {
        /// Its id there, where the answer said it.
        reference: Option<ProviderReference>,
    },
    /// The provider definitely refused it.
    Rejected {
        /// The provider's code.
        code: String,
        /// What its refusal means for further tries.
        rejection: Rejection,
    },
    /// The provider definitely did not take it and asks to wait; spends no attempt and pauses the sender.
    Deferred {
        /// How long to wait, where the answer said it.
        retry_after: Option<Duration>,
    },
    /// No request was made for it, because `start_by` had come.
    NotStarted,
    /// It may or may not have been accepted: time-out, connection lost, any 5xx, an answer that makes no sense.
    Unknown {
        /// What was seen; never personal data.
        code: String,
    },
}

/// What a provider's definite refusal means for further tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// A later try may be taken: the account is out of credit, a carrier is down.
    ForNow,
    /// Every further try will be refused too: there is no such number, the text is not allowed.
    ForGood,
    /// The person has told the provider or the carrier that they want nothing more from us, such as
    /// [Twilio's 21610](https://www.twilio.com/docs/api/errors/21610). It is recorded as their refusal.
    OptedOut,
}

/// What a provider can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderLimits {
    /// How many messages of one call it surely starts within a second. At least 1.
    pub batch: usize,
    /// How long after the start of a request an answer can still come.
    pub answer_within: Duration,
    /// How fast it may be asked; a message goes when all of them allow it. Put the account first: what companies share by
    /// their weights is the first of them. Empty is no limit.
    pub rates: Vec<ProviderRate>,
}

/// How fast an account or a sender may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRate {
    /// Whose limit it is.
    pub of: RateScope,
    /// How many messages in every stretch of time, for all workers together.
    pub rate: Rate,
}

/// What a provider's limit is about. Providers that name the same scope share its limits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateScope {
    /// An account with a provider, by a name that is unique in the deployment.
    Account(Arc<str>),
    /// A number or address of ours that messages come from.
    Sender(Arc<str>),
}

impl Debug for RateScope {
    /// Without the number or address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => f.debug_tuple("Account").field(name).finish(),
            Self::Sender(_) => f.debug_tuple("Sender").finish_non_exhaustive(),
        }
    }
}

/// Nothing was sent, for a reason that concerns the whole call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// No connection: name resolution, connect or TLS failed before a byte of a request was written.
    #[error("provider {provider} cannot be reached")]
    Unreachable {
        /// The provider.
        provider: ProviderName,
        /// What the network said.
        #[source]
        source: BoxError,
    },
    /// The provider does not accept our credentials.
    #[error("provider {provider} refuses our credentials")]
    Unauthorized {
        /// The provider.
        provider: ProviderName,
    },
    /// The provider asks this sender to wait.
    #[error("provider {provider} asks to wait")]
    Throttled {
        /// The provider.
        provider: ProviderName,
        /// How long, where it said so.
        retry_after: Option<Duration>,
    },
}

impl ProviderError {
    /// Whether the same call may succeed later without anybody's help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Throttled { .. })
    }

    /// How long to wait before the same call, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Carries messages to people.
///
/// # Contract
///
/// - One request per message and call: no retries, no redirects. Retrying is dispatch's business, which alone knows whether a
///   second request is safe.
/// - An implementation MUST NOT start a request at or after `start_by`, and MUST answer by `answer_by`, with
///   [`ProviderOutcome::Unknown`] for what it does not know by then.
/// - Definite refusals are only: no request byte written, or the provider's own error body under 400, 401, 403, 404, 422 or
///   429. Everything else MUST be [`ProviderOutcome::Unknown`].
/// - `Err` MUST mean that surely nothing of the call was sent.
/// - Dropping the future leaves each message of the call unknown.
/// - An implementation MUST NOT log addresses or texts.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Provider: Debug + Send + Sync + 'static {
    /// Its name in configuration, attempts and reports.
    fn name(&self) -> ProviderName;

    /// The method that it serves.
    fn method(&self) -> ContactMethod;

    /// What it can take.
    fn limits(&self) -> ProviderLimits;

    /// Sends messages; outcomes by position. Callers give at most `limits().batch`.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] if surely nothing was sent.
    async fn send(
        &self,
        messages: &[OutboundMessage],
        deadline: SendDeadline,
    ) -> Result<Outcomes<ProviderOutcome>, ProviderError>;
}

/// What a look-up found about one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The provider accepted it.
    Accepted {
        /// Its id there.
        reference: ProviderReference,
        /// When it was accepted.
        at: DateTime<Utc>,
    },
    /// The provider has nothing of it. A proof only when the request is provably dead, see [`AttemptLookup::quiet_after`].
    Absent,
    /// The provider cannot say.
    Inconclusive,
}

/// Asks a provider what became of attempts. Not every provider can.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AttemptLookup: Debug + Send + Sync + 'static {
    /// How long after an attempt's `answer_by` its request is provably dead: from then on an absence is a proof.
    fn quiet_after(&self) -> Duration;

    /// Looks attempts up; findings by position. Reads only; dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] if the provider gave no answer.
    async fn find(&self, attempts: &[AttemptId]) -> Result<Outcomes<Finding>, ProviderError>;
}

/// Which provider serves whom: composed by the host.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait ProviderDirectory: Debug + Send + Sync + 'static {
    /// The provider that sends for a company by a method.
    fn route(&self, company: CompanyId, method: ContactMethod) -> Option<Arc<dyn Provider>>;

    /// How to ask a provider about attempts.
    fn lookup(&self, provider: &ProviderName) -> Option<Arc<dyn AttemptLookup>>;

    /// What reads a provider's callbacks.
    fn decoder(&self, provider: &ProviderName) -> Option<Arc<dyn CallbackDecoder>>;

    /// The company to which an account or number of ours belongs.
    fn company_of(&self, provider: &ProviderName, account: &str) -> Option<CompanyId>;
}
