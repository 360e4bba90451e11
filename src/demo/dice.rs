//! A small seeded generator of pseudo-random numbers (SplitMix64), so that the demo is the same everywhere. Not for secrets.

/// A sequence of numbers that its seed decides.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// A sequence for one purpose: the same name and number give the same sequence.
    pub fn new(purpose: &str, number: u64) -> Self {
        // FNV-1a, so that purposes do not share a sequence.
        let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(hash ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included. `low` when the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.saturating_sub(low).saturating_add(1);
        let Ok(width) = u64::try_from(width) else { return low };
        let roll = self.next().checked_rem(width).unwrap_or(0);
        low.saturating_add(i64::try_from(roll).unwrap_or(0))
    }

    /// True in `percent` of 100 rolls.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of the items; `None` only when there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(items.len()).ok()?.checked_sub(1)?;
        items.get(usize::try_from(self.between(0, last)).ok()?)
    }

    /// One of the texts; empty when there are none.
    pub fn word(&mut self, items: &[&'static str]) -> &'static str {
        self.pick(items).copied().unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_sequence() {
        let rolls = |purpose, number| {
            let mut dice = Dice::new(purpose, number);
            (0..8).map(|_| dice.between(0, 999)).collect::<Vec<_>>()
        };
        assert_eq!(rolls("lot", 1), rolls("lot", 1));
        assert_ne!(rolls("lot", 1), rolls("lot", 2));
        assert_ne!(rolls("lot", 1), rolls("people", 1));
    }

    #[test]
    fn rolls_stay_inside_their_range() {
        let mut dice = Dice::new("range", 0);
        for _ in 0..2_000 {
            assert!((-3..=3).contains(&dice.between(-3, 3)));
        }
        assert_eq!(dice.between(5, 4), 5);
        assert_eq!(dice.pick::<u8>(&[]), None);
    }
}
