//! What was seen to go, and what was told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use super::{PacketForecast, Pool};
use crate::domain::contact_method::ContactMethod;
use crate::domain::forecast::WindowForecast;
use crate::domain::message_status::MessageStatus;
use crate::domain::report::PacketCounts;
use crate::ids::{CompanyId, PacketId};

/// How long messages must have waited all the time before what went says how fast messages go.
const SEEN_AT_LEAST: TimeDelta = TimeDelta::minutes(1);

/// What is longer ago says nothing any more.
const SEEN_AT_MOST: TimeDelta = TimeDelta::minutes(5);

/// A window of a packet.
type Window = (CompanyId, PacketId, ContactMethod, DateTime<Utc>);

/// What has changed in what is to be told.
#[derive(Debug)]
pub(super) enum Change {
    Raised { packet: (CompanyId, PacketId), window: WindowForecast },
    TakenBack { packet: (CompanyId, PacketId), closes_at: DateTime<Utc> },
}

#[derive(Debug, Default)]
pub(super) struct Board {
    pools: BTreeMap<Pool, Seen>,
    raised: BTreeSet<Window>,
}

/// What was seen of a pool while messages waited for it.
#[derive(Debug, Default)]
struct Seen {
    /// What had gone of each packet that waited at the last look.
    last: BTreeMap<PacketId, u64>,
    /// The looks, and how many messages went since the one before.
    looks: VecDeque<(DateTime<Utc>, u64)>,
}

/// How many messages have been sent, in whatever way that ended.
pub(super) fn gone(counts: &PacketCounts) -> u64 {
    use MessageStatus as S;
    let gone = [S::Sending, S::Sent, S::Delivered, S::Undelivered, S::Failed, S::Unknown];
    gone.into_iter().map(|status| counts.in_status(status)).sum()
}

impl Board {
    /// Notes what has gone of the packets that have messages waiting at `now`.
    pub(super) fn note(&mut self, pool: Pool, now: DateTime<Utc>, packets: &[(PacketId, u64)]) {
        let seen = self.pools.entry(pool).or_default();
        // Only of packets that waited before and still do is it known that they could have sent more.
        let stayed =
            packets.iter().filter_map(|(packet, gone)| Some(gone.saturating_sub(*seen.last.get(packet)?)));
        let went = stayed.clone().sum();
        if stayed.count() == 0 {
            seen.looks.clear();
        }
        seen.looks.push_back((now, went));
        while seen.looks.front().is_some_and(|(at, _)| now - *at > SEEN_AT_MOST) {
            seen.looks.pop_front();
        }
        seen.last = packets.iter().copied().collect();
    }

    pub(super) fn forget_all_but<'a>(&mut self, pools: impl Iterator<Item = &'a Pool>) {
        let known: BTreeSet<&Pool> = pools.collect();
        self.pools.retain(|pool, _| known.contains(pool));
    }

    /// How many messages a second went while some waited; `None` if that was not for long enough.
    pub(super) fn rate(&self, pool: &Pool) -> Option<f64> {
        let looks = &self.pools.get(pool)?.looks;
        let (first, last) = (looks.front()?.0, looks.back()?.0);
        if last - first < SEEN_AT_LEAST {
            return None;
        }
        // What went before the first look is not of this time.
        let went: u64 = looks.iter().skip(1).map(|(_, went)| *went).sum();
        Some(float(went) / (last - first).to_std().ok()?.as_secs_f64())
    }

    /// Nothing was told that is not taken back.
    pub(super) fn is_calm(&self) -> bool {
        self.raised.is_empty()
    }

    /// What is to be told that was not, or not any more: a window is told once, until it would be good even with some doubt.
    pub(super) fn raise(&mut self, found: &[PacketForecast], doubted: &[PacketForecast]) -> Vec<Change> {
        let mut changes = Vec::new();
        for (packet, window) in unsent(found) {
            if self.raised.insert(key(packet, window)) {
                changes.push(Change::Raised { packet: (packet.company, packet.packet), window: *window });
            }
        }
        let doubtful: BTreeSet<Window> =
            unsent(doubted).map(|(packet, window)| key(packet, window)).collect();
        let over: Vec<Window> = self.raised.difference(&doubtful).copied().collect();
        for window in over {
            self.raised.remove(&window);
            let (company, packet, _, closes_at) = window;
            changes.push(Change::TakenBack { packet: (company, packet), closes_at });
        }
        changes
    }
}

fn unsent(found: &[PacketForecast]) -> impl Iterator<Item = (&PacketForecast, &WindowForecast)> {
    let windows = found.iter().flat_map(|packet| packet.windows.iter().map(move |window| (packet, window)));
    windows.filter(|(_, window)| window.unsent > 0)
}

/// Windows that close at once are one: when they open changes from look to look.
fn key(packet: &PacketForecast, window: &WindowForecast) -> Window {
    (packet.company, packet.packet, window.method, window.closes_at)
}

#[expect(clippy::cast_precision_loss, reason = "nobody sends 2^53 messages in five minutes")]
fn float(messages: u64) -> f64 {
    messages as f64
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn pool() -> Pool {
        (None, Some("carrier".into()))
    }

    fn packet(n: u128) -> PacketId {
        Uuid::from_u128(n).into()
    }

    #[test]
    fn what_goes_while_messages_wait_is_the_rate() {
        let mut board = Board::default();
        for (seconds, gone) in [(0, 100), (20, 140), (40, 180)] {
            board.note(pool(), at(seconds), &[(packet(1), gone)]);
            assert_eq!(board.rate(&pool()), None, "not for long enough");
        }
        board.note(pool(), at(60), &[(packet(1), 220), (packet(2), 70)]);
        assert_eq!(board.rate(&pool()), Some(2.0), "what the second sent before is not of this time");
        board.note(pool(), at(80), &[(packet(2), 130)]);
        assert_eq!(board.rate(&pool()), Some(180.0 / 80.0));
        board.note(pool(), at(300), &[(packet(2), 130)]);
        assert_eq!(board.rate(&pool()), Some(180.0 / 300.0), "nothing goes any more");
        board.note(pool(), at(360), &[(packet(2), 130)]);
        assert!(board.rate(&pool()).is_some_and(|rate| rate < 0.5), "what is long ago is forgotten");
        board.forget_all_but([].into_iter());
        assert_eq!(board.rate(&pool()), None);
    }

    #[test]
    fn what_went_when_nobody_waited_says_nothing() {
        let mut board = Board::default();
        for seconds in [0, 30, 60, 90] {
            board.note(pool(), at(seconds), &[(packet(1), 10)]);
        }
        assert_eq!(board.rate(&pool()), Some(0.0));
        board.note(pool(), at(120), &[]);
        board.note(pool(), at(150), &[(packet(1), 10)]);
        assert_eq!(board.rate(&pool()), None);
    }

    #[test]
    fn a_window_is_told_once_until_there_is_no_doubt_any_more() {
        let with = |unsent| {
            let window = WindowForecast {
                method: ContactMethod::Sms,
                opens_at: at(0),
                closes_at: at(600),
                waiting: 1_000,
                rate: 1.0,
                unsent,
            };
            vec![PacketForecast {
                company: Uuid::from_u128(1).into(),
                packet: packet(1),
                windows: vec![window],
            }]
        };
        let mut board = Board::default();
        assert!(board.raise(&with(0), &with(0)).is_empty() && board.is_calm());
        assert!(matches!(board.raise(&with(5), &with(5))[..], [Change::Raised { .. }]));
        assert!(board.raise(&with(9), &with(12)).is_empty(), "it is known");
        assert!(board.raise(&with(0), &with(3)).is_empty(), "it might come back");
        assert!(matches!(board.raise(&with(0), &with(0))[..], [Change::TakenBack { .. }]));
        assert!(board.is_calm());
    }
}
