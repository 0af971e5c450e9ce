//! The queue of a packet.

use crate::domain::packet::Packet;
use crate::ports::queue::QueueName;
use crate::services::{Ports, ServiceError, Settings};

/// Makes the queue of a packet, unless the packet has ended or is about to; whether it has one now.
///
/// What the caller knows of the packet may be minutes old, and a queue that is made after the packet was taken down stays for ever.
/// Whoever takes it down marks it first and deletes the queue then; we make the queue first and look for the mark then: so one of the two
/// deletes it. If we die, or lose the store, in between, [`StrayQueues`](crate::services::sweep::StrayQueues) does.
pub(super) async fn ensure_queue(
    ports: &Ports,
    settings: &Settings,
    packet: &Packet,
) -> Result<bool, ServiceError> {
    ports.queues.ensure(&settings.queue_of(packet.id)).await?;
    let current = ports.store.packet(packet.company, packet.id).await?;
    let is_needed = current.is_some_and(|current| current.needs_queue());
    if !is_needed {
        ports.queues.delete(&QueueName::of_packet(packet.id)).await?;
    }
    Ok(is_needed)
}
