//! The committed schema is the one the program serves.

use std::fs;
use std::path::Path;

#[test]
fn schema_graphql_is_in_step_with_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == deskless::schema::sdl(), "schema.graphql differs from the code: run `make schema` and commit it");
}
