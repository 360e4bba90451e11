//! Every root field, with every role, and with the ids of another store.
//!
//! The fields come from the schema itself, so a new one cannot be forgotten: it shows up here and in the coverage list
//! (`tests/snapshots/`), which a reviewer reads. For each field an operation is built with ids of the Austin store.

use std::collections::BTreeMap;

use deskless::auth::Role;
use serde_json::{Map, Value, json};

use crate::helpers::{Car, Session, TestApp};

/// Root fields that answer without a token.
const PUBLIC: &[&str] = &["signIn", "sessionRefresh"];
/// Mutations that end the session of whoever calls them; they have tests of their own.
const ENDS_SESSION: &[&str] = &["signOut"];

const INTROSPECTION: &str = "{ __schema { queryType { name } mutationType { name } types { kind name
  fields { name args { name defaultValue type { ...T } } type { ...T } } inputFields { name defaultValue type { ...T } } enumValues { name } } } }
  fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// What the Austin store has, one of each.
struct Things {
    ids: BTreeMap<&'static str, String>,
    /// Texts that only somebody of Austin may ever see.
    secrets: Vec<String>,
}

impl Things {
    /// Ids of the same kinds that nobody has.
    fn unknown(&self) -> BTreeMap<&'static str, String> {
        let nobody =
            |kind: &&'static str| (*kind, format!("{}_{}", self.ids[kind].split('_').next().unwrap_or("x"), "01hzzzzzzzzzzzzzzzzzzzzzzz"));
        self.ids.keys().map(nobody).collect()
    }
}

struct Walker {
    types: BTreeMap<String, Value>,
}

struct Operation {
    field: String,
    text: String,
    variables: Value,
}

impl Walker {
    async fn new(t: &TestApp, session: &Session) -> (Self, Vec<(bool, Value)>) {
        let schema = t.data(session, INTROSPECTION, json!({})).await["__schema"].take();
        let types: BTreeMap<_, _> = schema["types"].as_array().expect("types").iter().map(|ty| (name(ty), ty.clone())).collect();
        let roots = [(false, name(&schema["queryType"])), (true, name(&schema["mutationType"]))];
        let fields = roots.iter().flat_map(|(mutation, root)| list(&types[root]["fields"]).into_iter().map(|f| (*mutation, f))).collect();
        (Self { types }, fields)
    }

    /// A valid operation on one root field.
    fn operation(&self, mutation: bool, field: &Value, ids: &BTreeMap<&'static str, String>, run: usize) -> Operation {
        let field_name = name(field);
        let mut variables = Map::new();
        let (mut declared, mut passed) = (Vec::new(), Vec::new());
        for arg in list(&field["args"]) {
            let (arg_name, ty) = (name(&arg), &arg["type"]);
            let wanted =
                is_required(&arg) || leaf(ty) == "ID" && list(&field["args"]).len() <= 3 && !variables.values().any(Value::is_string);
            if wanted {
                let value = self.value(ty, &arg_name, &field_name, ids, run, 0);
                declared.push(format!("${arg_name}: {}", spelled(ty)));
                passed.push(format!("{arg_name}: ${arg_name}"));
                variables.insert(arg_name, value);
            }
        }
        let wrap = |parts: Vec<String>| if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) };
        let kind = if mutation { "mutation" } else { "query" };
        let selection = self.selection(&leaf(&field["type"]), 0);
        let text = format!("{kind} Walk{} {{ {field_name}{} {selection} }}", wrap(declared), wrap(passed));
        Operation { field: field_name, text, variables: Value::Object(variables) }
    }

    /// Leaves of a type, and of what hangs on it, two levels deep.
    fn selection(&self, type_name: &str, depth: usize) -> String {
        let ty = &self.types[type_name];
        match ty["kind"].as_str() {
            Some("OBJECT") => {}
            Some("INTERFACE" | "UNION") => return "{ __typename }".into(),
            _ => return String::new(),
        }
        let mut parts = vec!["__typename".to_owned()];
        for field in list(&ty["fields"]) {
            if list(&field["args"]).iter().any(is_required) {
                continue;
            }
            let under = leaf(&field["type"]);
            match self.types[&under]["kind"].as_str() {
                Some("SCALAR" | "ENUM") => parts.push(name(&field)),
                Some("OBJECT") if depth < 2 && under != "PageInfo" && name(&field) != "edges" => {
                    parts.push(format!("{} {}", name(&field), self.selection(&under, depth + 1)));
                }
                _ => {}
            }
        }
        format!("{{ {} }}", parts.join(" "))
    }

    fn value(&self, ty: &Value, arg: &str, field: &str, ids: &BTreeMap<&'static str, String>, run: usize, depth: usize) -> Value {
        match ty["kind"].as_str() {
            Some("NON_NULL") => return self.value(&ty["ofType"], arg, field, ids, run, depth),
            Some("LIST") => return json!([self.value(&ty["ofType"], arg, field, ids, run, depth)]),
            _ => {}
        }
        let type_name = name(ty);
        let definition = &self.types[&type_name];
        match definition["kind"].as_str() {
            Some("ENUM") => definition["enumValues"][0]["name"].clone(),
            Some("INPUT_OBJECT") => {
                let wanted =
                    list(&definition["inputFields"]).into_iter().filter(|f| is_required(f) || (leaf(&f["type"]) == "ID" && depth == 0));
                Value::Object(wanted.map(|f| (name(&f), self.value(&f["type"], &name(&f), field, ids, run, depth + 1))).collect())
            }
            _ => match type_name.as_str() {
                "ID" => json!(id_for(arg, field, ids)),
                "Int" => json!(1),
                "Boolean" => json!(true),
                "Decimal" => json!("100.00"),
                "Percentage" => json!("5"),
                "Date" => json!("2026-12-01"),
                "DateTime" => json!("2026-12-01T00:00:00Z"),
                "Vin" => json!("1M8GDM9AXKP042788"),
                "PhoneNumber" => json!("+15125550177"),
                "EmailAddress" => json!("walk@example.com"),
                "PostalCode" => json!("78701"),
                _ if arg == "idempotencyKey" => json!(format!("walk-{field}-{run}")),
                _ => json!("walk"),
            },
        }
    }
}

/// Which id an argument wants, by its own name, else by the field's.
fn id_for(arg: &str, field: &str, ids: &BTreeMap<&'static str, String>) -> String {
    let words = [arg.to_lowercase(), field.to_lowercase()];
    let kinds = [
        "approval",
        "preference",
        "insurancequote",
        "quote",
        "product",
        "scenario",
        "lead",
        "import",
        "vehicle",
        "customer",
        "deal",
        "store",
    ];
    let kind = words.iter().find_map(|word| kinds.into_iter().find(|kind| word.contains(kind)));
    ids.get(kind.unwrap_or("deal")).or_else(|| ids.get("deal")).cloned().unwrap_or_default()
}

fn name(of: &Value) -> String {
    of["name"].as_str().unwrap_or_default().to_owned()
}

fn list(of: &Value) -> Vec<Value> {
    of.as_array().cloned().unwrap_or_default()
}

fn is_required(input: &Value) -> bool {
    input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null()
}

fn leaf(ty: &Value) -> String {
    if ty["ofType"].is_null() { name(ty) } else { leaf(&ty["ofType"]) }
}

fn spelled(ty: &Value) -> String {
    match ty["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", spelled(&ty["ofType"])),
        Some("LIST") => format!("[{}]", spelled(&ty["ofType"])),
        _ => name(ty),
    }
}

/// What came of it, in a word: for the coverage list.
fn outcome(answer: &Value, field: &str) -> String {
    if let Some(code) = answer["errors"][0]["extensions"]["code"].as_str() {
        return code.to_owned();
    }
    let data = &answer["data"][field];
    match data["userErrors"][0]["code"].as_str() {
        Some(code) => format!("refused: {code}"),
        None if data.is_null() => "null".into(),
        None => "answered".into(),
    }
}

/// An answer without what differs between two calls that mean the same.
fn comparable(answer: &Value, ids: &BTreeMap<&'static str, String>) -> String {
    let mut text = answer.to_string();
    for (kind, id) in ids {
        text = text.replace(id.as_str(), kind);
    }
    let marker = "\"requestId\":\"";
    while let Some(at) = text.find(marker) {
        let end = text[at + marker.len()..].find('"').map_or(text.len(), |n| at + marker.len() + n + 1);
        text.replace_range(at..end, "");
    }
    text
}

async fn things(t: &TestApp, manager: &Session) -> Things {
    t.seed_rules().await;
    let vehicle = t.car(t.austin, Car { stock_number: "WALKSTOCK", ..Car::default() }).await.to_string();
    let customer = t.data(
        manager,
        "mutation ($store: ID!) { customerCreate(input: {idempotencyKey: \"c\", storeId: $store, givenName: \"Zebulon\", familyName: \"Walkersecret\", email: \"zeb.walkersecret@example.com\"}) { customer { id } userErrors { message } } }",
        json!({ "store": t.austin.to_string() }),
    );
    let customer = customer.await["customerCreate"]["customer"]["id"].as_str().expect("a customer").to_owned();
    let deal = t.data(
        manager,
        "mutation ($c: ID!, $v: ID!) { dealOpen(input: {idempotencyKey: \"d\", customerId: $c, vehicleId: $v, price: \"29000\"}) { deal { id } userErrors { message } } }",
        json!({ "c": customer, "v": vehicle }),
    );
    let deal = deal.await["dealOpen"]["deal"]["id"].as_str().expect("a deal").to_owned();
    let wish = t.data(
        manager,
        "mutation ($c: ID!) { preferenceState(input: {idempotencyKey: \"p\", customerId: $c, attribute: BODY_STYLE, operator: IS, value: \"SUV\", importance: MUST}) { preference { id } userErrors { message } } }",
        json!({ "c": customer }),
    );
    let preference = wish.await["preferenceState"]["preference"]["id"].as_str().expect("a preference").to_owned();
    let quoted = t.data(
        manager,
        "mutation ($d: ID!) { dealQuote(input: {idempotencyKey: \"q\", dealId: $d, expectedVersion: 1}) { deal { financeQuotes { id } insuranceQuotes { id } } userErrors { message } } }",
        json!({ "d": deal }),
    );
    let quoted = quoted.await;
    let first = |kind: &str| quoted["dealQuote"]["deal"][kind][0]["id"].as_str().unwrap_or_else(|| panic!("{quoted}")).to_owned();
    let (quote, insurance_quote) = (first("financeQuotes"), first("insuranceQuotes"));
    let asked = t.data(
        manager,
        "mutation ($d: ID!) { approvalRequest(input: {idempotencyKey: \"a\", dealId: $d, expectedVersion: 2}) { approval { id } userErrors { message } } }",
        json!({ "d": deal }),
    );
    let asked = asked.await;
    let approval = asked["approvalRequest"]["approval"]["id"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    let key = t.machine("walk-web", &[(t.austin, Role::Channel)]).await;
    let adf = "<adf><prospect><customer><contact><name>[walk_name]</name><email>walkersecret@example.com</email></contact></customer></prospect></adf>";
    let (_, kept) = crate::channels_leads::post(t, &key, "/channels/adf?store=austin", "text/xml", adf).await;
    let lead = kept["leads"][0]["id"].as_str().expect("a lead").to_owned();
    let ids = [
        ("lead", lead),
        ("vehicle", vehicle),
        ("customer", customer),
        ("deal", deal),
        ("store", t.austin.to_string()),
        ("preference", preference),
        ("quote", quote),
        ("insurancequote", insurance_quote),
        ("approval", approval),
    ]
    .into_iter()
    .collect();
    Things { ids, secrets: vec!["1M8GDM9AXKP042788".into(), "WALKSTOCK".into(), "Walkersecret".into(), "walkersecret".into()] }
}

#[tokio::test]
async fn nothing_is_shown_or_done_without_a_token_or_for_another_store() {
    let t = TestApp::start().await;
    let manager = t.manager().await;
    let stranger = t.person("raleigh.manager@example.com", &[(t.raleigh, Role::SalesManager)]).await;
    let machine = Session { access: t.machine("raleigh-leads", &[(t.raleigh, Role::Channel)]).await, refresh: String::new() };
    let things = things(&t, &manager).await;
    let unknown = things.unknown();
    let (walker, fields) = Walker::new(&t, &manager).await;
    let mut wrong = Vec::new();
    for (mutation, field) in &fields {
        let theirs = walker.operation(*mutation, field, &things.ids, 1);
        let nobodys = walker.operation(*mutation, field, &unknown, 2);
        if PUBLIC.contains(&theirs.field.as_str()) || ENDS_SESSION.contains(&theirs.field.as_str()) {
            continue;
        }
        let without = t.graphql(None, &theirs.text, theirs.variables.clone()).await;
        if outcome(&without, &theirs.field) != "UNAUTHENTICATED" {
            wrong.push(format!("{} without a token: {without}", theirs.field));
        }
        for (who, session) in [("another store's manager", &stranger), ("another store's machine", &machine)] {
            let seen = t.graphql(Some(&session.access), &theirs.text, theirs.variables.clone()).await;
            // What was sent comes back in no answer, so a secret in it was read from the database.
            if things
                .secrets
                .iter()
                .any(|secret| seen.to_string().contains(secret.as_str()) && !theirs.variables.to_string().contains(secret.as_str()))
            {
                wrong.push(format!("{} shows {who} another store's data: {seen}", theirs.field));
            }
            let other = t.graphql(Some(&session.access), &nobodys.text, nobodys.variables.clone()).await;
            if comparable(&seen, &things.ids) != comparable(&other, &unknown) {
                wrong.push(format!("{} tells {who} that an id exists:\n  {seen}\n  {other}", theirs.field));
            }
            if outcome(&seen, &theirs.field) == "INTERNAL" {
                wrong.push(format!("{} fails for {who}: {}\n  {seen}", theirs.field, theirs.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{} fields are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_field_and_role_is_on_the_coverage_list() {
    let t = TestApp::start().await;
    let manager = t.manager().await;
    let salesperson = t.salesperson().await;
    let stranger = t.stranger().await;
    let machine = Session { access: t.machine("leads", &[(t.austin, Role::Channel)]).await, refresh: String::new() };
    let things = things(&t, &manager).await;
    let (walker, fields) = Walker::new(&t, &manager).await;
    let people = [("salesperson", &salesperson), ("manager", &manager), ("machine", &machine), ("other store", &stranger)];
    let mut lines = vec![format!("{:<28}{}", "", people.iter().map(|(who, _)| format!("{who:<28}")).collect::<String>())];
    for (run, (mutation, field)) in fields.iter().enumerate() {
        let mut line = format!("{:<28}", name(field));
        for (at, (_, session)) in people.iter().enumerate() {
            if ENDS_SESSION.contains(&name(field).as_str()) {
                continue;
            }
            let operation = walker.operation(*mutation, field, &things.ids, 100 + run * people.len() + at);
            let answer = t.graphql(Some(&session.access), &operation.text, operation.variables).await;
            line.push_str(&format!("{:<28}", outcome(&answer, &operation.field)));
        }
        lines.push(line.trim_end().to_owned());
    }
    insta::assert_snapshot!("coverage", lines.join("\n"));
}
