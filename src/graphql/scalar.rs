//! Scalars and small objects that every slice shares.
//!
//! Money and rates travel as decimal strings; a JSON number with a fraction is refused, because it has already been
//! rounded by somebody else.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::kernel::money::{Cents, Currency};

/// An exact decimal, written as a string: `"1234.50"`. Whole JSON numbers are accepted too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalText(pub Decimal);

/// An exact decimal, written as a string: `"1234.50"`. Whole JSON numbers are accepted too, others are refused.
#[Scalar(name = "Decimal")]
impl ScalarType for DecimalText {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_decimal(&value, "1234.50").map(Self).map_err(InputValueError::custom)
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Percent points as a decimal string: `"6.49"` is 6.49 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentage(pub Decimal);

/// Percent points as a decimal string: `"6.49"` is 6.49 %.
#[Scalar(name = "Percentage")]
impl ScalarType for Percentage {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse_decimal(&value, "6.49").map(Self).map_err(InputValueError::custom)
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.normalize().to_string())
    }
}

/// A day of the calendar without a time, as ISO 8601 writes it: `"2026-11-22"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A day of the calendar without a time, as ISO 8601 writes it: `"2026-11-22"`. It is the day at the store.
#[Scalar(name = "Date", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        // The length keeps out what chrono would also read: years of five digits, days of one.
        let day = if text.len() == 10 { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None };
        day.map(Self).ok_or_else(|| InputValueError::custom("expected a day such as \"2026-11-22\""))
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%d").to_string())
    }
}

/// An ISO 4217 currency code such as `USD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

/// An ISO 4217 currency code such as `USD`.
#[Scalar(name = "CurrencyCode")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text.parse().map(Self).map_err(InputValueError::custom),
            _ => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

/// An amount of money. The amount is exact, with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SimpleObject)]
#[graphql(name = "Money")]
pub struct MoneyObject {
    /// Whole units and cents, such as `"1234.50"`. Negative where money is owed.
    pub amount: DecimalText,
    /// The currency.
    pub currency: CurrencyCode,
}

impl MoneyObject {
    /// Shows an amount.
    pub fn new(cents: Cents, currency: Currency) -> Self {
        Self { amount: DecimalText(cents.to_decimal()), currency: CurrencyCode(currency) }
    }
}

fn parse_decimal(value: &Value, example: &str) -> Result<Decimal, String> {
    let bad = || format!("expected an exact decimal as a string, such as \"{example}\"");
    match value {
        Value::String(text) if text.len() <= 40 => Decimal::from_str_exact(text).map_err(|_| bad()),
        Value::Number(number) => number.as_i64().map(Decimal::from).ok_or_else(bad),
        _ => Err(bad()),
    }
}
