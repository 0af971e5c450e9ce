//! Which appointment a reply is about.

use crate::domain::incoming::Answerable;
use crate::domain::message_status::MessageStatus;
use crate::domain::response::ResponseKind;

/// Which appointment a reply is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tie<'a> {
    /// None that could be meant.
    Nothing,
    /// Exactly this one.
    One(&'a Answerable),
    /// Exactly these: all that one household's message asked about and that the answer can change.
    Household(Vec<&'a Answerable>),
    /// Any of these: the person is asked.
    Several(Vec<&'a Answerable>),
    /// One that may never have arrived, or another that did and that the answer cannot change: a human decides.
    Doubtful,
}

/// How a person worded an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// With a word or key that the campaign asked for, and nothing beside it: it answers what the message asked.
    Asked,
    /// In any other way: more may be meant than the words show, or less.
    Own,
}

/// Ties an answer to the one appointment that it can change, if there is exactly one. It is never guessed: not by time, not
/// by which message went last, and not by what is left if nobody knows whether that went.
///
/// An answer to a household's message, in the word that it asked for, is about all that the message named, if nothing else
/// could be meant. A campaign's own answer is about a message, whatever that names.
pub fn tie(kind: ResponseKind, wording: Wording, answerable: &[Answerable]) -> Tie<'_> {
    let mut fitting: Vec<&Answerable> =
        answerable.iter().filter(|candidate| kind.may_follow(candidate.earlier(kind))).collect();
    if !kind.is_about_appointment() {
        let mut seen = Vec::with_capacity(fitting.len());
        fitting.retain(|candidate| {
            let is_new = !seen.contains(&candidate.message);
            seen.push(candidate.message);
            is_new
        });
    }
    let is_household = is_of_one_message(&fitting);
    let may_mean_another = |meant: &&Answerable| {
        let surely_another =
            |it: &Answerable| it.message != meant.message && it.status != MessageStatus::Unknown;
        meant.status == MessageStatus::Unknown && answerable.iter().any(surely_another)
    };
    if is_household && fitting.first().is_some_and(may_mean_another) {
        return Tie::Doubtful;
    }
    match (fitting.pop(), fitting.is_empty()) {
        (None, _) => Tie::Nothing,
        (Some(only), true) => Tie::One(only),
        (Some(last), false) => {
            fitting.push(last);
            if is_household && wording == Wording::Asked {
                Tie::Household(fitting)
            } else {
                Tie::Several(fitting)
            }
        }
    }
}

/// Whether one message asked about all of these.
pub fn is_of_one_message(candidates: &[&Answerable]) -> bool {
    candidates.iter().all(|one| candidates.first().is_some_and(|first| first.message == one.message))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};

    use super::*;
    use crate::domain::appointment::Appointment;
    use crate::domain::appointment_key::AppointmentKey;
    use crate::domain::person::PersonKey;
    use crate::ids::{CampaignId, IdSourceExt as _, MessageId, PacketId, SeededIds};

    fn answerable(key: &str, response: Option<ResponseKind>) -> Answerable {
        let ids = SeededIds::new(3);
        let now = DateTime::UNIX_EPOCH;
        let local = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap().and_hms_opt(9, 15, 0).unwrap();
        Answerable {
            message: ids.next::<MessageId>(now),
            packet: ids.next::<PacketId>(now),
            campaign: ids.next::<CampaignId>(now),
            member: None,
            key: AppointmentKey::new(key).unwrap(),
            person: PersonKey::new("p").unwrap(),
            appointment: Some(Appointment::new(local, chrono_tz::America::New_York)),
            until: now,
            status: MessageStatus::Sent,
            sent_at: now,
            response,
            answer: None,
        }
    }

    #[test]
    fn one_open_appointment_is_meant() {
        let only = [answerable("a", None)];
        assert_eq!(tie(ResponseKind::Confirmed, Wording::Own, &only), Tie::One(&only[0]));
    }

    #[test]
    fn two_open_appointments_are_asked_about() {
        let both = [answerable("a", None), answerable("b", None)];
        assert_eq!(tie(ResponseKind::Cancelled, Wording::Own, &both), Tie::Several(both.iter().collect()));
    }

    #[test]
    fn a_confirmation_skips_what_is_confirmed_but_a_cancellation_does_not() {
        let both = [answerable("a", Some(ResponseKind::Confirmed)), answerable("b", None)];
        assert_eq!(tie(ResponseKind::Confirmed, Wording::Own, &both), Tie::One(&both[1]));
        assert_eq!(tie(ResponseKind::Cancelled, Wording::Own, &both), Tie::Several(both.iter().collect()));
    }

    #[test]
    fn a_campaigns_answer_is_tied_to_the_message_whatever_became_of_the_appointment() {
        let good = ResponseKind::Answer("positive".parse().unwrap());
        let mut told = [answerable("a", Some(ResponseKind::Confirmed))];
        assert_eq!(tie(good, Wording::Own, &told), Tie::One(&told[0]));
        told[0].answer = Some(good);
        assert_eq!(tie(good, Wording::Own, &told), Tie::Nothing, "it is known already");
        let both = [told[0].clone(), answerable("b", None)];
        assert_eq!(tie(good, Wording::Own, &both), Tie::One(&both[1]));
    }

    #[test]
    fn a_released_appointment_is_not_answered_again() {
        let released = [answerable("a", Some(ResponseKind::Cancelled))];
        assert_eq!(tie(ResponseKind::Confirmed, Wording::Own, &released), Tie::Nothing);
        assert_eq!(tie(ResponseKind::Cancelled, Wording::Own, &[]), Tie::Nothing);
    }

    #[test]
    fn what_may_not_have_gone_is_not_meant_because_it_is_left() {
        let [known, mut left] = [answerable("a", Some(ResponseKind::Confirmed)), answerable("b", None)];
        (left.status, left.message) = (MessageStatus::Unknown, SeededIds::new(4).next(DateTime::UNIX_EPOCH));
        let both = [known, left];
        assert_eq!(tie(ResponseKind::Confirmed, Wording::Asked, &both), Tie::Doubtful);
        assert_eq!(tie(ResponseKind::Confirmed, Wording::Asked, &both[1..]), Tie::One(&both[1]));
        let asked_about = Tie::Several(both.iter().collect());
        assert_eq!(tie(ResponseKind::Cancelled, Wording::Asked, &both), asked_about);
    }

    fn household() -> [Answerable; 3] {
        let [one, two, other] = ["a", "b", "c"].map(|key| answerable(key, None));
        let other = Answerable { message: SeededIds::new(4).next(DateTime::UNIX_EPOCH), ..other };
        [one, two, other]
    }

    #[test]
    fn the_word_that_was_asked_for_is_about_all_that_the_message_named() {
        let [mut one, two, _] = household();
        let both = [one.clone(), two.clone()];
        for kind in ResponseKind::ALL {
            assert_eq!(tie(kind, Wording::Asked, &both), Tie::Household(both.iter().collect()), "{kind}");
            assert_eq!(tie(kind, Wording::Own, &both), Tie::Several(both.iter().collect()), "{kind}");
        }
        one.response = Some(ResponseKind::Cancelled);
        let rest = [one, two];
        assert_eq!(
            tie(ResponseKind::Confirmed, Wording::Asked, &rest),
            Tie::One(&rest[1]),
            "what is released is not meant"
        );
    }

    #[test]
    fn beside_another_message_a_household_is_asked_about() {
        let all = household();
        assert_eq!(tie(ResponseKind::Cancelled, Wording::Asked, &all), Tie::Several(all.iter().collect()));
    }

    #[test]
    fn a_campaigns_answer_is_tied_to_a_households_message_once() {
        let good = ResponseKind::Answer("positive".parse().unwrap());
        let [one, two, other] = household();
        let both = [one, two];
        assert_eq!(tie(good, Wording::Own, &both), Tie::One(&both[0]));
        let all = [both[0].clone(), both[1].clone(), other];
        assert_eq!(tie(good, Wording::Asked, &all), Tie::Several(vec![&all[0], &all[2]]));
    }
}
