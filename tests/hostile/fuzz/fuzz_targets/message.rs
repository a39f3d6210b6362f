#![no_main]

libfuzzer_sys::fuzz_target!(init: granary_hostile::contained(), |bytes: &[u8]| granary_hostile::message(bytes));
