//! How the fleet ends a packet: it reads, marks, reads again and ends, each some time after the other.

use reminderly_core::domain::message_status::MessageEvent;

use super::{Moves, Next};
use crate::prove::model::action::{Action, Deed};
use crate::prove::model::state::{Command, Fleet, State};
use crate::prove::model::variant::Variant;

impl<F: FnMut(Action, Next)> Moves<'_, F> {
    pub(super) fn fleet(&mut self) {
        let state = self.state;
        let is_cancelling = state.cancel != Command::NotGiven;
        if is_cancelling && state.messages.iter().any(|message| message.row.waits()) {
            let mut next = state;
            for message in next.messages.iter_mut().filter(|message| message.row.waits()) {
                message.row.close(MessageEvent::Cancelled);
            }
            self.tell(Deed::CancelOpen.to_all(), next);
        }
        match state.fleet {
            Fleet::Keeps if is_cancelling || state.completing => {
                if self.nothing_is_open() {
                    self.tell(Deed::CheckNothingOpen.to_all(), state.with(Fleet::HasChecked));
                } else if state.completing {
                    self.tell(Deed::Unmark.to_all(), State { completing: false, ..state });
                }
            }
            Fleet::Keeps if self.nothing_is_open() => {
                self.tell(Deed::SeeNothingOpen.to_all(), state.with(Fleet::HasSeen));
            }
            Fleet::Keeps | Fleet::Ended => {}
            Fleet::HasSeen => {
                let next = State { completing: !is_cancelling, ..state.with(Fleet::Keeps) };
                self.tell(Deed::MarkCompleting.to_all(), next);
            }
            // Only a packet that is still draining ends.
            Fleet::HasChecked if is_cancelling || state.completing => {
                self.tell(Deed::End.to_all(), state.with(Fleet::Ended));
            }
            Fleet::HasChecked => self.tell(Deed::Unmark.to_all(), state.with(Fleet::Keeps)),
        }
    }

    fn nothing_is_open(&self) -> bool {
        match self.bounds.variant {
            Variant::TearDownAtOnce => !self.state.messages.iter().any(|message| message.row.waits()),
            _ => !self.state.is_open(),
        }
    }
}
