//! Packets whose messages are in files for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::domain::packet::Packet;
use reminderly_core::ids::{CompanyId, MessageId, PacketId};
use reminderly_core::ports::store::{Store, StoreError, UnsubscribeStore as _};
use reminderly_core::services::{Check, CompiledCampaigns, ServiceError};
use reminderly_core::testing::{HookedStore, StoreHooks};
use reminderly_tests::material;
use reminderly_tests::world::{Setup, World, instant};
use serde_json::json;

/// Shows packets as a store does whose months are in files.
#[derive(Debug, Default)]
struct InFiles(AtomicBool);

#[async_trait]
impl StoreHooks for InFiles {
    async fn packet(
        &self,
        store: &dyn Store,
        company: CompanyId,
        id: PacketId,
    ) -> Result<Option<Packet>, StoreError> {
        let found = store.packet(company, id).await?;
        let since = self.0.load(Ordering::Relaxed).then(|| instant("2026-03-04T18:05:00Z"));
        Ok(found.map(|packet| Packet { offloaded_at: since, ..packet }))
    }

    async fn message(
        &self,
        store: &dyn Store,
        company: CompanyId,
        packet: PacketId,
        id: MessageId,
    ) -> Result<Option<MessageRecord>, StoreError> {
        let found = store.message(company, packet, id).await?;
        Ok(found.filter(|_| !self.0.load(Ordering::Relaxed)))
    }
}

/// Until then nobody knows who it is that wants nothing any more.
#[test]
fn a_complaint_waits_until_its_packet_is_brought_back() {
    let number = material::number(0);
    let complains = json!({ "reports": [{ "after": "10m", "report": "complained" }] });
    let script = json!({ "contact_points": { &number: complains } });
    let mut world = World::new(&Setup { script, ..Setup::default() });
    let hooks = Arc::new(InFiles::default());
    let hooked = HookedStore::new(Arc::clone(&world.ports.store), Arc::<InFiles>::clone(&hooks));
    world.ports.store = Arc::new(hooked);
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let row = material::line(0, &number, "2026-03-04 14:00");
    let packet = world.load(company, campaign.id, &format!("{}{row}", material::HEADER));
    world.start_worker();
    world.run_until(instant("2026-03-04T18:05:00Z"));
    assert_eq!(world.sandbox.accepted().len(), 1);
    let is_refused = |world: &World| {
        let key = ContactPoint::Sms(PhoneNumber::parse_stored(&number).unwrap()).refusal_key();
        block_on(world.store.refused(company, &[key])).unwrap() == [true]
    };

    hooks.0.store(true, Ordering::Relaxed);
    world.run_until(instant("2026-03-04T20:00:00Z"));
    assert!(!is_refused(&world));
    let check = Check::new(&world.ports, Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store))));
    let refused = block_on(check.packet(&world.scope(company, Action::ViewMessages), packet));
    assert!(matches!(refused, Err(ServiceError::WrongState { state: "offloaded", .. })), "{refused:?}");

    hooks.0.store(false, Ordering::Relaxed);
    world.run_for(Duration::from_hours(2));
    assert!(is_refused(&world));
}
