//! What a customer wants, compiled: one group per question a vehicle can answer.

use std::collections::{BTreeMap, HashSet};

use super::estimate::PaymentEstimate;
use super::lot::{Lot, NO_NUMBER, Names, UNKNOWN};
use crate::customers::wish::ValueKind;
use crate::customers::{
    Preference, PreferenceAttribute as A, PreferenceImportance as Importance, PreferenceKind as Kind, PreferenceOperator as Op, Wish,
};
use crate::inventory::Vehicle;
use crate::kernel::id::{PreferenceId, VehicleId};

/// Most groups that are scored; the heaviest are kept.
const GROUPS_MAX: usize = 64;
/// Full satisfaction, in thousandths.
pub(super) const FULL: i64 = 1000;
/// The most a near miss can earn, in thousandths.
const NEAR_MAX: i64 = 900;

/// One effective wish as matching sees it: what is wanted, how much, how it is known. Nothing about who wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The preference it comes from; none when it follows from the car they chose.
    pub id: Option<PreferenceId>,
    /// Attribute, operator, value.
    pub wish: Wish,
    /// How much it matters.
    pub importance: Importance,
    /// How it is known.
    pub kind: Kind,
    /// From 0 to 1000.
    pub confidence_permille: u16,
}

impl From<&Preference> for Wanted {
    fn from(p: &Preference) -> Self {
        let permille = (p.confidence * rust_decimal::Decimal::ONE_THOUSAND).trunc();
        let confidence_permille = u16::try_from(permille.mantissa()).unwrap_or(1000).min(1000);
        Self { id: Some(p.id), wish: p.wish.clone(), importance: p.importance, kind: p.kind, confidence_permille }
    }
}

impl Wanted {
    /// What the car they chose tells where they said and did nothing else: that kind of car, for about that money.
    pub fn like(chosen: &Vehicle, known: &[Self]) -> Vec<Self> {
        let facts = [
            (A::Condition, Op::Is, Some(chosen.condition.to_string())),
            (A::Make, Op::Is, Some(chosen.make.clone())),
            (A::Model, Op::Is, Some(chosen.model.clone())),
            (A::BodyStyle, Op::Is, chosen.body_style.map(|body| body.to_string())),
            (A::Price, Op::AtMost, chosen.price_cents.map(|price| price.to_decimal().to_string())),
        ];
        let money = [A::Price, A::MonthlyPayment];
        let spoken = |attribute| {
            known.iter().any(|w| w.wish.attribute() == attribute || money.contains(&attribute) && money.contains(&w.wish.attribute()))
        };
        facts
            .into_iter()
            .filter(|(attribute, ..)| !spoken(*attribute))
            .filter_map(|(attribute, operator, value)| Wish::parse(attribute, operator, &value?).ok())
            .map(|wish| Self { id: None, wish, importance: Importance::Should, kind: Kind::Observed, confidence_permille: 1000 })
            .collect()
    }

    /// The points a vehicle earns that meets it, from 1 to 240.
    pub fn weight(&self) -> i64 {
        let importance = match self.importance {
            Importance::Must => 6,
            Importance::Should => 3,
            Importance::Nice => 1,
        };
        let kind = match self.kind {
            Kind::Stated => 4,
            Kind::Observed => 2,
            Kind::Inferred => 1,
        };
        (importance * kind * i64::from(self.confidence_permille) / 100).max(1)
    }
}

/// How a group is answered.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// The vehicle has one of these names; beside each the position of its wish.
    AnyOf(Vec<(u32, usize)>),
    /// The vehicle does not have this name.
    Not(u32),
    /// The number is at most this.
    AtMost(i64),
    /// The number is at least this.
    AtLeast(i64),
    /// The number is this, or near it.
    About(i64),
    /// The listing has these words.
    Words(HashSet<VehicleId>),
    /// The listing does not have these words.
    NoWords(HashSet<VehicleId>),
}

/// One question: an attribute, the wishes on it, how it is answered.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) attribute: A,
    pub(super) wanted: Vec<Wanted>,
    pub(super) test: Test,
    /// The points of the heaviest wish.
    pub(super) max: i64,
    /// A car that misses it is not what they asked for.
    pub(super) blocking: bool,
    pub(super) must: bool,
}

/// The wishes of a customer, ready to be compared with a lot.
#[derive(Debug, Clone)]
pub struct Demand {
    pub(super) groups: Vec<Group>,
    pub(super) estimate: PaymentEstimate,
    pub(super) max: i64,
}

/// Vehicles that have the words of a feature wish, by the wish's key.
pub type FeatureHits = BTreeMap<String, HashSet<VehicleId>>;

impl Demand {
    /// Compiles effective wishes. Money down and the length of the loan are not facts of a vehicle: they are part of the
    /// estimate's terms.
    pub fn compile(wanted: &[Wanted], names: &Names, estimate: PaymentEstimate, features: &FeatureHits) -> Self {
        let mut wanted: Vec<Wanted> = wanted.to_vec();
        wanted.sort_by_key(|w| (w.wish.attribute(), w.wish.operator(), w.wish.value().to_owned(), w.id));
        let mut groups: Vec<Group> = Vec::new();
        for w in wanted {
            let attribute = w.wish.attribute();
            if matches!(attribute, A::DownPayment | A::TermMonths) {
                continue;
            }
            let joins = attribute != A::Feature && w.wish.operator() == Op::Is && w.wish.number().is_none();
            let beside = groups.iter_mut().find(|g| joins && g.attribute == attribute && matches!(g.test, Test::AnyOf(_)));
            if let Some(group) = beside {
                if let Test::AnyOf(codes) = &mut group.test
                    && let Some(code) = names.find(w.wish.value())
                {
                    codes.push((code, group.wanted.len()));
                }
                group.wanted.push(w);
            } else if let Some(test) = test(&w.wish, names, features) {
                groups.push(Group { attribute, wanted: vec![w], test, max: 0, blocking: false, must: false });
            }
        }
        for group in &mut groups {
            group.max = group.wanted.iter().map(Wanted::weight).max().unwrap_or(0);
            group.must = group.wanted.iter().any(|w| w.importance == Importance::Must);
        }
        groups.sort_by_key(|g| (std::cmp::Reverse(g.max), g.attribute, g.wanted.first().map(|w| w.id)));
        groups.truncate(GROUPS_MAX);
        // Without a must, what was said and matters stands in the way.
        let any_must = groups.iter().any(|g| g.must);
        for group in &mut groups {
            let said = group.wanted.iter().any(|w| w.kind == Kind::Stated && w.importance == Importance::Should);
            group.blocking = if any_must { group.must } else { said };
        }
        let max = groups.iter().map(|g| g.max).sum();
        Self { groups, estimate, max }
    }

    /// Nothing is wanted that a vehicle could meet.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

fn test(wish: &Wish, names: &Names, features: &FeatureHits) -> Option<Test> {
    if wish.attribute() == A::Feature {
        let hits = features.get(&wish.key()).cloned().unwrap_or_default();
        return Some(if wish.operator() == Op::IsNot { Test::NoWords(hits) } else { Test::Words(hits) });
    }
    match wish.attribute().value_kind() {
        ValueKind::Amount | ValueKind::Number { .. } => {
            let n = wish.number()?;
            Some(match wish.operator() {
                Op::AtMost => Test::AtMost(n),
                Op::AtLeast => Test::AtLeast(n),
                Op::Is => Test::About(n),
                Op::IsNot => return None,
            })
        }
        ValueKind::Choice | ValueKind::Words => {
            let code = names.find(wish.value());
            match wish.operator() {
                Op::Is => Some(Test::AnyOf(code.map(|c| (c, 0)).into_iter().collect())),
                // A name that no vehicle has is met by all.
                Op::IsNot => Some(Test::Not(code.unwrap_or(u32::MAX))),
                Op::AtLeast | Op::AtMost => None,
            }
        }
    }
}

/// How a vehicle answers a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// Points earned.
    pub(super) points: i64,
    /// Fully met.
    pub(super) met: bool,
    /// How far the number is beyond the bound; 0 for names and when unknown.
    pub(super) beyond: i64,
    /// Which wish of the group was met or came nearest.
    pub(super) by: usize,
}

impl Group {
    /// The numbers this group looks at, if it looks at numbers.
    pub(super) fn numbers<'a>(&self, lot: &'a Lot) -> Option<&'a [i64]> {
        match self.attribute {
            A::Price | A::MonthlyPayment => Some(&lot.price_cents),
            A::ModelYear => Some(&lot.model_year),
            A::OdometerMiles => Some(&lot.odometer_miles),
            A::Seats => Some(&lot.seats),
            A::Doors => Some(&lot.doors),
            A::Mpg => Some(&lot.mpg),
            _ => None,
        }
    }

    /// The names this group looks at, if it looks at names.
    pub(super) fn names<'a>(&self, lot: &'a Lot) -> Option<&'a [u32]> {
        match self.attribute {
            A::Condition => Some(&lot.condition),
            A::Make => Some(&lot.make),
            A::Model => Some(&lot.model),
            A::Trim => Some(&lot.trim),
            A::BodyStyle => Some(&lot.body_style),
            A::Drivetrain => Some(&lot.drivetrain),
            A::Fuel => Some(&lot.fuel),
            A::Transmission => Some(&lot.transmission),
            A::ExteriorColor => Some(&lot.exterior_color),
            A::InteriorColor => Some(&lot.interior_color),
            _ => None,
        }
    }

    /// The answer of a vehicle with this number.
    pub(super) fn answer_number(&self, raw: i64, estimate: &PaymentEstimate) -> Answer {
        if raw == NO_NUMBER {
            return Answer { points: 0, met: false, beyond: 0, by: 0 };
        }
        let value = if self.attribute == A::MonthlyPayment { estimate.payment(raw) } else { raw };
        let (bound, beyond) = match self.test {
            Test::AtMost(x) => (x, value.saturating_sub(x)),
            Test::AtLeast(x) => (x, x.saturating_sub(value)),
            Test::About(x) => (x, value.saturating_sub(x).saturating_abs()),
            _ => return Answer { points: 0, met: false, beyond: 0, by: 0 },
        };
        let slack = if matches!(self.test, Test::About(_)) { slack(self.attribute, bound) } else { 0 };
        if beyond <= slack {
            return Answer { points: self.max, met: true, beyond: 0, by: 0 };
        }
        let tolerance = tolerance(self.attribute, bound);
        // Linear from full to nothing at the tolerance.
        let degree = if beyond < tolerance { (FULL - FULL.saturating_mul(beyond) / tolerance).min(NEAR_MAX) } else { 0 };
        Answer { points: self.max * degree / FULL, met: false, beyond, by: 0 }
    }

    /// The answer of a vehicle with this name.
    pub(super) fn answer_name(&self, code: u32) -> Answer {
        let missed = Answer { points: 0, met: false, beyond: 0, by: 0 };
        match &self.test {
            Test::AnyOf(codes) => {
                let mut best = missed;
                for (wanted, at) in codes {
                    let Some(wish) = self.wanted.get(*at).filter(|_| *wanted == code && code != UNKNOWN) else { continue };
                    let points = wish.weight();
                    // A must is met by a must only: "must be a Toyota, a Honda would be nice" asks for the Toyota.
                    let met = !self.must || wish.importance == Importance::Must;
                    if points > best.points || (met && !best.met) {
                        best = Answer { points, met, beyond: 0, by: *at };
                    }
                }
                best
            }
            // What is not known is not the unwanted thing.
            Test::Not(unwanted) if *unwanted != code => Answer { points: self.max, met: true, beyond: 0, by: 0 },
            _ => missed,
        }
    }

    /// The answer of a vehicle to a feature wish.
    pub(super) fn answer_words(&self, id: VehicleId) -> Answer {
        let met = match &self.test {
            Test::Words(hits) => hits.contains(&id),
            Test::NoWords(hits) => !hits.contains(&id),
            _ => false,
        };
        Answer { points: if met { self.max } else { 0 }, met, beyond: 0, by: 0 }
    }

    /// The answer of the vehicle at a position.
    pub(super) fn answer(&self, lot: &Lot, at: usize, estimate: &PaymentEstimate) -> Answer {
        if let Some(numbers) = self.numbers(lot) {
            return self.answer_number(numbers.get(at).copied().unwrap_or(NO_NUMBER), estimate);
        }
        if let Some(names) = self.names(lot) {
            return self.answer_name(names.get(at).copied().unwrap_or(UNKNOWN));
        }
        lot.ids.get(at).map_or(Answer { points: 0, met: false, beyond: 0, by: 0 }, |id| self.answer_words(*id))
    }
}

/// How far beyond a bound a near miss still earns points.
fn tolerance(attribute: A, bound: i64) -> i64 {
    let share = |percent: i64| (bound.saturating_abs().saturating_mul(percent) / 100).max(1);
    match attribute {
        A::Price => share(10),
        A::MonthlyPayment => share(15),
        A::OdometerMiles => share(25),
        A::Mpg => share(20),
        // One year off earns three quarters, four years off nothing.
        A::ModelYear => 4,
        _ => 1,
    }
}

/// How far off "is" still is it: amounts and miles are said in round figures, years and seats are not.
fn slack(attribute: A, bound: i64) -> i64 {
    match attribute {
        A::Price | A::MonthlyPayment | A::OdometerMiles => tolerance(attribute, bound) / 2,
        _ => 0,
    }
}
