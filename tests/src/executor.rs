//! An executor of one thread that polls what it is told to poll, and drops what it is told to drop.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::BoxFuture;
use reminderly_core::services::Spawn;

/// A group of tasks that live and die together, as those of an operating system's process do.
pub type Process = u64;

/// Polls tasks one at a time, in the order of their waking or in one that the caller picks.
pub struct Executor {
    shared: Arc<Shared>,
    tasks: Mutex<BTreeMap<u64, Task>>,
    trail: AtomicU64,
}

struct Task {
    process: Process,
    future: BoxFuture<'static, ()>,
    waker: Arc<TaskWaker>,
}

#[derive(Default)]
struct Shared(Mutex<Inbox>);

#[derive(Default)]
struct Inbox {
    last_id: u64,
    spawned: Vec<(u64, Task)>,
    ready: VecDeque<u64>,
}

struct TaskWaker {
    id: u64,
    shared: Arc<Shared>,
    is_queued: AtomicBool,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::SeqCst) {
            self.shared.lock().ready.push_back(self.id);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(self: &Arc<Self>, process: Process, future: BoxFuture<'static, ()>) {
        let mut inbox = self.lock();
        inbox.last_id += 1;
        let id = inbox.last_id;
        let waker = Arc::new(TaskWaker { id, shared: Arc::clone(self), is_queued: AtomicBool::new(true) });
        inbox.spawned.push((id, Task { process, future, waker }));
        inbox.ready.push_back(id);
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").finish_non_exhaustive()
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor {
    /// No tasks yet.
    pub fn new() -> Self {
        Self { shared: Arc::default(), tasks: Mutex::default(), trail: AtomicU64::default() }
    }

    /// Starts a task of a process.
    pub fn spawn(&self, process: Process, future: impl Future<Output = ()> + Send + 'static) {
        self.shared.spawn(process, Box::pin(future));
    }

    /// What starts tasks of this process.
    pub fn spawner(&self, process: Process) -> Spawn {
        let shared = Arc::clone(&self.shared);
        Arc::new(move |future| shared.spawn(process, future))
    }

    /// Polls the ready task that `pick` chooses out of so many; `false` if none was ready.
    pub fn step(&self, pick: impl FnOnce(usize) -> usize) -> bool {
        let Some((id, mut task)) = self.take(pick) else { return false };
        self.trail.store(hash((self.trail(), id)), Ordering::SeqCst);
        task.waker.is_queued.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&task.waker));
        if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks().insert(id, task);
        }
        true
    }

    /// Which tasks were polled, in their order, as a digest.
    pub fn trail(&self) -> u64 {
        self.trail.load(Ordering::SeqCst)
    }

    /// Drops every task of a process, wherever it stands.
    pub fn kill(&self, process: Process) {
        self.adopt();
        let (dead, alive) =
            std::mem::take(&mut *self.tasks()).into_iter().partition(|(_, task)| task.process == process);
        *self.tasks() = alive;
        // Without a lock held: what is dropped may wake others.
        let dead: BTreeMap<u64, Task> = dead;
        drop(dead);
    }

    /// How many tasks a process has.
    pub fn tasks_of(&self, process: Process) -> usize {
        self.adopt();
        self.tasks().values().filter(|task| task.process == process).count()
    }

    fn take(&self, pick: impl FnOnce(usize) -> usize) -> Option<(u64, Task)> {
        self.adopt();
        let mut tasks = self.tasks();
        let mut inbox = self.shared.lock();
        inbox.ready.retain(|id| tasks.contains_key(id));
        if inbox.ready.is_empty() {
            return None;
        }
        let position = pick(inbox.ready.len());
        let id = inbox.ready.remove(position)?;
        Some((id, tasks.remove(&id)?))
    }

    fn adopt(&self) {
        let spawned = std::mem::take(&mut self.shared.lock().spawned);
        self.tasks().extend(spawned);
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<u64, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A digest that is the same in every run of a build.
pub(crate) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A future that is polled by hand and can be dropped between two polls.
pub struct Stepper<'a, T> {
    future: BoxFuture<'a, T>,
    woken: Arc<Flag>,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<T> fmt::Debug for Stepper<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepper").finish_non_exhaustive()
    }
}

impl<'a, T> Stepper<'a, T> {
    /// Not polled yet.
    pub fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self { future: Box::pin(future), woken: Arc::default() }
    }

    /// Polls once.
    pub fn poll(&mut self) -> Poll<T> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken));
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker))
    }

    /// Whether it was woken since the last poll: if not, it waits for time or for others.
    pub fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }
}
