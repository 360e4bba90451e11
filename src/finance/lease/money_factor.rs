//! The money factor: a lease's rate per month, on the sum of what is owed at the beginning and at the end.

use crate::kernel::rate::Rate;

/// A money factor in hundred-millionths: .00125 is `MoneyFactor(125_000)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MoneyFactor(pub i64);

impl MoneyFactor {
    pub(super) const ONE: i128 = 100_000_000;

    /// From a decimal such as 0.00125; at most eight decimals, below 1.
    pub fn from_decimal(factor: rust_decimal::Decimal) -> Option<Self> {
        use rust_decimal::prelude::ToPrimitive;
        let scaled = factor.checked_mul(rust_decimal::Decimal::new(100_000_000, 0))?;
        let value = scaled.is_integer().then(|| scaled.to_i64()).flatten()?;
        (0..100_000_000).contains(&value).then_some(Self(value))
    }

    /// This factor with points of yearly rate added, and parts of a factor taken off; never below zero.
    #[must_use]
    pub fn adjusted(self, points: Rate, off: Self) -> Self {
        // 24 millionths of a point are one hundred-millionth of a factor; a part of one is rounded up.
        let added = points.0.div_euclid(24) + i64::from(points.0.rem_euclid(24) > 0);
        Self(self.0.saturating_add(added).saturating_sub(off.0).max(0))
    }

    /// As a decimal.
    pub fn to_decimal(self) -> rust_decimal::Decimal {
        rust_decimal::Decimal::new(self.0, 8).normalize()
    }

    /// The yearly rate a customer can compare: the factor times 2,400.
    pub const fn equivalent_rate(self) -> Rate {
        // 1e-8 · 2400 percent points are 24 millionths of a point each.
        Rate(self.0.saturating_mul(24))
    }
}
impl std::fmt::Display for MoneyFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_decimal().fmt(f)
    }
}
impl serde::Serialize for MoneyFactor {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> serde::Deserialize<'de> for MoneyFactor {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        let decimal = rust_decimal::Decimal::from_str_exact(&text).map_err(serde::de::Error::custom)?;
        Self::from_decimal(decimal)
            .ok_or_else(|| serde::de::Error::custom("a money factor is between 0 and 1, with at most eight decimals"))
    }
}
