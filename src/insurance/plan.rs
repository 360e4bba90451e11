//! How a premium can be paid.

use super::model::PayPlan;
use crate::kernel::money::Cents;

/// A premium by a pay plan. The first payment, the further ones and nothing else make up the total, to the cent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PayPlanQuote {
    /// The plan's code.
    pub code: String,
    /// What the customer reads.
    pub name: String,
    /// How many payments.
    pub payments: u16,
    /// Due with the first day of cover; it takes the cents that do not divide.
    pub first_payment: Cents,
    /// Each further payment, with its fee; zero when there is none.
    pub further_payment: Cents,
    /// All fees within.
    pub fees: Cents,
    /// What was taken off the premium.
    pub discount: Cents,
    /// Everything paid.
    pub total: Cents,
}

impl PayPlanQuote {
    /// None when a figure does not fit.
    pub fn of(plan: &PayPlan, premium: Cents) -> Option<Self> {
        let discount = plan.discount.of(premium)?;
        let due = premium - discount;
        let further = i64::from(plan.payments.max(1)) - 1;
        let first = if further == 0 { due } else { plan.first.of(due)?.min(due) };
        let rest = due - first;
        // Rounded down: what does not divide goes into the first payment.
        let each = Cents(rest.0.checked_div(further).unwrap_or(0));
        let first_payment = due - Cents(each.0.checked_mul(further)?);
        let fees = Cents(plan.fee.0.checked_mul(further)?);
        Some(Self {
            code: plan.code.clone(),
            name: plan.name.clone(),
            payments: plan.payments.max(1),
            first_payment,
            further_payment: if further == 0 { Cents::ZERO } else { each + plan.fee },
            fees,
            discount,
            total: due + fees,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(payments: u16, first: &str, fee: i64, discount: &str) -> PayPlan {
        PayPlan {
            id: uuid::Uuid::nil(),
            code: "P".into(),
            name: "Plan".into(),
            payments,
            first: first.parse().unwrap(),
            fee: Cents(fee),
            discount: discount.parse().unwrap(),
            effective_from: None,
            effective_to: None,
        }
    }

    /// A quarter of 1,000.01 down, the rest in three; the first payment takes the cent that does not divide.
    #[test]
    fn payments_make_up_the_premium_with_its_fees() {
        let quote = PayPlanQuote::of(&plan(4, "25", 5_00, "0"), Cents(1_000_01)).unwrap();
        assert_eq!((quote.first_payment, quote.further_payment), (Cents(250_01), Cents(255_00)));
        assert_eq!((quote.fees, quote.total, quote.payments), (Cents(15_00), Cents(1_015_01), 4));
        assert_eq!(quote.first_payment + Cents(3 * quote.further_payment.0), quote.total);
    }

    #[test]
    fn all_at_once_earns_its_discount_and_has_no_fee() {
        let quote = PayPlanQuote::of(&plan(1, "10", 5_00, "4"), Cents(500_00)).unwrap();
        assert_eq!((quote.first_payment, quote.further_payment, quote.fees), (Cents(480_00), Cents::ZERO, Cents::ZERO));
        assert_eq!((quote.discount, quote.total), (Cents(20_00), Cents(480_00)));
    }
}
