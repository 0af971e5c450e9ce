//! The disposition events that a message has seen.

use std::sync::Arc;

use crate::domain::attempt::ProviderName;

/// The events of a message, each once and in order. They are few, so a tree would only take room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DispositionEvents(Vec<(ProviderName, Arc<str>)>);

impl DispositionEvents {
    /// Whether none was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The events that were seen, by their provider's name.
    pub fn iter(&self) -> impl Iterator<Item = &(ProviderName, Arc<str>)> {
        self.0.iter()
    }

    /// Takes an event in; whether it is new.
    pub(crate) fn insert(&mut self, provider: &ProviderName, event: &Arc<str>) -> bool {
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

impl FromIterator<(ProviderName, Arc<str>)> for DispositionEvents {
    fn from_iter<I: IntoIterator<Item = (ProviderName, Arc<str>)>>(events: I) -> Self {
        let mut seen: Vec<_> = events.into_iter().collect();
        seen.sort_unstable();
        seen.dedup();
        Self(seen)
    }
}
