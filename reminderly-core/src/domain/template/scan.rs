//! A look at the source of texts and expressions before they are compiled: which functions and columns they use, and
//! whether they use what is left out on purpose.

use super::builtin::{FUNCTIONS, TESTS};
use super::format::Format;
use super::function::{TRUNCATE_MAX, format_kind};
use crate::domain::campaign::problem::hint;
use crate::domain::contact_point::{InvalidContactPoint, PhoneNumber};

/// The statements that texts may use: nothing that stores, so that no run can grow what it copies.
const STATEMENTS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// The most `~` of one source.
const JOINS_MAX: usize = 64;

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// Text with tags.
    Text,
    /// One expression over `row`.
    Expression,
}

/// What was found in a source.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The columns of `row` that it reads, each once, in order.
    pub(crate) columns: Vec<String>,
    /// The names of the functions that it uses.
    pub(crate) functions: Vec<String>,
    /// What cannot be used, with the line.
    pub(crate) faults: Vec<(usize, String)>,
}

/// A piece of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a word of the language.
    Word(String),
    /// A quoted text without its quotes; `None` if it has escapes, which only the engine resolves.
    Quoted(Option<String>),
    /// A number.
    Number(String),
    /// Any other character.
    Sign(char),
}

/// Looks through a source. Faults of syntax are left to the compiler.
pub(crate) fn scan(source: &str, kind: SourceKind) -> Scan {
    let mut scan = Scan::default();
    match kind {
        SourceKind::Expression => {
            let tokens = tokens(source).0;
            scan.check(&tokens, 1, kind);
            scan.read_columns(&tokens);
        }
        SourceKind::Text => scan.text(source),
    }
    scan
}

impl Scan {
    fn text(&mut self, source: &str) {
        let mut rest = source;
        while let Some((before, tail)) = rest.split_once('{') {
            let line = 1 + source.len().checked_sub(tail.len()).map_or(0, |end| lines(source, end));
            let _ = before;
            rest = if let Some(comment) = tail.strip_prefix('#') {
                comment.split_once("#}").map_or("", |(_, after)| after)
            } else if let Some(code) = tail.strip_prefix('{') {
                let (tokens, after) = tokens(code);
                self.check(&tokens, line, SourceKind::Text);
                after
            } else if let Some(code) = tail.strip_prefix('%') {
                let (tokens, after) = tokens(code.trim_start_matches(['-', '+']));
                self.check_statement(&tokens, line);
                self.check(&tokens, line, SourceKind::Text);
                after
            } else {
                tail
            };
        }
    }

    fn check_statement(&mut self, tokens: &[Token], line: usize) {
        if let Some(Token::Word(word)) = tokens.first()
            && !STATEMENTS.contains(&word.as_str())
        {
            self.fault(line, format!("{{% {word} %}} is not available in texts; if and for are"));
        }
        if tokens.contains(&Token::Word("recursive".to_owned())) {
            self.fault(line, "recursive loops are not available in texts");
        }
    }

    fn check(&mut self, tokens: &[Token], line: usize, kind: SourceKind) {
        let joins = tokens.iter().filter(|token| **token == Token::Sign('~')).count();
        if joins > JOINS_MAX {
            self.fault(line, format!("more than {JOINS_MAX} joins with ~"));
        }
        for (position, window) in tokens.windows(2).enumerate() {
            match window {
                [Token::Sign('|'), Token::Word(name)] => {
                    let arguments = arguments(tokens.get(position + 2..).unwrap_or_default());
                    self.check_function(name, &arguments, line, kind);
                }
                [Token::Word(is), Token::Word(test)] if is == "is" && test != "not" => {
                    self.check_test(test, line);
                }
                [Token::Word(not), Token::Word(test)]
                    if not == "not"
                        && position > 0
                        && tokens.get(position - 1) == Some(&Token::Word("is".to_owned())) =>
                {
                    self.check_test(test, line);
                }
                [Token::Sign('.'), Token::Word(_)] if tokens.get(position + 2) == Some(&Token::Sign('(')) => {
                    self.fault(line, "methods are not available; use a message function after |");
                }
                _ => {}
            }
        }
        if tokens.iter().any(|token| matches!(token, Token::Sign('*' | '{' | '}'))) {
            self.fault(line, "multiplication and maps are not available");
        }
    }

    fn check_test(&mut self, test: &str, line: usize) {
        if !TESTS.contains(&test) {
            self.fault(line, format!("unknown test \"{test}\"{}", hint(test, TESTS)));
        }
    }

    fn check_function(&mut self, name: &str, arguments: &[Vec<Token>], line: usize, kind: SourceKind) {
        let Some((_, least, most)) = FUNCTIONS.into_iter().find(|(known, ..)| *known == name) else {
            let hint = hint(name, FUNCTIONS.map(|(known, ..)| known));
            return self.fault(line, format!("unknown function \"{name}\"{hint}"));
        };
        if !(least..=most).contains(&arguments.len()) {
            let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
            self.fault(line, format!("{name} takes {expected} arguments"));
        }
        let read_before = self.functions.iter().any(|used| format_kind(used).is_some());
        if let Some(format) = format_kind(name)
            && let Some(argument) = arguments.first()
        {
            let [Token::Quoted(Some(text))] = argument.as_slice() else {
                return self.fault(line, format!("{name} takes a format in quotes, without \\"));
            };
            match Format::new(format, text) {
                None => self.fault(line, format!("\"{text}\" is no format of dates and times")),
                Some(format)
                    if kind == SourceKind::Expression && !read_before && !format.reads_what_it_writes() =>
                {
                    self.fault(line, format!("\"{text}\" lacks a part, such as the year or AM and PM (%p)"));
                }
                Some(_) => {}
            }
        }
        if name == "phone"
            && let Some([Token::Quoted(Some(region))]) = arguments.first().map(Vec::as_slice)
            && PhoneNumber::parse("555 0100", Some(region)) == Err(InvalidContactPoint::UnknownRegion)
        {
            self.fault(line, InvalidContactPoint::UnknownRegion.to_string());
        }
        if name == "truncate"
            && let Some([Token::Number(count)]) = arguments.first().map(Vec::as_slice)
            && !count.parse().is_ok_and(|count| (1..=TRUNCATE_MAX).contains(&count))
        {
            self.fault(line, format!("truncate keeps 1 to {TRUNCATE_MAX} characters"));
        }
        self.functions.push(name.to_owned());
    }

    fn read_columns(&mut self, tokens: &[Token]) {
        for (position, token) in tokens.iter().enumerate() {
            let after_dot = position > 0 && tokens.get(position - 1) == Some(&Token::Sign('.'));
            if after_dot || *token != Token::Word("row".to_owned()) {
                continue;
            }
            match tokens.get(position + 1..).unwrap_or_default() {
                [Token::Sign('['), Token::Quoted(Some(column)), Token::Sign(']'), ..]
                | [Token::Sign('.'), Token::Word(column), ..] => {
                    if !self.columns.contains(column) {
                        self.columns.push(column.clone());
                    }
                }
                _ => self.fault(1, "row is read by the name of a column only: row['Name']"),
            }
        }
    }

    fn fault(&mut self, line: usize, message: impl Into<String>) {
        self.faults.push((line, message.into()));
    }
}

/// How many lines end before a byte.
fn lines(source: &str, end: usize) -> usize {
    source.bytes().take(end).filter(|byte| *byte == b'\n').count()
}

/// The arguments in parentheses at the start, if there are any.
fn arguments(tokens: &[Token]) -> Vec<Vec<Token>> {
    let mut arguments: Vec<Vec<Token>> = Vec::new();
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            Token::Sign('(' | '[') => depth += 1,
            Token::Sign(')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        match token {
            _ if depth == 0 => break,
            Token::Sign('(') if depth == 1 && arguments.is_empty() => arguments.push(Vec::new()),
            Token::Sign(',') if depth == 1 => arguments.push(Vec::new()),
            token => arguments.last_mut().into_iter().for_each(|last| last.push(token.clone())),
        }
    }
    // `f()` and a comma at the end leave an empty one.
    if arguments.last().is_some_and(Vec::is_empty) {
        arguments.pop();
    }
    arguments
}

/// The tokens up to the end of the tag or the source, and what follows.
pub(crate) fn tokens(code: &str) -> (Vec<Token>, &str) {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("}}").or_else(|| rest.strip_prefix("%}")) {
            return (tokens, after);
        }
        let word = |c: char| c.is_alphanumeric() || c == '_';
        rest = if first.is_ascii_digit() {
            let (number, after) = split(rest, |c| word(c) || c == '.');
            tokens.push(Token::Number(number.to_owned()));
            after
        } else if word(first) {
            let (name, after) = split(rest, word);
            tokens.push(Token::Word(name.to_owned()));
            after
        } else if matches!(first, '\'' | '"') {
            let (text, after) = quoted(rest, first);
            tokens.push(Token::Quoted(text));
            after
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            rest.get(first.len_utf8()..).unwrap_or_default()
        };
    }
    (tokens, "")
}

fn split(text: &str, inside: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !inside(c)).unwrap_or(text.len()))
}

fn quoted(text: &str, quote: char) -> (Option<String>, &str) {
    let body = text.get(quote.len_utf8()..).unwrap_or_default();
    let mut escaped = false;
    let mut has_escape = false;
    for (position, character) in body.char_indices() {
        if character == quote && !escaped {
            let (inside, after) = body.split_at(position);
            let after = after.get(quote.len_utf8()..).unwrap_or_default();
            return ((!has_escape).then(|| inside.to_owned()), after);
        }
        escaped = character == '\\' && !escaped;
        has_escape |= escaped;
    }
    (None, "")
}
