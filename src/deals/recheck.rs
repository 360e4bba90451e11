//! What a swap does to everything that hangs on the car: lender programs, products, insurance, line by line, for reading aloud.

use serde::{Deserialize, Serialize};

use super::menu::with_products;
use super::model::{DealKind, DealProduct, Structure};
use super::pricing::{Case, Desk, FinanceOffer, InsuranceOffer, Unpriced};
use super::store::answers::Answers;
use crate::finance::{Refusal, SolveFor};
use crate::kernel::money::Cents;

crate::text_enum! {
    /// What the customer holds constant while the car changes.
    pub enum HoldConstant {
        /// The money down; the payment follows.
        DownPayment = "DOWN_PAYMENT",
        /// The monthly payment; the money down follows. Not for cash.
        Payment = "PAYMENT",
        /// The total price with taxes and fees; the price of the car follows.
        TotalPrice = "TOTAL_PRICE",
    }
}

crate::text_enum! {
    /// What was looked at again.
    pub enum RecheckSubject {
        /// A lender's program.
        Program = "PROGRAM",
        /// A protection product of the deal.
        Product = "PRODUCT",
        /// An insurer's premium.
        Insurance = "INSURANCE",
        /// A manager's approval, which holds for exact figures.
        Approval = "APPROVAL",
        /// What the store earns on the car. Managers only.
        FrontGross = "FRONT_GROSS",
    }
}

crate::text_enum! {
    /// What came of it.
    pub enum RecheckOutcome {
        /// As before.
        Kept = "KEPT",
        /// Another amount.
        Changed = "CHANGED",
        /// No longer possible; the sentence says why.
        Gone = "GONE",
        /// Possible now, not before.
        New = "NEW",
    }
}

/// One line of what was looked at again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recheck {
    /// What.
    pub subject: RecheckSubject,
    /// Its name.
    pub label: String,
    /// What came of it.
    pub outcome: RecheckOutcome,
    /// The payment, price or monthly premium before.
    pub before: Option<Cents>,
    /// After.
    pub after: Option<Cents>,
    /// For reading aloud.
    pub sentence: String,
}

impl Recheck {
    fn compared(subject: RecheckSubject, label: String, before: Option<Cents>, after: Option<Cents>, why: Option<&str>) -> Self {
        let (outcome, sentence) = match (before, after) {
            (Some(b), Some(a)) if a == b => (RecheckOutcome::Kept, format!("{label}: {a}, as before.")),
            (Some(b), Some(a)) => (RecheckOutcome::Changed, format!("{label}: {a}, before it was {b}.")),
            (None, Some(a)) => (RecheckOutcome::New, format!("{label}: {a}, not possible with the other car.")),
            (_, None) => (
                RecheckOutcome::Gone,
                format!("{label}: no longer possible. {}", why.unwrap_or("It does not fit this car.")).trim_end().to_owned(),
            ),
        };
        Self { subject, label, outcome, before, after, sentence }
    }
}

impl Recheck {
    /// What the store earns on the one car and on the other. None where neither's cost is on file.
    pub(in crate::deals) fn front_gross(before: Option<Cents>, after: Option<Cents>) -> Option<Self> {
        let label = "Front gross".to_owned();
        let (outcome, sentence) = match (before, after) {
            (None, None) => return None,
            (Some(b), Some(a)) if a == b => (RecheckOutcome::Kept, format!("{label}: {a}, as before.")),
            (Some(b), Some(a)) => (RecheckOutcome::Changed, format!("{label}: {a}, before it was {b}.")),
            (None, Some(a)) => (RecheckOutcome::New, format!("{label}: {a}; what the other car cost is not on file.")),
            (Some(b), None) => (RecheckOutcome::Gone, format!("{label}: not known, what this car cost is not on file; before it was {b}.")),
        };
        Some(Self { subject: RecheckSubject::FrontGross, label, outcome, before, after, sentence })
    }

    /// A rule a manager is asked about: whether the deal went beyond it before, and in a sentence what is beyond it now.
    pub(in crate::deals) fn approval(rule: &str, before: bool, now: Option<&str>) -> Self {
        let (outcome, sentence) = match (before, now) {
            (true, Some(now)) => (RecheckOutcome::Changed, format!("{now} A manager's yes holds for exact figures: ask again.")),
            (false, Some(now)) => (RecheckOutcome::New, format!("{now} A manager must say yes before the customer agrees.")),
            (_, None) => (RecheckOutcome::Gone, "No manager needs to be asked about this any more.".to_owned()),
        };
        Self { subject: RecheckSubject::Approval, label: rule.to_owned(), outcome, before: None, after: None, sentence }
    }
}

/// Most steps towards a total price. Each comes nearer; a few are enough.
const STEPS: usize = 24;

impl Desk {
    /// The structure with the customer's constant kept. In a sentence why it can't be kept.
    pub fn keeping(
        &self,
        case: &Case<'_>,
        constant: HoldConstant,
        payment: Option<Cents>,
        total: Option<Cents>,
    ) -> Result<Structure, Unpriced> {
        let mut structure = case.structure.clone();
        match constant {
            HoldConstant::DownPayment => {}
            HoldConstant::Payment => {
                let target = payment.filter(|_| structure.terms.kind != DealKind::Cash);
                let target = target.ok_or_else(|| Unpriced::Engine("there is no payment to keep".into()))?;
                let solution = self.solve(case, &super::pricing::WhatIf::default(), SolveFor::DownPayment, target)?;
                structure.terms.down_payment = solution.found.cash_down;
            }
            HoldConstant::TotalPrice => {
                let target = total.ok_or_else(|| Unpriced::Engine("there is no total price to keep".into()))?;
                structure.terms.price = self.price_for_total(case, target)?;
            }
        }
        Ok(structure)
    }

    /// The price whose total, with taxes and fees, is the target, or comes nearest to it. The total never falls as the price rises.
    fn price_for_total(&self, case: &Case<'_>, target: Cents) -> Result<Cents, Unpriced> {
        let mut structure = case.structure.clone();
        let mut nearest: Option<(Cents, Cents)> = None;
        let mut tried = Vec::new();
        for _ in 0..STEPS {
            let price = structure.terms.price;
            if tried.contains(&price) {
                break;
            }
            tried.push(price);
            let total = self.figures(&Case { structure: &structure, ..*case })?.total_price;
            let gap = target - total;
            let distance = Cents(gap.0.saturating_abs());
            if nearest.is_none_or(|(best, _)| distance < best) {
                nearest = Some((distance, price));
            }
            if gap == Cents::ZERO {
                break;
            }
            // Taxes are about in proportion to the price.
            let share = i128::from(gap.0).saturating_mul(i128::from(price.0)).checked_div(i128::from(total.0.max(1))).unwrap_or(0);
            let step = i64::try_from(share).unwrap_or(0);
            structure.terms.price = (price + Cents(if step == 0 { gap.0.signum() } else { step })).at_least_zero();
        }
        nearest.map(|(_, price)| price).ok_or_else(|| Unpriced::Engine("the total price can't be kept".into()))
    }

    /// The products that this car can have, and what became of each.
    pub fn products_on(&self, before: &Case<'_>, after: &Case<'_>) -> (Vec<DealProduct>, Vec<Recheck>) {
        let (mut kept, mut lines) = (Vec::new(), Vec::new());
        let name = |product: &DealProduct| self.book().product(product.product_id).map_or_else(|| "Product".to_owned(), |p| p.name.clone());
        for product in &after.structure.products {
            let alone = with_products(after.structure, vec![*product]);
            let refusal = self.product_refusal(&Case { structure: &alone, ..*after });
            let was = before.structure.products.iter().find(|p| p.product_id == product.product_id).map(|p| p.price);
            let after = refusal.is_none().then_some(product.price);
            lines.push(Recheck::compared(RecheckSubject::Product, name(product), was, after, refusal.as_deref()));
            if refusal.is_none() {
                kept.push(*product);
            }
        }
        (kept, lines)
    }

    /// What lenders and insurers say to the car before and to the car after.
    pub(in crate::deals) fn recheck(&self, before: &Case<'_>, after: &Case<'_>, said: &Answers) -> Vec<Recheck> {
        let mut lines = self.programs(before, after);
        let (old, new) = (self.insurance_offers(before, said), self.insurance_offers(after, said));
        let premium = |offers: &[InsuranceOffer], id| offers.iter().find(|offer| offer.insurer_id == id).map(|offer| offer.monthly_premium);
        let mut insurers: Vec<_> = old.iter().chain(&new).map(|offer| offer.insurer_id).collect();
        insurers.sort_unstable();
        insurers.dedup();
        for id in insurers {
            let name = self.book().insurance().insurer(id).map_or_else(|| "Insurer".to_owned(), |insurer| insurer.name.clone());
            lines.push(Recheck::compared(RecheckSubject::Insurance, name, premium(&old, id), premium(&new, id), None));
        }
        lines
    }

    fn programs(&self, before: &Case<'_>, after: &Case<'_>) -> Vec<Recheck> {
        if after.structure.terms.kind == DealKind::Cash {
            return Vec::new();
        }
        let (old, _) = self.finance_offers(before).unwrap_or_default();
        let (new, declined) = self.finance_offers(after).unwrap_or_default();
        let payment = |offers: &[FinanceOffer], id| offers.iter().find(|offer| offer.program_id == id).map(|offer| offer.payment);
        let mut programs: Vec<_> = old.iter().chain(&new).map(|offer| offer.program_id).collect();
        programs.sort_unstable();
        programs.dedup();
        let book = self.book();
        let line = |id| {
            let name = book.program(id).map_or_else(|| "Program".to_owned(), |program| format!("{} {}", program.lender_name, program.name));
            let why = declined.iter().find(|d| d.program_id == id).and_then(|d| d.refusals.first()).map(Refusal::discreet);
            Recheck::compared(RecheckSubject::Program, name, payment(&old, id), payment(&new, id), why.as_deref())
        };
        programs.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_what_came_of_it() {
        let line = |before: Option<i64>, after: Option<i64>| {
            Recheck::compared(RecheckSubject::Program, "ALPHA".into(), before.map(Cents), after.map(Cents), Some("The car is too old."))
        };
        let said = |before, after| (line(before, after).outcome, line(before, after).sentence);
        assert_eq!(said(Some(500_00), Some(500_00)), (RecheckOutcome::Kept, "ALPHA: 500.00, as before.".into()));
        assert_eq!(said(Some(500_00), Some(510_00)), (RecheckOutcome::Changed, "ALPHA: 510.00, before it was 500.00.".into()));
        assert_eq!(said(None, Some(510_00)), (RecheckOutcome::New, "ALPHA: 510.00, not possible with the other car.".into()));
        assert_eq!(said(Some(500_00), None), (RecheckOutcome::Gone, "ALPHA: no longer possible. The car is too old.".into()));
    }
}
