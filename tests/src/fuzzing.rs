//! What is fuzzed: everything that reads what strangers write. Each target takes any bytes, and panics if what it promises of
//! them does not hold.
//!
//! `tests/fuzz` runs them with libFuzzer; the kind `corpora` of `tests/prove` replays their corpora and changes them at random.

mod campaigns;
mod plans;
mod rows;
mod tables;
mod values;
mod wire;

/// A target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Tries some bytes.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 21] = [
    Target { name: "asked_words", run: values::asked_words },
    Target { name: "callback", run: wire::callback },
    Target { name: "campaign", run: campaigns::document },
    Target { name: "dates", run: rows::dates },
    Target { name: "delimited_text", run: tables::delimited_text },
    Target { name: "email", run: values::email },
    Target { name: "encodings", run: tables::encodings },
    Target { name: "envelope", run: wire::envelope },
    Target { name: "expression", run: campaigns::expression },
    Target { name: "language", run: values::language },
    Target { name: "names", run: values::names },
    Target { name: "phone", run: values::phone },
    Target { name: "reply", run: values::reply },
    Target { name: "row", run: rows::row },
    Target { name: "rule_pack", run: plans::rule_pack },
    Target { name: "schedule", run: plans::schedule },
    Target { name: "script", run: wire::script },
    Target { name: "sealed", run: wire::sealed },
    Target { name: "template", run: campaigns::template },
    Target { name: "webhook", run: wire::webhook },
    Target { name: "workbook", run: tables::workbook },
];

/// Tries some bytes with the target of this name.
///
/// # Panics
///
/// If there is none, or if what it promises does not hold.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.into_iter().find(|target| target.name == name);
    (target.expect("a target of this name").run)(bytes);
}

/// The bytes as a text; what is none is replaced.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn fuzz() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
    }

    /// What a folder of `tests/fuzz` holds for each target.
    fn names(folder: &str) -> Vec<String> {
        let paths = fs::read_dir(fuzz().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> =
            paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn every_target_can_be_fuzzed_and_has_a_corpus() {
        let targets = TARGETS.map(|target| target.name.to_owned());
        assert_eq!(names("fuzz_targets"), targets);
        assert_eq!(names("corpus"), targets);
        let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            let program = fs::read_to_string(fuzz().join(format!("fuzz_targets/{target}.rs"))).unwrap();
            assert!(program.contains(&format!("fuzzing::run(\"{target}\", bytes)")), "{target}");
        }
    }
}
