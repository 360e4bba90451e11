//! What a figure costs: a rate, a grid of payments and rates, whole quotes, a grid over every program, solving backwards;
//! each beside the same arithmetic in plain floating point, measured in the same run.
#![expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    reason = "the reference is floating point; a bench may stop"
)]

#[path = "../tests/finance_book.rs"]
mod finance_book;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use deskless::finance::apr::{Offset, Stream, UnitPeriod, rate_of};
use deskless::finance::retail::{AccrualBasis, RetailTerms, level_factor, monthly};
use deskless::finance::{Program, QuoteKind, SolveFor, payment_grid, solve};
use deskless::kernel::money::Cents;
use deskless::kernel::rate::Rate;

const TERMS: [u16; 8] = [24, 36, 48, 60, 66, 72, 75, 84];
const DOWNS: [i64; 6] = [0, 100_000, 200_000, 300_000, 400_000, 500_000];
const ALL_TERMS: [u16; 12] = [24, 30, 36, 42, 48, 54, 60, 63, 66, 72, 75, 84];
const ALL_DOWNS: [i64; 8] = [0, 50_000, 100_000, 150_000, 200_000, 300_000, 400_000, 500_000];
const PRINCIPAL: i64 = 3_200_000;

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

/// A quote's arithmetic: tax, fees, payment, schedule, rate.
fn float_quote(price: f64, down: f64, rate: f64, n: i32) -> (f64, f64, f64) {
    let tax = ((price + 85.0) * 0.0825 * 100.0).round() / 100.0;
    let amount = price + 85.0 + 33.0 + tax - down;
    let (payment, apr) = float_cell(amount, 0.01, rate, n);
    let (mut balance, mut total) = (amount, 0.0);
    for k in 0..n {
        let interest = (balance * rate / 12.0).round() / 100.0;
        let paid = if k + 1 == n { balance + interest } else { payment };
        balance += interest - paid;
        total += paid;
    }
    (payment, apr, total)
}

fn forty_programs() -> Vec<Program> {
    (0..40)
        .map(|n| Program {
            accrual: AccrualBasis::Thirty360,
            ..finance_book::program(n, QuoteKind::Retail, &format!("{}.{}9", 4 + n / 10, n % 10))
        })
        .collect()
}

fn figures(c: &mut Criterion) {
    let rate: Rate = "6.9".parse().unwrap();
    c.bench_function("rate, exact: one annual percentage rate, 72 months", |b| {
        let advance = [Stream { amount: Cents(PRINCIPAL), count: 1, first: Offset::START }];
        let payments = [Stream { amount: Cents(54_600), count: 72, first: Offset { full: 1, num: 14, den: 30 } }];
        b.iter(|| rate_of(UnitPeriod::Months(1), black_box(&advance), black_box(&payments)).unwrap());
    });
    c.bench_function("rate, f64", |b| b.iter(|| float_cell(black_box(32_000.0), 195.0, 6.9, 72)));
    c.bench_function("48 payments and rates, exact", |b| {
        b.iter(|| {
            for down in DOWNS {
                for n in TERMS {
                    black_box(exact_cell(Cents(PRINCIPAL - down), Cents(19_500), black_box(rate), n));
                }
            }
        });
    });
    c.bench_function("48 payments and rates, f64", |b| {
        b.iter(|| {
            for down in DOWNS {
                for n in TERMS {
                    black_box(float_cell((PRINCIPAL - down) as f64 / 100.0, 195.0, black_box(6.9), i32::from(n)));
                }
            }
        });
    });
    for accrual in [AccrualBasis::Thirty360, AccrualBasis::Actual365] {
        c.bench_function(&format!("contract, exact: every figure, 72 months, {accrual}"), |b| {
            let (contract, first) = ("2026-03-15".parse().unwrap(), "2026-04-29".parse().unwrap());
            let terms = RetailTerms::new(Cents(PRINCIPAL), rate, 72, contract, first, accrual);
            b.iter(|| black_box(&terms).figures().unwrap());
        });
    }
}

fn quotes(c: &mut Criterion) {
    for kind in [QuoteKind::Cash, QuoteKind::Retail, QuoteKind::Lease] {
        c.bench_function(&format!("quote, exact: every line and figure, {kind}"), |b| {
            let book = finance_book::book(finance_book::tax_rule(), vec![]);
            let program = (kind != QuoteKind::Cash).then(|| finance_book::program(0, kind, "6.9").into());
            let input = finance_book::request(kind).input(&book, program.as_ref()).unwrap();
            b.iter(|| black_box(&input).quote().unwrap());
        });
    }
    c.bench_function("quote, f64: tax, payment, schedule, rate", |b| b.iter(|| float_quote(black_box(40_000.0), 2_000.0, 6.9, 60)));
    let book = finance_book::book(finance_book::tax_rule(), forty_programs());
    let request = finance_book::request(QuoteKind::Retail);
    c.bench_function("grid, exact: 96 cells across 40 programs, with schedule and rate", |b| {
        b.iter(|| payment_grid(&book, black_box(&request), &ALL_TERMS, &ALL_DOWNS.map(Cents)).unwrap());
    });
    c.bench_function("grid, f64: 96 cells across 40 programs", |b| {
        b.iter(|| {
            for down in ALL_DOWNS {
                for n in ALL_TERMS {
                    for program in 0..40 {
                        black_box(float_quote(40_000.0, down as f64 / 100.0, black_box(4.0 + f64::from(program) / 10.0), i32::from(n)));
                    }
                }
            }
        });
    });
    let one = finance_book::book(finance_book::tax_rule(), forty_programs().into_iter().take(1).collect());
    c.bench_function("grid, exact: 48 cells, one program, with schedule and rate", |b| {
        b.iter(|| payment_grid(&one, black_box(&request), &TERMS, &DOWNS.map(Cents)).unwrap());
    });
    let four = finance_book::book(finance_book::tax_rule(), forty_programs().into_iter().step_by(10).collect());
    for sought in [SolveFor::DownPayment, SolveFor::Price, SolveFor::Term] {
        c.bench_function(&format!("solve, exact: {sought}, four programs"), |b| {
            b.iter(|| solve(&four, black_box(&request), sought, Cents(700_00)).unwrap());
        });
    }
    c.bench_function("solve, f64: money down in closed form", |b| {
        b.iter(|| {
            let i = black_box(6.9) / 1200.0;
            let amount = black_box(700.0) * (1.0 - (1.0_f64 + i).powi(-60)) / i;
            let (payment, _) = float_cell(amount, 0.01, 6.9, 60);
            40_000.0 * 1.0825 + 118.0 - amount + payment * 0.0
        });
    });
}

criterion_group!(finance, figures, quotes);
criterion_main!(finance);
