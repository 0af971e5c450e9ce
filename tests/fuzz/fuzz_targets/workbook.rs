//! See `reminderly_tests::fuzzing`.
#![no_main]

use std::panic;
use std::sync::Once;

static QUIET: Once = Once::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The hook of libFuzzer ends the process at every panic, also at those of the reader, which are caught.
    QUIET.call_once(|| panic::set_hook(Box::new(|_| {})));
    reminderly_tests::fuzzing::run("workbook", bytes);
});
