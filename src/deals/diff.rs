//! What differs between two structures and their figures, line by line: shown after a swap and beside a scenario.

use super::model::{Figures, Structure, Terms};
use crate::finance::LinePlacement;
use crate::kernel::money::Cents;

/// A figure before and after.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Difference {
    /// Stable code: `PRICE`, `TAX_STATE`, `AMOUNT_FINANCED`, `PAYMENT`.
    pub code: String,
    /// In words.
    pub label: String,
    /// Before; none where the line did not exist.
    pub before: Option<Cents>,
    /// After; none where the line is gone.
    pub after: Option<Cents>,
    /// When the line is paid; none for a sum.
    pub placement: Option<LinePlacement>,
}

impl Difference {
    /// After less before.
    pub fn change(&self) -> Cents {
        self.after.unwrap_or_default() - self.before.unwrap_or_default()
    }
}

/// Every line of both sides in the order of the new one, then lines that are gone. The changes of the financed lines sum to
/// the change of the amount financed.
pub fn lines(before: &Figures, after: &Figures) -> Vec<Difference> {
    let mut out: Vec<Difference> = Vec::with_capacity(after.lines.len().saturating_add(before.lines.len()));
    let mut used = vec![false; before.lines.len()];
    for line in &after.lines {
        let mut old = None;
        for (candidate, used) in before.lines.iter().zip(used.iter_mut()) {
            if !*used && candidate.code == line.code && candidate.placement == line.placement {
                *used = true;
                old = Some(candidate.amount);
                break;
            }
        }
        out.push(Difference {
            code: line.code.clone(),
            label: line.label.clone(),
            before: old,
            after: Some(line.amount),
            placement: Some(line.placement),
        });
    }
    for (line, used) in before.lines.iter().zip(used) {
        if !used {
            out.push(Difference {
                code: line.code.clone(),
                label: line.label.clone(),
                before: Some(line.amount),
                after: None,
                placement: Some(line.placement),
            });
        }
    }
    out
}

/// The sums: taxes, fees, total price, amount financed, payment.
pub fn totals(before: &Figures, after: &Figures) -> Vec<Difference> {
    let total = |code: &str, label: &str, before: Option<Cents>, after: Option<Cents>| Difference {
        code: code.into(),
        label: label.into(),
        before,
        after,
        placement: None,
    };
    let mut out = vec![
        total("TAX", "Taxes", Some(before.tax), Some(after.tax)),
        total("FEES", "Fees", Some(before.fees), Some(after.fees)),
        total("TOTAL_PRICE", "Total price", Some(before.total_price), Some(after.total_price)),
        total("AMOUNT_FINANCED", "Amount financed", Some(before.amount_financed), Some(after.amount_financed)),
    ];
    if before.payment.is_some() || after.payment.is_some() {
        out.push(total("PAYMENT", "Payment", before.payment, after.payment));
    }
    out
}

/// A part of the structure that changed, as texts for the audit trail.
pub fn structure(before: &Structure, after: &Structure) -> Vec<(&'static str, String, String)> {
    let (b, a) = (&before.terms, &after.terms);
    let shown = |value: Option<i32>| value.map_or_else(String::new, |v| v.to_string());
    let all = [
        ("kind", b.kind.to_string(), a.kind.to_string()),
        ("price", b.price.to_string(), a.price.to_string()),
        ("downPayment", b.down_payment.to_string(), a.down_payment.to_string()),
        ("manufacturerRebate", b.manufacturer_rebate.to_string(), a.manufacturer_rebate.to_string()),
        ("dealerRebate", b.dealer_rebate.to_string(), a.dealer_rebate.to_string()),
        ("termMonths", shown(b.term_months), shown(a.term_months)),
        ("annualMiles", shown(b.annual_miles), shown(a.annual_miles)),
        ("creditTier", b.credit_tier.clone(), a.credit_tier.clone()),
        ("buyerJurisdiction", b.buyer_jurisdiction.clone(), a.buyer_jurisdiction.clone()),
        ("firstPaymentDays", b.first_payment_days.to_string(), a.first_payment_days.to_string()),
        ("tradeIns", trades(before), trades(after)),
        ("feeWaivers", waivers(before), waivers(after)),
        ("products", before.products_total().to_string(), after.products_total().to_string()),
    ];
    let plans = b.plan.shown().into_iter().zip(a.plan.shown()).map(|((part, before), (_, after))| (part, before, after));
    let mut changed: Vec<_> = all.into_iter().chain(plans).filter(|(_, before, after)| before != after).collect();
    if b.plan.purse != a.plan.purse {
        // Incomes are nobody's business in an audit trail.
        let known = |terms: &Terms| if terms.plan.purse.is_some() { "known".to_owned() } else { String::new() };
        changed.push(("incomeAndDebts", known(b), known(a)));
    }
    if b.plan.credit != a.plan.credit {
        let known = |terms: &Terms| if terms.plan.credit.is_some() { "known".to_owned() } else { String::new() };
        changed.push(("creditAndCoSigner", known(b), known(a)));
    }
    if b.plan.markup_basis_points != a.plan.markup_basis_points {
        // Nor is the store's part of the rate anybody's who reads the deal's history.
        let set = |terms: &Terms| if terms.plan.markup_basis_points > 0 { "set".to_owned() } else { String::new() };
        changed.push(("markup", set(b), set(a)));
    }
    changed
}

fn waivers(structure: &Structure) -> String {
    let each = structure.terms.fee_waivers.iter().map(|waiver| format!("{} {}", waiver.code, waiver.amount));
    each.collect::<Vec<_>>().join("; ")
}

fn trades(structure: &Structure) -> String {
    let each = structure.trade_ins.iter().map(|t| format!("{} allowed, {} owed", t.allowance, t.payoff));
    each.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::{structure as example, trade};
    use super::super::model::{FigureLine, StructureChange};
    use super::*;
    use crate::finance::QuoteLineKind;

    fn figures(lines: &[(&str, i64)]) -> Figures {
        Figures {
            tax: Cents::ZERO,
            fees: Cents::ZERO,
            total_price: Cents::ZERO,
            amount_financed: lines.iter().map(|(_, amount)| Cents(*amount)).sum(),
            payment: None,
            payment_is_estimate: true,
            verified: true,
            lines: lines
                .iter()
                .map(|(code, amount)| FigureLine {
                    kind: QuoteLineKind::Fee,
                    code: (*code).into(),
                    label: (*code).into(),
                    amount: Cents(*amount),
                    placement: LinePlacement::Financed,
                    rule_id: None,
                    unverified_source: None,
                })
                .collect(),
        }
    }

    #[test]
    fn line_changes_sum_to_the_change_of_the_amount_financed() {
        let before = figures(&[("PRICE", 30_000_00), ("TAX", 1_875_00), ("GAP", 700_00), ("DOWN", -2_000_00)]);
        let after = figures(&[("PRICE", 28_500_00), ("TAX", 1_781_25), ("DOWN", -2_000_00), ("PLATE", 50_00)]);
        let lines = lines(&before, &after);
        let sum: Cents = lines.iter().map(Difference::change).sum();
        assert_eq!(sum, after.amount_financed - before.amount_financed);
        let gone = lines.iter().find(|line| line.code == "GAP").unwrap();
        assert_eq!((gone.before, gone.after, gone.change()), (Some(Cents(700_00)), None, Cents(-700_00)));
    }

    #[test]
    fn only_changed_parts_are_named() {
        let before = example();
        let change = StructureChange { term_months: Some(72), trade_ins: Some(vec![trade(10_000_00, 4_000_00)]), ..Default::default() };
        let after = before.changed(change).unwrap();
        let parts = structure(&before, &after);
        assert_eq!(
            parts,
            vec![
                ("termMonths", "60".to_owned(), "72".to_owned()),
                ("tradeIns", String::new(), "10000.00 allowed, 4000.00 owed".to_owned()),
            ]
        );
    }
}
