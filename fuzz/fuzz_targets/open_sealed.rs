#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| haos_fuzz::open_sealed::run(data));
