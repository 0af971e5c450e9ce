//! Storage of reminderly on MySQL and MariaDB.
//!
//! This crate holds no code yet. It will hold one struct that implements every trait of
//! `reminderly_core::ports::store` over sqlx, the migrations that make its tables, and the jobs that move closed rows to
//! history. It will be held to the conformance suite of stores, like the in-memory store of `reminderly-core`, which hosts
//! use until then.
//!
//! It is the only crate of the workspace that may name sqlx.
