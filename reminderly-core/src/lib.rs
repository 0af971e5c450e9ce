//! Domain, ports and use cases of **reminderly**: a library for contacting people on behalf of many companies, appointment
//! reminders first.
//!
//! A data file becomes a *packet*; its rows are mapped to *messages*, planned into legal *contact windows*, put on one queue
//! per packet, and sent by SMS or e-mail through *providers*. *Dispositions* and *incoming* messages come back through queues.
//! Four failures matter above all: a reminder lost, sent twice, sent at a wrong hour, or sent to a person who opted out.
//!
//! | module | what it is |
//! |---|---|
//! | [`domain`] | pure types and rules |
//! | [`ports`] | what the library needs from outside: storage, queues, providers, sources, sealer, clock |
//! | [`services`] | the use cases, over ports |
//! | [`sources`] | where data files come from, without a server |
//! | [`ids`], [`clock`] | identity and time, injected |
//! | [`batch`], [`retry`] | what batches and repeated tries have in common |
//!
//! | feature | brings |
//! |---|---|
//! | `memory` | the in-memory store, the executable specification of the storage ports; brings `storage` |
//! | `storage` | what every write makes of what is stored, for storage adapters |
//! | `seal` | an authenticated cipher for payloads that travel through queues |
//! | `xlsx` | Excel workbooks as data files |
//! | `conformance` | the suites that every store and queue adapter must pass |
//! | `testing` | a virtual clock and fault-injecting decorators |
//! | `mock` | `mockall` mocks of every port |
//!
//! None is on by default.

pub mod batch;
pub mod clock;
pub mod domain;
mod give_way;
pub mod ids;
pub mod ports;
pub mod retry;
#[cfg(any(feature = "memory", feature = "seal"))]
pub mod sealers;
pub mod services;
pub mod sources;
#[cfg(feature = "storage")]
#[cfg_attr(
    not(feature = "memory"),
    expect(dead_code, unused_imports, reason = "what holds all that there is serves the in-memory store")
)]
pub mod storage;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "testing")]
pub mod testing;
