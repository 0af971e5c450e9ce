//! Who may depend on what. `deny.toml` holds the same rules where cargo-deny is installed; these hold everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::workspace::{read, root};

const CORE: &str = "reminderly-core";

const ADAPTERS: [&str; 4] =
    ["reminderly-mysql", "reminderly-providers", "reminderly-queue-memory", "reminderly-queue-sqs"];

/// What no part of core may pull in, by the beginning of its name: runtimes, adapters, HTTP, TLS.
const NOT_IN_CORE: [&str; 18] = [
    "actix",
    "async-std",
    "aws-",
    "axum",
    "hyper",
    "isahc",
    "lettre",
    "mysql",
    "native-tls",
    "openssl",
    "reqwest",
    "rustls",
    "smol",
    "sqlx",
    "testcontainers",
    "tokio",
    "tonic",
    "ureq",
];

/// What no default build of core may pull in.
const NOT_BY_DEFAULT: [&str; 7] =
    ["calamine", "chacha20poly1305", "criterion", "mockall", "proptest", "rstest", "tempfile"];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--locked".to_owned()])
        .exec()
        .expect("cargo metadata answers")
}

fn package<'m>(metadata: &'m Metadata, name: &str) -> &'m Package {
    let found = metadata.packages.iter().find(|package| package.name.as_str() == name);
    found.unwrap_or_else(|| panic!("{name} is a member of the workspace"))
}

fn is_member(metadata: &Metadata, name: &str) -> bool {
    metadata.packages.iter().any(|package| package.name.as_str() == name)
}

/// The normal dependencies that a package declares, optional ones included.
fn declared(package: &Package) -> BTreeSet<&str> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.as_str()).collect()
}

/// Every crate that a build of core contains, itself included.
fn core_with(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--package",
            CORE,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo speaks UTF-8");
    let names: BTreeSet<String> =
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(names.contains(CORE) && names.contains("serde"), "the tree was read");
    names
}

#[test]
fn core_names_no_adapter_and_no_runtime() {
    let metadata = metadata();
    let members: Vec<_> = declared(package(&metadata, CORE))
        .into_iter()
        .filter(|name| is_member(&metadata, name))
        .map(str::to_owned)
        .collect();
    assert!(members.is_empty(), "core depends on members: {members:?}");
    for name in core_with(&["--all-features"]) {
        let forbidden = NOT_IN_CORE.iter().find(|forbidden| name.starts_with(**forbidden));
        assert_eq!(forbidden, None, "{name} is in core");
    }
}

#[test]
fn a_default_core_has_no_mocks_no_test_kit_and_no_spreadsheets() {
    let metadata = metadata();
    let features = &package(&metadata, CORE).features;
    assert_eq!(features.get("default"), Some(&Vec::new()), "core has no default features");
    let names = core_with(&[]);
    for forbidden in NOT_BY_DEFAULT {
        assert!(!names.contains(forbidden), "{forbidden} is in a default core");
    }
}

#[test]
fn adapters_depend_on_core_and_never_on_each_other() {
    let metadata = metadata();
    for adapter in ADAPTERS {
        for name in declared(package(&metadata, adapter)) {
            assert!(name == CORE || !is_member(&metadata, name), "{adapter} depends on {name}");
        }
    }
}

#[test]
fn adapters_without_a_network_name_no_runtime_and_no_http() {
    let metadata = metadata();
    for adapter in ["reminderly-providers", "reminderly-queue-memory"] {
        let declared = declared(package(&metadata, adapter));
        let forbidden = declared.iter().find(|name| NOT_IN_CORE.iter().any(|not| name.starts_with(not)));
        assert_eq!(forbidden, None, "{adapter}");
    }
}

#[test]
fn one_crate_each_names_sqlx_and_the_sdk_of_sqs() {
    let owners = [("sqlx", "reminderly-mysql"), ("aws-sdk-sqs", "reminderly-queue-sqs")];
    for package in &metadata().packages {
        for (dependency, owner) in owners {
            // Tests may look into a database.
            let names = package
                .dependencies
                .iter()
                .any(|declared| declared.name == dependency && declared.kind != DependencyKind::Development);
            assert!(!names || package.name.as_str() == owner, "{} names {dependency}", package.name);
        }
    }
}

#[test]
fn versions_stand_in_the_workspace_and_all_of_them_are_used() {
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in &metadata().packages {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a manifest is UTF-8");
        for (table, line) in entries(&manifest) {
            if table.ends_with("dependencies") {
                let inherited = line.replace(' ', "").contains("workspace=true");
                assert!(inherited, "{}: {line:?} is not inherited from the workspace", package.name);
                used.entry(key(&line)).or_default().push(package.name.to_string());
            }
        }
    }
    let root = read("Cargo.toml");
    for (_, line) in entries(&root).into_iter().filter(|(table, _)| table == "workspace.dependencies") {
        assert!(used.contains_key(&key(&line)), "no member uses {}", key(&line));
    }
}

#[test]
fn members_inherit_lints_and_the_edition() {
    for package in &metadata().packages {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a manifest is UTF-8");
        let entries = entries(&manifest);
        for (table, wanted) in [
            ("lints", "workspace = true"),
            ("package", "edition.workspace = true"),
            ("package", "rust-version.workspace = true"),
        ] {
            let found = entries.iter().any(|(name, line)| name == table && line == wanted);
            assert!(found, "{}: [{table}] lacks {wanted}", package.name);
        }
    }
}

#[test]
fn the_top_level_is_what_the_architecture_says() {
    let allowed: BTreeSet<String> =
        ["docs", "examples", "tests", CORE].into_iter().chain(ADAPTERS).map(str::to_owned).collect();
    let ignored = read(".gitignore");
    let ignored: BTreeSet<&str> = ignored.lines().filter_map(|line| line.strip_prefix('/')).collect();
    let found: BTreeSet<String> = fs::read_dir(root())
        .expect("the root can be read")
        .map(|entry| entry.expect("the entry can be read"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        // What git ignores, and directories of tools.
        .filter(|name| !name.starts_with('.') && !ignored.contains(name.trim_end_matches('/')))
        .collect();
    assert_eq!(found, allowed);
    assert!(root().join(".ci/run").is_file());
}

/// The lines of a manifest with the name of their table; comments and blank lines are left out. An entry that is a table of
/// its own (`[dependencies.x]`) or spans lines is not used here, and would fail the test.
fn entries(manifest: &str) -> Vec<(String, String)> {
    let mut table = String::new();
    let mut entries = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => name.trim_matches(['[', ']']).clone_into(&mut table),
            None => entries.push((table.clone(), line.to_owned())),
        }
    }
    entries
}

/// The name that an entry begins with.
fn key(line: &str) -> String {
    line.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}
