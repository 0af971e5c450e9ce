//! Which appointment a reply is about.

use crate::domain::incoming::Answerable;
use crate::domain::response::ResponseKind;

/// Which appointment a reply is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tie<'a> {
    /// None that could be meant.
    Nothing,
    /// Exactly this one.
    One(&'a Answerable),
    /// Any of these: the person is asked.
    Several(Vec<&'a Answerable>),
}

/// Ties an answer to the one appointment that it can change, if there is exactly one. It is never guessed: not by time, not
/// by which message went last.
pub fn tie(kind: ResponseKind, answerable: &[Answerable]) -> Tie<'_> {
    let mut fitting: Vec<&Answerable> =
        answerable.iter().filter(|candidate| kind.may_follow(candidate.earlier(kind))).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (None, _) => Tie::Nothing,
        (Some(only), true) => Tie::One(only),
        (Some(last), false) => {
            fitting.push(last);
            Tie::Several(fitting)
        }
    }
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
            key: AppointmentKey::new(key).unwrap(),
            person: PersonKey::new("p").unwrap(),
            appointment: Some(Appointment::new(local, chrono_tz::America::New_York)),
            until: now,
            sent_at: now,
            response,
            answer: None,
        }
    }

    #[test]
    fn one_open_appointment_is_meant() {
        let only = [answerable("a", None)];
        assert_eq!(tie(ResponseKind::Confirmed, &only), Tie::One(&only[0]));
    }

    #[test]
    fn two_open_appointments_are_asked_about() {
        let both = [answerable("a", None), answerable("b", None)];
        assert_eq!(tie(ResponseKind::Cancelled, &both), Tie::Several(both.iter().collect()));
    }

    #[test]
    fn a_confirmation_skips_what_is_confirmed_but_a_cancellation_does_not() {
        let both = [answerable("a", Some(ResponseKind::Confirmed)), answerable("b", None)];
        assert_eq!(tie(ResponseKind::Confirmed, &both), Tie::One(&both[1]));
        assert_eq!(tie(ResponseKind::Cancelled, &both), Tie::Several(both.iter().collect()));
    }

    #[test]
    fn a_campaigns_answer_is_tied_to_the_message_whatever_became_of_the_appointment() {
        let good = ResponseKind::Answer("positive".parse().unwrap());
        let mut told = [answerable("a", Some(ResponseKind::Confirmed))];
        assert_eq!(tie(good, &told), Tie::One(&told[0]));
        told[0].answer = Some(good);
        assert_eq!(tie(good, &told), Tie::Nothing, "it is known already");
        let both = [told[0].clone(), answerable("b", None)];
        assert_eq!(tie(good, &both), Tie::One(&both[1]));
    }

    #[test]
    fn a_released_appointment_is_not_answered_again() {
        let released = [answerable("a", Some(ResponseKind::Cancelled))];
        assert_eq!(tie(ResponseKind::Confirmed, &released), Tie::Nothing);
        assert_eq!(tie(ResponseKind::Cancelled, &[]), Tie::Nothing);
    }
}
