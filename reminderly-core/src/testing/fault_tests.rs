use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use futures::{FutureExt as _, poll};

use super::*;
use crate::clock::Clock;
use crate::domain::access::Company;
use crate::ids::{CompanyId, IdSourceExt as _, SeededIds};
use crate::memory::MemoryStore;
use crate::ports::store::{AccessStore as _, Store, StoreError};

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn with_faults(faults: StoreFaults) -> (FaultyStore, Arc<MemoryStore>, Arc<VirtualClock>) {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(VirtualClock::new(START)));
    let inner: Arc<dyn Store> = Arc::<MemoryStore>::clone(&store);
    let decorated = FaultyStore::new(inner, Arc::<VirtualClock>::clone(&clock), 1);
    decorated.set_faults(faults);
    (decorated, store, clock)
}

fn company() -> Company {
    let id: CompanyId = SeededIds::new(1).next(START);
    Company { id, name: "Clinic".to_owned(), server_name: "memory".to_owned() }
}

#[test]
fn only_a_write_that_took_effect_leaves_something() {
    let cases = [
        (StoreFaults { refuse: 1.0, ..StoreFaults::default() }, false),
        (StoreFaults { lose_commit: 1.0, ..StoreFaults::default() }, false),
        (StoreFaults { lose_answer: 1.0, ..StoreFaults::default() }, true),
    ];
    for (faults, took_effect) in cases {
        let (decorated, store, _) = with_faults(faults);
        let company = company();
        let answer = block_on(decorated.save_company_across_companies(&company));
        let told = matches!(answer, Err(StoreError::Unavailable { .. }));
        assert_eq!(told, faults.refuse > 0.0, "{answer:?}");
        assert_eq!(block_on(store.company(company.id)).unwrap().is_some(), took_effect, "{faults:?}");
        let injected = decorated.injected();
        assert_eq!(injected.refusals + injected.lost_answers + injected.lost_commits, 1);
    }
}

#[test]
fn a_store_panics_before_or_after_its_effect() {
    for (panic_before, panic_after) in [(1.0, 0.0), (0.0, 1.0)] {
        let (decorated, store, _) =
            with_faults(StoreFaults { panic_before, panic_after, ..StoreFaults::default() });
        let company = company();
        let call = || block_on(decorated.save_company_across_companies(&company));
        let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
        assert!(panic.is::<WantedPanic>());
        assert_eq!(block_on(store.company(company.id)).unwrap().is_some(), panic_after > 0.0);
        assert_eq!(decorated.injected(), InjectedStoreFaults { panics: 1, ..InjectedStoreFaults::default() });
    }
}

#[test]
fn a_read_loses_no_commit() {
    let faults = StoreFaults { lose_answer: 1.0, lose_commit: 1.0, ..StoreFaults::default() };
    let (decorated, ..) = with_faults(faults);
    assert_eq!(block_on(decorated.company(company().id)).unwrap(), None);
    assert_eq!(decorated.injected(), InjectedStoreFaults::default());
}

#[test]
fn a_slow_call_takes_effect_before_or_after_the_wait() {
    for (before, after) in [(1.0, 0.0), (0.0, 1.0)] {
        let longest_delay = Duration::from_mins(5);
        let faults =
            StoreFaults { delay_before: before, delay_after: after, longest_delay, ..StoreFaults::default() };
        let (decorated, store, clock) = with_faults(faults);
        let company = company();
        let mut call = decorated.save_company_across_companies(&company);
        assert!(block_on(async { poll!(&mut call) }).is_pending());
        let known = block_on(store.company(company.id)).unwrap().is_some();
        assert_eq!(known, after > 0.0);
        clock.advance(longest_delay);
        assert!(call.now_or_never().unwrap().is_ok());
    }
}

/// Gives every company another name.
#[derive(Debug)]
struct Renaming;

#[async_trait]
impl StoreHooks for Renaming {
    async fn save_company_across_companies(
        &self,
        store: &dyn Store,
        company: &Company,
    ) -> Result<(), StoreError> {
        let renamed = Company { name: "Hooked".to_owned(), ..company.clone() };
        store.save_company_across_companies(&renamed).await
    }
}

#[test]
fn a_hook_does_what_it_says_and_all_else_goes_to_the_store() {
    let store = Arc::new(MemoryStore::new());
    let hooked = HookedStore::new(Arc::<MemoryStore>::clone(&store), Arc::new(Renaming));
    let company = company();
    block_on(hooked.save_company_across_companies(&company)).unwrap();
    let kept = block_on(store.company(company.id)).unwrap();
    assert_eq!(kept.as_ref().map(|company| company.name.as_str()), Some("Hooked"));
    assert_eq!(block_on(hooked.company(company.id)).unwrap(), kept);
}

#[test]
fn whoever_sleeps_on_a_skewed_clock_wakes_when_it_jumps() {
    let inner = Arc::new(VirtualClock::new(START));
    let clock = SkewedClock::new(Arc::<VirtualClock>::clone(&inner), TimeDelta::seconds(-2));
    let mut sleep = clock.sleep_until(START + TimeDelta::seconds(10));
    let mut is_awake = || block_on(async { poll!(&mut sleep) }).is_ready();
    assert!(!is_awake());
    inner.advance(Duration::from_secs(11));
    assert!(!is_awake(), "it is only nine by this clock");
    clock.jump_to(TimeDelta::hours(-1));
    inner.advance(Duration::from_secs(10));
    assert!(!is_awake(), "the instant has moved away");
    clock.jump_to(TimeDelta::hours(1));
    assert!(is_awake());
    assert_eq!((clock.jumps(), clock.monotonic()), (2, inner.monotonic()));
}

#[test]
fn without_a_sleeper_nobody_waits_on_a_skewed_clock() {
    let inner = Arc::new(VirtualClock::new(START));
    let clock = SkewedClock::new(Arc::<VirtualClock>::clone(&inner), TimeDelta::zero());
    drop(clock.sleep_until(START + TimeDelta::seconds(10)));
    assert_eq!(inner.next_wake(), None);
}
