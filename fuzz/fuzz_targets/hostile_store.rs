#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| haos_fuzz::hostile_store::run(data));
