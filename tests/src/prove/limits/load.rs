//! A load: companies, their limits and what they send, drawn from a seed.

use std::num::NonZeroU32;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::rate::Rate;
use reminderly_core::ports::provider::{ProviderRate, RateScope};

/// How many sender numbers the account has.
pub(super) const SENDERS: usize = 2;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Load {
    /// In how many processes pollers run.
    pub(super) workers: u32,
    pub(super) of_account: Vec<Rate>,
    pub(super) of_senders: [Rate; SENDERS],
    pub(super) companies: Vec<Sends>,
}

/// What one company sends.
#[derive(Debug)]
pub(super) struct Sends {
    pub(super) sender: usize,
    pub(super) weight: NonZeroU32,
    /// Of the company.
    pub(super) rate: Option<Rate>,
    /// Of its campaign.
    pub(super) per_minute: Option<NonZeroU32>,
    /// How many messages each of its packets has.
    pub(super) packets: Vec<usize>,
    /// How many seconds lie between the first and the last instant at which its messages may go.
    pub(super) spread: i64,
}

impl Load {
    pub(super) fn draw(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut of_account = vec![rate(6..40, &[1, 2, 10], &mut random)];
        if random.random_bool(0.5) {
            of_account.push(rate(100..600, &[60], &mut random));
        }
        let of_senders = [(); SENDERS].map(|()| rate(3..40, &[1, 3, 5], &mut random));
        let companies = (0..random.random_range(2..5)).map(|_| Sends::draw(&mut random)).collect();
        Self { workers: random.random_range(1..4), of_account, of_senders, companies }
    }

    /// What the provider says of a sender number.
    pub(super) fn rates(&self, sender: usize) -> Vec<ProviderRate> {
        let account = self.of_account.iter().map(|rate| (RateScope::Account("shared".into()), *rate));
        let number = RateScope::Sender(format!("+1520555010{sender}").into());
        let of_sender = self.of_senders.get(sender).map(|rate| (number, *rate));
        account.chain(of_sender).map(|(of, rate)| ProviderRate { of, rate }).collect()
    }
}

impl Sends {
    fn draw(random: &mut SmallRng) -> Self {
        Self {
            sender: random.random_range(0..SENDERS),
            weight: NonZeroU32::MIN.saturating_add(random.random_range(0..3)),
            rate: random.random_bool(0.4).then(|| rate(2..20, &[1, 7, 60], random)),
            per_minute: random.random_bool(0.4).then(|| messages(random.random_range(10..120))),
            packets: (0..random.random_range(1..3)).map(|_| random.random_range(20..400)).collect(),
            spread: if random.random_bool(0.5) { 0 } else { random.random_range(1..90) },
        }
    }
}

fn rate(counts: std::ops::Range<u32>, seconds: &[u64], random: &mut SmallRng) -> Rate {
    // Now and then less than one for each worker.
    let count =
        if random.random_bool(0.03) { random.random_range(1..3) } else { random.random_range(counts) };
    let per = seconds[random.random_range(0..seconds.len())];
    Rate { messages: messages(count), per: Duration::from_secs(per) }
}

fn messages(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("more than none")
}
