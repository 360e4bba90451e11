//! Premiums by driver, place, law and pay plan; what lenders demand.

use std::sync::Arc;

use chrono::NaiveDate;
use deskless::db::By;
use deskless::finance::{RuleBook, RuleTable, seed_rules};
use deskless::insurance::{
    self, Coverage, CoverageChoice, DemandSubject, Driver, FactorSubject, Gender, InsuranceError, InsuranceInput, InsuranceQuoted,
    InsuranceRequest, InsuranceWish, LenderInterest,
};
use deskless::kernel::money::Cents;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::helpers::TestApp;
use crate::helpers::showroom::Showroom;

fn day() -> NaiveDate {
    "2026-11-21".parse().unwrap()
}

async fn seeded() -> (TestApp, Arc<RuleBook>) {
    let app = TestApp::start().await;
    let mut tx = app.app.db.begin(By::system()).await.expect("a transaction");
    seed_rules(tx.conn(), app.group).await.expect("seeds");
    tx.commit().await.expect("commit");
    app.app.rules.reload().await.expect("rules");
    let book = app.app.rules.book();
    (app, book)
}

async fn import(app: &TestApp, table: RuleTable, text: &str) {
    let done = app.app.rules.import(app.group, table, text.as_bytes(), By::system(), false).await.expect("a readable file");
    assert_eq!(done.refused, [], "{}", table.name());
}

fn request(state: &str, interest: LenderInterest) -> InsuranceRequest {
    InsuranceRequest::for_car(state, day(), interest, Cents(31_000_00), 1, Some(12_000))
}

fn bluewater(app: &TestApp, book: &RuleBook, request: &InsuranceRequest) -> (InsuranceInput, InsuranceQuoted) {
    let quotes = insurance::quote_all(book.insurance(), app.group, request).unwrap();
    let (_, input, quoted) = quotes.into_iter().find(|(insurer, ..)| insurer.code == "BLUEWATER").expect("Bluewater writes here");
    (input, quoted)
}

const DRIVER: Driver = Driver { age: 35, years_licensed: 17, violations: 0, gender: None, credit_band: None };

#[tokio::test]
async fn the_driver_who_costs_most_is_rated() {
    let (app, book) = seeded().await;
    let premium = |drivers: &[Driver]| {
        let wish = InsuranceWish { drivers: drivers.to_vec(), ..InsuranceWish::default() };
        bluewater(&app, &book, &request("TX", LenderInterest::None).wished(&wish)).1.premium
    };
    let young = Driver { age: 19, years_licensed: 2, ..DRIVER };
    let reckless = Driver { violations: 4, ..DRIVER };
    assert!(premium(&[young]) > premium(&[DRIVER]) && premium(&[reckless]) > premium(&[DRIVER]));
    // Age 1.95 against 1.00: to the cent per coverage, so within a cent for each of six.
    let exact = premium(&[DRIVER]).0 * 195;
    assert!((premium(&[young]).0 * 100 - exact).abs() <= 6 * 100 * 2, "{} {}", premium(&[young]), premium(&[DRIVER]));
    assert_eq!(premium(&[DRIVER, young]), premium(&[young]), "the older one changes nothing");
    assert_eq!(premium(&[young, DRIVER]), premium(&[young]), "in any order");
}

#[tokio::test]
async fn nobody_named_is_said_and_replaced_by_who_is() {
    let (app, book) = seeded().await;
    let (_, assumed) = bluewater(&app, &book, &request("TX", LenderInterest::None));
    assert!(assumed.assumptions.iter().any(|a| a.contains("driver of 40")), "{:?}", assumed.assumptions);
    let wish = InsuranceWish { drivers: vec![DRIVER], garaging_postal_code: Some("78701".into()), ..InsuranceWish::default() };
    let (input, named) = bluewater(&app, &book, &request("TX", LenderInterest::None).wished(&wish));
    assert_eq!(named.assumptions, Vec::<String>::new());
    assert_eq!(input.request.drivers, [DRIVER]);
}

/// Sheets with every factor a state may bar, and a state for each that does.
#[tokio::test]
async fn factors_a_state_bars_are_not_used_there_whatever_the_sheet_says() {
    let (app, _) = seeded().await;
    let sheet = "insurer,subject,from_value,to_value,factor,from,source\n\
                 BLUEWATER,GENDER,1,2,0.9,2025-01-01,Test\nBLUEWATER,GENDER,2,3,1.3,2025-01-01,Test\n\
                 BLUEWATER,CREDIT_BAND,1,2,0.7,2025-01-01,Test\nBLUEWATER,CREDIT_BAND,2,6,1.6,2025-01-01,Test\n\
                 BLUEWATER,YEARS_LICENSED,0,3,1.4,2025-01-01,Test\nBLUEWATER,YEARS_LICENSED,3,100,1,2025-01-01,Test\n";
    import(&app, RuleTable::InsuranceFactors, sheet).await;
    import(&app, RuleTable::InsuranceBarred, "state,subject,from,source\nFL,YEARS_LICENSED,2020-01-01,Test\nFL,DRIVER_AGE,2020-01-01,Test\nFL,PRIOR_LAPSE,2020-01-01,Test\nGA,VIOLATIONS,2020-01-01,Test\n").await;
    let book = app.app.rules.book();
    type Change = fn(&mut InsuranceRequest);
    let cases: [(FactorSubject, &str, &str, Change, Change); 6] = [
        (FactorSubject::Gender, "CA", "TX", |r| r.drivers[0].gender = Some(Gender::Female), |r| r.drivers[0].gender = Some(Gender::Male)),
        (FactorSubject::CreditBand, "CA", "TX", |r| r.drivers[0].credit_band = Some(1), |r| r.drivers[0].credit_band = Some(5)),
        (FactorSubject::PriorLapse, "FL", "TX", |r| r.prior_lapse_days = 0, |r| r.prior_lapse_days = 400),
        (FactorSubject::YearsLicensed, "FL", "TX", |r| r.drivers[0].years_licensed = 20, |r| r.drivers[0].years_licensed = 1),
        (FactorSubject::DriverAge, "FL", "TX", |_| (), |r| r.drivers[0].age = 80),
        (FactorSubject::Violations, "GA", "TX", |_| (), |r| r.drivers[0].violations = 5),
    ];
    for (subject, barred, allowed, low, high) in cases {
        let premium = |state: &str, change: Change| {
            let mut asked = request(state, LenderInterest::None);
            change(&mut asked);
            bluewater(&app, &book, &asked)
        };
        let (input, cheap) = premium(barred, low);
        let (_, dear) = premium(barred, high);
        assert_eq!(cheap.premium, dear.premium, "{subject} in {barred}");
        assert!(input.factors.iter().all(|f| f.subject != subject), "{subject} is not even in the inputs");
        assert!(premium(barred, high).0.barred.iter().any(|b| b.subject == subject), "{subject} is named as barred");
        assert!(premium(allowed, low).1.premium < premium(allowed, high).1.premium, "{subject} in {allowed}");
    }
}

#[tokio::test]
async fn the_place_the_car_is_kept_counts() {
    let (app, _) = seeded().await;
    let sheet = "insurer,subject,coverage,from_value,to_value,factor,from,source\n\
                 BLUEWATER,TERRITORY,COLLISION,787,788,1.5,2025-01-01,Test\nBLUEWATER,TERRITORY,COLLISION,788,800,0.8,2025-01-01,Test\n";
    import(&app, RuleTable::InsuranceFactors, sheet).await;
    let book = app.app.rules.book();
    let collision = |postal_code: &str| {
        let wish = InsuranceWish { garaging_postal_code: Some(postal_code.into()), ..InsuranceWish::default() };
        let (_, quoted) = bluewater(&app, &book, &request("TX", LenderInterest::None).wished(&wish));
        quoted.coverages.iter().find(|c| c.choice.coverage == Coverage::Collision).unwrap().premium.0
    };
    assert!((collision("78701") * 80 - collision("79901") * 150).abs() <= 150);
}

#[tokio::test]
async fn demands_are_checked_and_raised_only_when_wished() {
    let (app, book) = seeded().await;
    let low = InsuranceWish {
        coverages: vec![
            CoverageChoice {
                coverage: Coverage::BodilyInjury,
                limit: Some(Cents(30_000_00)),
                limit_per_accident: Some(Cents(60_000_00)),
                deductible: None,
            },
            CoverageChoice {
                coverage: Coverage::PropertyDamage,
                limit: Some(Cents(25_000_00)),
                limit_per_accident: None,
                deductible: None,
            },
            CoverageChoice { coverage: Coverage::Collision, limit: None, limit_per_accident: None, deductible: Some(Cents(2_500_00)) },
        ],
        keep_below_demands: true,
        ..InsuranceWish::default()
    };
    let check = |wish: &InsuranceWish, lender: Option<&str>| {
        let mut asked = request("TX", LenderInterest::Lease).wished(wish);
        asked.lender_code = lender.map(Into::into);
        let (_, quoted) = bluewater(&app, &book, &asked);
        let met: Vec<(DemandSubject, bool)> = quoted.demands.iter().map(|d| (d.subject, d.met)).collect();
        (met, quoted.premium)
    };
    let (met, kept) = check(&low, None);
    let every = [
        DemandSubject::Comprehensive,
        DemandSubject::Collision,
        DemandSubject::BodilyInjury,
        DemandSubject::PropertyDamage,
        DemandSubject::LossPayee,
        DemandSubject::AdditionalInsured,
    ];
    assert_eq!(met, every.map(|subject| (subject, false)));
    let (met, raised) = check(&InsuranceWish { keep_below_demands: false, ..low.clone() }, Some("SUMMIT"));
    assert_eq!(met, every.map(|subject| (subject, true)));
    assert!(raised > kept);
    // Meridian's own row asks for a deductible of at most 500.
    let own = InsuranceWish { keep_below_demands: true, ..InsuranceWish::default() };
    let thousand = |code: &str| {
        let mut asked = request("TX", LenderInterest::Lease).wished(&own);
        asked.lender_code = Some(code.into());
        for choice in &mut asked.coverages {
            choice.deductible = choice.deductible.map(|_| Cents(1_000_00));
        }
        bluewater(&app, &book, &asked).1.demands.iter().all(|d| d.met)
    };
    assert_eq!((thousand("SUMMIT"), thousand("MERIDIAN")), (true, false));
}

#[tokio::test]
async fn pay_plans_add_up_to_the_cent() {
    let (app, book) = seeded().await;
    for (_, _, quoted) in insurance::quote_all(book.insurance(), app.group, &request("NC", LenderInterest::Loan)).unwrap() {
        assert!(quoted.pay_plans.len() >= 2);
        for plan in &quoted.pay_plans {
            let further = i64::from(plan.payments) - 1;
            assert_eq!(plan.first_payment.0 + plan.further_payment.0 * further, plan.total.0, "{plan:?}");
            assert_eq!(plan.total, quoted.premium - plan.discount + plan.fees);
        }
    }
}

#[tokio::test]
async fn impossible_drivers_are_refused_with_a_reason() {
    let (app, book) = seeded().await;
    let bad = [Driver { age: 12, ..DRIVER }, Driver { age: 20, years_licensed: 7, ..DRIVER }, Driver { violations: 51, ..DRIVER }];
    for driver in bad {
        let wish = InsuranceWish { drivers: vec![driver], ..InsuranceWish::default() };
        let refused = insurance::quote_all(book.insurance(), app.group, &request("TX", LenderInterest::None).wished(&wish));
        assert!(matches!(refused, Err(InsuranceError::BadRequest(_))), "{driver:?}");
    }
}

#[tokio::test]
async fn a_deals_drivers_reach_its_quotes() {
    let room = Showroom::open().await;
    room.sql(
        "INSERT INTO insurance_factor (id, insurer_id, subject, from_value, to_value, factor, effective, source)
         SELECT gen_random_uuid(), id, 'DRIVER_AGE', 16, 25, 2, '[2020-01-01,)', 'test' FROM insurer",
    )
    .await;
    room.app.app.rules.reload().await.unwrap();
    let query = "deal { id version insuranceQuotes(open: true) { id premium { amount } verified
      detail { coverages { coverage limit { amount } deductible { amount } premium { amount } required } drivers { ageYears } assumptions demands { subject met }
        payPlans { code total { amount } } barredFactors requirements unverifiedRules } } } userErrors { code message }";
    let quote = async |deal: &Value| -> Value {
        let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
        let payload = room.run(&room.sam, "dealQuote", input, query).await;
        assert_eq!(payload["userErrors"], json!([]));
        payload["deal"].clone()
    };
    let deal = room.open_deal(&room.rav4, json!({ "kind": "CASH" })).await;
    let first = quote(&deal).await;
    assert_eq!(first["insuranceQuotes"][0]["premium"]["amount"], "600.00");
    assert_eq!(first["insuranceQuotes"][0]["detail"]["assumptions"].as_array().map(Vec::len), Some(1), "{first:#}");
    let insurance = json!({ "drivers": [{ "ageYears": 45, "yearsLicensed": 20 }, { "ageYears": 18, "yearsLicensed": 1 }],
        "coverages": [{ "coverage": "BODILY_INJURY", "limit": "100000", "limitPerAccident": "300000" }, { "coverage": "COLLISION", "deductible": "1000" }] });
    let told = room.done("dealAnswersRecord", &first, json!({ "insurance": insurance })).await;
    let second = quote(&told).await;
    // Two coverages at 100.00, doubled for the young driver.
    let quoted = &second["insuranceQuotes"][0];
    assert_eq!(
        (&quoted["premium"]["amount"], &quoted["detail"]["drivers"]),
        (&json!("400.00"), &json!([{ "ageYears": 45 }, { "ageYears": 18 }]))
    );
    assert_eq!(quoted["detail"]["assumptions"], json!([]));
    assert_eq!(quoted["detail"]["coverages"][1]["deductible"]["amount"], "1000.00");
    // The earlier quotes cannot be accepted any more.
    let old = room.act("quoteAccept", &second, json!({ "quoteId": first["insuranceQuotes"][0]["id"] })).await;
    assert_eq!(old["userErrors"][0]["code"], "QUOTE_SUPERSEDED");
    let replay = room.app.data(&room.sam, "query ($id: ID!) { quoteReplay(id: $id) { equal } }", json!({ "id": quoted["id"] })).await;
    assert_eq!(replay["quoteReplay"]["equal"], true);
}

/// Laws of the rating over the seeded sheets; one database for all cases.
#[tokio::test]
async fn premiums_follow_their_laws() {
    let (app, book) = seeded().await;
    let states = ["CA", "TX", "FL", "NC", "VA", "MI", "NY", "OH", "GA", "MD"];
    let runner = ProptestConfig { cases: 96, ..ProptestConfig::default() };
    proptest!(runner, |(
        state in 0_usize..10, age in 16_u16..90, violations in 0_u16..6, limit in 1_i64..500, more in 1_i64..500, deductible in 0_i64..3_000,
        less in 0_i64..3_000, value in 2_000_i64..120_000, term in 0_usize..2, interest in 0_usize..3,
    )| {
        let mut asked = InsuranceRequest::for_car(states[state], day(), LenderInterest::ALL[interest], Cents(value * 100), 3, None);
        asked.drivers = vec![Driver { age, years_licensed: age - 16, violations, gender: None, credit_band: None }];
        asked.term_months = [6, 12][term];
        let quote = |asked: &InsuranceRequest| bluewater(&app, &book, asked);
        let set = |asked: &mut InsuranceRequest, limit: i64, deductible: i64| {
            for choice in &mut asked.coverages {
                if choice.coverage == Coverage::BodilyInjury {
                    (choice.limit, choice.limit_per_accident) = (Some(Cents(limit * 1_000_00)), Some(Cents(limit * 3_000_00)));
                }
                choice.deductible = choice.deductible.map(|_| Cents(deductible * 100));
            }
        };
        set(&mut asked, limit, deductible);
        let (input, base) = quote(&asked);
        // Lines sum to the premium; months cover it; the same input gives the same bytes.
        prop_assert_eq!(base.coverages.iter().map(|c| c.premium).sum::<Cents>(), base.premium);
        prop_assert!(base.monthly_premium.0 * i64::from(asked.term_months) >= base.premium.0);
        prop_assert_eq!(serde_json::to_string(&input.quote().unwrap()).unwrap(), serde_json::to_string(&base).unwrap());
        // More cover is never cheaper, nor a lower deductible, nor one more violation or driver, nor one more coverage.
        let mut higher = asked.clone();
        set(&mut higher, limit + more, deductible);
        prop_assert!(quote(&higher).1.premium >= base.premium);
        let mut lower = asked.clone();
        set(&mut lower, limit, deductible - less.min(deductible));
        prop_assert!(quote(&lower).1.premium >= base.premium);
        let mut worse = asked.clone();
        worse.drivers[0].violations += 1;
        prop_assert!(quote(&worse).1.premium >= base.premium);
        let mut two = asked.clone();
        two.drivers.push(Driver::ASSUMED);
        prop_assert!(quote(&two).1.premium >= base.premium);
        let mut fewer = asked.clone();
        fewer.coverages.pop();
        prop_assert!(quote(&fewer).1.premium <= base.premium);
    });
}
