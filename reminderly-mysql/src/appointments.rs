use async_trait::async_trait;
use reminderly_core::domain::appointment_key::AppointmentKey;
use reminderly_core::domain::held_appointment::HeldAppointment;
use reminderly_core::domain::vanished::KeptBecause;
use reminderly_core::ids::{CampaignId, CompanyId, PacketId};
use reminderly_core::ports::store::{AppointmentStore, StoreError, VanishOutcome, Vanishing, WriteOutcome};
use reminderly_core::storage::{self, Records};

use crate::reading::Locks;
use crate::store::MySqlStore;

#[async_trait]
impl AppointmentStore for MySqlStore {
    async fn appointments(
        &self,
        company: CompanyId,
        campaign: CampaignId,
        keys: &[AppointmentKey],
    ) -> Result<Vec<Vec<HeldAppointment>>, StoreError> {
        let rule = |records: &Records| {
            let held = |key| storage::appointment(records, company, campaign, key);
            keys.iter().map(held).collect()
        };
        self.look(company, rule).await
    }

    async fn cancel_vanished(
        &self,
        company: CompanyId,
        vanishing: Vanishing,
    ) -> Result<VanishOutcome, StoreError> {
        let rule = |records: &mut Records, ()| storage::cancel_vanished(records, company, &vanishing);
        self.apply(company, Locks::of_packet(vanishing.missing_in), (), rule).await?
    }

    async fn keep_vanished(
        &self,
        company: CompanyId,
        packet: PacketId,
        because: KeptBecause,
    ) -> Result<WriteOutcome, StoreError> {
        let rule = |records: &mut Records, because| storage::keep_vanished(records, company, packet, because);
        self.apply(company, Locks::of_packet(packet), because, rule).await?
    }
}
