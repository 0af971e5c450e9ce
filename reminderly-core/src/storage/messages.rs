//! The messages of a packet.

use super::packet_data::Slot;
use super::table::Map;
use crate::domain::attempt::Attempt;
use crate::domain::message::{Detail, MessageRecord, PlanVerdict};
use crate::domain::message_status::Transition;
use crate::domain::window::LegalInterval;

/// A message, and what was tried and done with it.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageData {
    /// The message, and where it stands.
    pub record: MessageRecord,
    /// Its attempts, first to last.
    pub attempts: Vec<Attempt>,
    /// Its transitions, first to last. Rules only add to them: what was read may leave them out.
    pub history: Vec<Transition>,
}

impl MessageData {
    /// The attempt with this number.
    pub(crate) fn attempt(&self, epoch: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.epoch == epoch)
    }

    /// What planning said, told from the message itself.
    pub fn verdict(&self) -> PlanVerdict {
        let state = &self.record.state;
        match (state.planned_at, state.legal_until, &state.detail) {
            (None, _, Some(Detail::Skip(reason))) => PlanVerdict::Skip(*reason),
            (at, until, _) => {
                let at = at.unwrap_or(self.record.message.created_at);
                PlanVerdict::Send { at, legal: LegalInterval { from: at, until: until.unwrap_or(at) } }
            }
        }
    }
}

/// Messages by their position, in its order. Where none is missing, each stands at its own. In boxes, so that a packet that grows does
/// not move what it has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages(Vec<(Slot, Box<MessageData>)>);

impl Messages {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &MessageData)> {
        self.0.iter().map(|(slot, message)| (*slot, &**message))
    }

    fn position(&self, slot: Slot) -> Result<usize, usize> {
        match self.0.get(slot) {
            Some((at, _)) if *at == slot => Ok(slot),
            _ => self.0.binary_search_by_key(&slot, |(at, _)| *at),
        }
    }
}

impl Map for Messages {
    type Key = Slot;
    type Row = MessageData;

    fn get(&self, slot: &Slot) -> Option<&MessageData> {
        self.0.get(self.position(*slot).ok()?).map(|(_, message)| &**message)
    }

    fn get_mut(&mut self, slot: &Slot) -> Option<&mut MessageData> {
        let position = self.position(*slot).ok()?;
        self.0.get_mut(position).map(|(_, message)| &mut **message)
    }

    fn insert(&mut self, slot: Slot, message: MessageData) {
        match self.position(slot) {
            Ok(position) => {
                if let Some((_, there)) = self.0.get_mut(position) {
                    **there = message;
                }
            }
            Err(position) => self.0.insert(position, (slot, Box::new(message))),
        }
    }

    fn remove(&mut self, slot: &Slot) -> Option<MessageData> {
        let position = self.position(*slot).ok()?;
        Some(*self.0.remove(position).1)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn keys(&self) -> impl Iterator<Item = Slot> {
        self.0.iter().map(|(slot, _)| *slot)
    }
}
