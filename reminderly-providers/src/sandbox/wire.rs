//! The bodies of the sandbox's callbacks.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use reminderly_core::domain::attempt::ProviderReference;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::disposition::{AttemptReport, Disposition};
use reminderly_core::domain::incoming::Incoming;
use reminderly_core::ids::AttemptId;
use reminderly_core::ports::callback::CallbackEvent;
use serde::{Deserialize, Serialize};

use super::provider::provider_name;

/// The body of a callback. The variant names kind and version; a new version gets a variant of its own.
#[derive(Serialize, Deserialize)]
pub(super) enum CallbackBody {
    #[serde(rename = "report_v1")]
    Report(ReportBody),
    #[serde(rename = "incoming_v1")]
    Incoming(IncomingBody),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportBody {
    pub(super) event: Arc<str>,
    pub(super) method: ContactMethod,
    pub(super) attempt: AttemptId,
    pub(super) reference: ProviderReference,
    pub(super) report: AttemptReport,
    pub(super) at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncomingBody {
    pub(super) event: Arc<str>,
    pub(super) account: Arc<str>,
    pub(super) from: ContactPoint,
    pub(super) text: Arc<str>,
    pub(super) at: DateTime<Utc>,
}

impl CallbackBody {
    pub(super) fn event(&self) -> &str {
        match self {
            Self::Report(report) => &report.event,
            Self::Incoming(incoming) => &incoming.event,
        }
    }

    pub(super) const fn method(&self) -> ContactMethod {
        match self {
            Self::Report(report) => report.method,
            Self::Incoming(incoming) => incoming.from.method(),
        }
    }
}

impl From<CallbackBody> for CallbackEvent {
    fn from(body: CallbackBody) -> Self {
        let provider = provider_name(body.method());
        match body {
            CallbackBody::Report(ReportBody { event, attempt, reference, report, at, .. }) => {
                Self::Disposition(Disposition {
                    provider,
                    event,
                    attempt,
                    reference: Some(reference),
                    report,
                    at,
                })
            }
            CallbackBody::Incoming(IncomingBody { event, account, from, text, at }) => {
                Self::Incoming(Incoming { provider, account, event, from, text, at })
            }
        }
    }
}
