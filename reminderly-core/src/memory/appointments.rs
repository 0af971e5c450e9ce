use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::held_appointment::HeldAppointment;
use crate::domain::vanished::KeptBecause;
use crate::ids::{CampaignId, CompanyId, PacketId};
use crate::ports::store::{AppointmentStore, StoreError, VanishOutcome, Vanishing, WriteOutcome};
use crate::storage;

#[async_trait]
impl AppointmentStore for MemoryStore {
    async fn appointments(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        keys: &[AppointmentKey],
    ) -> Result<Vec<Vec<HeldAppointment>>, StoreError> {
        Ok(self
            .transact(|data| {
                data.apply(company, keys, |records, keys| {
                    let rows = |key| storage::appointment(records, company, campaign, key);
                    keys.iter().map(rows).collect()
                })
            })
            .await)
    }

    async fn cancel_vanished(
        &self,
        company: CompanyId,
        vanishing: Vanishing,
    ) -> Result<VanishOutcome, StoreError> {
        self.transact(|data| {
            data.apply(company, vanishing, |records, vanishing| {
                storage::cancel_vanished(records, company, &vanishing)
            })
        })
        .await
    }

    async fn keep_vanished(
        &self,
        company: CompanyId,
        packet: PacketId,
        because: KeptBecause,
    ) -> Result<WriteOutcome, StoreError> {
        self.transact(|data| {
            data.apply(company, because, |records, because| {
                storage::keep_vanished(records, company, packet, because)
            })
        })
        .await
    }
}
