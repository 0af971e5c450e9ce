//! The log of a company: what was asked of the services, and by whom.

use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use metrics::counter;
use tracing::warn;

use crate::batch::Page;
use crate::clock::Clock;
use crate::domain::access::{Action, Actor, CompanyScope};
use crate::domain::log_entry::{Deed, LogEntry, LogPlace, PacketDeed};
use crate::domain::packet::Packet;
use crate::ids::{CompanyId, IdSource, IdSourceExt as _};
use crate::ports::store::{Store, StoreError};
use crate::services::{Ports, ServiceError};

/// Who asked for what to be done to which campaign or packet. For [`Action::ViewReports`].
#[derive(Debug, Clone)]
pub struct CompanyLog {
    store: Arc<dyn Store>,
}

impl CompanyLog {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { store: Arc::clone(&ports.store) }
    }

    /// The entries of a time, first to last, after one of them. Those of the workers and gateways of the host are among them.
    ///
    /// An entry stands at the instant at which it was asked for, by the clock of whoever took it, and comes a little later: who follows a log stays
    /// some minutes behind.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn page(
        &self,
        scope: &CompanyScope,
        during: Range<DateTime<Utc>>,
        after: Option<LogPlace>,
        limit: usize,
    ) -> Result<Page<LogEntry, LogPlace>, ServiceError> {
        let company = scope.require(Action::ViewReports)?;
        Ok(self.store.log(company, during, after, limit).await?)
    }
}

/// What writes entries.
#[derive(Debug, Clone)]
pub(super) struct LogWriter {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl LogWriter {
    pub(super) fn new(ports: &Ports) -> Self {
        let Ports { store, clock, ids, .. } = ports;
        Self::over(store, clock, ids)
    }

    pub(super) fn over(store: &Arc<dyn Store>, clock: &Arc<dyn Clock>, ids: &Arc<dyn IdSource>) -> Self {
        Self { store: Arc::clone(store), clock: Arc::clone(clock), ids: Arc::clone(ids) }
    }

    /// Writes that somebody asks for something, before it is done.
    pub(super) async fn write(
        &self,
        company: CompanyId,
        actor: Actor,
        deed: Deed,
    ) -> Result<(), ServiceError> {
        let at = self.clock.now();
        self.append(company, LogEntry { id: self.ids.next(at), at, actor, deed }).await
    }

    /// Writes that something was stopped, after it was: nothing keeps a stop from being done.
    pub(super) async fn write_stopped(&self, company: CompanyId, actor: Actor, deed: Deed) {
        if let Err(error) = self.write(company, actor, deed).await {
            not_written(deed, &error);
        }
    }

    /// Writes that a packet was made, after it was: it goes on whatever becomes of the log. However often it is written, it stands there once.
    pub(super) async fn write_made(&self, packet: &Packet, actor: Actor, deed: PacketDeed) {
        let deed = Deed::Packet(packet.id, deed);
        let entry = LogEntry { id: packet.id.as_uuid().into(), at: packet.created_at, actor, deed };
        if let Err(error) = self.append(packet.company, entry).await {
            not_written(deed, &error);
        }
    }

    async fn append(&self, company: CompanyId, entry: LogEntry) -> Result<(), ServiceError> {
        match self.store.append_to_log(company, entry).await {
            Err(StoreError::CommitUnknown { .. }) => Ok(self.store.append_to_log(company, entry).await?),
            outcome => Ok(outcome?),
        }
    }
}

fn not_written(deed: Deed, error: &ServiceError) {
    counter!("reminderly_log_entries_lost_total").increment(1);
    warn!(
        ?deed,
        error = error as &dyn std::error::Error,
        "what was done could not be written to the company's log"
    );
}
