//! Trade-ins, as far as money goes.

use chrono::NaiveDate;

use crate::kernel::money::Cents;

/// A trade-in, as far as money goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TradeIn {
    /// What the dealer gives for it.
    pub allowance: Cents,
    /// What the customer still owes on it, until `payoff_good_through`.
    pub payoff: Cents,
    /// The last day the payoff figure stands.
    pub payoff_good_through: Option<NaiveDate>,
    /// Interest the lender adds to the payoff for each later day.
    pub payoff_per_diem: Cents,
    /// What it is worth to the store (managers only).
    pub actual_cash_value: Option<Cents>,
}

impl TradeIn {
    /// What is owed on a day: after the day the figure stands, a day's interest for every day.
    pub fn payoff_on(&self, day: NaiveDate) -> Cents {
        let late = self.payoff_good_through.map_or(0, |good| day.signed_duration_since(good).num_days()).max(0);
        self.payoff + Cents(self.payoff_per_diem.0.saturating_mul(late))
    }

    /// The trade-in as it stands on a day: its payoff brought forward.
    #[must_use]
    pub fn settled(self, day: NaiveDate) -> Self {
        Self { payoff: self.payoff_on(day), payoff_good_through: None, payoff_per_diem: Cents::ZERO, ..self }
    }

    /// What the store allows beyond the car's worth to it; lowers the store's gross.
    pub fn over_allowance(&self) -> Option<Cents> {
        self.actual_cash_value.map(|worth| self.allowance - worth)
    }
}

/// What the customer owes on trade-ins beyond what they are worth, all together (zero when there is equity).
pub fn negative_equity(trade_ins: &[TradeIn]) -> Cents {
    let payoff: Cents = trade_ins.iter().map(|t| t.payoff).sum();
    let allowance: Cents = trade_ins.iter().map(|t| t.allowance).sum();
    (payoff - allowance).at_least_zero()
}
