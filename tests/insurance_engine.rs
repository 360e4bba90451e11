//! Premiums by hand, from rows made here: no database.

use chrono::NaiveDate;
use deskless::insurance::{
    self, Barred, CardCover, Coverage, CoverageChoice, Demand, DemandSubject, Driver, Factor, FactorSubject, Gender, InsuranceBook,
    InsuranceError, InsuranceInput, InsuranceQuoted, InsuranceRate, InsuranceRequest, InsuranceRows, Insurer, LenderInterest, Minimum,
    Named, PayPlan,
};
use deskless::kernel::id::{GroupId, InsurerId, LenderId};
use deskless::kernel::money::Cents;
use uuid::Uuid;

const GROUP: GroupId = GroupId(Uuid::from_u128(1));
const DRIVER: Driver = Driver { age: 35, years_licensed: 17, violations: 0, gender: None, credit_band: None };

fn day() -> NaiveDate {
    "2026-11-21".parse().unwrap()
}

fn insurer(number: u128) -> Insurer {
    Insurer { id: InsurerId(Uuid::from_u128(number)), group_id: GROUP, code: format!("I{number}"), name: format!("Insurer {number}") }
}

/// A base premium for half a year.
fn rate(coverage: Coverage, cents: i64) -> InsuranceRate {
    let id = Uuid::from_u128(1_000 + u128::try_from(cents).unwrap());
    InsuranceRate { id, coverage, base: Cents(cents), effective_from: None, effective_to: None, verified: true }
}

/// A factor in hundred-thousandths for values from (with) to (without).
fn factor(number: u128, subject: FactorSubject, from: i64, to: i64, factor: i64) -> Factor {
    Factor {
        id: Uuid::from_u128(2_000 + number),
        subject,
        coverage: None,
        from,
        to,
        factor,
        barred_states: vec![],
        effective_from: None,
        effective_to: None,
    }
}

fn minimum() -> Minimum {
    Minimum {
        id: Uuid::from_u128(3_000),
        state: "TX".into(),
        bodily_injury_person: Cents(30_000_00),
        bodily_injury_accident: Cents(60_000_00),
        property_damage: Cents(25_000_00),
        personal_injury: Cents::ZERO,
        uninsured_required: false,
        effective_from: None,
        effective_to: None,
        verified: true,
    }
}

/// Insurer 1 with these factors; it rates every coverage at 100.00, collision at 200.00.
fn rows(factors: Vec<Factor>) -> InsuranceRows {
    let id = insurer(1).id;
    let base = |coverage: Coverage| rate(coverage, if coverage == Coverage::Collision { 200_00 } else { 100_00 });
    InsuranceRows {
        insurers: vec![insurer(1)],
        rates: Coverage::ALL.iter().map(|c| (id, "TX".to_owned(), base(*c))).collect(),
        factors: factors.into_iter().map(|f| (id, f)).collect(),
        minimums: vec![minimum()],
        ..InsuranceRows::default()
    }
}

/// Collision alone, in Texas, nobody else interested.
fn asked() -> InsuranceRequest {
    let mut request = InsuranceRequest::for_car("TX", day(), LenderInterest::None, Cents(31_000_00), 1, Some(12_000));
    (request.drivers, request.driver_assumed) = (vec![DRIVER], false);
    request
}

fn quoted(rows: InsuranceRows, request: &InsuranceRequest) -> (InsuranceInput, InsuranceQuoted) {
    let book = InsuranceBook::new(rows);
    let (_, input, quoted) = insurance::quote_all(&book, GROUP, request).unwrap().into_iter().next().expect("a quote");
    assert_eq!(input.quote().as_ref(), Ok(&quoted), "the inputs give the same again");
    (input, quoted)
}

fn collision(factors: Vec<Factor>, request: &InsuranceRequest) -> i64 {
    let (_, quoted) = quoted(rows(factors), request);
    quoted.coverages.iter().find(|c| c.choice.coverage == Coverage::Collision).unwrap().premium.0
}

#[test]
fn a_premium_is_its_base_times_every_factor_hit_rounded_once() {
    assert_eq!(collision(vec![], &asked()), 200_00);
    // 200 × 1.07 × 0.96333 = 206.15262: kept to the billionth of a cent between, so rounded once.
    let two = || vec![factor(1, FactorSubject::VehicleAge, 0, 2, 107_000), factor(2, FactorSubject::AnnualMiles, 0, 15_000, 96_333)];
    assert_eq!(collision(two(), &asked()), 206_15);
    // A year is two halves, rounded once: 412.30524.
    assert_eq!(collision(two(), &InsuranceRequest { term_months: 12, ..asked() }), 412_31);
    // 200.01 halved is 100.005: up.
    let mut half = rows(vec![factor(1, FactorSubject::Term, 6, 7, 50_000)]);
    half.rates = vec![(insurer(1).id, "TX".into(), rate(Coverage::Collision, 200_01))];
    let alone = InsuranceRequest { coverages: asked().coverages.split_off(5), ..asked() };
    half.minimums.clear();
    assert_eq!(quoted(half, &alone).1.premium, Cents(100_01));
}

/// Each band holds from its first value to before its last, of the thing it names.
#[test]
fn bands_are_half_open_and_of_their_subject() {
    type Change = fn(&mut InsuranceRequest, i64);
    let cases: [(FactorSubject, i64, Change); 13] = [
        (FactorSubject::DriverAge, 40, |r, n| r.drivers[0].age = n.try_into().unwrap()),
        (FactorSubject::YearsLicensed, 3, |r, n| r.drivers[0].years_licensed = n.try_into().unwrap()),
        (FactorSubject::Violations, 2, |r, n| r.drivers[0].violations = n.try_into().unwrap()),
        (FactorSubject::Gender, 2, |r, n| {
            r.drivers[0].gender = match n {
                1 => Some(Gender::Female),
                2 => Some(Gender::Male),
                _ => Some(Gender::Other),
            };
        }),
        (FactorSubject::CreditBand, 4, |r, n| r.drivers[0].credit_band = Some(n.try_into().unwrap())),
        (FactorSubject::AnnualMiles, 15_000, |r, n| r.annual_miles = n.try_into().unwrap()),
        (FactorSubject::VehicleValue, 40_000, |r, n| r.vehicle_value = Cents(n * 100)),
        (FactorSubject::VehicleAge, 7, |r, n| r.vehicle_age = n.try_into().unwrap()),
        (FactorSubject::PriorLapse, 31, |r, n| r.prior_lapse_days = n.try_into().unwrap()),
        (FactorSubject::Deductible, 500, |r, n| r.coverages.iter_mut().for_each(|c| c.deductible = Some(Cents(n * 100)))),
        (FactorSubject::Limit, 100_000, |r, n| r.coverages.iter_mut().for_each(|c| c.limit = Some(Cents(n * 100)))),
        (FactorSubject::Territory, 787, |r, n| r.postal_code = Some(format!("{n}01"))),
        (FactorSubject::Term, 12, |r, n| r.term_months = n.try_into().unwrap()),
    ];
    for (subject, value, set) in cases {
        let at = |n: i64, to: i64| {
            let mut request = asked();
            set(&mut request, n);
            collision(vec![factor(1, subject, value, to, 150_000)], &request) * 6 / i64::from(request.term_months)
        };
        assert_eq!(at(value, value + 1), 300_00, "{subject}");
        assert_eq!(at(value, value), 200_00, "{subject}: an empty band");
        if subject != FactorSubject::Term {
            assert_eq!((at(value - 1, value + 1), at(value + 1, value + 1)), (200_00, 200_00), "{subject}");
        }
    }
    // What nobody said counts for nothing.
    let unsaid = [FactorSubject::Gender, FactorSubject::CreditBand, FactorSubject::Territory].map(|s| factor(1, s, 0, 1_000, 150_000));
    assert_eq!(collision(unsaid.into(), &asked()), 200_00);
}

#[test]
fn of_several_drivers_the_dearest_by_all_factors_together_counts() {
    // 35 and clean 1.00 × 0.90; 20 and clean 1.80 × 0.90; 50 with violations 0.95 × 2.50.
    let sheet = || {
        vec![
            factor(1, FactorSubject::DriverAge, 16, 25, 180_000),
            factor(2, FactorSubject::DriverAge, 45, 120, 95_000),
            factor(3, FactorSubject::Violations, 0, 1, 90_000),
            factor(4, FactorSubject::Violations, 1, 99, 250_000),
        ]
    };
    let young = Driver { age: 20, years_licensed: 2, ..DRIVER };
    let fast = Driver { age: 50, violations: 3, ..DRIVER };
    let premium = |drivers: &[Driver]| collision(sheet(), &InsuranceRequest { drivers: drivers.to_vec(), ..asked() });
    assert_eq!((premium(&[DRIVER]), premium(&[young]), premium(&[fast])), (180_00, 324_00, 475_00));
    assert_eq!((premium(&[DRIVER, young]), premium(&[fast, young, DRIVER])), (324_00, 475_00));
    let (input, _) = quoted(rows(sheet()), &InsuranceRequest { drivers: vec![DRIVER, young], ..asked() });
    assert_eq!(input.factors.len(), 2, "the rows of both, and of nobody else");
}

#[test]
fn a_factor_the_state_bars_is_named_once_and_not_used() {
    let sheet = vec![factor(1, FactorSubject::Gender, 2, 3, 150_000), factor(2, FactorSubject::VehicleAge, 0, 5, 110_000)];
    let mut barred = rows(sheet);
    let law = |number: u128, state: &str, from: Option<&str>, to: Option<&str>| Barred {
        id: Uuid::from_u128(4_000 + number),
        state: state.into(),
        subject: FactorSubject::Gender,
        effective_from: from.map(|d| d.parse().unwrap()),
        effective_to: to.map(|d| d.parse().unwrap()),
        verified: true,
    };
    barred.barred = vec![law(1, "CA", None, None), law(2, "TX", None, Some("2026-11-21")), law(3, "TX", Some("2026-11-21"), None)];
    let mut request = asked();
    request.drivers[0].gender = Some(Gender::Male);
    let (input, quoted) = quoted(barred, &request);
    assert_eq!(input.barred.iter().map(|b| b.id.as_u128()).collect::<Vec<_>>(), [4_003]);
    assert!(input.factors.iter().all(|f| f.subject == FactorSubject::VehicleAge));
    assert_eq!(quoted.premium, Cents(770_00), "700.00 × 1.1");
    assert!(quoted.rule_ids.contains(&Uuid::from_u128(4_003)) && !quoted.rule_ids.contains(&Uuid::from_u128(2_001)));
}

#[test]
fn who_writes_here_is_asked_and_the_cheapest_is_first() {
    let mut all = rows(vec![]);
    let (dear, absent) = (insurer(2), insurer(3));
    let foreign = Insurer { group_id: GroupId(Uuid::from_u128(9)), ..insurer(4) };
    let sheet = |of: &Insurer, state: &str, cents: i64| -> Vec<(InsurerId, String, InsuranceRate)> {
        Coverage::ALL.iter().map(|c| (of.id, state.to_owned(), rate(*c, cents))).collect()
    };
    all.rates.extend(sheet(&dear, "TX", 300_00).into_iter().chain(sheet(&absent, "OK", 1_00)).chain(sheet(&foreign, "TX", 1_00)));
    all.insurers = vec![dear, insurer(1), absent, foreign];
    let book = InsuranceBook::new(all);
    let codes = |request: &InsuranceRequest| -> Vec<String> {
        insurance::quote_all(&book, GROUP, request).unwrap().into_iter().map(|(i, ..)| i.code.clone()).collect()
    };
    assert_eq!(codes(&asked()), ["I1", "I2"]);
    assert_eq!(codes(&InsuranceRequest { state: "NM".into(), ..asked() }), Vec::<String>::new());
    // A request nobody can rate is an error, not an empty answer.
    let wrong = InsuranceRequest { term_months: 7, ..asked() };
    assert_eq!(insurance::quote_all(&book, GROUP, &wrong).unwrap_err(), InsuranceError::Term);
}

#[test]
fn months_cover_the_premium_and_plans_come_with_it() {
    let mut all = rows(vec![factor(1, FactorSubject::VehicleAge, 0, 5, 100_001)]);
    let plan = |code: &str, from: Option<&str>, to: Option<&str>| PayPlan {
        id: Uuid::nil(),
        code: code.into(),
        name: code.into(),
        payments: 6,
        first: "20".parse().unwrap(),
        fee: Cents(5_00),
        discount: "0".parse().unwrap(),
        effective_from: from.map(|d| d.parse().unwrap()),
        effective_to: to.map(|d| d.parse().unwrap()),
    };
    all.pay_plans = vec![
        (insurer(1).id, plan("NOW", None, None)),
        (insurer(1).id, plan("PAST", None, Some("2026-11-21"))),
        (insurer(2).id, plan("HERS", None, None)),
    ];
    let (_, quote) = quoted(all, &asked());
    // 700.00 × 1.00001, coverage by coverage: 100.001 and 200.002 to the cent are 100.00 and 200.00.
    assert_eq!((quote.premium, quote.monthly_premium), (Cents(700_00), Cents(116_67)));
    assert_eq!(quote.pay_plans.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["NOW"]);
    assert_eq!((quote.pay_plans[0].total, quote.pay_plans[0].fees), (Cents(725_00), Cents(25_00)));
}

#[test]
fn what_the_state_asks_for_is_added_and_raised() {
    let state = Minimum { personal_injury: Cents(2_500_00), uninsured_required: true, ..minimum() };
    let all = InsuranceRows { minimums: vec![state], ..rows(vec![]) };
    let low = CoverageChoice {
        coverage: Coverage::BodilyInjury,
        limit: Some(Cents(15_000_00)),
        limit_per_accident: Some(Cents(90_000_00)),
        deductible: None,
    };
    let (input, quote) = quoted(all, &InsuranceRequest { coverages: vec![low], ..asked() });
    let of =
        |coverage| input.request.coverages.iter().find(|c| c.coverage == coverage).map(|c| (c.limit, c.limit_per_accident, c.deductible));
    let some = |dollars: i64| Some(Cents(dollars * 100));
    assert_eq!(of(Coverage::BodilyInjury), Some((some(30_000), some(90_000), None)));
    assert_eq!(of(Coverage::PropertyDamage), Some((some(25_000), None, None)));
    assert_eq!(of(Coverage::UninsuredMotorist), Some((some(30_000), some(60_000), None)));
    assert_eq!(of(Coverage::Medical), Some((some(2_500), None, None)));
    assert_eq!((of(Coverage::Collision), of(Coverage::Comprehensive)), (None, None), "nobody else has an interest in the car");
    assert!(quote.coverages.iter().all(|c| c.required));
    assert_eq!(quote.raised, ["TX asks for at least 30000.00/60000.00/25000.00."]);
    assert!(quote.verified && quote.demands.is_empty());
}

#[test]
fn a_lenders_own_demand_comes_before_everybodys() {
    let demand = |lender: Option<&str>, most: i64| Demand {
        id: Uuid::from_u128(5_000 + u128::try_from(most).unwrap()),
        lender_code: lender.map(Into::into),
        interest: LenderInterest::Loan,
        max_deductible: Cents(most),
        bodily_injury_person: Cents(50_000_00),
        bodily_injury_accident: Cents(100_000_00),
        property_damage: Cents::ZERO,
        loss_payee: true,
        additional_insured: false,
        effective_from: None,
        effective_to: None,
        verified: true,
    };
    let all = || InsuranceRows {
        demands: vec![
            (GROUP, demand(None, 1_000_00)),
            (GROUP, demand(Some("STRICT"), 250_00)),
            (GroupId(Uuid::from_u128(9)), demand(None, 1_00)),
        ],
        ..rows(vec![])
    };
    let mut request = InsuranceRequest { interest: LenderInterest::Loan, ..asked() };
    request.coverages.retain(|c| c.coverage == Coverage::Collision);
    let deductible = |request: &InsuranceRequest| {
        let (input, _) = quoted(all(), request);
        input.request.coverages.iter().filter(|c| c.coverage.covers_the_car()).map(|c| c.deductible.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(deductible(&request), [Cents(500_00), Cents(1_000_00)], "collision as chosen; comprehensive was missing");
    request.lender_code = Some("STRICT".into());
    assert_eq!(deductible(&request), [Cents(250_00), Cents(250_00)]);
    // Only checked: nothing is raised, everything is said.
    request.meet_demands = false;
    let (input, quote) = quoted(all(), &request);
    let unmet: Vec<DemandSubject> = quote.demands.iter().filter(|d| !d.met).map(|d| d.subject).collect();
    assert_eq!(unmet, [DemandSubject::Comprehensive, DemandSubject::Collision, DemandSubject::BodilyInjury]);
    let later: Vec<DemandSubject> =
        input.unmet(&demand(None, 500_00), Some("OTHER"), "Other").into_iter().map(|u| u.check.subject).collect();
    assert_eq!(later, [DemandSubject::Comprehensive, DemandSubject::BodilyInjury, DemandSubject::LossPayee], "it names another lender");
    // The same policy for nobody's loan has no demands to meet.
    assert!(quoted(all(), &InsuranceRequest { interest: LenderInterest::None, ..request }).1.demands.is_empty());
}

/// What a lessor asks for.
fn of_a_lessor() -> Demand {
    Demand {
        id: Uuid::from_u128(4_000),
        lender_code: None,
        interest: LenderInterest::Lease,
        max_deductible: Cents(1_000_00),
        bodily_injury_person: Cents(100_000_00),
        bodily_injury_accident: Cents(300_000_00),
        property_damage: Cents(50_000_00),
        loss_payee: true,
        additional_insured: true,
        effective_from: None,
        effective_to: None,
        verified: true,
    }
}

/// Each demand is met at its limit and not a cent beyond, and says what to ask the insurers for.
#[test]
fn a_demand_is_met_at_its_limit_and_says_what_clears_it() {
    let demand = of_a_lessor();
    let cover = |coverage, limit: Option<i64>, accident: Option<i64>, deductible: Option<i64>| CoverageChoice {
        coverage,
        limit: limit.map(Cents),
        limit_per_accident: accident.map(Cents),
        deductible: deductible.map(Cents),
    };
    // A policy with these limits and deductibles, in cents beside what is asked for.
    let unmet = |person: i64, accident: i64, damage: i64, deductible: i64, demand: &Demand| -> Vec<DemandSubject> {
        let (mut input, _) = quoted(rows(vec![]), &asked());
        input.request.coverages = vec![
            cover(Coverage::BodilyInjury, Some(100_000_00 + person), Some(300_000_00 + accident), None),
            cover(Coverage::PropertyDamage, Some(50_000_00 + damage), None, None),
            cover(Coverage::Comprehensive, None, None, Some(1_000_00 + deductible)),
            cover(Coverage::Collision, None, None, Some(1_000_00 + deductible)),
        ];
        let unmet = input.unmet(demand, Some("ALPHA"), "Alpha Bank");
        assert!(unmet.iter().all(|u| u.change.starts_with("Ask the insurers again") && !u.check.met), "{unmet:?}");
        unmet.into_iter().map(|u| u.check.subject).collect()
    };
    assert_eq!(unmet(0, 0, 0, 0, &demand), []);
    assert_eq!(unmet(1, 1, 1, -1, &demand), []);
    assert_eq!(unmet(-1, 0, 0, 0, &demand), [DemandSubject::BodilyInjury]);
    assert_eq!(unmet(0, -1, 0, 0, &demand), [DemandSubject::BodilyInjury]);
    assert_eq!(unmet(0, 0, -1, 0, &demand), [DemandSubject::PropertyDamage]);
    assert_eq!(unmet(0, 0, 0, 1, &demand), [DemandSubject::Comprehensive, DemandSubject::Collision]);
    // A lender that asks for one limit only, or for none.
    let person_only = Demand { bodily_injury_accident: Cents::ZERO, property_damage: Cents::ZERO, ..demand.clone() };
    assert_eq!(unmet(-1, -300_000_00, -50_000_00, 0, &person_only), [DemandSubject::BodilyInjury]);
    let none = Demand { bodily_injury_person: Cents::ZERO, ..person_only };
    assert_eq!(unmet(-100_000_00, -300_000_00, -50_000_00, 0, &none), []);
    // A policy that names one lender does not name another; one that names nobody names whoever is chosen.
    let (mut input, _) = quoted(rows(vec![]), &asked());
    let named = |input: &InsuranceInput, code: Option<&str>| {
        let unmet = input.unmet(&demand, code, "Beta Bank").into_iter();
        unmet.filter(|u| matches!(u.check.subject, DemandSubject::LossPayee | DemandSubject::AdditionalInsured)).count()
    };
    assert_eq!(named(&input, Some("BETA")), 0);
    input.request.lender_code = Some("ALPHA".into());
    assert_eq!((named(&input, Some("BETA")), named(&input, Some("ALPHA")), named(&input, None)), (2, 0, 0));
}

#[test]
fn a_card_is_held_against_everything_a_lessor_asks_for() {
    let (lessor, other) = (LenderId(Uuid::from_u128(1)), LenderId(Uuid::from_u128(2)));
    let asked = of_a_lessor();
    let named = Named { id: Some(lessor), code: "ALPHA", name: "Alpha Bank" };
    let good = CardCover {
        comprehensive_deductible: Some(Cents(0)),
        collision_deductible: Some(Cents(1_000_00)),
        bodily_injury_person: Some(Cents(100_000_00)),
        bodily_injury_accident: Some(Cents(300_000_00)),
        property_damage: Some(Cents(50_000_00)),
        loss_payee: Some(lessor),
        additional_insured: Some(lessor),
    };
    assert_eq!(good.unmet(&asked, named), []);
    let missing = |card: CardCover| card.unmet(&asked, named).into_iter().map(|u| u.check.subject).collect::<Vec<_>>();
    use DemandSubject as S;
    assert_eq!(
        missing(CardCover::default()),
        [S::Comprehensive, S::Collision, S::BodilyInjury, S::PropertyDamage, S::LossPayee, S::AdditionalInsured]
    );
    for (card, subject) in [
        (CardCover { comprehensive_deductible: Some(Cents(1_000_01)), ..good }, S::Comprehensive),
        (CardCover { collision_deductible: None, ..good }, S::Collision),
        (CardCover { bodily_injury_person: Some(Cents(99_999_99)), ..good }, S::BodilyInjury),
        (CardCover { bodily_injury_accident: Some(Cents(299_999_99)), ..good }, S::BodilyInjury),
        (CardCover { property_damage: Some(Cents(49_999_99)), ..good }, S::PropertyDamage),
        (CardCover { loss_payee: Some(other), ..good }, S::LossPayee),
        (CardCover { additional_insured: None, ..good }, S::AdditionalInsured),
    ] {
        assert_eq!(missing(card), [subject]);
    }
    // Until a lender is chosen, whoever is named will do.
    assert_eq!(CardCover { loss_payee: Some(other), ..good }.unmet(&asked, Named { id: None, ..named }), []);
    assert_eq!(
        asked.all_in_words("Alpha Bank"),
        "comprehensive cover with a deductible of at most 1000.00, collision cover with a deductible of at most 1000.00, \
         bodily injury limits of at least 100000.00 per person and 300000.00 per accident, a property damage limit of at least 50000.00, \
         Alpha Bank named loss payee, Alpha Bank named additional insured"
    );
}
