//! Seeded rules, the golden deal of every state, programs and premiums from the database.

use std::sync::Arc;

use chrono::NaiveDate;
use deskless::db::By;
use deskless::finance::{
    LinePlacement, ProductKind, ProductLine, QuoteKind, QuoteRequest, RefusalRule, RuleBook, RuleTable, SaleCondition, TradeIn,
    VehicleFacts, Worksheet, cash_quote, payment_grid, quote_all, seed_rules,
};
use deskless::insurance::{self, Coverage, InsuranceRequest, LenderInterest};
use deskless::kernel::id::{GroupId, ProductId};
use deskless::kernel::money::{Cents, Currency};
use deskless::kernel::rate::Rate;

use crate::helpers::TestApp;

async fn seeded() -> (TestApp, Arc<RuleBook>) {
    let app = TestApp::start().await;
    seed(&app).await;
    app.app.rules.reload().await.expect("rules");
    let book = app.app.rules.book();
    (app, book)
}

async fn import(app: &TestApp, table: RuleTable, text: &str) {
    let done = app.app.rules.import(app.group, table, text.as_bytes(), By::system(), false).await.expect("a readable file");
    assert_eq!(done.refused, [], "{}", table.name());
}

async fn seed(app: &TestApp) -> u64 {
    let mut tx = app.app.db.begin(By::system()).await.expect("a transaction");
    let added = seed_rules(tx.conn(), app.group).await.expect("seeds");
    tx.commit().await.expect("commit");
    added
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Price 30,000, trade-in 10,000 free of debt, assigned manufacturer's rebate 2,000.
pub fn golden(app: &TestApp, jurisdiction: &str, on: &str) -> QuoteRequest {
    QuoteRequest {
        group: app.group,
        store: app.austin,
        on: day(on),
        jurisdiction: jurisdiction.into(),
        vehicle: VehicleFacts {
            condition: SaleCondition::New,
            model_year: 2026,
            odometer_miles: Some(12),
            msrp: Some(Cents(32_500_00)),
            invoice: Some(Cents(30_100_00)),
            book_wholesale: None,
            book_retail: None,
            book_row: None,
        },
        credit_tier: "A".into(),
        worksheet: Worksheet {
            manufacturer_rebate: Cents(2_000_00),
            trade_ins: vec![TradeIn { allowance: Cents(10_000_00), ..TradeIn::default() }],
            term_months: 60,
            ..Worksheet::new(QuoteKind::Retail, Currency::USD, Cents(30_000_00))
        },
    }
}

#[tokio::test]
async fn seeds_load_once_and_the_rule_book_hears_of_changes() {
    let app = TestApp::start().await;
    assert!(app.app.rules.book().jurisdiction("TX").is_none());
    assert!(seed(&app).await > 500);
    assert_eq!(seed(&app).await, 0, "a second load adds nothing");
    // The background task reads the rules by itself once the database announces them.
    crate::helpers::until("the rule book is read again", async || app.app.rules.book().jurisdiction("TX").is_some()).await;
}

/// Highway use tax on the car, general sales tax on what is sold with it; only the second is not checked.
#[tokio::test]
async fn north_carolina_taxes_a_service_contract_by_another_rate_than_the_car() {
    let (app, book) = seeded().await;
    let mut request = golden(&app, "NC", "2026-11-21");
    let verified = |request: &QuoteRequest| {
        let quote = cash_quote(&book, request).unwrap().quote;
        quote.rules.iter().find(|rule| rule.table == "tax_rule").unwrap().verified
    };
    assert!(verified(&request));
    let mut line = |kind, price| {
        let (id, code) = (ProductId(uuid::Uuid::nil()), format!("{kind}"));
        request.worksheet.products.push(ProductLine { id, name: code.clone(), code, kind, price: Cents(price) });
    };
    line(ProductKind::Gap, 800_00);
    line(ProductKind::ServiceContract, 1_995_00);
    let quote = cash_quote(&book, &request).unwrap().quote;
    let tax: Vec<(&str, Cents, bool)> =
        quote.lines.iter().filter(|l| l.code.starts_with("TAX")).map(|l| (&*l.code, l.amount, l.unverified_source.is_none())).collect();
    // 1,995.00 at 6.75 % is 134.6625.
    let car = quote.tax - Cents(134_66);
    assert_eq!(tax, [("TAX_STATE", car, true), ("TAX_PRODUCTS", Cents(134_66), false)]);
    assert!(!verified(&request));
}

/// State, day, new car, expected tax, why. The golden deal: price 30,000, trade-in 10,000, assigned rebate 2,000, document fee 85.
const GOLDEN: &[(&str, &str, bool, &str, &str)] = &[
    ("CA", "2026-11-21", true, "2181.16", "30,085 at 7.25 %: no trade credit, rebate taxed"),
    ("TX", "2026-11-21", true, "1125.00", "18,000 at 6.25 %: full credit, rebates deducted, document fee out"),
    ("FL-MIAMI-DADE", "2026-11-21", true, "1255.10", "20,085 at 6 % and 1 % of the first 5,000"),
    ("FL", "2026-11-21", true, "1205.10", "20,085 at 6 %, no county"),
    ("NC", "2026-11-21", true, "602.55", "20,085 at 3 %"),
    ("VA", "2026-11-21", true, "1248.53", "30,085 at 4.15 %: never a credit, rebate taxed"),
    ("MI", "2023-12-31", true, "1260.00", "21,000 at 6 %: 9,000 count (no fee rows yet)"),
    ("MI", "2025-06-30", true, "1205.10", "20,085 at 6 %: all 10,000 count under the cap of 11,000"),
    ("MI", "2026-01-01", true, "1205.10", "the same under 12,000"),
    ("MI", "2030-01-01", true, "1205.10", "full credit"),
    ("NY-NYC", "2026-11-21", true, "1775.00", "20,000 at 8.875 %: document fee out, rebate taxed"),
    ("NY", "2026-11-21", true, "800.00", "20,000 at 4 %"),
    ("OH", "2026-11-21", true, "1154.89", "20,085 at 5.75 %: credit on a new car"),
    ("OH", "2026-11-21", false, "1729.89", "30,085 at 5.75 %: none on a used one"),
    ("GA", "2026-11-21", true, "1400.00", "20,000 at 7 % ad valorem, document fee out"),
    ("MD", "2025-06-30", true, "1805.10", "30,085 at 6 %"),
    ("MD", "2025-07-01", true, "1955.53", "30,085 at 6.5 %"),
];

#[tokio::test]
async fn golden_deal_of_every_state_comes_out_to_the_cent() {
    let (app, book) = seeded().await;
    // The golden deal has a document fee of 85 in every state; the rows of the store carry its own.
    let mut wrong = 0;
    println!("{:<14} {:<10} {:<5} {:>9} {:>9}", "state", "on", "new", "expected", "got");
    for (state, on, new, expected, why) in GOLDEN {
        let mut request = golden(&app, state, on);
        if !new {
            request.vehicle.condition = SaleCondition::Used;
        }
        let mut input = request.input(&book, None).unwrap();
        input.worksheet.kind = QuoteKind::Cash;
        input.fees.retain(|f| f.code == "DOC");
        for fee in &mut input.fees {
            let fee = Arc::make_mut(fee);
            (fee.amount, fee.cap, fee.cap_percent) = (Cents(85_00), None, None);
        }
        let quote = input.quote().unwrap();
        assert_eq!(quote.sum(LinePlacement::Financed), quote.amount_financed);
        let got = quote.tax.to_string();
        println!("{state:<14} {on} {new:<5} {expected:>9} {got:>9}  {why}");
        wrong += u32::from(got != *expected);
    }
    assert_eq!(wrong, 0, "see the table");
    // Every state with tax rows is in the table.
    for rule in book.tax_rules() {
        let state = book.state_of(&rule.jurisdiction).unwrap();
        assert!(GOLDEN.iter().any(|(place, ..)| place.starts_with(state)), "{state} has no golden deal");
    }
    // Virginia's minimum of 75 holds for a car of 500.
    let mut cheap = golden(&app, "VA", "2026-11-21");
    let table = &mut cheap.worksheet;
    (table.price, table.trade_ins, table.manufacturer_rebate) = (Cents(500_00), vec![], Cents::ZERO);
    assert_eq!(cash_quote(&book, &cheap).unwrap().quote.tax, Cents(75_00));
}

/// What a rule row says, and the tax of the golden deal under it, with the deal changed a little.
#[tokio::test]
async fn every_policy_of_a_tax_row_counts() {
    let (app, _) = seeded().await;
    // scheme, rate, local rate, local rule, base cap | trade, cap, count | rebates of maker and dealer | doc | products | minimum, ceiling, first, its tax | negative equity
    let rows = [
        // Capped at 6,000 and one trade-in; 30,085 − 6,000 − 2,000 − 500 at 5 %.
        ("QA", "SALES,5,0,NONE,,CAPPED,6000,1,true,true,true,false,100,false,false,false,0,,,0,false", "1079.25"),
        // Only the dealer's rebate counts; 30,085 − 10,000 − 500 at 5 %.
        ("QB", "SALES,5,0,NONE,,FULL,,,false,true,true,false,100,false,false,false,0,,,0,false", "979.25"),
        // Only the maker's; 30,085 − 10,000 − 2,000 at 5 %.
        ("QC", "SALES,5,0,NONE,,FULL,,,true,false,true,false,100,false,false,false,0,,,0,false", "904.25"),
        // 14,500 are owed on two cars worth 10,500: 30,085 − 10,500 − 2,500 + 4,000 at 5 %.
        ("QD", "SALES,5,0,NONE,,FULL,,,true,true,true,false,100,false,false,false,0,,,0,true", "1054.25"),
        // Half of the service contract, not the GAP, all of the maintenance: 1,000 + 800 at 5 % beside 854.25.
        ("QE", "SALES,5,0,NONE,,FULL,,,true,true,true,true,50,false,true,false,0,,,0,false", "944.25"),
        // A ceiling of 500 on the whole tax of the car; products are taxed beside it.
        ("QF", "EXCISE,5,0,NONE,,FULL,,,true,true,true,false,100,false,false,false,0,500,,0,false", "500.00"),
        // 20 on the first 1,500 of 17,085, then 3.25 %: 20 + 506.51.
        ("QG", "EXCISE,3.25,0,NONE,,FULL,,,true,true,true,false,100,false,false,false,0,,1500,20,false", "526.51"),
        // No tax at all.
        ("QH", "NONE,0,0,NONE,,FULL,,,true,true,true,true,100,true,true,true,0,,,0,false", "0.00"),
    ];
    let places: String = rows.iter().map(|(code, ..)| format!("{code},{code},Test {code}\n")).collect();
    import(&app, RuleTable::Jurisdictions, &format!("code,state,name\n{places}")).await;
    let head = "jurisdiction,from,scheme,state_rate,local_rate,local_rule,local_base_cap,trade_policy,trade_cap,trade_cap_count,mfr_rebate,dealer_rebate,\
                doc_fee,service_contract,service_contract_percent,gap,maintenance,other_product,minimum_tax,maximum_tax,first_base,first_tax,\
                negative_equity,lease_method,lease_reduction,lease_trade_credit,source,read_on,verified\n";
    let lines: String =
        rows.iter().map(|(code, row, _)| format!("{code},2026-01-01,{row},NONE,false,false,Test,2026-11-22,true\n")).collect();
    import(&app, RuleTable::TaxRules, &format!("{head}{lines}")).await;
    let book = app.app.rules.book();
    let mut wrong = 0;
    for (code, row, expected) in rows {
        let mut request = golden(&app, code, "2026-11-21");
        let table = &mut request.worksheet;
        table.dealer_rebate = Cents(500_00);
        table.trade_ins.push(TradeIn { allowance: Cents(500_00), payoff: Cents(14_500_00), ..TradeIn::default() });
        if ["QB", "QC"].contains(&code) {
            table.trade_ins.pop();
        }
        table.products = [("VSC-60-75", 2_000_00), ("GAP", 900_00), ("MAINT-36", 800_00)]
            .iter()
            .map(|(product, price)| book.products(app.group, request.on).find(|p| p.code == *product).unwrap().line(Some(Cents(*price))))
            .collect();
        let mut input = request.input(&book, None).unwrap();
        input.worksheet.kind = QuoteKind::Cash;
        input.fees.retain(|f| f.code == "DOC");
        Arc::make_mut(&mut input.fees[0]).amount = Cents(85_00);
        let quote = input.quote().unwrap();
        let got = quote.tax.to_string();
        println!("{code} {expected:>9} {got:>9}  {row}");
        wrong += u32::from(got != expected);
    }
    assert_eq!(wrong, 0, "see the table");
}

#[tokio::test]
async fn a_document_fee_never_exceeds_the_laws_share_of_the_price() {
    let (app, book) = seeded().await;
    let fee = |cap: Option<i64>, percent: Option<&str>| {
        let mut fee = book.fees("TX", app.austin, day("2026-11-21")).find(|f| f.code == "DOC").unwrap().as_ref().clone();
        (fee.amount, fee.cap, fee.cap_percent) = (Cents(300_00), cap.map(Cents), percent.map(|p| p.parse().unwrap()));
        fee
    };
    // Michigan: the lesser of 5 % and 260.
    assert_eq!(fee(Some(260_00), Some("5")).charged(Cents(30_000_00)), Cents(260_00));
    assert_eq!(fee(Some(260_00), Some("5")).charged(Cents(4_000_19)), Cents(200_00));
    assert_eq!(fee(None, Some("5")).charged(Cents(100_000_00)), Cents(300_00));
    assert_eq!(fee(None, None).charged(Cents(1)), Cents(300_00));
}

#[tokio::test]
async fn an_unverified_fee_shows_on_its_line() {
    let (app, book) = seeded().await;
    let quote = cash_quote(&book, &golden(&app, "NC", "2026-11-21")).unwrap().quote;
    let of = |code: &str| quote.lines.iter().find(|l| l.code == code).unwrap();
    assert!(of("FEE_TITLE").unverified_source.as_deref().is_some_and(|s| s.contains("20-85")));
    assert_eq!(of("TAX_STATE").unverified_source, None);
    assert!(of("TAX_STATE").rule_id.is_some() && of("PRICE").rule_id.is_none());
    assert!(!quote.verified);
    // Every row behind a deal in California and Florida was found at a stated source.
    for place in ["CA", "FL", "FL-MIAMI-DADE"] {
        let quote = cash_quote(&book, &golden(&app, place, "2026-11-21")).unwrap().quote;
        assert_eq!(quote.unverified_rules().map(|r| r.label.clone()).collect::<Vec<_>>(), Vec::<String>::new(), "{place}");
        assert!(quote.verified, "{place}");
    }
}

#[tokio::test]
async fn the_buyers_place_decides() {
    let (_app, book) = seeded().await;
    let at = |state: &str, zip: &str| book.jurisdiction_at(state, zip).map(|j| j.code.clone());
    assert_eq!(at("NY", "10001").as_deref(), Some("NY-NYC"));
    assert_eq!(at("NY", "14850").as_deref(), Some("NY"));
    assert_eq!(at("FL", "33130-1234").as_deref(), Some("FL-MIAMI-DADE"));
    // A ZIP of another state does not win over the state said.
    assert_eq!(at("TX", "10001").as_deref(), Some("TX"));
    assert_eq!(at("WY", "82001"), None);
}

#[tokio::test]
async fn unverified_rules_mark_the_quote_and_verified_ones_do_not() {
    let (app, book) = seeded().await;
    let priced = cash_quote(&book, &golden(&app, "TX", "2026-11-21")).unwrap();
    assert!(!priced.quote.verified);
    assert!(priced.quote.unverified_rules().any(|r| r.table == "tax_rule"));
    let mut input = golden(&app, "CA", "2026-11-21").input(&book, None).unwrap();
    input.worksheet.kind = QuoteKind::Cash;
    input.fees.retain(|f| f.verified);
    assert!(input.quote().unwrap().verified);
}

#[tokio::test]
async fn programs_quote_and_refusals_say_what_would_help() {
    let (app, book) = seeded().await;
    let request = golden(&app, "TX", "2026-11-21");
    let quotes = quote_all(&book, &request).unwrap();
    let best = quotes.first().and_then(|q| q.quoted()).expect("a quote");
    // The special rate is given in place of the rebate; a balloon only to those who ask for one.
    let said = |code: &str| quotes.iter().find(|q| q.program.code == code).map(|q| q.refusals().iter().map(|r| r.rule).collect::<Vec<_>>());
    assert_eq!(said("SPECIAL-A-60"), Some(vec![RefusalRule::Rebate]));
    assert_eq!(said("BALLOON-A-60"), None);
    // The credit union's 4.75 % less a quarter of a point: 60 % of the list price is lent.
    assert_eq!((quotes.first().unwrap().program.lender_code.as_str(), best.quote.buy_rate), ("LAKESHORE", Some("4.5".parse().unwrap())));
    let mut special = golden(&app, "TX", "2026-11-21");
    special.worksheet.manufacturer_rebate = Cents::ZERO;
    assert_eq!(quote_all(&book, &special).unwrap().first().unwrap().program.code, "SPECIAL-A-60");
    assert!(quotes.iter().filter_map(|q| q.quoted()).map(|p| p.quote.payment).is_sorted());
    // 30,000 + document fee 150 + title 33 + registration 75.75 + tax 1,125 − 2,000 − 10,000.
    assert_eq!(best.quote.amount_financed, Cents(19_383_75));
    assert_eq!(best.quote.total_of_payments - best.quote.finance_charge, best.quote.amount_financed);
    assert_eq!(best.quote.buy_rate, best.quote.sell_rate);
    // Crossway is for tiers B to D.
    let crossway = quotes.iter().find(|q| q.program.lender_code == "CROSSWAY").expect("an answer");
    assert_eq!(crossway.refusals().first().map(|r| r.rule), Some(RefusalRule::Tier));

    // Too much is financed: every lender that refuses for it names the cents that clear it, and those cents do.
    let mut steep = golden(&app, "TX", "2026-11-21");
    let table = &mut steep.worksheet;
    (table.manufacturer_rebate, table.trade_ins) = (Cents::ZERO, vec![TradeIn { payoff: Cents(12_000_00), ..TradeIn::default() }]);
    let refused = quote_all(&book, &steep).unwrap();
    let only_ltv = refused.iter().filter_map(|q| match q.refusals() {
        [only] if only.rule == RefusalRule::LoanToValue => Some((q, only)),
        _ => None,
    });
    let ltv: Vec<_> = only_ltv.collect();
    assert!(ltv.len() >= 2, "{refused:#?}");
    for (program_quote, refusal) in ltv {
        let more = refusal.change_amount.expect("an amount");
        let at = |down: Cents| {
            let mut again = steep.clone();
            again.worksheet.cash_down = down;
            quote_all(&book, &again).unwrap().into_iter().any(|q| q.program.id == program_quote.program.id && q.quoted().is_some())
        };
        assert!(at(more), "{} with {more} down", program_quote.program.code);
        assert!(!at(more - Cents(1)), "{} with a cent less", program_quote.program.code);
    }
}

#[tokio::test]
async fn stored_quotes_replay_to_the_same_bytes() {
    let (app, book) = seeded().await;
    for kind in [QuoteKind::Retail, QuoteKind::Lease] {
        let mut request = golden(&app, "NY-NYC", "2026-11-21");
        (request.worksheet.kind, request.worksheet.term_months) = (kind, 36);
        let quotes = quote_all(&book, &request).unwrap();
        let quoted: Vec<_> = quotes.iter().filter_map(|q| q.quoted()).collect();
        assert!(!quoted.is_empty(), "{kind}");
        for priced in quoted {
            let inputs = serde_json::to_value(&priced.input).unwrap();
            let again: deskless::finance::QuoteInput = serde_json::from_value(inputs).unwrap();
            assert_eq!(again, priced.input);
            assert_eq!(serde_json::to_string(&again.quote().unwrap()).unwrap(), serde_json::to_string(&priced.quote).unwrap());
            let back: deskless::finance::Quote = serde_json::from_value(serde_json::to_value(&priced.quote).unwrap()).unwrap();
            assert_eq!(back, priced.quote);
        }
    }
}

#[tokio::test]
async fn leases_follow_the_states_method() {
    let (app, book) = seeded().await;
    let lease = |jurisdiction: &str| {
        let mut request = golden(&app, jurisdiction, "2026-11-21");
        let table = &mut request.worksheet;
        (table.kind, table.term_months, table.annual_miles) = (QuoteKind::Lease, 36, 15_000);
        let quotes = quote_all(&book, &request).unwrap();
        let priced = quotes.into_iter().find_map(|q| q.quoted().cloned()).expect("a lease");
        let q = priced.quote;
        let detail = q.lease.clone().expect("lease figures");
        assert_eq!(q.sum(LinePlacement::Financed), detail.figures.adjusted_cap_cost);
        assert_eq!(detail.figures.gross_cap_cost - detail.figures.cap_reduction, detail.figures.adjusted_cap_cost);
        assert_eq!(q.payment, detail.figures.base_payment + detail.monthly_tax);
        assert_eq!(q.due_at_signing, q.payment + q.sum(LinePlacement::AtSigning));
        assert_eq!(q.apr, None);
        (q, detail)
    };
    // New York: all payments are taxed at signing, none monthly.
    let (_, ny) = lease("NY-NYC");
    assert_eq!(ny.monthly_tax, Cents::ZERO);
    let rate: Rate = "8.875".parse().unwrap();
    // The rebate is taxed in New York, and the trade-in too: leases get no credit there.
    assert_eq!(ny.upfront_tax, rate.of(ny.figures.total_of_base_payments + Cents(12_000_00)).unwrap());
    // California: each payment, and what is paid at signing.
    let (_, ca) = lease("CA");
    assert_eq!(ca.monthly_tax, "7.25".parse::<Rate>().unwrap().of(ca.figures.base_payment).unwrap());
    assert_eq!(ca.upfront_tax, "7.25".parse::<Rate>().unwrap().of(Cents(12_000_00)).unwrap());
    // Texas: on the price.
    let (_, tx) = lease("TX");
    assert_eq!((tx.monthly_tax, tx.upfront_tax), (Cents::ZERO, "6.25".parse::<Rate>().unwrap().of(Cents(28_000_00)).unwrap()));
}

#[tokio::test]
async fn a_payment_grid_falls_with_money_down_and_with_time() {
    let (app, book) = seeded().await;
    let request = golden(&app, "NC", "2026-11-21");
    let terms = [36, 48, 60, 72];
    let downs = [Cents::ZERO, Cents(1_000_00), Cents(2_500_00)];
    let grid = payment_grid(&book, &request, &terms, &downs).unwrap();
    assert_eq!(grid.len(), 12);
    let payment = |row: usize, column: usize| grid[row * 4 + column].best().unwrap().payment;
    for row in 0..3 {
        for column in 0..4 {
            assert!(column == 0 || payment(row, column) < payment(row, column - 1));
            assert!(row == 0 || payment(row, column) < payment(row - 1, column));
        }
    }
    assert!(payment_grid(&book, &request, &[36; 13], &downs).is_err());
}

#[tokio::test]
async fn premiums_are_base_times_factors_and_meet_the_demands() {
    let (app, book) = seeded().await;
    let request = |state: &str, interest| InsuranceRequest::for_car(state, day("2026-11-21"), interest, Cents(31_000_00), 0, Some(12_000));
    let quotes = insurance::quote_all(book.insurance(), app.group, &request("CA", LenderInterest::Loan)).unwrap();
    assert_eq!(quotes.len(), 3);
    for (_, input, quoted) in &quotes {
        assert_eq!(quoted.coverages.iter().map(|c| c.premium).sum::<Cents>(), quoted.premium);
        assert!(quoted.monthly_premium.0 * 6 >= quoted.premium.0 && quoted.monthly_premium.0 * 6 - quoted.premium.0 < 6);
        assert_eq!(input.quote().unwrap(), *quoted);
    }
    // By hand: Bluewater, collision in California 166.02 × 1.07 (new car) × 0.96 (no violations) = 170.535744.
    let bluewater = quotes.iter().find(|(i, _, _)| i.code == "BLUEWATER").map(|(_, _, q)| q).unwrap();
    let collision = bluewater.coverages.iter().find(|c| c.choice.coverage == Coverage::Collision).unwrap();
    assert_eq!((collision.premium, collision.required), (Cents(170_54), true));

    // A lessor raises low limits and adds what is missing.
    let mut bare = request("CA", LenderInterest::Lease);
    bare.coverages.retain(|c| c.coverage == Coverage::PropertyDamage);
    bare.coverages[0].limit = Some(Cents(5_000_00));
    let (_, input, quoted) = insurance::quote_all(book.insurance(), app.group, &bare).unwrap().remove(0);
    let of = |coverage| input.request.coverages.iter().find(|c| c.coverage == coverage).copied();
    assert_eq!(of(Coverage::PropertyDamage).unwrap().limit, Some(Cents(50_000_00)));
    assert_eq!(of(Coverage::BodilyInjury).unwrap().limit_per_accident, Some(Cents(300_000_00)));
    assert_eq!(of(Coverage::Collision).unwrap().deductible, Some(Cents(1_000_00)));
    assert!(quoted.coverages.iter().filter(|c| c.required).count() >= 4);
}

#[tokio::test]
async fn a_factor_barred_in_a_state_is_not_used_there() {
    let (app, book) = seeded().await;
    let premium = |state: &str, lapse: u16| {
        let mut request = InsuranceRequest::for_car(state, day("2026-11-21"), LenderInterest::None, Cents(20_000_00), 3, None);
        request.prior_lapse_days = lapse;
        insurance::quote_all(book.insurance(), app.group, &request).unwrap().remove(0).2.premium
    };
    // California bars the lack of earlier insurance as a factor; Texas does not.
    assert_eq!(premium("CA", 0), premium("CA", 400));
    assert!(premium("TX", 0) < premium("TX", 400));
}

#[tokio::test]
async fn another_group_sees_none_of_these_lenders() {
    let (app, book) = seeded().await;
    let mut request = golden(&app, "TX", "2026-11-21");
    request.group = GroupId(uuid::Uuid::from_u128(9));
    assert!(quote_all(&book, &request).unwrap().is_empty());
}
