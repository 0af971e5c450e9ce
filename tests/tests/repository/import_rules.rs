//! Inside core, modules import in one direction: `domain` ← `ports` ← `services`; adapters of core import ports only.

use std::collections::BTreeSet;
use std::fs;

use crate::workspace::{root, sources};

const CORE: &str = "reminderly-core/src";

#[test]
fn domain_imports_ids_only() {
    assert_imports("domain", &["domain", "ids"]);
}

#[test]
fn ports_import_no_use_case_and_no_adapter() {
    assert_imports("ports", &["batch", "clock", "domain", "ids", "ports"]);
}

#[test]
fn the_memory_store_imports_no_service() {
    assert_imports("memory", &["batch", "clock", "domain", "give_way", "ids", "memory", "ports", "storage"]);
}

#[test]
fn the_rules_import_no_service_and_no_adapter() {
    assert_imports("storage", &["batch", "domain", "ids", "ports", "storage"]);
}

#[test]
fn the_suites_import_no_service_and_no_adapter() {
    assert_imports(
        "conformance",
        &["batch", "clock", "conformance", "domain", "ids", "ports", "sealers", "testing"],
    );
}

#[test]
fn sealers_and_sources_import_no_service() {
    assert_imports("sealers", &["domain", "ports", "sealers"]);
    assert_imports("sources", &["clock", "domain", "ports", "sources"]);
}

#[test]
fn services_import_no_adapter() {
    let allowed = ["batch", "clock", "domain", "give_way", "ids", "ports", "retry", "services"];
    // Tests of services run over the in-memory adapters.
    for (path, imports) in imports("services") {
        if !path.contains("/tests") {
            assert_allowed(&path, &imports, &allowed);
        }
    }
}

#[test]
fn domain_does_no_input_and_output() {
    let forbidden = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "async_trait",
        "futures",
        "futures_timer",
        "metrics",
        "rand",
        "tracing",
    ];
    for path in sources(format!("{CORE}/domain")) {
        let source = code(&fs::read_to_string(&path).expect("a source is UTF-8"));
        for name in forbidden {
            let found = source.contains(&format!("{name}::")) || source.contains(&format!("use {name};"));
            assert!(!found, "{}: {name} has no place in the domain", path.display());
        }
    }
}

/// What chrono-tz says is not always so: see `domain/local_time/newer_rules.rs`.
#[test]
fn only_local_time_asks_what_a_clock_shows() {
    let asks = |line: &&str| {
        let formats =
            line.contains(".with_timezone(") && !line.contains("(&Utc)") && !line.contains("clock_at(");
        formats || line.contains("from_local_datetime(") || line.contains("from_utc_datetime(")
    };
    let files = sources(CORE)
        .into_iter()
        .chain(["examples/quickstart/src", "examples/worker/src"].into_iter().flat_map(sources));
    for path in files {
        let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        if name.contains("/local_time") || name.contains("tests") {
            continue;
        }
        let source = code(&fs::read_to_string(&path).expect("a source is UTF-8"));
        let product = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let found = product.lines().find(asks);
        assert_eq!(found, None, "{name}: use `local_time::reading` or `clock_at`");
    }
}

fn assert_imports(module: &str, allowed: &[&str]) {
    for (path, imports) in imports(module) {
        assert_allowed(&path, &imports, allowed);
    }
}

fn assert_allowed(path: &str, imports: &BTreeSet<String>, allowed: &[&str]) {
    for import in imports {
        assert!(allowed.contains(&import.as_str()), "{path} imports crate::{import}; allowed: {allowed:?}");
    }
}

/// The modules of core that each source of a module names.
fn imports(module: &str) -> Vec<(String, BTreeSet<String>)> {
    let found: Vec<_> = sources(format!("{CORE}/{module}"))
        .into_iter()
        .map(|path| {
            let source = code(&fs::read_to_string(&path).expect("a source is UTF-8"));
            (path.display().to_string(), named_modules(&source))
        })
        .collect();
    assert!(!found.is_empty(), "{module} has sources");
    found
}

/// The modules of core that stand after a `crate::`. Other names there are macros, which live at the root of the crate.
fn named_modules(source: &str) -> BTreeSet<String> {
    let after = source.split("crate::").skip(1);
    let names = after.map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        assert!(!name.is_empty(), "one path for each `use crate::`, so that this test can read it");
        name
    });
    let is_module = |name: &String| {
        let path = root().join(CORE).join(name);
        path.is_dir() || path.with_extension("rs").is_file()
    };
    names.filter(is_module).collect()
}

/// A source without its comments.
fn code(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
