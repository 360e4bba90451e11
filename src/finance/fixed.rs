//! Fixed-point arithmetic for discount factors: 58 binary digits behind the point, held in an `i64`.
//!
//! Products and quotients go through `i128`, so they cannot overflow on the way; a result outside ±32 is an error, never a
//! wrap. One unit in the last place is 3.5e-18: over 120 payments of a loan of a million dollars the error of a payment
//! stays below a millionth of a cent, and the same input gives the same bits on every machine.

use crate::kernel::money::Cents;

use super::error::FinanceError;

const DIGITS: u32 = 58;
const HALF: i128 = 1 << (DIGITS - 1);

/// A factor between −32 and 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed(i64);

impl Fixed {
    /// 0.
    pub const ZERO: Self = Self(0);
    /// 1.
    pub const ONE: Self = Self(1 << DIGITS);
    /// The smallest step, 2^-58.
    pub const STEP: Self = Self(1);

    /// 2 to the power of minus `bits`; the smallest step beyond 58.
    pub const fn two_to_minus(bits: u32) -> Self {
        if bits < DIGITS { Self(1 << (DIGITS - bits)) } else { Self::STEP }
    }

    /// `numerator / denominator`, rounded to the nearest step. The numerator must stay below 2^68.
    pub fn ratio(numerator: i128, denominator: i128) -> Result<Self, FinanceError> {
        let scaled = numerator.checked_mul(1 << DIGITS).ok_or(FinanceError::Overflow)?;
        narrow(divide(scaled, denominator)?)
    }

    /// A whole number from −31 to 31.
    pub fn whole(number: i64) -> Result<Self, FinanceError> {
        number.checked_mul(1 << DIGITS).map(Self).ok_or(FinanceError::Overflow)
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, FinanceError> {
        self.0.checked_add(other.0).map(Self).ok_or(FinanceError::Overflow)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Result<Self, FinanceError> {
        self.0.checked_sub(other.0).map(Self).ok_or(FinanceError::Overflow)
    }

    /// The product, rounded to the nearest step.
    pub fn by(self, other: Self) -> Result<Self, FinanceError> {
        narrow((i128::from(self.0) * i128::from(other.0) + HALF) >> DIGITS)
    }

    /// The product with a whole number.
    pub fn times(self, count: u32) -> Result<Self, FinanceError> {
        self.0.checked_mul(i64::from(count)).map(Self).ok_or(FinanceError::Overflow)
    }

    /// The quotient, rounded to the nearest step.
    pub fn per(self, other: Self) -> Result<Self, FinanceError> {
        narrow(divide(i128::from(self.0) << DIGITS, i128::from(other.0))?)
    }

    /// Half of it, rounded down.
    #[must_use]
    pub const fn halved(self) -> Self {
        Self(self.0 >> 1)
    }

    /// Its distance from zero.
    #[must_use]
    pub const fn distance(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// True below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The power with a whole exponent, by squaring: at most 2·log2(n) products.
    pub fn pow(self, mut exponent: u32) -> Result<Self, FinanceError> {
        let mut base = self;
        let mut result = Self::ONE;
        loop {
            if exponent & 1 == 1 {
                result = result.by(base)?;
            }
            exponent >>= 1;
            if exponent == 0 {
                return Ok(result);
            }
            base = base.by(base)?;
        }
    }

    /// The `n`-th root of a factor of at least 1, by Newton's iteration from above (which only ever falls).
    pub fn root(self, n: u32) -> Result<Self, FinanceError> {
        if n == 0 || self < Self::ONE {
            return Err(FinanceError::RateOutOfRange);
        }
        // The root of a root, so that the powers on the way stay in range: 12 times the money in a year is a rate, too.
        if n > 2 && n.is_multiple_of(2) {
            return self.root(2)?.root(n / 2);
        }
        // Bernoulli: (1 + x/n)^n is at least 1 + x, so this start lies above the root.
        let mut guess = Self::ONE.plus(self.minus(Self::ONE)?.over(n)?)?;
        for _ in 0..128 {
            let power = guess.pow(n - 1)?;
            let next = guess.minus(guess.minus(self.per(power)?)?.over(n)?)?;
            if next >= guess {
                break;
            }
            guess = next;
        }
        Ok(guess)
    }

    /// An amount of money times this factor, rounded half up to the cent.
    pub fn of(self, amount: Cents) -> Result<Cents, FinanceError> {
        self.of_scaled(amount, 1)
    }

    /// An amount of money times this factor in parts of a cent (`parts` of them), rounded half up. For the trace.
    pub fn of_scaled(self, amount: Cents, parts: i64) -> Result<Cents, FinanceError> {
        Self::difference_of(self, amount, Self::ZERO, Cents::ZERO, parts)
    }

    /// `a·x − b·y` in parts of a cent (`parts` of them), rounded half up once.
    pub fn difference_of(a: Self, x: Cents, b: Self, y: Cents, parts: i64) -> Result<Cents, FinanceError> {
        let product = |factor: Self, amount: Cents| i128::from(factor.0).checked_mul(i128::from(amount.0));
        let difference = product(a, x).zip(product(b, y)).and_then(|(x, y)| x.checked_sub(y)?.checked_mul(i128::from(parts)));
        let difference = difference.ok_or(FinanceError::Overflow)?;
        let rounded = difference.checked_abs().and_then(|d| d.checked_add(HALF)).ok_or(FinanceError::Overflow)? >> DIGITS;
        let cents = i64::try_from(rounded).map_err(|_| FinanceError::Overflow)?;
        Ok(Cents(if difference < 0 { -cents } else { cents }))
    }

    /// This factor times `scale`, rounded half up to a whole number. Turns a rate per period into millionths of a point.
    pub fn scaled(self, scale: i128) -> Result<i64, FinanceError> {
        let product = i128::from(self.0).checked_mul(scale).ok_or(FinanceError::Overflow)?;
        i64::try_from((product.checked_add(HALF).ok_or(FinanceError::Overflow)?) >> DIGITS).map_err(|_| FinanceError::Overflow)
    }

    fn over(self, n: u32) -> Result<Self, FinanceError> {
        narrow(divide(i128::from(self.0), i128::from(n))?)
    }
}

/// To the nearest; the divisor is small against `i128`, so doubling the rest cannot overflow.
fn divide(numerator: i128, denominator: i128) -> Result<i128, FinanceError> {
    // Both fit in 64 bits more often than not, and unsigned division is the fast one.
    let negative = (numerator < 0) != (denominator < 0);
    let (n, d) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let quotient = n.checked_add(d / 2).and_then(|n| n.checked_div(d)).ok_or(FinanceError::Overflow)?;
    let quotient = i128::try_from(quotient).map_err(|_| FinanceError::Overflow)?;
    Ok(if negative { -quotient } else { quotient })
}

fn narrow(value: i128) -> Result<Fixed, FinanceError> {
    i64::try_from(value).map(Fixed).map_err(|_| FinanceError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_and_roots_are_inverse_to_the_last_digits() {
        let x = Fixed::ratio(10_057_5, 10_000_0).unwrap();
        let p = x.pow(72).unwrap();
        let back = p.root(72).unwrap();
        assert!(back.minus(x).unwrap().distance() <= Fixed(64), "{back:?} {x:?}");
        assert_eq!(Fixed::ONE.pow(u32::MAX), Ok(Fixed::ONE));
        // 11 is a year at 1,000 %: twelve months of 1.22119…, whose first guess to the eleventh power is beyond the range.
        let year = Fixed::whole(11).unwrap();
        assert!(year.root(12).unwrap().pow(12).unwrap().minus(year).unwrap().distance() <= Fixed(1 << 10));
    }

    #[test]
    fn halves_of_halves_end_at_the_smallest_step() {
        let half = Fixed::ratio(1, 2).unwrap();
        assert_eq!((Fixed::two_to_minus(0), Fixed::two_to_minus(1), Fixed::two_to_minus(2)), (Fixed::ONE, half, half.halved()));
        assert_eq!(Fixed::two_to_minus(57), Fixed::STEP.plus(Fixed::STEP).unwrap());
        assert_eq!((Fixed::two_to_minus(58), Fixed::two_to_minus(200)), (Fixed::STEP, Fixed::STEP));
    }

    #[test]
    fn zero_is_not_negative_and_has_no_root() {
        let minus = Fixed::ZERO.minus(Fixed::STEP).unwrap();
        assert_eq!((minus.is_negative(), Fixed::ZERO.is_negative(), Fixed::STEP.is_negative()), (true, false, false));
        let below_one = Fixed::ONE.minus(Fixed::STEP).unwrap();
        assert_eq!((Fixed::ONE.root(0), below_one.root(2)), (Err(FinanceError::RateOutOfRange), Err(FinanceError::RateOutOfRange)));
        assert_eq!(Fixed::ONE.root(1), Ok(Fixed::ONE));
    }

    #[test]
    fn quotients_are_rounded_to_the_nearest_step_on_both_sides_of_zero() {
        // 2^58 leaves 4 when shared among 6: a sixth is rounded up by a third of a step.
        let sixth = Fixed::ratio(1, 6).unwrap();
        assert_eq!(sixth.times(6), Fixed::ONE.plus(Fixed(2)));
        for (numerator, denominator) in [(-1, 6), (1, -6)] {
            assert_eq!(Fixed::ratio(numerator, denominator), Fixed::ZERO.minus(sixth));
        }
        assert_eq!(Fixed::ratio(-1, -6), Ok(sixth));
    }

    #[test]
    fn overflow_is_an_error() {
        let big = Fixed::whole(31).unwrap();
        assert_eq!(big.by(big), Err(FinanceError::Overflow));
        assert_eq!(big.plus(big), Err(FinanceError::Overflow));
        assert_eq!(big.pow(u32::MAX), Err(FinanceError::Overflow));
        assert_eq!(Fixed::ONE.per(Fixed::ZERO), Err(FinanceError::Overflow));
        assert_eq!(Fixed::whole(32), Err(FinanceError::Overflow));
    }

    #[test]
    fn money_is_rounded_half_up() {
        let half = Fixed::ratio(1, 2).unwrap();
        assert_eq!(half.of(Cents(101)), Ok(Cents(51)));
        assert_eq!(half.of(Cents(-101)), Ok(Cents(-51)));
        assert_eq!(half.of_scaled(Cents(1), 1000), Ok(Cents(500)));
    }
}
