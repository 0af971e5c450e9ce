//! The language of texts and expressions: minijinja, cut down to what reminders need.
//!
//! A text may show values (`{{ first_name }}`), pass them through message functions, and use `if` and `for`. It cannot
//! assign, define macros or include anything, and every run is limited in steps, depth and size. Values are data: what
//! stands in a row is never read as a template.
//!
//! # Message functions
//!
//! | Function | Gives |
//! |---|---|
//! | `name` | a personal name, tidied: `MARY-ANN O'NEIL` becomes `Mary-Ann O'Neil`, mixed case stays |
//! | `phone('US')` | the number in E.164 form; without a region it must be written with its country code |
//! | `email` | the canonical e-mail address |
//! | `date(f)`, `time(f)`, `datetime(f)` | of a text: the date, time or both that are read from it by the format; of a value that has been read: a text in the format |
//! | `money`, `money('€')` | an amount with separators and two decimals: `$1,234.50` |
//! | `trim`, `digits` | the text without white space around it; its ASCII digits |
//! | `truncate(n)` | the first `n` characters as people count them |
//! | `default(x)` | `x` if there is no value, or an empty one |
//! | `lower`, `upper`, `capitalize`, `length`, `replace(a, b)` | as in Jinja |
//!
//! Formats are those of `chrono`. Names of weekdays and months are written in the language of the text, and in English by
//! expressions, which also read English ones. Reading is strict: a date must exist, in the years 2000 to 2100.

mod builtin;
pub(crate) mod calendar_names;
pub(crate) mod format;
pub(crate) mod function;
pub mod local;
mod money;
mod name;
pub(crate) mod scan;
mod serial;
#[cfg(test)]
mod tests;

use std::io;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use calendar_names::CalendarNames;

pub use function::ValueFault;
pub use serial::Serial;

/// The names of the message functions, in the order of their documentation.
pub fn message_functions() -> impl Iterator<Item = &'static str> {
    builtin::FUNCTIONS.into_iter().map(|(name, ..)| name)
}

/// The largest source of a text, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 16 * 1024;

/// The largest text that a template makes, in bytes.
pub const RENDERED_BYTES_MAX: usize = 64 * 1024;

/// The largest value of a field, in bytes.
pub const VALUE_BYTES_MAX: usize = 4 * 1024;

/// Instructions of one run. Texts need some hundred; with [`VALUE_BYTES_MAX`] it bounds what a run can copy.
const FUEL: u64 = 20_000;

/// How deep blocks and calls may nest at run time.
const RECURSION_MAX: usize = 50;

/// Parts with this ending are HTML, and values in them are escaped.
pub(crate) const HTML_SUFFIX: &str = ".html";

/// The environment of texts and expressions: only what this module lists, with the limits set. Dates are written with these
/// names.
pub(crate) fn environment(names: CalendarNames) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_debug(false);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_MAX);
    // Printing or joining a missing value fails; asking whether there is one does not.
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|part| {
        if part.ends_with(HTML_SUFFIX) { AutoEscape::Html } else { AutoEscape::None }
    });
    builtin::install(&mut environment, names);
    environment
}

/// Why a text could not be made of a row. Never carries a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// A value that it uses is empty.
    #[error("a value that it uses is empty")]
    MissingValue,
    /// The result would be larger than allowed.
    #[error("it would be larger than {RENDERED_BYTES_MAX} bytes")]
    TooLarge,
    /// It takes more steps or depth than allowed.
    #[error("it takes more steps than allowed")]
    TooManySteps,
    /// A message function does not take the value.
    #[error("{0}")]
    Value(ValueFault),
    /// The parts of the text do not fit the values.
    #[error("an operation of the template does not fit the value ({0})")]
    Operation(&'static str),
}

impl From<&Error> for TemplateFault {
    fn from(error: &Error) -> Self {
        if let Some(fault) = ValueFault::of(error) {
            return Self::Value(fault);
        }
        match error.kind() {
            ErrorKind::UndefinedError => Self::MissingValue,
            ErrorKind::WriteFailure => Self::TooLarge,
            ErrorKind::OutOfFuel => Self::TooManySteps,
            ErrorKind::UnknownMethod => Self::Operation("unknown method"),
            ErrorKind::UnknownFilter => Self::Operation("unknown function"),
            ErrorKind::UnknownTest => Self::Operation("unknown test"),
            _ => Self::Operation("wrong type"),
        }
    }
}

/// Makes a text of values.
///
/// # Errors
///
/// See [`TemplateFault`].
pub(crate) fn render(
    environment: &Environment<'_>,
    part: &str,
    values: &Value,
) -> Result<String, TemplateFault> {
    let template = environment.get_template(part).map_err(|error| TemplateFault::from(&error))?;
    let mut output = LimitedOutput(Vec::with_capacity(256));
    template.render_captured_to(values.clone(), &mut output).map_err(|error| TemplateFault::from(&error))?;
    // The engine writes whole strings, so this cannot fail.
    String::from_utf8(output.0).map_err(|_| TemplateFault::Operation("not UTF-8"))
}

/// Output that ends at [`RENDERED_BYTES_MAX`].
struct LimitedOutput(Vec<u8>);

impl io::Write for LimitedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > RENDERED_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
