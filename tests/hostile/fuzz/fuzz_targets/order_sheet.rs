#![no_main]

libfuzzer_sys::fuzz_target!(init: granary_hostile::silence_caught_panics(), |bytes: &[u8]| granary_hostile::order_sheet(bytes));
