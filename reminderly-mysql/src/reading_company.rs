//! What a company knows beside its packets, read under the locks that stand for it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::incoming::Question;
use reminderly_core::domain::response::Response;
use reminderly_core::domain::unsubscribe::UnsubscribeChange;
use reminderly_core::ids::{CampaignId, IncomingId, MessageId, PacketId};
use reminderly_core::storage::{AnsweredTo, CampaignKey, CompanyFact, CompanyKey, Fact, Slot, Will};
use sqlx::types::{Json, Uuid};

use crate::digest::Digest;
use crate::reading::{Lock, Reader};
use crate::statement::{Bound, Statement, statement};
use crate::transaction::{Tx, TxError};
use crate::values::{Values as _, undecodable};

/// How many locks a company has: so many that two which have nothing to do with each other seldom meet.
pub(crate) const LOCKS: u16 = 1_024;

const LOCK_SHARED: Statement = statement(
    "SELECT number FROM company_locks WHERE company_id = ? AND number IN ({1}) ORDER BY number LOCK IN SHARE MODE",
);
const LOCK_ALONE: Statement = statement(
    "SELECT number FROM company_locks WHERE company_id = ? AND number IN ({1}) ORDER BY number FOR UPDATE",
);
const NATURAL_KEYS: Statement =
    statement("SELECT digest, message_id FROM natural_keys WHERE company_id = ? AND digest IN ({1})");
const REFUSALS: Statement =
    statement("SELECT digest, opted_out, at FROM refusals WHERE company_id = ? AND digest IN ({1})");
const ANSWERS: Statement =
    statement("SELECT digest, campaign_id, response FROM answers WHERE company_id = ? AND digest IN ({1})");
const QUESTIONS: Statement =
    statement("SELECT digest, question FROM questions WHERE company_id = ? AND digest IN ({1})");
const INCOMING: Statement =
    statement("SELECT event_digest AS digest, id FROM incoming WHERE company_id = ? AND event_digest IN ({1})");
const MESSAGES_TO: Statement = statement(
    "SELECT digest, data_packet.id AS packet_id, slot FROM contact_messages \
     JOIN data_packet ON data_packet.number = packet_number \
     WHERE contact_messages.company_id = ? AND digest IN ({1}) ORDER BY packet_number, slot",
);
const CONTACTS_OF: Statement =
    statement("SELECT digest, method, address FROM person_contacts WHERE company_id = ? AND digest IN ({1})");
const DAYS: Statement =
    statement("SELECT digest, day, messages FROM person_days WHERE company_id = ? AND digest IN ({1})");
const DAYS_OF: Statement = statement("SELECT message_id, day FROM message_days WHERE message_id IN ({1}) ORDER BY day");
