//! What the demo customers did on the web site, as batches of events under the names the industry uses.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::dice::Dice;
use super::lot::Unit;
use super::people::Person;

/// Everything the people of one store did, oldest first per person.
pub fn events(people: &[Person], lot: &[Unit], now: DateTime<Utc>) -> Vec<Value> {
    people.iter().flat_map(|person| of_person(person, lot, now)).collect()
}

fn of_person(person: &Person, lot: &[Unit], now: DateTime<Utc>) -> Vec<Value> {
    let mut dice = Dice::new("events", person.number);
    let Some(wanted) = lot.get(person.car) else { return Vec::new() };
    let alike: Vec<&Unit> = lot.iter().filter(|u| u.line.body_style == wanted.line.body_style && near(u.price, wanted.price)).collect();
    let mut minute = person.days_ago.saturating_mul(1_440).saturating_add(240);
    let mut out = Vec::new();
    let mut add = |name: &str, car: &Unit, more: Value| {
        minute = minute.saturating_sub(2);
        let at = now - Duration::minutes(minute);
        let mut event = json!({
            "id": format!("demo-{}-{}", person.number, out.len()),
            "source": "harbor web",
            "name": name,
            "occurred_at": at.to_rfc3339(),
            "user": { "email": person.email },
            "params": { "page_type": "item", "vin": car.vin, "item_make": car.line.make, "item_model": car.line.model },
        });
        if let (Some(params), Value::Object(more)) = (event.get_mut("params").and_then(Value::as_object_mut), more) {
            params.extend(more);
        }
        out.push(event);
    };
    for _ in 0..person.views {
        if let Some(car) = dice.pick(&alike) {
            add("asc_item_pageview", car, json!({ "item_price": car.price.to_string(), "item_type": car.line.body_style }));
        }
    }
    if person.views > 3 {
        add("AddToWishlist", wanted, json!({}));
    }
    // They said one thing and built another: the thread shows both.
    for n in 0..person.built_above {
        let monthly = person.monthly_max.unwrap_or(450).saturating_mul(112 + n * 4) / 100;
        add("payment_calculated", wanted, json!({ "monthly_payment": monthly.to_string(), "term_months": 72, "down_payment": "2000" }));
    }
    out
}

fn near(price: i64, wanted: i64) -> bool {
    (wanted.saturating_mul(75) / 100..=wanted.saturating_mul(125) / 100).contains(&price)
}

#[cfg(test)]
mod tests {
    use super::super::group::STORES;
    use super::super::{lot, people};
    use super::*;

    #[test]
    fn events_lie_in_the_past_and_have_ids_of_their_own() {
        let at = STORES.first().unwrap();
        let cars = lot::units(0, at.letter);
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let events = events(&people::people(0, 3, at, &cars), &cars, now);
        assert!(events.len() > 200);
        let ids: std::collections::HashSet<_> = events.iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), events.len());
        assert!(events.iter().all(|e| e["occurred_at"].as_str().unwrap() < now.to_rfc3339().as_str()));
        assert!(events.iter().any(|e| e["name"] == "payment_calculated"));
    }
}
