//! How often a person is contacted: which messages of a packet have room.

use metrics::counter;

use super::{Mapping, stale};
use crate::domain::mapping::CompiledCampaign;
use crate::domain::packet::Packet;
use crate::domain::skip_reason::SkipReason;
use crate::give_way::give_way;
use crate::ports::store::SlotsOutcome;
use crate::services::ServiceError;

impl Mapping {
    /// Lets the messages of a packet take their slots once all are planned: only then it is known which are nearest to their
    /// appointments.
    pub(super) async fn take_slots(
        &self,
        packet: &Packet,
        campaign: &CompiledCampaign,
    ) -> Result<(), ServiceError> {
        if campaign.definition().limits.caps.is_none() {
            return Ok(());
        }
        loop {
            let at = self.ports.clock.now();
            let page =
                self.ports.store.take_slots(packet.company, packet.id, at, self.rows_per_batch).await?;
            let SlotsOutcome::Page { capped, is_last } = page else { return Err(stale()) };
            for (method, count) in capped {
                let labels = [("method", method.as_str()), ("reason", SkipReason::Cap.as_str())];
                counter!("reminderly_messages_skipped_total", &labels).increment(count);
            }
            if is_last {
                return Ok(());
            }
            give_way().await;
        }
    }
}
