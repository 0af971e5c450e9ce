//! Personal data that must not get out.

use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures::executor::block_on;
use metrics_util::debugging::DebuggingRecorder;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::one_liner::OneLiner;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::queue::MessageQueue as _;
use reminderly_core::ports::store::{
    IncomingStore as _, MessageStore as _, PacketStore as _, UnsubscribeStore as _,
};
use reminderly_core::services::{CallContent, CallProgress, Callbacks, Explain, OnDemandCall};
use reminderly_tests::material;
use reminderly_tests::world::{Setup, World, instant};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// Nothing of this may be seen, whatever its case.
const CANARIES: [&str; 9] = [
    "zanzibarovna",
    "2349876",
    "234-9876",
    "zanzi.birdsong",
    "kcanary77",
    "pcanary88",
    "xylophone",
    "ocarina",
    "quince",
];

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

fn assert_clean(what: &str, text: &str) {
    let text = text.to_lowercase();
    for canary in CANARIES {
        if let Some((before, after)) = text.split_once(canary) {
            let before: String =
                before.chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
            let around = format!("{before}{canary}{}", after.chars().take(100).collect::<String>());
            panic!("{canary} is in {what}: … {around} …");
        }
    }
}

/// Everything that can be shown with `{:?}`.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn show(&mut self, value: &impl Debug) {
        writeln!(self.0, "{value:?} {value:#?}").unwrap();
    }
}

fn data() -> String {
    let mut data = material::HEADER.to_owned();
    data.push_str(
        "KCANARY77,Zanzibarovna,(520) 234-9876,zanzi.birdsong@example.org,2026-03-04 14:00,PCANARY88\n",
    );
    data.push_str("KCANARY77b,Zanzibarovna,,zanzi.birdsong@example.org,2026-03-04 14:10,\n");
    // Rejected, for each reason that quotes could come from.
    data.push_str("KCANARY77c,Zanzibarovna,(520) 234-9876,,quince o'clock,PCANARY88\n");
    data.push_str("KCANARY77d,Zanzibarovna,too few\n");
    data.push_str("KCANARY77e,Zanzibarovna,quince,zanzi.birdsong(at)quince,2026-03-04 14:00,PCANARY88\n");
    data
}

fn show_all(
    world: &World,
    campaign: &reminderly_core::domain::campaign::lifecycle::Campaign,
    shown: &mut Shown,
) {
    let company = campaign.company;
    let view = world.scope(company, Action::ViewMessages);
    for packet in world.packets(campaign) {
        shown.show(&packet);
        shown.show(&block_on(world.store.rows(company, packet.id, RowNumber(0), 99)).unwrap());
        shown.show(&block_on(world.store.rejected(company, packet.id, RowNumber(0), 99)).unwrap());
        for record in world.messages(company, packet.id) {
            shown.show(&record);
            let id = record.message.id;
            shown.show(&block_on(world.store.attempts(company, packet.id, id)).unwrap());
            shown.show(&block_on(world.store.history(company, packet.id, id)).unwrap());
            let explanation = block_on(Explain::new(&world.ports).message(&view, packet.id, id)).unwrap();
            shown.show(&explanation);
            writeln!(shown.0, "{explanation} {}", serde_json::to_string(&explanation).unwrap()).unwrap();
            if let Some(contact) = &record.message.contact {
                let key = contact.refusal_key();
                shown.show(&block_on(world.store.unsubscribe_events(company, &key)).unwrap());
            }
        }
    }
    shown.show(&block_on(world.store.incoming(company, None, 99)).unwrap());
    shown.show(&world.sandbox.accepted());
    shown.show(&world.sandbox);
}

/// Calls with canaries in their keys, cells, contact points and texts: taken, refused, and asked for.
fn send_on_demand(world: &World, company: CompanyId, shown: &mut Shown) {
    let campaign = world.campaign(company, &material::on_demand());
    let scope = world.scope(company, Action::SendOnDemand);
    let on_demand = world.on_demand(world.workers()[0]);
    let person = || OneLiner::email("zanzi.birdsong@example.org").with_person("PCANARY88");
    let sms = |number: &str| OneLiner::sms(number).with_text("A xylophone for Zanzibarovna.");
    let bad_row = [("Key", ""), ("Name", "Zanzibarovna"), ("Cell", "quince"), ("Email", ""), ("Person", "")];
    let bad_row = bad_row.map(|(column, cell)| (column.to_owned(), cell.to_owned()));
    let calls = [
        ("KCANARY77", CallContent::OneLiner(Box::new(person().with_field("Name", "Zanzibarovna")))),
        ("KCANARY77", CallContent::OneLiner(Box::new(sms("+15202349876")))),
        ("KCANARY77b", CallContent::OneLiner(Box::new(sms("quince")))),
        ("KCANARY77c", CallContent::OneLiner(Box::new(person().with_time_zone("ocarina")))),
        ("KCANARY77d", CallContent::Rows(vec![bad_row.into()])),
    ];
    let answers = calls.map(|(key, content)| {
        let call = OnDemandCall { key: CallKey::new(key).unwrap(), content };
        shown.show(&call);
        let answer = block_on(on_demand.send(&scope, campaign.id, &call));
        if let Err(error) = &answer {
            let source = std::error::Error::source(error).map(ToString::to_string);
            writeln!(shown.0, "{error} {source:?}").unwrap();
        }
        shown.show(&answer);
        answer.ok().map(|receipt| receipt.packet)
    });
    assert_eq!(answers.map(|packet| packet.is_some()), [true, false, false, false, true]);
    for packet in answers.into_iter().flatten() {
        let outcome = on_demand.outcome(&scope, packet, CallProgress::Open, std::time::Duration::ZERO);
        shown.show(&block_on(outcome).unwrap());
    }
    show_all(world, &campaign, shown);
}

fn run(shown: &mut Shown) {
    let number = "+15202349876";
    let replies = json!([
        { "after": "2m", "text": "ocarina?" }, { "after": "3m", "text": "1" }, { "after": "9m", "text": "STOP ocarina" }
    ]);
    let script = json!({ "contact_points": {
        (number): { "request": { "time_out": { "accepted": false } }, "replies": replies,
                    "reports": [{ "after": "1s", "report": "delivered" }] },
        "zanzi.birdsong@example.org": "hangs",
    } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let document = material::document_with(&[(
        "/messages/sms/text",
        json!("Clinic: {{ first_name }}, bring your xylophone. STOP to opt out."),
    )]);
    let campaign = world.campaign(company, &document);
    world.load(company, campaign.id, &data());
    world.start_worker();
    world.run_until(instant("2026-03-04T18:00:05Z"));
    send_on_demand(&world, company, shown);
    shown.show(&world.open_packets());
    // What waits in queues and what comes from outside, forged or not.
    let callbacks = Callbacks::new(&world.ports, &world.settings);
    world.run_until(instant("2026-03-04T18:02:00Z"));
    let late = world.sandbox.next_callback_at();
    world.clock.advance_to(late.unwrap());
    for callback in world.sandbox.take_callbacks(world.now()) {
        shown.show(&callback);
        let mut forged = callback.request.clone();
        forged.body.push(b' ');
        let error = block_on(callbacks.accept(&callback.provider, &forged)).unwrap_err();
        shown.show(&error);
        writeln!(shown.0, "{error}").unwrap();
        block_on(callbacks.accept(&callback.provider, &callback.request)).unwrap();
    }
    for queue in [&world.settings.queues.incoming, &world.settings.queues.dispositions] {
        let visibility = std::time::Duration::from_secs(1);
        let leases = block_on(world.queue.receive(queue, 10, std::time::Duration::ZERO, visibility)).unwrap();
        shown.show(&leases);
    }
    let bad = block_on(world.ports.queue.send(&world.settings.queues.incoming, &[]));
    shown.show(&bad);
    world
        .queue
        .put_raw_body(&world.settings.queues.incoming, "{\"from\": \"+15202349876 ocarina\"}")
        .unwrap();
    world.queue.put_raw_body(&world.settings.queues.dispositions, "zanzibarovna").unwrap();
    world.run_to_end();
    show_all(&world, &campaign, shown);
    let sent = world.sandbox.accepted();
    let texts: String = sent.iter().map(|request| request.content.text()).collect();
    assert!(sent.len() >= 3 && texts.contains("Zanzibarovna, bring your xylophone"), "the canaries went out");
}

#[test]
fn nothing_personal_is_in_logs_metrics_errors_and_debug() {
    let (logs, mut shown) = (Captured::default(), Shown::default());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(logs.clone())
        .finish();
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    tracing::subscriber::with_default(subscriber, || {
        metrics::with_local_recorder(&recorder, || run(&mut shown));
    });
    let metrics: Vec<String> =
        snapshotter.snapshot().into_vec().iter().map(|(key, ..)| format!("{key:?}")).collect();
    assert!(metrics.len() > 10, "{metrics:?}");
    let logs = logs.text();
    assert!(logs.lines().count() > 20, "{logs}");
    assert_clean("logs", &logs);
    assert_clean("metrics", &metrics.join("\n"));
    assert_clean("what Debug shows", &shown.0);
}
