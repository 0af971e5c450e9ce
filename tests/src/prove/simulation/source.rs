//! A place at which files arrive one after the other.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use reminderly_core::ports::source::{PacketSource, SourceError, SourceFile, SourceReader};
use reminderly_core::sources::MemorySource;

/// A place at which files arrive one after the other.
#[derive(Debug, Default)]
pub(super) struct ArrivingFiles(Mutex<MemorySource>);

impl ArrivingFiles {
    pub(super) fn arrive(&self, name: &str, text: &str) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = std::mem::take(&mut *files);
        *files = known.with_file(name, text);
    }

    fn now(&self) -> MemorySource {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl PacketSource for ArrivingFiles {
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError> {
        self.now().list().await
    }

    async fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError> {
        self.now().open(name, offset).await
    }
}
