//! Whole quote inputs: every one is quoted with all its laws kept, or refused with a named error.
#![no_main]

#[path = "../bodies/quote_bytes.rs"]
mod quote_bytes;
#[path = "../bodies/quote_json.rs"]
mod quote_json;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| {
    quote_bytes::run(data);
});

// Stored inputs are changed value by value: as mere bytes most changes would leave no JSON.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let changed = quote_json::changed(&data[..size], u64::from(seed)).filter(|json| json.len() <= max_size);
    let Some(json) = changed else { return fuzzer_mutate(data, size, max_size) };
    data[..json.len()].copy_from_slice(&json);
    json.len()
});
