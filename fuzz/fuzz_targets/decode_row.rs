#![no_main]

use std::alloc::System;

use cap::Cap;

/// The decoder's own limit is 256 MiB; twice the row, in both forms, is little beside it.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 320 << 20);

libfuzzer_sys::fuzz_target!(init: haos_fuzz::frame::assert_current(), |data: &[u8]| haos_fuzz::decode_row::run(data));
