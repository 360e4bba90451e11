//! Any bytes as a file of rules, of any table: no panic, no hang, the same reading twice, and a reason for every refused cell.
#![no_main]

use deskless::finance::RuleTable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (which, bytes) = input;
    let table = RuleTable::ALL[usize::from(which) % RuleTable::ALL.len()];
    let read = || table.check(bytes).map_err(|e| e.to_string());
    if let Ok((_, refused)) = &read() {
        assert!(refused.iter().all(|line| !line.reason.is_empty()));
    }
    assert_eq!(read(), read());
});
