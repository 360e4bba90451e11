//! `deskless import inventory` as people and cron run it: exit codes, the summary line, mapping files, standard input.

use std::path::PathBuf;

use serde_json::json;

use crate::helpers::TestApp;
use crate::helpers::program::{Said, run, run_with_log};

const GOOD: &str = "stock,vin,year,make,model,price\n\
    A1,1HGCV1F49MA038035,2021,Honda,Accord,28500\n\
    A2,JTEZU5JR3C5043790,2012,Toyota,4Runner,23541\n";
const BAD_ROW: &str = "A3,JTEZU5JR3C5043791,2012,Toyota,4Runner,23541\n";

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("deskless-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn import(app: &TestApp, more: &[&str], input: Option<&str>) -> Said {
    run(app, &[&["import", "inventory", "--store", "austin"], more].concat(), input).await
}

async fn cars(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM vehicle").fetch_one(app.database.pool()).await.unwrap()
}

#[tokio::test]
async fn a_clean_feed_ends_with_one_line_and_success() {
    let (app, folder) = (TestApp::start().await, Folder::new("clean"));
    let file = folder.file("lot.csv", GOOD);
    let said = import(&app, &[&file], None).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.out.lines().count(), 1, "{said:?}");
    assert!(said.out.starts_with("austin: lot.csv ("), "{said:?}");
    assert!(said.out.contains("): 2 rows: 2 created, 0 updated, 0 unchanged, 0 refused; 0 missing, "), "{said:?}");
    assert!(said.out.contains(" rows/s; "), "{said:?}");
    // No terminal, no bar.
    assert!(!said.err.contains('\u{1b}') && !said.err.contains('█'), "{said:?}");
    let again = import(&app, &[&file], None).await;
    assert!(again.code == 0 && again.out.contains("0 created, 0 updated, 2 unchanged"), "{again:?}");
    assert_eq!(cars(&app).await, 2);
}

#[tokio::test]
async fn a_warning_on_the_way_is_plain_text_beside_the_summary() {
    let (app, folder) = (TestApp::start().await, Folder::new("slow"));
    // A statement that waits for longer than a second is logged.
    let mut other = app.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE store").execute(&mut *other).await.unwrap();
    let file = folder.file("lot.csv", GOOD);
    let arguments = ["import", "inventory", "--store", "austin", &file];
    let (said, ()) = tokio::join!(run_with_log(&app, &arguments), async {
        tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
        other.rollback().await.unwrap();
    });
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("slow statement") && !said.err.contains('\u{1b}'), "{said:?}");
    assert!(said.out.starts_with("austin: lot.csv (") && said.out.lines().count() == 1, "{said:?}");
}

#[tokio::test]
async fn refused_rows_are_told_and_make_the_exit_code_3() {
    let (app, folder) = (TestApp::start().await, Folder::new("refused"));
    let file = folder.file("lot.csv", &format!("{GOOD}{BAD_ROW}"));
    let said = import(&app, &[&file], None).await;
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("3 rows: 2 created, 0 updated, 0 unchanged, 1 refused"), "{said:?}");
    assert!(said.err.contains("line 4: refused") && said.err.contains("JTEZU5JR3C5043791"), "{said:?}");
    // The whole report as a file, with a head.
    let report = folder.0.join("report.csv");
    let said = import(&app, &["--report", report.to_str().unwrap(), &file], None).await;
    assert_eq!(said.code, 3, "{said:?}");
    let report = folder.read("report.csv");
    assert_eq!(report.lines().next(), Some("line,column,value,severity,code,reason"));
    assert!(report.contains("\n4,vin,JTEZU5JR3C5043791,refused,VIN_CHECK_DIGIT,"), "{report}");
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let (app, folder) = (TestApp::start().await, Folder::new("dry"));
    let said = import(&app, &["--dry-run", &folder.file("lot.csv", GOOD)], None).await;
    assert!(said.code == 0 && said.out.contains("2 created") && said.out.trim_end().ends_with("dry run, nothing changed"), "{said:?}");
    assert_eq!(cars(&app).await, 0);
}

#[tokio::test]
async fn columns_that_were_not_read_are_named_beside_the_summary() {
    let (app, folder) = (TestApp::start().await, Folder::new("unread"));
    let feed = "vin,year,make,model,price,Dealer Name\n1HGCV1F49MA038035,2021,Honda,Accord,28500,Me\n";
    let said = import(&app, &[&folder.file("lot.csv", feed)], None).await;
    assert!(said.code == 0 && said.err.contains("columns not read: Dealer Name"), "{said:?}");
    assert_eq!(said.out.lines().count(), 1, "{said:?}");
}

#[tokio::test]
async fn a_feed_comes_through_a_pipe() {
    let app = TestApp::start().await;
    let said = import(&app, &["-"], Some(GOOD)).await;
    assert!(said.code == 0 && said.out.starts_with("austin: - (") && said.out.contains("2 created"), "{said:?}");
    let empty = import(&app, &["-"], Some("")).await;
    assert!(empty.code != 101 && cars(&app).await == 2, "an empty pipe empties no lot: {empty:?}");
}

#[tokio::test]
async fn a_mapping_file_tells_what_the_columns_are() {
    let (app, folder) = (TestApp::start().await, Folder::new("mapping"));
    let sam = app.salesperson().await;
    let feed = "Nummer;Fahrgestell;Baujahr;Marke;Typ;Preis\nG1;1HGCV1F49MA038035;2021;Honda;Accord;28500\n";
    let file = folder.file("lot.csv", feed);
    let unknown = import(&app, &[&file], None).await;
    assert!(unknown.code == 1 && unknown.err.starts_with("deskless: lot.csv: "), "{unknown:?}");
    let mapping = "delimiter = \";\"\n[columns]\nstock_number = \"Nummer\"\nvin = \"Fahrgestell\"\nyear = \"Baujahr\"\nmake = \"Marke\"\nmodel = \"Typ\"\nprice = [\"Preis\"]\n";
    let said = import(&app, &["--mapping", &folder.file("german.toml", mapping), &file], None).await;
    assert!(said.code == 0 && said.out.contains("1 rows: 1 created"), "{said:?}");
    let seen = app.data(&sam, "{ vehicle(vin: \"1HGCV1F49MA038035\") { stockNumber make model price { amount } } }", json!({})).await;
    assert_eq!(seen["vehicle"], json!({ "stockNumber": "G1", "make": "Honda", "model": "Accord", "price": { "amount": "28500.00" } }));
    let wrong = import(&app, &["--mapping", &folder.file("wrong.toml", "delimiter = \"||\"\n"), &file], None).await;
    assert!(wrong.code == 1 && wrong.err.contains("wrong.toml: delimiter: expected one character"), "{wrong:?}");
}

#[tokio::test]
async fn a_feed_that_would_empty_the_lot_is_held_with_exit_code_4() {
    let (app, folder) = (TestApp::start().await, Folder::new("held"));
    let head = "stock,vin,year,make,model,price\n";
    let row = |n: u32| format!("S{n},{},2021,Honda,Accord,20000\n", crate::inventory_feeds::vin(n));
    let full: String = (1..=12).map(row).fold(head.to_owned(), |text, row| text + &row);
    assert_eq!(import(&app, &[&folder.file("full.csv", &full)], None).await.code, 0);
    let cut: String = (1..=2).map(row).fold(head.to_owned(), |text, row| text + &row);
    let said = import(&app, &[&folder.file("cut.csv", &cut)], None).await;
    assert!(said.code == 4 && said.out.contains("; HELD: "), "{said:?}");
    let missing: i64 =
        sqlx::query_scalar("SELECT count(*) FROM vehicle WHERE missing_since IS NOT NULL").fetch_one(app.database.pool()).await.unwrap();
    assert_eq!((missing, cars(&app).await), (0, 12));
}

#[tokio::test]
async fn mistakes_are_told_in_a_sentence_with_exit_code_1() {
    let (app, folder) = (TestApp::start().await, Folder::new("mistakes"));
    let file = folder.file("lot.csv", GOOD);
    let (here, gone) = (folder.0.to_str().unwrap(), folder.0.join("gone.csv"));
    for (arguments, says) in [
        (vec!["--store", "nowhere", &file], "there is no store \"nowhere\""),
        (vec!["--store", "austin", gone.to_str().unwrap()], "No such file"),
        (vec!["--store", "austin", here], "is a folder"),
        (vec!["--store", "austin", "--mapping", gone.to_str().unwrap(), &file], "No such file"),
    ] {
        let said = run(&app, &[&["import", "inventory"], arguments.as_slice()].concat(), None).await;
        assert!(said.code == 1 && said.err.starts_with("deskless: ") && said.err.contains(says), "{says}: {said:?}");
        assert_eq!(said.err.lines().count(), 1, "{said:?}");
    }
    // What the command line itself can't read is 2, with a hint.
    let said = run(&app, &["import", "inventory", &file], None).await;
    assert!(said.code == 2 && said.err.contains("--store"), "{said:?}");
}

#[tokio::test]
async fn every_command_explains_itself() {
    let app = TestApp::start().await;
    let top = run(&app, &["--help"], None).await;
    assert_eq!(top.code, 0);
    let commands: Vec<&str> = top
        .out
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // Lines of a long description are indented further.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() >= 10 && commands.contains(&"import") && commands.contains(&"docs"), "{commands:?}");
    for command in commands {
        let said = run(&app, &[command, "--help"], None).await;
        assert!(said.code == 0 && said.out.contains("Usage: deskless"), "{command}: {said:?}");
        // The first line says what it does, in a sentence.
        assert!(said.out.lines().next().is_some_and(|line| line.len() > 15), "{command}: {said:?}");
    }
    let said = run(&app, &["import", "inventory", "--help"], None).await;
    for word in ["--store", "--mapping", "--dry-run", "--report", "Exit codes"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}
