//! The answers model: what it learns from sending, and what it may change.

use std::time::Duration;

use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::answers::Goal;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::services::{Answers, Explain, Settings};
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

/// A number that never answers.
const SILENT: &str = "+12025550101";

/// Everybody confirms, but for well-known contact points that do not.
fn world() -> World {
    let script = json!({ "default": { "mix": { "confirms": 1 } } });
    let tune = |settings: &mut Settings| settings.tick = Duration::from_mins(5);
    World::new(&Setup { script, tune, start: instant("2026-03-08T12:00:00Z"), ..Setup::default() })
}

fn line(key: &str, person: &str, cell: &str, mail: &str, at: &str) -> String {
    format!("{key},Ann,{cell},{mail},{at},{person}\n")
}

/// A week of history: P1 answers text messages and no e-mails, P2 the other way round.
fn history(world: &mut World, campaign: &Campaign, by_mail: &Campaign) {
    for day in 9..14 {
        let at = format!("2026-03-{day:02} 14:00");
        let texts = line(&format!("A{day}"), "P1", &material::number(day), "", &at)
            + &line(&format!("B{day}"), "P2", SILENT, "", &at);
        let mails = line(&format!("C{day}"), "P1", "", "silent+1@sandbox.example", &at)
            + &line(&format!("D{day}"), "P2", "", &format!("p2.{day}@mail.example"), &at);
        world.load(campaign.company, campaign.id, &(material::HEADER.to_owned() + &texts));
        world.load(by_mail.company, by_mail.id, &(material::HEADER.to_owned() + &mails));
    }
    world.start_worker();
    world.run_until(instant("2026-03-16T20:00:00Z"));
}

/// The messages that a campaign with this document makes of a row of each person.
fn mapped(
    world: &mut World,
    company: reminderly_core::ids::CompanyId,
    document: &Value,
    key: &str,
) -> Vec<MessageRecord> {
    let campaign = world.campaign(company, document);
    let at = "2026-03-18 14:00";
    let rows = line(&format!("{key}1"), "P1", &material::number(50), "silent+1@sandbox.example", at)
        + &line(&format!("{key}2"), "P2", SILENT, "p2@mail.example", at)
        + &line(&format!("{key}3"), "P3", &material::number(7), "", at);
    let packet = world.load(company, campaign.id, &(material::HEADER.to_owned() + &rows));
    world.run_for(Duration::from_mins(6));
    world.messages(company, packet)
}

fn planned(records: &[MessageRecord]) -> Vec<ContactMethod> {
    let goes = |record: &&MessageRecord| record.state.planned_at.is_some();
    records.iter().filter(goes).map(|record| record.message.method).collect()
}

#[test]
fn the_first_method_follows_the_answers_and_no_message_is_added() {
    let mut world = world();
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let mail = material::document_with(&[("/methods/order", json!(["email"]))]);
    let by_mail = world.campaign(company, &mail);
    history(&mut world, &campaign, &by_mail);

    let off = mapped(&mut world, company, &material::document(), "X");
    assert_eq!(planned(&off), [ContactMethod::Sms; 3]);
    let on = material::document_with(&[("/methods/answers_model", json!("first_method"))]);
    let chosen = mapped(&mut world, company, &on, "Y");
    assert_eq!(planned(&chosen), [ContactMethod::Sms, ContactMethod::Email, ContactMethod::Sms]);
    assert_eq!(chosen.len(), off.len());

    let trace = |position: usize| chosen[position].message.trace.as_ref().and_then(|trace| trace.answers);
    assert_eq!(trace(0).map(|answers| answers.chosen), Some(ContactMethod::Sms));
    assert!(trace(1).is_some_and(|answers| answers.chosen_chance.mean > answers.first_chance.mean));
    assert_eq!(trace(2), None, "there was nothing to choose from");
    let scope = world.scope(company, Action::ViewMessages);
    let moved = &chosen[1].message;
    let explained = block_on(Explain::new(&world.ports).message(&scope, moved.packet, moved.id)).unwrap();
    let text = explained.to_string();
    assert!(text.contains("email goes before sms"), "{text}");
    assert!(!text.contains("P2") && !text.contains('@'), "{text}");
    // E-mails have no legal instant: the model must not cost a message.
    let closed = json!({ "days": ["sun"], "from": "03:00", "to": "03:30" });
    let mut narrow = on.clone();
    narrow["schedule"]["windows"]["email"] = closed;
    let kept = mapped(&mut world, company, &narrow, "Z");
    assert_eq!(planned(&kept), [ContactMethod::Sms; 3]);
    judge::at_most_once(&world);
}

#[test]
fn a_message_goes_at_the_hour_that_is_answered_and_none_is_added() {
    let mut world = world();
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    // Whoever is asked at one o'clock answers, and whoever is asked at eleven does not.
    for day in 9..14 {
        let silent =
            line(&format!("A{day}"), &format!("S{day}"), SILENT, "", &format!("2026-03-{day:02} 14:00"));
        let answers =
            line(&format!("B{day}"), "Q", &material::number(day), "", &format!("2026-03-{day:02} 16:00"));
        world.load(company, campaign.id, &(material::HEADER.to_owned() + &silent + &answers));
    }
    world.start_worker();
    let order = material::document_with(&[("/methods/answers_model", json!("order"))]);
    let unknowing = mapped(&mut world, company, &order, "W");
    world.run_until(instant("2026-03-16T20:00:00Z"));
    let off = mapped(&mut world, company, &material::document(), "X");
    let on = mapped(&mut world, company, &order, "Y");
    let at = |records: &[MessageRecord]| -> Vec<_> {
        records.iter().map(|record| record.state.planned_at.map(|at| at.to_rfc3339())).collect()
    };
    let (eleven, noon) = ("2026-03-18T18:00:00+00:00", "2026-03-18T19:00:00+00:00");
    assert_eq!(at(&unknowing), vec![Some(eleven.to_owned()); 3], "nothing is known yet");
    assert_eq!(at(&off), vec![Some(eleven.to_owned()); 3]);
    assert_eq!(at(&on), vec![Some(noon.to_owned()); 3], "at one it would be too near to the appointment");

    let scope = world.scope(company, Action::ViewMessages);
    let moved = &on[0].message;
    let explained = block_on(Explain::new(&world.ports).message(&scope, moved.packet, moved.id)).unwrap();
    let text = explained.to_string();
    assert!(text.contains("goes at Wed 2026-03-18 12:00 MST, not at Wed 2026-03-18 11:00 MST"), "{text}");
    world.run_until(instant("2026-03-18T21:00:00Z"));
    let sent = world.sandbox.accepted().into_iter().filter(|sent| sent.message == moved.id);
    assert_eq!(sent.map(|sent| sent.at).collect::<Vec<_>>(), [instant("2026-03-18T19:00:00Z")]);
    judge::at_most_once(&world);
}

#[test]
fn likely_responders_are_ranked_and_foreseen() {
    let mut world = world();
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let mail = material::document_with(&[("/methods/order", json!(["email"]))]);
    let by_mail = world.campaign(company, &mail);
    history(&mut world, &campaign, &by_mail);
    let answers = Answers::new(&world.ports);
    let look = world.scope(company, Action::ViewMessages);
    let likely = block_on(answers.likely_responders(&look, Goal::PositiveAnswer, 10)).unwrap();
    assert_eq!(likely.len(), 2);
    assert_eq!((likely[0].person.as_str(), likely[0].method), ("P1", ContactMethod::Sms));
    assert!(likely[0].positive.mean > 0.7 && likely[0].positive.low > 0.4, "{:?}", likely[0]);
    assert_eq!(block_on(answers.likely_responders(&look, Goal::Answer, 1)).unwrap().len(), 1);
    let read = world.scope(company, Action::ViewReports);
    let split = instant("2026-03-11T20:00:00Z");
    let report = block_on(answers.calibration(&read, Goal::Answer, split)).unwrap();
    println!("{report:?}");
    assert!(report.contacts >= 8 && report.skill.unwrap() > 0.3, "{report:?}");
}
