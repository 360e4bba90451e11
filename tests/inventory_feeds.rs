//! Importing feeds: what lands, what is reported, what is held, what never happens.

use std::fmt::Write as _;
use std::io::Read;
use std::path::PathBuf;

use deskless::db::By;
use deskless::inventory::{FeedImport, FeedImportStatus, FeedReportLine, FeedSource, ImportError};
use serde_json::{Value, json};

use crate::helpers::{Session, TestApp};

/// Imports a file into the Austin store as the command line does.
async fn import(app: &TestApp, bytes: impl Into<Vec<u8>>) -> (Result<FeedImport, ImportError>, Vec<FeedReportLine>) {
    let shop = app.app.dealers.store(app.austin).expect("the store");
    let source = FeedSource::new(std::io::Cursor::new(bytes.into()), "feed.csv");
    let mut lines = Vec::new();
    let outcome = app.app.inventory.import(&shop, source, By::system(), |line| lines.push(line.clone())).await;
    (outcome, lines)
}

async fn landed(app: &TestApp, bytes: impl Into<Vec<u8>>) -> FeedImport {
    import(app, bytes).await.0.expect("the feed can be read")
}

/// A VIN with a right check digit, different for every number.
pub fn vin(n: u32) -> String {
    let body: Vec<char> = format!("1HGCV1F40MA{n:06}").chars().collect();
    let value = |c: char| match c {
        'A' | 'J' => 1,
        'C' => 3,
        'F' => 6,
        'G' => 7,
        'H' => 8,
        'M' => 4,
        'V' => 5,
        c => c.to_digit(10).unwrap(),
    };
    let weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum: u32 = body.iter().zip(weights).map(|(c, w)| value(*c) * w).sum();
    let check = if sum % 11 == 10 { 'X' } else { char::from_digit(sum % 11, 10).unwrap() };
    body.iter().enumerate().map(|(at, c)| if at == 8 { check } else { *c }).collect()
}

const HEAD: &str = "stock,vin,year,make,model,price,mileage\n";

fn row(n: u32, price: &str) -> String {
    format!("S{n},{},2021,Honda,Accord,{price},1000\n", vin(n))
}

fn feed(range: std::ops::Range<u32>) -> String {
    range.fold(HEAD.to_owned(), |text, n| text + &row(n, "20000"))
}

/// `(created, updated, unchanged, refused, missing)`.
fn counts(import: &FeedImport) -> (i32, i32, i32, i32, i32) {
    (import.created, import.updated, import.unchanged, import.refused, import.missing)
}

async fn total(app: &TestApp, who: &Session, filter: Value) -> i64 {
    let data = app.data(who, "query ($f: VehicleFilterInput) { vehicles(filter: $f) { totalCount } }", json!({ "f": filter })).await;
    data["vehicles"]["totalCount"].as_i64().expect("a count")
}

async fn one(app: &TestApp, who: &Session, n: u32) -> Value {
    let query = "query ($vin: Vin!) { vehicle(vin: $vin) { id version status price { amount currency } heldPrice { amount } missingSince
        priceHistory { kind from { amount } to { amount } } hold { dealId } stockNumber store { code } } }";
    app.data(who, query, json!({ "vin": vin(n) })).await["vehicle"].take()
}

fn shared(name: &str) -> Option<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = ["../shared/data", "../../shared/data"].iter().map(|up| root.join(up).join(name)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: {name} is not here");
    }
    found.map(|path| std::fs::read(path).expect("readable"))
}

#[tokio::test]
async fn every_shared_file_lands_or_reports_each_row_and_is_unchanged_the_second_time() {
    let files = [
        ("inventory/auction_manheim.csv.gz", 12_982, "Manheim auction"),
        ("inventory/auction_cleaned_layout.csv.gz", 1_471, "Manheim auction"),
        ("inventory/listings_carscom.csv.gz", 5_000, "Cars.com listings"),
        ("inventory/auction_usa_cars.csv.gz", 1_454, "Salvage auction"),
        ("inventory/listings_truecar.csv", 572, "TrueCar listings"),
        ("inventory/classifieds_craigslist.csv", 120, "Craigslist classifieds"),
        ("feeds/google_merchant_boyer.tsv", 20, "Google vehicle ads"),
        ("feeds/dms_export_layout.xlsx", 76, "by column heads"),
        ("feeds/meta_vehicles_fikes.xml", 57, "Meta automotive inventory"),
        ("feeds/scrape_fikes.json", 76, "by column heads"),
    ];
    for (name, rows, layout) in files {
        let Some(bytes) = shared(name) else { continue };
        let app = TestApp::start().await;
        let (first, lines) = import(&app, bytes.clone()).await;
        let first = first.expect("the feed can be read");
        assert_eq!((first.rows_read, first.layout.as_deref()), (rows, Some(layout)), "{name}");
        assert_eq!(first.created + first.refused, rows, "{name}: {first:?}");
        assert!(first.refused * 10 < rows, "{name}: {first:?}");
        assert_eq!(first.status, FeedImportStatus::Landed, "{name}");
        assert_eq!(lines.len(), usize::try_from(first.refused + first.warnings).unwrap(), "{name}");
        assert!(lines.iter().all(|line| line.line > 1 && !line.reason.is_empty() && !line.code.is_empty()), "{name}");
        let second = landed(&app, bytes).await;
        assert_eq!(counts(&second), (0, 0, first.created, first.refused, 0), "{name}");
        assert_eq!(second.status, FeedImportStatus::Unchanged, "{name}");
    }
}

#[tokio::test]
async fn a_feed_of_ten_thousand_with_one_percent_bad_rows_lands_the_good_ones() {
    let app = TestApp::start().await;
    let mut text = HEAD.to_owned();
    for n in 0..10_000 {
        if n % 100 == 0 {
            writeln!(text, "S{n},{}Z,2021,Honda,Accord,20000,1000", &vin(n)[..16]).unwrap();
        } else {
            text.push_str(&row(n, "20000"));
        }
    }
    let started = std::time::Instant::now();
    let (outcome, lines) = import(&app, text).await;
    assert_eq!(counts(&outcome.unwrap()), (9_900, 0, 0, 100, 0));
    assert!(lines.iter().all(|l| l.code == "VIN_CHECK_DIGIT" && l.column == "vin" && l.value.len() == 17));
    assert_eq!((lines[0].line, lines[1].line), (2, 102));
    assert!(started.elapsed().as_secs() < 60);
}

#[tokio::test]
async fn a_price_change_becomes_history_and_an_unchanged_row_writes_nothing() {
    let app = TestApp::start().await;
    let sam = app.salesperson().await;
    landed(&app, feed(0..3)).await;
    let before = one(&app, &sam, 1).await;
    let second = landed(&app, HEAD.to_owned() + &row(0, "20000") + &row(1, "19500") + &row(2, "Not Priced")).await;
    assert_eq!(counts(&second), (0, 2, 1, 0, 0));
    assert_eq!(one(&app, &sam, 0).await["version"], 1);
    let after = one(&app, &sam, 1).await;
    assert_eq!(after["version"], before["version"].as_i64().unwrap() + 1);
    assert_eq!(after["price"], json!({ "amount": "19500.00", "currency": "USD" }));
    assert_eq!(after["priceHistory"], json!([{ "kind": "PRICE", "from": { "amount": "20000.00" }, "to": { "amount": "19500.00" } }]));
    assert_eq!(one(&app, &sam, 2).await["price"], Value::Null);
}

#[tokio::test]
async fn a_missing_vehicle_is_flagged_and_comes_back_but_is_never_sold() {
    let app = TestApp::start().await;
    let sam = app.salesperson().await;
    landed(&app, feed(0..20)).await;
    let second = landed(&app, feed(0..19)).await;
    assert_eq!(counts(&second), (0, 0, 19, 0, 1));
    let gone = one(&app, &sam, 19).await;
    assert_eq!(gone["status"], "AVAILABLE");
    assert!(gone["missingSince"].is_string());
    assert_eq!(total(&app, &sam, json!({ "missing": true })).await, 1);
    assert_eq!(counts(&landed(&app, feed(0..20)).await), (0, 1, 19, 0, 0));
    assert_eq!(one(&app, &sam, 19).await["missingSince"], Value::Null);
}

#[tokio::test]
async fn a_vehicle_whose_row_is_refused_is_not_missing() {
    let app = TestApp::start().await;
    landed(&app, feed(0..2)).await;
    let bad_price = HEAD.to_owned() + &row(0, "20000") + &row(1, "abc");
    assert_eq!(counts(&landed(&app, bad_price).await), (0, 0, 1, 1, 0));
    let bad_vin = HEAD.to_owned() + &row(0, "20000") + "S1,1HGCV1F49MA000001X,2021,Honda,Accord,20000,1000\n";
    assert_eq!(counts(&landed(&app, bad_vin).await), (0, 0, 1, 1, 0));
}

#[tokio::test]
async fn a_cut_or_empty_feed_is_held_until_a_manager_decides() {
    let app = TestApp::start().await;
    let (maria, sam) = (app.manager().await, app.salesperson().await);
    landed(&app, feed(0..100)).await;
    for shrunk in [feed(0..10), HEAD.to_owned(), String::new()] {
        // Later than the one before, so that the list has an order.
        app.clock.advance(chrono::Duration::seconds(1));
        let held = landed(&app, shrunk).await;
        assert_eq!(held.status, FeedImportStatus::Held);
        assert!(held.held_reason.is_some());
        assert_eq!(total(&app, &sam, json!({ "missing": false })).await, 100);
    }
    let query = "{ feedImports(statuses: [HELD]) { nodes { id rowsRead missing reason } } }";
    let list = app.data(&maria, query, json!({})).await["feedImports"]["nodes"].clone();
    assert_eq!(list.as_array().map(Vec::len), Some(3));
    assert_eq!(app.data(&sam, query, json!({})).await["feedImports"]["nodes"], json!([]));
    let cut = list[2]["id"].clone();
    let release = "mutation ($id: ID!) { feedImportRelease(input: {importId: $id}) { feedImport { status missing } userErrors { code } } }";
    let refused = app.data(&sam, release, json!({ "id": cut })).await;
    assert_eq!(refused["feedImportRelease"]["userErrors"][0]["code"], "NOT_FOUND");
    let discard = "mutation ($id: ID!) { feedImportDiscard(input: {importId: $id}) { feedImport { status } userErrors { code } } }";
    let discarded = app.data(&maria, discard, json!({ "id": list[0]["id"] })).await;
    assert_eq!(discarded["feedImportDiscard"]["feedImport"]["status"], "DISCARDED");
    let released = app.data(&maria, release, json!({ "id": cut })).await;
    assert_eq!(released["feedImportRelease"]["feedImport"], json!({ "status": "LANDED", "missing": 90 }));
    assert_eq!(total(&app, &sam, json!({ "missing": true })).await, 90);
    assert_eq!(total(&app, &sam, json!({})).await, 100);
    let again = app.data(&maria, release, json!({ "id": cut })).await;
    assert_eq!(again["feedImportRelease"]["userErrors"][0]["code"], "NOT_HELD");
}

#[tokio::test]
async fn a_held_feed_is_not_released_over_a_newer_one() {
    let app = TestApp::start().await;
    let maria = app.manager().await;
    landed(&app, feed(0..100)).await;
    let held = landed(&app, feed(0..10)).await;
    app.clock.advance(chrono::Duration::minutes(1));
    landed(&app, feed(0..101)).await;
    let release = "mutation ($id: ID!) { feedImportRelease(input: {importId: $id}) { userErrors { code } } }";
    let answer = app.data(&maria, release, json!({ "id": held.id.to_string() })).await;
    assert_eq!(answer["feedImportRelease"]["userErrors"][0]["code"], "SUPERSEDED");
}

#[tokio::test]
async fn a_steep_price_fall_waits_for_a_manager() {
    let app = TestApp::start().await;
    let (maria, sam) = (app.manager().await, app.salesperson().await);
    landed(&app, feed(0..2)).await;
    let cheap = HEAD.to_owned() + &row(0, "20000") + &row(1, "2000");
    let (outcome, lines) = import(&app, cheap.clone()).await;
    assert_eq!((counts(&outcome.unwrap()), lines[0].code.as_str(), lines[0].line), ((0, 1, 1, 0, 0), "PRICE_FALL", 3));
    let shown = one(&app, &sam, 1).await;
    assert_eq!((&shown["price"]["amount"], &shown["heldPrice"]), (&json!("20000.00"), &Value::Null));
    assert_eq!(counts(&landed(&app, cheap).await), (0, 0, 2, 0, 0));
    let managed = one(&app, &maria, 1).await;
    assert_eq!(managed["heldPrice"]["amount"], "2000.00");
    let confirm = "mutation ($id: ID!, $v: Int!) { vehicleConfirmPrice(input: {vehicleId: $id, expectedVersion: $v}) {
        vehicle { price { amount } heldPrice { amount } } userErrors { code } } }";
    let variables = json!({ "id": managed["id"], "v": managed["version"] });
    assert_eq!(app.data(&sam, confirm, variables.clone()).await["vehicleConfirmPrice"]["userErrors"][0]["code"], "NOT_FOUND");
    let confirmed = app.data(&maria, confirm, variables.clone()).await;
    assert_eq!(confirmed["vehicleConfirmPrice"]["vehicle"], json!({ "price": { "amount": "2000.00" }, "heldPrice": null }));
    assert_eq!(app.data(&maria, confirm, variables).await["vehicleConfirmPrice"]["userErrors"][0]["code"], "NOTHING_HELD");
    assert_eq!(one(&app, &sam, 1).await["priceHistory"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_first_of_repeated_vins_lands_and_the_others_are_reported() {
    let app = TestApp::start().await;
    let sam = app.salesperson().await;
    let text = HEAD.to_owned() + &row(1, "20000") + &row(1, "21000") + &row(1, "22000");
    let (outcome, lines) = import(&app, text).await;
    assert_eq!(counts(&outcome.unwrap()), (1, 0, 0, 2, 0));
    assert_eq!(lines.iter().map(|l| (l.line, l.code.as_str())).collect::<Vec<_>>(), [(3, "VIN_REPEATED"), (4, "VIN_REPEATED")]);
    assert_eq!(one(&app, &sam, 1).await["price"]["amount"], "20000.00");
}

#[tokio::test]
async fn the_report_speaks_of_the_files_own_columns() {
    let app = TestApp::start().await;
    let head = "Stk,Veh VIN,year,make,model,Asking\n";
    let row = |stock: &str, n: u32, price: &str| format!("{stock},{},2021,Honda,Accord,{price}\n", vin(n));
    let (_, lines) = import(&app, head.to_owned() + &row("A", 0, "20000") + &row("A", 1, "20000") + &row("B", 0, "1")).await;
    let told: Vec<_> = lines.iter().map(|l| (l.line, l.column.as_str(), l.value.clone(), l.code.as_str())).collect();
    let want = [(3, "Stk", "A".to_owned(), "STOCK_NUMBER_REPEATED"), (4, "Veh VIN", vin(0), "VIN_REPEATED")];
    assert_eq!(told, want);
    assert!(lines[0].reason.contains(&vin(0)), "{}", lines[0].reason);
    // The vehicle with the newest id is the stock number's, every time.
    let sam = app.salesperson().await;
    let query = "{ vehicle(stockNumber: \"A\") { vin } }";
    let first = app.data(&sam, query, json!({})).await;
    assert_eq!(app.data(&sam, query, json!({})).await, first);
    let (_, lines) = import(&app, head.to_owned() + &row("A", 0, "2000") + &row("C", 1, "20000 CAD")).await;
    let told: Vec<_> = lines.iter().map(|l| (l.line, l.column.as_str(), l.value.as_str(), l.code.as_str())).collect();
    assert_eq!(told, [(2, "Asking", "2000.00", "PRICE_FALL"), (3, "Asking", "CAD", "CURRENCY_CHANGED")]);
    let (_, lines) = import(&app, head.to_owned() + &row("A", 0, "20000") + &row("C", 2, "20000")).await;
    assert_eq!((lines[0].line, lines[0].code.as_str()), (3, "STOCK_NUMBER_TAKEN"));
    assert!(lines[0].reason.contains(&vin(1)), "{}", lines[0].reason);
}

#[tokio::test]
async fn columns_that_were_not_read_are_named() {
    let app = TestApp::start().await;
    let maria = app.manager().await;
    let text = format!("vin,year,make,model,price,Dealer Name,Blank\n{},2021,Honda,Accord,20000,Me,\n", vin(0));
    let import = landed(&app, text).await;
    assert_eq!((import.warnings, import.unread_columns), (0, vec!["Dealer Name".to_owned()]));
    let seen = app.data(&maria, "{ feedImports { nodes { unreadColumns } } }", json!({})).await;
    assert_eq!(seen["feedImports"]["nodes"], json!([{ "unreadColumns": ["Dealer Name"] }]));
}

#[tokio::test]
async fn hostile_files_fail_whole_and_leave_the_lot_alone() {
    let app = TestApp::start().await;
    let maria = app.manager().await;
    landed(&app, feed(0..5)).await;
    let mut cut_archive = Vec::new();
    let gz = flate2::read::GzEncoder::new(std::io::Cursor::new(feed(0..5000)), flate2::Compression::fast());
    gz.take(4000).read_to_end(&mut cut_archive).unwrap();
    let hostile: [(&str, Vec<u8>); 7] = [
        ("binary", (0..=255).cycle().take(300_000).collect()),
        ("no head", b"1,2,3\n4,5,6\n".to_vec()),
        ("NULs", vec![0; 100_000]),
        ("cut archive", cut_archive),
        ("no workbook", b"PK\x03\x04 but nothing else".to_vec()),
        ("a page that was not found", b"<!DOCTYPE html><html><p>404</p></html>".to_vec()),
        ("JSON without vehicles", br#"{"error": "no such feed"}"#.to_vec()),
    ];
    for (name, bytes) in hostile {
        assert!(matches!(import(&app, bytes).await.0, Err(ImportError::Feed(_))), "{name}");
    }
    assert_eq!(total(&app, &maria, json!({})).await, 5);
    let failed = app.data(&maria, "{ feedImports(statuses: [FAILED]) { nodes { reason layout } } }", json!({})).await;
    assert_eq!(failed["feedImports"]["nodes"].as_array().map(Vec::len), Some(7));
    let odd = format!("{HEAD}\0\0,\0\n\"{}\n{}=cmd|' /C calc'!A0,{},2021,Honda,Accord,1,1\n", "x".repeat(300_000), row(6, "1\0"), vin(7));
    let (outcome, lines) = import(&app, odd).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert!(lines.iter().all(|l| !l.value.contains('\0') && l.value.chars().count() <= 200));
}

#[tokio::test]
async fn xml_and_json_land_like_a_table_and_name_what_they_refuse() {
    let app = TestApp::start().await;
    let sam = app.salesperson().await;
    let json = json!({ "dealer": "x", "vehicles": [
        { "vin": vin(1), "stock_number": "S1", "year": 2021, "make": "Honda", "model": "Accord", "price": 20000, "mileage": { "value": "12,000", "unit": "mi" } },
        { "vin": "1HGCV1F49MA038036", "stock_number": "S2", "year": 2021, "make": "Honda", "model": "Accord", "price": 20000 },
    ] });
    let (first, lines) = import(&app, json.to_string()).await;
    let first = first.expect("a feed");
    assert_eq!((first.rows_read, first.created, first.refused), (2, 1, 1), "{lines:?}");
    assert_eq!((lines[0].line, lines[0].column.as_str(), lines[0].code.as_str()), (3, "vin", "VIN_CHECK_DIGIT"), "{lines:?}");
    let xml = format!(
        "<listings><listing><vin>{}</vin><vehicle_id>S1</vehicle_id><year>2021</year><make>Honda</make><model>Accord</model>
         <price>21000.00 USD</price><mileage><value>12000</value><unit>MI</unit></mileage></listing></listings>",
        vin(1)
    );
    assert_eq!(counts(&landed(&app, xml).await), (0, 1, 0, 0, 0));
    assert_eq!(one(&app, &sam, 1).await["price"]["amount"], "21000.00");
}

#[tokio::test]
async fn a_dry_run_reports_and_keeps_nothing() {
    let app = TestApp::start().await;
    let maria = app.manager().await;
    let shop = app.app.dealers.store(app.austin).unwrap();
    let mut source = FeedSource::new(std::io::Cursor::new(feed(0..10).into_bytes()), "feed.csv");
    source.dry_run = true;
    let import = app.app.inventory.import(&shop, source, By::system(), |_| {}).await.unwrap();
    assert_eq!(counts(&import), (10, 0, 0, 0, 0));
    assert_eq!(total(&app, &maria, json!({})).await, 0);
    assert_eq!(app.data(&maria, "{ feedImports { nodes { id } } }", json!({})).await["feedImports"]["nodes"], json!([]));
}

#[tokio::test]
async fn two_imports_of_one_store_at_once_end_as_one_after_the_other() {
    let app = TestApp::start().await;
    let (a, b) = tokio::join!(import(&app, feed(0..500)), import(&app, feed(0..500)));
    let (a, b) = (a.0.unwrap(), b.0.unwrap());
    assert_eq!((a.created + b.created, a.unchanged + b.unchanged), (500, 500));
}
