//! Statements, by what they do: only what reads or changes rows can stand in a transaction.

use sqlx::mysql::MySqlArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Encode, MySql, Type, query};

use crate::table_set::TableSet;

/// A statement that reads or changes rows. One that defines tables would commit what stands before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement(&'static str);

/// A statement that reads or changes rows; to be called in constants, so that any other does not compile. `{set}` in it stands for a
/// [set of tables](Statement::on), and `{n}` for groups of n placeholders, of which there are as many as rows are
/// [given](Statement::of_rows): `{1}` is a list of values, any other a list of rows.
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

/// A statement with its values; `None` of one that is for no row at all.
pub(crate) struct Bound<'q>(pub(crate) Option<Query<'q, MySql, MySqlArguments>>);

impl Statement {
    /// The statement with its first value.
    pub(crate) fn bind<'q, T: Encode<'q, MySql> + Type<MySql> + 'q>(self, value: T) -> Bound<'q> {
        Bound(Some(query(self.0).bind(value)))
    }

    /// The statement for so many rows or values, without any yet.
    pub(crate) fn of_rows<'q>(self, rows: usize) -> Bound<'q> {
        if rows == 0 {
            return Bound(None);
        }
        made(repeated(self.0, rows))
    }

    /// The statement on the tables of a packet.
    pub(crate) fn on<'q>(self, set: TableSet) -> Bound<'q> {
        made(self.0.replace("{set}", &set.to_string()))
    }

    /// The statement on the tables of a packet, for so many rows or values.
    pub(crate) fn on_rows<'q>(self, set: TableSet, rows: usize) -> Bound<'q> {
        if rows == 0 {
            return Bound(None);
        }
        made(repeated(&self.0.replace("{set}", &set.to_string()), rows))
    }
}

/// Nothing is in it but text of this crate, numbers and placeholders.
fn made<'q>(text: String) -> Bound<'q> {
    Bound(Some(query(AssertSqlSafe(text))))
}

/// As many groups as there are rows, where `{n}` stands.
fn repeated(text: &str, rows: usize) -> String {
    let parts = text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (width, after))) = parts else { return text.to_owned() };
    let group = match width.parse() {
        Ok(1) | Err(_) => "?".to_owned(),
        Ok(width) => format!("({})", vec!["?"; width].join(", ")),
    };
    format!("{before}{}{after}", vec![group; rows].join(", "))
}

impl<'q> Bound<'q> {
    /// With one more value.
    pub(crate) fn bind<T: Encode<'q, MySql> + Type<MySql> + 'q>(self, value: T) -> Self {
        Self(self.0.map(|query| query.bind(value)))
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Execute as _;

    use super::*;

    const INSERT: Statement =
        statement("INSERT INTO pairs (one, other) VALUES {2} ON DUPLICATE KEY UPDATE one = one");

    #[test]
    fn rows_are_as_many_as_asked_for() {
        let text = |rows| INSERT.of_rows(rows).0.map(|query| query.sql().as_str().to_owned());
        let of_one = "INSERT INTO pairs (one, other) VALUES (?, ?) ON DUPLICATE KEY UPDATE one = one";
        assert_eq!(text(1).as_deref(), Some(of_one));
        assert!(text(3).is_some_and(|text| text.contains("VALUES (?, ?), (?, ?), (?, ?) ON")));
        assert_eq!(text(0), None);
        let list = statement("DELETE FROM pairs WHERE one IN ({1})").of_rows(2).0;
        assert_eq!(
            list.map(|query| query.sql().as_str().to_owned()).as_deref(),
            Some("DELETE FROM pairs WHERE one IN (?, ?)")
        );
        let fixed = statement("UPDATE pairs SET one = ?").of_rows(1).0;
        assert_eq!(
            fixed.map(|query| query.sql().as_str().to_owned()).as_deref(),
            Some("UPDATE pairs SET one = ?")
        );
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
