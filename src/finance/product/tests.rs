//! Refunds by hand and by law; eligibility; the price on a car.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn product(kind: ProductKind) -> Product {
    Product {
        id: ProductId(Uuid::from_u128(1)),
        group_id: GroupId(Uuid::from_u128(2)),
        code: "P".into(),
        kind,
        name: "Cover".into(),
        provider: "Anchor".into(),
        term_months: Some(60),
        term_miles: Some(75_000),
        deductible: None,
        price: Cents(2_400_00),
        cost: Cents(1_300_00),
        conditions: vec![],
        deal_kinds: vec![],
        states: vec![],
        max_age_years: None,
        max_odometer_miles: None,
        max_ltv: None,
        menu_columns: 2,
        cancel_method: CancelMethod::ProRata,
        free_look_days: 30,
        cancel_fee: Cents(50_00),
        effective_from: None,
        effective_to: None,
    }
}

fn law(state: &str, kind: ProductKind) -> ProductLaw {
    ProductLaw {
        id: Uuid::from_u128(3),
        state: state.into(),
        kind,
        price_cap: None,
        min_ltv: None,
        free_look_days: None,
        cancel_fee_cap: None,
        rule_of_78_allowed: false,
        source: "the law".into(),
        verified: true,
        effective_from: None,
        effective_to: None,
    }
}

fn cancel(on: &str, miles: Option<u32>, claims: i64) -> Cancellation {
    Cancellation {
        price: Cents(2_400_00),
        from: day("2026-01-01"),
        on: day(on),
        miles_driven: miles,
        claims: Cents(claims),
        financed: true,
    }
}

fn vehicle() -> ProductVehicle {
    ProductVehicle {
        make: "Toyota".into(),
        fuel: Some("GASOLINE".into()),
        condition: SaleCondition::Used,
        age: 3,
        odometer_miles: Some(40_000),
        msrp: Some(Cents(30_000_00)),
    }
}

fn case(vehicle: &ProductVehicle, kind: QuoteKind) -> ProductCase<'_> {
    ProductCase { vehicle, kind, state: "CA", amount_financed: Cents(25_000_00), others: &[], on: day("2026-11-22") }
}

#[test]
fn a_refund_counts_the_time_or_the_miles_whichever_is_further_gone() {
    let vsc = product(ProductKind::ServiceContract);
    // 2026-01-01 to 2031-01-01 are 1,826 days. After 365 of them 1,461 / 1,826 of 2,400.00 are left: 1,920.26, less 50.00.
    let by_time = vsc.refund(None, &cancel("2027-01-01", Some(10_000), 0));
    assert_eq!((by_time.unearned, by_time.fee, by_time.refund), (Cents(1_920_26), Cents(50_00), Cents(1_870_26)));
    assert_eq!(by_time.payee, RefundPayee::Lender);
    // 30,000 of 75,000 miles: 60 % of 2,400.00 are left, which is less.
    let by_miles = vsc.refund(None, &cancel("2027-01-01", Some(30_000), 200_00));
    assert_eq!((by_miles.unearned, by_miles.claims, by_miles.refund), (Cents(1_440_00), Cents(200_00), Cents(1_190_00)));
    // Used up.
    assert_eq!(vsc.refund(None, &cancel("2032-01-01", None, 0)).refund, Cents::ZERO);
}

#[test]
fn within_the_free_look_everything_comes_back_unless_something_was_claimed() {
    let gap = product(ProductKind::Gap);
    assert_eq!(gap.refund(None, &cancel("2026-01-31", None, 0)).refund, Cents(2_400_00));
    assert!(!gap.refund(None, &cancel("2026-02-01", None, 0)).free_look);
    assert!(!gap.refund(None, &cancel("2026-01-31", None, 1)).free_look);
    // The law's days and its ceiling on the fee win where they are better for the customer.
    let strict = ProductLaw { free_look_days: Some(60), cancel_fee_cap: Some(Cents::ZERO), ..law("SC", ProductKind::Gap) };
    assert!(gap.refund(Some(&strict), &cancel("2026-02-28", None, 0)).free_look);
    assert_eq!(gap.refund(Some(&strict), &cancel("2027-01-01", None, 0)).fee, Cents::ZERO);
}

#[test]
fn the_rule_of_78_is_used_only_where_the_law_allows_it() {
    let mut dent = product(ProductKind::Appearance);
    (dent.cancel_method, dent.term_months, dent.term_miles, dent.cancel_fee) = (CancelMethod::RuleOf78, Some(12), None, Cents::ZERO);
    let allowed = ProductLaw { rule_of_78_allowed: true, ..law("XX", ProductKind::Appearance) };
    let at = cancel("2026-07-01", None, 0);
    // Six of twelve months left: 6 · 7 / (12 · 13) of 2,400.00.
    let by_78 = dent.refund(Some(&allowed), &at);
    assert_eq!((by_78.method, by_78.refund), (CancelMethod::RuleOf78, Cents(646_15)));
    // Elsewhere pro rata: 184 of 365 days left.
    let elsewhere = dent.refund(Some(&law("YY", ProductKind::Appearance)), &at);
    assert_eq!((elsewhere.method, elsewhere.refund), (CancelMethod::ProRata, Cents(1_209_86)));
    assert_eq!(dent.refund(None, &at).refund, Cents(1_209_86));
}

#[test]
fn products_without_a_benefit_are_refused() {
    let rules = |product: &Product, case: &ProductCase<'_>, law: Option<&ProductLaw>| -> Vec<ProductRule> {
        product.refusals(case, law, product.price).into_iter().map(|r| r.rule).collect()
    };
    let car = vehicle();
    let electric = ProductVehicle { fuel: Some("ELECTRIC".into()), ..vehicle() };
    let maintenance = product(ProductKind::Maintenance);
    assert_eq!(rules(&maintenance, &case(&car, QuoteKind::Retail), None), []);
    assert_eq!(rules(&maintenance, &case(&electric, QuoteKind::Retail), None), [ProductRule::NoBenefit]);
    let gap = product(ProductKind::Gap);
    assert_eq!(rules(&gap, &case(&car, QuoteKind::Cash), None), [ProductRule::NoBenefit]);
    assert_eq!(rules(&product(ProductKind::LeaseWear), &case(&car, QuoteKind::Retail), None), [ProductRule::NoBenefit]);
    let driven = ProductVehicle { odometer_miles: Some(75_000), ..vehicle() };
    assert_eq!(rules(&product(ProductKind::ServiceContract), &case(&driven, QuoteKind::Cash), None), [ProductRule::NoBenefit]);
    let others = [(ProductKind::Gap, "GAP waiver".to_owned())];
    let twice = ProductCase { others: &others, ..case(&car, QuoteKind::Retail) };
    assert_eq!(rules(&gap, &twice, None), [ProductRule::Duplicate]);
}

#[test]
fn the_law_caps_the_price_and_forbids_gap_where_little_is_financed() {
    let car = vehicle();
    let gap = product(ProductKind::Gap);
    let california = ProductLaw { price_cap: "4".parse().ok(), min_ltv: "70".parse().ok(), ..law("CA", ProductKind::Gap) };
    let at = |financed: i64, price: i64| -> Vec<ProductRule> {
        let case = ProductCase { amount_financed: Cents(financed), ..case(&car, QuoteKind::Retail) };
        gap.refusals(&case, Some(&california), Cents(price)).into_iter().map(|r| r.rule).collect()
    };
    // 4 % of 25,000.00 are 1,000.00; 70 % of 30,000.00 are 21,000.00.
    assert_eq!(at(25_000_00, 1_000_00), []);
    assert_eq!(at(25_000_00, 1_000_01), [ProductRule::PriceCap]);
    assert_eq!(at(21_000_00, 500_00), [ProductRule::LowLoanToValue]);
    assert_eq!(at(21_000_01, 500_00), []);
}

#[test]
fn the_price_on_a_car_follows_its_class_condition_age_and_miles() {
    let group = GroupId(Uuid::from_u128(2));
    let class = |make: &str, fuel: Option<&str>, class: &str| VehicleClass {
        group_id: group,
        make: make.into(),
        fuel: fuel.map(Into::into),
        class: class.into(),
    };
    let rate = |class: &str, condition, age, miles, price: i64| ProductRate {
        id: Uuid::from_u128(9),
        group_id: group,
        product_code: "P".into(),
        vehicle_class: class.into(),
        condition,
        age,
        miles,
        price: Cents(price),
        cost: Cents(1),
        effective_from: Some(day("2026-01-01")),
        effective_to: None,
    };
    let rows = ProductRows {
        classes: vec![class("*", None, "B"), class("*", Some("ELECTRIC"), "D"), class("toyota", None, "A")],
        rates: vec![
            rate("A", None, (0, 5), (0, 60_000), 2_000_00),
            rate("A", Some(SaleCondition::New), (0, 5), (0, 60_000), 1_800_00),
            rate("D", None, (0, 5), (0, 60_000), 3_000_00),
        ],
        laws: vec![],
    };
    let vsc = product(ProductKind::ServiceContract);
    let at = |vehicle: &ProductVehicle, on: &str| rows.price(&vsc, vehicle, day(on)).price;
    let car = vehicle();
    assert_eq!(at(&car, "2026-11-22"), Cents(2_000_00));
    assert_eq!(at(&ProductVehicle { condition: SaleCondition::New, ..car.clone() }, "2026-11-22"), Cents(1_800_00));
    assert_eq!(at(&ProductVehicle { make: "Rivian".into(), fuel: Some("ELECTRIC".into()), ..car.clone() }, "2026-11-22"), Cents(3_000_00));
    // No row: the product's own price.
    assert_eq!(at(&ProductVehicle { age: 5, ..car.clone() }, "2026-11-22"), Cents(2_400_00));
    assert_eq!(at(&ProductVehicle { odometer_miles: Some(60_000), ..car.clone() }, "2026-11-22"), Cents(2_400_00));
    assert_eq!(at(&car, "2025-12-31"), Cents(2_400_00));
}

proptest! {
    #[test]
    fn a_refund_lies_between_nothing_and_the_price_and_falls_with_time(
        price in 0_i64..5_000_000, after in 0_u64..4_000, later in 0_u64..500, miles in proptest::option::of(0_u32..200_000),
        claims in 0_i64..1_000_000, fee in 0_i64..100_000, method in 0_usize..3, allowed: bool, term in 1_u16..120, look in 0_u16..90,
    ) {
        let mut vsc = product(ProductKind::ServiceContract);
        vsc.cancel_method = CancelMethod::ALL[method];
        (vsc.term_months, vsc.cancel_fee, vsc.free_look_days) = (Some(term), Cents(fee), look);
        let law = ProductLaw { rule_of_78_allowed: allowed, ..law("XX", ProductKind::ServiceContract) };
        let from = day("2026-01-01");
        let at = |days: u64| {
            let on = from.checked_add_days(Days::new(days)).unwrap();
            vsc.refund(Some(&law), &Cancellation { price: Cents(price), from, on, miles_driven: miles, claims: Cents(claims), financed: false })
        };
        let (first, second) = (at(after), at(after + later));
        for refund in [&first, &second] {
            prop_assert!(refund.refund >= Cents::ZERO && refund.refund <= Cents(price), "{refund:?}");
            prop_assert_eq!(refund.unearned - refund.claims - refund.fee, refund.refund);
        }
        prop_assert!(second.refund <= first.refund, "{first:?} {second:?}");
    }
}
