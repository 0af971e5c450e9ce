//! Queues of reminderly on Amazon SQS.
//!
//! This crate holds no code yet. It will hold one struct that implements
//! `reminderly_core::ports::queue::{MessageQueue, QueueAdmin}` over aws-sdk-sqs. It will be held to the conformance suite of
//! queues, like `reminderly-queue-memory`, which models the semantics of SQS and which hosts use until then.
//!
//! It is the only crate of the workspace that may name aws-sdk-sqs.
