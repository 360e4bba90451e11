//! Factors of level payments: the present value of an annuity and its inverse.

use crate::finance::error::FinanceError;
use crate::finance::fixed::Fixed;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;
use crate::kernel::rounding::div_half_up;

use super::TERM;

/// A level payment per unit of principal, and what a unit of balloon takes off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Annuity {
    pub(super) per_principal: Fixed,
    pub(super) per_balloon: Fixed,
}

impl Annuity {
    /// The payment in parts of a cent (`parts` of them), rounded half up once.
    pub(super) fn payment(self, principal: Cents, balloon: Cents, parts: i64) -> Result<Cents, FinanceError> {
        Fixed::difference_of(self.per_principal, principal, self.per_balloon, balloon, parts)
    }
}

/// A yearly rate's share of one of `per_year` equal periods.
pub fn periodic(rate: Rate, per_year: u16) -> Result<Fixed, FinanceError> {
    Fixed::ratio(i128::from(rate.0), Rate::WHOLE * i128::from(per_year))
}

/// A twelfth of a yearly rate.
pub fn monthly(rate: Rate) -> Result<Fixed, FinanceError> {
    periodic(rate, 12)
}

/// The payment per unit of principal of a level annuity in arrears: `i / (1 − (1 + i)^−n)`.
pub fn level_factor(i: Fixed, n: u16) -> Result<Fixed, FinanceError> {
    if i == Fixed::ZERO {
        return Fixed::ratio(1, i128::from(n));
    }
    let v = Fixed::ONE.per(Fixed::ONE.plus(i)?)?;
    i.per(Fixed::ONE.minus(v.pow(u32::from(n))?)?)
}

/// Interest on a balance for `num / den` of a year, rounded half up to the cent.
pub fn interest_on(balance: Cents, rate: Rate, num: i128, den: i128) -> Result<Cents, FinanceError> {
    // Almost every loan fits in 64 bits, where a division costs a tenth.
    let small = |n: i128| u64::try_from(n).ok();
    if let (Ok(owed), Ok(points), Some(num), Some(whole)) =
        (u64::try_from(balance.0), u64::try_from(rate.0), small(num), small(Rate::WHOLE.saturating_mul(den)))
        && whole > 0
        && let Some(product) = owed.checked_mul(points).and_then(|p| p.checked_mul(num))
        && let Some(rounded) = product.checked_add(whole / 2)
    {
        return i64::try_from(rounded / whole).map(Cents).map_err(|_| FinanceError::Overflow);
    }
    let product = i128::from(balance.0).checked_mul(i128::from(rate.0)).and_then(|p| p.checked_mul(num));
    let interest = product.and_then(|p| div_half_up(p, Rate::WHOLE.checked_mul(den)?)).ok_or(FinanceError::Overflow)?;
    i64::try_from(interest).map(Cents).map_err(|_| FinanceError::Overflow)
}

/// The principal a level monthly payment in arrears repays, rounded half up: `P · (1 − (1 + i)^−n) / i`.
pub fn principal_for_payment(payment: Cents, rate: Rate, term_months: u16) -> Result<Cents, FinanceError> {
    if !TERM.contains(&term_months) {
        return Err(FinanceError::TermOutOfRange { min: *TERM.start(), max: *TERM.end() });
    }
    present_value(payment, rate, 12, term_months)
}

/// What `count` level payments, `per_year` of them in a year, are worth one period before the first, rounded half up.
pub(crate) fn present_value(payment: Cents, rate: Rate, per_year: u16, count: u16) -> Result<Cents, FinanceError> {
    if payment < Cents::ZERO || payment > Cents::LIMIT {
        return Err(FinanceError::AmountOutOfRange { what: "The payment" });
    }
    if rate < Rate::ZERO || rate > Rate::LIMIT {
        return Err(FinanceError::RateOutOfRange);
    }
    if rate == Rate::ZERO {
        return Ok(Cents(payment.0.saturating_mul(i64::from(count))));
    }
    // (1 − v^n) stays below 1; dividing by the rate is done in whole numbers so that the factor need not fit.
    let v = Fixed::ONE.per(Fixed::ONE.plus(periodic(rate, per_year)?)?)?;
    let share = Fixed::ONE.minus(v.pow(u32::from(count))?)?;
    let numerator = i128::from(share.scaled(1_000_000_000_000_000_000)?) * i128::from(payment.0);
    let scaled = numerator.checked_mul(i128::from(per_year)).ok_or(FinanceError::Overflow)?;
    let cents = div_half_up(scaled, i128::from(rate.0) * 10_000_000_000).ok_or(FinanceError::Overflow)?;
    i64::try_from(cents).map(Cents).map_err(|_| FinanceError::Overflow)
}

/// The dealer's reserve on a contract sold above the lender's buy rate: the present value, at the buy rate, of what the
/// customer pays, less the amount financed.
pub fn reserve_spread(amount: Cents, buy: Rate, sell_payment: Cents, term_months: u16) -> Result<Cents, FinanceError> {
    Ok(principal_for_payment(sell_payment, buy, term_months)? - amount)
}

/// The monthly rate that compounds to a yearly one: `(1 + r)^(1/12) − 1`.
pub fn monthly_of_effective(rate: Rate) -> Result<Fixed, FinanceError> {
    if rate < Rate::ZERO || rate > Rate::LIMIT {
        return Err(FinanceError::RateOutOfRange);
    }
    Fixed::ONE.plus(Fixed::ratio(i128::from(rate.0), Rate::WHOLE)?)?.root(12)?.minus(Fixed::ONE)
}

/// The level payment when some payments are made at signing: `P = A / ((1 − (1 + i)^−(n−m)) / i + m)`, per unit of principal.
pub fn factor_in_advance(rate: Rate, term_months: u16, advance: u16) -> Result<Fixed, FinanceError> {
    if !TERM.contains(&term_months) || advance > term_months {
        return Err(FinanceError::TermOutOfRange { min: *TERM.start(), max: *TERM.end() });
    }
    let later = u32::from(term_months - advance);
    let sixteenth = Fixed::ratio(1, 16)?;
    let i = monthly(rate)?;
    let sum = if i == Fixed::ZERO {
        sixteenth.times(later)?
    } else {
        let v = Fixed::ONE.per(Fixed::ONE.plus(i)?)?;
        Fixed::ONE.minus(v.pow(later)?)?.by(sixteenth)?.per(i)?
    };
    sixteenth.per(sum.plus(sixteenth.times(u32::from(advance))?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interest_is_rounded_half_up_by_either_way_of_dividing() {
        let rate = "6".parse().unwrap();
        // Half a cent, by the short way and, with a balance below zero or a huge one, by the long one.
        assert_eq!(interest_on(Cents(100), rate, 1, 12), Ok(Cents(1)));
        assert_eq!(interest_on(Cents(99), rate, 1, 12), Ok(Cents(0)));
        assert_eq!(interest_on(Cents(-100), rate, 1, 12), Ok(Cents(-1)));
        assert_eq!(interest_on(Cents(4_000_000_000_000_000_100), rate, 1, 12), Ok(Cents(20_000_000_000_000_001)));
        // No year has no days.
        assert_eq!(interest_on(Cents(100), rate, 1, 0), Err(FinanceError::Overflow));
    }

    #[test]
    fn payments_and_rates_are_discounted_up_to_their_limits() {
        let worth = |payment, rate| present_value(Cents(payment), Rate(rate), 12, 60);
        let amount = Err(FinanceError::AmountOutOfRange { what: "The payment" });
        assert_eq!((worth(0, 6_000_000), worth(-1, 6_000_000)), (Ok(Cents::ZERO), amount.clone()));
        assert!(worth(Cents::LIMIT.0, 6_000_000).is_ok());
        assert_eq!(worth(Cents::LIMIT.0 + 1, 6_000_000), amount);
        assert_eq!((worth(100_00, 0), worth(100_00, -1)), (Ok(Cents(6_000_00)), Err(FinanceError::RateOutOfRange)));
        assert!(worth(100_00, Rate::LIMIT.0).is_ok());
        assert_eq!(worth(100_00, Rate::LIMIT.0 + 1), Err(FinanceError::RateOutOfRange));
    }

    #[test]
    fn rates_and_terms_out_of_range_are_refused() {
        let monthly = |rate| monthly_of_effective(Rate(rate));
        assert_eq!((monthly(0), monthly(-1)), (Ok(Fixed::ZERO), Err(FinanceError::RateOutOfRange)));
        assert!(monthly(Rate::LIMIT.0).is_ok());
        assert_eq!(monthly(Rate::LIMIT.0 + 1), Err(FinanceError::RateOutOfRange));
        let out = Err(FinanceError::TermOutOfRange { min: 1, max: 120 });
        let factor = |term, advance| factor_in_advance(Rate::POINT, term, advance);
        assert_eq!((factor(0, 0), factor(121, 0), factor(12, 13)), (out.clone(), out.clone(), out));
        // All payments at signing: no interest.
        assert_eq!(factor(12, 12), Fixed::ratio(1, 12));
    }
}
