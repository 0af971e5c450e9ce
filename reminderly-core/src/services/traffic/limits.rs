//! Which limits a message has.

use std::time::Duration;

use crate::domain::rate::Rate;
use crate::ids::{CampaignId, CompanyId};
use crate::ports::provider::{ProviderLimits, RateScope};
use crate::services::Sharing;

/// What a limit is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::services) enum LimitOf {
    Provider(RateScope),
    Company(CompanyId),
    Campaign(CampaignId),
}

/// A limit of a message. Messages with different limits on the same thing count together: a campaign whose limit was edited
/// has packets of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::services) struct Limit {
    pub(in crate::services) of: LimitOf,
    /// For all workers together.
    pub(in crate::services) rate: Rate,
}

/// What is counted together.
pub(super) type Counted = (LimitOf, Duration);

impl Limit {
    /// Messages a second in the long run, of all workers together.
    pub(in crate::services) fn per_second(&self) -> f64 {
        self.rate.per_second_on_average()
    }

    pub(super) fn counted(&self) -> Counted {
        (self.of.clone(), self.rate.per)
    }
}

/// All limits of the messages of a campaign that go by a provider, those of the provider first.
pub(in crate::services) fn limits_of(
    provider: &ProviderLimits,
    company: CompanyId,
    (campaign, per_minute): (CampaignId, Option<std::num::NonZeroU32>),
    sharing: &Sharing,
) -> Vec<Limit> {
    let of_provider = provider
        .rates
        .iter()
        .map(|limit| Limit { of: LimitOf::Provider(limit.of.clone()), rate: limit.rate });
    let of_company = sharing.rates.get(&company).into_iter().flatten();
    let of_company = of_company.map(|rate| Limit { of: LimitOf::Company(company), rate: *rate });
    let of_campaign = per_minute.map(Rate::per_minute);
    let of_campaign = of_campaign.map(|rate| Limit { of: LimitOf::Campaign(campaign), rate });
    let all = of_provider.chain(of_company).chain(of_campaign);
    all.filter(|limit| !limit.rate.per.is_zero()).collect()
}
