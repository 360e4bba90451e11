//! What one relaxation would unlock: for every wish that stands in the way, the cars that fail it and nothing else.

use super::demand::{Demand, Test};
use super::lot::{Lot, NO_NUMBER};
use super::words;
use crate::customers::PreferenceAttribute as A;
use crate::kernel::id::PreferenceId;

/// As many cars make a step worth saying; a larger step is not looked for.
const USEFUL: usize = 5;

/// One wish let go or widened, and what that unlocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relaxation {
    /// What it is about.
    pub attribute: A,
    /// The wish, the first of several alternatives; none when it follows from the car they chose.
    pub preference: Option<PreferenceId>,
    /// How many more cars then meet everything that stands in the way.
    pub unlocks: usize,
    /// How far the bound moves (cents for amounts); none when the wish is let go.
    pub step: Option<i64>,
    /// For reading aloud: "$1,500 more: 6 cars".
    pub sentence: String,
}

/// Counts, per group, the cars that fail it alone.
pub(super) struct Tally {
    alone: Vec<Vec<i64>>,
    pub(super) meeting_all: usize,
}

impl Tally {
    pub(super) fn new(groups: usize) -> Self {
        Self { alone: vec![Vec::new(); groups], meeting_all: 0 }
    }

    /// Counts one vehicle; `blocked` has a bit per blocking group that it fails.
    pub(super) fn count(&mut self, demand: &Demand, lot: &Lot, at: usize, blocked: u64) {
        if blocked == 0 {
            self.meeting_all += 1;
        }
        if blocked.count_ones() != 1 {
            return;
        }
        let number = usize::try_from(blocked.trailing_zeros()).unwrap_or(usize::MAX);
        let (Some(group), Some(alone)) = (demand.groups.get(number), self.alone.get_mut(number)) else { return };
        match group.numbers(lot) {
            // A car whose price is not known is not unlocked by a higher price.
            Some(column) if column.get(at).is_none_or(|n| *n == NO_NUMBER) => {}
            Some(_) => alone.push(group.answer(lot, at, &demand.estimate).beyond),
            None => alone.push(0),
        }
    }
}

/// The relaxations, the most unlocking first.
pub(super) fn relaxations(demand: &Demand, tally: &Tally) -> Vec<Relaxation> {
    let mut all: Vec<Relaxation> = demand
        .groups
        .iter()
        .zip(&tally.alone)
        .filter_map(|(group, alone)| {
            let wanted = group.wanted.first()?;
            let ordered = matches!(group.test, Test::AtMost(_) | Test::AtLeast(_) | Test::About(_));
            let (step, unlocks) = if ordered { best_step(group.attribute, alone)? } else { (None, alone.len()) };
            let sentence = words::relaxation(group, step, unlocks);
            (unlocks > 0).then_some(Relaxation { attribute: group.attribute, preference: wanted.id, unlocks, step, sentence })
        })
        .collect();
    all.sort_by(|a, b| b.unlocks.cmp(&a.unlocks).then(a.attribute.cmp(&b.attribute)).then(a.preference.cmp(&b.preference)));
    all
}

/// The smallest round step that unlocks enough cars to be worth saying; else the smallest that unlocks the most.
fn best_step(attribute: A, beyond: &[i64]) -> Option<(Option<i64>, usize)> {
    let mut best: Option<(i64, usize)> = None;
    for step in steps(attribute) {
        let unlocks = beyond.iter().filter(|b| **b <= *step).count();
        if unlocks > best.map_or(0, |(_, n)| n) {
            best = Some((*step, unlocks));
        }
        if unlocks >= USEFUL {
            break;
        }
    }
    best.map(|(step, unlocks)| (Some(step), unlocks))
}

/// Round steps people talk in; amounts in cents.
const fn steps(attribute: A) -> &'static [i64] {
    match attribute {
        A::Price => &[50_000, 100_000, 150_000, 200_000, 300_000, 500_000, 750_000, 1_000_000],
        A::MonthlyPayment => &[1_000, 2_500, 5_000, 7_500, 10_000, 15_000, 20_000],
        A::OdometerMiles => &[5_000, 10_000, 15_000, 20_000, 30_000, 50_000],
        A::ModelYear => &[1, 2, 3, 5],
        A::Mpg => &[2, 5, 10],
        _ => &[1, 2],
    }
}
