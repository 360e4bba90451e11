//! The demo: the same every time, and left alone once it is there.

use std::sync::Arc;
use std::time::Duration;

use deskless::app::App;
use deskless::config::Config;
use deskless::demo::load::{Progress, load};
use deskless::kernel::clock::FixedClock;

use crate::helpers::{DATA_KEY, INDEX_KEY, TestDatabase, start_of_tests};

struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _: &str) {}
    fn done(&mut self, _: &str, _: Duration) {}
}

async fn empty() -> (TestDatabase, App) {
    let database = TestDatabase::create().await;
    let db = database.open(Arc::new(FixedClock::new(start_of_tests()))).await;
    let mut config = Config::default();
    config.auth.data_key = Some(DATA_KEY.into());
    config.auth.index_key = Some(INDEX_KEY.into());
    let app = App::start(config, db).await.expect("the application starts");
    (database, app)
}

/// What a salesperson could tell apart, without ids that are made anew: a line for every table, with how many and a digest.
async fn digest(database: &TestDatabase) -> Vec<String> {
    let tables = [
        ("store", "SELECT concat_ws('|', code, name, city, state, time_zone, tax_jurisdiction) FROM store"),
        ("people", "SELECT concat_ws('|', login, kind) FROM app_user"),
        (
            "vehicle",
            "SELECT concat_ws('|', s.code, vin, stock_number, condition, status, model_year, make, model, trim, body_style, price_cents, cost_cents,
               odometer_miles, received_on, missing_since IS NULL) FROM vehicle v JOIN store s ON s.id = v.store_id",
        ),
        ("price", "SELECT concat_ws('|', v.vin, p.kind, p.old_cents, p.new_cents, p.at) FROM vehicle_price_change p JOIN vehicle v ON v.id = p.vehicle_id"),
        ("customer", "SELECT concat_ws('|', s.code, c.state, c.postal_code, c.credit_tier, c.created_at) FROM customer c JOIN store s ON s.id = c.store_id"),
        ("lead", "SELECT concat_ws('|', source, external_id, status, received_at) FROM lead"),
        ("preference", "SELECT concat_ws('|', attribute, operator, value, importance, kind, at, occurrences) FROM preference"),
        ("event", "SELECT concat_ws('|', channel, name, external_id, occurred_at) FROM channel_event"),
        (
            "deal",
            "SELECT concat_ws('|', number, state, kind, price_cents, tax_cents, fees_cents, amount_financed_cents, payment_cents, term_months, opened_at)
             FROM deal",
        ),
        ("quote", "SELECT concat_ws('|', kind, status, term_months, payment_cents, apr) FROM finance_quote"),
        ("approval", "SELECT concat_ws('|', s.code, a.status, a.level, a.note, a.requested_at) FROM approval a JOIN store s ON s.id = a.store_id"),
        ("hold", "SELECT concat_ws('|', v.vin, h.reason, h.released_at IS NULL) FROM vehicle_hold h JOIN vehicle v ON v.id = h.vehicle_id"),
    ];
    let mut out = Vec::new();
    for (name, sql) in tables {
        let summary =
            format!("SELECT count(*) || ' ' || coalesce(md5(string_agg(line, E'\\n' ORDER BY line)), '') FROM ({sql}) AS t (line)");
        let line: String = sqlx::query_scalar(sqlx::AssertSqlSafe(summary))
            .fetch_one(database.pool())
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        out.push(format!("{name} {line}"));
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_is_the_same_every_time_and_is_loaded_once() {
    let (first, app) = empty().await;
    assert!(load(&app, &mut Silent).await.expect("loads"));
    let loaded = digest(&first).await;
    let count = |name: &str| {
        loaded.iter().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<i64>().ok()).expect("a count")
    };
    assert_eq!((count("store "), count("vehicle ")), (3, 1_200));
    assert!(count("customer ") >= 390 && count("deal ") >= 20 && count("preference ") > 400, "{loaded:#?}");
    // Every store's manager sees a question on the first look.
    let waiting = "SELECT count(DISTINCT store_id) FROM approval WHERE status = 'PENDING' AND findings @> '[{\"kind\": \"DISCOUNT\"}]'";
    assert_eq!(sqlx::query_scalar::<_, i64>(waiting).fetch_one(first.pool()).await.expect("a count"), 3);
    // The second start finds everything there.
    assert!(!load(&app, &mut Silent).await.expect("loads"));
    assert_eq!(digest(&first).await, loaded);
    // Somewhere else it is the same again.
    let (second, app) = empty().await;
    assert!(load(&app, &mut Silent).await.expect("loads"));
    assert_eq!(digest(&second).await, loaded);
}
