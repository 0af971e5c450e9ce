//! What planning a batch adds to the counters.

use std::collections::BTreeMap;

use metrics::counter;

use crate::domain::message::PlanVerdict;
use crate::domain::row::RowFault;
use crate::domain::skip_reason::SkipReason;
use crate::ports::store::PlanBatch;

/// What a batch adds to the counters once it is stored; each counter once, because finding one by its labels costs as much as a
/// plan.
#[derive(Debug, Default)]
pub(super) struct Counted {
    faults: BTreeMap<RowFault, u64>,
    messages: BTreeMap<(&'static str, Option<SkipReason>), u64>,
    appointments: BTreeMap<&'static str, u64>,
}

impl Counted {
    pub(super) fn of(batch: &PlanBatch) -> Self {
        let mut counted = Self::default();
        for row in &batch.failed {
            *counted.faults.entry(row.code).or_default() += 1;
        }
        for planned in &batch.messages {
            let reason = match planned.verdict {
                PlanVerdict::Send { .. } => None,
                PlanVerdict::Skip(reason) => Some(reason),
            };
            *counted.messages.entry((planned.message.method.as_str(), reason)).or_default() += 1;
        }
        for planned in &batch.appointments {
            *counted.appointments.entry(planned.change.as_str()).or_default() += 1;
        }
        counted
    }

    pub(super) fn count(self) {
        for (code, count) in self.faults {
            counter!("reminderly_rows_failed_total", "code" => code.as_str()).increment(count);
        }
        for ((method, reason), count) in self.messages {
            match reason {
                None => counter!("reminderly_messages_planned_total", "method" => method).increment(count),
                Some(reason) => {
                    let labels = [("method", method), ("reason", reason.as_str())];
                    counter!("reminderly_messages_skipped_total", &labels).increment(count);
                }
            }
        }
        for (change, count) in self.appointments {
            counter!("reminderly_appointments_mapped_total", "change" => change).increment(count);
        }
    }
}
