//! What somebody sees who waits.

use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::local_time::reading;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::report::PacketCounts;

/// How often the clock moves between two looks at the counters: they are cheap, but not free.
const STEPS_PER_LOOK: u64 = 256;

/// The spinner of the days that pass.
#[derive(Debug)]
pub(crate) struct Days {
    spinner: ProgressBar,
    steps: u64,
}

/// A bar for a file that is loaded. Like all of them it is on stderr, and hidden where that is no terminal.
pub(crate) fn loading(file: &str) -> ProgressBar {
    bar("loading {msg} {wide_bar} {bytes}/{total_bytes}", file)
}

/// A bar for a packet that is mapped.
pub(crate) fn mapping(file: &str) -> ProgressBar {
    bar("mapping {msg} {wide_bar} {pos}/{len} rows", file)
}

impl Days {
    pub(crate) fn begin() -> Self {
        // Drawn when it is told something, not by a thread of its own, which would draw over the bars of files.
        Self { spinner: ProgressBar::new_spinner(), steps: 0 }
    }

    /// Counts a step of the clock; tells whether the counters are to be shown.
    pub(crate) fn step(&mut self) -> bool {
        self.steps += 1;
        !self.spinner.is_hidden() && self.steps.is_multiple_of(STEPS_PER_LOOK)
    }

    pub(crate) fn show(&self, now: DateTime<Utc>, campaign: &Campaign, counts: &PacketCounts, replies: u64) {
        let local = reading(now, campaign.definition.time_zone).format("%a %b %-d %Y, %H:%M");
        let status = |status| counts.in_status(status);
        let (delivered, undelivered) = (status(MessageStatus::Delivered), status(MessageStatus::Undelivered));
        let sent = status(MessageStatus::Sent) + delivered + undelivered;
        let text = format!("{local}  {sent} sent, {delivered} delivered, {replies} replies");
        self.spinner.set_message(text);
    }

    pub(crate) fn end(&self) {
        self.spinner.finish_and_clear();
    }
}

fn bar(template: &str, file: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(file.to_owned())
}
