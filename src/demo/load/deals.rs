//! Deals at every stage, made by the stores' salespeople over the last days.

use chrono::Duration;
use serde_json::{Value, json};

use super::LoadError;
use super::api::Tablet;
use super::leads::everybody;
use super::lot::lots;
use super::past::{self, Past};
use crate::customers::{Customers, ExternalId, IncomingEmail, IncomingPerson};
use crate::demo::people::Person;
use crate::inventory::Inventory;
use crate::kernel::contact::EmailAddress;

/// How far a demo deal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// Waits for a manager's yes, so that a manager sees something on the first look. Goes no further.
    Asked,
    Structured,
    Quoted,
    Accepted,
    Presented,
    Agreed,
    Contracted,
}

/// Stages of a store's deals and the days since somebody last touched them. Several wait for too long.
const PLAN: [(Stage, i64); 9] = [
    (Stage::Open, 12),
    (Stage::Structured, 9),
    (Stage::Quoted, 1),
    (Stage::Presented, 6),
    (Stage::Agreed, 4),
    (Stage::Contracted, 2),
    (Stage::Accepted, 0),
    (Stage::Contracted, 15),
    (Stage::Asked, 0),
];
/// Salespeople by store.
const SALES: [&str; 3] = ["sales.austin@example.com", "sales.raleigh@example.com", "sales.sacramento@example.com"];
const DEAL: &str = "replayed deal { id version acceptedFinanceQuote { id } financeQuotes { id status } }";

pub(super) async fn load(past: &Past) -> Result<String, LoadError> {
    let (lots, mut made) = (lots(), 0_usize);
    for (store, login) in SALES.iter().enumerate() {
        let Some((_, units)) = lots.get(store) else { continue };
        let actor = past::actor(&past.app, login).await?;
        let tablet = Tablet::new(past.app.schema_for_people(), actor.clone());
        // Everybody wants another car, so that no deal takes the car of another.
        let mut taken = std::collections::HashSet::new();
        let buyers: Vec<Person> =
            everybody().into_iter().filter(|(at, p)| *at == store && taken.insert(p.car) && p.days_ago > 1).map(|(_, p)| p).collect();
        for ((stage, idle), person) in PLAN.into_iter().zip(&buyers) {
            let Some(car) = units.get(person.car) else { continue };
            past.go_to(past.present() - Duration::days(idle) - Duration::minutes(55));
            let customer = customer(past, store, person).await?;
            let vehicle = Inventory::new(past.app.db.clone())
                .find_by_vin(&actor.selling_scope(), &car.vin)
                .await?
                .ok_or_else(|| LoadError::Refused(format!("{} is not on the lot", car.vin)))?;
            play(past, &tablet, person, &customer, &vehicle.id.to_string(), car.price, stage).await?;
            made += 1;
        }
        past.go_to(past.present());
        past::leave(&past.app, &actor).await?;
    }
    Ok(format!("{made} deals"))
}

async fn customer(past: &Past, store: usize, person: &Person) -> Result<String, LoadError> {
    let missing = || LoadError::Refused(format!("customer {} did not come in", person.number));
    let code = lots().get(store).map(|(at, _)| at.code).ok_or_else(missing)?;
    let store = past.app.dealers.store_by_code(code).ok_or_else(missing)?;
    let address = EmailAddress::parse(&person.email).map_err(|_| missing())?;
    let known = IncomingPerson {
        emails: vec![IncomingEmail { address, verified: true }],
        external_ids: Vec::<ExternalId>::new(),
        ..IncomingPerson::default()
    };
    let customers = Customers::new(past.app.db.clone(), past.app.sealer.clone());
    let found = customers.known_as(store.id, &[known]).await?.pop().flatten().ok_or_else(missing)?;
    Ok(found.to_string())
}

/// One talk, up to a stage. Keys are fixed, so that a repeated load opens nothing twice.
async fn play(
    past: &Past,
    tablet: &Tablet,
    person: &Person,
    customer: &str,
    vehicle: &str,
    price: i64,
    stage: Stage,
) -> Result<(), LoadError> {
    let key = |step: &str| format!("demo-{}-{step}", person.number);
    let open = json!({ "customerId": customer, "vehicleId": vehicle, "idempotencyKey": key("open") });
    let mut deal = tablet.act("dealOpen", DEAL, open).await?;
    if deal.get("replayed").and_then(Value::as_bool) == Some(true) {
        // A load that was interrupted began this talk; it stays where it is.
        return Ok(());
    }
    if stage == Stage::Asked {
        // A sixteenth off is more than a salesperson may give alone. Asked two minutes ago: the question waits for hours.
        let structure = json!({ "dealerRebate": format!("{}.00", price / 16) });
        deal = tablet.act("dealStructure", DEAL, with(&deal, &key("structure"), structure)).await?;
        past.go_to(past.present() - Duration::minutes(2));
        let note = json!({ "note": "They sign today at this price." });
        tablet.act("approvalRequest", "approval { id }", with(&deal, &key("ask"), note)).await?;
        return Ok(());
    }
    if stage >= Stage::Structured {
        past.pass(Duration::minutes(4));
        let mut structure = json!({ "downPayment": format!("{}.00", price / 10 / 100 * 100), "termMonths": 72 });
        if let (Some((year, make, model, miles)), Some(parts)) = (person.trade, structure.as_object_mut()) {
            let allowance = (year - 2008).saturating_mul(900);
            let trade = json!({
                "modelYear": year, "make": make, "model": model, "odometerMiles": miles,
                "allowance": format!("{allowance}.00"), "payoff": format!("{}.00", allowance / 3),
            });
            parts.insert("tradeIns".into(), json!([trade]));
        }
        let input = with(&deal, &key("structure"), structure);
        deal = tablet.act("dealStructure", DEAL, input).await?;
    }
    if stage >= Stage::Quoted {
        past.pass(Duration::minutes(3));
        deal = tablet.act("dealQuote", DEAL, with(&deal, &key("quote"), json!({}))).await?;
    }
    if stage >= Stage::Accepted {
        past.pass(Duration::minutes(5));
        let quotes = deal.pointer("/deal/financeQuotes").and_then(Value::as_array);
        let quote = quotes.into_iter().flatten().find(|q| q.get("status").and_then(Value::as_str) == Some("QUOTED"));
        // No lender may want this car with this money; then the talk stays where it is.
        let Some(quote) = quote.and_then(|q| q.get("id")).cloned() else { return Ok(()) };
        deal = tablet.act("quoteAccept", DEAL, with(&deal, &key("accept"), json!({ "quoteId": quote }))).await?;
    }
    for (reached, verb) in [(Stage::Presented, "dealPresent"), (Stage::Agreed, "dealAgree"), (Stage::Contracted, "dealContract")] {
        if stage >= reached {
            past.pass(Duration::minutes(6));
            deal = tablet.act(verb, DEAL, with(&deal, &key(verb), json!({}))).await?;
        }
    }
    Ok(())
}

/// The input of a step on a deal as it stands.
fn with(payload: &Value, key: &str, more: Value) -> Value {
    let mut input = json!({
        "dealId": payload.pointer("/deal/id"), "expectedVersion": payload.pointer("/deal/version"), "idempotencyKey": key,
    });
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
    input
}
