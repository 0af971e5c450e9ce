//! Columns that a campaign reads and cannot find in a file, or finds twice.

use std::collections::HashMap;
use std::fmt;

use crate::domain::campaign::problem::nearest;
use crate::domain::row::Header;
use crate::domain::table::CANDIDATES;

/// A column that the header lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumn {
    /// Its name.
    pub column: String,
    /// The paths of the expressions that read it: `$.mapping.fields.sms`.
    pub needed_by: Vec<String>,
    /// The column of the header that is named nearly so.
    pub near: Option<NearColumn>,
}

/// A column that is named nearly as one that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearColumn {
    /// Its name in the file.
    pub name: String,
    /// In what the names differ.
    pub difference: NameDifference,
}

/// In what two names differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameDifference {
    /// In upper and lower case only.
    Case,
    /// In blanks only: before, after or within the name.
    Blanks,
    /// In some letters.
    Spelling,
}

/// A column that the campaign reads and two columns of the header are named as. Which one is meant is not guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateColumn {
    /// Its name.
    pub column: String,
    /// The paths of the expressions that read it.
    pub needed_by: Vec<String>,
    /// The position of the first, from 1.
    pub first: usize,
    /// The position of the second, from 1.
    pub second: usize,
}

/// The header of a file does not fit the campaign. Lists all that is wrong, each on a line of its own. Columns that the campaign
/// does not read are of no interest, and their order never is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfitHeader {
    /// The columns that are missing, in the order in which the campaign names them.
    pub missing: Vec<MissingColumn>,
    /// The columns that stand twice, in the order in which the campaign names them.
    pub duplicate: Vec<DuplicateColumn>,
    /// The header is one column whose name holds this character, which may be the delimiter of the file.
    pub delimiter: Option<char>,
}

/// Where a name stands in a header.
#[derive(Debug, Clone, Copy)]
enum Place {
    Once(usize),
    Twice(usize, usize),
}

impl UnfitHeader {
    /// Whether the header has each of the columns once.
    ///
    /// # Errors
    ///
    /// It has not.
    pub(super) fn check<'a>(
        header: &Header,
        uses: impl IntoIterator<Item = (&'a str, &'a [String])>,
    ) -> Result<(), Self> {
        let places = places(header);
        let mut unfit = Self { missing: Vec::new(), duplicate: Vec::new(), delimiter: None };
        for (path, column) in
            uses.into_iter().flat_map(|(path, columns)| columns.iter().map(move |column| (path, column)))
        {
            match places.get(column.as_str()) {
                Some(Place::Once(_)) => {}
                Some(Place::Twice(first, second)) => unfit.note_duplicate(column, path, (*first, *second)),
                None => unfit.note_missing(header, column, path),
            }
        }
        if unfit.missing.is_empty() && unfit.duplicate.is_empty() {
            return Ok(());
        }
        if let (false, [name]) = (unfit.missing.is_empty(), header.0.as_slice()) {
            unfit.delimiter =
                CANDIDATES.map(char::from).into_iter().find(|candidate| name.contains(*candidate));
        }
        Err(unfit)
    }

    fn note_duplicate(&mut self, column: &str, path: &str, (first, second): (usize, usize)) {
        match self.duplicate.iter_mut().find(|known| known.column == column) {
            Some(known) => known.needed_by.push(path.to_owned()),
            None => self.duplicate.push(DuplicateColumn {
                column: column.to_owned(),
                needed_by: vec![path.to_owned()],
                first,
                second,
            }),
        }
    }

    fn note_missing(&mut self, header: &Header, column: &str, path: &str) {
        match self.missing.iter_mut().find(|known| known.column == column) {
            Some(known) => known.needed_by.push(path.to_owned()),
            None => self.missing.push(MissingColumn {
                column: column.to_owned(),
                needed_by: vec![path.to_owned()],
                near: near(column, header),
            }),
        }
    }
}

fn places(header: &Header) -> HashMap<&str, Place> {
    let mut places = HashMap::with_capacity(header.0.len());
    for (name, position) in header.0.iter().zip(1..) {
        let place = places.entry(name.as_str()).or_insert(Place::Once(position));
        if let Place::Once(first) = *place
            && first != position
        {
            *place = Place::Twice(first, position);
        }
    }
    places
}

fn near(column: &str, header: &Header) -> Option<NearColumn> {
    let names = || header.0.iter().map(String::as_str).filter(|name| !name.is_empty());
    let found =
        |name: Option<&str>, difference| name.map(|name| NearColumn { name: name.to_owned(), difference });
    let (blanks, folded) = (without_blanks(column), column.to_lowercase());
    found(names().find(|name| without_blanks(name) == blanks), NameDifference::Blanks)
        .or_else(|| found(names().find(|name| name.to_lowercase() == folded), NameDifference::Case))
        .or_else(|| found(nearest(column, names()), NameDifference::Spelling))
}

fn without_blanks(name: &str) -> String {
    name.split_whitespace().collect()
}

impl fmt::Display for UnfitHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for missing in &self.missing {
            let needed_by = missing.needed_by.join(", ");
            let column = shown(&missing.column);
            write!(f, "{separator}the column \"{column}\" is missing; {needed_by} reads it")?;
            if let Some(near) = &missing.near {
                write!(f, "; did you mean \"{}\"?", shown(&near.name))?;
                f.write_str(match near.difference {
                    NameDifference::Case => " Only upper and lower case differ",
                    NameDifference::Blanks => " Only blanks differ",
                    NameDifference::Spelling => "",
                })?;
            }
            separator = "\n";
        }
        for DuplicateColumn { column, needed_by, first, second } in &self.duplicate {
            let (column, needed_by) = (shown(column), needed_by.join(", "));
            write!(
                f,
                "{separator}columns {first} and {second} of the header are both named \"{column}\", and {needed_by} reads it: \
                 rename one of them"
            )?;
            separator = "\n";
        }
        if let Some(delimiter) = self.delimiter {
            let name = match delimiter {
                ',' => "commas",
                ';' => "semicolons",
                '\t' => "tabs",
                _ => "bars",
            };
            write!(
                f,
                "{separator}the header is one column with {name} in it: correct source.delimiter, or set it to \"auto\""
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for UnfitHeader {}

/// A name for a line of text: a tab as `\t`, a line break as `\n`.
fn shown(name: &str) -> String {
    name.chars().fold(String::with_capacity(name.len()), |mut shown, c| {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn check(header: &[&str], columns: &[&str]) -> Result<(), String> {
        let header = Header(header.iter().map(|name| (*name).to_owned()).collect());
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        UnfitHeader::check(&header, [("$.mapping.fields.x", columns.as_slice())])
            .map_err(|unfit| unfit.to_string())
    }

    #[rstest]
    #[case::reordered(&["b", "a"], &["a", "b"])]
    #[case::more(&["b", "a", "c", ""], &["a"])]
    #[case::unread_duplicates(&["a", "b", "b", "", ""], &["a"])]
    fn headers_that_fit(#[case] header: &[&str], #[case] columns: &[&str]) {
        assert_eq!(check(header, columns), Ok(()));
    }

    #[rstest]
    #[case::case(&["cell"], "Cell", "; did you mean \"cell\"? Only upper and lower case differ")]
    #[case::blank_behind(&["Cell"], "Cell ", "; did you mean \"Cell\"? Only blanks differ")]
    #[case::blanks_within(&["Cell\u{a0} phone"], "Cell phone", "; did you mean \"Cell\u{a0} phone\"? Only blanks differ")]
    #[case::both(&["cell phone"], "Cellphone", "; did you mean \"cell phone\"?")]
    #[case::spelling(&["Cel"], "Cell", "; did you mean \"Cel\"?")]
    #[case::line_break(&["Cel\nl"], "Cell", "; did you mean \"Cel\\nl\"? Only blanks differ")]
    #[case::nothing(&["Mobile"], "Cell", "")]
    fn missing_columns_are_told_with_what_is_near(
        #[case] header: &[&str],
        #[case] column: &str,
        #[case] hint: &str,
    ) {
        let expected = format!("the column \"{column}\" is missing; $.mapping.fields.x reads it{hint}");
        assert_eq!(check(header, &[column]), Err(expected));
    }

    #[test]
    fn every_fault_has_a_line() {
        let unfit = check(&["a", "b", "a", "a"], &["a", "c", "d"]).unwrap_err();
        let lines: Vec<_> = unfit.lines().collect();
        assert_eq!(lines.len(), 3, "{unfit}");
        let duplicate = "columns 1 and 3 of the header are both named \"a\", and $.mapping.fields.x reads it: rename one of them";
        assert_eq!(lines[2], duplicate);
    }

    #[test]
    fn another_delimiter_is_named_in_words() {
        let unfit = check(&["a\tb"], &["a", "b"]).unwrap_err();
        assert!(
            unfit.ends_with("one column with tabs in it: correct source.delimiter, or set it to \"auto\""),
            "{unfit}"
        );
        assert!(!unfit.contains('\t'), "{unfit}");
    }
}
