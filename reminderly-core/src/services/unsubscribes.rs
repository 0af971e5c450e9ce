//! The unsubscribe lists: reading and changing them by hand.

use std::sync::Arc;

use crate::clock::Clock;
use crate::domain::access::{Action, Actor, CompanyScope, Denied};
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use crate::ports::store::{Store, WriteOutcome};
use crate::services::{Ports, ServiceError};

/// The unsubscribe lists of a company.
#[derive(Debug, Clone)]
pub struct Unsubscribes {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl Unsubscribes {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { store: Arc::clone(&ports.store), clock: Arc::clone(&ports.clock) }
    }

    /// Records that a user added or lifted a refusal; answers whether that changed anything. A refusal holds for every claim
    /// from the moment this returns.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless a user asks, who may manage unsubscribes; [`ServiceError::Store`].
    pub async fn change(
        &self,
        scope: &CompanyScope,
        key: RefusalKey,
        change: UnsubscribeChange,
    ) -> Result<WriteOutcome, ServiceError> {
        let company = scope.require(Action::ManageUnsubscribes)?;
        let Actor::User(user) = scope.actor() else { return Err(Denied.into()) };
        let now = self.clock.now();
        let event = Unsubscribe { key, change, source: UnsubscribeSource::Operator(user), at: now };
        let outcomes = self.store.record_unsubscribes(company, &[event], now).await?;
        Ok(outcomes.into_iter().next().unwrap_or(WriteOutcome::Stale))
    }

    /// The events of a key, first to last.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn history(
        &self,
        scope: &CompanyScope,
        key: &RefusalKey,
    ) -> Result<Vec<Unsubscribe>, ServiceError> {
        let company = scope.require(Action::ManageUnsubscribes)?;
        Ok(self.store.unsubscribe_events(company, key).await?)
    }
}
