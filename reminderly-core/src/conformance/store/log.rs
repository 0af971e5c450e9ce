//! The log of a company.

use chrono::{DateTime, TimeDelta, Utc};

use super::bench::{Answered as _, Bench};
use crate::domain::access::Actor;
use crate::domain::log_entry::{CampaignDeed, Deed, LogEntry, PacketDeed};
use crate::ports::store::StoreError;

impl Bench {
    fn entry(&self, minutes: i64, actor: Actor, deed: Deed) -> LogEntry {
        LogEntry { id: self.id(), at: self.at(minutes), actor, deed }
    }

    async fn log_of_days(&self, first: i64, last: i64, limit: usize) -> Vec<LogEntry> {
        let days = |days: i64| self.now + TimeDelta::days(days);
        let (mut entries, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.log(self.company, days(first)..days(last), after, limit).await.answered();
            assert!(page.items.len() <= limit);
            entries.extend(page.items);
            after = page.next;
            if after.is_none() {
                return entries;
            }
        }
    }
}

/// Whoever asks for whatever, it is read as it was written.
pub async fn an_entry_of_the_log_is_read_back(bench: &Bench) {
    let actors = [Actor::User(bench.id()), Actor::Worker, Actor::Gateway, Actor::Operator];
    let of_campaign = CampaignDeed::ALL.map(|deed| Deed::Campaign(bench.campaign, deed));
    let of_packet = PacketDeed::ALL.map(|deed| Deed::Packet(bench.id(), deed));
    let deeds = of_campaign.into_iter().chain(of_packet);
    let entries: Vec<LogEntry> = (0..)
        .zip(deeds.zip(actors.into_iter().cycle()))
        .map(|(minutes, (deed, actor))| bench.entry(minutes, actor, deed))
        .collect();
    for entry in &entries {
        bench.store.append_to_log(bench.company, *entry).await.answered();
    }
    assert_eq!(bench.log_of_days(0, 1, 100).await, entries);
}

/// Who does not know whether an entry was written writes it again.
pub async fn the_same_entry_again_changes_nothing(bench: &Bench) {
    let entry = bench.entry(0, Actor::Worker, Deed::Campaign(bench.campaign, CampaignDeed::Pause));
    let other = LogEntry { actor: Actor::Operator, ..entry };
    for entry in [entry, entry, other] {
        bench.store.append_to_log(bench.company, entry).await.answered();
    }
    assert_eq!(bench.log_of_days(0, 1, 100).await, [entry]);
}

/// In the order of their instants, over many days, however many are read at once and in whatever order they came.
pub async fn the_log_is_paged_in_the_order_of_its_instants(bench: &Bench) {
    let deed = Deed::Campaign(bench.campaign, CampaignDeed::Edit);
    let minutes = [0, 0, 1, 719, 720, 1_440, 1_440, 4_000, 4_001, 10_000];
    let mut entries = minutes.map(|minutes| bench.entry(minutes, Actor::Worker, deed));
    for entry in entries.iter().rev() {
        bench.store.append_to_log(bench.company, *entry).await.answered();
    }
    entries.sort_by_key(LogEntry::place);
    for limit in [1, 3, 9, 10, 11] {
        assert_eq!(bench.log_of_days(0, 8, limit).await, entries, "{limit}");
    }
}

/// What was before the time that is asked for, or at its end, is not shown.
pub async fn the_log_shows_what_was_in_a_time(bench: &Bench) {
    let deed = Deed::Campaign(bench.campaign, CampaignDeed::Activate);
    let day = 1_440;
    let entries = [-1, 0, day - 1, day, 2 * day].map(|minutes| bench.entry(minutes, Actor::Operator, deed));
    for entry in entries {
        bench.store.append_to_log(bench.company, entry).await.answered();
    }
    assert_eq!(bench.log_of_days(0, 1, 2).await, [entries[1], entries[2]]);
    assert_eq!(bench.log_of_days(1, 3, 2).await, [entries[3], entries[4]]);
    assert_eq!(bench.log_of_days(3, 9, 2).await, []);
    assert_eq!(bench.log_of_days(1, 1, 2).await, []);
    let ever = DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC;
    let all = bench.store.log(bench.company, ever, None, 9).await.answered();
    assert_eq!(all.items, entries);
}

/// A company that is not there has no log, and one has no other one's.
pub async fn a_log_is_of_one_company(bench: &Bench) {
    let entry = bench.entry(0, Actor::Worker, Deed::Packet(bench.id(), PacketDeed::Cancel));
    let refused = bench.store.append_to_log(bench.id(), entry).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "{refused:?}");
    bench.store.append_to_log(bench.company, entry).await.answered();
    let during = bench.now..bench.at(1);
    let others = bench.store.log(bench.id(), during, None, 9).await.answered();
    assert_eq!(others.items, []);
    let beside = bench.beside().await;
    let same = LogEntry { actor: Actor::Gateway, ..entry };
    beside.store.append_to_log(beside.company, same).await.answered();
    assert_eq!(beside.log_of_days(0, 1, 9).await, [same]);
    assert_eq!(bench.log_of_days(0, 1, 9).await, [entry]);
}
