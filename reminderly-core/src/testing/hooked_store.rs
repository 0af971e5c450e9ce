//! A store between whose callers and itself somebody stands: who looks at what happens, or breaks it.

use std::sync::Arc;

use super::StoreHooks;
use crate::ports::store::Store;

/// Decorates a store with [`StoreHooks`], through which every call goes: to look at it, or to break a rule of the ports on purpose.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use async_trait::async_trait;
/// use reminderly_core::ids::{CompanyId, PacketId};
/// use reminderly_core::ports::store::{PlanBatch, PlanOutcome, Store, StoreError};
/// use reminderly_core::testing::{HookedStore, StoreHooks};
///
/// /// Counts what is planned.
/// #[derive(Debug, Default)]
/// struct Planned(AtomicU64);
///
/// #[async_trait]
/// impl StoreHooks for Planned {
///     async fn plan(
///         &self,
///         store: &dyn Store,
///         company: CompanyId,
///         packet: PacketId,
///         batch: PlanBatch,
///     ) -> Result<PlanOutcome, StoreError> {
///         self.0.fetch_add(batch.messages.len() as u64, Ordering::Relaxed);
///         store.plan(company, packet, batch).await
///     }
/// }
///
/// # fn wrap(store: Arc<dyn Store>) -> HookedStore {
/// let planned = Arc::new(Planned::default());
/// let hooked = HookedStore::new(store, Arc::<Planned>::clone(&planned));
/// # hooked
/// # }
/// ```
#[derive(Debug)]
pub struct HookedStore {
    pub(super) inner: Arc<dyn Store>,
    pub(super) hooks: Arc<dyn StoreHooks>,
}

impl HookedStore {
    /// Puts `hooks` before `inner`.
    pub fn new(inner: Arc<dyn Store>, hooks: Arc<dyn StoreHooks>) -> Self {
        Self { inner, hooks }
    }
}
