//! Why this rate, and the one change that lowers it.

use crate::finance::quote::QuoteInput;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::rate::share;
use super::{AdderSubject, Program, RateAdder};

/// A change that lowers the rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLever {
    /// What to change, in words a salesperson can read aloud.
    pub change: String,
    /// As money, when it is money: more down.
    pub more_down: Option<Cents>,
    /// By how many points the rate falls.
    pub points: Rate,
}

impl Program {
    /// What would lower the rate of a deal: an adder that no longer counts, or a discount that begins to. The largest first.
    pub fn levers(&self, input: &QuoteInput, financed: Cents) -> Vec<RateLever> {
        let mut levers: Vec<RateLever> = self.adders.iter().filter_map(|adder| self.lever(adder, input, financed)).collect();
        levers.sort_by_key(|lever| (std::cmp::Reverse(lever.points), lever.more_down));
        levers
    }

    fn lever(&self, adder: &RateAdder, input: &QuoteInput, financed: Cents) -> Option<RateLever> {
        // The end of the band that a smaller amount or a shorter term passes: out of an adder, or into a discount.
        let bound = if adder.points > Rate::ZERO { adder.above? } else { adder.up_to? };
        let lowered = self.rate_with(input, financed);
        let points = |input: &QuoteInput, financed: Cents| lowered.minus(self.rate_with(input, financed));
        match adder.subject {
            AdderSubject::Term => {
                let months = u16::try_from(bound).ok().filter(|m| *m >= self.term_min_months && *m < input.worksheet.term_months)?;
                let mut shorter = input.clone();
                shorter.worksheet.term_months = months;
                let points = points(&shorter, financed);
                (points > Rate::ZERO).then(|| RateLever { change: format!("A term of {months} months."), more_down: None, points })
            }
            AdderSubject::LoanToValue | AdderSubject::AmountFinanced => {
                let most = if adder.subject == AdderSubject::AmountFinanced {
                    Cents(bound)
                } else {
                    let value = self.collateral(&input.vehicle, input.worksheet.price)?;
                    share(value, Rate(bound.checked_mul(10_000)?))
                };
                let more = financed - most;
                if more <= Cents::ZERO || most < self.min_financed.max(Cents(1)) {
                    return None;
                }
                let points = points(input, most);
                (points > Rate::ZERO).then(|| RateLever { change: format!("{more} more down."), more_down: Some(more), points })
            }
            AdderSubject::VehicleAge | AdderSubject::Odometer | AdderSubject::TradeLines => None,
        }
    }

    /// The rate of a deal, or for a lease the points on it: what a change is measured by.
    fn rate_with(&self, input: &QuoteInput, financed: Cents) -> Rate {
        self.buy_rate_for(input, financed).unwrap_or_else(|| self.added_points(input, financed))
    }
}
