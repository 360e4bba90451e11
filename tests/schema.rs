//! What is committed and follows from the code is in step with it: the schema, the page of deal states.

use std::fs;
use std::path::Path;

use deskless::deals::states::DealVerb;

#[test]
fn schema_graphql_is_in_step_with_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == deskless::schema::sdl(), "schema.graphql differs from the code: run `make schema` and commit it");
}

#[test]
fn the_page_of_deal_states_is_in_step_with_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/DEAL-STATES.md");
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == deskless::deals::states_page::page(), "docs/DEAL-STATES.md differs from the code: run `make docs` and commit it");
}

#[test]
fn the_page_of_deal_states_names_mutations_that_exist() {
    let schema = deskless::schema::sdl();
    let mutations = schema.split("type Mutation {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("mutations");
    for verb in DealVerb::ALL {
        if let Some(name) = verb.mutation() {
            assert!(mutations.contains(&format!("\t{name}(")), "{verb}: {name}");
        }
    }
    // And no mutation moves a deal that the page does not know. Opening makes one; scenarios, answers and who has it open leave its
    // state alone.
    let still = ["dealOpen", "dealScenarioSave", "dealAnswersRecord", "dealReplay"];
    let open_on = ["dealTake", "dealHeartbeat", "dealRelease", "dealAsk", "dealAnswerAsk", "dealTakeOver"];
    let known: Vec<_> = DealVerb::ALL.iter().filter_map(|verb| verb.mutation()).chain(still).chain(open_on).collect();
    for line in mutations.lines().filter_map(|line| line.strip_prefix("\tdeal")) {
        let name = format!("deal{}", line.split('(').next().expect("a name"));
        assert!(known.contains(&name.as_str()), "{name} is missing in DealVerb::mutation");
    }
}

/// The blocks of a page between "```LANGUAGE" and "```".
fn blocks(page: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = fs::read_to_string(path).expect("the page");
    let begin = format!("```{language}\n");
    text.split(&begin).skip(1).map(|rest| rest.split("```").next().expect("an end").to_owned()).collect()
}

#[tokio::test]
async fn every_example_of_the_tablet_page_is_true() {
    let room = crate::helpers::showroom::Showroom::open().await;
    let actor = room.app.app.auth.authenticate(&room.sam.access).await.expect("Sam").actor;
    let schema = room.app.app.schema(async_graphql::ValidationMode::Strict);
    let examples = blocks("TABLET.md", "graphql");
    assert!(examples.len() >= 7, "{}", examples.len());
    let json: serde_json::Value = serde_json::from_str(&blocks("TABLET.md", "json")[0]).expect("JSON");
    for example in examples {
        // Variables of the right types, so that only the document itself can be wrong.
        let mut variables = serde_json::json!({ "login": "x", "password": "x", "token": "x", "version": 1, "key": format!("key of {} characters", example.len()) });
        for name in ["id", "deal", "car"] {
            variables[name] = serde_json::json!("deal_00000000000000000000000000");
        }
        variables["car"] = serde_json::json!(room.rav4);
        if example.contains("$input") {
            variables = json.clone();
            let operations = variables["input"]["operations"].as_array_mut().expect("operations");
            operations[0]["open"] = serde_json::json!({ "customerId": room.customer, "vehicleId": room.rav4 });
            operations[3]["dealId"] = serde_json::json!("deal_00000000000000000000000000");
        }
        let wanted = |name: &str| example.contains(&format!("${name}:"));
        let given: serde_json::Map<String, serde_json::Value> = variables
            .as_object()
            .expect("an object")
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let request = async_graphql::Request::new(example.clone())
            .variables(async_graphql::Variables::from_json(given.into()))
            .data(std::sync::Arc::clone(&actor))
            .data(deskless::graphql::RequestInfo { request_id: "test".into(), address: "test".into() });
        let answer = if example.trim_start().starts_with("subscription") {
            // An unknown deal ends at once, without an event and without an error.
            futures::StreamExt::next(&mut Box::pin(schema.execute_stream(request))).await.unwrap_or_default()
        } else {
            schema.execute(request).await
        };
        assert!(answer.errors.is_empty(), "{example}\n{:?}", answer.errors);
        if example.contains("dealReplay") {
            let results = &answer.data.into_json().expect("JSON")["dealReplay"]["results"];
            let outcomes: Vec<_> = results.as_array().expect("results").iter().map(|r| r["outcome"].as_str().expect("text")).collect();
            assert_eq!(outcomes, ["APPLIED", "APPLIED", "APPLIED", "REFUSED"], "the example's operations work: {results}");
        }
    }
}
