//! The general equation, (b)(8), solved for the rate per unit-period.

use super::Stream;
use crate::finance::error::FinanceError;
use crate::finance::fixed::Fixed;
use crate::kernel::money::Cents;

/// A step of Newton's iteration so small leaves an error of about its square times half the number of payments: below
/// 2^-42, a hundred-millionth of a percent point a year.
const CLOSE: Fixed = Fixed::two_to_minus(26);
/// The same for a step of halving, which leaves an error as large as itself.
const CLOSEST: Fixed = Fixed::two_to_minus(44);

/// The rate per unit-period. Newton's iteration, kept inside a bracket; a step that leaves it is replaced by halving.
pub(super) fn solve(advances: &[Stream], payments: &[Stream]) -> Result<Fixed, FinanceError> {
    let any_negative = advances.iter().chain(payments).any(|s| s.amount < Cents::ZERO || s.amount > Cents::LIMIT);
    if any_negative {
        return Err(FinanceError::AmountOutOfRange { what: "An advance or payment" });
    }
    let advanced: i128 = advances.iter().map(Stream::total).sum();
    let paid: i128 = payments.iter().map(Stream::total).sum();
    if advanced == 0 || paid == 0 {
        return Err(FinanceError::NoPayments);
    }
    if paid < advanced {
        let shortfall = Cents(i64::try_from(advanced - paid).map_err(|_| FinanceError::Overflow)?);
        return Err(FinanceError::PaymentsBelowAdvance { shortfall });
    }
    if paid == advanced {
        return Ok(Fixed::ZERO);
    }
    // Shares of all that is paid stay between 0 and 1, and so does every present value.
    let advances = Weighted::all(advances, paid)?;
    let payments = Weighted::all(payments, paid)?;
    // The root lies between these; 600 % per unit-period is the most the engine looks for.
    let (mut low, mut high) = (Fixed::ZERO, Fixed::whole(6)?);
    let mut i = start(&payments, &advances, advanced, paid)?.min(Fixed::ONE).max(Fixed::STEP);
    for _ in 0..200 {
        let (value, slope) = present_value(&payments, &advances, i)?;
        if value == Fixed::ZERO {
            return Ok(i);
        }
        if value.is_negative() {
            high = i;
        } else {
            low = i;
        }
        // slope is i·f'(i), so that it stays near 1: the step is f / (i·f') · i.
        let step = value.per(slope).and_then(|q| q.by(i));
        let (next, close) = match step.and_then(|step| i.minus(step)) {
            Ok(next) if next > low && next < high => (next, CLOSE),
            _ => (low.plus(high)?.halved(), CLOSEST),
        };
        let moved = next.minus(i)?.distance();
        i = next;
        if moved <= close {
            return if i >= Fixed::whole(5)? { Err(FinanceError::RateOutOfRange) } else { Ok(i) };
        }
    }
    Err(FinanceError::RateOutOfRange)
}

/// A lower bound of the rate: with mean times weighted by amount, Jensen's inequality gives `ln(paid/advanced)` over the
/// difference of the mean times, and `ln x ≥ 2(x−1)/(x+1)`.
fn start(payments: &[Weighted], advances: &[Weighted], advanced: i128, paid: i128) -> Result<Fixed, FinanceError> {
    let mean = |flows: &[Weighted], total: i128| -> i128 {
        let sum: i128 = flows.iter().map(Weighted::moment).sum();
        sum / total.max(1)
    };
    let distance = (mean(payments, paid) - mean(advances, advanced)).max(1);
    let gain = (paid - advanced).checked_mul(2 * MOMENT).ok_or(FinanceError::Overflow)?;
    let denominator = (paid + advanced).checked_mul(distance).ok_or(FinanceError::Overflow)?;
    Fixed::ratio(gain.min((1 << 66) - 1), denominator.max(1)).or(Fixed::ratio(1, 100))
}

/// Mean times are counted in thousandths of a unit-period.
const MOMENT: i128 = 1_000;

/// A stream whose amount is a share of all that is paid.
struct Weighted {
    share: Fixed,
    count: u32,
    full: u32,
    fraction: Fixed,
    total: i128,
}

impl Weighted {
    fn all(streams: &[Stream], whole: i128) -> Result<Vec<Self>, FinanceError> {
        streams
            .iter()
            .map(|s| {
                let full = s.first.full;
                if full.saturating_add(s.count) > 100_000 {
                    return Err(FinanceError::BadDates("the term is too long"));
                }
                let share = Fixed::ratio(i128::from(s.amount.0), whole)?;
                Ok(Self { share, count: s.count, full, fraction: s.first.fraction()?, total: s.total() })
            })
            .collect()
    }

    /// Amount times mean time, in thousandths of a unit-period.
    fn moment(&self) -> i128 {
        self.total * (i128::from(self.full) * MOMENT + i128::from(self.count - 1) * MOMENT / 2)
    }

    /// Its present value at `i`, and `i` times its derivative. `v` is `1 / (1 + i)`.
    fn value(&self, i: Fixed, v: Fixed) -> Result<(Fixed, Fixed), FinanceError> {
        let odd = self.fraction != Fixed::ZERO;
        // g = 1 / (1 + f·i), and f·g·i, which the derivative needs.
        let (g, fgi) = if odd {
            let fi = self.fraction.by(i)?;
            let g = Fixed::ONE.per(Fixed::ONE.plus(fi)?)?;
            (g, fi.by(g)?)
        } else {
            (Fixed::ONE, Fixed::ZERO)
        };
        let share = if odd { self.share.by(g)? } else { self.share };
        if self.count == 1 {
            let value = share.by(v.pow(self.full)?)?;
            let slope = value.by(fgi)?.plus(value.by(i.by(v)?)?.times(self.full)?)?;
            return Ok((value, Fixed::ZERO.minus(slope)?));
        }
        // Σ v^k for k = full … full+count−1 is (v^(full−1) − v^(full−1+count)) / i.
        let before = self.full.saturating_sub(1);
        let head = share.by(v.pow(before)?)?;
        let tail = head.by(v.pow(self.count)?)?;
        let value = head.minus(tail)?.per(i)?;
        let bent = tail.times(self.count)?.minus(value.by(i)?.times(before)?)?.by(v)?;
        let slope = bent.minus(value)?.minus(value.by(fgi)?)?;
        Ok((value, slope))
    }
}

/// Payments minus advances at `i`, and `i` times the derivative of that.
fn present_value(payments: &[Weighted], advances: &[Weighted], i: Fixed) -> Result<(Fixed, Fixed), FinanceError> {
    let v = Fixed::ONE.per(Fixed::ONE.plus(i)?)?;
    let (mut value, mut slope) = (Fixed::ZERO, Fixed::ZERO);
    for payment in payments {
        let (pv, d) = payment.value(i, v)?;
        value = value.plus(pv)?;
        slope = slope.plus(d)?;
    }
    for advance in advances {
        let (pv, d) = advance.value(i, v)?;
        value = value.minus(pv)?;
        slope = slope.minus(d)?;
    }
    Ok((value, slope))
}
