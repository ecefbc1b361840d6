#![no_main]

use std::alloc::System;

use cap::Cap;

/// The reader's limit is 64 MiB for a chunk, which is in memory packed, unpacked and as rows.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 320 << 20);

libfuzzer_sys::fuzz_target!(|data: &[u8]| haos_fuzz::archive::run(data));
