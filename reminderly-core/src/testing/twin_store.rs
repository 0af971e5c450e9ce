//! Two stores that are asked the same, and must answer the same.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::batch::Page;
use crate::domain::household::{Candidate, HouseholdKey};
use crate::ports::store::{Store, StoreError};

/// Runs a future to its end, and returns only then.
pub type RunToEnd = Arc<dyn Fn(BoxFuture<'_, ()>) + Send + Sync>;

/// Decorates a store with a second one that is asked the same after it: to compare an adapter with the executable specification. The
/// first one's answers are given; where the other one's differ, that is [kept](Self::differences).
///
/// A call asks both before it gives way, so that all calls come to both in the same order, and none to only one of them.
///
/// ```
/// use std::sync::Arc;
/// use std::task::{Context, Waker};
///
/// use reminderly_core::ids::{CompanyId, PacketId};
/// use reminderly_core::memory::MemoryStore;
/// use reminderly_core::ports::store::{PacketStore as _, StoreError};
/// use reminderly_core::testing::{RunToEnd, TwinStore};
///
/// # fn main() -> Result<(), StoreError> {
/// # let (company, packet) = (CompanyId::from(uuid::Uuid::nil()), PacketId::from(uuid::Uuid::nil()));
/// // What reaches a server is run by the runtime of its driver.
/// let run: RunToEnd =
///     Arc::new(|mut call| while call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {});
/// let (first, second) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::yielding().in_parts()));
/// let twin = TwinStore::new(first, second, run);
/// assert_eq!(futures::executor::block_on(twin.packet(company, packet))?, None);
/// assert!(twin.differences().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct TwinStore {
    pub(super) first: Arc<dyn Store>,
    pub(super) second: Arc<dyn Store>,
    run: RunToEnd,
    calls: AtomicU64,
    differences: Mutex<Vec<String>>,
}

impl fmt::Debug for TwinStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwinStore").finish_non_exhaustive()
    }
}

/// What two stores answered to the same call.
type Answers<T> = [Result<T, StoreError>; 2];

impl TwinStore {
    /// Two stores in which there is the same.
    pub fn new(first: Arc<dyn Store>, second: Arc<dyn Store>, run: RunToEnd) -> Self {
        Self { first, second, run, calls: AtomicU64::new(0), differences: Mutex::default() }
    }

    /// How many calls came to both.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The calls to which the answers differed, with both of them, as their `Debug` shows them.
    pub fn differences(&self) -> Vec<String> {
        self.differences.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs two calls, one after the other.
    pub(super) fn both<T: Send>(
        &self,
        first: impl Future<Output = Result<T, StoreError>> + Send,
        second: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Option<Answers<T>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut answers = None;
        (self.run)(Box::pin(async { answers = Some([first.await, second.await]) }));
        answers
    }

    pub(super) fn read<T: PartialEq + fmt::Debug>(
        &self,
        call: &str,
        answers: Option<Answers<T>>,
    ) -> Result<T, StoreError> {
        self.compare(call, answers, |first, second| first == second)
    }

    pub(super) fn write<T: PartialEq + fmt::Debug>(
        &self,
        call: &str,
        answers: Option<Answers<T>>,
    ) -> Result<T, StoreError> {
        self.read(call, answers)
    }

    /// Pages come in an order of the store's own: only whole ones can be compared.
    pub(super) fn unordered(
        &self,
        call: &str,
        answers: Option<Answers<Page<Vec<Candidate>, HouseholdKey>>>,
    ) -> Result<Page<Vec<Candidate>, HouseholdKey>, StoreError> {
        let messages = |page: &Page<Vec<Candidate>, HouseholdKey>| {
            let ids = |household: &Vec<Candidate>| {
                household.iter().map(|candidate| candidate.record.message.id).collect()
            };
            let mut households: Vec<Vec<_>> = page.items.iter().map(ids).collect();
            households.sort_unstable();
            households
        };
        self.compare(call, answers, |first, second| match (&first.next, &second.next) {
            (None, None) => messages(first) == messages(second),
            (first, second) => first.is_some() == second.is_some(),
        })
    }

    fn compare<T: fmt::Debug>(
        &self,
        call: &str,
        answers: Option<Answers<T>>,
        is_alike: impl Fn(&T, &T) -> bool,
    ) -> Result<T, StoreError> {
        let unfinished = || StoreError::Unavailable { source: "the call was not run to its end".into() };
        let [first, second] = answers.ok_or_else(unfinished)?;
        let alike = match (&first, &second) {
            (Ok(first), Ok(second)) => is_alike(first, second),
            (Err(first), Err(second)) => first.to_string() == second.to_string(),
            _ => false,
        };
        if !alike {
            let difference = format!("{call}: {first:?}, but {second:?}");
            self.differences.lock().unwrap_or_else(PoisonError::into_inner).push(difference);
        }
        first
    }
}
