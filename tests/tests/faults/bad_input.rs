//! Campaigns and files that cannot be used.

use std::sync::Arc;

use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::domain::row::{RowFault, RowNumber};
use reminderly_core::ports::queue::QueueName;
use reminderly_core::ports::source::SourceError;
use reminderly_core::ports::store::{CampaignStore as _, PacketStore as _};
use reminderly_core::services::{Ingest, Prepared, ServiceError};
use reminderly_core::sources::MemorySource;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

fn refused(world: &World, document: &Value) -> Vec<String> {
    let company = world.company();
    let scope = world.scope(company, Action::EditCampaign);
    let refused = block_on(world.campaigns().create(&scope, &document.to_string())).unwrap_err();
    let ServiceError::InvalidCampaign(invalid) = refused else { panic!("{refused:?}") };
    let page = block_on(world.store.campaigns(company, None, 10)).unwrap();
    assert!(page.items.is_empty(), "a refused campaign was stored");
    invalid.problems.into_iter().map(|problem| problem.path).collect()
}

#[test]
fn every_problem_of_a_campaign_is_told_with_its_path_and_nothing_is_created() {
    let world = World::new(&Setup::default());
    let document = material::document_with(&[
        ("/time_zone", json!("Mars/Olympus")),
        ("/schedule/min_notice", json!("soon")),
        ("/schedule/windows/default/from", json!("25:00")),
        ("/limits", json!({ "per_minute": 0 })),
        ("/surprise", json!(true)),
    ]);
    let mut paths = refused(&world, &document);
    paths.sort_unstable();
    let expected = [
        "$.limits.per_minute",
        "$.schedule.min_notice",
        "$.schedule.windows.default.from",
        "$.surprise",
        "$.time_zone",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_template_that_names_a_missing_field_is_refused_at_the_save() {
    let world = World::new(&Setup::default());
    let document =
        material::document_with(&[("/messages/sms/text", json!("Dear {{ nickname }}, STOP ends."))]);
    assert_eq!(refused(&world, &document), ["$.messages.sms.text"]);
}

#[test]
fn a_packet_without_a_needed_column_fails_with_nothing_queued() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let data = material::csv(3, "2026-03-04 14:00").replace("Cell", "Mobile");
    let packet = world.load(company, campaign.id, &data);
    world.start_worker();
    world.run_for(std::time::Duration::from_mins(30));

    let failed = world.packet(company, packet);
    assert_eq!(failed.stage, PacketStage::Failed);
    let failure = failed.failure.unwrap();
    assert_eq!(failure.stage, PacketStage::Loaded);
    assert!(failure.reason.contains("Cell"), "{}", failure.reason);
    assert!(world.messages(company, packet).is_empty());
    assert_eq!(world.depth(&QueueName::of_packet(packet)), None);
    judge::packet_accounted_for(&world, company, packet);

    // Resumed it fails again, because its content is what it is; cancelled it ends.
    let run = world.scope(company, Action::RunCampaign);
    let resumed = block_on(Ingest::new(&world.ports, &world.settings).resume(&run, packet)).unwrap();
    assert_eq!(resumed.stage, PacketStage::Loaded);
    world.run_for(std::time::Duration::from_mins(1));
    assert_eq!(world.packet(company, packet).stage, PacketStage::Failed);
    block_on(world.campaigns().cancel_packet(&run, packet)).unwrap();
    world.run_for(std::time::Duration::from_mins(1));
    assert_eq!(world.packet(company, packet).stage, PacketStage::Cancelled);
}

#[test]
fn a_file_that_is_gone_fails_its_packet_which_goes_on_once_it_is_back() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let ingest = Ingest::new(&world.ports, &world.settings);
    let scope = world.scope(company, Action::Ingest);
    let source = MemorySource::new().with_file("v.csv", material::csv(5, "2026-03-04 14:00"));
    let prepared = block_on(ingest.prepare(&scope, campaign.id, &source, "v.csv")).unwrap();
    let Prepared::New(packet) = prepared else { panic!("{prepared:?}") };

    let gone = block_on(ingest.load(&scope, packet.id, &MemorySource::new(), &mut |_| {})).unwrap_err();
    assert!(matches!(gone, ServiceError::Source(SourceError::Missing { .. })), "{gone:?}");
    assert_eq!(world.packet(company, packet.id).stage, PacketStage::Failed);
    let again = block_on(ingest.load(&scope, packet.id, &source, &mut |_| {})).unwrap_err();
    assert!(matches!(again, ServiceError::WrongState { .. }), "{again:?}");

    block_on(ingest.resume(&scope, packet.id)).unwrap();
    block_on(ingest.load(&scope, packet.id, &source, &mut |_| {})).unwrap();
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(world.sandbox.accepted().len(), 5);
}

/// A directory in which one file may not be read.
#[derive(Debug)]
struct OneForbidden(MemorySource);

#[async_trait::async_trait]
impl reminderly_core::ports::source::PacketSource for OneForbidden {
    async fn list(&self) -> Result<Vec<reminderly_core::ports::source::SourceFile>, SourceError> {
        self.0.list().await
    }

    async fn open(
        &self,
        name: &str,
        offset: u64,
    ) -> Result<Box<dyn reminderly_core::ports::source::SourceReader>, SourceError> {
        if name == "a.csv" {
            let source = "permission denied".into();
            return Err(SourceError::Unreadable { name: Some(name.to_owned()), source });
        }
        self.0.open(name, offset).await
    }
}

#[test]
fn a_file_that_may_not_be_read_does_not_hold_up_the_others() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let source = ["a", "b", "c"].iter().enumerate().fold(MemorySource::new(), |source, (index, name)| {
        let line = material::line(index, &material::number(index), "2026-03-04 14:00");
        source.with_file(format!("{name}.csv"), format!("{}{line}", material::HEADER))
    });
    world.with_inbox(company, campaign.id, Arc::new(OneForbidden(source)));
    world.start_worker();
    world.run_for(std::time::Duration::from_mins(30));
    assert_eq!(world.sandbox.accepted().len(), 2);
    judge::all_is_well(&world, &campaign);
}

#[test]
fn a_bad_row_is_rejected_by_row_column_and_code_and_its_neighbours_go() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let mut data = material::csv(2, "2026-03-04 14:00");
    data.push_str("K3,Zoe,+15202345678,,2026-02-30 09:00,P3\n");
    data.push_str("K4,too,few\n");
    data.push_str(",Nobody,+15202345679,,2026-03-04 14:00,P5\n");
    data.push_str(&material::line(6, &material::number(6), "2026-03-04 14:00"));
    let packet = world.load(company, campaign.id, &data);
    world.start_worker();
    world.run_to_end();

    judge::all_is_well(&world, &campaign);
    let rejected = block_on(world.store.rejected(company, packet, RowNumber(0), 10)).unwrap().items;
    let told: Vec<_> = rejected.iter().map(|row| (row.row.0, row.column.as_deref(), row.code)).collect();
    let expected = [
        (3, Some("At"), RowFault::InvalidDate),
        (4, None, RowFault::FieldCount),
        (5, Some("Key"), RowFault::MissingValue),
    ];
    assert_eq!(told, expected);
    assert_eq!(world.sandbox.accepted().len(), 3);
}
