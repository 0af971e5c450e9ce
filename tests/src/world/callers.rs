//! Callers who send on demand.

use std::sync::Arc;

use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::one_liner::OneLiner;
use reminderly_core::services::{CompiledCampaigns, InProcessPollers, OnDemand, OnDemandCall, Ports};

use super::World;
use crate::executor::{Process, Stepper};

impl World {
    /// What callers of this worker's process use.
    pub fn on_demand(&self, process: Process) -> OnDemand {
        let running = self.workers.get(&process).expect("a worker that runs");
        self.on_demand_over(&running.ports, &running.pollers)
    }

    /// What callers of a process of their own use, whose pollers run with it and die with it.
    pub fn lone_on_demand(&mut self) -> (OnDemand, Process) {
        let process = self.new_process();
        let (_, pollers) = self.idle_worker(process);
        (self.on_demand_over(&self.ports, &pollers), process)
    }

    fn on_demand_over(&self, ports: &Ports, pollers: &Arc<InProcessPollers>) -> OnDemand {
        let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
        OnDemand::new(ports, &self.settings, campaigns, Arc::<InProcessPollers>::clone(pollers))
    }

    /// Runs until the future is ready, at most for a day, while everybody else goes on.
    pub fn drive<T>(&mut self, future: impl Future<Output = T> + Send) -> T {
        let limit = self.now() + chrono::TimeDelta::days(1);
        let mut stepper = Stepper::new(future);
        loop {
            if let std::task::Poll::Ready(value) = stepper.poll() {
                return value;
            }
            let others = self.step();
            assert!(others || stepper.is_woken() || self.advance(limit), "still not ready after a day");
        }
    }
}

/// A text message to a number of [`material`](crate::material), under a key that is made of the index.
pub fn line(index: usize) -> OnDemandCall {
    let one_liner = OneLiner::sms(crate::material::number(index)).with_field("Name", format!("Name{index}"));
    OnDemandCall::one_liner(key(&format!("call-{index}")), one_liner)
}

/// A key.
pub fn key(text: &str) -> CallKey {
    CallKey::new(text).expect("a key")
}
