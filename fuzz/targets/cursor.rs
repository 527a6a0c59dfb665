#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| refsync_fuzz::run("cursor", data));
