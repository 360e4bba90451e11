//! What customers wish for: stated, withdrawn, observed, contradicted.

use deskless::customers::{NewPreference, PreferenceAttribute, PreferenceBehaviour, PreferenceOperator, Wish};
use deskless::db::By;
use deskless::kernel::id::CustomerId;
use serde_json::{Value, json};

use crate::customers_identity::{incoming, resolve};
use crate::helpers::{Session, TestApp};

const STATE: &str = "mutation ($input: PreferenceStateInput!) { preferenceState(input: $input) {
  replayed preference { id text value importance kind channel heardBy at effective occurrences confidence }
  customer { preferences(effectiveOnly: true) { text } } userErrors { code message field } } }";

async fn state(t: &TestApp, who: &Session, key: &str, customer: CustomerId, wish: (&str, &str, &str)) -> Value {
    let input =
        json!({ "customerId": customer.to_string(), "idempotencyKey": key, "attribute": wish.0, "operator": wish.1, "value": wish.2 });
    t.data(who, STATE, json!({ "input": input })).await["preferenceState"].take()
}

async fn observe(
    t: &TestApp,
    customer: CustomerId,
    attribute: PreferenceAttribute,
    raw: &str,
    behaviour: PreferenceBehaviour,
    times: usize,
) {
    let wish = Wish::parse(attribute, PreferenceOperator::Is, raw).unwrap();
    let new = NewPreference::observed(wish, behaviour, "WEB", t.app.db.now());
    for _ in 0..times {
        let mut tx = t.app.db.begin(By::system()).await.unwrap();
        t.app.customers.record_preference(&mut tx, t.austin, customer, &new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_stated_wish_names_who_heard_it_and_counts_until_it_is_withdrawn() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let ada = resolve(&t, t.austin, &incoming("Ada Lovelace", None, None)).await.customer_id();
    let stated = state(&t, &sam, "p1", ada, ("MONTHLY_PAYMENT", "AT_MOST", "$450")).await;
    assert_eq!(stated["userErrors"], json!([]));
    let wish = &stated["preference"];
    assert_eq!(
        json!([
            wish["text"],
            wish["value"],
            wish["importance"],
            wish["kind"],
            wish["channel"],
            wish["heardBy"],
            wish["effective"],
            wish["confidence"]
        ]),
        json!(["at most $450 a month", "450.00", "SHOULD", "STATED", "STORE", "sam@example.com", true, "1"])
    );
    let replay = state(&t, &sam, "p1", ada, ("MONTHLY_PAYMENT", "AT_MOST", "$450")).await;
    assert_eq!((&replay["replayed"], &replay["preference"]["id"]), (&json!(true), &wish["id"]));

    t.clock.advance(chrono::Duration::minutes(5));
    let later = state(&t, &sam, "p2", ada, ("MONTHLY_PAYMENT", "AT_MOST", "500")).await;
    assert_eq!(later["customer"]["preferences"], json!([{ "text": "at most $500 a month" }]));

    let withdraw = "mutation ($input: PreferenceWithdrawInput!) { preferenceWithdraw(input: $input) {
      preference { withdrawnAt effective } customer { preferences { text effective } } userErrors { code } } }";
    let input = json!({ "input": { "preferenceId": later["preference"]["id"] } });
    let gone = t.data(&sam, withdraw, input.clone()).await["preferenceWithdraw"].take();
    assert_eq!(gone["customer"]["preferences"], json!([{ "text": "at most $450 a month", "effective": true }]));
    assert_eq!((&gone["preference"]["effective"], gone["preference"]["withdrawnAt"].is_null()), (&json!(false), false));
    let twice = t.data(&sam, withdraw, input.clone()).await["preferenceWithdraw"].take();
    assert_eq!(twice["preference"]["withdrawnAt"], gone["preference"]["withdrawnAt"]);
    let otto = t.stranger().await;
    let stranger = t.data(&otto, withdraw, input).await["preferenceWithdraw"].take();
    assert_eq!(stranger["userErrors"], json!([{ "code": "NOT_FOUND" }]));
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_what_would_be_right() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let ada = resolve(&t, t.austin, &incoming("Ada", None, None)).await.customer_id();
    let bad = state(&t, &sam, "p1", ada, ("BODY_STYLE", "IS", "spaceship")).await;
    assert_eq!(bad["userErrors"][0]["code"], "VALUE_INVALID");
    assert!(bad["userErrors"][0]["message"].as_str().unwrap().contains("SEDAN, COUPE"), "{bad}");
    let bad = state(&t, &sam, "p2", ada, ("PRICE", "IS_NOT", "5")).await;
    assert_eq!(bad["userErrors"][0]["field"], json!(["input", "value"]));
}

#[tokio::test]
async fn said_450_and_built_520_twice_is_shown() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let ada = resolve(&t, t.austin, &incoming("Ada", None, None)).await.customer_id();
    state(&t, &sam, "p1", ada, ("MONTHLY_PAYMENT", "AT_MOST", "450")).await;
    observe(&t, ada, PreferenceAttribute::MonthlyPayment, "520", PreferenceBehaviour::Built, 2).await;
    observe(&t, ada, PreferenceAttribute::BodyStyle, "suv", PreferenceBehaviour::Viewed, 3).await;
    let seen = t
        .data(
            &sam,
            "query ($id: ID!) { customer(id: $id) { contradictions { kind sentence statedPreferenceId againstPreferenceId }
               preferences { id kind text behaviour occurrences effective channel heardBy } } }",
            json!({ "id": ada.to_string() }),
        )
        .await;
    let customer = &seen["customer"];
    let all = customer["preferences"].as_array().unwrap();
    let by_kind = |kind: &str, text: &str| all.iter().find(|p| p["kind"] == kind && p["text"] == text).unwrap();
    let built = by_kind("OBSERVED", "$520 a month");
    assert_eq!(json!([built["occurrences"], built["behaviour"], built["effective"], built["heardBy"]]), json!([2, "BUILT", false, null]));
    assert_eq!(by_kind("OBSERVED", "an SUV")["effective"], true);
    let stated = by_kind("STATED", "at most $450 a month");
    assert_eq!(
        customer["contradictions"],
        json!([{ "kind": "STATED_OBSERVED", "sentence": "Said at most $450 a month; built $520 a month twice.",
                 "statedPreferenceId": stated["id"], "againstPreferenceId": built["id"] }])
    );
}

#[tokio::test]
async fn a_withdrawn_observation_counts_anew() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let ada = resolve(&t, t.austin, &incoming("Ada", None, None)).await.customer_id();
    observe(&t, ada, PreferenceAttribute::Make, "Ford", PreferenceBehaviour::Viewed, 3).await;
    let read = "query ($id: ID!) { customer(id: $id) { preferences { id occurrences } } }";
    let seen = t.data(&sam, read, json!({ "id": ada.to_string() })).await;
    assert_eq!(seen["customer"]["preferences"][0]["occurrences"], 3);
    let input = json!({ "input": { "preferenceId": seen["customer"]["preferences"][0]["id"] } });
    t.data(&sam, "mutation ($input: PreferenceWithdrawInput!) { preferenceWithdraw(input: $input) { userErrors { code } } }", input).await;
    observe(&t, ada, PreferenceAttribute::Make, "Ford", PreferenceBehaviour::Viewed, 1).await;
    let seen = t.data(&sam, read, json!({ "id": ada.to_string() })).await;
    assert_eq!(
        seen["customer"]["preferences"].as_array().unwrap().iter().map(|p| p["occurrences"].clone()).collect::<Vec<_>>(),
        [json!(1)]
    );
}
