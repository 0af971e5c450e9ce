//! What a campaign has taken in.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::domain::file_arrival::FileArrival;
use crate::domain::packet::{Digest, Packet, PacketOrigin};

/// The files of which a campaign has packets.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Of cancelled packets too, or a cancelled file would come back by itself.
    digests: HashSet<Digest>,
    /// When the last of them came.
    last_came_at: Option<DateTime<Utc>>,
}

/// What a file is to a campaign that has taken in others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// Its content never had a packet.
    New,
    /// Its content had one, but it changed after all that was taken in.
    Again,
    /// It was taken in.
    Known,
}

impl Taken {
    /// Adds a packet.
    pub(super) fn add(&mut self, packet: &Packet) {
        if let PacketOrigin::File { digest, .. } = packet.origin {
            self.digests.insert(digest);
            self.last_came_at = self.last_came_at.max(packet.file_came_at());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// What a file of this content is.
    pub(super) fn novelty(&self, digest: &Digest, arrival: FileArrival) -> Novelty {
        if !self.digests.contains(digest) {
            return Novelty::New;
        }
        let is_after = self.last_came_at.is_none_or(|last| arrival.is_after(last));
        if is_after { Novelty::Again } else { Novelty::Known }
    }
}
