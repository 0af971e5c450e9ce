//! `docs/lifecycles.md` says what the code does, for all pairs.

use std::collections::{BTreeMap, BTreeSet};

use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::domain::disposition::AttemptReport;
use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};
use reminderly_core::domain::packet::PacketStage;

use crate::workspace::{list, read, table};

const DOCUMENT: &str = "docs/lifecycles.md";

fn rows(name: &str) -> Vec<Vec<String>> {
    table(&read(DOCUMENT), &format!("<!-- table: {name} -->"))
}

#[test]
fn the_message_table_is_the_transition_table() {
    let mut written = BTreeMap::new();
    for row in rows("message") {
        for from in list(&row[0]) {
            let key = (from.to_owned(), row[1].clone());
            assert!(written.insert(key, row[2].clone()).is_none(), "{from} and {} stand twice", row[1]);
        }
        assert!(!row[3].is_empty(), "nobody causes {}", row[1]);
    }
    let coded: Transitions = MessageStatus::ALL
        .into_iter()
        .flat_map(|from| MessageEvent::ALL.map(|event| (from, event)))
        .filter_map(|(from, event)| {
            let to = from.after(event)?;
            Some(((from.to_string(), event.to_string()), to.to_string()))
        })
        .collect();
    let (extra, missing) = (lines_of_one(&written, &coded), lines_of_one(&coded, &written));
    assert!(extra.is_empty() && missing.is_empty(), "{DOCUMENT} has {extra:#?} and lacks {missing:#?}");
}

#[test]
fn the_packet_table_is_the_stage_table() {
    let names: Vec<_> = PacketStage::ALL.into_iter().map(|stage| (stage, stage.as_str())).collect();
    assert_eq!(pairs("packet"), possible(&names, PacketStage::may_become));
}

#[test]
fn the_campaign_table_is_the_state_table() {
    let names: Vec<_> = CampaignState::ALL.into_iter().map(|state| (state, state.as_str())).collect();
    assert_eq!(pairs("campaign"), possible(&names, CampaignState::may_become));
}

#[test]
fn the_table_of_reports_is_the_order_of_the_lattice() {
    let code = || "30003".into();
    let mut reports = vec![
        AttemptReport::Complained,
        AttemptReport::Machine,
        AttemptReport::NoAnswer,
        AttemptReport::Voicemail,
        AttemptReport::Busy,
        AttemptReport::Undelivered { code: code() },
        AttemptReport::Accepted,
        AttemptReport::Delivered,
        AttemptReport::Sent,
    ];
    reports.sort();
    let coded: Vec<_> =
        reports.iter().map(|report| (report.to_string(), report.event().to_string())).collect();
    let written: Vec<_> = rows("reports")
        .into_iter()
        .enumerate()
        .map(|(position, row)| {
            assert_eq!(row[0], (position + 1).to_string(), "ranks count from 1");
            let name =
                if row[1] == "undelivered" { format!("undelivered:{}", code()) } else { row[1].clone() };
            (name, row[2].clone())
        })
        .collect();
    assert_eq!(written, coded, "left: {DOCUMENT}, right: AttemptReport");
    // `AttemptReport` has no list of its variants: this match stops compiling when one is added.
    for report in reports {
        match report {
            AttemptReport::Accepted
            | AttemptReport::Sent
            | AttemptReport::Undelivered { .. }
            | AttemptReport::Busy
            | AttemptReport::NoAnswer
            | AttemptReport::Machine
            | AttemptReport::Voicemail
            | AttemptReport::Delivered
            | AttemptReport::Complained => {}
        }
    }
}

type Transitions = BTreeMap<(String, String), String>;

/// What stands in one table and not in the other.
fn lines_of_one(one: &Transitions, other: &Transitions) -> Vec<String> {
    let differs = |(key, to): &(&(String, String), &String)| other.get(*key) != Some(*to);
    one.iter().filter(differs).map(|((from, event), to)| format!("{from} + {event} = {to}")).collect()
}

fn pairs(name: &str) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    for row in rows(name) {
        for from in list(&row[0]) {
            for to in list(&row[1]) {
                assert!(pairs.insert((from.to_owned(), to.to_owned())), "{from} to {to} stands twice");
            }
        }
    }
    pairs
}

fn possible<S: Copy>(names: &[(S, &str)], may_become: fn(S, S) -> bool) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    for (from, from_name) in names {
        for (to, to_name) in names {
            if may_become(*from, *to) {
                pairs.insert(((*from_name).to_owned(), (*to_name).to_owned()));
            }
        }
    }
    pairs
}
