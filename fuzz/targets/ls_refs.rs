#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| refsync_fuzz::run("ls_refs", data));
