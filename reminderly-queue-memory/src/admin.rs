//! Making, measuring and removing queues.

use async_trait::async_trait;
use reminderly_core::batch::Page;
use reminderly_core::domain::envelope::Envelope;
use reminderly_core::ports::queue::{Depth, QueueAdmin, QueueCursor, QueueError, QueueName, QueueSpec};

use crate::queue::{MemoryQueue, refused};

#[async_trait]
impl QueueAdmin for MemoryQueue {
    async fn ensure(&self, spec: &QueueSpec) -> Result<(), QueueError> {
        if spec.max_receives == 0 {
            return Err(refused("a queue needs at least 1 receive per item"));
        }
        if spec.name == spec.dead_letters {
            return Err(refused("a queue cannot be its own dead-letter queue"));
        }
        self.change_directory(|directory, now| directory.ensure(spec, now))
    }

    async fn delete(&self, queue: &QueueName) -> Result<(), QueueError> {
        let gone = self.change_directory(|directory, now| directory.remove(queue, now));
        if let Some(lane) = gone {
            // Whoever waits there must learn that it is gone.
            lane.at(self.now()).ring();
        }
        Ok(())
    }

    async fn depth(&self, queue: &QueueName) -> Result<Option<Depth>, QueueError> {
        Ok(self.find(queue).map(|lane| lane.at(self.now()).depth()))
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<QueueCursor>,
    ) -> Result<Page<QueueName, QueueCursor>, QueueError> {
        let after = after.map(|cursor| cursor.0);
        Ok(self.change_directory(|directory, _| directory.list(prefix, after.as_deref())))
    }

    async fn redrive(&self, dead_letters: &QueueName, limit: usize) -> Result<u64, QueueError> {
        let now = self.now();
        let picked = self.lane(dead_letters)?.at(now).pick(limit, |letter| {
            let origin = letter.origin.as_deref()?;
            Envelope::decode(&letter.body).ok()?;
            self.find(&origin.queue)
        });
        let mut moved = 0;
        for (home, mut letter) in picked {
            letter.receives = 0;
            letter.origin = None;
            home.at(now).put_items([letter]);
            moved += 1;
        }
        Ok(moved)
    }
}
