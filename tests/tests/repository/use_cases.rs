//! The proof by crashes goes through every use case: whatever is `async` and public in the services.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use reminderly_tests::prove::crashes;

use crate::workspace::{root, sources};

const SERVICES: &str = "reminderly-core/src/services";

/// What no use case goes through, and why not.
const EXCEPTIONS: [(&str, &str); 1] =
    [("Shutdown::wait", "it waits for the word to stop, and has nothing that a crash could leave half done")];

#[test]
fn every_use_case_is_dropped_at_every_poll() {
    let coded: BTreeSet<String> =
        product_sources().iter().flat_map(|source| async_functions(source)).collect();
    assert!(coded.len() > 60, "the search finds use cases");
    let mut covered: BTreeSet<String> = BTreeSet::new();
    for case in crashes::all() {
        assert!(!case.covers.is_empty(), "{} goes through nothing", case.name);
        covered.extend(case.covers.iter().map(|name| (*name).to_owned()));
    }
    for (name, reason) in EXCEPTIONS {
        assert!(!reason.is_empty(), "{name} is left out for no reason");
        assert!(covered.insert(name.to_owned()), "{name} is no exception: a use case goes through it");
    }
    let unproven: Vec<_> = coded.difference(&covered).collect();
    assert!(unproven.is_empty(), "no use case in tests/src/prove/crashes goes through {unproven:?}");
    let gone: Vec<_> = covered.difference(&coded).collect();
    assert!(gone.is_empty(), "{SERVICES} has no {gone:?}");
}

#[test]
fn use_cases_are_told_apart_by_their_names() {
    let mut names = BTreeSet::new();
    for case in crashes::all() {
        assert!(names.insert(case.name), "{} stands twice", case.name);
    }
}

#[test]
fn functions_are_found_with_their_services() {
    let source = "
impl<'a, K: Ord> Line<'a, K> {
    pub async fn turn(&self) {}
    async fn own(&self) {}
}

impl Other {
    pub(super) async fn near(&self) {}
    pub async fn far<T>(
}

pub async fn free() {}
";
    let found: Vec<_> = async_functions(source).into_iter().collect();
    assert_eq!(found, ["Line::turn", "Other::far", "free"]);
}

/// The sources of the services, without their tests.
fn product_sources() -> Vec<String> {
    let of_tests = |path: &PathBuf| {
        let name = path.strip_prefix(root()).unwrap_or(path).display().to_string();
        name.contains("/tests") || name.ends_with("/test_ports.rs")
    };
    let product = sources(SERVICES).into_iter().filter(|path| !of_tests(path));
    product.map(|path| fs::read_to_string(path).expect("a source is UTF-8")).collect()
}

/// The public `async` functions of a source, each after the type that has it.
fn async_functions(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut service = "";
    for line in source.lines() {
        if let Some(of) = line.strip_prefix("impl") {
            // Public functions are of no trait, so what follows the parameters is the type.
            let of = of.strip_prefix('<').and_then(|of| of.split_once("> ")).map_or(of, |(_, of)| of);
            service = name(of.trim_start());
        } else if let Some(function) = line.strip_prefix("    pub async fn ") {
            found.insert(format!("{service}::{}", name(function)));
        } else if let Some(function) = line.strip_prefix("pub async fn ") {
            found.insert(name(function).to_owned());
        }
    }
    found
}

/// The name that a text begins with.
fn name(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}
