//! Closing in on an amount to the cent.

use crate::kernel::money::Cents;

/// The two amounts a cent apart between which `passes` turns true, between one where it is false and one where it is true; none
/// where it is not true at the end.
pub(super) fn closed_in(mut low: Cents, mut high: Cents, mut passes: impl FnMut(Cents) -> bool) -> Option<(Cents, Cents)> {
    if !passes(high) {
        return None;
    }
    while high - low > Cents(1) {
        let middle = Cents(low.0 + (high.0 - low.0) / 2);
        if passes(middle) { high = middle } else { low = middle }
    }
    Some((low, high))
}
