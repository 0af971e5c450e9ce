//! A company that takes files in and sends nothing, to measure how fast its files are taken in.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use reminderly_core::domain::access::Company;
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::ids::{CampaignId, CompanyId, IdSourceExt as _, RandomIds};
use reminderly_core::ports::store::{NewCampaign, Store};
use reminderly_core::sealers::PlainSealer;
use reminderly_core::services::Ports;
use reminderly_core::testing::VirtualClock;
use reminderly_providers::router::MethodRouter;
use reminderly_queue_memory::MemoryQueue;

use crate::example::{Methods, definition};
use crate::report::Failure;

/// Sunday before the first appointment of a [generated file](crate::generated_file::GeneratedFile), so that every message lies ahead.
pub const NOW: DateTime<Utc> = DateTime::from_timestamp(1_772_323_200, 0).unwrap();

/// Makes a company with a campaign that is active.
///
/// # Errors
///
/// What the store refuses.
pub async fn set_up(store: &dyn Store, methods: Methods) -> Result<(CompanyId, CampaignId), Failure> {
    let (company, campaign) = (RandomIds.next(NOW), RandomIds.next(NOW));
    let new = Company { id: company, name: "Smith".to_owned(), server_name: "smith".to_owned() };
    store.save_company_across_companies(&new).await?;
    let new = NewCampaign { id: campaign, definition: definition(methods)?, created_at: NOW };
    store.create_campaign(company, new).await?;
    store.change_campaign_state(company, campaign, CampaignState::Draft, CampaignState::Active).await?;
    Ok((company, campaign))
}

/// The ports around a store: a clock that stands at [`NOW`], and nobody who sends.
pub fn ports(store: Arc<dyn Store>) -> Ports {
    let clock = Arc::new(VirtualClock::new(NOW));
    let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock) as _));
    Ports {
        store,
        queue: Arc::clone(&queue) as _,
        queues: queue,
        providers: Arc::new(MethodRouter::new()),
        sealer: Arc::new(PlainSealer),
        clock,
        ids: Arc::new(RandomIds),
    }
}
