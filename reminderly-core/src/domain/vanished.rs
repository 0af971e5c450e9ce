//! Appointments that a file does not name any more.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::row::RowNumber;

/// What a packet did to appointments of earlier packets that it does not name. Nothing at all unless its campaign says
/// `"vanished": "cancel"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VanishedAppointments {
    /// So many appointments that were ahead are not to take place any more.
    pub appointments: u64,
    /// So many of their messages were cancelled.
    pub cancelled: u64,
    /// Why none was, although the campaign says so: nobody can tell what the file names.
    pub kept: Option<KeptBecause>,
}

/// Why nothing vanishes: a file that is not understood whole is no evidence of what it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptBecause {
    /// The file has no row that could be mapped.
    NothingMapped,
    /// So many rows could not be read.
    RowsUnread(u64),
    /// The key of this row could not be read; the row is rejected.
    KeyUnread(RowNumber),
    /// So many rows could not be mapped: too many to look at each.
    RowsFailed(u64),
}

impl fmt::Display for KeptBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingMapped => f.write_str("the file has no row that could be mapped"),
            Self::RowsUnread(count) => write!(f, "{count} rows could not be read"),
            Self::KeyUnread(row) => write!(f, "the key of row {row} could not be read"),
            Self::RowsFailed(count) => write!(f, "{count} rows could not be mapped"),
        }
    }
}
