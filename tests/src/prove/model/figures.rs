//! Which bounds are explored for the published figures.

use super::Ends;
use super::bounds::{Bounds, EVERY_COMMAND, Faults, Given, Policy};
use crate::prove::Extent;

/// What is explored, to its end.
pub(super) fn figures(extent: Extent) -> Vec<(Bounds, Ends)> {
    match extent {
        Extent::Short => SHORT.to_vec(),
        Extent::Long => [SHORT, LONG].concat(),
    }
}

/// One message, two workers, any number of faults, in parts that are soon done.
const SHORT: &[(Bounds, Ends)] = &[
    (
        Bounds {
            name: "1 message, 2 workers; opt-out, window",
            copies: 1,
            commands: &[Given::OptOut, Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreSought,
    ),
    (
        Bounds {
            name: "1 message, 2 workers; pause, window",
            copies: 1,
            commands: &[Given::Pause, Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreSought,
    ),
    (
        Bounds {
            name: "1 message, 2 workers; cancellation, window",
            copies: 1,
            commands: &[Given::Cancel, Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreSought,
    ),
    (
        Bounds {
            name: "1 message, 2 workers; a resend without proof",
            policy: Policy::ResendOnce,
            commands: &[Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreSought,
    ),
    (
        Bounds {
            name: "1 message, 2 workers; a call made again",
            copies: 1,
            policy: Policy::Redial,
            commands: &[Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreSought,
    ),
    (
        Bounds {
            name: "1 message, 3 workers",
            workers: 3,
            copies: 1,
            commands: &[Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreSought,
    ),
    (
        Bounds {
            name: "1 message, 2 workers, 2 sweeps",
            sweeps: 2,
            copies: 1,
            commands: &[Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreSought,
    ),
    (
        Bounds {
            name: "2 messages, 2 workers; 1 claim, 1 fault, pause",
            messages: 2,
            claims: 1,
            max_attempts: 1,
            copies: 1,
            faults: Faults::UpTo(1),
            commands: &[Given::Pause],
            ..Bounds::SMALL
        },
        Ends::AreNot,
    ),
];

/// More claims, more copies, every command at once, and two messages that share workers and packet.
const LONG: &[(Bounds, Ends)] = &[
    (Bounds { name: "1 message, 2 workers; all commands", ..Bounds::SMALL }, Ends::AreSought),
    (
        Bounds { name: "1 message, 2 workers, 2 sweeps; all commands", sweeps: 2, ..Bounds::SMALL },
        Ends::AreNot,
    ),
    (
        Bounds { name: "1 message, 2 workers; all commands, 3 claims", claims: 3, ..Bounds::SMALL },
        Ends::AreNot,
    ),
    (
        Bounds {
            name: "1 message, 3 workers; all commands",
            workers: 3,
            commands: EVERY_COMMAND,
            ..Bounds::SMALL
        },
        Ends::AreNot,
    ),
    (
        Bounds {
            name: "1 message, 2 workers; a resend without proof, 3 claims",
            claims: 3,
            max_attempts: 3,
            policy: Policy::ResendOnce,
            commands: &[Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreNot,
    ),
    (
        Bounds {
            name: "1 message, 2 workers; a call made again, 3 claims, opt-out",
            copies: 1,
            claims: 3,
            max_attempts: 3,
            policy: Policy::Redial,
            commands: &[Given::OptOut, Given::WindowEnds],
            ..Bounds::SMALL
        },
        Ends::AreNot,
    ),
    (
        Bounds {
            name: "2 messages, 2 workers; 2 claims, 1 fault",
            messages: 2,
            copies: 1,
            faults: Faults::UpTo(1),
            commands: &[],
            ..Bounds::SMALL
        },
        Ends::AreNot,
    ),
    (
        Bounds {
            name: "2 messages, 3 workers; 1 claim, 2 faults",
            messages: 2,
            workers: 3,
            claims: 1,
            max_attempts: 1,
            copies: 1,
            faults: Faults::UpTo(2),
            commands: &[],
            ..Bounds::SMALL
        },
        Ends::AreNot,
    ),
];
