//! What environments know: the message functions as filters, and the tests of `is`.

use minijinja::{Environment, Error, ErrorKind, Value, filters, tests};

use super::VALUE_BYTES_MAX;
use super::calendar_names::CalendarNames;
use super::format::{FormatKind, KnownFormats};
use super::function::{self, DEFAULT_SYMBOL, Datum, TRUNCATE_MAX, ValueFault};

/// Every function that texts and expressions may use, with the number of arguments that it takes.
pub(super) const FUNCTIONS: [(&str, usize, usize); 16] = [
    ("name", 0, 0),
    ("phone", 0, 1),
    ("email", 0, 0),
    ("date", 1, 1),
    ("time", 1, 1),
    ("datetime", 1, 1),
    ("money", 0, 1),
    ("trim", 0, 0),
    ("digits", 0, 0),
    ("truncate", 1, 1),
    ("default", 1, 1),
    ("lower", 0, 0),
    ("upper", 0, 0),
    ("capitalize", 0, 0),
    ("length", 0, 0),
    ("replace", 2, 2),
];

/// Every test that may follow `is`.
pub(super) const TESTS: [&str; 5] = ["defined", "undefined", "none", "string", "number"];

pub(super) fn install(environment: &mut Environment<'_>, names: CalendarNames) {
    environment.add_filter("name", |value: &Value| function::name(Datum::from_value(value)).into_value());
    environment.add_filter("phone", |value: &Value, region: Option<&str>| {
        finish(function::phone(Datum::from_value(value), region))
    });
    environment.add_filter("email", |value: &Value| finish(function::email(Datum::from_value(value))));
    for (name, kind) in
        [("date", FormatKind::Date), ("time", FormatKind::Time), ("datetime", FormatKind::DateTime)]
    {
        let known = KnownFormats::default();
        environment.add_filter(name, move |value: &Value, format: &str| {
            finish(known.apply(kind, Datum::from_value(value), format, &names))
        });
    }
    environment.add_filter("money", |value: &Value, symbol: Option<&str>| {
        finish(function::amount(Datum::from_value(value), symbol.unwrap_or(DEFAULT_SYMBOL)))
    });
    environment.add_filter("trim", |value: &Value| function::trim(Datum::from_value(value)).into_value());
    environment.add_filter("digits", |value: &Value| function::digits(Datum::from_value(value)).into_value());
    environment.add_filter("truncate", |value: &Value, count: usize| {
        if (1..=TRUNCATE_MAX).contains(&count) {
            Ok(function::truncate(Datum::from_value(value), count).into_value())
        } else {
            Err(fault(ValueFault::Arguments("truncate")))
        }
    });
    environment.add_filter("default", |value: &Value, other: Value| {
        if Datum::from_value(value).is_blank() { other } else { value.clone() }
    });
    environment.add_filter("lower", filters::lower);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("length", filters::length);
    environment.add_filter("replace", replace);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment.add_test("string", tests::is_string);
    environment.add_test("number", tests::is_number);
}

/// Replaces within bounds: chained replacements would grow without end.
fn replace(text: &str, from: &str, to: &str) -> Result<Value, Error> {
    let grown = text.len().saturating_add(text.matches(from).count().saturating_mul(to.len()));
    if grown > VALUE_BYTES_MAX {
        return Err(fault(ValueFault::TooLong));
    }
    Ok(Value::from(text.replace(from, to)))
}

fn finish(result: Result<Datum<'_>, ValueFault>) -> Result<Value, Error> {
    result.map(Datum::into_value).map_err(fault)
}

fn fault(fault: ValueFault) -> Error {
    Error::new(ErrorKind::InvalidOperation, "a message function refused the value").with_source(fault)
}
