mod documented;

use chrono::NaiveDate;
use minijinja::value::Object;
use minijinja::{Value, context};
use proptest::prelude::*;
use rstest::rstest;

use super::calendar_names::CalendarNames;
use super::function::ValueFault;
use super::local::LocalDateTime;
use super::scan::{SourceKind, scan};
use super::{RENDERED_BYTES_MAX, TemplateFault, environment, render};
use crate::domain::contact_point::InvalidContactPoint;

fn evaluate(expression: &str, x: impl Into<Value>) -> Result<String, TemplateFault> {
    let mut environment = environment(CalendarNames::English);
    environment.add_template_owned("part", format!("{{{{ {expression} }}}}")).unwrap();
    render(&environment, "part", &context! { x => x.into() })
}

#[rstest]
#[case("x | name", "  ANNA   MARIA ", "Anna Maria")]
#[case("x | name", "mary-ann o'neil", "Mary-Ann O'Neil")]
#[case("x | name", "MCDONALD", "McDonald")]
#[case("x | name", "mc", "Mc")]
#[case("x | name", "ÉLODIE ÅSTRÖM", "Élodie Åström")]
#[case("x | name", "de la Cruz", "de la Cruz")]
#[case("x | name", "O’BRIEN", "O’Brien")]
#[case("x | name", "henry viii-iii iii", "Henry Viii-Iii III")]
#[case("x | name", "J.R. SMITH", "J.R. Smith")]
#[case("x | name", "JAMES'S", "James's")]
#[case("x | name", "李 小龙", "李 小龙")]
#[case("x | name", "ΝΙΚΟΣ", "Νικος")]
#[case("x | name", "", "")]
#[case("x | phone('US')", "(520) 555-0100", "+15205550100")]
#[case("x | phone", "+44 20 7946 0958", "+442079460958")]
#[case("x | phone('US')", " ", " ")]
#[case("x | email", " Anna@Example.COM ", "anna@example.com")]
#[case("x | trim", "  a b ", "a b")]
#[case("x | digits", "a1-2 ٣4", "124")]
#[case("x | truncate(2)", "👨‍👩‍👧éa", "👨‍👩‍👧é")]
#[case("x | truncate(5)", "abc", "abc")]
#[case("x | default('y')", "", "y")]
#[case("x | default('y')", "  ", "y")]
#[case("x | default('y')", "x", "x")]
#[case("missing | default('y')", "", "y")]
#[case("missing | name | default('y')", "", "y")]
#[case("x | money", "1234.5", "$1,234.50")]
#[case("x | money('€')", "-1,234,567", "-€1,234,567.00")]
#[case("x | money", "$0012", "$12.00")]
#[case("x | money", "-0", "$0.00")]
#[case("x | money", "-0.05", "-$0.05")]
#[case("x | date('%d.%m.%Y')", "03.09.2026", "2026-09-03")]
#[case("x | date('%d.%m.%Y') | date('%b %-d')", "03.09.2026", "Sep 3")]
#[case("x | time('%I:%M %p')", "02:30 pm", "14:30:00")]
#[case("x | time('%I:%M %p') | time('%H.%M')", "02:30 pm", "14.30")]
#[case("x | datetime('%m/%d/%Y %I:%M %p')", "3/9/2026 9:15 AM", "2026-03-09T09:15:00")]
#[case(
    "x | datetime('%Y-%m-%d %H:%M') | date('%a %b %-d, %-I:%M %p')",
    "2026-03-09 09:15",
    "Mon Mar 9, 9:15 AM"
)]
#[case("x | replace('a', 'b') | upper | length", "aa", "2")]
fn functions_give(#[case] expression: &str, #[case] x: &str, #[case] expected: &str) {
    assert_eq!(evaluate(expression, x).as_deref(), Ok(expected));
}

#[test]
fn the_numbers_of_spreadsheets_are_named_and_refused() {
    for (expression, x, meaning) in [
        ("x | datetime('%m/%d/%Y %H:%M')", "46090.5", "2026-03-09T12:00:00"),
        ("x | date('%m/%d/%Y') | date('%d')", "46090", "2026-03-09"),
        ("x | time('%H:%M')", "0.5", "12:00:00"),
    ] {
        let Err(TemplateFault::Value(ValueFault::Serial(serial))) = evaluate(expression, x) else {
            panic!("{expression}")
        };
        assert_eq!(serial.to_string(), meaning);
    }
}

#[rstest]
#[case("x | datetime('%m/%d/%Y %H:%M')", "02/31/2026 10:00")]
#[case("x | datetime('%m/%d/%Y %H:%M')", "02/03/2026 24:00")]
#[case("x | datetime('%m/%d/%Y %H:%M')", "02/03/0026 10:00")]
#[case("x | datetime('%m/%d/%Y %H:%M')", "02/03/1999 10:00")]
#[case("x | datetime('%m/%d/%Y %H:%M')", "02/03/2101 10:00")]
#[case("x | datetime('%m/%d/%Y %H:%M:%S')", "02/03/2026 23:59:60")]
#[case("x | datetime('%m/%d/%Y %H:%M')", "02/03/2026 10:00 Uhr")]
#[case("x | date('%m/%d/%Y')", "13/01/2026")]
#[case("x | date('%b %d %Y')", "März 1 2026")]
#[case("x | time('%H:%M')", "24:00")]
fn dates_that_do_not_exist_are_refused(#[case] expression: &str, #[case] x: &str) {
    assert_eq!(evaluate(expression, x), Err(TemplateFault::Value(ValueFault::Date)));
}

#[rstest]
#[case("1.234,50")]
#[case("1,5")]
#[case("1e308")]
#[case("NaN")]
#[case("9223372036854775808")]
#[case("12.345")]
#[case("1 000")]
#[case("0x10")]
#[case(".5")]
fn amounts_that_could_mean_two_things_are_refused(#[case] x: &str) {
    assert_eq!(evaluate("x | money", x), Err(TemplateFault::Value(ValueFault::Amount)));
}

#[rstest]
#[case("x | phone('US')", "1.555E+10", InvalidContactPoint::SpreadsheetNumber)]
#[case("x | phone", "5205550100", InvalidContactPoint::MissingRegion)]
#[case("x | email", "anna", InvalidContactPoint::Email)]
fn contact_points_that_cannot_be_used_say_why(
    #[case] expression: &str,
    #[case] x: &str,
    #[case] expected: InvalidContactPoint,
) {
    assert_eq!(evaluate(expression, x), Err(TemplateFault::Value(ValueFault::Contact(expected))));
}

#[test]
fn a_local_time_prints_in_iso_form() {
    let local = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap().and_hms_opt(9, 15, 0).unwrap();
    let value = Value::from_object(LocalDateTime(local));
    assert_eq!(evaluate("x", value.clone()).as_deref(), Ok("2026-03-09T09:15:00"));
    assert_eq!(evaluate("x | time('%H')", value).as_deref(), Ok("09"));
    assert!(std::sync::Arc::new(LocalDateTime(local)).is_true());
}

#[test]
fn a_missing_value_can_be_asked_for_but_not_shown() {
    assert_eq!(evaluate("missing", ""), Err(TemplateFault::MissingValue));
    assert_eq!(evaluate("'Dr ' ~ missing", ""), Err(TemplateFault::MissingValue));
    assert_eq!(evaluate("'a' if missing else 'b'", "").as_deref(), Ok("b"));
}

#[rstest]
#[case("{% set a = 1 %}", "set")]
#[case("{%- macro m() %}{{ m() }}{% endmacro %}", "macro")]
#[case("{% include 'x' %}", "include")]
#[case("{% import 'x' as y %}", "import")]
#[case("{% extends 'x' %}", "extends")]
#[case("{% raw %}{% endraw %}", "raw")]
#[case("{% for a in x recursive %}{% endfor %}", "recursive")]
#[case("{{ x | safe }}", "unknown function \"safe\"")]
#[case("{{ x | nmae }}", "did you mean \"name\"?")]
#[case("{% if x is defind %}{% endif %}", "did you mean \"defined\"?")]
#[case("{{ x.upper() }}", "methods")]
#[case("{{ 'a' * 1000000000 }}", "multiplication")]
#[case("{{ {'a': 1} }}", "maps")]
#[case("{{ x | date('%Q') }}", "no format")]
#[case("{{ x | date('%H %z') }}", "no format")]
#[case("{{ x | date }}", "takes 1 arguments")]
#[case("{{ x | date(y) }}", "in quotes")]
#[case("{{ x | phone('XX') }}", "region")]
#[case("{{ x | truncate(0) }}", "1 to 1000")]
#[case("{{ x ~ '{#' }}{% set a = 1 %}{{ '#}' }}", "set")]
fn sources_are_refused(#[case] source: &str, #[case] message: &str) {
    let faults = scan(source, SourceKind::Text).faults;
    assert!(faults.iter().any(|(_, fault)| fault.contains(message)), "{faults:?}");
}

#[rstest]
#[case("Hello {{ x | name }}{# {% set %} #}")]
#[case("{% if x is not defined %}a{% elif x %}b{% else %}c{% endif %}")]
#[case("{% for a in x %}{{ loop.index }}{{ a }}{% endfor %}")]
#[case("{{ x | date('%a %b %-d, %-I:%M %p') }} {{ '%}' }} { }")]
fn sources_are_taken(#[case] source: &str) {
    assert_eq!(scan(source, SourceKind::Text).faults, []);
}

#[test]
fn the_line_of_a_fault_is_told() {
    assert_eq!(scan("a\nb\n{{ x | nope }}", SourceKind::Text).faults[0].0, 3);
}

#[rstest]
#[case(
    "{% for i in list %}{% for j in list %}{% for k in list %}{{ i }}{% endfor %}{% endfor %}{% endfor %}"
)]
#[case("{% for i in list %}{{ big }}{% endfor %}")]
#[case("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
#[case("{% for i in range(100000000) %}x{% endfor %}")]
#[case("{{ big | replace('x', big) | replace('x', big) }}")]
fn bombs_end_with_a_fault(#[case] source: &str) {
    let mut environment = environment(CalendarNames::English);
    environment.add_template_owned("part", source.to_owned()).unwrap();
    let list: Vec<u32> = (0..1_000).collect();
    let result = render(&environment, "part", &context! { list, big => "x".repeat(4_000) });
    // Without fuel and limits, none of these would end before memory or patience does.
    assert!(result.is_err());
}

#[test]
fn output_ends_at_its_limit() {
    let mut environment = environment(CalendarNames::English);
    environment.add_template_owned("part", "{% for i in list %}{{ big }}{% endfor %}".to_owned()).unwrap();
    let list = |count: usize| context! { list => vec![0; count], big => "x".repeat(1_024) };
    assert_eq!(render(&environment, "part", &list(64)).map(|text| text.len()), Ok(RENDERED_BYTES_MAX));
    assert_eq!(render(&environment, "part", &list(65)), Err(TemplateFault::TooLarge));
}

#[test]
fn values_are_escaped_in_html_only() {
    let mut environment = environment(CalendarNames::English);
    environment.add_template_owned("a.html", "{{ x }}".to_owned()).unwrap();
    let values = context! { x => "<b>&" };
    assert_eq!(render(&environment, "a.html", &values).as_deref(), Ok("&lt;b&gt;&amp;"));
    assert_eq!(evaluate("x", "<b>&").as_deref(), Ok("<b>&"));
}

proptest! {
    #[test]
    fn values_are_never_read_as_templates(x in "(\\{\\{|\\{%|%\\}|\\}\\}|x|[a-z ]|\\{#){0,20}") {
        prop_assert_eq!(evaluate("x", x.as_str()), Ok(x));
    }

    #[test]
    fn no_source_breaks_the_scan(source in "(\\{\\{|\\{%|%\\}|\\}\\}|\\{#|#\\}|'|\"|\\\\|row|\\[|\\]|\\(|\\)|\\||\\.|date|é|\\PC){0,30}") {
        scan(&source, SourceKind::Text);
        scan(&source, SourceKind::Expression);
    }

    #[test]
    fn names_keep_their_letters(name in "[A-Za-zÀ-ÖØ-Þà-öø-ÿ' .-]{0,40}") {
        let letters = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(letters(&super::name::tidy_name(&name)), letters(&name));
    }
}
