//! `decisions.jsonl`: why each message was sent, why not, and why then.

use std::path::PathBuf;

use reminderly_core::ids::PacketId;
use reminderly_core::services::{Decision, Explain, Messages};
use serde::Serialize;

use super::json_file::JsonFile;
use super::{PAGE, View};
use crate::failure::Failure;

/// A decision and the packet of its message.
#[derive(Serialize)]
struct Line {
    packet: PacketId,
    #[serde(flatten)]
    decision: Decision,
}

/// A line per decision, message by message in the order of `messages.csv`.
pub(super) async fn write(view: &View<'_>, path: PathBuf) -> Result<(), Failure> {
    let (messages, explain) = (Messages::new(&view.host.ports), Explain::new(&view.host.ports));
    let mut file = JsonFile::create(path)?;
    for packet in view.packets() {
        let mut after = None;
        loop {
            let page = messages.page(&view.scope, packet, after, PAGE).await?;
            for record in &page.items {
                let explanation = explain.message(&view.scope, packet, record.message.id).await?;
                for decision in explanation.decisions {
                    file.line(&Line { packet, decision })?;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    file.finish()
}
