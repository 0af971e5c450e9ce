//! Queues in memory, with the semantics of Amazon SQS standard queues.
//!
//! For tests, simulations, and hosts that run in one process and can afford to lose what waits when it ends. The store is the
//! truth and sweeps find every message again, so such a loss costs time, never a reminder.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use chrono::DateTime;
//! use reminderly_core::domain::contact_method::ContactMethod;
//! use reminderly_core::domain::envelope::{Envelope, Slice};
//! use reminderly_core::ids::{IdSourceExt as _, PacketId, SeededIds};
//! use reminderly_core::ports::queue::{LeaseOutcome, MessageQueue as _, QueueAdmin as _, QueueName, QueueSpec};
//! use reminderly_core::testing::VirtualClock;
//! use reminderly_queue_memory::MemoryQueue;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # futures::executor::block_on(async {
//! let start = DateTime::UNIX_EPOCH;
//! let queue = MemoryQueue::new(Arc::new(VirtualClock::new(start)));
//! let ids = SeededIds::new(1);
//! let packet: PacketId = ids.next(start);
//! let name = QueueName::of_packet(packet);
//! let dead_letters = QueueName::new("reminderly-dead-letters")?;
//! queue.ensure(&QueueSpec { name: name.clone(), dead_letters, max_receives: 5 }).await?;
//!
//! let slice = Slice {
//!     company: ids.next(start),
//!     campaign: ids.next(start),
//!     packet,
//!     method: ContactMethod::Sms,
//!     closes_at: None,
//!     messages: vec![ids.next(start)],
//! };
//! let sent = Envelope::Outbound(slice);
//! let _ = queue.send(&name, &[sent.clone().into()]).await?;
//!
//! let leases = queue.receive(&name, 10, Duration::from_secs(20), Duration::from_secs(30)).await?;
//! assert_eq!(leases[0].envelope.as_ref(), Ok(&sent));
//! let outcomes = queue.ack(&name, &[leases[0].token.clone()]).await?;
//! assert_eq!(outcomes.into_vec(), [LeaseOutcome::Done]);
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! # What is modelled
//!
//! Every case of `reminderly_core::conformance::queue` holds. In detail:
//!
//! | Amazon SQS | Here |
//! |---|---|
//! | bodies are text; a bad one reaches the consumer | same: bodies are kept encoded, [`MemoryQueue::put_raw_body`] puts a bad one |
//! | visibility time-out, redelivery, receive count | same, to the microsecond of the clock |
//! | visibility at most 12 h from the receipt | same: longer ones are cut |
//! | delay at most 15 min | same: longer ones are refused on send, cut on release |
//! | long poll at most 20 s | same: longer ones are cut |
//! | bodies of at most 1 MiB | same |
//! | 120,000 items in flight: `OverLimit`, or nothing with a long poll | same, per queue: [`MemoryQueue::with_in_flight_limit`] |
//! | redrive policy moves what was received too often, on the next receive | same |
//! | a name is blocked for 60 s after its delete | same |
//! | an item released with a delay counts as in flight | same |
//! | a delete takes up to 60 s, sends in that time may vanish | no: it takes effect at once and sends fail with `NoSuchQueue` |
//! | at least once, in any order | no: exactly once and first in, first out by the time of becoming visible; wrap it in `reminderly_core::testing::FaultyQueue` for the rest |
//! | an old receipt handle acks without a word, or even removes the item | no: `Stale` |
//! | approximate depth | no: exact |
//! | short polls that miss items | no |
//! | batches of at most 10 items | no limit, as the port demands of every adapter |
//! | retention of 4 to 14 days | no: items stay until they are settled |
//! | fair queues, FIFO queues, durability, permissions, XML-legal characters | no |
//!
//! # Cost
//!
//! Each operation costs the logarithm of what waits in its own queue per item. Queues have a lock each; a map from names to
//! queues is locked only to look one up. Only [`redrive`](reminderly_core::ports::queue::QueueAdmin::redrive) also visits
//! letters that it may not move.
//!
//! # Determinism
//!
//! Under a virtual clock and one thread the same calls give the same answers: nothing depends on the order of a hash map.

mod admin;
mod bell;
mod directory;
mod lane;
mod queue;
mod timeline;

pub use queue::{IN_FLIGHT_LIMIT, MemoryQueue};
