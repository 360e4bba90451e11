//! What is told about a store. Pure.

use chrono::{Days, NaiveDate};

/// The longest period, in days.
pub const PERIOD_MAX_DAYS: u64 = 366;

/// Days at a store: from the first up to, but without, the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The first day no longer.
    pub until: NaiveDate,
}

impl Period {
    /// A period of 1 to `PERIOD_MAX_DAYS` days.
    pub fn new(from: NaiveDate, until: NaiveDate) -> Option<Self> {
        let longest = from.checked_add_days(Days::new(PERIOD_MAX_DAYS))?;
        (from < until && until <= longest).then_some(Self { from, until })
    }
}

/// How many were measured, and how they spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many.
    pub count: i64,
    /// All together.
    pub total: i64,
    /// The one in the middle.
    pub median: Option<i64>,
    /// The one nine in ten do not exceed.
    pub p90: Option<i64>,
}

/// How often a reason was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// The reason, as its enum spells it.
    pub reason: String,
    /// How often.
    pub count: i64,
    /// Of these, how often something was unsaved on the device that lost the deal.
    pub unsaved: i64,
    /// Of these, how often the holder had said no.
    pub kept: i64,
}

/// How often a deal was lost for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostCount {
    /// The reason, as its enum spells it; none where it was said in words only.
    pub reason: Option<String>,
    /// How often.
    pub count: i64,
}

/// How often a step was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    /// People who were greeted.
    pub greeted: i64,
    /// Deals that were opened: a car was chosen.
    pub opened: i64,
    /// Deals that were presented.
    pub presented: i64,
    /// Deals that were agreed.
    pub agreed: i64,
    /// Deals that were signed.
    pub contracted: i64,
    /// Deals that were lost.
    pub lost: i64,
    /// Deals that were called off.
    pub cancelled: i64,
    /// Deals whose car was handed over.
    pub delivered: i64,
    /// Deliveries that were called off.
    pub unwound: i64,
    /// Cars that were brought back.
    pub returned: i64,
}

/// How a store did in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performance {
    /// How often each step was taken, counted by deal.
    pub steps: Steps,
    /// Seconds from the chosen car to the first yes, of deals agreed in the period.
    pub seconds_to_agreement: Spread,
    /// Seconds from the day's first greeting to that yes, of deals whose customer was greeted that day.
    pub seconds_from_greeting: Spread,
    /// Hand-offs from person to person until that yes.
    pub hand_offs: Spread,
    /// Cars swapped until that yes.
    pub swaps: Spread,
    /// Seconds a question to a manager waited for its answer.
    pub seconds_to_answer: Spread,
    /// Takeovers in the period and why, the most frequent first.
    pub takeovers: Vec<ReasonCount>,
    /// Why deals were lost in the period, the most frequent first.
    pub lost_reasons: Vec<LostCount>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_days_and_an_end() {
        let day = |n| NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(n);
        assert!(Period::new(day(0), day(1)).is_some() && Period::new(day(0), day(PERIOD_MAX_DAYS)).is_some());
        assert!(Period::new(day(0), day(0)).is_none() && Period::new(day(1), day(0)).is_none());
        assert!(Period::new(day(0), day(PERIOD_MAX_DAYS + 1)).is_none());
        assert!(Period::new(NaiveDate::MAX, NaiveDate::MAX).is_none());
    }
}
