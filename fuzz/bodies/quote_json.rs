//! Changes stored quotes' inputs: one value here and there becomes another of its kind. For the fuzz target `quote` and for a
//! bounded random test.

#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "positions are taken within their bounds, and small numbers fit"
)]

use deskless::finance::QuoteInput;
use deskless::finance::lease::MoneyFactor;
use deskless::finance::retail::{AccrualBasis, PaymentSchedule};
use deskless::finance::tax::{LeaseTaxMethod, LocalTaxRule, TaxScheme, TradePolicy};
use deskless::finance::{CollateralBasis, FeeScope, ProductKind, QuoteKind, SaleCondition};
use serde::Deserialize;
use serde_json::Value;

/// How often a change that leaves no readable input is tried again.
const TRIES: usize = 6;
/// Amounts, months, days and miles at which something begins or ends.
const NUMBERS: [i64; 16] = [0, 1, -1, 2, 11, 12, 21, 30, 31, 90, 120, 65_535, 10_000_000_000, 10_000_000_001, i64::MAX, i64::MIN];
/// Rates, factors and dates; names of the engine's kinds come beside them.
const TEXTS: [&str; 14] = [
    "0",
    "0.000001",
    "6.9",
    "99.999999",
    "100",
    "1000",
    "-1000",
    "0.00125",
    "2024-02-29",
    "2026-12-31",
    "-262143-01-01",
    "+262142-12-31",
    "0001-01-01",
    "9999-12-31",
];

/// A small generator: the same numbers for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % sides.max(1)
    }
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }
}

fn kinds() -> Vec<&'static str> {
    let mut names = Vec::new();
    names.extend(QuoteKind::ALL.iter().map(|k| k.as_str()));
    names.extend(AccrualBasis::ALL.iter().map(|k| k.as_str()));
    names.extend(PaymentSchedule::ALL.iter().map(|k| k.as_str()));
    names.extend(LeaseTaxMethod::ALL.iter().map(|k| k.as_str()));
    names.extend(LocalTaxRule::ALL.iter().map(|k| k.as_str()));
    names.extend(TaxScheme::ALL.iter().map(|k| k.as_str()));
    names.extend(TradePolicy::ALL.iter().map(|k| k.as_str()));
    names.extend(CollateralBasis::ALL.iter().map(|k| k.as_str()));
    names.extend(FeeScope::ALL.iter().map(|k| k.as_str()));
    names.extend(ProductKind::ALL.iter().map(|k| k.as_str()));
    names.extend(SaleCondition::ALL.iter().map(|k| k.as_str()));
    names
}

/// How many values there are in it, lists and objects too.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

fn nth(value: &mut Value, mut n: usize) -> Option<&mut Value> {
    if n == 0 {
        return Some(value);
    }
    n -= 1;
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => return None,
    };
    for item in inner {
        let inside = size(item);
        if n < inside {
            return nth(item, n);
        }
        n -= inside;
    }
    None
}

fn change(value: &mut Value, dice: &mut Dice) {
    let old = value.as_i64().unwrap_or(0);
    *value = match value {
        Value::Array(items) if !items.is_empty() => {
            let at = dice.roll(items.len());
            if dice.roll(2) == 0 {
                drop(items.remove(at));
            } else {
                items.push(items[at].clone());
            }
            return;
        }
        Value::Array(_) | Value::Object(_) => return,
        Value::Bool(yes) => Value::Bool(!*yes),
        Value::Number(_) | Value::String(_) if dice.roll(12) == 0 => Value::Null,
        Value::Number(_) => match dice.roll(8) {
            0 => old.saturating_add(1).into(),
            1 => old.saturating_sub(1).into(),
            2 => old.saturating_mul(2).into(),
            3 => (old / 2).into(),
            4 => (dice.roll(5_000_000) as i64).into(),
            5 => (dice.roll(400) as i64).into(),
            _ => dice.pick(&NUMBERS).into(),
        },
        Value::String(_) | Value::Null => match dice.roll(5) {
            0 => dice.pick(&TEXTS).into(),
            1 => format!("{}.{:06}", dice.roll(120), dice.roll(1_000_000)).into(),
            2 => MoneyFactor(dice.roll(400_000) as i64).to_decimal().to_string().into(),
            3 => dice.pick(&kinds()).into(),
            _ => (dice.roll(3_000_000) as i64).into(),
        },
    };
}

/// The inputs with one to four values changed; as they are when nothing readable comes of it.
pub fn changed(stored: &[u8], seed: u64) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(stored).ok()?;
    let dice = &mut Dice::new(seed);
    for _ in 0..=dice.roll(4) {
        let readable = (0..TRIES).find_map(|_| {
            let mut tried = value.clone();
            let at = dice.roll(size(&tried));
            change(nth(&mut tried, at)?, dice);
            QuoteInput::deserialize(&tried).is_ok().then_some(tried)
        });
        value = readable.unwrap_or(value);
    }
    serde_json::to_vec(&value).ok()
}
