//! Any bytes as a lead document: no panic, no hang, the same reading twice, and always a prospect or a reason.
#![no_main]

use deskless::channels::adf;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let document = adf::parse(bytes, None);
    assert!(!document.prospects.is_empty() || document.fault.is_some());
    assert!(document.prospects.len() <= adf::PROSPECTS_MAX);
    assert_eq!(document, adf::parse(bytes, None));
});
