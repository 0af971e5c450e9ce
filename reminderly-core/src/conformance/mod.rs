//! Suites that every adapter and decorator must pass.
//!
//! A case is a function that makes what it needs and touches nothing else, so all cases run in parallel on one server. The
//! macros expand the lists of cases into separately named tests. What a service cannot do is a capability of the harness; a
//! case that does not apply says so on standard error.

pub mod queue;
pub mod store;

/// Runs a case on the current thread. For adapters that need no runtime of their own.
pub fn block_on<T>(case: impl Future<Output = T>) -> T {
    futures::executor::block_on(case)
}
