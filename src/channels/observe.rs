//! From what a visitor did to what they may wish: fixed rules, one event at a time. Pure.
//!
//! | did | says | how sure | kept |
//! |---|---|---|---|
//! | looked at a car | its body style, make, model | 300 of 1000 | 90 days |
//! | searched, compared | what was asked for; what was compared | 500 | 90 days |
//! | saved a car | also condition, fuel, colour | 700 | 180 days |
//! | built a car, calculated a payment | also trim; payment, down payment, term | 800 | 180 days |
//!
//! The same wish observed again counts up (viewed five SUVs); a form or a call says nothing by itself. A wish of this kind
//! never beats what the customer states.

use chrono::Duration;

use super::events::{Event, EventKind, Facts};
use crate::customers::{
    NewPreference, PreferenceAttribute as A, PreferenceBehaviour as Did, PreferenceImportance as Importance, PreferenceOperator as Op, Wish,
};
use crate::inventory::Vehicle;

/// The wishes an event speaks of. `vehicle` is the car of the lot it was about, where it is known.
pub(super) fn wishes(event: &Event, vehicle: Option<&Vehicle>) -> Vec<NewPreference> {
    let Some((did, confidence, days)) = weight(event.kind) else { return Vec::new() };
    let facts = with_vehicle(&event.facts, vehicle);
    let strong = confidence >= 700;
    let mut out = Vec::new();
    let mut add = |attribute, operator, value: Option<&str>| {
        let Some(wish) = value.and_then(|v| Wish::parse(attribute, operator, v).ok()) else { return };
        let mut new = NewPreference::observed(wish, did, &event.channel, event.occurred_at);
        new.importance = if strong { Importance::Should } else { Importance::Nice };
        new.confidence_permille = confidence;
        new.expires_at = event.occurred_at.checked_add_signed(Duration::days(days));
        out.push(new);
    };
    let amount = |cents: Option<crate::kernel::money::Cents>| cents.map(|c| c.to_string());
    if did != Did::PaymentCalculated {
        add(A::BodyStyle, Op::Is, facts.body_style.as_deref());
        add(A::Make, Op::Is, facts.make.as_deref());
        add(A::Model, Op::Is, facts.model.as_deref());
    }
    if strong && did != Did::PaymentCalculated || did == Did::Searched {
        add(A::Condition, Op::Is, facts.condition.as_deref());
        add(A::Fuel, Op::Is, facts.fuel.as_deref());
        add(A::Drivetrain, Op::Is, facts.drivetrain.as_deref());
        add(A::ExteriorColor, Op::Is, facts.color.as_deref());
    }
    if did == Did::Built {
        add(A::Trim, Op::Is, facts.trim.as_deref());
    }
    if did == Did::Searched {
        add(A::Price, Op::AtMost, amount(facts.price_max).as_deref());
    }
    if matches!(did, Did::Built | Did::PaymentCalculated) {
        add(A::MonthlyPayment, Op::AtMost, amount(facts.monthly).as_deref());
        add(A::DownPayment, Op::Is, amount(facts.down).as_deref());
        add(A::TermMonths, Op::Is, facts.term_months.map(|n| n.to_string()).as_deref());
    }
    out
}

fn weight(kind: EventKind) -> Option<(Did, u16, i64)> {
    Some(match kind {
        EventKind::Viewed => (Did::Viewed, 300, 90),
        EventKind::Searched => (Did::Searched, 500, 90),
        EventKind::Compared => (Did::Compared, 500, 90),
        EventKind::Saved => (Did::Saved, 700, 180),
        EventKind::Built => (Did::Built, 800, 180),
        EventKind::PaymentCalculated => (Did::PaymentCalculated, 800, 180),
        EventKind::FormSubmitted | EventKind::Contacted | EventKind::Other => return None,
    })
}

/// What the lot knows about the car beats what the page says about it; an `item_type` may be anything.
fn with_vehicle(facts: &Facts, vehicle: Option<&Vehicle>) -> Facts {
    let Some(v) = vehicle else { return facts.clone() };
    Facts {
        make: Some(v.make.clone()),
        model: Some(v.model.clone()),
        body_style: v.body_style.map(|b| b.as_str().to_owned()).or_else(|| facts.body_style.clone()),
        condition: Some(v.condition.as_str().to_owned()),
        fuel: v.fuel.map(|f| f.as_str().to_owned()).or_else(|| facts.fuel.clone()),
        drivetrain: v.drivetrain.map(|d| d.as_str().to_owned()).or_else(|| facts.drivetrain.clone()),
        color: v.exterior_color.clone().or_else(|| facts.color.clone()),
        trim: v.trim.clone().or_else(|| facts.trim.clone()),
        ..facts.clone()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::{Value, json};

    use super::super::events::{BatchError, EVENTS_MAX, parse_batch};
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }
    fn one(event: &Value) -> Result<Event, String> {
        parse_batch(&serde_json::to_vec(&json!([event])).unwrap(), now()).unwrap().pop().unwrap().map_err(|(_, why)| why)
    }
    fn said(event: &Value) -> Vec<String> {
        let event = one(event).unwrap();
        wishes(&event, None).iter().map(|p| format!("{} {} {}", p.wish.attribute(), p.wish.operator(), p.wish.value())).collect()
    }

    #[test]
    fn industry_names_have_their_meaning() {
        for (name, params, kind) in [
            ("asc_pageview", json!({"page_type": "item"}), EventKind::Viewed),
            ("asc_pageview", json!({"page_type": "searchresults"}), EventKind::Searched),
            ("asc_pageview", json!({"page_type": "home"}), EventKind::Other),
            ("asc_item_pageview", json!({}), EventKind::Viewed),
            ("ViewContent", json!({}), EventKind::Viewed),
            ("Search", json!({}), EventKind::Searched),
            ("AddToWishlist", json!({}), EventKind::Saved),
            ("CustomizeProduct", json!({}), EventKind::Built),
            ("asc_element_configuration", json!({"item_payment": 520}), EventKind::PaymentCalculated),
            ("asc_element_configuration", json!({"element_type": "trim selector"}), EventKind::Built),
            ("asc_cta_interaction", json!({"element_text": "Save this vehicle"}), EventKind::Saved),
            ("asc_retail_process", json!({"flow_name": "payment calculator"}), EventKind::PaymentCalculated),
            ("asc_form_submission_sales", json!({}), EventKind::FormSubmitted),
            ("Lead", json!({}), EventKind::FormSubmitted),
            ("asc_comm_engagement", json!({"comm_type": "call"}), EventKind::Contacted),
            ("something_new", json!({}), EventKind::Other),
        ] {
            assert_eq!(one(&json!({"id": "1", "name": name, "params": params})).map(|e| e.kind), Ok(kind), "{name} {params}");
        }
    }

    #[test]
    fn behaviour_becomes_wishes_of_its_strength() {
        let car = json!({"item_make": "chevy", "item_model": "Blazer", "item_type": "Sport Utility", "item_condition": "new", "item_color": "Jet Black"});
        assert_eq!(
            said(&json!({"id": "1", "name": "asc_item_pageview", "params": car})),
            ["BODY_STYLE IS SUV", "MAKE IS Chevrolet", "MODEL IS Blazer"]
        );
        let saved = said(&json!({"id": "1", "name": "AddToWishlist", "custom_data": car}));
        assert!(saved.contains(&"CONDITION IS NEW".to_owned()) && saved.contains(&"EXTERIOR_COLOR IS BLACK".to_owned()), "{saved:?}");
        let paid = json!({"id": "1", "name": "payment_calculated", "monthly_payment": "$520", "down_payment": 2000, "term": 72, "item_type": "SUV"});
        assert_eq!(said(&paid), ["MONTHLY_PAYMENT AT_MOST 520.00", "DOWN_PAYMENT IS 2000.00", "TERM_MONTHS IS 72"]);
        assert_eq!(said(&json!({"id": "1", "name": "Search", "max_price": 30000, "body_style": "nonsense"})), ["PRICE AT_MOST 30000.00"]);
        assert!(said(&json!({"id": "1", "name": "Lead", "item_make": "Ford"})).is_empty());
        let confidence = |name: &str| wishes(&one(&json!({"id": "1", "name": name, "make": "Ford"})).unwrap(), None)[0].confidence_permille;
        assert!(confidence("ViewContent") < confidence("Search") && confidence("Search") < confidence("AddToWishlist"));
        assert!(confidence("AddToWishlist") < confidence("CustomizeProduct"));
    }

    #[test]
    fn a_number_is_read_as_a_program_wrote_it_and_a_text_as_people_write() {
        let payment = |value: Value| said(&json!({"id": "1", "name": "payment_calculated", "monthly_payment": value}));
        for (value, cents) in [
            (json!(519.125), "519.13"),
            (json!(519.1254), "519.13"),
            (json!(520), "520.00"),
            (json!(5.2e2), "520.00"),
            (json!("$1,250"), "1250.00"),
        ] {
            assert_eq!(payment(value.clone()), [format!("MONTHLY_PAYMENT AT_MOST {cents}")], "{value}");
        }
        for value in [json!(-5), json!(0), json!(1e30), json!(1e-30), json!("much"), json!({}), json!(null)] {
            assert!(payment(value.clone()).is_empty(), "{value}");
        }
    }

    #[test]
    fn half_an_emoji_costs_its_text_and_not_the_batch() {
        let model = |raw: &str| {
            let body = format!(r#"[{{"id":"1","name":"ViewContent","model":"{raw}"}},{{"id":"2","name":"Search","max_price":30000}}]"#);
            let events: Vec<Event> = parse_batch(body.as_bytes(), now()).unwrap().into_iter().map(Result::unwrap).collect();
            assert_eq!(events.len(), 2, "{raw}");
            events[0].facts.model.clone().unwrap_or_default()
        };
        assert_eq!(model(r"Soul \ud83d"), "Soul \u{fffd}");
        assert_eq!(model(r"\udc00Soul"), "\u{fffd}Soul");
        assert_eq!(model(r"Soul \ud83d\ud83d\ude97"), "Soul \u{fffd}\u{1f697}");
        assert_eq!(model(r"a\\ud83d \ud83d"), "a\\ud83d \u{fffd}");
        assert!(parse_batch(br#"[{"id":"1","name":"\ud83"#, now()).is_err());
    }

    #[test]
    fn events_without_what_they_need_are_refused_with_the_reason() {
        let days = |n: i64| (now() + Duration::days(n)).to_rfc3339();
        for (event, reason) in [
            (json!("x"), "JSON object"),
            (json!({"id": "1"}), "name is missing"),
            (json!({"id": "1", "name": "<script>"}), "characters"),
            (json!({"name": "Search"}), "needs a time"),
            (json!({"id": {}, "name": "Search"}), "the id must"),
            (json!({"id": "x".repeat(300), "name": "Search"}), "the id must"),
            (json!({"id": "1", "name": "Search", "timestamp": "yesterday"}), "neither RFC 3339"),
            (json!({"id": "1", "name": "Search", "timestamp": days(3)}), "future"),
            (json!({"id": "1", "name": "Search", "timestamp": days(-900)}), "older"),
        ] {
            let why = one(&event).map(|_| ()).unwrap_err();
            assert!(why.contains(reason), "{event}: {why}");
        }
        for event in [
            json!({"id": 7, "name": "Search", "timestamp": now().timestamp()}),
            json!({"id": "1", "name": "Search", "timestamp_micros": now().timestamp_micros().to_string()}),
            json!({"event_id": "1", "event_name": "Search", "event_time": now().timestamp_millis()}),
        ] {
            assert_eq!(one(&event).map(|e| e.occurred_at), Ok(now()), "{event}");
        }
        // The sender's clock may run ahead.
        assert_eq!(
            one(&json!({"id": "1", "name": "Search", "timestamp": (now() + Duration::minutes(9)).to_rfc3339()})).unwrap().occurred_at,
            now()
        );
    }

    #[test]
    fn an_event_without_an_id_is_known_by_its_content() {
        let event = json!({"name": "Search", "timestamp": now().timestamp(), "params": {"a": 1}});
        let other = json!({"name": "Search", "timestamp": now().timestamp(), "params": {"a": 2}});
        assert_eq!(one(&event).unwrap().external_id, one(&event).unwrap().external_id);
        assert_ne!(one(&event).unwrap().external_id, one(&other).unwrap().external_id);
    }

    #[test]
    fn batches_come_in_several_shapes_and_are_bounded() {
        let count = |body: &str| parse_batch(body.as_bytes(), now()).map(|e| e.len());
        assert_eq!(count(r#"[{"id":"1","name":"Search"}]"#), Ok(1));
        assert_eq!(count(r#"{"source":"site","events":[{"id":"1","name":"Search"},3]}"#), Ok(2));
        assert_eq!(count(r#"{"data":[]}"#), Ok(0));
        assert_eq!(count(r#"{"id":"1","name":"Search"}"#), Ok(1));
        assert_eq!(
            (count("x"), count("3"), count(r#"{"events":3}"#)),
            (Err(BatchError::Json), Err(BatchError::Shape), Err(BatchError::Shape))
        );
        assert_eq!(count(&format!("[{}3]", "3,".repeat(EVENTS_MAX))), Err(BatchError::TooMany));
        assert_eq!(count(&"[".repeat(100_000)), Err(BatchError::Json));
        assert_eq!(one(&json!({"id": "1", "name": "Search", "source": "s"})).unwrap().source, "s");
    }

    #[test]
    fn the_visitor_is_known_by_contact_details_and_stays_out_of_what_is_kept_in_the_clear() {
        let event = one(&json!({"id": "1", "name": "Lead", "source": "site", "page_type": "call 312-555-0142",
            "user_data": {"em": " Ada@Example.com ", "ph": ["312-555-0142"], "external_id": "u7", "fn": "Ada"}, "custom_data": {"form_name": "ada@example.com", "item_id": "1M8GDM9AXKP042788"}}))
        .unwrap();
        assert_eq!(event.visitor.email.as_ref().map(|e| e.as_str()), Some("ada@example.com"));
        assert_eq!(event.visitor.phone.as_ref().map(|p| p.as_str()), Some("+13125550142"));
        assert_eq!(event.visitor.external_id.as_ref().map(|x| (x.source.as_str(), x.id.as_str())), Some(("site", "u7")));
        assert_eq!(event.vin.as_deref(), Some("1M8GDM9AXKP042788"));
        let shown = format!("{event:?}").to_lowercase();
        assert!(!shown.contains("ada@") && !shown.contains("555") && !shown.contains("u7"), "{shown}");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..500)) {
            let _ = parse_batch(&bytes, now());
        }

        #[test]
        fn any_values_are_read_without_panic(value in "[\\PC\u{0}]{0,40}", number in proptest::prelude::any::<f64>(), key in 0_usize..12) {
            let names = ["id", "name", "timestamp", "item_id", "payment", "term", "email", "phone", "source", "price_max", "duration", "item_year"];
            for value in [json!(value), json!(number), json!([value]), json!({"a": value})] {
                let mut event = json!({"id": "1", "name": "Search"});
                event[names[key]] = value;
                let _ = one(&event).map(|e| wishes(&e, None));
            }
        }
    }
}
