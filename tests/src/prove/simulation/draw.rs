//! What a seed draws: who sends what to whom, what goes wrong and when.

mod faults;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::unsubscribe::UnsubscribeChange;

use super::documents::{AHEAD, RowDraft};
use super::schedule::{
    CampaignDraft, Caps, Deed, Hours, Methods, Policy, RECEIVES, Schedule, TimedDeed, Vanished, Way,
};
use crate::world::instant;

/// Where and when: zone, start, whether clocks change, and the hours that fit.
const PLACES: [(Tz, &str, bool, (u32, u32)); 6] = [
    (chrono_tz::America::Phoenix, "2026-03-04T17:55:00Z", false, (8, 0)),
    (chrono_tz::America::New_York, "2026-03-08T06:20:00Z", true, (2, 30)),
    (chrono_tz::America::New_York, "2026-11-01T04:40:00Z", true, (1, 30)),
    (chrono_tz::Europe::Berlin, "2026-03-29T00:20:00Z", true, (2, 30)),
    (chrono_tz::Australia::Lord_Howe, "2026-04-04T13:50:00Z", true, (1, 45)),
    (chrono_tz::Australia::Lord_Howe, "2026-10-03T14:55:00Z", true, (2, 15)),
];

/// Area codes of numbers, and the zones in which their holders may be besides the campaign's.
pub(super) const AREAS: [(u32, &[Tz]); 4] = [
    (520, &[chrono_tz::America::Phoenix]),
    (270, &[chrono_tz::America::Chicago, chrono_tz::America::New_York]),
    (212, &[chrono_tz::America::New_York]),
    (808, &[chrono_tz::Pacific::Honolulu]),
];

/// Behind its area code, a number is of a block of its company's, or of the block of those who go to both.
const FIRST_NUMBER: usize = 2_340_000;
const NUMBERS: usize = 10_000;
const BOTH: usize = 2;

impl Schedule {
    /// What this seed draws.
    pub fn of(seed: u64) -> Self {
        Drawing::new(seed).schedule()
    }
}

struct Drawing {
    seed: u64,
    random: SmallRng,
    start: DateTime<Utc>,
    deeds: Vec<TimedDeed>,
}

impl Drawing {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            random: SmallRng::seed_from_u64(seed ^ 0x05c4_ed01_e000),
            start: DateTime::UNIX_EPOCH,
            deeds: Vec::new(),
        }
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.random.random::<f64>() < probability
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random.random_range(0..limit.max(1))
    }

    fn minute(&mut self, from: i64, to: i64) -> TimeDelta {
        TimeDelta::milliseconds(self.random.random_range(from * 60_000..to * 60_000))
    }

    fn at(&mut self, after: TimeDelta, deed: Deed) {
        self.deeds.push(TimedDeed { after, deed });
    }

    fn schedule(mut self) -> Schedule {
        let place = if self.chance(0.6) { 0 } else { 1 + self.below(PLACES.len() - 1) };
        let (zone, start, is_change_of_clocks, opens) = PLACES[place];
        self.start = instant(start);
        let workers = 3 + usize::from(self.chance(0.2));
        let (is_steady, is_restored, jumps) = (self.chance(0.5), self.chance(0.12), self.chance(0.1));
        // What a clock that is an hour ahead had sent before its time looks unsent after a restore.
        let jumps = jumps && !is_restored;
        let skew = |random: &mut SmallRng| TimeDelta::milliseconds(random.random_range(-1_000..=1_000));
        let tick = TimeDelta::seconds([20, 60, 60, 60, 60, 180, 180, 180, 180, 180][self.below(10)]);
        let max_receives = if self.chance(0.2) { 3 } else { RECEIVES };
        let is_skewed = self.chance(0.5);
        let skews = (0..=workers)
            .map(|_| if is_skewed { skew(&mut self.random) } else { TimeDelta::zero() })
            .collect();
        let mut campaigns = self.campaigns(is_change_of_clocks, opens, zone);
        self.households(&mut campaigns);
        let people = 3 + self.below(14);
        self.files(&campaigns, people, is_restored || jumps);
        self.calls(&campaigns, people, workers, is_restored);
        self.host(&campaigns, people);
        self.processes(workers, is_steady);
        if jumps {
            for _ in 0..=self.below(2) {
                let (worker, to) =
                    (self.below(workers + 1), TimeDelta::hours(if self.chance(0.5) { 1 } else { -1 }));
                let after = self.minute(1, 60);
                self.at(after, Deed::Jump { worker, to });
                if self.chance(0.5) {
                    let back = after + self.minute(1, 10);
                    self.at(back, Deed::Jump { worker, to: TimeDelta::zero() });
                }
            }
        }
        if is_restored {
            let backup = self.minute(0, 40);
            let restore = backup + self.minute(0, 20);
            self.at(backup, Deed::BackUp);
            self.at(restore, Deed::Restore);
            let release = restore + self.minute(0, 5);
            self.at(release, Deed::Release);
        }
        let faults = self.faults(is_steady);
        self.deeds.sort_by_key(|timed| timed.after);
        Schedule {
            seed: self.seed,
            start: self.start,
            zone,
            is_change_of_clocks,
            workers,
            is_steady,
            max_receives,
            tick,
            skews,
            campaigns,
            faults,
            deeds: self.deeds,
        }
    }

    fn campaigns(&mut self, is_change: bool, (hour, minute): (u32, u32), zone: Tz) -> Vec<CampaignDraft> {
        let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day");
        let caps: Vec<Option<Caps>> = (0..2)
            .map(|_| {
                self.chance(0.3).then(|| {
                    let per_day = 1 + self.below(2);
                    Caps { per_day, per_week: per_day + self.below(3) }
                })
            })
            .collect();
        (0..3 + self.below(2))
            .map(|index| {
                let company = index % 2;
                let is_on_demand = index == 2;
                let methods = match self.below(6) {
                    0 => Methods::All,
                    1 | 2 if !is_on_demand => Methods::Ladder,
                    3 => Methods::Phone,
                    _ => Methods::FirstAvailable,
                };
                let policy = match self.below(8) {
                    0 => Policy::Hold,
                    1 => Policy::ResolveThenResendOnce,
                    _ => Policy::ResolveThenHold,
                };
                // Some windows close while messages wait; some run past midnight.
                let closing = (self.start + self.minute(20, 70)).with_timezone(&zone).time();
                let closing = closing.format("%H:%M").to_string();
                let window = match self.below(8) {
                    0 => Hours { from: time(hour, minute), to: closing.parse().unwrap_or(time(16, 30)) },
                    1 if is_change => Hours { from: time(22, 0), to: time(20, 0) },
                    _ => Hours {
                        from: time(hour, minute),
                        to: if is_change { time(23, 0) } else { time(16, 30) },
                    },
                };
                CampaignDraft {
                    company,
                    is_on_demand,
                    methods,
                    policy,
                    window,
                    caps: if is_on_demand { None } else { caps[company] },
                    per_minute: self.chance(0.15).then(|| 5 + self.random.random_range(0..60)),
                    vanished: if self.chance(0.4) { Vanished::Cancel } else { Vanished::Keep },
                    area_code_zones: !is_change && self.chance(0.3),
                    is_household: false,
                }
            })
            .collect()
    }

    /// Draws from a source of its own, so that what else a seed draws does not depend on it.
    fn households(&self, campaigns: &mut [CampaignDraft]) {
        let mut random = SmallRng::seed_from_u64(self.seed ^ 0x40_05e4_01d5);
        for draft in campaigns {
            let may = !draft.is_on_demand && draft.methods != Methods::Ladder;
            draft.is_household = random.random_bool(0.35) && may;
        }
    }

    fn row(&mut self, draft: &CampaignDraft, (key, person): (usize, usize), due: TimeDelta) -> RowDraft {
        let company = draft.company;
        // Two persons of a household have one number and one address.
        let home = if draft.is_household { person - person % 2 } else { person };
        RowDraft {
            key: format!("K{key}"),
            name: format!("Ann{}", self.below(1_000)),
            cell: cell(company, home),
            email: if self.chance(0.6) { format!("p{home}@c{company}.example.org") } else { String::new() },
            person: format!("P{company}-{person}"),
            // On the minute, as files write it.
            at: self.start + TimeDelta::minutes(due.num_minutes()) + AHEAD,
        }
    }

    fn files(&mut self, campaigns: &[CampaignDraft], people: usize, is_single: bool) {
        for (campaign, draft) in campaigns.iter().enumerate().filter(|(_, draft)| !draft.is_on_demand) {
            let first: Vec<RowDraft> = (0..5 + self.below(23))
                .map(|row| {
                    let due =
                        if self.chance(0.004) { self.minute(24 * 60, 25 * 60) } else { self.minute(2, 60) };
                    let person = self.below(people);
                    self.row(draft, (campaign * 1_000 + row, person), due)
                })
                .collect();
            let mut rows = first.clone();
            let after = if self.chance(0.5) { TimeDelta::zero() } else { self.minute(0, 5) };
            self.at(after, Deed::File { campaign, number: 0, rows: first });
            if is_single || self.chance(0.3) {
                continue;
            }
            let mut after = after;
            for number in 1..=1 + self.below(2) {
                after += self.minute(3, 30);
                rows = self.next_rows(draft, (campaign * 1_000 + number * 100, people), &rows);
                self.at(after, Deed::File { campaign, number, rows: rows.clone() });
            }
        }
    }

    /// The next file: rows that are the same, amended, moved, left out or new.
    fn next_rows(
        &mut self,
        draft: &CampaignDraft,
        (next_key, people): (usize, usize),
        rows: &[RowDraft],
    ) -> Vec<RowDraft> {
        let mut next = Vec::with_capacity(rows.len());
        for row in rows {
            match self.below(8) {
                0 => {}
                1 => next.push(RowDraft { name: format!("{}x", row.name), ..row.clone() }),
                2 | 3 => {
                    let due = self.minute(2, 110);
                    next.push(RowDraft {
                        at: self.start + TimeDelta::minutes(due.num_minutes()) + AHEAD,
                        ..row.clone()
                    });
                }
                _ => next.push(row.clone()),
            }
        }
        for key in 0..self.below(3) {
            let (person, due) = (self.below(people), self.minute(40, 90));
            next.push(self.row(draft, (next_key + key, person), due));
        }
        next
    }

    fn calls(&mut self, campaigns: &[CampaignDraft], people: usize, workers: usize, is_restored: bool) {
        for (campaign, draft) in campaigns.iter().enumerate().filter(|(_, draft)| draft.is_on_demand) {
            for call in 0..self.below(8) {
                let person = self.below(people);
                let row = self.row(draft, (campaign * 1_000 + call, person), TimeDelta::zero());
                let mut after = self.minute(1, 50);
                let repetitions = if is_restored { 0 } else { self.below(3) };
                let worker = self.below(workers);
                self.at(after, Deed::Call { campaign, worker, row: row.clone() });
                for _ in 0..repetitions {
                    after += if self.chance(0.5) { TimeDelta::zero() } else { self.minute(0, 5) };
                    let worker = self.below(workers);
                    self.at(after, Deed::Call { campaign, worker, row: row.clone() });
                }
            }
        }
    }

    fn host(&mut self, campaigns: &[CampaignDraft], people: usize) {
        for _ in 0..self.below(5) {
            let (company, person) = (self.below(2), self.below(people));
            let mut after = self.minute(1, 70);
            let mut change = UnsubscribeChange::OptedOut;
            loop {
                let way = if self.chance(0.5) { Way::Operator } else { Way::Reply };
                self.at(after, Deed::Unsubscribe { company, cell: cell(company, person), change, way });
                if !self.chance(0.4) {
                    break;
                }
                // Soon after it, or at once.
                after += if self.chance(0.3) { TimeDelta::zero() } else { self.minute(0, 10) };
                change = match change {
                    UnsubscribeChange::OptedOut => UnsubscribeChange::OptedIn,
                    UnsubscribeChange::OptedIn => UnsubscribeChange::OptedOut,
                };
            }
        }
        for campaign in 0..campaigns.len() {
            if self.chance(0.15) {
                let after = self.minute(1, 60);
                self.at(after, Deed::Pause { campaign });
                let after = after + self.minute(0, 20);
                self.at(after, Deed::Resume { campaign });
            }
            for (probability, deed) in [
                (0.06, Deed::CancelPacket { campaign }),
                (0.04, Deed::Archive { campaign }),
                (0.08, Deed::DeleteQueue { campaign }),
                (0.12, Deed::Poison { campaign }),
            ] {
                if self.chance(probability) {
                    let after = self.minute(4, 70);
                    self.at(after, deed);
                }
            }
        }
        if self.chance(0.3) {
            let after = self.minute(10, 75);
            self.at(after, Deed::Redrive);
        }
    }

    fn processes(&mut self, workers: usize, is_steady: bool) {
        if self.chance(0.4) {
            // While it is about to do something, or at any time.
            let begun: Vec<TimeDelta> =
                self.deeds.iter().filter(|timed| timed.deed.is_of_host()).map(|timed| timed.after).collect();
            let begun = begun.get(self.below(begun.len() + 1)).copied();
            let soon = TimeDelta::milliseconds(self.random.random_range(0..3_000));
            let after = begun.map(|begun| begun + soon);
            let after = after.unwrap_or_else(|| self.minute(1, 72));
            self.at(after, Deed::CrashHost);
        }
        for _ in 0..self.below(8) {
            let worker = usize::from(is_steady) + self.below(workers - usize::from(is_steady));
            let after = self.minute(0, 70);
            let deed = if self.chance(0.75) { Deed::Kill { worker } } else { Deed::Stop { worker } };
            self.at(after, deed);
            let after = after + self.minute(0, 4);
            self.at(after, Deed::Start { worker });
        }
    }
}

/// The number of a person, in one of [`AREAS`]: of its company and of nobody else, or of one who goes to both.
pub(super) fn cell(company: usize, person: usize) -> String {
    let (area, _) = AREAS[person % AREAS.len()];
    let goes_to_both = person % 5 == 4;
    let company = if goes_to_both { BOTH } else { company };
    format!("+1{area}{:07}", FIRST_NUMBER + company * NUMBERS + person)
}

/// Whether the company knows a number.
pub(super) fn knows(company: usize, number: &str) -> bool {
    let number: Option<usize> = number.get(5..).and_then(|number| number.parse().ok());
    let block = number.and_then(|number| number.checked_sub(FIRST_NUMBER)).map(|number| number / NUMBERS);
    block == Some(company) || block == Some(BOTH)
}
