//! A rough monthly payment, for ranking only. The desk has the exact figure; whatever is shown from here says "estimate".

use rust_decimal::Decimal;

use crate::kernel::money::Cents;

/// What the estimate assumes. Given by the caller, so that it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EstimateTerms {
    /// Nominal annual rate in percent points.
    pub annual_rate: Decimal,
    /// Number of monthly payments, from 1 to 120.
    pub term_months: u32,
    /// Money put down.
    pub down: Cents,
    /// Taxes and fees on top of the price, in whole percent points.
    pub uplift_percent: u32,
}

/// Prices to payments with one multiplication each: `factor` is the payment in cents on a billion cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentEstimate {
    terms: EstimateTerms,
    factor: i64,
}

const SCALE: i64 = 1_000_000_000;

impl PaymentEstimate {
    /// None when the terms make no sense (no term, a negative or absurd rate).
    pub fn new(terms: EstimateTerms) -> Option<Self> {
        let bounds = Decimal::ZERO..=Decimal::ONE_HUNDRED;
        if !(1..=120).contains(&terms.term_months) || !bounds.contains(&terms.annual_rate) || terms.uplift_percent > 100 {
            return None;
        }
        let n = Decimal::from(terms.term_months);
        let monthly = terms.annual_rate.checked_div(Decimal::from(1200))?;
        let per_unit = if monthly.is_zero() {
            Decimal::ONE.checked_div(n)?
        } else {
            // Level payment of an annuity on 1: r / (1 - (1 + r)^-n).
            let growth = Decimal::ONE.checked_add(monthly)?;
            let mut grown = Decimal::ONE;
            for _ in 0..terms.term_months {
                grown = grown.checked_mul(growth)?.round_dp(20);
            }
            let discount = Decimal::ONE.checked_sub(Decimal::ONE.checked_div(grown)?)?;
            monthly.checked_div(discount)?
        };
        let factor = i64::try_from(per_unit.checked_mul(Decimal::from(SCALE))?.round().mantissa()).ok()?;
        Some(Self { terms, factor })
    }

    /// What it assumes.
    pub fn terms(&self) -> EstimateTerms {
        self.terms
    }

    /// About how much a month, in cents. Rounds half up at the one division.
    pub fn payment(&self, price_cents: i64) -> i64 {
        let price = i128::from(price_cents.max(0));
        let with_fees = price * i128::from(100 + self.terms.uplift_percent) / 100;
        let financed = (with_fees - i128::from(self.terms.down.0.max(0))).max(0);
        let payment = (financed * i128::from(self.factor) + i128::from(SCALE / 2)) / i128::from(SCALE);
        i64::try_from(payment).unwrap_or(i64::MAX)
    }

    /// For people: "estimate: 72 months at 7.99 %, $2,000 down, 8 % taxes and fees".
    pub fn assumptions(&self) -> String {
        let t = self.terms;
        format!(
            "estimate: {} months at {} %, {} down, {} % taxes and fees",
            t.term_months,
            t.annual_rate.normalize(),
            crate::customers::wish::dollars(t.down.0),
            t.uplift_percent
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(rate: Decimal, term_months: u32) -> EstimateTerms {
        EstimateTerms { annual_rate: rate, term_months, down: Cents::ZERO, uplift_percent: 0 }
    }

    #[test]
    fn agrees_with_the_published_figure() {
        // $30,000 at 6.9 % over 72 months is $510.03 a month.
        let estimate = PaymentEstimate::new(terms(Decimal::new(69, 1), 72)).unwrap();
        assert_eq!(estimate.payment(3_000_000), 51_003);
        assert_eq!(PaymentEstimate::new(terms(Decimal::ZERO, 60)).unwrap().payment(3_000_000), 50_000);
    }

    #[test]
    fn money_down_and_fees_count_and_nothing_overflows() {
        let with = EstimateTerms { down: Cents(200_000), uplift_percent: 8, ..terms(Decimal::ZERO, 10) };
        let estimate = PaymentEstimate::new(with).unwrap();
        assert_eq!(estimate.payment(1_000_000), (1_080_000 - 200_000) / 10);
        assert_eq!(estimate.payment(100_000), 0);
        assert!(estimate.payment(i64::MAX) > 0);
        assert_eq!(estimate.payment(-5), 0);
        assert_eq!(PaymentEstimate::new(terms(Decimal::ONE, 0)), None);
        assert_eq!(PaymentEstimate::new(terms(Decimal::from(101), 12)), None);
        assert!(PaymentEstimate::new(terms(Decimal::ONE_HUNDRED, 120)).is_some());
    }
}
