//! What an incoming message means, and what follows from it.

use std::sync::Arc;

use chrono::TimeDelta;

use super::IncomingMessages;
use crate::domain::campaign::definition::{CampaignDefinition, FollowUpTrigger, Responses};
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::incoming::{
    Answerable, Arrival, Incoming, IncomingEffect, Question, QuestionOption, TiedResponse,
};
use crate::domain::message::PlanVerdict;
use crate::domain::reply::{Classification, OptOutScope, ReplyKind, ReplyReason, normalise};
use crate::domain::response::{Response, ResponseKind};
use crate::domain::tie::{Tie, Wording, is_of_one_message, tie};
use crate::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use crate::ids::{CampaignId, CompanyId, IncomingId};
use crate::ports::store::StoreError;
use crate::services::ServiceError;

/// For so long a number is taken as the answer to a question.
const QUESTION_LASTS: TimeDelta = TimeDelta::hours(24);

/// How many campaigns are read at a time.
const CAMPAIGNS_PAGE: usize = 100;

/// The most appointments that a question offers: more do not fit a text message, and a human sorts them out.
const OPTIONS_MAX: usize = 9;

pub(super) struct Decision {
    pub(super) classification: Classification,
    pub(super) effect: IncomingEffect,
}

/// The refusal of the contact point, if by the library's own words it is one: what can be done where a campaign, a packet or a
/// message cannot be read. A human sees to the rest.
pub(super) fn refused_at_least(id: IncomingId, incoming: &Incoming) -> Option<Decision> {
    let read = Responses::default().read(incoming.from.method(), &incoming.text);
    let refusal = unsubscribe(id, incoming, incoming.from.refusal_key(), UnsubscribeChange::OptedOut);
    let effect =
        IncomingEffect { unsubscribes: vec![refusal], needs_review: true, ..IncomingEffect::default() };
    matches!(read.classification.kind, ReplyKind::OptOut(_))
        .then_some(Decision { classification: read.classification, effect })
}

/// What the decision is about: gathered once, passed along.
struct Case<'a> {
    company: CompanyId,
    id: IncomingId,
    incoming: &'a Incoming,
    answerable: Vec<Answerable>,
}

/// What a message means to the campaigns that the person may be answering.
struct Understood {
    classification: Classification,
    /// Those that read it so.
    campaigns: Vec<CampaignId>,
    wording: Wording,
}

impl IncomingMessages {
    pub(super) async fn decide(
        &self,
        company: CompanyId,
        id: IncomingId,
        incoming: &Incoming,
    ) -> Result<Decision, ServiceError> {
        let now = self.ports.clock.now();
        let answerable = self.ports.store.answerable(company, &incoming.from, now).await?;
        let mut case = Case { company, id, incoming, answerable };
        let Understood { classification, campaigns, wording } = self.classify(&case).await?;
        if !matches!(classification.kind, ReplyKind::OptOut(_))
            && let Some((kind, chosen)) = self.chosen(&case).await?
        {
            let classification = Classification { kind: reply_kind(kind), reason: ReplyReason::ChosenNumber };
            let chosen: Vec<&Answerable> = chosen.iter().collect();
            return self.answered(&case, classification, (kind, Arrival::Open), &chosen).await;
        }
        match classification.kind {
            ReplyKind::OptOut(scope) => self.opted_out(&case, classification, scope).await,
            ReplyKind::OptIn => Ok(opted_in(&case, classification)),
            ReplyKind::Help => self.follow_up_only(&case, classification, FollowUpTrigger::Help).await,
            ReplyKind::Unclear => self.follow_up_only(&case, classification, FollowUpTrigger::Unclear).await,
            ReplyKind::Confirm => self.about(&case, classification, (ResponseKind::Confirmed, wording)).await,
            ReplyKind::Cancel => self.about(&case, classification, (ResponseKind::Cancelled, wording)).await,
            ReplyKind::Reschedule => {
                self.about(&case, classification, (ResponseKind::RescheduleWanted, wording)).await
            }
            ReplyKind::Answer(name) => {
                // Only who asked for such an answer can be meant.
                case.answerable.retain(|candidate| campaigns.contains(&candidate.campaign));
                self.about(&case, classification, (ResponseKind::Answer(name), wording)).await
            }
        }
    }

    /// Classifies with the words of the campaigns that the person may be answering; where they disagree, it is unclear.
    async fn classify(&self, case: &Case<'_>) -> Result<Understood, ServiceError> {
        let mut campaigns: Vec<(CampaignId, Option<Arc<CampaignDefinition>>)> = Vec::new();
        for candidate in &case.answerable {
            if campaigns.iter().all(|(known, _)| *known != candidate.campaign)
                && let Some(packet) = self.ports.store.packet(case.company, candidate.packet).await?
            {
                campaigns.push((candidate.campaign, self.campaigns.document(&packet).await?));
            }
        }
        let (text, method) = (&case.incoming.text, case.incoming.from.method());
        let read = |responses: &Responses| responses.read(method, text).classification;
        // A campaign that nobody can read has no words of its own: a refusal is one in any case.
        let unknown = Responses::default();
        let readings: Vec<_> = campaigns
            .iter()
            .map(|(id, campaign)| (*id, read(campaign.as_ref().map_or(&unknown, |known| &known.responses))))
            .collect();
        let agreed = readings.iter().map(|(_, reading)| *reading).reduce(agree);
        let agreed = match agreed {
            Some(agreed) => agreed,
            None => self.read_unasked(case).await?,
        };
        let same = readings.iter().zip(&campaigns).filter(|((_, reading), _)| reading.kind == agreed.kind);
        let is_asked =
            |campaign: &CampaignDefinition| campaign.responses.wording(method, text) == Wording::Asked;
        let all_asked = same.clone().all(|(_, (_, campaign))| campaign.as_deref().is_some_and(is_asked));
        Ok(Understood {
            classification: agreed,
            campaigns: same.map(|((campaign, _), _)| *campaign).collect(),
            wording: if all_asked { Wording::Asked } else { Wording::Own },
        })
    }

    /// What a message means that answers nothing. Keys mean what the campaign of the last call said, of which only a refusal
    /// counts: who wants no more calls must not need an appointment to say so.
    async fn read_unasked(&self, case: &Case<'_>) -> Result<Classification, ServiceError> {
        let (text, from) = (&case.incoming.text, &case.incoming.from);
        let unasked = Responses::default().read(from.method(), text).classification;
        if from.method() != ContactMethod::Phone {
            return Ok(unasked);
        }
        let store = &self.ports.store;
        let Some((packet, _)) = store.latest_attempted(case.company, from).await? else { return Ok(unasked) };
        let Some(packet) = store.packet(case.company, packet).await? else { return Ok(unasked) };
        let Some(campaign) = self.campaigns.document(&packet).await? else { return Ok(unasked) };
        let pressed = campaign.responses.read(from.method(), text).classification;
        Ok(if matches!(pressed.kind, ReplyKind::OptOut(_)) { pressed } else { unasked })
    }

    /// The answer to an open question: the wish that led to it, and what the number means. Only while the question is
    /// the last that the person heard from us: a number may also answer the reminder that came after it.
    async fn chosen(&self, case: &Case<'_>) -> Result<Option<(ResponseKind, Vec<Answerable>)>, ServiceError> {
        let now = self.ports.clock.now();
        let from = &case.incoming.from;
        let Some(question) = self.ports.store.open_question(case.company, from, now).await? else {
            return Ok(None);
        };
        let asking = self.ports.store.message(case.company, question.packet, question.message).await?;
        let Some(asked_at) = asking.and_then(|record| record.state.sent_at) else { return Ok(None) };
        if case.answerable.iter().any(|candidate| candidate.sent_at > asked_at) {
            return Ok(None);
        }
        let number = normalise(&case.incoming.text).parse::<usize>().ok();
        let option = number
            .and_then(|number| number.checked_sub(1))
            .and_then(|position| question.options.get(position));
        let is_option = |candidate: &Answerable, option: &QuestionOption| match option {
            QuestionOption::One { key, person } => *key == candidate.key && *person == candidate.person,
            QuestionOption::All => false,
        };
        let is_meant = |candidate: &&Answerable| match option {
            Some(QuestionOption::All) => question.options.iter().any(|option| is_option(candidate, option)),
            Some(option) => is_option(candidate, option),
            None => false,
        };
        let may_follow = |candidate: &&Answerable| question.kind.may_follow(candidate.earlier(question.kind));
        let chosen: Vec<Answerable> =
            case.answerable.iter().filter(is_meant).filter(may_follow).cloned().collect();
        Ok((!chosen.is_empty()).then_some((question.kind, chosen)))
    }

    /// A wish about an appointment: tied, asked about, or given to a human.
    async fn about(
        &self,
        case: &Case<'_>,
        classification: Classification,
        (kind, wording): (ResponseKind, Wording),
    ) -> Result<Decision, ServiceError> {
        match tie(kind, wording, &case.answerable) {
            // Where another message can be meant, it is doubtful.
            Tie::One(only) => self.answered(case, classification, (kind, Arrival::Proven), &[only]).await,
            Tie::Household(all) => self.answered(case, classification, (kind, Arrival::Proven), &all).await,
            Tie::Several(options) => self.asked(case, classification, kind, &options).await,
            Tie::Doubtful => {
                let effect = IncomingEffect { needs_review: true, ..IncomingEffect::default() };
                Ok(Decision { classification, effect })
            }
            Tie::Nothing => {
                // Who says again what is known needs nobody's review.
                let known = case.answerable.iter().any(|candidate| candidate.earlier(kind) == Some(kind));
                let effect = IncomingEffect { needs_review: !known, ..IncomingEffect::default() };
                Ok(Decision { classification, effect })
            }
        }
    }

    async fn answered(
        &self,
        case: &Case<'_>,
        classification: Classification,
        (kind, arrival): (ResponseKind, Arrival),
        about: &[&Answerable],
    ) -> Result<Decision, ServiceError> {
        let response = Response { kind, incoming: case.id, at: case.incoming.at };
        let trigger = match kind {
            ResponseKind::Confirmed => Some(FollowUpTrigger::Confirm),
            ResponseKind::Cancelled => Some(FollowUpTrigger::Cancel),
            ResponseKind::RescheduleWanted => Some(FollowUpTrigger::Reschedule),
            ResponseKind::Answer(_) => None,
        };
        let follow_up = match trigger {
            Some(trigger) => self.follow_up(case.company, case.id, case.incoming, about, trigger).await?,
            None => None,
        };
        let tied = |about: &&Answerable| TiedResponse {
            packet: about.packet,
            message: about.message,
            member: about.member.filter(|_| kind.is_about_appointment()),
            response,
            arrival,
        };
        let responses = about.iter().map(tied).collect();
        let effect = IncomingEffect { responses, follow_up, ..IncomingEffect::default() };
        Ok(Decision { classification, effect })
    }

    async fn asked(
        &self,
        case: &Case<'_>,
        classification: Classification,
        kind: ResponseKind,
        options: &[&Answerable],
    ) -> Result<Decision, ServiceError> {
        let now = self.ports.clock.now();
        let distinct = options.windows(2).all(|pair| match pair {
            [one, other] => one.appointment.map(|it| it.local) != other.appointment.map(|it| it.local),
            _ => true,
        });
        let dated = options.iter().all(|option| option.appointment.is_some());
        if !dated || !distinct || options.len() > OPTIONS_MAX {
            // A question by date and time would not tell them apart.
            let effect = IncomingEffect { needs_review: true, ..IncomingEffect::default() };
            return Ok(Decision { classification, effect });
        }
        let follow_up = self.question(case.company, case.id, case.incoming, options).await?;
        let asking = follow_up.as_ref().filter(|planned| matches!(planned.verdict, PlanVerdict::Send { .. }));
        let first = options.iter().map(|option| option.until).min().unwrap_or(now);
        let one = |option: &&Answerable| QuestionOption::One {
            key: option.key.clone(),
            person: option.person.clone(),
        };
        let all = is_of_one_message(options).then_some(QuestionOption::All);
        let question = asking.map(|planned| Question {
            incoming: case.id,
            kind,
            options: options.iter().map(one).chain(all).collect(),
            packet: planned.message.packet,
            message: planned.message.id,
            expires_at: first.min(now + QUESTION_LASTS),
        });
        let needs_review = question.is_none();
        let effect = IncomingEffect { question, follow_up, needs_review, ..IncomingEffect::default() };
        Ok(Decision { classification, effect })
    }

    async fn follow_up_only(
        &self,
        case: &Case<'_>,
        classification: Classification,
        trigger: FollowUpTrigger,
    ) -> Result<Decision, ServiceError> {
        let follow_up = match case.answerable.first() {
            Some(about) => {
                let household: Vec<&Answerable> =
                    case.answerable.iter().filter(|other| other.message == about.message).collect();
                self.follow_up(case.company, case.id, case.incoming, &household, trigger).await?
            }
            None => None,
        };
        let needs_review = classification.kind == ReplyKind::Unclear;
        Ok(Decision {
            classification,
            effect: IncomingEffect { follow_up, needs_review, ..IncomingEffect::default() },
        })
    }

    /// A refusal, with everything that it covers. No answer: the provider sends the one confirmation that the law permits.
    async fn opted_out(
        &self,
        case: &Case<'_>,
        classification: Classification,
        scope: OptOutScope,
    ) -> Result<Decision, ServiceError> {
        let mut keys = vec![case.incoming.from.refusal_key()];
        // The classification stays what the person said.
        let scope = self.scope_by_rule(case, scope).await?;
        if scope == OptOutScope::Person {
            for person in self.ports.store.persons_of(case.company, &case.incoming.from).await? {
                let contacts = self.ports.store.contact_points_of(case.company, &person).await?;
                keys.extend(contacts.iter().map(ContactPoint::refusal_key));
                keys.push(RefusalKey::Person(person));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let unsubscribes = keys
            .into_iter()
            .map(|key| unsubscribe(case.id, case.incoming, key, UnsubscribeChange::OptedOut))
            .collect();
        Ok(Decision { classification, effect: IncomingEffect { unsubscribes, ..IncomingEffect::default() } })
    }

    /// How far the opt-out reaches by the rules that any campaign of the company names, unless it is archived. Not only those
    /// that the person may be answering: the rules are about the caller, and hold after the appointment too.
    async fn scope_by_rule(&self, case: &Case<'_>, said: OptOutScope) -> Result<OptOutScope, ServiceError> {
        let (mut scope, mut after) = (said, None);
        while scope != OptOutScope::Person {
            let page = match self.ports.store.campaigns(case.company, after, CAMPAIGNS_PAGE).await {
                Ok(page) => page,
                // What cannot be read may demand the most.
                Err(StoreError::Corrupt { .. }) => return Ok(OptOutScope::Person),
                Err(error) => return Err(error.into()),
            };
            let in_use = page.items.iter().filter(|campaign| campaign.state != CampaignState::Archived);
            let (from, at) = (&case.incoming.from, case.incoming.at);
            scope = in_use.fold(scope, |scope, campaign| {
                self.campaigns.opt_out_scope(&campaign.definition, scope, from, at)
            });
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(scope)
    }
}

/// Lifts the refusal of the contact point; one that covers the whole person needs more than a word from one phone.
fn opted_in(case: &Case<'_>, classification: Classification) -> Decision {
    let event =
        unsubscribe(case.id, case.incoming, case.incoming.from.refusal_key(), UnsubscribeChange::OptedIn);
    Decision {
        classification,
        effect: IncomingEffect { unsubscribes: vec![event], ..IncomingEffect::default() },
    }
}

fn reply_kind(kind: ResponseKind) -> ReplyKind {
    match kind {
        ResponseKind::Confirmed => ReplyKind::Confirm,
        ResponseKind::Cancelled => ReplyKind::Cancel,
        ResponseKind::RescheduleWanted => ReplyKind::Reschedule,
        ResponseKind::Answer(name) => ReplyKind::Answer(name),
    }
}

fn unsubscribe(
    id: IncomingId,
    incoming: &Incoming,
    key: RefusalKey,
    change: UnsubscribeChange,
) -> Unsubscribe {
    Unsubscribe { key, change, source: UnsubscribeSource::Reply(id), at: incoming.at }
}

/// The reading on which two campaigns agree. An opt-out wins over every other, and an answer that one of them asks for over a
/// campaign that knows nothing of it.
fn agree(one: Classification, other: Classification) -> Classification {
    match (one.kind, other.kind) {
        (ReplyKind::OptOut(_), _) => one,
        (_, ReplyKind::OptOut(_)) => other,
        (a, b) if a == b => one,
        (ReplyKind::Answer(_), ReplyKind::Unclear) if other.reason == ReplyReason::NotUnderstood => one,
        (ReplyKind::Unclear, ReplyKind::Answer(_)) if one.reason == ReplyReason::NotUnderstood => other,
        _ => Classification { kind: ReplyKind::Unclear, reason: ReplyReason::ConflictingAnswers },
    }
}
