//! What stands beside a file of the corpus: what was written from `docs/campaign.md`, and never from what came out.
//!
//! One word at the start of a line tells what the rest is:
//!
//! | word | rest |
//! |---|---|
//! | `with` | JSON pointer and value: what the campaign has instead |
//! | `limit` | `row_bytes`, `columns`, `rows` or `bytes`, and what the host allows |
//! | `present` | how many rows the file has |
//! | `reject` | `row:column:code` |
//! | `skip` | `row:reason` |
//! | `text`, `to`, `at` | row, and what its message shows, where it goes, when it is planned |
//! | `refuse` | the beginning of the reason why the file cannot be used |
//! | `refuse_also` | what else the reason must name |

use reminderly_core::services::Settings;
use serde_json::Value;

use crate::prove::Failure;

/// A limit of the host, and its value.
pub(super) type Limit = (String, u64);

/// What is expected of a file.
#[derive(Debug, Default)]
pub(super) struct Expected {
    changes: Vec<(String, Value)>,
    pub(super) limits: Vec<Limit>,
    pub(super) present: u64,
    pub(super) rejected: Vec<String>,
    pub(super) skipped: Vec<String>,
    pub(super) texts: Vec<(u64, String)>,
    pub(super) contacts: Vec<(u64, String)>,
    pub(super) instants: Vec<(u64, String)>,
    /// Empty if the file can be used.
    pub(super) refused: Vec<String>,
}

impl Expected {
    /// # Errors
    ///
    /// A line that is none of the table.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let mut expected = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            expected.read(line).ok_or_else(|| Failure::from(format!("not understood: {line}")))?;
        }
        Ok(expected)
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        let of_row =
            || rest.split_once(' ').and_then(|(row, part)| Some((row.parse().ok()?, part.to_owned())));
        match word {
            "with" => {
                let (pointer, value) = rest.split_once(' ')?;
                self.changes.push((
                    pointer.to_owned(),
                    serde_json::from_str(value).or_else(|_| as_text(value)).ok()?,
                ));
            }
            "limit" => {
                let (name, value) = rest.split_once(' ')?;
                self.limits.push((name.to_owned(), value.parse().ok()?));
            }
            "present" => self.present = rest.parse().ok()?,
            "reject" => self.rejected.push(rest.to_owned()),
            "skip" => self.skipped.push(rest.to_owned()),
            "text" => self.texts.push(of_row()?),
            "to" => self.contacts.push(of_row()?),
            "at" => self.instants.push(of_row()?),
            "refuse" => self.refused.insert(0, rest.to_owned()),
            "refuse_also" => self.refused.push(rest.to_owned()),
            _ => return None,
        }
        Some(())
    }

    /// The campaign's document with the changes.
    ///
    /// # Errors
    ///
    /// A pointer to nowhere.
    pub(super) fn document(&self, base: &Value) -> Result<Value, Failure> {
        let mut document = base.clone();
        for (pointer, value) in &self.changes {
            let (parent, key) = pointer.rsplit_once('/').ok_or("a change without a pointer")?;
            let parent = document.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.ok_or_else(|| format!("{pointer} points nowhere"))?.insert(key.to_owned(), value.clone());
        }
        Ok(document)
    }
}

/// A JSON text in quotes whose inner ones nobody has escaped.
fn as_text(value: &str) -> Result<Value, Failure> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or("no JSON")?;
    Ok(Value::String(inner.to_owned()))
}

/// The settings with these limits.
///
/// # Errors
///
/// A limit that nobody knows.
pub(super) fn with_limits(mut settings: Settings, limits: &[Limit]) -> Result<Settings, Failure> {
    for (name, value) in limits {
        match name.as_str() {
            "row_bytes" => settings.max_row_bytes = usize::try_from(*value)?,
            "columns" => settings.file_limits.max_columns = usize::try_from(*value)?,
            "rows" => settings.file_limits.max_rows = *value,
            "bytes" => settings.file_limits.max_bytes = *value,
            unknown => return Err(format!("there is no limit '{unknown}'").into()),
        }
    }
    Ok(settings)
}
