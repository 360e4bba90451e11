//! Whole quote inputs: every one is quoted with all its laws kept, or refused with a named error.
#![no_main]

#[path = "../bodies/quote_bytes.rs"]
mod quote_bytes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    quote_bytes::run(data);
});
