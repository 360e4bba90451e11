//! Any bytes as a batch of events: no panic, bounded, the same reading twice.
#![no_main]

use chrono::DateTime;
use deskless::channels::events;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let now = DateTime::from_timestamp(1_790_000_000, 0).expect("a moment");
    let batch = events::parse_batch(bytes, now);
    assert_eq!(batch, events::parse_batch(bytes, now));
    for event in batch.iter().flatten().flatten() {
        assert!(event.occurred_at <= now && !event.external_id.is_empty() && event.properties.is_object());
    }
});
