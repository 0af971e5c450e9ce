//! Packets whose rows and messages are in files.

use crate::domain::packet::Packet;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::Store;
use crate::services::ServiceError;

/// Refuses to show rows and messages of a packet that are in files: that there are none would not be true. To be asked before they are read and
/// afterwards, for they may be led away, or back, meanwhile.
pub(super) async fn refuse_if_offloaded(
    store: &dyn Store,
    company: CompanyId,
    packet: PacketId,
) -> Result<(), ServiceError> {
    let found = store.packet(company, packet).await?;
    found.as_ref().map_or(Ok(()), refuse_offloaded)
}

/// The same of a packet as it was read.
pub(super) const fn refuse_offloaded(packet: &Packet) -> Result<(), ServiceError> {
    match packet.offloaded_at {
        None => Ok(()),
        Some(_) => Err(ServiceError::WrongState {
            what: "packet",
            state: "offloaded",
            hint: "its rows and messages are in files: have its month brought back first",
        }),
    }
}
