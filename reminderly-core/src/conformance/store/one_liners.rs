//! One-liners beside the ledger of appointments.

use super::bench::Answered as _;
use super::bench::Bench;
use super::ledger::{Saying, saying};
use super::values::{digest, row, sms};
use crate::domain::call::{CallKey, CallKind};
use crate::domain::packet::PacketOrigin;
use crate::ports::store::{NewPacket, PacketCreation};

/// What a one-liner says is nobody's to supersede, though it names the key of an appointment and a newer file names it too.
pub async fn a_one_liner_is_not_superseded_by_a_file(bench: &Bench) {
    let key = CallKey::new("call-1").expect("a short key");
    let origin = PacketOrigin::OnDemand { key, digest: digest(1), kind: CallKind::OneLiner };
    let new = NewPacket { origin, ..bench.file(0) };
    let batch = Bench::row_batch(0, vec![row(1)], Vec::new());
    let made = bench.store.create_loaded_packet(bench.company, new, batch).await.answered();
    let PacketCreation::Created(packet) = made else { panic!("not a new packet: {made:?}") };
    let mut message = bench.message_of(packet.id, 1, saying(1));
    message.message.contact = Some(sms(55));
    let placed = bench.place(packet.id, &message, 1);
    bench.queue(packet.id, vec![message]).await;
    bench.hand_over(packet.id).await;
    bench.say_first(saying(1)).await;
    bench.say(Saying { hour: 60, ..saying(1) }).await;
    bench.must_claim(&placed).await;
}
