//! Money is whole cents with a currency; rates are decimals. No floating point, and every rounding has a name.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// An amount of money in cents of the currency it stands beside. May be negative.
///
/// Sums saturate at the ends of `i64`; [`Cents::LIMIT`] keeps every amount that comes from outside a million times
/// smaller, so that no sum of a deal can get there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount accepted from outside: 100 million in whole units.
    pub const LIMIT: Self = Self(10_000_000_000);

    /// From a decimal amount of whole units with at most two decimals ("1234.50"). `None` when finer than a cent or
    /// beyond [`Cents::LIMIT`].
    pub fn from_decimal_exact(amount: Decimal) -> Option<Self> {
        let cents = amount.checked_mul(Decimal::ONE_HUNDRED)?;
        if !cents.fract().is_zero() {
            return None;
        }
        let cents = Self(cents.to_i64()?);
        (cents.0.abs() <= Self::LIMIT.0).then_some(cents)
    }

    /// Rounds a decimal amount of whole units half away from zero to the cent. `None` when it does not fit.
    pub fn round_half_up(amount: Decimal) -> Option<Self> {
        let cents = amount.checked_mul(Decimal::ONE_HUNDRED)?.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        cents.to_i64().map(Self)
    }

    /// The amount in whole units: 123450 cents are 1234.50.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// `self` percent points of this amount, rounded half up to the cent. `None` when it does not fit.
    pub fn percent_half_up(self, percent: Decimal) -> Option<Self> {
        let scaled = self.to_decimal().checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?;
        Self::round_half_up(scaled)
    }

    /// `self` percent points of this amount, rounded down to the cent (towards zero): for what a law caps, so that a charge is never
    /// more than it allows. `None` when it does not fit.
    pub fn percent_down(self, percent: Decimal) -> Option<Self> {
        let scaled = Decimal::from(self.0).checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)?;
        scaled.trunc().to_i64().map(Self)
    }

    /// This amount, or zero when it is negative.
    #[must_use]
    pub fn at_least_zero(self) -> Self {
        self.max(Self::ZERO)
    }
}

impl Add for Cents {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
impl Sub for Cents {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
impl Neg for Cents {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}
impl AddAssign for Cents {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl SubAssign for Cents {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}
impl fmt::Display for Cents {
    /// `1234.50`, `-0.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let abs = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", abs / 100, abs % 100)
    }
}

/// An ISO 4217 currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// Canadian dollar.
    pub const CAD: Self = Self(*b"CAD");

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

/// Text that is not three upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three letters, such as USD")]
pub struct BadCurrency;

impl std::str::FromStr for Currency {
    type Err = BadCurrency;
    fn from_str(s: &str) -> Result<Self, BadCurrency> {
        let bytes: [u8; 3] = s.as_bytes().try_into().map_err(|_| BadCurrency)?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes)).ok_or(BadCurrency)
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl sqlx::Type<sqlx::Postgres> for Currency {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <str as sqlx::Type<sqlx::Postgres>>::type_info()
    }
    fn compatible(ty: &sqlx::postgres::PgTypeInfo) -> bool {
        <str as sqlx::Type<sqlx::Postgres>>::compatible(ty)
    }
}
impl sqlx::Encode<'_, sqlx::Postgres> for Currency {
    fn encode_by_ref(&self, buf: &mut sqlx::postgres::PgArgumentBuffer) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <&str as sqlx::Encode<'_, sqlx::Postgres>>::encode(self.as_str(), buf)
    }
}
impl<'r> sqlx::Decode<'r, sqlx::Postgres> for Currency {
    fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(<&str as sqlx::Decode<'r, sqlx::Postgres>>::decode(value)?.parse()?)
    }
}
impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capped_share_is_rounded_down_to_the_cent() {
        assert_eq!(Cents(31_333_33).percent_down(Decimal::new(1_5, 1)), Some(Cents(469_99)), "469.99995");
        assert_eq!(Cents(30_000_00).percent_down(Decimal::new(1_5, 1)), Some(Cents(450_00)));
        assert_eq!(Cents(-101).percent_down(Decimal::from(50)), Some(Cents(-50)));
        assert_eq!(Cents(i64::MAX).percent_down(Decimal::MAX), None);
    }

    #[test]
    fn rounds_half_away_from_zero_to_the_cent() {
        assert_eq!(Cents::round_half_up(Decimal::new(10_005, 3)), Some(Cents(1001)));
        assert_eq!(Cents::round_half_up(Decimal::new(-10_005, 3)), Some(Cents(-1001)));
        assert_eq!(Cents(30_000_00).percent_half_up(Decimal::new(7_25, 2)), Some(Cents(2_175_00)));
        assert_eq!(Cents(31_333_33).percent_half_up(Decimal::new(1_5, 1)), Some(Cents(470_00)));
    }

    #[test]
    fn exact_amounts_refuse_fractions_of_a_cent_and_absurd_sizes() {
        assert_eq!(Cents::from_decimal_exact(Decimal::new(123_450, 2)), Some(Cents(123_450)));
        assert_eq!(Cents::from_decimal_exact(Decimal::new(1, 3)), None);
        assert_eq!(Cents::from_decimal_exact(Decimal::MAX), None);
        assert_eq!(Cents::from_decimal_exact(Decimal::new(100_000_001, 0)), None);
    }

    #[test]
    fn shows_two_decimals_and_the_sign() {
        assert_eq!(Cents(-5).to_string(), "-0.05");
        assert_eq!(Cents(123_450).to_string(), "1234.50");
    }

    #[test]
    fn currencies_are_three_capitals() {
        assert_eq!("USD".parse(), Ok(Currency::USD));
        assert!("usd".parse::<Currency>().is_err() && "US".parse::<Currency>().is_err());
    }
}
