//! The disposition events that a message has seen.

use std::sync::Arc;

use crate::domain::attempt::ProviderName;

/// The events of a message, each once and in order. They are few, so a tree would only take room.
#[derive(Debug, Clone, Default)]
pub(super) struct DispositionEvents(Vec<(ProviderName, Arc<str>)>);

impl DispositionEvents {
    /// Takes an event in; whether it is new.
    pub(super) fn insert(&mut self, provider: &ProviderName, event: &Arc<str>) -> bool {
        match self.0.binary_search_by(|(by, known)| (by, known).cmp(&(provider, event))) {
            Ok(_) => false,
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, (provider.clone(), Arc::clone(event)));
                true
            }
        }
    }
}
