//! The insurance a customer chooses is what their lender asks for, or the refusal says what would be.

use serde_json::{Value, json};

use crate::helpers::showroom::{Showroom, handing_over};

const QUOTES: &str = "deal { id version state financeQuotes(open: true) { id program { code } } insuranceQuotes(open: true) { id detail { demands { subject met } } } }
  userErrors { code message }";

async fn open() -> Showroom {
    let room = Showroom::open().await;
    let group = room.app.group.0;
    room.sql(&format!(
        "INSERT INTO insurance_demand VALUES
           (gen_random_uuid(), '{group}', NULL, 'LOAN', 100000, 0, 0, 0, true, false, '[2020-01-01,)', 'test', '2026-01-01', true),
           (gen_random_uuid(), '{group}', 'BETA', 'LOAN', 50000, 10000000, 30000000, 0, true, false, '[2020-01-01,)', 'test', '2026-01-01', true)"
    ))
    .await;
    room.app.app.rules.reload().await.unwrap();
    room
}

/// A policy below what BETA asks for, if the customer insists.
fn wish(deductible: &str, person: &str) -> Value {
    json!({ "meetLenderDemands": false, "coverages": [
        { "coverage": "BODILY_INJURY", "limit": person, "limitPerAccident": "300000" },
        { "coverage": "COLLISION", "deductible": deductible }, { "coverage": "COMPREHENSIVE", "deductible": "250" }] })
}

async fn quote(room: &Showroom, deal: &Value) -> Value {
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
    let payload = room.run(&room.sam, "dealQuote", input, QUOTES).await;
    assert_eq!(payload["userErrors"], json!([]));
    payload["deal"].clone()
}

fn of(deal: &Value, program: &str) -> Value {
    let quotes = deal["financeQuotes"].as_array().unwrap();
    json!({ "quoteId": quotes.iter().find(|q| q["program"]["code"] == program).unwrap()["id"] })
}

/// What the next steps say about the insurance.
async fn step(room: &Showroom, deal: &Value) -> Option<String> {
    let query = "query ($id: ID!) { deal(id: $id) { nextSteps { code say } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    let steps = seen["deal"]["nextSteps"].as_array().unwrap().iter();
    steps.filter(|s| s["code"] == "INSURANCE_NOT_ENOUGH").map(|s| s["say"].as_str().unwrap().to_owned()).next()
}

fn refused(payload: &Value) -> String {
    assert_eq!(payload["userErrors"][0]["code"], "INSURANCE_NOT_ENOUGH", "{payload:#}");
    payload["userErrors"][0]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_policy_below_the_lenders_demands_cannot_be_accepted_and_the_refusal_says_what_can() {
    let room = open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 60 })).await;
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": wish("1000", "50000") })).await;
    let quoted = quote(&room, &deal).await;
    let deal = room.done("quoteAccept", &quoted, of(&quoted, "B60")).await;
    assert!(step(&room, &deal).await.unwrap().contains("BETA Bank asks for"), "before anybody tries to accept it");
    let policy = json!({ "quoteId": quoted["insuranceQuotes"][0]["id"] });
    let message = refused(&room.act("quoteAccept", &deal, policy).await);
    assert!(message.contains("not what BETA Bank asks for"), "{message}");
    assert!(message.contains("again for collision cover with a deductible of at most 500.00."), "{message}");
    assert!(message.contains("again for bodily injury limits of at least 100000.00 per person and 300000.00 per accident."), "{message}");
    assert!(!message.contains("comprehensive"), "250.00 is low enough: {message}");
    // What the refusal says clears it.
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": wish("500", "100000") })).await;
    let quoted = quote(&room, &deal).await;
    let policy = json!({ "quoteId": quoted["insuranceQuotes"][0]["id"] });
    let deal = room.done("quoteAccept", &quoted, policy).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    assert_eq!(room.done("dealAgree", &deal, json!({})).await["state"], "AGREED");
}

#[tokio::test]
async fn who_drives_is_kept_sealed_and_the_insurers_are_told_it_all_the_same() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let insurance = json!({ "drivers": [{ "ageYears": 23, "yearsLicensed": 4, "violations": 3 }], "priorLapseDays": 41 });
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": insurance })).await;
    let quoted = quote(&room, &deal).await;
    let replay = "query ($id: ID!) { quoteReplay(id: $id) { outcome } }";
    let same = room.app.data(&room.sam, replay, json!({ "id": quoted["insuranceQuotes"][0]["id"] })).await;
    assert_eq!(same["quoteReplay"]["outcome"], "EQUAL");
    let open = "SELECT (SELECT count(*) FROM deal_answer WHERE insurance::text ~ '(drivers|violations)')
                     + (SELECT count(*) FROM insurance_quote WHERE inputs::text ~ '(violations|years_licensed|: 41)')";
    assert_eq!(room.number(open).await, 0);
    let sealed = "SELECT count(*) FROM insurance_quote WHERE inputs #> '{request,drivers}' ? 'sealed' AND inputs #> '{request,prior_lapse_days}' ? 'sealed'";
    assert_eq!(room.number(sealed).await, 1);
    // What was answered before it was sealed is still read.
    room.sql(r#"UPDATE deal_answer SET insurance = '{"drivers": [{"age": 31, "years_licensed": 9, "violations": 0, "gender": null, "credit_band": null}]}'"#)
        .await;
    let again = quote(&room, &quoted).await;
    let same = room.app.data(&room.sam, replay, json!({ "id": again["insuranceQuotes"][0]["id"] })).await;
    assert_eq!(same["quoteReplay"]["outcome"], "EQUAL");
    assert_eq!(room.number(open).await, 1, "only the answer itself, until it is given again");
}

#[tokio::test]
async fn another_lender_or_a_stricter_rule_is_noticed_before_the_customer_agrees() {
    let room = open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 60 })).await;
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": wish("1000", "100000") })).await;
    let quoted = quote(&room, &deal).await;
    // A thousand is enough for ALPHA, and the policy of the same round will name it.
    let deal = room.done("quoteAccept", &quoted, of(&quoted, "A84")).await;
    let deal = room.done("quoteAccept", &deal, json!({ "quoteId": quoted["insuranceQuotes"][0]["id"] })).await;
    let shown = room.done("dealPresent", &deal, json!({})).await;
    // The customer takes BETA after all. What is missing is said at once, not only when they agree.
    assert_eq!(step(&room, &shown).await, None);
    let deal = room.done("quoteAccept", &shown, of(&quoted, "B60")).await;
    assert!(step(&room, &deal).await.unwrap().contains("at most 500.00"));
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let message = refused(&room.act("dealAgree", &deal, json!({})).await);
    assert!(message.contains("at most 500.00"), "{message}");
    // Asked again, the policy names BETA; with ALPHA it is the wrong name.
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": wish("500", "100000") })).await;
    let again = quote(&room, &deal).await;
    let named = &again["insuranceQuotes"][0];
    assert_eq!(named["detail"]["demands"].as_array().unwrap().iter().filter(|d| d["met"] == false).count(), 0, "{named:#}");
    let deal = room.done("quoteAccept", &again, json!({ "quoteId": named["id"] })).await;
    let deal = room.done("quoteAccept", &deal, of(&again, "A84")).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let message = refused(&room.act("dealAgree", &deal, json!({})).await);
    assert!(message.contains("so that the policy names ALPHA Bank loss payee"), "{message}");
    let deal = room.done("quoteAccept", &deal, of(&again, "B60")).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    // The lender asks for more from today on.
    room.sql("UPDATE insurance_demand SET max_deductible_cents = 25000 WHERE lender_code = 'BETA'").await;
    room.app.app.rules.reload().await.unwrap();
    assert!(refused(&room.act("dealAgree", &deal, json!({})).await).contains("at most 250.00"));
    // A deal paid in cash has no lender to ask.
    let cash = room.done("dealStructure", &deal, json!({ "kind": "CASH" })).await;
    let cash = room.done("dealPresent", &cash, json!({})).await;
    assert_eq!(room.done("dealAgree", &cash, json!({})).await["state"], "AGREED");
}

/// A signed contract of BETA's for a car that is to be handed over.
async fn signed_with_beta(room: &Showroom) -> Value {
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 60 })).await;
    let quoted = quote(room, &deal).await;
    let mut deal = room.done("quoteAccept", &quoted, of(&quoted, "B60")).await;
    for step in ["dealPresent", "dealAgree", "dealContract"] {
        deal = room.done(step, &deal, json!({})).await;
    }
    room.sql("UPDATE store SET spot_delivery_days = 10").await;
    room.app.app.dealers.reload().await.expect("stores");
    deal
}

/// The id of a lender.
async fn lender(room: &Showroom, code: &str) -> Value {
    let id: uuid::Uuid =
        sqlx::query_scalar("SELECT id FROM lender WHERE code = $1").bind(code).fetch_one(room.pool()).await.expect("a lender");
    json!(async_graphql::ID::from(deskless::kernel::id::LenderId(id)))
}

/// A hand-over with a card that says this beside who insures and how long.
fn with_card(more: &Value) -> Value {
    let mut input = handing_over(json!({ "odometerMiles": 20_000, "spotReason": "Saturday" }));
    input["insurance"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test]
async fn the_card_at_the_hand_over_must_show_what_the_lender_asks_for() {
    let room = open().await;
    let deal = signed_with_beta(&room).await;
    let (alpha, beta) = (lender(&room, "ALPHA").await, lender(&room, "BETA").await);
    // The salesperson knows before the customer takes the card out.
    let query = "query ($id: ID!) { deal(id: $id) { nextSteps { code say } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    assert_eq!(
        seen["deal"]["nextSteps"][0],
        json!({ "code": "SHOW_INSURANCE", "say": "Ask for the insurance card: the car must be insured today. It must show what BETA Bank asks for: \
comprehensive cover with a deductible of at most 500.00, collision cover with a deductible of at most 500.00, \
bodily injury limits of at least 100000.00 per person and 300000.00 per accident, BETA Bank named loss payee." })
    );
    let good = json!({ "comprehensiveDeductible": "500", "collisionDeductible": "250.00", "bodilyInjuryPerPerson": "100000",
        "bodilyInjuryPerAccident": "300000", "lossPayeeId": beta });
    let but = |name: &str, value: Value| {
        let mut card = good.clone();
        card[name] = value;
        card
    };
    let message = refused(&room.act("dealDeliver", &deal, with_card(&json!({}))).await);
    assert_eq!(
        message,
        "This insurance card does not show what BETA Bank asks for: comprehensive cover with a deductible of at most 500.00 (the card says: Nothing); \
collision cover with a deductible of at most 500.00 (the card says: Nothing); bodily injury limits of at least 100000.00 per person and 300000.00 per \
accident (the card says: Nothing); BETA Bank named loss payee (the card says: It names nobody). Ask the customer's insurer for it, and for a new card."
    );
    for (card, missing) in [
        (
            but("comprehensiveDeductible", json!("500.01")),
            "comprehensive cover with a deductible of at most 500.00 (the card says: A deductible of 500.01)",
        ),
        (but("collisionDeductible", Value::Null), "collision cover with a deductible of at most 500.00 (the card says: Nothing)"),
        (but("bodilyInjuryPerPerson", json!("99999.99")), "(the card says: 99999.99 per person and 300000.00 per accident)"),
        (but("bodilyInjuryPerAccident", Value::Null), "(the card says: 100000.00 per person and 0.00 per accident)"),
        (but("lossPayeeId", alpha.clone()), "BETA Bank named loss payee (the card says: It names another)"),
        (but("lossPayeeId", Value::Null), "BETA Bank named loss payee (the card says: It names nobody)"),
    ] {
        let payload = room.act("dealDeliver", &deal, with_card(&card)).await;
        assert_eq!(payload["userErrors"][0]["field"], json!(["insurance"]));
        let message = refused(&payload);
        assert!(message.contains(missing) && message.matches("the card says").count() == 1, "{message}");
    }
    let nobody = room.act("dealDeliver", &deal, with_card(&but("lossPayeeId", json!("lnd_01hzzzzzzzzzzzzzzzzzzzzzzz")))).await;
    assert_eq!(
        (&nobody["userErrors"][0]["code"], &nobody["userErrors"][0]["field"]),
        (&json!("NOT_FOUND"), &json!(["insurance", "lossPayeeId"]))
    );
    for (name, value) in
        [("collisionDeductible", "-1"), ("collisionDeductible", "1.005"), ("lossPayeeId", "cus_01hzzzzzzzzzzzzzzzzzzzzzzz")]
    {
        let mut input = with_card(&but(name, json!(value)));
        for (key, value) in [("dealId", &deal["id"]), ("expectedVersion", &deal["version"]), ("idempotencyKey", &json!("malformed"))] {
            input[key] = value.clone();
        }
        let document = crate::helpers::showroom::document("dealDeliver", "userErrors { code }");
        let answer = room.app.graphql(Some(&room.sam.access), &document, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{name} {value}: {answer}");
    }
    let done = room.done("dealDeliver", &deal, with_card(&good)).await;
    let query = "query ($id: ID!) { deal(id: $id) { state delivery { insurance { insurer comprehensiveDeductible { amount } collisionDeductible { amount }
      bodilyInjuryPerPerson { amount } bodilyInjuryPerAccident { amount } propertyDamage { amount } lossPayeeId additionalInsuredId } } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": done["id"] })).await;
    assert_eq!(
        seen["deal"],
        json!({ "state": "DELIVERED", "delivery": { "insurance": { "insurer": "Safe Mutual", "comprehensiveDeductible": { "amount": "500.00" },
            "collisionDeductible": { "amount": "250.00" }, "bodilyInjuryPerPerson": { "amount": "100000.00" },
            "bodilyInjuryPerAccident": { "amount": "300000.00" }, "propertyDamage": null, "lossPayeeId": beta, "additionalInsuredId": null } } })
    );
}

#[tokio::test]
async fn a_cash_buyer_s_card_is_not_compared_and_a_demand_that_ended_asks_nothing() {
    let room = open().await;
    let cash = room.agreed_cash_deal(&room.camry).await;
    let cash = room.done("dealContract", &cash, json!({})).await;
    let query = "query ($id: ID!) { deal(id: $id) { nextSteps { say } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": cash["id"] })).await;
    assert_eq!(seen["deal"]["nextSteps"][0]["say"], "Ask for the insurance card: the car must be insured today.");
    assert_eq!(room.done("dealDeliver", &cash, with_card(&json!({}))).await["state"], "DELIVERED");

    let deal = signed_with_beta(&room).await;
    refused(&room.act("dealDeliver", &deal, with_card(&json!({}))).await);
    // A card that counts is asked for first.
    let late = room.act("dealDeliver", &deal, with_card(&json!({ "effectiveFrom": "2026-12-01" }))).await;
    assert_eq!(late["userErrors"][0]["code"], "NOT_INSURED");
    room.sql("DELETE FROM insurance_demand").await;
    room.app.app.rules.reload().await.unwrap();
    assert_eq!(room.done("dealDeliver", &deal, with_card(&json!({}))).await["state"], "DELIVERED");
}
