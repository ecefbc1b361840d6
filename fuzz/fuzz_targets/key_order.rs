#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| haos_fuzz::key_order::run(data));
