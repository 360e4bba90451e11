//! What a program charges for a deal: its rate with adders, the room for a markup, the dealer's reserve.

use crate::finance::error::FinanceError;
use crate::finance::quote::{QuoteInput, RateStory};
use crate::finance::retail::{RetailTerms, present_value};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;
use crate::kernel::rounding::{div_ceil, div_floor};

use super::refusal::monthly_equivalent;
use super::{AdderSubject, CollateralBasis, Program, RateAdder, VehicleFacts};

/// A share of something, rounded up to a millionth of a point: a ratio that is over a limit never looks as if it were not.
/// A thousand percent stands for that and more.
pub(super) fn ratio(part: Cents, whole: Cents) -> Option<Rate> {
    if whole <= Cents::ZERO {
        return None;
    }
    let scaled = div_ceil(i128::from(part.0).checked_mul(Rate::WHOLE)?, i128::from(whole.0))?;
    Some(i64::try_from(scaled).map_or(Rate::LIMIT, Rate).min(Rate::LIMIT))
}

/// The most that is within a share of something, rounded down to the cent.
pub(super) fn share(of: Cents, percent: Rate) -> Cents {
    let most = i128::from(of.0).checked_mul(i128::from(percent.0)).and_then(|n| div_floor(n, Rate::WHOLE));
    most.and_then(|n| i64::try_from(n).ok()).map_or(Cents::ZERO, Cents)
}

/// The least of which a share is so much, rounded up to the cent: the other way round.
pub(super) fn worth(part: Cents, percent: Rate) -> Option<Cents> {
    let least = i128::from(part.0).checked_mul(Rate::WHOLE).and_then(|n| div_ceil(n, i128::from(percent.0)))?;
    i64::try_from(least).ok().map(Cents)
}

impl RateAdder {
    fn counts(&self, value: i64) -> bool {
        self.above.is_none_or(|above| value > above) && self.up_to.is_none_or(|up_to| value <= up_to)
    }
}

impl Program {
    /// The collateral's value by the lender's basis.
    pub(super) fn collateral(&self, vehicle: &VehicleFacts, price: Cents) -> Option<Cents> {
        match self.collateral_basis {
            CollateralBasis::Price => Some(price),
            CollateralBasis::Msrp => vehicle.msrp,
            CollateralBasis::Invoice => vehicle.invoice,
            CollateralBasis::BookWholesale => vehicle.book_wholesale,
            CollateralBasis::BookRetail => vehicle.book_retail,
        }
    }

    fn adders_for<'p>(&'p self, input: &QuoteInput, financed: Cents) -> impl Iterator<Item = &'p RateAdder> {
        let collateral = self.collateral(&input.vehicle, input.worksheet.price);
        let (term, age) = (i64::from(input.worksheet.term_months), i64::from(input.vehicle.age(input.contract_date)));
        let odometer = input.vehicle.odometer_miles.map(i64::from);
        let trade_lines = input.worksheet.credit.and_then(|credit| credit.trade_lines).map(i64::from);
        self.adders.iter().filter(move |adder| {
            let value = match adder.subject {
                AdderSubject::Term => Some(term),
                // Hundredths of a percent, rounded up.
                AdderSubject::LoanToValue => collateral
                    .and_then(|value| ratio(financed, value))
                    .and_then(|r| div_ceil(i128::from(r.0), 10_000))
                    .and_then(|n| i64::try_from(n).ok()),
                AdderSubject::AmountFinanced => Some(financed.0),
                AdderSubject::VehicleAge => Some(age),
                AdderSubject::Odometer => odometer,
                AdderSubject::TradeLines => trade_lines,
            };
            value.is_some_and(|value| adder.counts(value))
        })
    }

    /// All points a deal adds.
    pub(in crate::finance) fn added_points(&self, input: &QuoteInput, financed: Cents) -> Rate {
        if self.adders.is_empty() {
            return Rate::ZERO;
        }
        self.adders_for(input, financed).fold(Rate::ZERO, |sum, adder| sum.plus(adder.points))
    }

    /// The lender's rate for a deal; never below zero. None for a lease.
    pub(in crate::finance) fn buy_rate_for(&self, input: &QuoteInput, financed: Cents) -> Option<Rate> {
        let rate = self.buy_rate?.plus(self.added_points(input, financed));
        Some(rate.max(Rate::ZERO))
    }

    /// Most points the dealer may add: the row's own limit and the tightest that holds for the state and the term.
    pub fn markup_cap(&self, state: &str, term_months: u16) -> Rate {
        if self.subvented {
            return Rate::ZERO;
        }
        let here = self.markup_caps.iter().filter(|c| c.states.is_empty() || c.states.iter().any(|s| s == state));
        let tightest = here.filter(|c| term_months > c.above_months).map(|c| c.points).min();
        tightest.map_or(self.max_markup, |cap| cap.min(self.max_markup))
    }

    /// Most points the dealer may add to a deal: the lender's limit, and the tightest of the law's for the term.
    pub(super) fn most_markup(&self, input: &QuoteInput) -> Rate {
        let (term, cap) = (input.worksheet.term_months, self.markup_cap(&input.state, input.worksheet.term_months));
        let law = input.markup_laws.iter().filter(|law| term > law.above_months).map(|law| law.points).min();
        law.map_or(cap, |law| law.min(cap))
    }

    /// The dealer's reserve: the flat amount, a share of the amount financed, and the dealer's split of what the markup is
    /// worth today at the buy rate; at most the lender's limit.
    pub(in crate::finance) fn reserve(&self, terms: &RetailTerms, buy: Rate, payment: Cents) -> Result<Cents, FinanceError> {
        let of_amount = self.flat_reserve_percent.of(terms.amount_financed).ok_or(FinanceError::Overflow)?;
        let mut reserve = self.flat_reserve + of_amount;
        if terms.rate > buy {
            let sold = present_value(payment, buy, terms.schedule.per_year(), terms.payment_count())?;
            // A balloon is worth the same to both: only the level payments carry the markup. What they repay at the customer's
            // rate is what they are worth there.
            let lent = present_value(payment, terms.rate, terms.schedule.per_year(), terms.payment_count())?;
            let plain = terms.balloon == Cents::ZERO;
            let spread = if plain { sold - (terms.amount_financed + terms.prepaid_finance_charge) } else { sold - lent };
            reserve += self.reserve_split.of(spread.at_least_zero()).ok_or(FinanceError::Overflow)?;
        }
        Ok(self.max_reserve.map_or(reserve, |most| reserve.min(most)))
    }

    /// How the rate came about, with the ratios a lender looks at.
    pub(in crate::finance) fn rate_story(&self, input: &QuoteInput, financed: Cents, payment: Cents) -> RateStory {
        let w = &input.worksheet;
        let collateral = self.collateral(&input.vehicle, w.price);
        let monthly = monthly_equivalent(input, payment);
        let of_value = |amount: Cents| collateral.and_then(|value| ratio(amount, value));
        let (purse, score) = (self.purse(w), self.score(w));
        RateStory {
            tier: self.credit_tier.clone(),
            base_rate: self.buy_rate,
            adders: self.adders_for(input, financed).map(|a| (a.label.clone(), a.points)).collect(),
            markup: w.markup,
            collateral,
            front_ltv: of_value((financed - w.backend()).at_least_zero()),
            total_ltv: of_value(financed),
            payment_to_income: purse.and_then(|p| ratio(monthly, p.gross_income)),
            debt_to_income: purse.and_then(|p| ratio(p.debts + monthly, p.gross_income)),
            score: score.map(|(score, _)| score),
            joint_score: score.and_then(|(_, how)| how),
            trade_lines: w.credit.and_then(|credit| credit.trade_lines),
            joint_income: purse.is_some() && self.counts_both(w),
        }
    }
}
