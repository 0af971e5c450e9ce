use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::domain::rate::Rate;
use crate::domain::rules::RulePacks;
use crate::ids::{CompanyId, PacketId};
use crate::ports::queue::{InvalidQueueName, QueueName, QueueSpec};
use crate::retry::RetryPolicy;
use crate::services::FileLimits;

/// The names of the queues that are not a packet's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNames {
    /// Dispositions, from the gateway to the database.
    pub dispositions: QueueName,
    /// Incoming messages, from the gateway to the database.
    pub incoming: QueueName,
    /// Dead letters of every queue.
    pub dead_letters: QueueName,
}

impl QueueNames {
    /// Names that begin with the deployment's.
    ///
    /// # Errors
    ///
    /// [`InvalidQueueName`] if a name would be too long or have an illegal character.
    pub fn of_deployment(prefix: &str) -> Result<Self, InvalidQueueName> {
        Ok(Self {
            dispositions: QueueName::new(format!("{prefix}-dispositions"))?,
            incoming: QueueName::new(format!("{prefix}-incoming"))?,
            dead_letters: QueueName::new(format!("{prefix}-dead-letters"))?,
        })
    }
}

/// How companies share what providers take. By default all have the same weight and no limits, and there is one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// In how many processes pollers run: each gets this part of every limit, because none knows of the others. What one of
    /// them does not use is lost to all. A limit of less than one message for each counts as one for each.
    pub workers: NonZeroU32,
    /// How much more of a provider a company gets than one that is not named here, which has the weight 1, while both wait.
    pub weights: HashMap<CompanyId, NonZeroU32>,
    /// The most messages of a company, whatever their campaign and method; all of its rates hold.
    pub rates: HashMap<CompanyId, Vec<Rate>>,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { workers: NonZeroU32::MIN, weights: HashMap::new(), rates: HashMap::new() }
    }
}

impl Sharing {
    /// The weight of a company.
    pub fn weight(&self, company: CompanyId) -> NonZeroU32 {
        self.weights.get(&company).copied().unwrap_or(NonZeroU32::MIN)
    }
}

/// What a host may tune. The defaults suit one deployment on MySQL and SQS; sources of the numbers are at each field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The names of the queues that are not a packet's.
    pub queues: QueueNames,
    /// Rows per transaction of ingest and mapping. 1,000 per statement reach the server's limit.
    pub rows_per_batch: usize,
    /// The largest row, bytes of UTF-8. An unbalanced quote would otherwise swallow the rest of the file.
    pub max_row_bytes: usize,
    /// What a data file may have.
    pub file_limits: FileLimits,
    /// The most rows of a call: they are stored in one transaction.
    pub max_call_rows: usize,
    /// The most data of a call, bytes, names of columns included.
    pub max_call_bytes: usize,
    /// Messages of one packet and method that may have a live copy in its queue: enough for the pollers, few enough that a pause
    /// acts at once and a queue stays far below its in-flight limit.
    pub max_copies: usize,
    /// After this time a copy in a queue is presumed lost and made again.
    pub copy_lifetime: Duration,
    /// Slices that one poller works at the same time: what keeps a provider busy whose answers take their time. Those that wait
    /// for a limit do not count.
    pub slices_at_once: usize,
    /// How long a received copy stays hidden: longer than the slowest slice takes.
    pub visibility: Duration,
    /// How long a poller waits for the first copy of a receive.
    pub poll_wait: Duration,
    /// How often the feeder and the sweeps look when nothing is known to be due.
    pub tick: Duration,
    /// After this time past `answer_by` a claim without an answer counts as unknown.
    pub claim_margin: Duration,
    /// When refused messages are tried again.
    pub retry: RetryPolicy,
    /// The rule packs that campaigns may name: those of the library, and the host's own. All services of a deployment must know
    /// the same ones, also [`Campaigns`](super::Campaigns): a campaign that names an unknown one sends nothing, and waits until
    /// it is known.
    pub rule_packs: RulePacks,
    /// How often a queue item may be received before it is dead-lettered: only a guard against consumers that crash.
    pub max_receives: u32,
    /// How companies share providers.
    pub sharing: Sharing,
}

impl Settings {
    /// The defaults, with these queues.
    pub fn new(queues: QueueNames) -> Self {
        Self {
            queues,
            rows_per_batch: 1_000,
            max_row_bytes: 1 << 20,
            file_limits: FileLimits::default(),
            max_call_rows: 1_000,
            max_call_bytes: 4 << 20,
            max_copies: 5_000,
            copy_lifetime: Duration::from_mins(15),
            slices_at_once: 4,
            visibility: Duration::from_mins(2),
            poll_wait: Duration::from_secs(20),
            tick: Duration::from_secs(20),
            claim_margin: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            rule_packs: RulePacks::standard(),
            max_receives: 20,
            sharing: Sharing::default(),
        }
    }

    /// How to make the queue of a packet.
    pub(super) fn queue_of(&self, packet: PacketId) -> QueueSpec {
        QueueSpec {
            name: QueueName::of_packet(packet),
            dead_letters: self.queues.dead_letters.clone(),
            max_receives: self.max_receives,
        }
    }
}
