//! Looking at a world.

use futures::executor::block_on;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::domain::packet::Packet;
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::queue::{Depth, QueueAdmin as _, QueueName};
use reminderly_core::ports::store::{MessageStore as _, PacketStore as _};

use super::World;

impl World {
    /// The packets that have not ended.
    pub fn open_packets(&self) -> Vec<Packet> {
        block_on(self.store.open_packets_across_companies(None, 10_000)).expect("listed").items
    }

    /// What is in a queue; `None` if it does not exist.
    pub fn depth(&self, queue: &QueueName) -> Option<Depth> {
        block_on(self.queue.depth(queue)).expect("a depth")
    }

    /// Queues of packets that have ended.
    pub fn stray_queues(&self) -> Vec<QueueName> {
        let listed = block_on(self.queue.list(QueueName::PACKET_PREFIX, None)).expect("a list").items;
        let packets: Vec<PacketId> = listed.iter().filter_map(QueueName::packet).collect();
        let ended = block_on(self.store.ended_across_companies(&packets)).expect("read");
        listed.into_iter().zip(ended).filter(|(_, has_ended)| *has_ended).map(|(queue, _)| queue).collect()
    }

    /// A packet.
    pub fn packet(&self, company: CompanyId, id: PacketId) -> Packet {
        block_on(self.store.packet(company, id)).expect("read").expect("a packet")
    }

    /// The packets of a campaign.
    pub fn packets(&self, campaign: &Campaign) -> Vec<Packet> {
        let page = block_on(self.store.packets(campaign.company, campaign.id, None, 10_000));
        page.expect("listed").items
    }

    /// The messages of a packet.
    pub fn messages(&self, company: CompanyId, packet: PacketId) -> Vec<MessageRecord> {
        block_on(self.store.messages(company, packet, None, 1_000_000)).expect("listed").items
    }
}
