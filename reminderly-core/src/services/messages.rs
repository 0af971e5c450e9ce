//! Messages: looking at single messages, their attempts, and the rows that never became messages.

use std::sync::Arc;

use crate::batch::Page;
use crate::domain::access::{Action, CompanyScope};
use crate::domain::attempt::Attempt;
use crate::domain::message::MessageRecord;
use crate::domain::row::{RejectedRow, RowNumber};
use crate::ids::{MessageId, PacketId};
use crate::ports::store::Store;
use crate::services::offloaded::refuse_if_offloaded;
use crate::services::{Ports, ServiceError};

/// Shows what a packet has become, page by page. Shows personal data, so every call is for [`Action::ViewMessages`].
#[derive(Debug, Clone)]
pub struct Messages {
    store: Arc<dyn Store>,
}

impl Messages {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { store: Arc::clone(&ports.store) }
    }

    /// Messages of a packet in the order of their making: that of their rows.
    ///
    /// # Errors
    ///
    /// [`ServiceError::WrongState`] if the packet was offloaded, [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn page(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Page<MessageRecord, u64>, ServiceError> {
        let company = scope.require(Action::ViewMessages)?;
        refuse_if_offloaded(&*self.store, company, packet).await?;
        let found = self.store.messages(company, packet, after, limit).await?;
        refuse_if_offloaded(&*self.store, company, packet).await?;
        Ok(found)
    }

    /// The attempts to send a message, first to last.
    ///
    /// # Errors
    ///
    /// [`ServiceError::WrongState`] if the packet was offloaded, [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn attempts(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
        message: MessageId,
    ) -> Result<Vec<Attempt>, ServiceError> {
        let company = scope.require(Action::ViewMessages)?;
        refuse_if_offloaded(&*self.store, company, packet).await?;
        let found = self.store.attempts(company, packet, message).await?;
        refuse_if_offloaded(&*self.store, company, packet).await?;
        Ok(found)
    }

    /// Rows of a packet that could not be read or mapped, in their order.
    ///
    /// # Errors
    ///
    /// [`ServiceError::WrongState`] if the packet was offloaded, [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn rejected(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
        after: RowNumber,
        limit: usize,
    ) -> Result<Page<RejectedRow, RowNumber>, ServiceError> {
        let company = scope.require(Action::ViewMessages)?;
        refuse_if_offloaded(&*self.store, company, packet).await?;
        let found = self.store.rejected(company, packet, after, limit).await?;
        refuse_if_offloaded(&*self.store, company, packet).await?;
        Ok(found)
    }
}
