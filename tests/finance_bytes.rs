//! The fuzz target over whole quote inputs, for a bounded number of inputs in every run of the tests
//! (`FUZZ_INPUTS` for more; see fuzz/README.md).

#[path = "../fuzz/bodies/quote_bytes.rs"]
mod quote_bytes;
#[path = "../fuzz/bodies/quote_json.rs"]
mod quote_json;

use std::fs;
use std::path::Path;

/// A small generator with a fixed seed: a failure names the number that makes it again.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let length = usize::try_from(next() % 1_400).expect("small");
    (0..length).map(|_| next().to_le_bytes()[3]).collect()
}

#[test]
fn any_input_gets_a_quote_that_keeps_its_laws_or_a_named_error() {
    let more = std::env::var("FUZZ_INPUTS").ok().map(|n| n.parse().expect("FUZZ_INPUTS is a number"));
    let (mut quoted, inputs) = (0, more.unwrap_or(30_000));
    for seed in 0..inputs {
        let data = bytes(seed);
        let Ok(was_quoted) = std::panic::catch_unwind(|| quote_bytes::run(&data)) else {
            panic!("seed {seed}: {:#?}", quote_bytes::input(&data))
        };
        quoted += u64::from(was_quoted);
    }
    println!("{quoted} of {inputs} inputs were quoted");
    assert!(quoted > inputs / 50, "the inputs must reach the figures: only {quoted} did");
}

#[test]
fn stored_quotes_with_other_values_get_a_quote_that_keeps_its_laws_or_a_named_error() {
    let replays = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replays/2.1");
    let (mut quoted, mut inputs) = (0, 0_u64);
    for name in ["cash", "contract", "balloon", "lease"] {
        let stored = fs::read(replays.join(name).with_extension("json")).expect("a stored quote");
        let stored: serde_json::Value = serde_json::from_slice(&stored).expect("JSON");
        let mut present = serde_json::to_vec(&stored["inputs"]).expect("JSON");
        for seed in 0..500 {
            inputs += 1;
            let next = quote_json::changed(&present, seed).expect("an input");
            let Ok(was_quoted) = std::panic::catch_unwind(|| quote_bytes::run(&next)) else {
                panic!("{name}, seed {seed}: {}", String::from_utf8_lossy(&next))
            };
            quoted += u64::from(was_quoted);
            // What still gives a quote is changed further.
            if was_quoted {
                present = next;
            }
        }
    }
    println!("{quoted} of {inputs} changed inputs were quoted");
    assert!(quoted > inputs / 10, "the inputs must reach the figures: only {quoted} did");
}
