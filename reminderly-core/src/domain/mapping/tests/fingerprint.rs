use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{GOOD, compiled, document, map, with};

/// Stores keep digests: one that is made otherwise would make every appointment look changed with the next file.
#[test]
fn what_a_row_says_has_the_digest_that_stores_keep() {
    let campaign = compiled(&document());
    let digests = [with("First", "ANNA"), with("Cell", "12"), with("How", "email")].map(|cells| {
        let digest = map(&campaign, &cells).unwrap().fingerprint();
        digest.0.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    });
    let kept = [
        "3358c153269c5bb6ccef83cd8057f935",
        "f1649878994cb70ed22a6f57487d6a73",
        "cb4ff483e238ddff2db00da625198389",
    ];
    assert_eq!(digests, kept);
}

#[test]
fn every_value_counts_and_no_spelling_does() {
    let campaign = compiled(&document());
    let of = |cells: &[&str]| map(&campaign, cells).unwrap().fingerprint();
    let others = [
        ("First", "BEN"),
        ("First", ""),
        ("Date", "03/10/2026"),
        ("Time", "09:16 AM"),
        ("Cell", "(520) 555-0101"),
        ("Cell", ""),
        ("Cell", "12"),
        ("Mail", "ben@example.com"),
        ("Zone", "America/New_York"),
        ("Contact zone", "America/New_York"),
        ("Lang", "es"),
        ("How", "email"),
        ("How", "email,sms"),
        ("Person", "P-1"),
        ("Due", "13"),
        ("Due", ""),
    ];
    let mut all: BTreeSet<_> = others.iter().map(|&(column, cell)| of(&with(column, cell))).collect();
    assert!(all.insert(of(&GOOD)));
    assert_eq!(all.len(), others.len() + 1);
    for (column, cell) in [("First", " anna "), ("Cell", "+15205550100"), ("Time", "9:15 am"), ("Lang", "en")]
    {
        assert_eq!(of(&with(column, cell)), of(&GOOD), "{column}");
    }
}
