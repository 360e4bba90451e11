//! The one pass over the lots: points for every vehicle, the best of them with reasons, and what stands in the way.

use super::demand::{Answer, Demand};
use super::lot::{Lot, NO_NUMBER, Names, UNKNOWN};
use super::relax::{Relaxation, Tally, relaxations};
use super::words;
use crate::customers::PreferenceAttribute;
use crate::kernel::id::{PreferenceId, VehicleId};

/// What one wish did to the score of one vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// What it is about.
    pub attribute: PreferenceAttribute,
    /// The wish; none when it follows from the car they chose.
    pub preference: Option<PreferenceId>,
    /// Points earned.
    pub points: i64,
    /// Points that could be earned.
    pub max: i64,
    /// The wish is met.
    pub met: bool,
    /// It is a must.
    pub must: bool,
    /// The figure is an estimate.
    pub estimate: bool,
    /// Why, for reading aloud.
    pub sentence: String,
}

/// A vehicle with its score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The vehicle.
    pub vehicle: VehicleId,
    /// From 0 to 100. When something is a must, 50 and more means that every must is met.
    pub score: u8,
    /// Points earned; the sum over the contributions.
    pub points: i64,
    /// Points that could be earned.
    pub max: i64,
    /// One line per wish, the heaviest first.
    pub contributions: Vec<Contribution>,
}

/// The best vehicles and what would unlock more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// The best first; ties go to the lower price, then to the older id.
    pub best: Vec<Match>,
    /// One per wish that stands in the way, the most unlocking first.
    pub relaxations: Vec<Relaxation>,
    /// How many vehicles were compared.
    pub considered: usize,
    /// How many meet every wish that stands in the way.
    pub meeting_all: usize,
}

/// Sorts the best first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    must_missed: bool,
    points: std::cmp::Reverse<i64>,
    price: i64,
    id: VehicleId,
    lot: usize,
    at: usize,
}

/// Compares every vehicle of the lots with a demand and gives the best `top` of them.
pub fn rank(demand: &Demand, lots: &[&Lot], names: &Names, top: usize) -> Matches {
    if demand.is_empty() {
        return Matches { considered: lots.iter().map(|l| l.len()).sum(), ..Matches::default() };
    }
    let mut ranks: Vec<Rank> = Vec::with_capacity(lots.iter().map(|l| l.len()).sum());
    let mut tally = Tally::new(demand.groups.len());
    for (number, lot) in lots.iter().enumerate() {
        let rows = answer_all(demand, lot);
        for (at, ((id, price), row)) in lot.ids.iter().zip(&lot.price_cents).zip(&rows).enumerate() {
            tally.count(demand, lot, at, row.blocked);
            ranks.push(Rank {
                must_missed: row.must_missed,
                points: std::cmp::Reverse(row.points),
                price: if *price == NO_NUMBER { i64::MAX } else { *price },
                id: *id,
                lot: number,
                at,
            });
        }
    }
    let considered = ranks.len();
    if top < ranks.len() && top > 0 {
        ranks.select_nth_unstable(top);
    }
    ranks.truncate(top);
    ranks.sort_unstable();
    let best = ranks.iter().filter_map(|r| lots.get(r.lot).map(|lot| explain(demand, lot, r, names))).collect();
    Matches { best, relaxations: relaxations(demand, &tally), considered, meeting_all: tally.meeting_all }
}

#[derive(Clone, Copy, Default)]
struct Row {
    points: i64,
    /// One bit per blocking group that is missed.
    blocked: u64,
    must_missed: bool,
}

/// Column by column: each group runs over one column of numbers.
fn answer_all(demand: &Demand, lot: &Lot) -> Vec<Row> {
    let mut rows = vec![Row::default(); lot.len()];
    for (number, group) in demand.groups.iter().enumerate() {
        let bit = if group.blocking { 1_u64 << (number % 64) } else { 0 };
        let add = |row: &mut Row, answer: Answer| {
            row.points += answer.points;
            if !answer.met {
                row.blocked |= bit;
                row.must_missed |= group.must;
            }
        };
        if let Some(column) = group.numbers(lot) {
            rows.iter_mut().zip(column).for_each(|(row, n)| add(row, group.answer_number(*n, &demand.estimate)));
        } else if let Some(column) = group.names(lot) {
            rows.iter_mut().zip(column).for_each(|(row, code)| add(row, group.answer_name(*code)));
        } else {
            rows.iter_mut().zip(&lot.ids).for_each(|(row, id)| add(row, group.answer_words(*id)));
        }
    }
    rows
}

fn explain(demand: &Demand, lot: &Lot, rank: &Rank, names: &Names) -> Match {
    let contributions = demand
        .groups
        .iter()
        .filter_map(|group| {
            let answer = group.answer(lot, rank.at, &demand.estimate);
            let number = group.numbers(lot).and_then(|c| c.get(rank.at)).copied().filter(|n| *n != NO_NUMBER);
            let name = group.names(lot).and_then(|c| c.get(rank.at)).filter(|c| **c != UNKNOWN).and_then(|c| names.text(*c));
            let wanted = group.wanted.get(answer.by)?;
            Some(Contribution {
                attribute: group.attribute,
                preference: wanted.id,
                points: answer.points,
                max: group.max,
                met: answer.met,
                must: group.must,
                estimate: group.attribute == PreferenceAttribute::MonthlyPayment,
                sentence: words::reason(group, wanted, answer, number, name, &demand.estimate),
            })
        })
        .collect();
    let points = rank.points.0;
    Match { vehicle: rank.id, score: score(demand, points, rank.must_missed), points, max: demand.max, contributions }
}

fn score(demand: &Demand, points: i64, must_missed: bool) -> u8 {
    let share = if demand.max > 0 { points * 100 / demand.max } else { 0 };
    let score = match (demand.groups.iter().any(|g| g.must), must_missed) {
        (false, _) => share,
        (true, false) => 50 + share / 2,
        (true, true) => (share / 2).min(49),
    };
    u8::try_from(score.clamp(0, 100)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
