#![no_main]

use std::alloc::System;

use cap::Cap;

/// The memory for the largest answer, four MiB after decompression, beside that of certificates and runtime.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 96 << 20);

libfuzzer_sys::fuzz_target!(|data: &[u8]| haos_fuzz::answers::run(data));
