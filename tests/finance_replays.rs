//! Quotes as earlier versions of the engine stored them (`tests/replays/VERSION/*.json`): every one replays to the byte, or the
//! replay says by name why not. A new version adds a directory and touches no old one.

use std::path::{Path, PathBuf};

use deskless::deals::{Replay, ReplayOutcome};
use deskless::finance::retail::PaymentSchedule;
use deskless::finance::{DeferredDown, ENGINE_VERSION, FeeWaiver, Purse, QuoteKind, TradeIn};
use deskless::insurance::{InsuranceRequest, LenderInterest};
use deskless::kernel::money::Cents;
use serde_json::{Value, json};

use crate::finance_book::{book, fee, points, program, request, tax_rule};
use crate::helpers::showroom::Showroom;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replays")
}

fn stored() -> Vec<(String, Value)> {
    let mut files = Vec::new();
    for version in std::fs::read_dir(directory()).expect("tests/replays") {
        for file in std::fs::read_dir(version.expect("an entry").path()).expect("a version") {
            let path = file.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a stored quote");
            files.push((path.display().to_string(), serde_json::from_str(&text).expect("JSON")));
        }
    }
    files
}

#[test]
fn quotes_of_every_earlier_version_replay_or_say_by_name_why_not() {
    let files = stored();
    assert!(files.len() >= 5, "{} stored quotes", files.len());
    for (path, mut quote) in files {
        let (inputs, version) = (quote["inputs"].clone(), quote["version"].as_str().expect("a version").to_owned());
        let same_engine = version == ENGINE_VERSION;
        let replay = match quote["kind"].as_str() {
            Some("INSURANCE") => Replay::of_insurance(version, &inputs, quote["result"].take()),
            _ => Replay::of_finance(version, &inputs, quote["result"].take()),
        };
        let outcome = replay.outcome();
        println!("{path}: {outcome} {}", replay.reason().unwrap_or_default());
        let allowed: &[ReplayOutcome] = if same_engine {
            &[ReplayOutcome::Equal]
        } else {
            &[ReplayOutcome::Equal, ReplayOutcome::EqualByLaterEngine, ReplayOutcome::EngineChanged]
        };
        assert!(allowed.contains(&outcome), "{path}: {outcome} {}", replay.reason().unwrap_or_default());
    }
}

/// Writes the quotes of the present version: `cargo test -- --ignored writes_the_quotes_of_this_version`, once, when the
/// version of the engine has grown.
#[tokio::test]
#[ignore = "writes files"]
async fn writes_the_quotes_of_this_version() {
    let target = directory().join(ENGINE_VERSION);
    std::fs::create_dir_all(&target).expect("a directory");
    let write = |name: &str, kind: &str, version: &str, inputs: Value, result: Value| {
        let file = json!({ "kind": kind, "version": version, "inputs": inputs, "result": result });
        let text = serde_json::to_string_pretty(&file).expect("JSON");
        std::fs::write(target.join(format!("{name}.json")), text + "\n").expect("a file");
    };
    let mut contract = request(QuoteKind::Retail);
    let w = &mut contract.worksheet;
    w.schedule = PaymentSchedule::Biweekly;
    w.first_payment_days = 21;
    w.deferred_down = vec![DeferredDown { date: "2026-12-05".parse().expect("a day"), amount: Cents(400_00) }];
    w.purse = Some(Purse { gross_income: Cents(7_000_00), debts: Cents(900_00) });
    w.manufacturer_rebate = Cents(1_000_00);
    w.fee_waivers = vec![FeeWaiver { code: "DOC".into(), amount: Cents(50_00) }];
    w.trade_ins = vec![TradeIn {
        allowance: Cents(9_000_00),
        payoff: Cents(10_500_00),
        payoff_good_through: Some("2026-11-10".parse().expect("a day")),
        payoff_per_diem: Cents(2_35),
        actual_cash_value: Some(Cents(8_400_00)),
    }];
    let mut lease = request(QuoteKind::Lease);
    lease.worksheet.capitalize_tax = true;
    lease.worksheet.annual_miles = 15_000;
    let rules = book(tax_rule(), vec![]);
    let mut balloon = program(2, QuoteKind::Retail, "5.9");
    balloon.balloon_percent = Some(points("30"));
    let cases = [
        ("cash", request(QuoteKind::Cash), None),
        ("contract", contract, Some(program(0, QuoteKind::Retail, "6.9"))),
        ("balloon", request(QuoteKind::Retail), Some(balloon)),
        ("lease", lease, Some(program(1, QuoteKind::Lease, "0.00125"))),
    ];
    for (name, asked, program) in cases {
        let mut input = asked.input(&rules, program.map(Into::into).as_ref()).expect("inputs");
        input.fees.push(fee("TITLE", 75_00, false).into());
        let quote = input.quote().unwrap_or_else(|e| panic!("{name}: {e}"));
        let json = |value: Result<Value, serde_json::Error>| value.expect("JSON");
        write(name, input.worksheet.kind.as_str(), ENGINE_VERSION, json(serde_json::to_value(&input)), json(serde_json::to_value(&quote)));
    }
    let room = Showroom::open().await;
    let snapshot = room.app.app.rules.book();
    let mut asked =
        InsuranceRequest::for_car("TX", "2026-11-20".parse().expect("a day"), LenderInterest::Loan, Cents(30_000_00), 3, Some(12_000));
    asked.lender_code = Some("BETA".into());
    let quotes = deskless::insurance::quote_all(snapshot.insurance(), room.app.group, &asked).expect("quotes");
    let (_, input, quoted) = &quotes[0];
    let (inputs, result) = (serde_json::to_value(input).expect("JSON"), serde_json::to_value(quoted).expect("JSON"));
    write("insurance", "INSURANCE", deskless::insurance::RATING_VERSION, inputs, result);
}
