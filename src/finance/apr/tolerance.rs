//! How far a disclosed rate or finance charge may lie from the exact one.

use super::Flow;
use super::period::unit_period;
use crate::finance::error::FinanceError;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

/// Whether a disclosed rate is within the tolerance of 12 CFR 1026.22(a): 1/8 point, or 1/4 point when there are several
/// advances or irregular amounts or periods. An odd first period, first payment or last payment is still regular.
pub const fn within_tolerance(disclosed: Rate, exact: Rate, irregular: bool) -> bool {
    let allowed = if irregular { 250_000 } else { 125_000 };
    disclosed.0.abs_diff(exact.0) <= allowed
}

/// Whether the law calls a transaction irregular (1026.22(a)(3), footnote): several advances, irregular payment periods, or
/// irregular payment amounts, other than an odd first period, first payment or last payment.
pub fn is_irregular(advances: &[Flow], payments: &[Flow]) -> Result<bool, FinanceError> {
    if advances.len() > 1 {
        return Ok(true);
    }
    if payments.len() < 3 {
        return Ok(false);
    }
    let unit = unit_period(advances, payments)?;
    let day = super::period::day_of_series(unit, payments);
    let inner = payments.get(1..payments.len().saturating_sub(1)).unwrap_or_default();
    if inner.windows(2).any(|pair| matches!(pair, [a, b] if a.amount != b.amount)) {
        return Ok(true);
    }
    for pair in payments.windows(2) {
        let [from, to] = pair else { continue };
        let apart = super::offset(unit, from.date, to.date, day(to.date))?;
        if (apart.full, apart.num) != (1, 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a disclosed finance charge is within the tolerance of 1026.18(d)(2): 5 dollars where at most 1,000 are financed,
/// else 10.
pub const fn finance_charge_within_tolerance(disclosed: Cents, exact: Cents, amount_financed: Cents) -> bool {
    let allowed = if amount_financed.0 <= 1_000_00 { 5_00 } else { 10_00 };
    disclosed.0.abs_diff(exact.0) <= allowed
}
