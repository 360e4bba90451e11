//! A closed-end lease: the progression of Regulation M (12 CFR 1013.4) from the agreed value to the payment.
//!
//! Named roundings: depreciation and rent charge per month are shown rounded half up, but the base payment is their exact sum
//! rounded once; monthly tax is taken on the rounded base payment.

mod money_factor;

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;
use crate::kernel::rounding::{div_ceil, div_half_up};

use super::error::FinanceError;

pub use money_factor::MoneyFactor;

/// Shortest and longest lease, in months.
pub const TERM: std::ops::RangeInclusive<u16> = 6..=72;
/// The yearly mileage residuals are stated for.
pub const RESIDUAL_MILES: u32 = 12_000;
/// A residual moves by one step per so many miles a year.
pub const MILEAGE_STEP: u32 = 3_000;

/// What the lease is made of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaseTerms {
    /// Agreed value and everything capitalized with it: the gross capitalized cost.
    pub gross_cap_cost: Cents,
    /// Cash, rebates and trade-in equity that lower it.
    pub cap_reduction: Cents,
    /// What the vehicle is worth at the end.
    pub residual: Cents,
    /// The money factor.
    pub money_factor: MoneyFactor,
    /// Number of monthly payments, the first at signing.
    pub term_months: u16,
}

/// The progression of Regulation M.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaseFigures {
    /// Gross capitalized cost.
    pub gross_cap_cost: Cents,
    /// Capitalized cost reduction.
    pub cap_reduction: Cents,
    /// Adjusted capitalized cost.
    pub adjusted_cap_cost: Cents,
    /// Residual value.
    pub residual: Cents,
    /// Depreciation and amortized amounts, over the term.
    pub depreciation: Cents,
    /// Rent charge, over the term.
    pub rent_charge: Cents,
    /// Depreciation of one month, rounded.
    pub monthly_depreciation: Cents,
    /// Rent charge of one month, rounded.
    pub monthly_rent: Cents,
    /// Base monthly payment, before tax.
    pub base_payment: Cents,
    /// All base payments.
    pub total_of_base_payments: Cents,
}

/// A residual at a number of miles a year, as lessors print it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MileageStep {
    /// Up to so many miles a year.
    pub annual_miles: u32,
    /// Points added to the residual's percentage (mostly negative).
    pub points: Rate,
}

/// The residual from a table of steps: the first one that allows the miles; beyond the last, the last.
pub fn stepped_residual(msrp: Cents, percent: Rate, steps: &[MileageStep], annual_miles: u32) -> Result<Cents, FinanceError> {
    let fits = steps.iter().filter(|s| s.annual_miles >= annual_miles).min_by_key(|s| s.annual_miles);
    let step = fits.or_else(|| steps.iter().max_by_key(|s| s.annual_miles));
    let points = step.map_or(Rate::ZERO, |s| s.points);
    percent.plus(points).clamp(Rate::ZERO, Rate(100_000_000)).of(msrp).ok_or(FinanceError::Overflow)
}

/// One refundable security deposit: the payment rounded up to a whole step (50 dollars, say); the payment itself where the
/// lessor has no step.
pub fn security_deposit(payment: Cents, step: Cents) -> Result<Cents, FinanceError> {
    if step <= Cents::ZERO {
        return Ok(payment);
    }
    let steps = div_ceil(i128::from(payment.0), i128::from(step.0)).and_then(|n| i64::try_from(n).ok());
    steps.and_then(|n| n.checked_mul(step.0)).map(Cents).ok_or(FinanceError::Overflow)
}

/// The residual value: list price times percentage, moved by whole mileage steps away from 12,000 miles a year. Rounded half
/// up to the cent.
pub fn residual(msrp: Cents, percent: Rate, step: Rate, annual_miles: u32) -> Result<Cents, FinanceError> {
    let apart = i64::from(annual_miles) - i64::from(RESIDUAL_MILES);
    // Half a step more miles already cost the whole step; fewer miles earn only whole steps.
    let steps = if apart > 0 { (apart + i64::from(MILEAGE_STEP) - 1) / i64::from(MILEAGE_STEP) } else { apart / i64::from(MILEAGE_STEP) };
    let moved = Rate(percent.0.saturating_sub(step.0.saturating_mul(steps))).clamp(Rate::ZERO, Rate(100_000_000));
    moved.of(msrp).ok_or(FinanceError::Overflow)
}

impl LeaseTerms {
    /// Every figure of the lease before tax.
    pub fn figures(&self) -> Result<LeaseFigures, FinanceError> {
        if !TERM.contains(&self.term_months) {
            return Err(FinanceError::TermOutOfRange { min: *TERM.start(), max: *TERM.end() });
        }
        for (what, amount) in [
            ("The gross capitalized cost", self.gross_cap_cost),
            ("The capitalized cost reduction", self.cap_reduction),
            ("The residual value", self.residual),
        ] {
            if amount < Cents::ZERO || amount > Cents::LIMIT {
                return Err(FinanceError::AmountOutOfRange { what });
            }
        }
        // A factor whose yearly rate could not be told is none.
        if !(0..=Rate::LIMIT.0 / 24).contains(&self.money_factor.0) {
            return Err(FinanceError::RateOutOfRange);
        }
        let adjusted = self.gross_cap_cost - self.cap_reduction;
        if adjusted < self.residual {
            return Err(FinanceError::ResidualAboveCost { excess: self.residual - adjusted });
        }
        let n = i128::from(self.term_months);
        let depreciation = adjusted - self.residual;
        let (dep, both, mf) = (i128::from(depreciation.0), i128::from((adjusted + self.residual).0), i128::from(self.money_factor.0));
        let cents = |num: i128, den: i128| -> Result<Cents, FinanceError> {
            let value = div_half_up(num, den).ok_or(FinanceError::Overflow)?;
            i64::try_from(value).map(Cents).map_err(|_| FinanceError::Overflow)
        };
        // dep/n + both·mf on one denominator, so that the sum is rounded once.
        let base = cents(dep * MoneyFactor::ONE + both * mf * n, n * MoneyFactor::ONE)?;
        let total = Cents(base.0.saturating_mul(i64::from(self.term_months)));
        Ok(LeaseFigures {
            gross_cap_cost: self.gross_cap_cost,
            cap_reduction: self.cap_reduction,
            adjusted_cap_cost: adjusted,
            residual: self.residual,
            depreciation,
            rent_charge: total - depreciation,
            monthly_depreciation: cents(dep, n)?,
            monthly_rent: cents(both * mf, MoneyFactor::ONE)?,
            base_payment: base,
            total_of_base_payments: total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_lease() {
        // MSRP 42,000, value 40,000, acquisition 650, document 85; cash 2,000, net trade 3,000, rebate 1,500; 55 %, 36, .00125.
        let residual = residual(Cents(42_000_00), "55".parse().unwrap(), Rate::POINT, 12_000).unwrap();
        let terms = LeaseTerms {
            gross_cap_cost: Cents(40_735_00),
            cap_reduction: Cents(6_500_00),
            residual,
            money_factor: MoneyFactor(125_000),
            term_months: 36,
        };
        let f = terms.figures().unwrap();
        assert_eq!(f.adjusted_cap_cost, Cents(34_235_00));
        assert_eq!((f.monthly_depreciation, f.monthly_rent, f.base_payment), (Cents(309_31), Cents(71_67), Cents(380_97)));
        assert_eq!((f.total_of_base_payments, f.rent_charge), (Cents(13_714_92), Cents(2_579_92)));
        // 8.875 % on the rounded base.
        let tax = "8.875".parse::<Rate>().unwrap().of(f.base_payment).unwrap();
        assert_eq!(f.base_payment + tax, Cents(414_78));
        assert_eq!(MoneyFactor(125_000).equivalent_rate(), "3".parse().unwrap());
    }

    #[test]
    fn more_miles_cost_residual_and_fewer_earn_it() {
        let at = |miles| residual(Cents(40_000_00), "55".parse().unwrap(), Rate::POINT, miles).unwrap();
        assert_eq!(
            (at(12_000), at(15_000), at(12_001), at(10_000), at(9_000)),
            (Cents(22_000_00), Cents(21_600_00), Cents(21_600_00), Cents(22_000_00), Cents(22_400_00))
        );
        assert_eq!(at(u32::MAX), Cents::ZERO);
    }

    #[test]
    fn steps_and_deposits_follow_the_lessors_table() {
        let step = |annual_miles, points: &str| MileageStep { annual_miles, points: points.parse().unwrap() };
        let steps = [step(15_000, "-2"), step(10_000, "1"), step(12_000, "0")];
        let at = |miles| stepped_residual(Cents(40_000_00), "55".parse().unwrap(), &steps, miles).unwrap();
        assert_eq!(
            (at(7_500), at(10_001), at(15_000), at(40_000)),
            (Cents(22_400_00), Cents(22_000_00), Cents(21_200_00), Cents(21_200_00))
        );
        assert_eq!(security_deposit(Cents(380_97), Cents(50_00)), Ok(Cents(400_00)));
        assert_eq!(security_deposit(Cents(400_00), Cents(50_00)), Ok(Cents(400_00)));
        assert_eq!(security_deposit(Cents(380_97), Cents::ZERO), Ok(Cents(380_97)));
        // Seven deposits of .00007 each, and a point of rate more: 1/2400.
        assert_eq!(MoneyFactor(125_000).adjusted(Rate::ZERO, MoneyFactor(7 * 7_000)), MoneyFactor(76_000));
        assert_eq!(MoneyFactor(125_000).adjusted(Rate::POINT, MoneyFactor(0)), MoneyFactor(166_667));
        assert_eq!(MoneyFactor(5).adjusted(Rate::ZERO, MoneyFactor(7)), MoneyFactor(0));
    }

    #[test]
    fn a_residual_above_the_cost_is_refused() {
        let terms = LeaseTerms {
            gross_cap_cost: Cents(20_000_00),
            cap_reduction: Cents(5_000_00),
            residual: Cents(16_000_00),
            money_factor: MoneyFactor(100_000),
            term_months: 36,
        };
        assert_eq!(terms.figures(), Err(FinanceError::ResidualAboveCost { excess: Cents(1_000_00) }));
    }

    #[test]
    fn amounts_are_taken_up_to_the_limit_and_not_beyond() {
        let terms = |gross_cap_cost| LeaseTerms {
            gross_cap_cost,
            cap_reduction: Cents::ZERO,
            residual: Cents(1_000_00),
            money_factor: MoneyFactor(125_000),
            term_months: 36,
        };
        assert!(terms(Cents::LIMIT).figures().is_ok());
        assert_eq!(terms(Cents::LIMIT + Cents(1)).figures(), Err(FinanceError::AmountOutOfRange { what: "The gross capitalized cost" }));
        // A factor whose yearly rate, 2,400 times it, is the highest there is; and a lease that depreciates nothing.
        let most = Rate::LIMIT.0 / 24;
        let factor = |factor| LeaseTerms { money_factor: MoneyFactor(factor), ..terms(Cents(1_000_00)) }.figures();
        assert_eq!(factor(most).map(|f| f.depreciation), Ok(Cents::ZERO));
        assert_eq!((factor(most + 1), factor(-1)), (Err(FinanceError::RateOutOfRange), Err(FinanceError::RateOutOfRange)));
    }
}
