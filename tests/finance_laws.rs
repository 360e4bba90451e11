//! Laws every figure must obey, tried on many random inputs.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use deskless::finance::apr::{self, Flow};
use deskless::finance::lease::{LeaseTerms, MoneyFactor};
use deskless::finance::retail::{self, AccrualBasis, PaymentSchedule, RetailTerms};
use deskless::finance::tax::{LeaseTaxMethod, LocalTaxRule, ProductKind, TaxScheme, Taxable, TradePolicy, total};
use deskless::finance::{
    FeeRule, FeeScope, FinanceError, LinePlacement, ProductLine, Quote, QuoteInput, QuoteKind, SaleCondition, SolveFor, TaxRule, TradeIn,
    VehicleFacts, Worksheet, quote_all, solve,
};
use deskless::kernel::id::{ProductId, StoreId};
use deskless::kernel::money::{Cents, Currency};
use deskless::kernel::rate::Rate;
use proptest::prelude::*;

use super::finance_book;

fn cents(range: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = Cents> {
    range.prop_map(Cents)
}
fn rates(max: i64) -> impl Strategy<Value = Rate> {
    prop_oneof![Just(Rate::ZERO), (0..=max).prop_map(Rate)]
}
fn days() -> impl Strategy<Value = NaiveDate> {
    (0_u64..3_000).prop_map(|n| NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + Days::new(n))
}
fn bases() -> impl Strategy<Value = AccrualBasis> {
    prop_oneof![Just(AccrualBasis::Actual365), Just(AccrualBasis::Actual360), Just(AccrualBasis::Thirty360)]
}
prop_compose! {
    fn contracts()(
        amount_financed in cents(1..=20_000_000),
        prepaid_finance_charge in prop_oneof![Just(Cents::ZERO), cents(1..=100_000)],
        rate in rates(36_000_000),
        term_months in 1_u16..=96,
        contract_date in days(),
        first in 1_u16..=90,
        accrual in bases(),
    ) -> RetailTerms {
        let first_payment_date = retail::first_payment_date(contract_date, first, PaymentSchedule::Monthly, term_months).unwrap();
        // A fee of a thousand for a loan of a cent has no rate the engine looks for.
        let prepaid_finance_charge = prepaid_finance_charge.min(Cents(amount_financed.0 / 20));
        RetailTerms { prepaid_finance_charge, ..RetailTerms::new(amount_financed, rate, term_months, contract_date, first_payment_date, accrual) }
    }
}
prop_compose! {
    /// On any schedule, with or without a balloon.
    fn any_contracts()(
        terms in contracts(),
        schedule in proptest::sample::select(PaymentSchedule::ALL.to_vec()),
        balloon in 0_i64..60,
        days in 1_u16..=60,
        disregard_odd_first_period in any::<bool>(),
    ) -> RetailTerms {
        let first_payment_date = retail::first_payment_date(terms.contract_date, days, schedule, terms.term_months).unwrap();
        let balloon = Cents(terms.amount_financed.0 * balloon.saturating_sub(20).max(0) / 100);
        RetailTerms { schedule, balloon, first_payment_date, disregard_odd_first_period, ..terms }
    }
}
/// Anything at all, also nonsense.
fn wild() -> impl Strategy<Value = Cents> {
    prop_oneof![any::<i64>().prop_map(Cents), (-5_i64..5).prop_map(Cents), cents(0..=10_000_000_000)]
}
prop_compose! {
    fn rules()(
        scheme in prop_oneof![Just(TaxScheme::Sales), Just(TaxScheme::HighwayUse), Just(TaxScheme::None)],
        state_rate in rates(15_000_000),
        local_rate in rates(6_000_000),
        local_rule in prop_oneof![Just(LocalTaxRule::None), Just(LocalTaxRule::Stacked), Just(LocalTaxRule::CappedBase)],
        trade_policy in prop_oneof![Just(TradePolicy::None), Just(TradePolicy::Full), Just(TradePolicy::Capped), Just(TradePolicy::NewOnly)],
        lease_method in prop_oneof![Just(LeaseTaxMethod::PerPayment), Just(LeaseTaxMethod::UpfrontTotal), Just(LeaseTaxMethod::OnPrice), Just(LeaseTaxMethod::None)],
        minimum_tax in prop_oneof![Just(Cents::ZERO), cents(0..=10_000)],
        maximum_tax in proptest::option::of(cents(20_000..=60_000)),
        yes in proptest::array::uniform9(any::<bool>()),
    ) -> TaxRule {
        TaxRule {
            id: uuid::Uuid::nil(),
            jurisdiction: "XX".into(),
            effective_from: None,
            effective_to: None,
            scheme,
            state_rate,
            local_rate,
            local_rule,
            local_base_cap: Some(Cents(500_000)),
            trade_policy,
            trade_cap: Some(Cents(1_000_000)),
            trade_cap_count: Some(1),
            manufacturer_rebate_reduces_base: yes[0],
            dealer_rebate_reduces_base: yes[1],
            doc_fee_taxable: yes[2],
            service_contract_taxable: yes[3],
            service_contract_taxed: if yes[8] { Rate(50_000_000) } else { Rate(100_000_000) },
            maintenance_taxable: yes[5],
            gap_taxable: yes[4],
            other_product_taxable: yes[5],
            product_rate: None,
            product_verified: true,
            lease_method,
            lease_reduction_taxable: yes[6],
            lease_trade_credit: yes[7],
            minimum_tax,
            maximum_tax,
            first_base: None,
            first_tax: Cents::ZERO,
            negative_equity_in_base: yes[8],
            source: String::new(),
            source_read_on: NaiveDate::MIN,
            verified: false,
            lease_verified: false,
            note: None,
        }
    }
}
fn trades(max: i64) -> impl Strategy<Value = Vec<TradeIn>> {
    proptest::collection::vec(
        (cents(0..=max), cents(0..=max)).prop_map(|(allowance, payoff)| TradeIn { allowance, payoff, ..TradeIn::default() }),
        0..3,
    )
}
prop_compose! {
    fn cash_deals()(
        tax_rule in rules(),
        price in cents(0..=12_000_000),
        cash_down in cents(0..=3_000_000),
        rebates in (cents(0..=500_000), cents(0..=500_000)),
        trade_ins in trades(4_000_000),
        doc in cents(0..=90_000),
        title in cents(0..=50_000),
        product in cents(0..=400_000),
        contract_date in days(),
    ) -> QuoteInput {
        let fee = |code: &str, amount, store: bool| FeeRule {
            id: uuid::Uuid::nil(),
            jurisdiction: (!store).then(|| "XX".to_owned()),
            store_id: store.then(|| StoreId(uuid::Uuid::nil())),
            code: code.into(),
            label: code.into(),
            amount,
            cap: Some(Cents(50_000)),
            cap_percent: store.then_some(Rate(5_000_000)),
            estimate: false,
            applies_to: FeeScope::All,
            effective_from: None,
            effective_to: None,
            source: String::new(),
            source_read_on: NaiveDate::MIN,
            verified: true,
        };
        let worksheet = Worksheet {
            cash_down,
            manufacturer_rebate: rebates.0,
            dealer_rebate: rebates.1,
            trade_ins,
            products: vec![ProductLine { id: ProductId(uuid::Uuid::nil()), code: "GAP".into(), kind: ProductKind::Gap, name: "GAP".into(), price: product }],
            ..Worksheet::new(QuoteKind::Cash, Currency::USD, price)
        };
        let vehicle = VehicleFacts {
            condition: SaleCondition::New,
            model_year: 2026,
            odometer_miles: Some(8),
            msrp: Some(Cents(4_000_000)),
            invoice: Some(Cents(3_700_000)),
            book_wholesale: None,
            book_retail: None,
            book_row: None,
        };
        QuoteInput {
            worksheet,
            contract_date,
            vehicle,
            state: "XX".into(),
            tax_rule: Arc::new(tax_rule),
            fees: vec![Arc::new(fee("DOC", doc, true)), Arc::new(fee("TITLE", title, false))],
            program: None,
            markup_laws: vec![],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn payments_less_finance_charge_are_the_amount_financed_and_the_schedule_ends_at_zero(terms in any_contracts()) {
        let figures = terms.figures().unwrap();
        let lines = terms.schedule().unwrap();
        prop_assert_eq!(lines.len(), usize::from(terms.payment_count()));
        prop_assert_eq!(figures.payment_count, terms.payment_count());
        prop_assert_eq!(lines.iter().map(|l| l.payment).sum::<Cents>(), figures.total_of_payments);
        prop_assert_eq!(figures.total_of_payments - figures.finance_charge, terms.amount_financed);
        prop_assert_eq!(lines.last().unwrap().balance, Cents::ZERO);
        let interest: Cents = lines.iter().map(|l| l.interest).sum();
        prop_assert_eq!(figures.finance_charge, interest + terms.prepaid_finance_charge);
        for pair in lines.windows(2) {
            prop_assert!(pair[0].date < pair[1].date);
        }
        for line in &lines {
            prop_assert_eq!(line.interest + line.principal, line.payment);
        }
    }

    #[test]
    fn the_last_payment_differs_only_by_the_cents_of_rounding(terms in contracts()) {
        // Each period rounds the interest and carries half a cent of the payment, both grown to the end of the term.
        prop_assume!(terms.rate <= Rate(12_000_000));
        let figures = terms.figures().unwrap();
        let bound = i64::from(terms.term_months) * 3;
        prop_assert!((figures.final_payment - figures.payment).0.abs() <= bound, "{figures:?}");
    }

    #[test]
    fn the_annual_percentage_rate_is_inverse_to_the_payment(terms in contracts()) {
        // Without a fee, on thirtieths, the rate of the rounded payments is the contract's, to what a cent can do.
        prop_assume!(terms.accrual == AccrualBasis::Thirty360 && terms.amount_financed >= Cents(500_000));
        let terms = RetailTerms { prepaid_finance_charge: Cents::ZERO, ..terms };
        let figures = terms.figures().unwrap();
        let per_year = i64::from(terms.term_months.max(6));
        // Half a cent on each payment of a loan of at least 5,000: below a thousandth of a point a year, more on short terms.
        prop_assert!((figures.apr.0 - terms.rate.0).abs() <= 60_000 / per_year + 2_000, "{} {}", figures.apr, terms.rate);
    }

    #[test]
    fn a_dated_schedule_gives_the_same_rate_as_its_closed_form(terms in any_contracts()) {
        let terms = RetailTerms { disregard_odd_first_period: false, ..terms };
        let figures = terms.figures().unwrap();
        let payments: Vec<Flow> = terms.schedule().unwrap().iter().map(|l| Flow { date: l.date, amount: l.payment }).collect();
        let advance = [Flow { date: terms.contract_date, amount: terms.amount_financed }];
        let dated = apr::apr_in(terms.unit_period().unwrap(), &advance, &payments).unwrap();
        prop_assert!((dated.0 - figures.apr.0).abs() <= 1, "{dated} {}", figures.apr);
    }

    #[test]
    fn more_rate_costs_more_and_more_time_lowers_the_payment(terms in contracts(), more in 1_i64..2_000_000) {
        let dearer = RetailTerms { rate: Rate(terms.rate.0 + more), ..terms.clone() };
        prop_assert!(dearer.payment().unwrap() >= terms.payment().unwrap());
        let longer = RetailTerms { term_months: terms.term_months + 12, ..terms.clone() };
        prop_assert!(longer.payment().unwrap() <= terms.payment().unwrap());
        let less = RetailTerms { amount_financed: Cents((terms.amount_financed.0 - more).max(1)), ..terms.clone() };
        prop_assert!(less.payment().unwrap() <= terms.payment().unwrap());
    }

    #[test]
    fn a_balloon_lowers_the_level_payment_and_nothing_is_lost(terms in any_contracts(), less in 1_i64..100_000) {
        let lower = RetailTerms { balloon: (terms.balloon - Cents(less)).at_least_zero(), ..terms.clone() };
        prop_assert!(lower.payment().unwrap() >= terms.payment().unwrap());
        let paid: Cents = terms.schedule().unwrap().iter().map(|l| l.principal).sum();
        prop_assert_eq!(paid, terms.amount_financed + terms.prepaid_finance_charge);
    }

    #[test]
    fn solving_for_a_payment_and_quoting_again_hits_it(
        rates in proptest::collection::vec(0_i64..18_000_000, 1..4), kinds in any::<bool>(), price in 1_500_000_i64..8_000_000, target in 15_000_i64..200_000,
        term in proptest::sample::select(vec![24_u16, 36, 48, 60, 72]), by_price in any::<bool>(), rule in rules(),
    ) {
        let kind = if kinds { QuoteKind::Retail } else { QuoteKind::Lease };
        let programs = rates.iter().zip(0..).map(|(rate, n)| {
            let mut program = finance_book::program(n, kind, "0");
            program.buy_rate = program.buy_rate.map(|_| Rate(*rate));
            program
        });
        let book = finance_book::book(rule, programs.collect());
        let mut request = finance_book::request(kind);
        (request.worksheet.price, request.worksheet.term_months) = (Cents(price), term);
        let sought = if by_price { SolveFor::Price } else { SolveFor::DownPayment };
        let Ok(solution) = solve(&book, &request, sought, Cents(target)) else { return Ok(()) };
        let found = &solution.found;
        (request.worksheet.price, request.worksheet.cash_down) = (found.price, found.cash_down);
        let again = quote_all(&book, &request).unwrap();
        let same = again.iter().find(|q| q.program.id == found.program.id).and_then(|q| q.quoted()).expect("the program takes what it found");
        prop_assert_eq!(same.quote.payment, found.payment);
        prop_assert_eq!(solution.exact, found.payment == Cents(target));
        for (neighbour, sign) in [(&solution.below, -1), (&solution.above, 1)] {
            if let Some(n) = neighbour {
                prop_assert!((n.payment.0 - target) * sign > 0, "{n:?}");
            }
        }
        if !solution.exact && solution.below.is_some() && solution.above.is_some() {
            let (b, a) = (solution.below.as_ref().unwrap(), solution.above.as_ref().unwrap());
            prop_assert_eq!((b.price.0 - a.price.0).abs() + (b.cash_down.0 - a.cash_down.0).abs(), 1, "neighbours are a cent apart");
        }
    }

    #[test]
    fn principal_for_a_payment_is_its_inverse(payment in cents(1_000..=500_000), rate in rates(36_000_000), term in 1_u16..=96) {
        let principal = retail::principal_for_payment(payment, rate, term).unwrap();
        let contract_date = NaiveDate::from_ymd_opt(2026, 1, 15).unwrap();
        let first = NaiveDate::from_ymd_opt(2026, 2, 15).unwrap();
        let terms = RetailTerms::new(principal, rate, term, contract_date, first, AccrualBasis::Thirty360);
        prop_assert!((terms.payment().unwrap() - payment).0.abs() <= 1);
    }

    #[test]
    fn lines_sum_to_the_totals(deal in cash_deals()) {
        let quote = deal.quote().unwrap();
        prop_assert_eq!(quote.sum(LinePlacement::Financed), quote.amount_financed);
        prop_assert_eq!(quote.sum(LinePlacement::AtSigning), Cents::ZERO);
        let table = &deal.worksheet;
        let credits = table.cash_down + table.manufacturer_rebate + table.dealer_rebate;
        let trade: Cents = table.trade_ins.iter().map(|t| t.allowance - t.payoff).sum();
        prop_assert_eq!(quote.amount_financed, quote.total_price - credits - trade);
        prop_assert_eq!(quote.total_price, table.price + quote.products + quote.fees + quote.tax);
        prop_assert_eq!(quote.down_payment - quote.prior_balance, credits + trade);
        let tax: Cents = quote.lines.iter().filter(|l| l.code.starts_with("TAX_")).map(|l| l.amount).sum();
        prop_assert_eq!(tax, quote.tax);
        let again: QuoteInput = serde_json::from_str(&serde_json::to_string(&deal).unwrap()).unwrap();
        prop_assert_eq!(serde_json::to_string(&again.quote().unwrap()).unwrap(), serde_json::to_string(&quote).unwrap());
        let read: Quote = serde_json::from_str(&serde_json::to_string(&quote).unwrap()).unwrap();
        prop_assert_eq!(read, quote);
    }

    #[test]
    fn tax_is_never_negative_and_stays_within_its_bounds(rule in rules(), price in cents(0..=12_000_000), trades in trades(20_000_000)) {
        let sale = Taxable { price, trade_ins: &trades, new_vehicle: true, ..Taxable::default() };
        let base = rule.vehicle_base(&sale).unwrap();
        prop_assert!(base >= Cents::ZERO);
        let lines = rule.on_purchase(&sale).unwrap();
        let tax = total(&lines);
        prop_assert!(tax >= Cents::ZERO);
        prop_assert!(rule.maximum_tax.is_none_or(|most| tax <= most));
        if rule.scheme != TaxScheme::None && price > Cents::ZERO {
            prop_assert!(tax >= rule.minimum_tax.min(rule.maximum_tax.unwrap_or(rule.minimum_tax)));
        }
        // A dollar more never lowers the tax.
        let dearer = Taxable { price: price + Cents(100), ..sale };
        prop_assert!(total(&rule.on_purchase(&dearer).unwrap()) >= tax);
    }

    #[test]
    fn a_lease_is_its_depreciation_and_its_rent(gross in cents(1_000_000..=12_000_000), share in 1_i64..95, reduction in 0_i64..20, factor in 0_i64..500_000, term in 6_u16..=72) {
        let cap_reduction = Cents(gross.0 * reduction / 100);
        let residual = Cents((gross - cap_reduction).0 * share / 100);
        let terms = LeaseTerms { gross_cap_cost: gross, cap_reduction, residual, money_factor: MoneyFactor(factor), term_months: term };
        let f = terms.figures().unwrap();
        prop_assert_eq!(f.depreciation + f.rent_charge, f.total_of_base_payments);
        prop_assert_eq!(f.gross_cap_cost - f.cap_reduction, f.adjusted_cap_cost);
        prop_assert!((f.monthly_depreciation + f.monthly_rent - f.base_payment).0.abs() <= 1);
    }

    #[test]
    fn nonsense_gets_a_named_error_never_a_panic(
        amount in wild(), fee in wild(), rate in any::<i64>(), term in any::<u16>(), from in any::<i32>(), to in any::<i32>(), basis in bases(),
        schedule in proptest::sample::select(PaymentSchedule::ALL.to_vec()),
    ) {
        let date = |n: i32| NaiveDate::from_num_days_from_ce_opt(n % 4_000_000).unwrap_or(NaiveDate::MAX);
        let terms = RetailTerms {
            prepaid_finance_charge: fee,
            balloon: fee,
            schedule,
            disregard_odd_first_period: term % 2 == 0,
            ..RetailTerms::new(amount, Rate(rate), term, date(from), date(to), basis)
        };
        let _: Result<_, FinanceError> = terms.figures();
        let _: Result<_, FinanceError> = terms.schedule_with(fee);
        let _ = retail::principal_for_payment(amount, Rate(rate), term);
        let flow = |n, amount| Flow { date: date(n), amount };
        let _ = apr::apr(&[flow(from, amount)], &[flow(to, fee), flow(to.wrapping_add(40), fee), flow(from.wrapping_add(400), amount)]);
        let lease = LeaseTerms { gross_cap_cost: amount, cap_reduction: fee, residual: fee, money_factor: MoneyFactor(rate), term_months: term };
        let _ = lease.figures();
    }

    #[test]
    fn wild_deals_get_a_quote_or_a_named_error(deal in cash_deals(), price in wild(), down in wild(), allowance in wild(), rebate in wild(), rate in any::<i64>()) {
        let mut deal = deal;
        Arc::make_mut(&mut deal.tax_rule).state_rate = Rate(rate);
        (deal.worksheet.price, deal.worksheet.cash_down, deal.worksheet.manufacturer_rebate) = (price, down, rebate);
        deal.worksheet.trade_ins.push(TradeIn { allowance, payoff: rebate, ..TradeIn::default() });
        let _: Result<Quote, FinanceError> = deal.quote();
    }
}

#[test]
fn golden_contract_of_thirty_thousand() {
    let (contract, first) = ("2026-03-15".parse().unwrap(), "2026-04-15".parse().unwrap());
    let terms = RetailTerms::new(Cents(3_000_000), "6.9".parse().unwrap(), 72, contract, first, AccrualBasis::Thirty360);
    let figures = terms.figures().unwrap();
    assert_eq!((figures.payment, figures.final_payment, figures.total_of_payments), (Cents(51_003), Cents(51_010), Cents(3_672_223)));
    assert_eq!(figures.finance_charge, Cents(672_223));
    // A first payment 45 days away (15 March to 29 April 2025) at the same rate.
    let odd = RetailTerms { contract_date: "2025-03-15".parse().unwrap(), first_payment_date: "2025-04-29".parse().unwrap(), ..terms };
    assert_eq!(odd.payment(), Ok(Cents(51_140)));
    // What a payment of 500 repays.
    assert_eq!(retail::principal_for_payment(Cents(50_000), "6.9".parse().unwrap(), 72), Ok(Cents(2_940_999)));
    // Reserve: bought at 5.90, sold at 7.40.
    let at = |rate: &str| RetailTerms { rate: rate.parse().unwrap(), first_payment_date: "2025-04-15".parse().unwrap(), ..odd.clone() };
    assert_eq!((at("5.9").payment(), at("7.4").payment()), (Ok(Cents(49_577)), Ok(Cents(51_725))));
    let spread = retail::reserve_spread(Cents(3_000_000), "5.9".parse().unwrap(), Cents(51_725), 72).unwrap();
    assert_eq!(spread, Cents(129_969));
    assert_eq!("75".parse::<Rate>().unwrap().of(spread), Some(Cents(97_477)));
}
