//! What is known of contact points and persons.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::incoming::messages_to;
use super::messages::MessageData;
use super::records::Records;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::Question;
use crate::domain::message::Origin;
use crate::domain::person::PersonKey;
use crate::ids::{CompanyId, MessageId, PacketId};

/// The question that is open for a contact point: see
/// [`IncomingStore::open_question`](crate::ports::store::IncomingStore::open_question).
pub fn open_question(
    records: &Records,
    company: CompanyId,
    from: &ContactPoint,
    now: DateTime<Utc>,
) -> Option<Question> {
    let question = records.companies.get(&company)?.questions.get(from)?;
    (now < question.expires_at).then(|| question.clone())
}

/// Who was ever to be contacted there: see [`IncomingStore::persons_of`](crate::ports::store::IncomingStore::persons_of).
pub fn persons_of(records: &Records, company: CompanyId, contact: &ContactPoint) -> Vec<PersonKey> {
    let covered = contact.refusal_key().contact_points();
    let persons = covered
        .iter()
        .flat_map(|contact| messages_to(records, company, contact))
        .filter_map(|found| found.record.message.person.clone());
    persons.collect::<BTreeSet<_>>().into_iter().collect()
}

/// How many follow-ups were made: see [`IncomingStore::follow_ups_since`](crate::ports::store::IncomingStore::follow_ups_since).
pub fn follow_ups_since(
    records: &Records,
    company: CompanyId,
    to: &ContactPoint,
    since: DateTime<Utc>,
) -> usize {
    let follow_up = |found: &&MessageData| {
        let message = &found.record.message;
        matches!(message.origin, Origin::Reply { .. }) && message.created_at >= since
    };
    messages_to(records, company, to).filter(follow_up).count()
}

/// The message that was claimed last: see [`IncomingStore::latest_attempted`](crate::ports::store::IncomingStore::latest_attempted).
pub fn latest_attempted(
    records: &Records,
    company: CompanyId,
    to: &ContactPoint,
) -> Option<(PacketId, MessageId)> {
    let claimed = messages_to(records, company, to).filter_map(|found| {
        let claimed_at = found.attempts.last()?.claimed_at;
        Some((claimed_at, found.record.message.packet, found.record.message.id))
    });
    claimed.max().map(|(_, packet, message)| (packet, message))
}

/// Where a person was ever to be contacted: see
/// [`IncomingStore::contact_points_of`](crate::ports::store::IncomingStore::contact_points_of).
pub fn contact_points_of(records: &Records, company: CompanyId, person: &PersonKey) -> Vec<ContactPoint> {
    let found = records.companies.get(&company);
    found.map(|found| found.contact_points_of(person)).unwrap_or_default()
}
