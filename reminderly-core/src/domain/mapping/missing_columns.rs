//! Columns that a campaign reads and a file lacks.

use std::fmt;

use crate::domain::campaign::problem::nearest;
use crate::domain::row::Header;

/// A column that the header lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumn {
    /// Its name.
    pub column: String,
    /// The paths of the expressions that read it: `$.mapping.fields.sms`.
    pub needed_by: Vec<String>,
    /// The column of the header that is named nearly so.
    pub near: Option<String>,
}

/// A file lacks columns that the campaign reads. Lists them all, each on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumns {
    /// The columns, in the order in which the campaign names them.
    pub columns: Vec<MissingColumn>,
}

impl MissingColumns {
    /// What of the columns the header lacks.
    ///
    /// # Errors
    ///
    /// It lacks some.
    pub(super) fn check<'a>(
        header: &Header,
        uses: impl IntoIterator<Item = (&'a str, &'a [String])>,
    ) -> Result<(), Self> {
        let mut columns: Vec<MissingColumn> = Vec::new();
        for (path, column) in
            uses.into_iter().flat_map(|(path, columns)| columns.iter().map(move |column| (path, column)))
        {
            if header.position(column).is_some() {
                continue;
            }
            if let Some(known) = columns.iter_mut().find(|known| known.column == *column) {
                known.needed_by.push(path.to_owned());
            } else {
                let near = nearest(column, header.0.iter().map(String::as_str)).map(str::to_owned);
                columns.push(MissingColumn {
                    column: column.clone(),
                    needed_by: vec![path.to_owned()],
                    near,
                });
            }
        }
        if columns.is_empty() { Ok(()) } else { Err(Self { columns }) }
    }
}

impl fmt::Display for MissingColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, missing) in self.columns.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            let needed_by = missing.needed_by.join(", ");
            write!(f, "{separator}the column \"{}\" is missing; {needed_by} reads it", missing.column)?;
            if let Some(near) = &missing.near {
                write!(f, "; did you mean \"{near}\"?")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for MissingColumns {}
