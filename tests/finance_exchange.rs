//! Rules as CSV files: out and in again, dated, reported.

use std::process::Command;

use deskless::db::By;
use deskless::finance::{
    Credit, DeliveryRight, ExchangeError, JointScore, QuoteInput, QuoteRequest, RuleImport, RuleTable, SaleCondition, cash_quote,
    quote_all, seed_rules,
};
use deskless::kernel::money::Cents;

use crate::finance_rules::golden;
use crate::helpers::TestApp;

async fn seeded() -> TestApp {
    let app = TestApp::start().await;
    let mut tx = app.app.db.begin(By::system()).await.expect("a transaction");
    seed_rules(tx.conn(), app.group).await.expect("seeds");
    tx.commit().await.expect("commit");
    app.app.rules.reload().await.expect("rules");
    app
}

async fn import(app: &TestApp, table: RuleTable, text: &str) -> RuleImport {
    app.app.rules.import(app.group, table, text.as_bytes(), By::system(), false).await.expect("a readable file")
}

async fn export(app: &TestApp, table: RuleTable) -> String {
    app.app.rules.export(app.group, table).await.expect("an export")
}

fn reasons(import: &RuleImport) -> Vec<(u64, &str, &str, &str)> {
    import.refused.iter().map(|l| (l.line, l.column.as_str(), l.value.as_str(), l.reason.as_str())).collect()
}

#[tokio::test]
async fn what_goes_out_comes_in_unchanged_for_every_table() {
    let app = seeded().await;
    for table in RuleTable::ALL.iter().copied() {
        let text = export(&app, table).await;
        let rows = text.lines().count() - 1;
        assert!(rows > 0, "{} has no seeds", table.name());
        let again = import(&app, table, &text).await;
        let RuleImport { read, added, closed, noted, unchanged, refused } = again;
        assert_eq!((added, closed, noted, refused.len()), (0, 0, 0, 0), "{}: {refused:?}", table.name());
        assert_eq!((read, unchanged), (rows, rows), "{}", table.name());
        assert_eq!(export(&app, table).await, text, "{}", table.name());
    }
}

#[tokio::test]
async fn an_empty_database_takes_in_another_ones_export() {
    let from = seeded().await;
    let to = TestApp::start().await;
    for table in RuleTable::ALL.iter().copied() {
        let text = export(&from, table).await;
        let done = import(&to, table, &text).await;
        assert_eq!(reasons(&done), [], "{}", table.name());
        assert_eq!(done.added, text.lines().count() - 1, "{}", table.name());
        assert_eq!(export(&to, table).await, text, "{}", table.name());
    }
    // And quotes the same.
    let (a, b) = (from.app.rules.book(), to.app.rules.book());
    let mut there = golden(&to, "NY-NYC", "2026-11-21");
    let here = golden(&from, "NY-NYC", "2026-11-21");
    there.group = to.group;
    let payments = |book: &deskless::finance::RuleBook, request: &QuoteRequest| -> Vec<Cents> {
        quote_all(book, request).unwrap().iter().filter_map(|q| q.quoted()).map(|p| p.quote.payment).collect()
    };
    assert!(!payments(&a, &here).is_empty());
    assert_eq!(payments(&a, &here), payments(&b, &there));
}

const HEAD: &str = "jurisdiction,from,to,scheme,state_rate,local_rate,local_rule,trade_policy,mfr_rebate,dealer_rebate,doc_fee,\
service_contract,gap,maintenance,other_product,lease_method,lease_reduction,lease_trade_credit,source,read_on,verified";

fn tax_row(place: &str, from: &str, to: &str, rate: &str) -> String {
    format!("{place},{from},{to},SALES,{rate},0,NONE,FULL,true,true,false,false,false,true,true,ON_PRICE,false,false,Test,2026-11-22,true")
}

#[tokio::test]
async fn a_later_row_ends_the_one_before_and_a_second_import_changes_nothing() {
    let app = seeded().await;
    let file = format!("{HEAD}\n{}\n", tax_row("TX", "2027-01-01", "", "6.5"));
    let done = import(&app, RuleTable::TaxRules, &file).await;
    assert_eq!(reasons(&done), []);
    assert_eq!((done.added, done.closed), (1, 1));
    let tax = |on: &str| {
        let request = golden(&app, "TX", on);
        cash_quote(&app.app.rules.book(), &request).unwrap().quote.tax
    };
    // 18,000 at 6.25 % until the last day of the year, at 6.5 % from the next.
    assert_eq!((tax("2026-12-31"), tax("2027-01-01")), (Cents(1_125_00), Cents(1_170_00)));
    let again = import(&app, RuleTable::TaxRules, &file).await;
    assert_eq!((again.added, again.closed, again.noted, again.unchanged), (0, 0, 0, 1));
    // The old file, in which the first row was still open, does not open it again.
    let old = format!("{HEAD}\n{}\n", tax_row("TX", "1999-09-01", "", "6.25"));
    let old = import(&app, RuleTable::TaxRules, &old).await;
    assert_eq!((reasons(&old).len(), old.added, old.closed), (0, 0, 0), "{old:?}");
    assert_eq!(tax("2027-01-01"), Cents(1_170_00));
}

#[tokio::test]
async fn a_row_on_file_is_never_overwritten() {
    let app = seeded().await;
    let before = export(&app, RuleTable::TaxRules).await;
    let file = format!("{HEAD}\n{}\n{}\n", tax_row("TX", "1999-09-01", "", "7"), tax_row("FL", "2027-01-01", "", "6"));
    let done = import(&app, RuleTable::TaxRules, &file).await;
    assert_eq!(reasons(&done), [(2, "state_rate", "7", "the row on file has 6.25 and is kept: give the new figures a later first day")]);
    // Nothing of the file was taken, Florida's good row neither.
    assert_eq!(export(&app, RuleTable::TaxRules).await, before);
}

#[tokio::test]
async fn overlapping_dates_are_refused_by_the_database() {
    let app = seeded().await;
    // Michigan has a row for every year: one from the middle of one to the middle of the next overlaps both.
    let file = format!("{HEAD}\n{}\n", tax_row("MI", "2026-07-01", "2027-07-01", "6"));
    let done = import(&app, RuleTable::TaxRules, &file).await;
    assert_eq!(reasons(&done), [(2, "from", "2026-07-01", "overlaps the row from 2026-01-01 to 2027-01-01")]);
    // Two open rows of one place in one file.
    let file = format!("{HEAD}\n{}\n{}\n", tax_row("QQ", "2026-01-01", "", "5"), tax_row("QQ", "2027-01-01", "", "6"));
    let place = "code,state,name\nQQ,QQ,Nowhere\n";
    assert_eq!(import(&app, RuleTable::Jurisdictions, place).await.added, 1);
    let done = import(&app, RuleTable::TaxRules, &file).await;
    assert_eq!(done.refused.len(), 1);
    assert!(done.refused[0].reason.starts_with("overlaps the row from"), "{done:?}");
    // The constraint stands behind it, whoever writes.
    let clash = sqlx::query(
        "UPDATE tax_rule SET effective = daterange('2020-01-01', NULL) WHERE jurisdiction = 'MI' AND lower(effective) = '2023-01-01'",
    );
    let error = clash.execute(app.database.pool()).await.unwrap_err().to_string();
    assert!(error.contains("tax_rule_overlap"), "{error}");
}

#[tokio::test]
async fn bad_cells_are_reported_with_row_column_value_and_reason() {
    let app = seeded().await;
    let file = format!(
        "{HEAD}\n{}\n{}\n{}\n{}\n",
        tax_row("ZZ", "2027-01-01", "", "5"),
        tax_row("TX", "2027-13-01", "", "5"),
        tax_row("TX", "2028-01-01", "2027-01-01", "-1"),
        tax_row("TX", "2029-01-01", "", "5").replace("SALES", "sales"),
    );
    let done = import(&app, RuleTable::TaxRules, &file).await;
    assert_eq!(
        reasons(&done),
        [
            (2, "jurisdiction", "ZZ", "there is no such jurisdiction"),
            (3, "from", "2027-13-01", "a date such as 2026-11-22"),
            (4, "state_rate", "-1", "percent points from 0 to 1000 with at most six decimals"),
            (4, "to", "2027-01-01", "the first day it no longer holds must come after the first day"),
            (5, "scheme", "sales", "one of SALES, HIGHWAY_USE, TITLE_AD_VALOREM, EXCISE, NONE"),
        ]
    );
    assert_eq!((done.read, done.added), (4, 0));
    let wrong = app.app.rules.import(app.group, RuleTable::TaxRules, "state;rate\n".as_bytes(), By::system(), false).await;
    assert!(matches!(wrong, Err(ExchangeError::File(_))));
    let missing = app.app.rules.import(app.group, RuleTable::TaxRules, "jurisdiction\nTX\n".as_bytes(), By::system(), false).await;
    assert!(missing.unwrap_err().to_string().contains("column \"from\" is missing"));
}

#[tokio::test]
async fn verification_may_change_in_place_and_clears_the_mark() {
    let app = seeded().await;
    let verified = || {
        let input = golden(&app, "TX", "2026-11-21");
        let quote = cash_quote(&app.app.rules.book(), &input).unwrap().quote;
        quote.rules.iter().find(|r| r.table == "tax_rule").unwrap().verified
    };
    assert!(!verified());
    let text = export(&app, RuleTable::TaxRules).await;
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    for line in lines.iter_mut().filter(|line| line.starts_with("TX,")) {
        assert!(line.contains("2026-10-05,false,false"), "{line}");
        *line = line.replace("2026-10-05,false,false", "2026-11-22,true,true");
    }
    let done = import(&app, RuleTable::TaxRules, &(lines.join("\n") + "\n")).await;
    assert_eq!((reasons(&done).len(), done.noted, done.added, done.closed), (0, 1, 0, 0));
    assert!(verified());
}

const PROGRAM: &str =
    "lender,code,name,kind,from,to,conditions,tier,term_min,term_max,max_financed,max_ltv,collateral_basis,buy_rate,source,verified\n";

#[tokio::test]
async fn lender_programs_come_in_by_effective_date() {
    let app = seeded().await;
    let row = |from: &str, rate: &str| {
        format!(
            "SUMMIT,SPECIAL-A-60,\"Special rate, new to 60 months, tier A\",RETAIL,{from},,NEW,A,49,60,100000,105,MSRP,{rate},Summit's sheet,true\n"
        )
    };
    let done = import(&app, RuleTable::Programs, &(PROGRAM.to_owned() + &row("2026-12-01", "2.49"))).await;
    assert_eq!((reasons(&done).len(), done.added, done.closed), (0, 1, 1), "{done:?}");
    let best = |on: &str| {
        // The special rate is given in place of the rebate.
        let mut asked = golden(&app, "TX", on);
        asked.worksheet.manufacturer_rebate = Cents::ZERO;
        let quotes = quote_all(&app.app.rules.book(), &asked).unwrap();
        let best = quotes.first().unwrap();
        assert_eq!(best.program.code, "SPECIAL-A-60");
        best.quoted().unwrap().quote.buy_rate.unwrap().to_string()
    };
    assert_eq!((best("2026-11-30"), best("2026-12-01")), ("3.9".to_owned(), "2.49".to_owned()));
    // A lease row without its money factor, a lender nobody knows, a tier that is no code.
    let bad = PROGRAM.to_owned()
        + "SUMMIT,L1,Lease,LEASE,2027-01-01,,NEW,A,24,36,100000,110,MSRP,,Sheet,true\n"
        + "NOBODY,N1,Retail,RETAIL,2027-01-01,,NEW,A,24,36,100000,110,MSRP,5,Sheet,true\n"
        + "SUMMIT,S1,Retail,RETAIL,2027-01-01,,NEW,A plus,60,36,100000,110,MSRP,5,Sheet,true\n";
    let done = import(&app, RuleTable::Programs, &bad).await;
    let found: Vec<(u64, &str)> = done.refused.iter().map(|l| (l.line, l.column.as_str())).collect();
    assert_eq!(found, [(2, "money_factor"), (3, "lender"), (4, "tier")]);
}

#[tokio::test]
async fn a_program_says_what_its_lender_wants_before_it_pays() {
    let app = seeded().await;
    let head = PROGRAM.replace(",source", ",stipulations,source");
    let row = |asked: &str| {
        format!("{head}SUMMIT,S-STIPS,Retail with papers,RETAIL,2026-12-01,,NEW,A,49,60,100000,105,MSRP,3.9,{asked},Summit's sheet,true\n")
    };
    let done = import(&app, RuleTable::Programs, &row("PROOF_OF_INCOME HANDSHAKE")).await;
    assert_eq!((done.added, done.refused[0].column.as_str()), (0, "stipulations"), "{done:?}");
    let done = import(&app, RuleTable::Programs, &row("PROOF_OF_INCOME REFERENCES")).await;
    assert_eq!((done.refused.len(), done.added), (0, 1), "{done:?}");
    let book = app.app.rules.book();
    let quotes = quote_all(&book, &golden(&app, "TX", "2026-12-01")).unwrap();
    let quote = quotes.iter().find(|q| q.program.code == "S-STIPS").and_then(|q| q.quoted()).unwrap();
    let asked = &quote.input.program.as_ref().unwrap().stipulations;
    assert_eq!(asked.iter().map(|s| s.as_str()).collect::<Vec<_>>(), ["PROOF_OF_INCOME", "REFERENCES"]);
    // The quote keeps what was asked for when it was made.
    assert_eq!(
        serde_json::to_value(&quote.input).unwrap()["program"]["stipulations"],
        serde_json::json!(["PROOF_OF_INCOME", "REFERENCES"])
    );
    assert!(export(&app, RuleTable::Programs).await.contains("PROOF_OF_INCOME REFERENCES"));
}

#[tokio::test]
async fn a_program_says_what_its_lender_makes_of_co_signers_and_thin_files() {
    let app = seeded().await;
    let head = PROGRAM.replace(",source", ",joint_score,joint_income,adders,source");
    let row = |joint: &str| {
        let thin = r#""[{""label"":""thin credit file"",""subject"":""TRADE_LINES"",""up_to"":3,""points"":""2""}]""#;
        format!("{head}SUMMIT,S-TWO,Retail for two,RETAIL,2026-12-01,,NEW,A,49,60,100000,105,MSRP,3.9,{joint},{thin},Summit's sheet,true\n")
    };
    let done = import(&app, RuleTable::Programs, &row("BEST,true")).await;
    assert_eq!((done.added, done.refused[0].column.as_str()), (0, "joint_score"), "{done:?}");
    let done = import(&app, RuleTable::Programs, &row("AVERAGE,true")).await;
    assert_eq!((done.refused.len(), done.added), (0, 1), "{done:?}");
    let mut asked = golden(&app, "TX", "2026-12-01");
    asked.worksheet.credit = Some(Credit { trade_lines: Some(1), ..Credit::default() });
    let quotes = quote_all(&app.app.rules.book(), &asked).unwrap();
    let quote = quotes.iter().find(|q| q.program.code == "S-TWO").and_then(|q| q.quoted()).unwrap();
    let program = quote.input.program.as_ref().unwrap();
    assert_eq!((program.joint_score, program.joint_income), (JointScore::Average, true));
    assert_eq!(quote.quote.buy_rate.unwrap().to_string(), "5.9");
    // The quote keeps both, and comes to the same from what it keeps.
    let kept = serde_json::to_string(&quote.input).unwrap();
    let again: QuoteInput = serde_json::from_str(&kept).unwrap();
    assert_eq!((&again, &again.quote().unwrap()), (&quote.input, &quote.quote));
    let text = export(&app, RuleTable::Programs).await;
    let line = text.lines().find(|line| line.contains("S-TWO")).unwrap();
    assert!(line.contains("AVERAGE,true") && line.contains("TRADE_LINES"), "{line}");
}

#[tokio::test]
async fn the_command_line_exports_imports_and_reports() {
    let app = seeded().await;
    let dir = std::env::temp_dir().join(format!("deskless-rules-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let run = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_deskless"))
            .arg("rules")
            .args(arguments)
            .env_remove("DATABASE_URL")
            .env("DESKLESS_DATABASE__URL", app.database.url())
            .env("DESKLESS_AUTH__DATA_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")
            .env("DESKLESS_AUTH__INDEX_KEY", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=")
            .env("DESKLESS_LOG__FILTER", "error")
            .output()
            .expect("the program runs");
        (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let folder = dir.to_string_lossy().into_owned();
    let (code, out, err) = run(&["export", &folder]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("tax_rules.csv: ") && out.contains("programs.csv: "), "{out}");
    let (code, out, err) = run(&["import", &folder]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.lines().all(|line| line.contains(" 0 added, 0 closed, 0 noted")), "{out}");
    let file = dir.join("store_fees.csv");
    std::fs::write(&file, "store,code,label,amount,from\naustin,DOC,Document fee,=1+1,2027-01-01\naustin,E_FILING,Filing,10,2027-01-01\n")
        .unwrap();
    let report = dir.join("report.csv");
    let (code, out, _) = run(&["import", &file.to_string_lossy(), "--report", &report.to_string_lossy()]);
    assert_eq!(code, Some(3));
    assert!(out.contains("1 cells refused, nothing changed"), "{out}");
    let report = std::fs::read_to_string(&report).unwrap();
    assert!(report.starts_with("file,row,column,value,reason\n") && report.contains(",2,amount,'=1+1,dollars from 0.00"), "{report}");
    let _ = std::fs::remove_dir_all(&dir);
}

#[tokio::test]
async fn california_s_return_law_has_its_fees_and_the_unsure_part_is_marked_until_somebody_checks_it() {
    let app = seeded().await;
    let law = |on: &str| app.app.rules.book().delivery_law("CA", DeliveryRight::Return, on.parse().unwrap()).cloned();
    assert!(law("2026-09-30").is_none(), "SB 766 is live from 1 October 2026");
    let found = law("2026-10-01").expect("a law");
    let fee = found.fees.restocking.expect("a fee");
    assert_eq!([13_000_00, 20_000_00, 50_000_00].map(|price| fee.on(Cents(price)).0), [200_00, 300_00, 600_00]);
    let miles = found.fees.mileage.expect("a fee for miles");
    assert_eq!((miles.on(250), miles.on(400), miles.verified, found.verified), (Cents(0), Cents(150_00), false, false));
    assert!(found.covers(SaleCondition::Used, Cents(50_000_00)) && !found.covers(SaleCondition::Used, Cents(50_000_01)));

    let file = export(&app, RuleTable::DeliveryLaws).await;
    let line = file.lines().find(|line| line.starts_with("CA,RETURN")).expect("its line");
    assert!(line.contains(",50000.00,400,1.5,200.00,600.00,1.00,250,150.00,false,"), "{line}");
    // Checked by a person: in place, and apart from the rest of the row.
    let checked = import(&app, RuleTable::DeliveryLaws, &file.replace("150.00,false,", "150.00,true,")).await;
    assert_eq!((checked.noted, checked.added, checked.refused.len()), (1, 0, 0), "{checked:?}");
    let found = law("2026-11-22").expect("a law");
    assert_eq!((found.fees.mileage.map(|fee| fee.verified), found.verified), (Some(true), false));
    // What it says is never changed in place.
    let other = import(&app, RuleTable::DeliveryLaws, &file.replace("1.5,200.00", "2,200.00")).await;
    assert_eq!(other.refused.iter().map(|l| (l.column.as_str(), l.value.as_str())).collect::<Vec<_>>(), [("restock_percent", "2")]);
}

#[tokio::test]
async fn the_parts_of_a_return_s_fees_belong_together() {
    let app = seeded().await;
    const HEAD: &str =
        "state,kind,from,days,counts_from,restock_percent,restock_min,restock_max,mile_fee,mile_free,mile_fee_max,mile_verified";
    for (row, column, reason) in [
        ("TX,SPOT_CANCEL,2026-01-01,3,DELIVERY,1.5,,,,,,", "restock_percent", "only for a RETURN"),
        ("TX,SPOT_CANCEL,2026-01-01,3,DELIVERY,,,,1.00,0,,", "mile_fee", "only for a RETURN"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,,200.00,,,,,", "restock_min", "needs restock_percent"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,,,600.00,,,,", "restock_max", "needs restock_percent"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,101,,,,,,", "restock_percent", "at most 100"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,1.5,600.00,200.00,,,,", "restock_max", "must not be below restock_min"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,,,,,250,,", "mile_free", "needs mile_fee"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,,,,,,150.00,", "mile_fee_max", "needs mile_fee"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,,,,,,,true", "mile_verified", "needs mile_fee"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,,,,1.00,,,", "mile_free", "must be filled with mile_fee"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,,,,0,0,,", "mile_fee", "more than 0.00"),
        ("TX,RETURN,2026-01-01,3,DELIVERY,,,,1,0,0,", "mile_fee_max", "more than 0.00"),
    ] {
        let done = import(&app, RuleTable::DeliveryLaws, &format!("{HEAD}\n{row}\n")).await;
        let refused = reasons(&done);
        assert_eq!(refused.len(), 1, "{row}: {done:?}");
        assert!(refused[0].1 == column && refused[0].3.starts_with(reason), "{row}: {refused:?}");
    }
    let whole = import(&app, RuleTable::DeliveryLaws, &format!("{HEAD}\nTX,RETURN,2026-01-01,3,DELIVERY,1.5,,,0.25,0,,\n")).await;
    assert_eq!((whole.added, whole.refused.len()), (1, 0), "{whole:?}");
}
