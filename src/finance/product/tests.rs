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
        must_decide: false,
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
        owed_months: Some(60),
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

/// A contract of 24 months: the waiver that was sold with it for 60 is over when it is, and from then on the customer is paid.
#[test]
fn gap_ends_with_its_contract_and_so_does_what_the_lender_is_owed() {
    let (gap, vsc) = (product(ProductKind::Gap), product(ProductKind::ServiceContract));
    let after = |product: &Product, on: &str| {
        let refund = product.refund(None, &Cancellation { owed_months: Some(24), ..cancel(on, None, 0) });
        (refund.unearned, refund.payee)
    };
    // 365 of 730 days.
    assert_eq!(after(&gap, "2027-01-01"), (Cents(1_200_00), RefundPayee::Lender));
    assert_eq!(after(&gap, "2028-01-01"), (Cents::ZERO, RefundPayee::Lender));
    assert_eq!(after(&gap, "2028-01-02"), (Cents::ZERO, RefundPayee::Customer));
    // The service contract goes on: 1,095 of 1,826 days are left, which the customer gets.
    assert_eq!(after(&vsc, "2028-01-02"), (Cents(1_439_21), RefundPayee::Customer));
    // Paid at once, it covers as long as it says.
    let paid = gap.refund(None, &Cancellation { owed_months: None, ..cancel("2027-01-01", None, 0) });
    assert_eq!((paid.unearned, paid.payee), (Cents(1_920_26), RefundPayee::Customer));
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

const GROUP: GroupId = GroupId(Uuid::from_u128(2));

fn class(make: &str, fuel: Option<&str>, class: &str) -> VehicleClass {
    VehicleClass { group_id: GROUP, make: make.into(), fuel: fuel.map(Into::into), class: class.into() }
}

#[test]
fn the_price_on_a_car_follows_its_class_condition_age_and_miles() {
    let rate = |class: &str, condition, age, miles, price: i64| ProductRate {
        id: Uuid::from_u128(9),
        group_id: GROUP,
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

#[test]
fn each_limit_of_a_product_is_taken_up_to_and_refused_beyond() {
    let limited = Product {
        conditions: vec![SaleCondition::Used],
        deal_kinds: vec![QuoteKind::Retail],
        states: vec!["CA".into()],
        max_age_years: Some(3),
        max_odometer_miles: Some(40_000),
        max_ltv: "80".parse().ok(),
        ..product(ProductKind::TireAndWheel)
    };
    let rules = |vehicle: &ProductVehicle, change: &dyn Fn(&mut ProductCase<'_>)| -> Vec<ProductRule> {
        // 80 % of the list price of 30,000.00 are 24,000.00.
        let mut case = ProductCase { amount_financed: Cents(24_000_00), ..case(vehicle, QuoteKind::Retail) };
        change(&mut case);
        limited.refusals(&case, None, limited.price).into_iter().map(|r| r.rule).collect()
    };
    let (car, as_it_is) = (vehicle(), |_: &mut ProductCase<'_>| ());
    assert_eq!(rules(&car, &as_it_is), []);
    assert_eq!(rules(&ProductVehicle { condition: SaleCondition::New, ..vehicle() }, &as_it_is), [ProductRule::Condition]);
    assert_eq!(rules(&ProductVehicle { age: 4, ..vehicle() }, &as_it_is), [ProductRule::Age]);
    assert_eq!(rules(&ProductVehicle { odometer_miles: Some(40_001), ..vehicle() }, &as_it_is), [ProductRule::Mileage]);
    assert_eq!(rules(&ProductVehicle { odometer_miles: None, ..vehicle() }, &as_it_is), [], "what is not known is not held against it");
    assert_eq!(rules(&car, &|case| case.state = "NV"), [ProductRule::State]);
    assert_eq!(rules(&car, &|case| case.amount_financed = Cents(24_000_01)), [ProductRule::LoanToValue]);
    // For cash nothing is lent, but this one is for contracts.
    let cash = |case: &mut ProductCase<'_>| (case.kind, case.amount_financed) = (QuoteKind::Cash, Cents(40_000_00));
    assert_eq!(rules(&car, &cash), [ProductRule::DealKind]);
}

#[test]
fn wear_is_covered_on_a_lease_and_only_there() {
    let (wear, car) = (product(ProductKind::LeaseWear), vehicle());
    let refused = |kind| !wear.refusals(&case(&car, kind), None, wear.price).is_empty();
    assert_eq!((refused(QuoteKind::Lease), refused(QuoteKind::Retail), refused(QuoteKind::Cash)), (false, true, true));
}

#[test]
fn the_fullest_column_holds_everything_once_and_each_further_one_less() {
    let of = |id: u128, kind, term, columns| Product {
        id: ProductId(Uuid::from_u128(id)),
        term_months: term,
        menu_columns: columns,
        ..product(kind)
    };
    let long = of(1, ProductKind::ServiceContract, Some(84), 1);
    let usual = of(2, ProductKind::ServiceContract, Some(60), 3);
    let gap = of(3, ProductKind::Gap, None, 4);
    let keys = of(4, ProductKind::Key, Some(36), 2);
    let entry = |product: &Product, refusals: &[ProductRule]| MenuEntry {
        product_id: product.id,
        price: product.price,
        refusals: refusals.iter().map(|rule| ProductRefusal { rule: *rule, message: String::new() }).collect(),
        reasons: vec![],
        columns: vec![],
    };
    let columns = |keys_refused: &[ProductRule]| -> Vec<Vec<u8>> {
        let mut entries = vec![
            (&usual, entry(&usual, &[])),
            (&long, entry(&long, &[ProductRule::Duplicate])),
            (&gap, entry(&gap, &[])),
            (&keys, entry(&keys, keys_refused)),
        ];
        menu(&mut entries);
        entries.into_iter().map(|(_, entry)| entry.columns).collect()
    };
    // The longer of two contracts stands in the first column, the usual one in the next two; a duplicate keeps its place.
    assert_eq!(columns(&[]), [vec![2, 3], vec![1], vec![1, 2, 3, 4], vec![1, 2]]);
    assert_eq!(columns(&[ProductRule::Age])[3], Vec::<u8>::new(), "what may not be sold stands nowhere");
}

#[test]
fn a_suggestion_says_what_the_customer_said_and_nothing_is_suggested_without() {
    let deal = DealNeeds { kind: QuoteKind::Retail, term_months: 60, amount_financed: Cents(27_000_00), price: Cents(30_000_00) };
    let said = |kind, needs: CustomerNeeds, deal: DealNeeds| needs.reasons(&product(kind), &deal);
    let none = CustomerNeeds::default();
    for kind in ProductKind::ALL {
        assert_eq!(said(*kind, none, deal), Vec::<String>::new(), "{kind}");
    }
    // Longer than the usual warranty of three years and 36,000 miles.
    let keeps = |years, miles| CustomerNeeds { keeps_years: Some(years), miles_per_year: Some(miles), ..none };
    assert_eq!(said(ProductKind::ServiceContract, keeps(3, 12_000), deal), Vec::<String>::new());
    assert_eq!(said(ProductKind::ServiceContract, keeps(3, 12_001), deal).len(), 1);
    assert_eq!(
        said(ProductKind::ServiceContract, CustomerNeeds { repair_is_burden: Some(true), ..keeps(5, 10_000) }, deal),
        [
            "You keep a car 5 years; most makers' warranties end after 3.",
            "You will drive about 50000 miles in that time; most makers' warranties end at 36000.",
            "You said a repair of 2500 would be a burden.",
        ]
    );
    // A gap is likely above 90 % of the price, or over more than 60 months; never where nothing is owed.
    let owes = |financed, term_months| DealNeeds { amount_financed: Cents(financed), term_months, ..deal };
    let gap = said(ProductKind::Gap, none, owes(30_600_00, 72));
    assert!(gap[0].starts_with("You finance 102 % of the car's price") && gap[1].starts_with("Over 72 months"), "{gap:?}");
    assert_eq!((said(ProductKind::Gap, none, owes(27_000_01, 60)).len(), said(ProductKind::Gap, none, owes(1, 61)).len()), (1, 1));
    assert_eq!(said(ProductKind::Gap, none, DealNeeds { kind: QuoteKind::Cash, ..owes(30_600_00, 72) }), Vec::<String>::new());
    assert_eq!(said(ProductKind::Maintenance, keeps(1, 15_000), deal), ["You drive 15000 miles a year: services come often."]);
    assert_eq!(said(ProductKind::Maintenance, keeps(1, 14_999), deal), Vec::<String>::new());
    let street = CustomerNeeds { street_parking: Some(true), rough_roads: Some(true), ..none };
    assert_eq!(said(ProductKind::TireAndWheel, street, deal).len(), 2);
    let family = CustomerNeeds { children_or_pets: Some(true), loses_keys: Some(true), rough_roads: Some(true), ..none };
    assert_eq!(said(ProductKind::Appearance, family, deal), ["Children or animals ride along."]);
    assert_eq!(said(ProductKind::Appearance, street, deal), ["Your car stands in the street."]);
    assert_eq!(said(ProductKind::Key, family, deal), ["You said keys get lost in your household."]);
    // Wear matters where the car goes back.
    assert_eq!(said(ProductKind::LeaseWear, family, deal), Vec::<String>::new());
    assert_eq!(said(ProductKind::LeaseWear, family, DealNeeds { kind: QuoteKind::Lease, ..deal }).len(), 2);
}

#[test]
fn a_law_holds_for_its_state_kind_and_days() {
    let mut california = law("CA", ProductKind::Gap);
    (california.effective_from, california.effective_to) = (Some(day("2026-01-01")), Some(day("2027-01-01")));
    let rows = ProductRows { laws: vec![law("SC", ProductKind::Gap), california], ..ProductRows::default() };
    let found = |state, kind, on| rows.law(state, kind, day(on)).map(|law| law.state.as_str());
    assert_eq!(found("CA", ProductKind::Gap, "2026-01-01"), Some("CA"));
    assert_eq!(found("CA", ProductKind::Gap, "2026-12-31"), Some("CA"));
    assert_eq!((found("CA", ProductKind::Gap, "2027-01-01"), found("CA", ProductKind::Gap, "2025-12-31")), (None, None));
    assert_eq!((found("CA", ProductKind::Key, "2026-06-01"), found("TX", ProductKind::Gap, "2026-06-01")), (None, None));
    assert_eq!(found("SC", ProductKind::Gap, "1999-01-01"), Some("SC"), "a row without days holds always");
}

#[test]
fn the_closest_row_says_a_vehicles_class() {
    let rows = |classes| ProductRows { classes, ..ProductRows::default() };
    let all = rows(vec![
        class("Toyota", Some("HYBRID"), "make and fuel"),
        class("TOYOTA", None, "make"),
        class("*", Some("HYBRID"), "fuel"),
        class("*", None, "any"),
    ]);
    let of = |rows: &ProductRows, make: &str, fuel: Option<&str>| {
        rows.class(GROUP, &ProductVehicle { make: make.into(), fuel: fuel.map(Into::into), ..vehicle() })
    };
    assert_eq!(of(&all, "toyota", Some("HYBRID")), "make and fuel");
    assert_eq!(of(&all, "toyota", Some("GASOLINE")), "make");
    assert_eq!(of(&all, "Kia", Some("HYBRID")), "fuel");
    assert_eq!((of(&all, "Kia", Some("GASOLINE")), of(&all, "Kia", None)), ("any".to_owned(), "any".to_owned()));
    // Another make's row says nothing, and another group's neither.
    assert_eq!(of(&rows(vec![class("Toyota", Some("HYBRID"), "D"), class("Toyota", None, "C")]), "Kia", Some("HYBRID")), "A");
    assert_eq!(all.class(GroupId(Uuid::from_u128(7)), &vehicle()), "A");
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
            vsc.refund(Some(&law), &Cancellation { price: Cents(price), from, on, miles_driven: miles, claims: Cents(claims), owed_months: None })
        };
        let (first, second) = (at(after), at(after + later));
        for refund in [&first, &second] {
            prop_assert!(refund.refund >= Cents::ZERO && refund.refund <= Cents(price), "{refund:?}");
            prop_assert_eq!(refund.unearned - refund.claims - refund.fee, refund.refund);
        }
        prop_assert!(second.refund <= first.refund, "{first:?} {second:?}");
    }
}
