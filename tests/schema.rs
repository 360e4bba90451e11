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
    let still = ["dealOpen", "dealScenarioSave", "dealAnswersRecord"];
    let open_on = ["dealTake", "dealHeartbeat", "dealRelease", "dealAsk", "dealAnswerAsk", "dealTakeOver"];
    let known: Vec<_> = DealVerb::ALL.iter().filter_map(|verb| verb.mutation()).chain(still).chain(open_on).collect();
    for line in mutations.lines().filter_map(|line| line.strip_prefix("\tdeal")) {
        let name = format!("deal{}", line.split('(').next().expect("a name"));
        assert!(known.contains(&name.as_str()), "{name} is missing in DealVerb::mutation");
    }
}
