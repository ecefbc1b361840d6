#![no_main]

use std::alloc::System;

use cap::Cap;

/// What the largest answer may take, four MiB after decompression, with what certificates and runtime hold.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 96 << 20);

libfuzzer_sys::fuzz_target!(|data: &[u8]| haos_fuzz::answers::run(data));
