//! Waiting for one's turn.

use std::time::Duration;

use futures::future::{Either, select};

use chrono::{DateTime, Utc};

use super::slice_work::SliceWork;
use crate::domain::mapping::CompiledCampaign;
use crate::ports::provider::ProviderLimits;
use crate::services::traffic::{Permit, Request, limits_of};

/// The shortest time between two extensions of a lease, should they fail.
const BETWEEN_EXTENSIONS: Duration = Duration::from_secs(1);

/// How the wait for one's turn ended.
pub(super) enum Turn<'a> {
    /// Permits for some messages or all.
    Come(Permit<'a>),
    /// It is time to stop.
    Stopped,
    /// Half the life of a copy has passed: before the feeder makes another one, the messages go back to it, which then hands
    /// over what is most urgent by then.
    TooLong,
}

impl<'a> SliceWork<'a> {
    /// Who asks, for how many being left open.
    pub(super) fn request(&self, provider: &ProviderLimits, campaign: &CompiledCampaign) -> Request {
        let (slice, sharing) = (self.slice, &self.settings.sharing);
        let per_minute = campaign.definition().limits.per_minute;
        Request {
            company: slice.company,
            packet: slice.packet,
            weight: sharing.weight(slice.company),
            limits: limits_of(provider, slice.company, (slice.campaign, per_minute), sharing).into(),
            closes_at: slice.closes_at,
            messages: 1,
        }
    }

    /// Waits until messages of the slice may be asked for. Nothing is claimed meanwhile, and the copy stays hidden.
    pub(super) async fn wait_for_turn(
        &self,
        request: &Request,
        hidden_until: &mut DateTime<Utc>,
    ) -> Turn<'a> {
        let mut permit = Box::pin(self.scheduler.acquire(request));
        if request.limits.is_empty() {
            return Turn::Come(permit.await);
        }
        let clock = &self.ports.clock;
        let give_up = clock.now() + self.settings.copy_lifetime / 2;
        loop {
            let now = clock.now();
            if now >= give_up {
                return Turn::TooLong;
            }
            let extend = match self.lease {
                Some(_) => (*hidden_until - self.settings.visibility / 3 * 2).max(now + BETWEEN_EXTENSIONS),
                None => give_up,
            };
            let pause = async {
                let pause = clock.sleep_until(extend.min(give_up));
                if let Some(shutdown) = self.shutdown {
                    matches!(select(pause, Box::pin(shutdown.wait())).await, Either::Right(_))
                } else {
                    pause.await;
                    false
                }
            };
            match select(permit, Box::pin(pause)).await {
                Either::Left((permit, _)) => return Turn::Come(permit),
                Either::Right((true, _)) => return Turn::Stopped,
                Either::Right((false, waiting)) => {
                    permit = waiting;
                    self.extend_lease(hidden_until).await;
                }
            }
        }
    }
}
