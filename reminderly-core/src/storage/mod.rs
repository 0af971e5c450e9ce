//! The rules of storage: what every write makes of messages, packets, ledgers and registers.
//!
//! A rule is a function of what a store holds, [`Records`], and of the arguments of a port's method. The in-memory store applies it
//! to all that it has. An adapter for a database applies it to a [`Part`]: it reads what the rule looks up, and writes what the rule has
//! changed, in one transaction. Which messages a call is about where it does not name them, such as those that are due, the adapter
//! finds by itself; the rule passes over what is not so any more.
//!
//! ```
//! use reminderly_core::domain::packet::Draining;
//! use reminderly_core::domain::restore::Restore;
//! use reminderly_core::ids::{CompanyId, PacketId};
//! use reminderly_core::ports::store::{StoreError, WriteOutcome};
//! use reminderly_core::storage::{Applied, Fact, Key, Part, set_draining};
//!
//! /// Within one transaction: `read` reads under locks, `write` writes.
//! fn cancel(
//!     (company, restore): (CompanyId, Restore),
//!     packet: PacketId,
//!     read: impl Fn(Key) -> Fact,
//!     write: impl FnOnce(Vec<Fact>),
//! ) -> Result<WriteOutcome, StoreError> {
//!     let mut part = Part::of(company, restore);
//!     loop {
//!         let applied = part.apply(|records| set_draining(records, company, packet, Draining::Cancelling));
//!         match applied.expect("what was asked for was added") {
//!             Applied::Unread(keys) => keys.into_iter().for_each(|key| part.add(read(key))),
//!             Applied::Done { answer, changes } => {
//!                 write(changes);
//!                 return answer;
//!             }
//!         }
//!     }
//! }
//!
//! # let (company, packet) = (CompanyId::from(uuid::Uuid::nil()), PacketId::from(uuid::Uuid::nil()));
//! let nothing = |key| match key {
//!     Key::Packet(id) => Fact::Packet(id, None),
//!     other => unreachable!("{other:?} is not looked up"),
//! };
//! let outcome = cancel((company, Restore::default()), packet, nothing, |changes| assert_eq!(changes, []));
//! assert!(matches!(outcome, Err(StoreError::Missing { what: "packet" })));
//! ```
//!
//! What a rule is given beside its arguments, such as the messages that are due or the number of those that are open, is to be found in
//! the transaction of the call, once the packet's row is locked. A rule that passes something over handles less than it was given.
//!
//! A rule whose call is about something that does not exist, or belongs to another company, answers
//! [`StoreError::Missing`](crate::ports::store::StoreError), or says so of the single item; it fails in no other way.

mod appointments;
mod campaign_data;
mod claim;
mod company_data;
mod contacts;
mod disposition_events;
mod dispositions;
mod evidence;
mod facts;
mod held_row;
mod households;
mod incoming;
mod ladder;
mod messages;
mod packet_data;
mod packet_index;
mod packets;
mod part;
mod place;
mod plan;
mod records;
mod reports;
mod restore;
mod settle;
mod slots;
mod table;
mod told;
mod unsubscribes;
mod waiting;

pub use appointments::{appointment, cancel_vanished, keep_vanished};
pub use campaign_data::{CampaignHead, PacketNaturalKey};
pub use claim::claim;
pub use company_data::{AnsweredTo, AppointmentOf, IncomingEvent, MessagePlace, Will};
pub use contacts::{contact_points_of, follow_ups_since, latest_attempted, open_question, persons_of};
pub use disposition_events::DispositionEvents;
pub use dispositions::record_dispositions;
pub use facts::{CampaignFact, CampaignKey, CompanyFact, CompanyKey, Fact, Key, PacketFact, PacketKey};
pub use held_row::{Before, HeldRow};
pub use households::plan_households;
pub use incoming::{answerable, record_incoming};
pub use messages::MessageData;
pub use packet_data::{PacketHead, Slot};
pub use packets::{
    append_rows, change_stage, create_loaded_packet, create_packet, open_ingest, set_draining,
};
pub use part::{Applied, NotAdded, Part};
pub use place::{Counter, Place, Window};
pub use plan::plan;
pub use records::Records;
pub use reports::{Recount, RejectedAt, contact_outcome};
pub use restore::{
    before_restore, expire_before_restore, expire_households_before_restore, lift_fence,
    of_days_before_restore,
};
pub use settle::settle;
pub use slots::{Askers, Nearness, take_slots};
pub use unsubscribes::record_unsubscribes;
pub use waiting::{Due, cancel_open, close, hand_over, snooze, waiting};

pub(crate) use {
    campaign_data::CampaignData,
    claim::may_send,
    company_data::CompanyData,
    packet_data::PacketData,
    packet_index::{Companions, PacketIndex},
    packets::{count, holds_its_call},
    restore::is_fenced,
    table::Extent,
};
