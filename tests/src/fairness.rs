//! A small company beside a large one, under one account's limit and a virtual clock.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::rate::Rate;
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ports::provider::{ProviderRate, RateScope};
use serde_json::json;

use crate::material;
use crate::world::{Setup, World};

/// A limit of the account that all companies share.
pub fn account(messages: u32, per: Duration) -> ProviderRate {
    ProviderRate { of: RateScope::Account("shared".into()), rate: rate(messages, per) }
}

/// A rate.
pub fn rate(messages: u32, per: Duration) -> Rate {
    Rate { messages: NonZeroU32::new(messages).expect("more than nothing"), per }
}

/// A world in which everybody gets everything and says nothing.
pub fn quiet(seed: u64, rates: Vec<ProviderRate>) -> Setup {
    Setup { seed, rates, script: json!({ "default": "silent" }), ..Setup::default() }
}

/// A company with an active campaign.
pub fn company(world: &World) -> Campaign {
    let company = world.company();
    world.campaign(company, &material::document())
}

/// What may go from `from` on, for a working day.
pub fn all_day(from: DateTime<Utc>) -> impl Fn(usize) -> LegalInterval {
    move |_| LegalInterval { from, until: from + TimeDelta::hours(10) }
}

/// How long each of the small company's 50 messages waited, in ascending order: beside as many of the large company, which have
/// been due for half a minute, when the account takes `per_second`. They come up at an odd moment that depends on the seed.
pub fn waits(seed: u64, beside: usize, per_second: u32) -> Vec<TimeDelta> {
    let mut world = World::new(&quiet(seed, vec![account(per_second, Duration::from_secs(1))]));
    let (large, small) = (company(&world), company(&world));
    let start = world.now() + TimeDelta::seconds(60);
    if beside > 0 {
        world.plant(&large, 1, beside, all_day(start));
    }
    let odd = i64::try_from(seed * 271 % 1_000).unwrap_or(0);
    let due = start + TimeDelta::seconds(30) + TimeDelta::milliseconds(odd);
    world.plant(&small, 1, 50, all_day(due));
    world.start_worker();
    world.run_until(due + TimeDelta::minutes(2));
    let accepted = world.sandbox.accepted();
    let mut waits: Vec<TimeDelta> = accepted
        .iter()
        .filter(|request| request.company == small.company)
        .map(|request| request.at - due)
        .collect();
    waits.sort_unstable();
    waits
}

/// The wait that 99 of 100 messages do not exceed.
pub fn p99(waits: &[TimeDelta]) -> TimeDelta {
    let rank = (waits.len() * 99).div_ceil(100).max(1) - 1;
    waits.get(rank).copied().unwrap_or(TimeDelta::MAX)
}
