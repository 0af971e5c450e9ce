//! Which queues there are.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reminderly_core::batch::Page;
use reminderly_core::ports::queue::{QueueCursor, QueueError, QueueName, QueueSpec};

use crate::lane::{Lane, RedrivePolicy};

/// How long the name of a deleted queue stays blocked.
const NAME_BLOCKED: Duration = Duration::from_mins(1);

/// Names per page of a listing: as many as [Amazon SQS has][sqs].
///
/// [sqs]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
const PAGE: usize = 1_000;

/// Which queues there are, and which went moments ago.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    lanes: BTreeMap<QueueName, Arc<Lane>>,
    /// Until when each name is blocked.
    blocked: BTreeMap<QueueName, DateTime<Utc>>,
    /// The blocked names in the order of their release.
    releases: VecDeque<(DateTime<Utc>, QueueName)>,
    last_generation: u64,
}

impl Directory {
    pub(crate) fn find(&self, queue: &QueueName) -> Option<Arc<Lane>> {
        self.lanes.get(queue).cloned()
    }

    pub(crate) fn ensure(&mut self, spec: &QueueSpec, now: DateTime<Utc>) -> Result<(), QueueError> {
        self.unblock(now);
        for name in [&spec.dead_letters, &spec.name] {
            if let Some(until) = self.blocked.get(name) {
                let retry_after = (*until - now).to_std().unwrap_or_default();
                return Err(QueueError::DeletedRecently { queue: name.clone(), retry_after });
            }
        }
        self.make(&spec.dead_letters, None);
        let (dead_letters, max_receives) = (spec.dead_letters.clone(), spec.max_receives);
        self.make(&spec.name, Some(RedrivePolicy { dead_letters, max_receives }));
        Ok(())
    }

    pub(crate) fn remove(&mut self, queue: &QueueName, now: DateTime<Utc>) -> Option<Arc<Lane>> {
        self.unblock(now);
        let lane = self.lanes.remove(queue)?;
        let until = now + NAME_BLOCKED;
        self.blocked.insert(queue.clone(), until);
        self.releases.push_back((until, queue.clone()));
        Some(lane)
    }

    /// A page of the names that begin so, after this one.
    pub(crate) fn list(&self, prefix: &str, after: Option<&str>) -> Page<QueueName, QueueCursor> {
        let is_meant = |name: &&QueueName| {
            name.as_str().starts_with(prefix) && after.is_none_or(|after| name.as_str() > after)
        };
        let mut names = self.lanes.keys().filter(is_meant);
        let items: Vec<QueueName> = names.by_ref().take(PAGE).cloned().collect();
        let next = names.next().and(items.last()).map(|last| QueueCursor(last.as_str().to_owned()));
        Page { items, next }
    }

    fn make(&mut self, name: &QueueName, redrive: Option<RedrivePolicy>) {
        if !self.lanes.contains_key(name) {
            self.last_generation += 1;
            self.lanes.insert(name.clone(), Arc::new(Lane::new(self.last_generation, redrive)));
        }
    }

    fn unblock(&mut self, now: DateTime<Utc>) {
        while let Some((_, name)) = self.releases.pop_front_if(|(until, _)| *until <= now) {
            self.blocked.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_pages() {
        let mut directory = Directory::default();
        let name = |number: usize| QueueName::new(format!("packet-{number:04}")).expect("a name");
        let expected: Vec<QueueName> = (0..2 * PAGE).map(name).collect();
        for name in &expected {
            directory.make(name, None);
        }
        directory.make(&QueueName::new("other").expect("a name"), None);
        let first = directory.list("packet-", None);
        assert_eq!((first.items.len(), first.next.is_some()), (PAGE, true));
        let second = directory.list("packet-", first.next.as_ref().map(|cursor| cursor.0.as_str()));
        assert_eq!((second.items.len(), second.next), (PAGE, None));
        assert_eq!([first.items, second.items].concat(), expected);
    }
}
