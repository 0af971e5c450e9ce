//! Futures that are polled so often and then dropped.

use std::sync::Arc;
use std::task::Poll;

use super::use_cases::UseCase;
use crate::executor::Stepper;
use crate::judge;
use crate::world::{Setup, World};
use crate::yielding_queue::YieldingQueue;

/// No use case takes more polls.
pub const POLLS_AT_MOST: usize = 2_000;

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// It was dropped.
    Dropped,
    /// It came to its end before.
    Finished,
}

/// Polls `future` so often and drops it; whether it was ready before. Others run, and time goes on, while it waits for them.
pub fn cut<T>(world: &World, polls: usize, future: impl Future<Output = T> + Send) -> Option<T> {
    let mut stepper = Stepper::new(future);
    for _ in 0..polls {
        if let Poll::Ready(value) = stepper.poll() {
            return Some(value);
        }
        // Whom it waits for gets to run, and then time goes on.
        while !stepper.is_woken() && world.executor.step(|_| 0) {}
        if !stepper.is_woken()
            && let Some(wake) = world.clock.next_wake()
        {
            world.clock.advance_to(wake);
        }
    }
    None
}

/// Tries a use case as often as there are `cuts`, each time dropping it after so many polls; answers how the last try ended.
/// What is left is finished by whoever finishes it, and judged: panics if anything is wrong.
pub fn crash(case: &UseCase, seed: u64, cuts: &[usize]) -> Until {
    let setup = (case.setup)();
    let mut world = World::new(&Setup { seed: seed + 1, ..setup });
    world.ports.queue = Arc::new(YieldingQueue(Arc::clone(&world.ports.queue)));
    let company = world.company();
    let campaign = world.campaign(company, &(case.document)());
    let mut ready = (case.prepare)(&mut world, &campaign);
    let mut until = Until::Dropped;
    for polls in cuts {
        ready.process = world.new_process();
        let work = (case.work)(&world, &campaign, &ready);
        until = if cut(&world, *polls, work).is_some() { Until::Finished } else { Until::Dropped };
        world.kill(ready.process);
    }
    if case.is_repeated {
        ready.process = world.new_process();
        let work = (case.work)(&world, &campaign, &ready);
        assert!(cut(&world, POLLS_AT_MOST, work).is_some(), "a repeated call does not come to its end");
        world.kill(ready.process);
    }
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    (case.judge)(&world, &campaign, &ready);
    until
}

/// Drops a use case after 0, 1, 2, … polls, in worlds of their own, until it comes to its end; answers how many polls there
/// were to drop it at.
pub fn at_every_poll(case: &UseCase) -> usize {
    let polls = (0..POLLS_AT_MOST).find(|polls| crash(case, 0, &[*polls]) == Until::Finished);
    polls.unwrap_or_else(|| panic!("{}: still not finished after {POLLS_AT_MOST} polls", case.name))
}
