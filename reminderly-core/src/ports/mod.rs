//! Ports: what the library needs from the outside. Adapters implement them, hosts choose the adapters.
//!
//! # How to write an adapter
//!
//! 1. Implement the traits of one port on one struct. Required methods have no defaults: nothing can be forgotten.
//! 2. Keep to the `# Contract` of each trait; what an outcome by position says is not an error.
//! 3. Run the conformance suite of the port (feature `conformance`) against it. The suite, not the prose, is the judge.
//!
//! Mocks of every port are behind feature `mock`:
//!
#![cfg_attr(feature = "mock", doc = "```")]
#![cfg_attr(not(feature = "mock"), doc = "```ignore")]
//! use reminderly_core::ports::queue::{Depth, MockQueueAdmin, QueueAdmin, QueueName};
//!
//! # futures::executor::block_on(async {
//! let mut queues = MockQueueAdmin::new();
//! queues.expect_depth().returning(|_| Ok(Some(Depth { ready: 3, ..Depth::default() })));
//!
//! let name = QueueName::new("reminderly-incoming")?;
//! assert_eq!(queues.depth(&name).await?.map(Depth::total), Some(3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

pub mod callback;
pub mod poller;
pub mod provider;
pub mod queue;
pub mod sealer;
pub mod source;
pub mod store;

/// The cause of a failure, as the adapter got it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
