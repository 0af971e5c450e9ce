//! What goes wrong by itself, and how often.

use std::time::Duration;

use rand::RngExt as _;
use reminderly_core::testing::{AdminFaults, LookupFaults, ProviderFaults, QueueFaults, StoreFaults};

use super::super::schedule::{CallbackFaults, Faults};
use super::Drawing;

impl Drawing {
    /// Some schedules have few kinds of faults and some have all, so that one does not hide another.
    pub(super) fn faults(&mut self, is_steady: bool) -> Faults {
        let mut rate = |most: f64| if self.chance(0.45) { most * self.random.random::<f64>() } else { 0.0 };
        let queue = QueueFaults {
            duplicate: rate(0.5),
            reorder: rate(0.5),
            lose: rate(0.3),
            delay: rate(0.3),
            fail: rate(0.1),
            refuse: rate(0.05),
            over_limit: rate(0.02),
            lose_answer: rate(0.15),
            lose_payloads: false,
        };
        let admin = AdminFaults { refuse: rate(0.2), lose_answer: rate(0.2) };
        let provider = ProviderFaults {
            unreachable: rate(0.1),
            unauthorized: rate(0.05),
            throttled: rate(0.06),
            slow_start: rate(0.3),
            hang: rate(0.15),
            short_answer: rate(0.1),
            deferred: rate(0.05),
            rejected: rate(0.15),
            server_error: rate(0.15),
            server_error_accepted: rate(0.1),
            time_out: rate(0.15),
            time_out_accepted: rate(0.1),
            lost_answer: rate(0.1),
            malformed: rate(0.1),
            accepted_twice: rate(0.1),
        };
        let lookup = LookupFaults { unreachable: rate(0.3), hang: rate(0.1), inconclusive: rate(0.3) };
        let callbacks = CallbackFaults {
            late: rate(0.4),
            doubled: rate(0.3),
            given_up: rate(0.2),
            forged: rate(0.3),
            lost: rate(0.2),
            strange: rate(0.1),
            lost_stop: rate(0.5),
        };
        let panic_per_mille = if rate(1.0) > 0.5 { 30 } else { 0 };
        let mut store = StoreFaults {
            refuse: rate(0.04),
            lose_answer: rate(0.04),
            lose_commit: rate(0.04),
            delay_before: rate(0.03),
            delay_after: rate(0.03),
            longest_delay: Duration::from_secs(3),
            panic_before: rate(0.01) / 2.0,
            panic_after: 0.0,
        };
        store.panic_after = store.panic_before;
        if self.chance(0.3) {
            store.longest_delay = Duration::from_mins(4);
        }
        // Where the store is well, a bound on how soon unknown outcomes are shown is judged.
        if is_steady && self.chance(0.5) {
            store = StoreFaults::default();
        }
        Faults { store, queue, admin, provider, lookup, panic_per_mille, callbacks }
    }
}
