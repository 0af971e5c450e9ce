//! Wakes receives that wait.

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::Shared;

/// Completes when the bell rings next, or goes with its queue. Dropping it leaves nothing behind.
pub(crate) type Ring = Shared<oneshot::Receiver<()>>;

/// Wakes everybody who waits, so that a waiter who is dropped meanwhile takes no wake-up with it.
#[derive(Debug, Default)]
pub(crate) struct Bell(Option<(oneshot::Sender<()>, Ring)>);

impl Bell {
    pub(crate) fn listen(&mut self) -> Ring {
        let (_, ring) = self.0.get_or_insert_with(|| {
            let (sender, receiver) = oneshot::channel();
            (sender, receiver.shared())
        });
        ring.clone()
    }

    pub(crate) fn ring(&mut self) {
        // A sender that is dropped completes its receiver, and everybody who shares it.
        self.0 = None;
    }
}
