//! How long it takes to match a customer against 50,000 cars, on one core: compile the wishes, score every car, pick the best
//! ten with reasons, count the relaxations.
//!
//! `cargo bench --bench matching`

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use deskless::customers::{
    PreferenceAttribute as A, PreferenceImportance as Importance, PreferenceKind as Kind, PreferenceOperator as Op, Wish,
};
use deskless::inventory::{BodyStyle, ColorFamily, Drivetrain, FuelType, Transmission, VehicleCondition, VehicleFacts};
use deskless::kernel::id::{PreferenceId, StoreId, VehicleId};
use deskless::kernel::money::Cents;
use deskless::matching::{Demand, EstimateTerms, Lot, Names, PaymentEstimate, Wanted, rank};
use rust_decimal::Decimal;
use uuid::Uuid;

const MAKES: [&str; 8] = ["Ford", "Toyota", "Honda", "Chevrolet", "Nissan", "Hyundai", "Kia", "BMW"];

/// The same numbers on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(u64::try_from(all.len()).unwrap())).unwrap()]
    }
    fn number(&mut self, from: i32, below: u64) -> i32 {
        from + i32::try_from(self.below(below)).unwrap()
    }
}

fn cars(n: u32) -> Vec<VehicleFacts> {
    let mut dice = Dice(7);
    (0..n)
        .map(|i| {
            let make = dice.pick(&MAKES);
            VehicleFacts {
                id: VehicleId(Uuid::from_u128(u128::from(i))),
                store_id: StoreId(Uuid::nil()),
                condition: dice.pick(VehicleCondition::ALL),
                model_year: dice.number(2012, 15),
                make: make.to_owned(),
                model: format!("{make}-{}", dice.below(12)),
                trim: Some(format!("Trim {}", dice.below(6))),
                body_style: Some(dice.pick(BodyStyle::ALL)),
                drivetrain: Some(dice.pick(Drivetrain::ALL)),
                fuel: Some(dice.pick(FuelType::ALL)),
                transmission: Some(dice.pick(Transmission::ALL)),
                exterior_color: Some(dice.pick(ColorFamily::ALL)),
                interior_color: Some("Black leather".to_owned()),
                odometer_miles: Some(dice.number(0, 120_000)),
                price: Some(Cents(i64::from(dice.number(900_000, 7_000_000)))),
                doors: Some(4),
                seats: Some(dice.number(4, 4)),
                mpg_combined: Some(dice.number(15, 40)),
            }
        })
        .collect()
}

fn wishes() -> Vec<Wanted> {
    [
        (Importance::Must, Kind::Stated, A::BodyStyle, Op::Is, "SUV"),
        (Importance::Must, Kind::Stated, A::MonthlyPayment, Op::AtMost, "450"),
        (Importance::Should, Kind::Stated, A::Price, Op::AtMost, "32000"),
        (Importance::Should, Kind::Stated, A::ModelYear, Op::AtLeast, "2019"),
        (Importance::Should, Kind::Stated, A::OdometerMiles, Op::AtMost, "60000"),
        (Importance::Should, Kind::Stated, A::Make, Op::Is, "Toyota"),
        (Importance::Should, Kind::Stated, A::Make, Op::Is, "Honda"),
        (Importance::Nice, Kind::Stated, A::ExteriorColor, Op::Is, "BLUE"),
        (Importance::Nice, Kind::Stated, A::Drivetrain, Op::Is, "AWD"),
        (Importance::Should, Kind::Observed, A::Fuel, Op::Is, "HYBRID"),
        (Importance::Nice, Kind::Inferred, A::Seats, Op::AtLeast, "5"),
        (Importance::Should, Kind::Stated, A::Model, Op::IsNot, "Kia-3"),
    ]
    .into_iter()
    .enumerate()
    .map(|(i, (importance, kind, attribute, operator, value))| Wanted {
        id: Some(PreferenceId(Uuid::from_u128(u128::try_from(i).unwrap()))),
        wish: Wish::parse(attribute, operator, value).unwrap(),
        importance,
        kind,
        confidence_permille: 1000,
    })
    .collect()
}

fn matching(c: &mut Criterion) {
    let vehicles = cars(50_000);
    let mut names = Names::default();
    let lot = Lot::build(&vehicles, &mut names);
    let wishes = wishes();
    let terms = EstimateTerms { annual_rate: Decimal::new(799, 2), term_months: 72, down: Cents::ZERO, uplift_percent: 8 };
    c.bench_function("match 12 wishes with 50,000 cars", |b| {
        b.iter(|| {
            let estimate = PaymentEstimate::new(terms).unwrap();
            let demand = Demand::compile(black_box(&wishes), &names, estimate, &std::collections::BTreeMap::default());
            black_box(rank(&demand, &[&lot], &names, 10))
        });
    });
    c.bench_function("put 50,000 cars into columns", |b| {
        b.iter(|| {
            let mut names = Names::default();
            black_box(Lot::build(black_box(&vehicles), &mut names))
        });
    });
}

criterion_group!(benches, matching);
criterion_main!(benches);
