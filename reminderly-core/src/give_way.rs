//! A point at which a task lets others run.

use std::pin::Pin;
use std::task::{Context, Poll};

/// Lets the other futures of the task, and the other tasks of the thread, run once. Long work on adapters that never wait does
/// this between its batches; no runtime is needed for it.
pub(crate) async fn give_way() {
    GiveWay(Turn::Mine).await;
}

enum Turn {
    Mine,
    Others,
}

struct GiveWay(Turn);

impl Future for GiveWay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, Turn::Others) {
            Turn::Mine => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Turn::Others => Poll::Ready(()),
        }
    }
}
