//! Claims whose worker never said what became of them.

use std::collections::BTreeMap;

use metrics::counter;
use tracing::warn;

use crate::domain::access::PlatformScope;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::{SettleOutcome, SettleVerdict, Settlement};
use crate::services::{Ports, ServiceError, Settings};

const BATCH: usize = 1_000;

/// Makes claims that ran out unknown. Never queued: the request may have been accepted.
#[derive(Debug, Clone)]
pub struct OverdueClaims {
    ports: Ports,
    settings: Settings,
}

impl OverdueClaims {
    /// The sweep over these ports.
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        Self { ports: ports.clone(), settings: settings.clone() }
    }

    /// Reaps every claim whose `answer_by` is past by the margin; answers how many.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless a worker asks; [`ServiceError::Store`].
    pub async fn sweep(&self, scope: &PlatformScope) -> Result<u64, ServiceError> {
        scope.require_worker()?;
        let now = self.ports.clock.now();
        let mut reaped = 0;
        loop {
            let overdue = self
                .ports
                .store
                .overdue_attempts_across_companies(now - self.settings.claim_margin, BATCH)
                .await?;
            let last = overdue.len() < BATCH;
            let mut by_packet: BTreeMap<(CompanyId, PacketId), Vec<Settlement>> = BTreeMap::new();
            for open in overdue {
                let settlement = Settlement {
                    message: open.location.message,
                    epoch: open.attempt.epoch,
                    verdict: SettleVerdict::Reaped,
                    at: now,
                };
                by_packet.entry((open.location.company, open.location.packet)).or_default().push(settlement);
            }
            for ((company, packet), settlements) in by_packet {
                let outcomes = self.ports.store.settle(company, packet, &settlements).await?;
                let applied =
                    outcomes.iter().filter(|outcome| matches!(outcome, SettleOutcome::Applied(_))).count();
                reaped += u64::try_from(applied).unwrap_or(u64::MAX);
            }
            if last {
                break;
            }
        }
        if reaped > 0 {
            counter!("reminderly_claims_reaped_total").increment(reaped);
            warn!(claims = reaped, "claims ran out without an answer; their messages are unknown");
        }
        Ok(reaped)
    }
}
