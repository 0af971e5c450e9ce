//! When which packets are to be fed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::ids::{CompanyId, PacketId};

/// When which packets are to be fed: between two ticks nobody else is looked at.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeSet<(DateTime<Utc>, PacketId, CompanyId)>);

impl Agenda {
    pub(super) fn put_down(&mut self, due: DateTime<Utc>, company: CompanyId, packet: PacketId) {
        self.0.insert((due, packet, company));
    }

    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        self.0.first().map(|(due, ..)| *due)
    }

    pub(super) fn take_due(&mut self, now: DateTime<Utc>) -> Vec<(CompanyId, PacketId)> {
        let mut due = Vec::new();
        while let Some((_, packet, company)) = self.0.first().filter(|(at, ..)| *at <= now).copied() {
            self.0.pop_first();
            due.push((company, packet));
        }
        due
    }
}
