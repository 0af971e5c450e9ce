//! Inboxes: where files arrive, and which of them were seen.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::ids::{CampaignId, CompanyId};
use crate::ports::source::{PacketSource, SourceError, SourceFile, SourceReader};

/// Where a campaign's files arrive.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// The company.
    pub company: CompanyId,
    /// The campaign.
    pub campaign: CampaignId,
    /// The files.
    pub source: Arc<dyn PacketSource>,
}

/// An inbox and the files of it that need not be read again.
#[derive(Debug)]
pub(super) struct WatchedInbox {
    pub(super) inbox: Inbox,
    seen: Mutex<HashSet<SourceFile>>,
}

impl WatchedInbox {
    pub(super) fn new(inbox: Inbox) -> Self {
        Self { inbox, seen: Mutex::default() }
    }

    /// Whether a file is new or has changed; without a time of change, a file is never known to be the same.
    pub(super) fn has_new(&self, files: &[SourceFile]) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        files.iter().any(|file| file.modified.is_none() || !seen.contains(file))
    }

    /// The source without the files that need not be read again.
    pub(super) fn unseen(&self) -> Unseen {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Unseen { source: Arc::clone(&self.inbox.source), seen }
    }

    pub(super) fn remember(&self, files: Vec<SourceFile>) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = files.into_iter().collect();
    }
}

/// A source that does not list what was seen.
#[derive(Debug)]
pub(super) struct Unseen {
    source: Arc<dyn PacketSource>,
    seen: HashSet<SourceFile>,
}

#[async_trait]
impl PacketSource for Unseen {
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError> {
        let mut files = self.source.list().await?;
        files.retain(|file| file.modified.is_none() || !self.seen.contains(file));
        Ok(files)
    }

    async fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError> {
        self.source.open(name, offset).await
    }
}
