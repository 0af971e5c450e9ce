//! What the steps of a row and of a message cost, one by one.
#![expect(clippy::expect_used, reason = "a bench that fails must stop")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use futures::executor::block_on;
use reminderly_core::clock::SystemClock;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::PhoneNumber;
use reminderly_core::domain::envelope::{Envelope, MAX_SLICE, Slice};
use reminderly_core::domain::mapping::{CompiledCampaign, check};
use reminderly_core::domain::plan::{PlanInput, plan_row};
use reminderly_core::domain::reply::{ReplyWords, classify};
use reminderly_core::domain::row::{Header, Row, RowNumber};
use reminderly_core::domain::segments::count_segments;
use reminderly_core::domain::table::{Position, RecordReader, TextEncoding, TextForm};
use reminderly_core::ids::{IdSourceExt as _, RandomIds};
use reminderly_core::ports::provider::{OutboundMessage, SendDeadline};
use reminderly_core::ports::queue::{MessageQueue as _, Outgoing, QueueAdmin as _, QueueName, QueueSpec};
use reminderly_core::ports::source::PacketSource as _;
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, ClaimTerms, Claimed, HandOver, MaxCopies, SettleVerdict, Settlement,
};
use reminderly_providers::sandbox::NamedPersona;
use reminderly_queue_memory::MemoryQueue;
use reminderly_tests::example::{HEADER, Methods, document};
use reminderly_tests::generated_file::{FILE, GeneratedFile};
use reminderly_tests::sending::Sending;

const TEXT: &str = "Smith Clinic: Ann, you have an appointment Mon Mar 9, 9:15 AM at Main St. Reply 1 to confirm, 2 \
                    to cancel, STOP to opt out.";

fn campaign() -> (CompiledCampaign, Header, Row) {
    let campaign = check(&document(Methods::FirstAvailable)).expect("the campaign compiles");
    let header = Header(HEADER.split(',').map(str::to_owned).collect());
    let fields =
        ["A-1", "MARY-ANN", "03/19/2026", "09:15 AM", "(520) 555-0100", "mary.ann@example.com", "en"];
    (campaign, header, Row::new(RowNumber(1), 2, fields))
}

fn row(criterion: &mut Criterion) {
    let (campaign, header, row) = campaign();
    let bound = campaign.mapper(&header).expect("the header fits");
    let mapped = bound.map(&row).expect("the row is good");
    let zones = [mapped.contact_zone];
    let input = PlanInput {
        schedule: &campaign.definition().schedule,
        method: ContactMethod::Sms,
        appointment: mapped.appointment.as_ref(),
        zones: &zones,
        rules: &[],
        now: chrono::DateTime::from_timestamp(1_772_323_200, 0).expect("an instant"),
    };
    let words = ReplyWords::new(["1", "c"], ["2", "x"], ["3", "r"]);
    let mut group = criterion.benchmark_group("row");
    group.throughput(Throughput::Elements(1));
    group.bench_function("phone_parse", |bench| {
        bench.iter(|| PhoneNumber::parse(black_box("(520) 555-0100"), Some("US")));
    });
    group.bench_function("phone_parse_abroad", |bench| {
        bench.iter(|| PhoneNumber::parse(black_box("+44 20 7946 0018"), Some("US")));
    });
    group.bench_function("map", |bench| bench.iter(|| bound.map(black_box(&row))));
    group.bench_function("render_sms", |bench| {
        bench.iter(|| campaign.render(ContactMethod::Sms, black_box(&mapped)));
    });
    group.bench_function("plan_two_entries", |bench| bench.iter(|| plan_row(black_box(&input))));
    group.bench_function("count_segments", |bench| bench.iter(|| count_segments(black_box(TEXT))));
    group.bench_function("classify_confirm", |bench| bench.iter(|| classify(black_box("1"), &words)));
    group.bench_function("classify_sentence", |bench| {
        bench.iter(|| classify(black_box("Sorry, please stop texting me about this!"), &words));
    });
    group.finish();
}

fn records(criterion: &mut Criterion) {
    const ROWS: u64 = 10_000;
    let mut bytes = Vec::new();
    block_on(async {
        let mut reader = GeneratedFile::new(ROWS).open(FILE, 0).await.expect("the file is there");
        while reader.read(&mut bytes, 64 << 10).await.expect("the file is readable") > 0 {}
    });
    let header = Header(HEADER.split(',').map(str::to_owned).collect());
    let start = Position { row: RowNumber(0), offset: HEADER.len() as u64 + 1, line: 2 };
    let form = TextForm { encoding: TextEncoding::Utf8, delimiter: b',' };
    let body = bytes.get(HEADER.len() + 1..).expect("rows");
    let mut group = criterion.benchmark_group("file");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("records", |bench| {
        bench.iter(|| {
            let mut records = RecordReader::new(header.clone(), form, 1 << 20, start);
            let mut read = 0_u64;
            for chunk in body.chunks(64 << 10) {
                records.push(chunk);
                while let Some(record) = records.next_record() {
                    black_box(record);
                    read += 1;
                }
            }
            read
        });
    });
    group.finish();
}

fn queue(criterion: &mut Criterion) {
    let now = chrono::DateTime::UNIX_EPOCH;
    let queue = MemoryQueue::new(Arc::new(SystemClock::new()));
    let name = QueueName::new("bench").expect("a name");
    let dead_letters = QueueName::new("bench-dead").expect("a name");
    block_on(queue.ensure(&QueueSpec { name: name.clone(), dead_letters, max_receives: 5 }))
        .expect("a queue");
    let slice = Slice {
        company: RandomIds.next(now),
        campaign: RandomIds.next(now),
        packet: RandomIds.next(now),
        method: ContactMethod::Sms,
        closes_at: None,
        messages: (0..MAX_SLICE).map(|_| RandomIds.next(now)).collect(),
    };
    let envelope = Envelope::Outbound(slice);
    let body = envelope.encode().expect("json");
    let items: Vec<Outgoing> = (0..10).map(|_| envelope.clone().into()).collect();
    let mut group = criterion.benchmark_group("queue");
    group.throughput(Throughput::Elements(1));
    group.bench_function("encode_slice_of_100", |bench| bench.iter(|| black_box(&envelope).encode()));
    group.bench_function("decode_slice_of_100", |bench| bench.iter(|| Envelope::decode(black_box(&body))));
    group.throughput(Throughput::Elements(10));
    group.bench_function("send_receive_ack_10_slices", |bench| {
        bench.iter(|| {
            block_on(async {
                queue.send(&name, &items).await.expect("sent").into_vec();
                let leases =
                    queue.receive(&name, 10, Duration::ZERO, Duration::from_mins(1)).await.expect("received");
                let tokens: Vec<_> = leases.into_iter().map(|lease| lease.token).collect();
                queue.ack(&name, &tokens).await.expect("acked")
            })
        });
    });
    group.finish();
}

fn store(criterion: &mut Criterion) {
    const MESSAGES: usize = 20_000;
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Elements(100));
    group.sample_size(20);
    let mut number = 0;
    let mut waiting: Vec<(Arc<Sending>, _, Vec<ClaimRequest>)> = Vec::new();
    // Every batch is claimed once only, so new packets follow when the last one is used up.
    let mut next = move || {
        if waiting.is_empty() {
            number += 1;
            waiting = block_on(handed_over(number, MESSAGES));
        }
        waiting.pop().expect("a batch")
    };
    group.bench_function("claim_settle_100", |bench| {
        bench.iter_batched(
            &mut next,
            |(sending, packet, requests)| block_on(claim_and_settle(&sending, packet, &requests)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

type Batch = (Arc<Sending>, reminderly_core::ids::PacketId, Vec<ClaimRequest>);

async fn handed_over(number: usize, messages: usize) -> Vec<Batch> {
    let sending = Arc::new(Sending::new(NamedPersona::Silent).await.expect("a deployment"));
    let (packet, _) = sending.add_packet(number, messages).await.expect("a packet");
    let now = sending.ports.clock.now();
    let copy_until = now + Duration::from_mins(15);
    let terms = HandOver { now, copy_until, limit: messages, max_copies: MaxCopies::each(messages) };
    let handed = sending.ports.store.hand_over(sending.company, packet, terms).await.expect("due messages");
    let request = |id| ClaimRequest { message: id, attempt: RandomIds.next(now) };
    let chunks = handed.due.chunks(100);
    chunks
        .map(|due| (Arc::clone(&sending), packet, due.iter().map(|due| request(due.id)).collect()))
        .collect()
}

async fn claim_and_settle(
    sending: &Sending,
    packet: reminderly_core::ids::PacketId,
    requests: &[ClaimRequest],
) -> usize {
    let now = sending.ports.clock.now();
    let terms = ClaimTerms {
        now,
        start_by: now + Duration::from_secs(1),
        answer_by: now + Duration::from_secs(11),
        provider: "sandbox-sms".into(),
        method: ContactMethod::Sms,
    };
    let store = &sending.ports.store;
    let outcomes = store.claim(sending.company, packet, requests, &terms).await.expect("outcomes");
    let settle = |claimed: Box<Claimed>| Settlement {
        message: claimed.message,
        epoch: claimed.epoch,
        verdict: SettleVerdict::Accepted { reference: None },
        at: now,
    };
    let settlements: Vec<_> = outcomes
        .into_iter()
        .filter_map(|outcome| match outcome {
            ClaimOutcome::Claimed(claimed) => Some(settle(claimed)),
            ClaimOutcome::Refused(_) => None,
        })
        .collect();
    assert_eq!(settlements.len(), requests.len(), "every claim must be fresh");
    store.settle(sending.company, packet, &settlements).await.expect("settled").len()
}

fn sandbox(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sandbox");
    group.throughput(Throughput::Elements(100));
    for persona in [NamedPersona::Silent, NamedPersona::Delivers] {
        let sending = block_on(Sending::new(persona)).expect("a deployment");
        let now = sending.ports.clock.now();
        let batch = sending.batch(RandomIds.next(now), 1, 0, 100).expect("messages");
        let messages: Vec<OutboundMessage> = batch
            .messages
            .iter()
            .map(|planned| OutboundMessage {
                attempt: RandomIds.next(now),
                message: planned.message.id,
                company: sending.company,
                contact: planned.message.contact.clone().expect("a contact point"),
                content: planned.message.content.clone().expect("a text"),
                expires_at: now + Duration::from_hours(8),
            })
            .collect();
        let provider = sending.sandbox.provider(ContactMethod::Sms);
        group.bench_function(format!("send_100_{persona}"), |bench| {
            bench.iter(|| {
                let start = sending.ports.clock.monotonic();
                let start_by = start.plus(Duration::from_secs(1));
                let answer_by = start.plus(Duration::from_secs(11));
                block_on(provider.send(&messages, SendDeadline { start_by, answer_by })).expect("outcomes")
            });
            // Or callbacks would pile up.
            sending.sandbox.take_callbacks(now + Duration::from_hours(1));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = row, records, queue, store, sandbox
}
criterion_main!(benches);
