//! The table of figures.

use std::error::Error;
use std::time::Duration;

use crate::table::{Table, grouped};

/// Whatever stops a measurement.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Lines of figures.
#[derive(Debug)]
pub struct Report(Table<5>);

impl Report {
    /// Without any line.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a report is begun, not defaulted")]
    pub fn new() -> Self {
        Self(Table::new(["what", "n", "median", "goal", "ratio to goal"]))
    }

    /// Adds a figure. `ratio` says by how much the goal is met: 1 and more is good.
    pub fn add(&mut self, what: &str, n: u64, median: String, goal: &str, ratio: Option<f64>) {
        let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        self.0.add([what.to_owned(), grouped(n), median, goal.to_owned(), ratio]);
    }

    /// Prints a Markdown table.
    pub fn print(&self) {
        self.0.print();
    }
}

/// The middle one of an odd number of measurements.
pub fn median<T: Ord + Copy>(mut measured: Vec<T>) -> Option<T> {
    measured.sort_unstable();
    measured.get(measured.len() / 2).copied()
}

/// Things per second.
#[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
pub fn rate(things: u64, time: Duration) -> f64 {
    things as f64 / time.as_secs_f64()
}

/// Microseconds for each of so many things.
#[expect(clippy::cast_precision_loss, reason = "a cost is rounded anyway")]
pub fn micros_each(time: Duration, things: u64) -> f64 {
    time.as_secs_f64() * 1e6 / things as f64
}

/// The processor time of all threads of this process; zero where the system does not say it. On a shared machine it says more
/// than the time on the clock.
pub fn processor_time() -> Duration {
    /// User and system time, in clock ticks of a hundredth of a second: fields 14 and 15 of proc(5).
    fn ticks() -> Option<u64> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut fields = after_name.split_whitespace().skip(11);
        Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
    }
    Duration::from_millis(ticks().unwrap_or_default() * 10)
}

/// The most memory that this process has had at once, in KiB; `None` where the system does not say it.
pub fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}
