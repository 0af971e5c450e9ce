//! See `reminderly_tests::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reminderly_tests::fuzzing::run("reply", bytes));
