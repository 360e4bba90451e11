//! The house's own rules, read from the source: who may use whom, and where SQL may stand.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each part of the house and what its rooms below `graphql` may use. The order of slices is the order of this list.
const MAY_USE: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("db", &["kernel"]),
    ("config", &["kernel", "http"]),
    ("telemetry", &["config"]),
    ("auth", &["kernel", "db", "config"]),
    ("graphql", &["kernel", "db", "auth"]),
    ("dealers", &["kernel", "db", "auth"]),
    ("inventory", &["kernel", "db", "auth", "dealers"]),
    ("customers", &["kernel", "db", "auth", "dealers"]),
    ("insurance", &["kernel", "db", "auth", "dealers"]),
    ("finance", &["kernel", "db", "auth", "dealers", "insurance"]),
    ("channels", &["kernel", "db", "auth", "dealers", "inventory", "customers"]),
    ("matching", &["kernel", "db", "auth", "dealers", "inventory", "customers", "finance"]),
    ("payments", &["kernel", "db", "auth", "config"]),
    ("deals", &["kernel", "db", "auth", "dealers", "inventory", "customers", "finance", "insurance", "matching", "payments"]),
    ("insights", &["kernel", "db", "auth", "customers", "deals"]),
];

/// Rooms that meet the outside: the API is a graph, so a `graphql` room may name every slice; an `http` room the transport.
fn is_door(file: &Path) -> bool {
    file.iter().any(|part| matches!(part.to_str(), Some("graphql" | "graphql.rs" | "http" | "http.rs")))
}

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn files() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let name = |path: &Path| {
        let first = path.strip_prefix(&root).expect("below src").iter().next().expect("a name").to_string_lossy().into_owned();
        first.trim_end_matches(".rs").to_owned()
    };
    found.into_iter().map(|path| (name(&path), path.clone(), fs::read_to_string(&path).expect("text"))).collect()
}

/// What `crate::` names, outside of tests and comments.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| {
            line.split("crate::").skip(1).map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn arrows_between_slices_point_one_way() {
    let rules: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let macros = ["text_enum", "typed_id"];
    let mut wrong = Vec::new();
    for (part, path, text) in files() {
        let Some(allowed) = rules.get(part.as_str()) else { continue };
        if is_door(&path) && !["kernel", "db", "graphql"].contains(&part.as_str()) {
            continue;
        }
        for name in used(&text) {
            if name != part && !allowed.contains(&name.as_str()) && !macros.contains(&name.as_str()) {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point the wrong way:\n{}", wrong.join("\n"));
}

#[test]
fn every_part_of_the_house_has_a_rule() {
    let doors = ["app", "cli", "demo", "http", "lib", "main", "node", "schema", "upkeep"];
    let known: BTreeSet<_> = MAY_USE.iter().map(|(name, _)| *name).chain(doors).collect();
    let unknown: BTreeSet<_> = files().into_iter().map(|(part, ..)| part).filter(|part| !known.contains(part.as_str())).collect();
    assert!(unknown.is_empty(), "say in MAY_USE what these may use: {unknown:?}");
}

#[test]
fn sql_stands_in_store_rooms_only() {
    let store = |path: &Path| {
        path.iter().any(|part| matches!(part.to_str(), Some("store" | "store.rs" | "db" | "seed" | "seed.rs" | "demo" | "health.rs")))
    };
    let wrong: Vec<_> = files()
        .into_iter()
        .filter(|(_, path, text)| {
            let code = text.split("#[cfg(test)]").next().unwrap_or(text);
            !store(path) && ["sqlx::query", "QueryBuilder", "sqlx::raw_sql"].iter().any(|word| code.contains(word))
        })
        .map(|(_, path, _)| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "move this SQL into a store room:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<_> = files()
        .into_iter()
        .filter(|(_, _, text)| !text.trim_start().starts_with("//!"))
        .map(|(_, path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "begin these with //! and a sentence:\n{}", silent.join("\n"));
}
