//! What a figure costs: a payment, a rate, a 48-cell grid of both beside plain floating point, and whole quotes.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    reason = "the reference is floating point; a bench may stop"
)]

use std::hint::black_box;

use chrono::NaiveDate;
use criterion::{Criterion, criterion_group, criterion_main};
use deskless::finance::apr::{Offset, Stream, UnitPeriod, rate_of};
use deskless::finance::retail::{AccrualBasis, RetailTerms, level_factor, monthly};
use deskless::kernel::money::Cents;
use deskless::kernel::rate::Rate;

const TERMS: [u16; 8] = [24, 36, 48, 60, 66, 72, 75, 84];
const DOWNS: [i64; 6] = [0, 100_000, 200_000, 300_000, 400_000, 500_000];
const PRINCIPAL: i64 = 3_200_000;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Payment and annual percentage rate of one cell; the fee makes the rate differ from the contract's.
fn exact_cell(amount: Cents, fee: Cents, rate: Rate, n: u16) -> (Cents, Rate) {
    let payment = level_factor(monthly(rate).unwrap(), n).unwrap().of(amount).unwrap();
    let advance = [Stream { amount: amount - fee, count: 1, first: Offset::START }];
    let payments = [Stream { amount: payment, count: u32::from(n), first: Offset { full: 1, num: 0, den: 30 } }];
    (payment, rate_of(UnitPeriod::Months(1), &advance, &payments).unwrap())
}

/// The same in plain floating point with Newton's iteration.
fn float_cell(amount: f64, fee: f64, rate: f64, n: i32) -> (f64, f64) {
    let i = rate / 1200.0;
    let payment = (amount * i / (1.0 - (1.0 + i).powi(-n)) * 100.0).round() / 100.0;
    let (advance, mut x) = (amount - fee, i);
    for _ in 0..20 {
        let v = (1.0 + x).powi(-n);
        let value = payment * (1.0 - v) / x - advance;
        let slope = payment * ((f64::from(n) * v / (1.0 + x)) * x - (1.0 - v)) / (x * x);
        let step = value / slope;
        x -= step;
        if step.abs() < 1e-12 {
            break;
        }
    }
    (payment, x * 1200.0)
}

fn contract() -> RetailTerms {
    let rate = "6.9".parse().unwrap();
    RetailTerms {
        prepaid_finance_charge: Cents(19_500),
        ..RetailTerms::new(Cents(PRINCIPAL), rate, 72, day("2026-03-15"), day("2026-04-29"), AccrualBasis::Thirty360)
    }
}

fn benches(c: &mut Criterion) {
    let rate: Rate = "6.9".parse().unwrap();
    c.bench_function("rate: one annual percentage rate, 72 months", |b| {
        let advance = [Stream { amount: Cents(PRINCIPAL), count: 1, first: Offset::START }];
        let payments = [Stream { amount: Cents(54_600), count: 72, first: Offset { full: 1, num: 14, den: 30 } }];
        b.iter(|| rate_of(UnitPeriod::Months(1), black_box(&advance), black_box(&payments)).unwrap());
    });
    c.bench_function("grid: 48 payments and rates, exact", |b| {
        b.iter(|| {
            for down in DOWNS {
                for n in TERMS {
                    black_box(exact_cell(Cents(PRINCIPAL - down), Cents(19_500), black_box(rate), n));
                }
            }
        });
    });
    c.bench_function("grid: 48 payments and rates, f64 reference", |b| {
        b.iter(|| {
            for down in DOWNS {
                for n in TERMS {
                    black_box(float_cell((PRINCIPAL - down) as f64 / 100.0, 195.0, black_box(6.9), i32::from(n)));
                }
            }
        });
    });
    c.bench_function("contract: every figure, 72 months, 30/360", |b| {
        let terms = contract();
        b.iter(|| black_box(&terms).figures().unwrap());
    });
    c.bench_function("contract: every figure, 72 months, actual/365", |b| {
        let terms = RetailTerms { accrual: AccrualBasis::Actual365, ..contract() };
        b.iter(|| black_box(&terms).figures().unwrap());
    });
}

criterion_group!(finance, benches);
criterion_main!(finance);
