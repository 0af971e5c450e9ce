//! Permits under a virtual clock.

#![cfg(feature = "testing")]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use proptest::prelude::*;
use uuid::Uuid;

use super::limits::{Limit, LimitOf, limits_of};
use super::{Permit, Request, Scheduler};
use crate::clock::Clock as _;
use crate::domain::contact_method::ContactMethod;
use crate::domain::rate::Rate;
use crate::ids::{CampaignId, CompanyId, PacketId};
use crate::ports::provider::{ProviderLimits, ProviderRate, RateScope};
use crate::services::Sharing;
use crate::testing::VirtualClock;

const SECOND: Duration = Duration::from_secs(1);

struct Desk {
    clock: Arc<VirtualClock>,
    scheduler: Scheduler,
}

fn desk() -> Desk {
    let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH));
    Desk { scheduler: Scheduler::new(Arc::clone(&clock) as _, NonZeroU32::MIN), clock }
}

fn id<Id: From<Uuid>>(n: u128) -> Id {
    Id::from(Uuid::from_u128(n))
}

fn account(messages: u32) -> Limit {
    limit(LimitOf::Provider(RateScope::Account("a".into())), messages, SECOND)
}

fn limit(of: LimitOf, messages: u32, per: Duration) -> Limit {
    Limit { of, rate: Rate { messages: NonZeroU32::new(messages).unwrap(), per } }
}

fn request(company: u128, packet: u128, messages: u64, limits: &[Limit]) -> Request {
    Request {
        company: id::<CompanyId>(company),
        packet: id::<PacketId>(packet),
        method: ContactMethod::Sms,
        weight: NonZeroU32::MIN,
        limits: limits.into(),
        closes_at: None,
        messages,
    }
}

#[test]
fn a_message_has_the_limits_of_its_provider_its_company_and_its_campaign() {
    let per_second = |messages| Rate::per_second(NonZeroU32::new(messages).unwrap());
    let (account, sender) = (RateScope::Account("a".into()), RateScope::Account("s".into()));
    let provider = ProviderLimits {
        batch: 1,
        answer_within: SECOND,
        rates: [(account.clone(), per_second(30)), (sender, Rate { per: Duration::ZERO, ..per_second(1) })]
            .map(|(of, rate)| ProviderRate { of, rate })
            .to_vec(),
    };
    let (company, campaign) = (id::<CompanyId>(1), id::<CampaignId>(1));
    let sharing = Sharing { rates: [(company, vec![per_second(20)])].into(), ..Sharing::default() };
    let of = |company, per_minute| {
        let limits = limits_of(&provider, company, (campaign, NonZeroU32::new(per_minute)), &sharing);
        limits.into_iter().map(|limit| (limit.per_second(), limit.of)).collect::<Vec<_>>()
    };
    let of_provider = (30.0, LimitOf::Provider(account));
    let of_campaign = (1.5, LimitOf::Campaign(campaign));
    assert_eq!(of(company, 90), [of_provider.clone(), (20.0, LimitOf::Company(company)), of_campaign]);
    assert_eq!(of(id::<CompanyId>(2), 0), [of_provider], "nothing is no limit");
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Permit<'a>> + Send + 'a>>;

impl Desk {
    fn ask<'a>(&'a self, request: &'a Request) -> Waiting<'a> {
        let mut waiting: BoxFuture<'a, Permit<'a>> = self.scheduler.acquire(request).boxed();
        // In line from the first poll on.
        match poll(&mut waiting) {
            Some(permit) => futures::future::ready(permit).boxed(),
            None => waiting,
        }
    }

    /// All ask for a provider at once and are done with it.
    fn send(&self, mut permit: Permit<'_>) -> u64 {
        let messages = permit.messages();
        permit.start(messages, self.clock.monotonic().plus(SECOND));
        permit.finish(messages);
        messages
    }

    fn pass(&self, millis: i64) {
        let until = self.clock.now() + TimeDelta::milliseconds(millis);
        self.clock.advance_to(until);
    }
}

fn poll<'a>(waiting: &mut Waiting<'a>) -> Option<Permit<'a>> {
    match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(permit) => Some(permit),
        std::task::Poll::Pending => None,
    }
}

/// Who watches the clock is polled by whoever wakes it; here all are.
fn ready(all: &mut [Waiting<'_>]) -> Vec<(usize, u64)> {
    let mut found = Vec::new();
    for _ in 0..2 {
        for (index, waiting) in all.iter_mut().enumerate() {
            if found.iter().all(|(known, _)| *known != index)
                && let Some(permit) = poll(waiting)
            {
                found.push((index, permit.messages()));
                permit.finish(0);
                *waiting = futures::future::pending().boxed();
            }
        }
    }
    found
}

#[test]
fn without_limits_nobody_waits() {
    let desk = desk();
    for _ in 0..1_000 {
        let request = request(1, 1, 100, &[]);
        let permit = desk.scheduler.acquire(&request).now_or_never().unwrap();
        assert_eq!(desk.send(permit), 100);
    }
}

#[test]
fn a_permit_is_for_what_there_is_room_for_and_the_rest_waits() {
    let desk = desk();
    let wants = request(1, 1, 100, &[account(30)]);
    let first = desk.scheduler.acquire(&wants).now_or_never().unwrap();
    assert_eq!(desk.send(first), 30);
    let mut second = desk.ask(&wants);
    desk.pass(999);
    assert!(poll(&mut second).is_none());
    desk.pass(1);
    assert_eq!(poll(&mut second).unwrap().messages(), 30);
}

#[test]
fn all_limits_have_room_at_once_or_nothing_is_taken() {
    let desk = desk();
    let campaign = limit(LimitOf::Campaign(id::<CampaignId>(1)), 10, Duration::from_mins(1));
    let both = request(1, 1, 100, &[account(30), campaign]);
    let permit = desk.scheduler.acquire(&both).now_or_never().unwrap();
    assert_eq!(desk.send(permit), 10);
    let mut blocked = desk.ask(&both);
    let other = request(1, 2, 100, &[account(30)]);
    let permit = desk.scheduler.acquire(&other).now_or_never().unwrap();
    assert_eq!(desk.send(permit), 20, "who waits for its campaign keeps nothing of the account");
    desk.pass(59_999);
    assert!(poll(&mut blocked).is_none());
    desk.pass(1);
    assert_eq!(poll(&mut blocked).unwrap().messages(), 10);
}

#[test]
fn who_goes_away_leaves_nothing_behind() {
    let desk = desk();
    let wants = request(1, 1, 100, &[account(30)]);
    // Given back: nothing was asked for.
    drop(desk.scheduler.acquire(&wants).now_or_never().unwrap());
    let mut permit = desk.scheduler.acquire(&wants).now_or_never().unwrap();
    assert_eq!(permit.messages(), 30);
    permit.start(20, desk.clock.monotonic().plus(SECOND));
    // Dropped while the provider was asked: nobody knows.
    drop(permit);
    assert_eq!(desk.send(desk.scheduler.acquire(&wants).now_or_never().unwrap()), 10);
    let (gone, mut stays) = (desk.ask(&wants), desk.ask(&wants));
    // The one that watches the clock goes; and one that was given its permit goes without having fetched it.
    drop(gone);
    let gone_later = desk.ask(&wants);
    desk.pass(1_000);
    assert!(poll(&mut stays).is_some_and(|permit| permit.messages() == 30));
    drop(gone_later);
    assert_eq!(desk.scheduler.acquire(&wants).now_or_never().unwrap().messages(), 30);
}

#[test]
fn what_surely_was_not_asked_for_makes_room_again() {
    let desk = desk();
    let wants = request(1, 1, 100, &[account(30)]);
    let mut permit = desk.scheduler.acquire(&wants).now_or_never().unwrap();
    permit.start(30, desk.clock.monotonic().plus(SECOND));
    permit.finish(10);
    assert_eq!(desk.scheduler.acquire(&wants).now_or_never().unwrap().messages(), 20);
}

#[test]
fn what_is_given_back_is_there_for_who_waits() {
    let desk = desk();
    let wants = request(1, 1, 100, &[account(30)]);
    let permit = desk.scheduler.acquire(&wants).now_or_never().unwrap();
    let mut waiting = desk.ask(&wants);
    assert!(poll(&mut waiting).is_none());
    permit.finish(0);
    assert_eq!(poll(&mut waiting).unwrap().messages(), 30);
}

#[test]
fn the_window_that_closes_first_goes_first_within_a_packet() {
    let desk = desk();
    let limits = [account(1)];
    desk.send(desk.scheduler.acquire(&request(1, 1, 1, &limits)).now_or_never().unwrap());
    let closing = |minutes: Option<i64>| Request {
        closes_at: minutes.map(|minutes| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minutes)),
        ..request(1, 1, 1, &limits)
    };
    let requests = [closing(None), closing(Some(9)), closing(Some(3)), closing(Some(5))];
    let mut all: Vec<_> = requests.iter().map(|request| desk.ask(request)).collect();
    let mut order = Vec::new();
    for _ in 0..4 {
        desk.pass(1_000);
        for _ in 0..2 {
            for (index, waiting) in all.iter_mut().enumerate() {
                if let Some(permit) = poll(waiting) {
                    order.push(index);
                    desk.send(permit);
                    *waiting = futures::future::pending().boxed();
                }
            }
        }
    }
    assert_eq!(order, [2, 3, 1, 0]);
}

#[test]
fn a_limit_of_its_own_holds_nobody_else_up() {
    let desk = desk();
    let own = limit(LimitOf::Company(id::<CompanyId>(1)), 5, Duration::from_mins(1));
    let limited = request(1, 1, 100, &[account(100), own]);
    desk.send(desk.scheduler.acquire(&limited).now_or_never().unwrap());
    let waits = desk.ask(&limited);
    let free = request(2, 2, 95, &[account(100)]);
    assert_eq!(desk.scheduler.acquire(&free).now_or_never().unwrap().messages(), 95);
    drop(waits);
}

#[test]
fn who_comes_late_waits_for_the_account_and_not_for_the_others() {
    let desk = desk();
    let limits = [account(10)];
    let (large, small) = (request(1, 1, 100, &limits), request(2, 2, 10, &limits));
    desk.send(desk.scheduler.acquire(&large).now_or_never().unwrap());
    let mut line: Vec<_> = (0..50).map(|_| desk.ask(&large)).collect();
    desk.pass(500);
    line.push(desk.ask(&small));
    desk.pass(500);
    assert_eq!(ready(&mut line).first(), Some(&(50, 10)));
}

#[test]
fn a_method_that_is_held_up_lets_the_others_of_its_packet_pass() {
    let desk = desk();
    let sender = limit(LimitOf::Provider(RateScope::Sender("line".into())), 1, SECOND);
    let calls = Request { method: ContactMethod::Phone, ..request(1, 1, 10, &[account(30), sender]) };
    let texts = request(1, 1, 10, &[account(30)]);
    let first = desk.scheduler.acquire(&calls).now_or_never().unwrap();
    assert_eq!(desk.send(first), 1);
    let mut waiting = desk.ask(&calls);
    let permit = desk.scheduler.acquire(&texts).now_or_never().unwrap();
    assert_eq!(desk.send(permit), 10, "the call that came first waits for its line");
    assert!(poll(&mut waiting).is_none());
    desk.pass(1_000);
    assert_eq!(poll(&mut waiting).unwrap().messages(), 1);
}

#[test]
fn accounts_that_share_a_limit_take_turns() {
    let desk = desk();
    let campaign = limit(LimitOf::Campaign(id::<CampaignId>(1)), 1, SECOND);
    let of = |account: &str| {
        let account = limit(LimitOf::Provider(RateScope::Account(account.into())), 30, SECOND);
        request(1, 1, 1, &[account, campaign.clone()])
    };
    let (texts, calls) = (of("a"), Request { method: ContactMethod::Phone, ..of("b") });
    let mut served = [0, 0];
    let mut waiting = [desk.ask(&texts), desk.ask(&calls)];
    for _ in 0..100 {
        desk.pass(500);
        for (index, request) in [&texts, &calls].into_iter().enumerate() {
            if let Some(permit) = poll(&mut waiting[index]) {
                desk.send(permit);
                served[index] += 1;
                waiting[index] = desk.ask(request);
            }
        }
    }
    assert!(served.iter().all(|served| (15..=35).contains(served)), "{served:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Nobody is lost, nothing leaks, and no limit is exceeded, whoever is dropped.
    #[test]
    fn whoever_is_dropped_every_limit_holds_and_everybody_is_served(
        seed in prop::collection::vec((0_u128..3, 1_u64..20, 0_u8..10, 0_i64..400), 10..80),
    ) {
        let desk = desk();
        let of_company = |n| limit(LimitOf::Company(id::<CompanyId>(n)), 15, 3 * SECOND);
        let requests: Vec<_> = seed
            .iter()
            .map(|(company, messages, ..)| {
                request(*company, company * 10 + u128::from(messages % 3), *messages, &[account(12), of_company(*company)])
            })
            .collect();
        let (mut waiting, mut log): (Vec<(u128, Option<Waiting<'_>>)>, Vec<_>) = (Vec::new(), Vec::new());
        let mut fates = BTreeMap::new();
        for ((company, _, fate, wait), request) in seed.iter().zip(&requests) {
            fates.insert(waiting.len(), *fate);
            waiting.push((*company, Some(desk.ask(request))));
            desk.pass(*wait);
            serve(&desk, &mut waiting, &fates, &mut log);
        }
        for _ in 0..2_000 {
            if waiting.iter().all(|(_, waiting)| waiting.is_none()) {
                break;
            }
            desk.pass(100);
            serve(&desk, &mut waiting, &fates, &mut log);
        }
        prop_assert!(waiting.iter().all(|(_, waiting)| waiting.is_none()), "somebody still waits");
        check(&log, 12, 1_000, |_| true)?;
        for company in 0..3 {
            check(&log, 15, 3_000, |of| of == company)?;
        }
        desk.pass(3_000);
        let all = request(1, 1, 100, &[account(12), of_company(1)]);
        prop_assert_eq!(desk.scheduler.acquire(&all).now_or_never().map(|permit| permit.messages()), Some(12));
    }
}

/// Ends what is ready: most send, some give back, some are dropped before or after the request; some go away while they wait.
fn serve(
    desk: &Desk,
    all: &mut [(u128, Option<Waiting<'_>>)],
    fates: &BTreeMap<usize, u8>,
    log: &mut Vec<(i64, u128, u64)>,
) {
    for _ in 0..2 {
        for (index, (company, place)) in all.iter_mut().enumerate() {
            let Some(waiting) = place else { continue };
            let Some(mut permit) = poll(waiting) else {
                if fates[&index] == 0 {
                    *place = None;
                }
                continue;
            };
            *place = None;
            let messages = permit.messages();
            let by = desk.clock.monotonic().plus(SECOND / 10);
            let made = match fates[&index] {
                1 => 0,
                2 => {
                    permit.start(messages / 2, by);
                    permit.finish(0);
                    0
                }
                3 => {
                    permit.start(messages, by);
                    messages
                }
                _ => {
                    permit.start(messages, by);
                    permit.finish(messages);
                    messages
                }
            };
            log.push((desk.clock.now().timestamp_millis(), *company, made));
        }
    }
}

fn check(
    log: &[(i64, u128, u64)],
    limit: u64,
    millis: i64,
    of: impl Fn(u128) -> bool,
) -> Result<(), TestCaseError> {
    for (from, ..) in log {
        let within =
            log.iter().filter(|(at, company, _)| (*from..from + millis).contains(at) && of(*company));
        let sum: u64 = within.map(|(.., made)| made).sum();
        prop_assert!(sum <= limit, "{sum} in {millis} ms from {from}");
    }
    Ok(())
}
