//! P1: every message ends in exactly one way, and the ledger closes.

use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::ports::queue::QueueName;
use reminderly_core::services::{Reconcile, Reports};

use super::Evidence;

pub(super) fn check(evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let world = &evidence.trial.deployment.world;
    if evidence.trial.ended_at.is_none() {
        let open: Vec<String> = world
            .open_packets()
            .iter()
            .map(|packet| format!("{} is {} ({:?})", packet.id, packet.stage, packet.draining))
            .collect();
        let next = world.sandbox.next_callback_at();
        wrong.push(format!("P1: not everything ended within 48 hours: {open:?}, next callback {next:?}"));
        return;
    }
    for (id, (_, packet)) in &evidence.packets {
        if !packet.stage.is_closed() || packet.stage == PacketStage::Failed {
            wrong.push(format!("P1: packet {id} is {}: {:?}", packet.stage, packet.failure));
        }
        if world.depth(&QueueName::of_packet(*id)).is_some() {
            wrong.push(format!("P1: the queue of packet {id} is left over"));
        }
        let (view, report) = (
            world.scope(packet.company, Action::ViewMessages),
            world.scope(packet.company, Action::ViewReports),
        );
        match block_on(Reconcile::new(&world.ports).packet(&view, *id)) {
            Ok(found) if found.is_empty() => {}
            other => wrong.push(format!("P1: packet {id} does not add up: {other:?}")),
        }
        match block_on(Reports::new(&world.ports).packet(&report, *id)) {
            Ok(report) if report.ledger.gaps().is_empty() => {}
            Ok(report) => wrong.push(format!("P1: the ledger of {id} has gaps: {:?}", report.ledger.gaps())),
            Err(error) => wrong.push(format!("P1: no report of {id}: {error:?}")),
        }
    }
    // Their attempts may yet be found, so they wait for days.
    for stranger in evidence.trial.gateway.strangers.difference(&evidence.trial.left_over) {
        wrong.push(format!("P1: the report about {stranger}, of which nobody knows, is gone"));
    }
    for (id, (_, record)) in &evidence.records {
        if record.state.is_open() {
            wrong.push(format!("P1: message {id} is {} for ever", record.state.status));
        }
    }
}
