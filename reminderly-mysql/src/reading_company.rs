//! What a company knows beside its packets, read under the locks that stand for it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::domain::incoming::Question;
use reminderly_core::domain::message::NaturalKey;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::response::Response;
use reminderly_core::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use reminderly_core::ids::{CampaignId, IncomingId, MessageId, PacketId};
use reminderly_core::ports::store::StoreError;
use reminderly_core::storage::{
    AnsweredTo, AppointmentOf, CampaignKey, CompanyFact, CompanyKey, Fact, IncomingEvent, Slot, Will,
};
use sqlx::types::{Json, Uuid};

use crate::digest::Digest;
use crate::reading::Reader;
use crate::reads::Reads;
use crate::statement::{Bound, Lock, Statement, statement};
use crate::transaction::TxError;
use crate::values::{Values as _, undecodable};

/// So many locks stand for what a company knows of persons, contact points and appointments. A call about many messages takes many of
/// them, and meets others that do: what is only looked at is locked for looking only.
const KEYS: u16 = 1_024;

/// How many locks a company has. As many again stand for the days of persons, which claims change: a lock that one of them has for
/// looking is never one that another wants alone.
pub(crate) const LOCKS: u16 = 2 * KEYS;

const LOCK_KEYS: Statement = statement(
    "SELECT number FROM company_locks FORCE INDEX (PRIMARY) WHERE company_id = ? AND number IN ({rows}) ORDER BY number",
);
const NATURAL_KEYS: Statement =
    statement("SELECT digest, message_id FROM natural_keys WHERE company_id = ? AND digest IN ({rows})");
const REFUSALS: Statement =
    statement("SELECT digest, opted_out, at FROM refusals WHERE company_id = ? AND digest IN ({rows})");
const ANSWERS: Statement = statement(
    "SELECT digest, campaign_id, response FROM answers WHERE company_id = ? AND digest IN ({rows})",
);
const QUESTIONS: Statement =
    statement("SELECT digest, question FROM questions WHERE company_id = ? AND digest IN ({rows})");
const INCOMING: Statement = statement(
    "SELECT event_digest AS digest, id FROM incoming WHERE company_id = ? AND event_digest IN ({rows})",
);
const MESSAGES_TO: Statement = statement(
    "SELECT digest, data_packet.id AS packet_id, slot FROM contact_messages \
     JOIN data_packet ON data_packet.number = packet_number \
     WHERE contact_messages.company_id = ? AND digest IN ({rows}) ORDER BY contact_messages.number",
);
const CONTACTS_OF: Statement = statement(
    "SELECT digest, method, address FROM person_contacts WHERE company_id = ? AND digest IN ({rows})",
);
const DAYS: Statement =
    statement("SELECT digest, day, messages FROM person_days WHERE company_id = ? AND digest IN ({rows})");
const DAYS_OF: Statement =
    statement("SELECT message_id, day FROM message_days WHERE message_id IN ({rows}) ORDER BY day");

/// Keys of one kind, each with its digest.
type Keys<K> = Vec<(Digest, K)>;

/// Keys by their kinds.
#[derive(Default)]
struct Wanted {
    natural_keys: Keys<NaturalKey>,
    wills: Keys<RefusalKey>,
    answers: Keys<AppointmentOf>,
    questions: Keys<ContactPoint>,
    events: Keys<IncomingEvent>,
    messages_to: Keys<ContactPoint>,
    contacts_of: Keys<PersonKey>,
    days: Keys<PersonKey>,
    days_of: Vec<MessageId>,
    /// The locks that stand for refusals, answers and appointments.
    guards: BTreeSet<u16>,
    /// Those that stand for the others.
    others: BTreeSet<u16>,
}

impl Wanted {
    fn of(keys: Vec<CompanyKey>) -> Self {
        let mut wanted = Self::default();
        for key in keys {
            let (is_guard, first) = match &key {
                CompanyKey::Will(_) | CompanyKey::Answer(_) => (true, 0),
                CompanyKey::Days(_) => (false, KEYS),
                _ => (false, 0),
            };
            let lock = wanted.add(key).map(|digest| first + digest.lock(KEYS));
            if is_guard { wanted.guards.extend(lock) } else { wanted.others.extend(lock) }
        }
        wanted
    }

    /// Adds a key; answers the digest whose lock stands for it.
    fn add(&mut self, key: CompanyKey) -> Option<Digest> {
        match key {
            CompanyKey::NaturalKey(key) => {
                let lock = Digest::of_contact(&key.contact);
                self.natural_keys.push((Digest::of_natural_key(&key), key));
                Some(lock)
            }
            CompanyKey::Will(key) => {
                let digest = Digest::of_refusal(&key);
                self.wills.push((digest, key));
                Some(digest)
            }
            CompanyKey::Answer(of) => {
                let lock = Digest::of_person(&of.1);
                self.answers.push((Digest::of_answer(&of), of));
                Some(lock)
            }
            CompanyKey::Question(contact) => {
                let digest = Digest::of_contact(&contact);
                self.questions.push((digest, contact));
                Some(digest)
            }
            CompanyKey::IncomingEvent(event) => {
                let digest = Digest::of_event(&event);
                self.events.push((digest, event));
                Some(digest)
            }
            CompanyKey::MessagesTo(contact) => {
                let digest = Digest::of_contact(&contact);
                self.messages_to.push((digest, contact));
                Some(digest)
            }
            CompanyKey::ContactsOf(person) => {
                let digest = Digest::of_person(&person);
                self.contacts_of.push((digest, person));
                Some(digest)
            }
            CompanyKey::Days(person) => {
                let digest = Digest::of_person(&person);
                self.days.push((digest, person));
                Some(digest)
            }
            // The lock of its person, whose days change with them.
            CompanyKey::DaysOf(message) => {
                self.days_of.push(message);
                None
            }
        }
    }
}

impl Reader {
    /// Reads what a company knows, once the locks that stand for it, and for what is looked up of its campaigns, are held.
    pub(crate) async fn read_of_company(
        &self,
        reads: &mut dyn Reads,
        keys: Vec<CompanyKey>,
        of_campaigns: &BTreeMap<CampaignId, Vec<CampaignKey>>,
    ) -> Result<Vec<Fact>, TxError> {
        let mut wanted = Wanted::of(keys);
        for key in of_campaigns.values().flatten() {
            match key {
                CampaignKey::PacketOf(key) => {
                    wanted.others.insert(Digest::of_packet_key(key).lock(KEYS));
                }
                CampaignKey::Appointment(key) | CampaignKey::NamedIn(key) => {
                    wanted.guards.insert(Digest::of_appointment(key).lock(KEYS));
                }
            }
        }
        let (mut guards, mut others) = (wanted.guards.clone(), wanted.others.clone());
        if self.locks.guards == self.locks.others {
            others.append(&mut guards);
        }
        self.lock(reads, guards.difference(&others).copied().collect(), self.locks.guards).await?;
        self.lock(reads, others, self.locks.others).await?;
        let company = self.company.as_uuid();
        let mut facts = Vec::new();
        facts.extend(natural_keys(reads, company, wanted.natural_keys).await?);
        facts.extend(wills(reads, company, wanted.wills).await?);
        facts.extend(answers(reads, company, wanted.answers).await?);
        facts.extend(questions(reads, company, wanted.questions).await?);
        facts.extend(events(reads, company, wanted.events).await?);
        facts.extend(messages_to(reads, company, wanted.messages_to).await?);
        facts.extend(contacts_of(reads, company, wanted.contacts_of).await?);
        facts.extend(days(reads, company, wanted.days).await?);
        facts.extend(days_of(reads, wanted.days_of).await?);
        Ok(facts.into_iter().map(Fact::OfCompany).collect())
    }

    async fn lock(&self, reads: &mut dyn Reads, locks: BTreeSet<u16>, how: Lock) -> Result<(), TxError> {
        if how == Lock::Not {
            return Ok(());
        }
        let select = LOCK_KEYS.bind(self.company.as_uuid()).locking(how);
        let held = reads.each(select.each(locks.iter().map(|number| [(*number).into()]))).await?;
        // Who has no locks excludes nobody: the company was stored by something else.
        if held.len() < locks.len() {
            Err(StoreError::Missing { what: "lock of the company" }.into())
        } else {
            Ok(())
        }
    }
}

fn select<K>(statement: Statement, company: Uuid, keys: &[(Digest, K)]) -> Vec<Bound> {
    statement.bind(company).each(keys.iter().map(|(digest, _)| [(*digest).into()]))
}

async fn natural_keys(
    reads: &mut dyn Reads,
    company: Uuid,
    keys: Keys<NaturalKey>,
) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<Vec<u8>, Uuid> = BTreeMap::new();
    for row in reads.each(select(NATURAL_KEYS, company, &keys)).await? {
        found.insert(row.value("natural_keys", "digest")?, row.value("natural_keys", "message_id")?);
    }
    let holder = |digest: &Digest| found.get(digest.as_bytes()).copied().map(MessageId::from);
    Ok(keys.into_iter().map(|(digest, key)| CompanyFact::NaturalKey(key, holder(&digest))).collect())
}

async fn wills(
    reads: &mut dyn Reads,
    company: Uuid,
    keys: Keys<RefusalKey>,
) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<Vec<u8>, Will> = BTreeMap::new();
    for row in reads.each(select(REFUSALS, company, &keys)).await? {
        let opted_out: bool = row.value("refusals", "opted_out")?;
        let change = if opted_out { UnsubscribeChange::OptedOut } else { UnsubscribeChange::OptedIn };
        found.insert(row.value("refusals", "digest")?, Will { change, at: row.value("refusals", "at")? });
    }
    let will = |digest: &Digest| found.get(digest.as_bytes()).copied();
    Ok(keys.into_iter().map(|(digest, key)| CompanyFact::Will(key, will(&digest))).collect())
}

async fn answers(
    reads: &mut dyn Reads,
    company: Uuid,
    keys: Keys<AppointmentOf>,
) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<Vec<u8>, AnsweredTo> = BTreeMap::new();
    for row in reads.each(select(ANSWERS, company, &keys)).await? {
        let Json(response): Json<Response> = row.value("answers", "response")?;
        let campaign: Uuid = row.value("answers", "campaign_id")?;
        found.insert(row.value("answers", "digest")?, AnsweredTo { response, campaign: campaign.into() });
    }
    let answered = |digest: &Digest| found.get(digest.as_bytes()).copied();
    Ok(keys.into_iter().map(|(digest, of)| CompanyFact::Answer(of, answered(&digest))).collect())
}

async fn questions(
    reads: &mut dyn Reads,
    company: Uuid,
    keys: Keys<ContactPoint>,
) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<Vec<u8>, Question> = BTreeMap::new();
    for row in reads.each(select(QUESTIONS, company, &keys)).await? {
        let Json(question) = row.value("questions", "question")?;
        found.insert(row.value("questions", "digest")?, question);
    }
    let mut question = |digest: &Digest| found.remove(digest.as_bytes());
    Ok(keys.into_iter().map(|(digest, contact)| CompanyFact::Question(contact, question(&digest))).collect())
}

async fn events(
    reads: &mut dyn Reads,
    company: Uuid,
    keys: Keys<IncomingEvent>,
) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<Vec<u8>, Uuid> = BTreeMap::new();
    for row in reads.each(select(INCOMING, company, &keys)).await? {
        found.insert(row.value("incoming", "digest")?, row.value("incoming", "id")?);
    }
    let incoming = |digest: &Digest| found.get(digest.as_bytes()).copied().map(IncomingId::from);
    Ok(keys.into_iter().map(|(digest, event)| CompanyFact::IncomingEvent(event, incoming(&digest))).collect())
}

async fn messages_to(
    reads: &mut dyn Reads,
    company: Uuid,
    keys: Keys<ContactPoint>,
) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<Vec<u8>, Vec<(PacketId, Slot)>> = BTreeMap::new();
    for row in reads.each(select(MESSAGES_TO, company, &keys)).await? {
        let packet: Uuid = row.value("contact_messages", "packet_id")?;
        let slot: u32 = row.value("contact_messages", "slot")?;
        let place = (packet.into(), usize::try_from(slot).unwrap_or(usize::MAX));
        found.entry(row.value("contact_messages", "digest")?).or_default().push(place);
    }
    let mut places = |digest: &Digest| found.remove(digest.as_bytes()).unwrap_or_default();
    Ok(keys.into_iter().map(|(digest, contact)| CompanyFact::MessagesTo(contact, places(&digest))).collect())
}

async fn contacts_of(
    reads: &mut dyn Reads,
    company: Uuid,
    keys: Keys<PersonKey>,
) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<Vec<u8>, Vec<ContactPoint>> = BTreeMap::new();
    for row in reads.each(select(CONTACTS_OF, company, &keys)).await? {
        let (method, address): (String, String) =
            (row.value("person_contacts", "method")?, row.value("person_contacts", "address")?);
        let method: Option<ContactMethod> = method.parse().ok();
        let contact = method.and_then(|method| ContactPoint::parse_stored(method, &address).ok());
        let contact = contact.ok_or_else(|| undecodable(&row, "person_contacts", "address"))?;
        found.entry(row.value("person_contacts", "digest")?).or_default().push(contact);
    }
    let mut contacts = |digest: &Digest| found.remove(digest.as_bytes()).unwrap_or_default();
    Ok(keys.into_iter().map(|(digest, person)| CompanyFact::ContactsOf(person, contacts(&digest))).collect())
}

async fn days(
    reads: &mut dyn Reads,
    company: Uuid,
    keys: Keys<PersonKey>,
) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<Vec<u8>, BTreeMap<NaiveDate, u32>> = BTreeMap::new();
    for row in reads.each(select(DAYS, company, &keys)).await? {
        let of_person = found.entry(row.value("person_days", "digest")?).or_default();
        of_person.insert(row.value("person_days", "day")?, row.value("person_days", "messages")?);
    }
    let mut days = |digest: &Digest| found.remove(digest.as_bytes()).unwrap_or_default();
    Ok(keys.into_iter().map(|(digest, person)| CompanyFact::Days(person, days(&digest))).collect())
}

async fn days_of(reads: &mut dyn Reads, messages: Vec<MessageId>) -> Result<Vec<CompanyFact>, TxError> {
    let mut found: BTreeMap<MessageId, Vec<NaiveDate>> = BTreeMap::new();
    for row in reads.each(DAYS_OF.each(messages.iter().map(|id| [id.as_uuid().into()]))).await? {
        let message: Uuid = row.value("message_days", "message_id")?;
        found.entry(message.into()).or_default().push(row.value("message_days", "day")?);
    }
    let mut days = |id: &MessageId| found.remove(id).unwrap_or_default();
    Ok(messages.into_iter().map(|id| CompanyFact::DaysOf(id, days(&id))).collect())
}
