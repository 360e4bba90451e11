//! Rates in percent points, exact to a millionth of a point. No floating point.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::money::Cents;
use super::rounding::div_half_up;

/// A rate in millionths of a percent point: 6.49 % is `Rate(6_490_000)`. May be negative only as a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Rate(pub i64);

impl Rate {
    /// 0 %.
    pub const ZERO: Self = Self(0);
    /// One percent point.
    pub const POINT: Self = Self(1_000_000);
    /// How many millionths of a percent point make up 1 (100 %).
    pub const WHOLE: i128 = 100_000_000;
    /// The largest rate accepted from outside: 1,000 %.
    pub const LIMIT: Self = Self(1_000_000_000);

    /// From percent points ("6.49"). `None` when finer than a millionth of a point or larger than [`Rate::LIMIT`].
    pub fn from_percent(percent: Decimal) -> Option<Self> {
        let scaled = percent.checked_mul(Decimal::ONE_HUNDRED)?.checked_mul(Decimal::new(10_000, 0))?;
        let value = scaled.is_integer().then(|| scaled.to_i64()).flatten()?;
        (value.checked_abs()? <= Self::LIMIT.0).then_some(Self(value))
    }

    /// Percent points: `Rate(6_490_000)` is 6.49.
    pub fn to_percent(self) -> Decimal {
        Decimal::new(self.0, 6).normalize()
    }

    /// Rounded half up to so many decimals of a percent point (at most 6).
    #[must_use]
    pub fn round(self, decimals: u32) -> Self {
        let step = 10_i64.pow(6_u32.saturating_sub(decimals));
        let rounded =
            div_half_up(i128::from(self.0), i128::from(step)).and_then(|n| i64::try_from(n).ok()).and_then(|n| n.checked_mul(step));
        rounded.map_or(self, Self)
    }

    /// This rate of an amount, rounded half up to the cent. `None` when it does not fit.
    pub fn of(self, amount: Cents) -> Option<Cents> {
        let product = i128::from(amount.0).checked_mul(i128::from(self.0))?;
        div_half_up(product, Self::WHOLE).and_then(|n| i64::try_from(n).ok()).map(Cents)
    }

    /// The sum of two rates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference of two rates.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Rate {
    /// `6.49`, in percent points.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_percent().fmt(f)
    }
}

/// Text that is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate is percent points with at most six decimals, such as 6.49")]
pub struct BadRate;

impl std::str::FromStr for Rate {
    type Err = BadRate;
    fn from_str(s: &str) -> Result<Self, BadRate> {
        Decimal::from_str_exact(s).ok().and_then(Self::from_percent).ok_or(BadRate)
    }
}
impl serde::Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> serde::Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_percent_points() {
        assert_eq!("6.49".parse(), Ok(Rate(6_490_000)));
        assert_eq!(Rate(6_490_000).to_string(), "6.49");
        assert_eq!("0.0000001".parse::<Rate>(), Err(BadRate));
        assert_eq!("1000.000001".parse::<Rate>(), Err(BadRate));
        assert_eq!("79228162514264337593543950335".parse::<Rate>(), Err(BadRate));
    }

    #[test]
    fn rounds_half_up() {
        assert_eq!(Rate(9_685_708).round(2), Rate(9_690_000));
        assert_eq!(Rate(9_685_000).round(2), Rate(9_690_000));
        assert_eq!(Rate(7_250_000).of(Cents(30_085_00)), Some(Cents(218_116)));
        assert_eq!(Rate(50_000_000).of(Cents(-5)), Some(Cents(-3)));
    }
}
