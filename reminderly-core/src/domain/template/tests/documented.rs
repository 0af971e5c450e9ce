//! `docs/message-functions.md` names every function, and its examples are true.

use minijinja::context;

use super::super::builtin::{FUNCTIONS, TESTS};
use super::super::calendar_names::CalendarNames;
use super::super::scan::{SourceKind, scan};
use super::super::{TemplateFault, environment, render};
use crate::domain::language::Language;

const DOCUMENT: &str = include_str!("../../../../../docs/message-functions.md");

/// The parts of the page, each under the name in its heading.
fn sections() -> Vec<(&'static str, &'static str)> {
    let parts = DOCUMENT.split("\n## ").skip(1);
    parts
        .map(|part| part.split_once('\n').unwrap())
        .map(|(name, body)| (name.trim_matches('`'), body))
        .collect()
}

/// The lines of the fenced block of a kind.
fn block(body: &'static str, kind: &str) -> Vec<&'static str> {
    let (_, rest) = body.split_once(&format!("```{kind}\n")).unwrap_or_else(|| panic!("no {kind}: {body}"));
    rest.split_once("```").unwrap().0.lines().collect()
}

fn evaluate(language: &Language, expression: &str) -> Result<String, TemplateFault> {
    let mut environment = environment(CalendarNames::of(language));
    environment.add_template_owned("part", format!("{{{{ {expression} }}}}")).unwrap();
    render(&environment, "part", &context! {})
}

#[test]
fn every_function_is_documented_with_its_arguments() {
    let documented: Vec<_> = sections()
        .into_iter()
        .filter(|(name, _)| *name != "Tests")
        .map(|(name, body)| {
            let arguments = body.lines().find_map(|line| line.strip_prefix("Arguments: ")).unwrap();
            let count = arguments.split([':', '.']).next().unwrap();
            let (least, most) = match count.split_once(" to ") {
                _ if count == "none" => (0, 0),
                Some((least, most)) => (least.parse().unwrap(), most.parse().unwrap()),
                None => (count.parse().unwrap(), count.parse().unwrap()),
            };
            (name, least, most)
        })
        .collect();
    assert_eq!(documented, FUNCTIONS, "the page is on the left");
}

#[test]
fn every_test_is_documented() {
    let (_, body) = sections().into_iter().find(|(name, _)| *name == "Tests").unwrap();
    assert_eq!(block(body, "tests"), TESTS);
}

/// Why a line of an example is wrong, if it is.
fn fault_of(name: &str, line: &str) -> Option<String> {
    let Some((expression, expected)) = line.split_once("  →  ") else {
        return Some(format!("no arrow: {line}"));
    };
    let (language, expression) = match expression.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((tag, expression)) => (tag.parse().unwrap(), expression),
        None => (Language::default(), expression),
    };
    let faults = scan(&format!("{{{{ {expression} }}}}"), SourceKind::Text).faults;
    let holds = match expected.strip_prefix("refused: ") {
        _ if !expression.contains(&format!("| {name}")) => false,
        Some(expected) => faults.iter().any(|(_, fault)| fault.contains(expected)),
        None if !faults.is_empty() => false,
        None => match (evaluate(&language, expression), expected.strip_prefix("error: ")) {
            (Ok(text), None) if text == expected => true,
            (Err(fault), Some(expected)) if fault.to_string().contains(expected) => true,
            (outcome, _) => return Some(format!("{line}: {outcome:?}")),
        },
    };
    (!holds).then(|| format!("{line}: {faults:?}"))
}

#[test]
fn every_example_is_true() {
    let functions = sections().into_iter().filter(|(name, _)| *name != "Tests");
    let lines =
        functions.flat_map(|(name, body)| block(body, "example").into_iter().map(move |line| (name, line)));
    let faults: Vec<_> = lines.filter_map(|(name, line)| fault_of(name, line)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
