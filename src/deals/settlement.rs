//! What a customer gets back with a car they return: what they paid, less what the law lets the store keep. Pure.
//!
//! The law's terms and what was paid are copied when the car is handed over ([`ReturnRight`]), so that a later change of a rule does
//! not change what a customer was told.

use chrono::{DateTime, Utc};

use super::delivery::ReturnRight;
use crate::kernel::money::Cents;

/// What the store keeps of a return.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReturnCharges {
    /// For taking the car back.
    pub restocking: Cents,
    /// For the miles driven.
    pub mileage: Cents,
}

/// A car that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarReturned {
    /// When.
    pub at: DateTime<Utc>,
    /// What the odometer showed.
    pub odometer_miles: i32,
    /// What the store kept.
    pub charges: ReturnCharges,
}

crate::text_enum! {
    /// A line of the settlement of a return.
    pub enum ReturnLineCode {
        /// What the customer had paid when the deal was signed.
        PaidAtSigning = "PAID_AT_SIGNING",
        /// What the store keeps for taking the car back.
        RestockingFee = "RESTOCKING_FEE",
        /// What the store keeps for the miles driven.
        MileageFee = "MILEAGE_FEE",
    }
}

/// A line of the settlement of a return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnLine {
    /// What it is.
    pub code: ReturnLineCode,
    /// In words a customer understands.
    pub label: String,
    /// What the customer gets; negative for what the store keeps.
    pub amount: Cents,
    /// False while no person has checked the rule behind it.
    pub verified: bool,
}

/// What a customer gets back with a car.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The line by line.
    pub lines: Vec<ReturnLine>,
    /// What the customer gets back.
    pub refund: Cents,
    /// What the customer still pays, where the fees are more than what was paid.
    pub due: Cents,
}

impl ReturnRight {
    /// What the store keeps of a car that was driven so far.
    pub fn charges(&self, driven: i32) -> ReturnCharges {
        ReturnCharges {
            restocking: self.fees.restocking.map(|fee| fee.on(self.price)).unwrap_or_default(),
            mileage: self.fees.mileage.map(|fee| fee.on(driven)).unwrap_or_default(),
        }
    }

    /// What the customer gets back for a car that was driven so far, with these charges. The trade-in itself goes back beside it.
    pub fn settle(&self, driven: i32, charges: ReturnCharges) -> Settlement {
        let paid = ReturnLine {
            code: ReturnLineCode::PaidAtSigning,
            label: "What you paid when you signed".into(),
            amount: self.paid,
            verified: true,
        };
        let kept = |code, label, amount: Cents, verified| ReturnLine { code, label, amount: -amount, verified };
        let restocking =
            self.restocking_words().map(|label| kept(ReturnLineCode::RestockingFee, label, charges.restocking, self.until.verified));
        let mileage = self.fees.mileage.filter(|_| charges.mileage > Cents::ZERO).map(|fee| {
            let words = format!("For {driven} miles driven: {} for each mile beyond {}", fee.per_mile, fee.free_miles);
            let most = fee.max.map(|most| format!(", at most {most}")).unwrap_or_default();
            kept(ReturnLineCode::MileageFee, words + &most, charges.mileage, self.until.verified && fee.verified)
        });
        let lines: Vec<ReturnLine> = [Some(paid), restocking, mileage].into_iter().flatten().collect();
        let left: Cents = lines.iter().map(|line| line.amount).sum();
        Settlement { lines, refund: left.at_least_zero(), due: (-left).at_least_zero() }
    }

    fn restocking_words(&self) -> Option<String> {
        let fee = self.fees.restocking?;
        let (share, price) = (fee.share(self.price), self.price);
        let of = format!("Fee for taking the car back: {} % of its price of {price}", fee.percent.normalize());
        Some(match (fee.min, fee.max) {
            (_, Some(most)) if share > most => format!("{of}, at most {most}"),
            (Some(least), _) if share < least => format!("{of}, at least {least}"),
            _ => of,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use rust_decimal::Decimal;

    use super::*;
    use crate::deals::delivery::LastDay;
    use crate::finance::{MileageFee, RestockingFee, ReturnFees};

    fn right(price: Cents, paid: Cents) -> ReturnRight {
        ReturnRight {
            until: LastDay { day: NaiveDate::MIN, source: "test".into(), verified: true },
            max_miles: Some(400),
            price,
            paid,
            fees: ReturnFees {
                restocking: Some(RestockingFee { percent: Decimal::new(15, 1), min: Some(Cents(200_00)), max: Some(Cents(600_00)) }),
                mileage: Some(MileageFee { per_mile: Cents(1_00), free_miles: 250, max: Some(Cents(150_00)), verified: false }),
            },
        }
    }

    fn settled(right: &ReturnRight, driven: i32) -> (Vec<(String, i64, bool)>, i64, i64) {
        let settlement = right.settle(driven, right.charges(driven));
        let lines = settlement.lines.into_iter().map(|line| (line.label, line.amount.0, line.verified)).collect();
        (lines, settlement.refund.0, settlement.due.0)
    }

    #[test]
    fn a_customer_reads_what_was_paid_what_is_kept_and_what_comes_back() {
        let paid = || ("What you paid when you signed".to_owned(), 5_000_00, true);
        let fee = |words: &str, amount: i64| (format!("Fee for taking the car back: 1.5 % of its price of {words}"), amount, true);
        assert_eq!(settled(&right(Cents(30_000_00), Cents(5_000_00)), 250), (vec![paid(), fee("30000.00", -450_00)], 4_550_00, 0));
        assert_eq!(
            settled(&right(Cents(9_000_00), Cents(5_000_00)), 0),
            (vec![paid(), fee("9000.00, at least 200.00", -200_00)], 4_800_00, 0)
        );
        let miles = ("For 320 miles driven: 1.00 for each mile beyond 250, at most 150.00".to_owned(), -70_00, false);
        assert_eq!(
            settled(&right(Cents(45_000_00), Cents(5_000_00)), 320),
            (vec![paid(), fee("45000.00, at most 600.00", -600_00), miles], 4_330_00, 0)
        );
    }

    #[test]
    fn fees_above_what_was_paid_are_due_and_a_law_without_fees_gives_everything_back() {
        let (lines, refund, due) = settled(&right(Cents(30_000_00), Cents(100_00)), 0);
        assert_eq!((lines.len(), refund, due), (2, 0, 350_00));
        let free = ReturnRight { fees: ReturnFees::default(), ..right(Cents(30_000_00), Cents(100_00)) };
        let (lines, refund, due) = settled(&free, 400);
        assert_eq!((lines.len(), refund, due), (1, 100_00, 0));
    }

    #[test]
    fn a_row_nobody_checked_marks_its_lines() {
        let mut right = right(Cents(30_000_00), Cents(1_000_00));
        right.until.verified = false;
        if let Some(fee) = &mut right.fees.mileage {
            fee.verified = true;
        }
        let verified: Vec<bool> = right.settle(300, right.charges(300)).lines.iter().map(|line| line.verified).collect();
        assert_eq!(verified, [true, false, false]);
    }
}
