//! The in-memory store: the executable specification of the storage ports.
//!
//! Complete, and as strict as the ports' contracts: what an adapter may promise, this one does. It forgets everything when it
//! is dropped, so it is for examples, tests, simulations and benchmarks.

mod access;
mod appointments;
mod campaigns;
mod data;
mod dispositions;
mod households;
mod incoming;
mod log;
mod messages;
mod packets;
mod parts;
mod reports;
mod restore;
mod selection;
mod unsubscribes;

use std::sync::{Mutex, PoisonError};

use crate::give_way::give_way;

use data::{Applying, Data};

/// The in-memory store.
///
/// ```
/// use std::sync::Arc;
/// use reminderly_core::memory::MemoryStore;
/// use reminderly_core::ports::store::Store;
///
/// let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    data: Mutex<Data>,
    yielding: Yielding,
}

/// All that a [`MemoryStore`] held at one moment.
#[cfg(feature = "testing")]
#[derive(Clone)]
pub struct Backup(Data);

#[cfg(feature = "testing")]
impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup").finish_non_exhaustive()
    }
}

/// Whether calls give way before and after they take effect.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Yielding {
    #[default]
    Never,
    Always,
}

impl MemoryStore {
    /// An empty store. Its calls never wait.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store whose calls give way once before and once after they take effect, as those of a server do: a caller
    /// that is dropped in between learns nothing, and tests can drop it there.
    pub fn yielding() -> Self {
        Self { yielding: Yielding::Always, ..Self::default() }
    }

    /// The store, with the [rules](crate::storage) applied to parts, as an adapter for a database does. It shows that rules say what
    /// they look up, and that what they change can be written bit by bit.
    #[must_use]
    pub fn in_parts(mut self) -> Self {
        self.data.get_mut().unwrap_or_else(PoisonError::into_inner).applying = Applying::ToParts;
        self
    }

    /// A backup of everything that the store holds now.
    #[cfg(feature = "testing")]
    pub fn back_up(&self) -> Backup {
        Backup(self.data.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Brings the store back to a backup: what happened since then is forgotten, as after a restore of a database.
    #[cfg(feature = "testing")]
    pub fn restore(&self, backup: &Backup) {
        *self.data.lock().unwrap_or_else(PoisonError::into_inner) = backup.0.clone();
    }

    /// Runs one transaction.
    async fn transact<T: Send>(&self, work: impl FnOnce(&mut Data) -> T + Send) -> T {
        self.give_way().await;
        let result = work(&mut self.data.lock().unwrap_or_else(PoisonError::into_inner));
        self.give_way().await;
        result
    }

    async fn give_way(&self) {
        if self.yielding == Yielding::Always {
            give_way().await;
        }
    }
}
