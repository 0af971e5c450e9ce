//! From what a provider said to what is recorded.

use chrono::{DateTime, Utc};

use std::time::Duration;

use crate::domain::attempt::ReturnReason;
use crate::ports::provider::{ProviderError, ProviderOutcome, Rejection};
use crate::ports::store::SettleVerdict;
use crate::retry::{RetryPolicy, clamp_retry_after};

/// The shortest wait after a provider asked for one, or could not be reached.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a sender waits whose provider cannot be reached or refuses our credentials.
pub(super) const OUTAGE_PAUSE: Duration = Duration::from_mins(1);

/// What to record for one message; `attempts` counts this one.
pub(super) fn verdict(
    outcome: ProviderOutcome,
    attempts: u32,
    retry: &RetryPolicy,
    now: DateTime<Utc>,
) -> SettleVerdict {
    match outcome {
        ProviderOutcome::Accepted { reference } => SettleVerdict::Accepted { reference },
        ProviderOutcome::Rejected { code, rejection: Rejection::ForNow } => {
            match retry.wait_after(attempts) {
                Some(wait) => SettleVerdict::RefusedForNow { code, not_before: now + wait },
                None => SettleVerdict::RefusedForGood { code },
            }
        }
        ProviderOutcome::Rejected { code, rejection: Rejection::ForGood } => {
            SettleVerdict::RefusedForGood { code }
        }
        ProviderOutcome::Rejected { code, rejection: Rejection::OptedOut } => {
            SettleVerdict::OptedOut { code }
        }
        ProviderOutcome::Deferred { retry_after } => SettleVerdict::Returned {
            reason: ReturnReason::Throttled,
            not_before: now + clamp_retry_after(retry_after, SHORTEST_PAUSE),
        },
        ProviderOutcome::NotStarted => {
            SettleVerdict::Returned { reason: ReturnReason::TooLate, not_before: now }
        }
        ProviderOutcome::Unknown { code } => SettleVerdict::Ambiguous { code },
    }
}

/// How long the sender waits after an outcome; `None` if it may go on.
pub(super) fn pause_after(outcome: &ProviderOutcome) -> Option<Duration> {
    match outcome {
        ProviderOutcome::Deferred { retry_after } => Some(clamp_retry_after(*retry_after, SHORTEST_PAUSE)),
        _ => None,
    }
}

/// Why nothing of a call was sent, and how long the sender waits.
pub(super) fn outage(error: &ProviderError) -> (ReturnReason, Duration) {
    match error {
        ProviderError::Throttled { retry_after, .. } => {
            (ReturnReason::Throttled, clamp_retry_after(*retry_after, SHORTEST_PAUSE))
        }
        ProviderError::Unreachable { .. } | ProviderError::Unauthorized { .. } => {
            (ReturnReason::Unreachable, OUTAGE_PAUSE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn judged(outcome: ProviderOutcome, attempts: u32) -> SettleVerdict {
        verdict(outcome, attempts, &RetryPolicy::default(), NOW)
    }

    #[test]
    fn a_refusal_is_tried_again_until_the_policy_ends() {
        let refused = || ProviderOutcome::Rejected { code: "30003".to_owned(), rejection: Rejection::ForNow };
        let not_before = NOW + Duration::from_mins(1);
        let code = "30003".to_owned();
        assert_eq!(judged(refused(), 1), SettleVerdict::RefusedForNow { code: code.clone(), not_before });
        assert_eq!(judged(refused(), 5), SettleVerdict::RefusedForGood { code });
    }

    #[test]
    fn a_permanent_refusal_is_final_at_once() {
        let refused = ProviderOutcome::Rejected { code: "21211".to_owned(), rejection: Rejection::ForGood };
        assert_eq!(judged(refused, 1), SettleVerdict::RefusedForGood { code: "21211".to_owned() });
    }

    #[test]
    fn a_person_who_opted_out_with_the_provider_is_not_tried_again() {
        let refused = ProviderOutcome::Rejected { code: "21610".to_owned(), rejection: Rejection::OptedOut };
        assert_eq!(judged(refused, 1), SettleVerdict::OptedOut { code: "21610".to_owned() });
    }

    #[test]
    fn what_is_not_known_is_never_a_refusal() {
        let unknown = ProviderOutcome::Unknown { code: "http_503".to_owned() };
        assert_eq!(judged(unknown, 5), SettleVerdict::Ambiguous { code: "http_503".to_owned() });
    }

    #[test]
    fn a_wish_to_wait_is_believed_within_limits() {
        let ten_years = Some(Duration::from_hours(10 * 365 * 24));
        let deferred = ProviderOutcome::Deferred { retry_after: ten_years };
        assert_eq!(pause_after(&deferred), Some(Duration::from_mins(15)));
        let at_once = ProviderOutcome::Deferred { retry_after: Some(Duration::ZERO) };
        assert_eq!(pause_after(&at_once), Some(SHORTEST_PAUSE));
    }
}
