//! Typed identifiers and their source.
//!
//! Every id is a UUIDv7 ([RFC 9562 §5.7](https://www.rfc-editor.org/rfc/rfc9562#section-5.7)): sortable by the time of its
//! making, unique without a server. Ids are minted by services through an injected [`IdSource`], never by adapters.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::SmallRng;
use rand::{Rng, RngExt as _, SeedableRng as _};
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as a bare UUID, for adapters that store it.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

typed_ids! {
    /// One try to send a message; travels to the provider and comes back in its callbacks.
    AttemptId;
    /// A campaign: one purpose of contact of a company.
    CampaignId;
    /// An isolated customer of the host.
    CompanyId;
    /// A message from a person.
    IncomingId;
    /// An entry of a company's log.
    LogEntryId;
    /// One intended contact.
    MessageId;
    /// One file or call and all that comes of it.
    PacketId;
    /// A set of permitted actions on a list of companies.
    RoleId;
    /// A person who works with the host.
    UserId;
}

/// Mints UUIDv7s. The only source of identity in the library, so that a run can be repeated.
pub trait IdSource: Debug + Send + Sync + 'static {
    /// A new id that carries `now` in milliseconds. Never returns the same id twice.
    fn next_uuid(&self, now: DateTime<Utc>) -> Uuid;
}

/// Comforts over [`IdSource`]; implemented for every source.
pub trait IdSourceExt: IdSource {
    /// A new id of the wanted kind.
    ///
    /// ```
    /// use reminderly_core::ids::{IdSourceExt, MessageId, SeededIds};
    ///
    /// let ids = SeededIds::new(7);
    /// let first: MessageId = ids.next(chrono::DateTime::UNIX_EPOCH);
    /// let second: MessageId = ids.next(chrono::DateTime::UNIX_EPOCH);
    /// assert_ne!(first, second);
    /// ```
    fn next<Id: From<Uuid>>(&self, now: DateTime<Utc>) -> Id {
        Id::from(self.next_uuid(now))
    }

    /// A new id that sorts after another one, though that was made in the same millisecond, or by a clock that is ahead.
    ///
    /// ```
    /// use reminderly_core::ids::{IdSourceExt, PacketId, SeededIds};
    ///
    /// let ids = SeededIds::new(7);
    /// let first: PacketId = ids.next(chrono::DateTime::UNIX_EPOCH);
    /// let second: PacketId = ids.next_after(chrono::DateTime::UNIX_EPOCH, first.as_uuid());
    /// assert!(first < second);
    /// ```
    fn next_after<Id: From<Uuid>>(&self, now: DateTime<Utc>, other: Uuid) -> Id {
        let made_at = other.get_timestamp().and_then(|made_at| {
            let (seconds, nanoseconds) = made_at.to_unix();
            DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
        });
        let after = made_at.and_then(|made_at| made_at.checked_add_signed(TimeDelta::milliseconds(1)));
        self.next(after.map_or(now, |after| after.max(now)))
    }
}

impl<S: IdSource + ?Sized> IdSourceExt for S {}

/// Ids from the thread's cryptographic generator. What a host uses.
#[derive(Debug, Default, Clone, Copy)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next_uuid(&self, now: DateTime<Utc>) -> Uuid {
        mint(now, &mut rand::rng())
    }
}

/// Ids from a seed: the same calls give the same ids. For simulations, examples and tests.
#[derive(Debug)]
pub struct SeededIds(Mutex<SmallRng>);

impl SeededIds {
    /// A source whose ids are determined by `seed` and the order of the calls.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }
}

impl IdSource for SeededIds {
    fn next_uuid(&self, now: DateTime<Utc>) -> Uuid {
        mint(now, &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn mint(now: DateTime<Utc>, random: &mut impl Rng) -> Uuid {
    let milliseconds = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random.random()).into_uuid()
}
