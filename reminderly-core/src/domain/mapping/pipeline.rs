//! The fast path: expressions that join columns and pass them through message functions need no virtual machine.

use std::borrow::Cow;

use super::clean::clean;
use crate::domain::row::Row;
use crate::domain::template::format::Format;
use crate::domain::template::function::{
    DEFAULT_SYMBOL, Datum, Function, TRUNCATE_MAX, ValueFault, format_kind,
};
use crate::domain::template::scan::{Token, tokens};

/// Columns and literals, joined and passed through functions.
#[derive(Debug)]
pub(super) struct Pipeline {
    terms: Vec<Term>,
    functions: Vec<Function>,
}

#[derive(Debug)]
enum Term {
    /// The column at a position of the expression's columns.
    Column(usize),
    Literal(Box<str>),
}

impl Pipeline {
    /// The expression as a pipeline over its columns; `None` if it is more than that.
    pub(super) fn parse(source: &str, columns: &[String]) -> Option<Self> {
        let (tokens, after) = tokens(source);
        if !after.is_empty() {
            return None;
        }
        let mut rest = tokens.as_slice();
        let terms = terms(&mut rest, columns)?;
        let mut functions = Vec::new();
        while let [Token::Sign('|'), Token::Word(name), tail @ ..] = rest {
            rest = tail;
            let argument = argument(&mut rest)?;
            functions.push(function(name, argument)?);
        }
        rest.is_empty().then_some(Self { terms, functions })
    }

    /// Evaluates it; `positions` are those of its columns in the row.
    ///
    /// # Errors
    ///
    /// A function does not take its value.
    pub(super) fn run<'r>(
        &self,
        row: &'r Row,
        positions: &[usize],
        removed: &mut bool,
    ) -> Result<Datum<'r>, ValueFault> {
        let mut cell = |column: usize| {
            let text = positions.get(column).and_then(|position| row.field(*position)).unwrap_or_default();
            let (text, some_removed) = clean(text);
            *removed |= some_removed;
            text
        };
        let start = if let [Term::Column(column)] = self.terms.as_slice() {
            cell(*column)
        } else {
            let mut joined = String::with_capacity(32);
            for term in &self.terms {
                match term {
                    Term::Column(column) => joined.push_str(&cell(*column)),
                    Term::Literal(text) => joined.push_str(text),
                }
            }
            Cow::Owned(joined)
        };
        self.functions.iter().try_fold(Datum::Text(start), |datum, function| function.apply(datum))
    }
}

/// `term`, or terms joined by `~`: in parentheses, or without any functions behind them.
fn terms(rest: &mut &[Token], columns: &[String]) -> Option<Vec<Term>> {
    let parenthesised = matches!(rest, [Token::Sign('('), ..]);
    if let [Token::Sign('('), tail @ ..] = *rest {
        *rest = tail;
    }
    let mut terms = vec![term(rest, columns)?];
    while let [Token::Sign('~'), tail @ ..] = *rest {
        *rest = tail;
        terms.push(term(rest, columns)?);
    }
    if parenthesised {
        let [Token::Sign(')'), tail @ ..] = *rest else { return None };
        *rest = tail;
    } else if terms.len() > 1 && !rest.is_empty() {
        // A function binds closer than ~.
        return None;
    }
    Some(terms)
}

fn term(rest: &mut &[Token], columns: &[String]) -> Option<Term> {
    let (term, tail) = match *rest {
        [Token::Word(row), Token::Sign('['), Token::Quoted(Some(column)), Token::Sign(']'), tail @ ..]
        | [Token::Word(row), Token::Sign('.'), Token::Word(column), tail @ ..]
            if row == "row" =>
        {
            (Term::Column(columns.iter().position(|known| known == column)?), tail)
        }
        [Token::Quoted(Some(text)), tail @ ..] => (Term::Literal(text.as_str().into()), tail),
        _ => return None,
    };
    *rest = tail;
    Some(term)
}

/// At most one literal in parentheses; the outer `None` is anything else.
#[expect(
    clippy::option_option,
    reason = "no argument and an argument that is too much for a pipeline differ"
)]
fn argument<'t>(rest: &mut &'t [Token]) -> Option<Option<&'t Token>> {
    let (argument, tail) = match *rest {
        [
            Token::Sign('('),
            argument @ (Token::Quoted(Some(_)) | Token::Number(_)),
            Token::Sign(')'),
            tail @ ..,
        ] => (Some(argument), tail),
        [Token::Sign('('), ..] => return None,
        tail => (None, tail),
    };
    *rest = tail;
    Some(argument)
}

fn function(name: &str, argument: Option<&Token>) -> Option<Function> {
    let quoted = match argument {
        Some(Token::Quoted(Some(text))) => Some(text.as_str()),
        _ => None,
    };
    if let Some(kind) = format_kind(name) {
        return Format::new(kind, quoted?).map(Function::Format);
    }
    match (name, argument) {
        ("name", None) => Some(Function::Name),
        ("email", None) => Some(Function::Email),
        ("trim", None) => Some(Function::Trim),
        ("digits", None) => Some(Function::Digits),
        ("phone", None) => Some(Function::Phone(None)),
        ("phone", Some(_)) => Some(Function::Phone(Some(quoted?.into()))),
        ("money", None) => Some(Function::Money(DEFAULT_SYMBOL.into())),
        ("money", Some(_)) => Some(Function::Money(quoted?.into())),
        ("default", Some(_)) => Some(Function::Default(quoted?.into())),
        ("truncate", Some(Token::Number(count))) => {
            count.parse().ok().filter(|count| (1..=TRUNCATE_MAX).contains(count)).map(Function::Truncate)
        }
        _ => None,
    }
}
