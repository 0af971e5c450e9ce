//! Statements, by what they do: only what reads or changes rows can stand in a transaction.

use std::borrow::Cow;

use reminderly_core::ports::BoxError;
use sqlx::mysql::MySqlArguments;

use crate::log_tables::LogTable;
use crate::parameter::Parameter;
use crate::table_set::TableSet;

/// A statement that reads or changes rows. One that defines tables would commit what stands before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement(&'static str);

/// A statement that reads or changes rows; to be called in constants, so that any other does not compile. In it stands
///
/// - `{set}` for a [set of tables](Statement::on), `{to}` for [another one](Bound::into_tables), `{log}` for
///   [a table of a log](Statement::of_log),
/// - `{rows}` for a list of values, or of groups of values, of which there are as many as rows are [given](Statement::each),
/// - `{any …}` for conditions, one of which holds: the same one for every row that is given.
pub(crate) const fn statement(text: &'static str) -> Statement {
    assert!(
        begins_with(text, "SELECT ")
            || begins_with(text, "INSERT ")
            || begins_with(text, "UPDATE ")
            || begins_with(text, "DELETE "),
        "a statement that reads or changes rows begins with one of these words"
    );
    Statement(text)
}

const fn begins_with(text: &str, word: &str) -> bool {
    matches!(text.as_bytes().split_at_checked(word.len()), Some((first, _)) if same(first, word.as_bytes()))
}

const fn same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([first, rest @ ..], [wanted, others @ ..]) = (one, other) {
        if *first != *wanted {
            return false;
        }
        (one, other) = (rest, others);
    }
    true
}

/// A statement with its values.
#[derive(Clone)]
pub(crate) struct Bound {
    text: Cow<'static, str>,
    parameters: Vec<Parameter>,
    /// Whether its text is always the same, and kept prepared by each connection.
    is_fixed: bool,
}

/// How the rows are locked that a statement reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Not at all: what is read may change at once.
    Not,
    /// Others may look at them too.
    Shared,
    /// Nobody else has them.
    Alone,
}

/// A statement has so many rows at most: more save nothing.
const ROWS: usize = 500;

/// The protocol counts placeholders with 16 bits.
const PLACEHOLDERS: usize = 60_000;

/// A statement has about so many bytes at most, unless one row alone has more: servers take 16 MiB if nobody told them otherwise,
/// <https://mariadb.com/kb/en/server-system-variables/#max_allowed_packet>.
const BYTES: usize = 1 << 20;

impl Statement {
    /// The statement with its first value.
    pub(crate) fn bind(self, value: impl Into<Parameter>) -> Bound {
        self.bound().bind(value)
    }

    /// The statement with locks on what it reads.
    pub(crate) fn locking(self, lock: Lock) -> Bound {
        self.bound().locking(lock)
    }

    /// The statement on the tables of a packet.
    pub(crate) fn on(self, set: TableSet) -> Bound {
        Bound { text: set.named_in(self.0, "set").into(), is_fixed: false, ..self.bound() }
    }

    /// The statement on a table of a log.
    pub(crate) fn of_log(self, table: LogTable) -> Bound {
        Bound { text: self.0.replace("{log}", &table.to_string()).into(), is_fixed: false, ..self.bound() }
    }

    /// The statement for each of the rows: as many statements as they need.
    pub(crate) fn each<const WIDTH: usize>(
        self,
        rows: impl IntoIterator<Item = [Parameter; WIDTH]>,
    ) -> Vec<Bound> {
        self.bound().each(rows)
    }

    /// The statement without any value yet.
    pub(crate) const fn bound(self) -> Bound {
        Bound { text: Cow::Borrowed(self.0), parameters: Vec::new(), is_fixed: true }
    }
}

impl Bound {
    /// With one more value.
    pub(crate) fn bind(mut self, value: impl Into<Parameter>) -> Self {
        self.parameters.push(value.into());
        self
    }

    /// With the tables that something is moved into.
    pub(crate) fn into_tables(mut self, to: TableSet) -> Self {
        self.text = to.named_in(&self.text, "to").into();
        self
    }

    /// With locks on what it reads.
    pub(crate) fn locking(mut self, lock: Lock) -> Self {
        self.text.to_mut().push_str(match lock {
            Lock::Not => "",
            Lock::Shared => " LOCK IN SHARE MODE",
            Lock::Alone => " FOR UPDATE",
        });
        self
    }

    /// For each of the rows: as many statements as they need, with the values that it has already in front of those of the rows.
    pub(crate) fn each<const WIDTH: usize>(
        &self,
        rows: impl IntoIterator<Item = [Parameter; WIDTH]>,
    ) -> Vec<Self> {
        let most = ROWS.min(PLACEHOLDERS / WIDTH.max(1));
        let mut statements = Vec::new();
        let (mut values, mut count, mut bytes) = (Vec::new(), 0, 0);
        for row in rows {
            let size: usize = row.iter().map(Parameter::size).sum();
            if count == most || (count > 0 && bytes + size > BYTES) {
                statements.push(self.of_rows(WIDTH, count, std::mem::take(&mut values)));
                (count, bytes) = (0, 0);
            }
            values.extend(row);
            (count, bytes) = (count + 1, bytes + size);
        }
        if count > 0 {
            statements.push(self.of_rows(WIDTH, count, values));
        }
        statements
    }

    fn of_rows(&self, width: usize, rows: usize, values: Vec<Parameter>) -> Self {
        let parameters = self.parameters.iter().cloned().chain(values).collect();
        Self { text: repeated(&self.text, width, rows).into(), parameters, is_fixed: false }
    }

    /// As the driver takes it. Nothing is in the text but that of this crate, placeholders, and values
    /// as [`Parameter`] writes them.
    ///
    /// # Errors
    ///
    /// A value cannot be written.
    pub(crate) fn into_query(self) -> Result<Prepared, BoxError> {
        if !self.is_fixed {
            return Ok(Prepared::Never(self.into_text()?));
        }
        let mut arguments = MySqlArguments::default();
        self.parameters.into_iter().try_for_each(|value| value.add_to(&mut arguments))?;
        Ok(Prepared::Once(self.text, arguments))
    }

    /// The text with its values in it.
    fn into_text(self) -> Result<String, BoxError> {
        let size: usize = self.parameters.iter().map(Parameter::size).sum();
        let mut text = String::with_capacity(self.text.len() + size);
        let mut values = self.parameters.into_iter();
        for (position, part) in self.text.split('?').enumerate() {
            if position > 0 {
                values.next().ok_or("a placeholder has no value")?.write_to(&mut text)?;
            }
            text.push_str(part);
        }
        if values.next().is_some() { Err("a value has no placeholder".into()) } else { Ok(text) }
    }
}

/// How a statement goes to the server.
pub(crate) enum Prepared {
    /// It is prepared by a connection that uses it for the first time.
    Once(Cow<'static, str>, MySqlArguments),
    /// It goes as it is, with its values in it: a text that hardly comes again would be prepared in vain.
    Never(String),
}

/// As many groups as there are rows, where they are to stand.
fn repeated(text: &str, width: usize, rows: usize) -> String {
    if let Some((before, after)) = text.split_once("{rows}") {
        let group = match width {
            1 => "?".to_owned(),
            _ => format!("({})", vec!["?"; width].join(", ")),
        };
        return format!("{before}{}{after}", vec![group; rows].join(", "));
    }
    let any = text.split_once("{any ").and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match any {
        Some((before, (condition, after))) => {
            format!("{before}({}){after}", vec![format!("({condition})"); rows].join(" OR "))
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSERT: Statement = statement("INSERT INTO pairs (one, other) VALUES {rows}");

    fn texts(statements: &[Bound]) -> Vec<&str> {
        statements.iter().map(|statement| &*statement.text).collect()
    }

    fn pairs(count: u64) -> impl Iterator<Item = [Parameter; 2]> {
        (0..count).map(|one| [one.into(), (one + 1).into()])
    }

    #[test]
    fn groups_are_as_many_as_rows() {
        let two = "INSERT INTO pairs (one, other) VALUES (?, ?), (?, ?)";
        assert_eq!(texts(&INSERT.each(pairs(2))), [two]);
        assert!(INSERT.each(pairs(0)).is_empty(), "for no row there is no statement");
        let list =
            statement("DELETE FROM pairs WHERE one IN ({rows})").each([[1_u32.into()], [2_u32.into()]]);
        assert_eq!(texts(&list), ["DELETE FROM pairs WHERE one IN (?, ?)"]);
        let any = statement("DELETE FROM pairs WHERE {any one = ? AND other = ?}").each(pairs(2));
        assert_eq!(
            texts(&any),
            ["DELETE FROM pairs WHERE ((one = ? AND other = ?) OR (one = ? AND other = ?))"]
        );
    }

    #[test]
    fn rows_that_are_many_or_large_are_parted() {
        let counts = |statements: &[Bound]| -> Vec<usize> {
            statements.iter().map(|statement| statement.parameters.len()).collect()
        };
        assert_eq!(counts(&INSERT.each(pairs(1_001))), [1_000, 1_000, 2]);
        let large = |bytes: usize| [Parameter::Null, Parameter::Text("a".repeat(bytes))];
        let statements = INSERT.each([large(BYTES), large(10), large(BYTES / 4), large(BYTES / 4)]);
        assert_eq!(counts(&statements), [2, 4, 2]);
    }

    #[test]
    fn values_in_front_of_the_rows_stand_in_every_statement() {
        let list = statement("SELECT other FROM pairs WHERE one = ? AND other IN ({rows})").bind(7_u32);
        let statements = list.each((0..501_u32).map(|other| [other.into()]));
        let firsts: Vec<_> = statements.iter().map(|statement| statement.parameters.first()).collect();
        assert!(matches!(firsts[..], [Some(Parameter::Unsigned(7)), Some(Parameter::Unsigned(7))]));
    }

    #[test]
    fn nothing_in_a_value_ends_it() {
        let insert = INSERT.each([
            [Parameter::from("'; -- é?"), Parameter::from(-5_i64)],
            [Parameter::from("\\'"), Parameter::from("\0'")],
            [Parameter::Bytes(vec![0, 39]), Parameter::Null],
        ]);
        let text = insert.into_iter().next().and_then(|insert| insert.into_text().ok());
        let values = "(_utf8mb4'''; -- é?', -5), (_utf8mb4 x'5c27', _utf8mb4 x'0027'), (x'0027', NULL)";
        assert_eq!(text, Some(format!("INSERT INTO pairs (one, other) VALUES {values}")));
    }

    #[test]
    fn only_words_that_read_or_change_rows_begin_a_statement() {
        for word in ["SELECT 1", "INSERT INTO", "UPDATE t", "DELETE FROM"] {
            statement(word);
        }
    }

    #[test]
    #[should_panic(expected = "begins with one of these words")]
    fn what_defines_tables_is_none() {
        statement("CREATE TABLE t (a INT)");
    }
}
