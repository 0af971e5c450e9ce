//! A company with a campaign on a server, and packets in it.

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::appointment::Appointment;
use reminderly_core::domain::appointment_key::AppointmentKey;
use reminderly_core::domain::call::{CallKey, CallKind};
use reminderly_core::domain::campaign::lifecycle::{Campaign, CampaignState};
use reminderly_core::domain::caps::Caps;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::PhoneNumber;
use reminderly_core::domain::file_arrival::FileArrival;
use reminderly_core::domain::message::PlannedMessage;
use reminderly_core::domain::packet::{Digest, IngestProgress, Packet, PacketOrigin, PacketStage};
use reminderly_core::domain::row::{RejectedRow, Row, RowFault, RowNumber};
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ids::{CampaignId, CompanyId, MessageId, PacketId};
use reminderly_core::ports::store::{
    AccessStore as _, CampaignChange, CampaignStore as _, ClaimTerms, HandOver, MaxCopies, MessageStore as _,
    NewPacket, PacketCreation, PacketStore as _, PlanBatch, PlanOutcome, ReportStore as _, RowBatch,
    StageChange, WriteOutcome,
};
use reminderly_core::testing::PlannedText;
use reminderly_mysql::MySqlStore;
use sqlx::{Connection as _, MySqlConnection, query};

use crate::database::{Database, migrated};
use crate::values::{campaign, company, id, now};

/// A company with a campaign on a server.
pub(crate) struct Bench {
    pub(crate) store: MySqlStore,
    pub(crate) company: CompanyId,
    pub(crate) campaign: Campaign,
}

impl Bench {
    pub(crate) async fn new(database: &Database) -> Self {
        Self::with(migrated(database).await).await
    }

    pub(crate) async fn with(store: MySqlStore) -> Self {
        let owner = company();
        store.save_company_across_companies(&owner).await.expect("saved");
        let campaign = store.create_campaign(owner.id, campaign("Visits")).await.expect("made");
        Self { store, company: owner.id, campaign }
    }

    pub(crate) fn new_packet(&self, origin: PacketOrigin) -> NewPacket {
        NewPacket { id: id(), campaign: self.campaign.id, campaign_version: 1, origin, created_at: now() }
    }

    pub(crate) async fn make(&self, origin: PacketOrigin) -> PacketCreation {
        self.store.create_packet(self.company, self.new_packet(origin)).await.expect("an answer")
    }

    pub(crate) async fn file(&self, number: u8) -> Packet {
        loop {
            // Files count in the order of their ids, which are drawn.
            match self.make(file(number)).await {
                PacketCreation::NotNewest(_) => {}
                made => return packet(&made).clone(),
            }
        }
    }

    pub(crate) async fn open(&self, packet: &Packet) {
        let progress = IngestProgress::default();
        let opened = self.store.open_ingest(self.company, packet.id, progress, now()).await;
        assert_eq!(opened.expect("opened"), WriteOutcome::Applied);
    }

    pub(crate) async fn change(&self, packet: PacketId, from: PacketStage, to: PacketStage) -> WriteOutcome {
        let change = StageChange { packet, from, to, failure: None, at: now() };
        self.store.change_stage(self.company, change).await.expect("an answer")
    }

    pub(crate) async fn activate(&self) {
        let (from, to) = (CampaignState::Draft, CampaignState::Active);
        let change = self.store.change_campaign_state(self.company, self.campaign.id, from, to).await;
        assert!(matches!(change.expect("an answer"), CampaignChange::Changed(_)));
    }

    pub(crate) async fn open_packets(&self) -> Vec<PacketId> {
        let page = self.store.open_packets_across_companies(None, 9).await.expect("a page");
        page.items.iter().map(|packet| packet.id).collect()
    }

    /// A packet whose messages wait in its queue.
    pub(crate) async fn handed_over(&self, count: u64) -> (Packet, Vec<MessageId>) {
        use PacketStage::{Ingested, Loaded, Mapped, Queued};
        let Self { store, company, campaign } = self;
        let file = self.file(1).await;
        self.open(&file).await;
        let rows: Vec<u64> = (1..=count).collect();
        let append = store.append_rows(*company, file.id, batch(0, &rows, &[])).await;
        assert_eq!(append.expect("stored"), WriteOutcome::Applied);
        assert_eq!(self.change(file.id, Ingested, Loaded).await, WriteOutcome::Applied);
        self.activate().await;
        let messages: Vec<PlannedMessage> =
            rows.iter().map(|row| message(&file, campaign.id, *row)).collect();
        let ids = messages.iter().map(|planned| planned.message.id).collect();
        let plan = PlanBatch {
            after: RowNumber(0),
            through: RowNumber(count),
            messages,
            appointments: Vec::new(),
            expected: Vec::new(),
            failed: Vec::new(),
            named: Vec::new(),
            caps: Caps::default(),
            at: now(),
        };
        let planned = store.plan(*company, file.id, plan).await.expect("planned");
        assert_eq!(planned, PlanOutcome::Stored { duplicates: 0 });
        for (from, to) in [(Loaded, Mapped), (Mapped, Queued)] {
            assert_eq!(self.change(file.id, from, to).await, WriteOutcome::Applied);
        }
        let terms =
            HandOver { now: now(), copy_until: at(600), limit: 1_000, max_copies: MaxCopies::each(1_000) };
        let handed = store.hand_over(*company, file.id, terms).await.expect("handed over");
        assert_eq!(handed.due.len(), rows.len());
        (file, ids)
    }

    /// The counters are those of the rows and messages.
    pub(crate) async fn assert_counted(&self, packet: &Packet) {
        let Self { store, company, .. } = self;
        let kept = store.packet_counts(*company, packet.id).await.expect("counted");
        let anew = store.recount_packet(*company, packet.id).await.expect("counted");
        assert_eq!(kept, anew);
    }
}

pub(crate) fn packet(made: &PacketCreation) -> &Packet {
    match made {
        PacketCreation::Created(packet) | PacketCreation::Exists(packet) => packet,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn file(number: u8) -> PacketOrigin {
    let (name, digest) = (format!("{number}.csv").into(), Digest([number; 32]));
    PacketOrigin::File { name, digest, arrival: FileArrival::default() }
}

pub(crate) fn call(key: &str) -> PacketOrigin {
    let key = CallKey::new(key).expect("a key");
    PacketOrigin::OnDemand { key, digest: Digest([0; 32]), kind: CallKind::Rows }
}

/// Good and bad rows, after the row with this number.
pub(crate) fn batch(after: u64, good: &[u64], bad: &[u64]) -> RowBatch {
    let fields = ["Ann", "Zoë 🦷", ""];
    let through = good.iter().chain(bad).max().copied().unwrap_or(after);
    RowBatch {
        after: RowNumber(after),
        progress: IngestProgress { through: RowNumber(through), ..IngestProgress::default() },
        rows: good.iter().map(|number| Row::new(RowNumber(*number), number + 1, fields)).collect(),
        rejected: bad.iter().map(|number| rejected(*number)).collect(),
    }
}

pub(crate) fn rejected(number: u64) -> RejectedRow {
    let (column, detail) = (Some("Phone".to_owned()), format!("line {}: too short", number + 1));
    RejectedRow { row: RowNumber(number), column, code: RowFault::FieldCount, detail }
}

/// So many seconds after the instant of what is stored.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn message(packet: &Packet, campaign: CampaignId, row: u64) -> PlannedMessage {
    let number = format!("+1520{:07}", 2_340_000 + row);
    PlannedText {
        id: id(),
        packet: packet.id,
        campaign,
        row: RowNumber(row),
        key: AppointmentKey::new(&format!("A-{row}")).expect("a key"),
        number: PhoneNumber::parse_stored(&number).expect("a number"),
        appointment: Appointment::new(at(48 * 3_600).naive_utc(), chrono_tz::UTC),
        text: "See you.".to_owned(),
        legal: LegalInterval { from: at(-3_600), until: at(4 * 3_600) },
        created_at: now(),
    }
    .planned()
}

/// A claim at the instant of what is stored, answered within half a minute.
pub(crate) fn claim_terms() -> ClaimTerms {
    ClaimTerms {
        now: now(),
        start_by: at(1),
        answer_by: at(30),
        provider: "sandbox".into(),
        method: ContactMethod::Sms,
    }
}

/// A connection to look at a database with.
pub(crate) async fn sql(url: &str) -> MySqlConnection {
    let mut sql = MySqlConnection::connect(url).await.expect("connected");
    // The server's own default is not that; and who looks in a transaction that does not end keeps tables from being dropped.
    query("SET autocommit = 1").execute(&mut sql).await.expect("set");
    sql
}
