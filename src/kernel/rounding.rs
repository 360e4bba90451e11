//! Named roundings of whole-number quotients. Every figure that is rounded says here how.

/// `numerator / denominator`, rounded to the nearest whole number, halves away from zero ("half up", as contracts have it).
/// `None` when the denominator is zero.
pub const fn div_half_up(numerator: i128, denominator: i128) -> Option<i128> {
    let (Some(quotient), Some(rest)) = (numerator.checked_div(denominator), numerator.checked_rem(denominator)) else { return None };
    // Twice the rest against the denominator, written so that it cannot overflow.
    let rest = rest.unsigned_abs();
    let away = rest >= denominator.unsigned_abs() - rest;
    if rest == 0 || !away {
        Some(quotient)
    } else if (numerator < 0) == (denominator < 0) {
        quotient.checked_add(1)
    } else {
        quotient.checked_sub(1)
    }
}

/// `numerator / denominator`, rounded down (towards minus infinity). For caps that must not be exceeded.
pub const fn div_floor(numerator: i128, denominator: i128) -> Option<i128> {
    let (Some(quotient), Some(rest)) = (numerator.checked_div(denominator), numerator.checked_rem(denominator)) else { return None };
    if rest != 0 && (rest < 0) != (denominator < 0) { quotient.checked_sub(1) } else { Some(quotient) }
}

/// `numerator / denominator`, rounded up (towards plus infinity). For the smallest amount that clears a limit.
pub const fn div_ceil(numerator: i128, denominator: i128) -> Option<i128> {
    let (Some(quotient), Some(rest)) = (numerator.checked_div(denominator), numerator.checked_rem(denominator)) else { return None };
    if rest != 0 && (rest < 0) == (denominator < 0) { quotient.checked_add(1) } else { Some(quotient) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(div_half_up(5, 2), Some(3));
        assert_eq!(div_half_up(-5, 2), Some(-3));
        assert_eq!(div_half_up(5, -2), Some(-3));
        assert_eq!(div_half_up(4, 3), Some(1));
        assert_eq!(div_half_up(-5, 3), Some(-2));
        assert_eq!(div_half_up(1, 0), None);
        assert_eq!(div_half_up(i128::MIN, -1), None);
        assert_eq!(div_half_up(i128::MAX, i128::MAX), Some(1));
    }

    #[test]
    fn floor_and_ceiling_differ_by_one_unless_exact() {
        for (n, d, floor, ceil) in [(7, 2, 3, 4), (-7, 2, -4, -3), (7, -2, -4, -3), (6, 3, 2, 2), (-6, 3, -2, -2)] {
            assert_eq!((div_floor(n, d), div_ceil(n, d)), (Some(floor), Some(ceil)), "{n}/{d}");
        }
    }
}
