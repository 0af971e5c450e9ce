//! Queues of packets that have ended.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::counter;
use tracing::warn;

use crate::clock::Monotonic;
use crate::domain::access::PlatformScope;
use crate::ids::PacketId;
use crate::ports::queue::QueueName;
use crate::services::{Ports, ServiceError};

/// How often the queues are listed: a stray one costs next to nothing, a listing is a request for each thousand.
const EVERY: Duration = Duration::from_mins(10);

/// Deletes queues that were made after their packets had ended, by a worker who died, or lost the store, before it saw that.
///
/// Nobody else would: the fleet looks at packets that have not ended. Queues of packets that the store does not know are left
/// alone: they may be another deployment's. A late report may put a packet back to work between our look and the deletion:
/// then whoever feeds it makes its queue again, and its messages are handed over anew.
#[derive(Debug)]
pub struct StrayQueues {
    ports: Ports,
    last: Mutex<Option<Monotonic>>,
}

impl StrayQueues {
    /// The sweep over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { ports: ports.clone(), last: Mutex::default() }
    }

    /// Deletes them, if the last sweep was ten minutes ago; answers how many. One that cannot be deleted is logged, and keeps the
    /// others from nothing.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless a worker asks; [`ServiceError::Queue`] if the queues cannot be listed,
    /// [`ServiceError::Store`]. The next sweep is due ten minutes later all the same.
    pub async fn sweep(&self, scope: &PlatformScope) -> Result<u64, ServiceError> {
        scope.require_worker()?;
        let now = self.ports.clock.monotonic();
        if !self.begins(now) {
            return Ok(0);
        }
        let (mut deleted, mut after) = (0, None);
        loop {
            let page = self.ports.queues.list(QueueName::PACKET_PREFIX, after).await?;
            deleted += self.delete_strays(&page.items).await?;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if deleted > 0 {
            counter!("reminderly_stray_queues_deleted_total").increment(deleted);
            warn!(queues = deleted, "queues of packets that have ended were deleted");
        }
        Ok(deleted)
    }

    async fn delete_strays(&self, queues: &[QueueName]) -> Result<u64, ServiceError> {
        let packets: Vec<PacketId> = queues.iter().filter_map(QueueName::packet).collect();
        if packets.is_empty() {
            return Ok(0);
        }
        let ended = self.ports.store.ended_across_companies(&packets).await?;
        let mut deleted = 0;
        for (packet, _) in packets.iter().zip(ended).filter(|(_, has_ended)| *has_ended) {
            match self.ports.queues.delete(&QueueName::of_packet(*packet)).await {
                Ok(()) => deleted += 1,
                Err(error) => {
                    warn!(packet.id = %packet, error = &error as &dyn std::error::Error, "stray queue was not deleted");
                }
            }
        }
        Ok(deleted)
    }

    /// Whether a sweep is due; if so, it begins.
    fn begins(&self, now: Monotonic) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.since(last) >= EVERY);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}
