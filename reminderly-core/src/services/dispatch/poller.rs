//! A poller: receives slices and works them side by side.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tracing::{debug, warn};

use super::Dispatch;
use super::places::Places;
use crate::ports::queue::{Lease, QueueError, QueueName};
use crate::services::ServiceError;
use crate::services::contained::contained;
use crate::services::shutdown::{Shutdown, shutdown};

/// How long a poller waits after a failure of the queue before it asks again.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

type Receive<'a> = BoxFuture<'a, Result<Vec<Lease>, QueueError>>;

/// What happens to a poller.
enum Event {
    Received(Result<Vec<Lease>, QueueError>),
    Worked(Result<u64, ServiceError>),
    Told,
}

/// Runs one poller.
pub(super) async fn run(dispatch: &Dispatch, queue: &QueueName, told: &Shutdown) {
    let (trigger, stop) = shutdown();
    let places = Places::new(dispatch.settings.slices_at_once);
    let mut works = FuturesUnordered::new();
    let mut receive: Option<Receive<'_>> = None;
    let mut ask_at = None;
    let mut word = Box::pin(told.wait());
    loop {
        let event = poll_fn(|context| {
            if word.poll_unpin(context).is_ready() {
                return Poll::Ready(Event::Told);
            }
            // Before the queue is asked: a slice that begins to wait makes room.
            if let Poll::Ready(Some(worked)) = works.poll_next_unpin(context) {
                return Poll::Ready(Event::Worked(worked));
            }
            if receive.is_none() && places.free() > 0 {
                receive = Some(receive_from(dispatch, queue, places.free(), ask_at.take()).boxed());
            }
            match receive.as_mut().map(|receive| receive.poll_unpin(context)) {
                Some(Poll::Ready(received)) => {
                    receive = None;
                    Poll::Ready(Event::Received(received))
                }
                Some(Poll::Pending) | None => Poll::Pending,
            }
        })
        .await;
        let failure = match event {
            Event::Told => break,
            Event::Received(Ok(leases)) => {
                for lease in leases {
                    let (places, stop, place) = (&places, &stop, places.take());
                    works.push(async move {
                        let _place = place;
                        contained(dispatch.work_or_release(queue, lease, stop, Some(places))).await
                    });
                }
                continue;
            }
            Event::Worked(Ok(_)) => continue,
            Event::Received(Err(error)) => ServiceError::from(error),
            Event::Worked(Err(error)) => error,
        };
        if is_gone(queue, &failure) {
            break;
        }
        ask_at = Some(dispatch.ports.clock.now() + FAILURE_PAUSE);
    }
    // A dropped receive may have leased copies: they come again when their visibility ends.
    drop(receive);
    trigger.fire();
    while let Some(worked) = works.next().await {
        if let Err(error) = worked {
            is_gone(queue, &error);
        }
    }
}

async fn receive_from(
    dispatch: &Dispatch,
    queue: &QueueName,
    places: usize,
    not_before: Option<DateTime<Utc>>,
) -> Result<Vec<Lease>, QueueError> {
    if let Some(not_before) = not_before {
        dispatch.ports.clock.sleep_until(not_before).await;
    }
    dispatch
        .ports
        .queue
        .receive(queue, places, dispatch.settings.poll_wait, dispatch.settings.visibility)
        .await
}

/// Tells of a failure; whether it is that the queue is gone, as it is when its packet has ended.
fn is_gone(queue: &QueueName, failure: &ServiceError) -> bool {
    let gone = matches!(failure, ServiceError::Queue(QueueError::NoSuchQueue(_)));
    if gone {
        debug!(queue.name = %queue, "queue is gone; its poller ends");
    } else {
        warn!(queue.name = %queue, error = failure as &dyn std::error::Error, "poll failed");
    }
    gone
}
