//! Every real lead against what an independent parser read from it, field by field; and hostile bytes.

use serde_json::{Map, Value, json};

use super::*;

fn text(value: Option<&String>) -> Value {
    value.map_or(Value::Null, |v| json!(v))
}

/// The prospect in the shape of `expected.json`, which shows a key only when its element is there: `like` tells which.
fn shaped(p: &Prospect, like: &Value) -> Value {
    let mut out = Map::new();
    out.insert("status".into(), text(p.status.as_ref()));
    out.insert("requestdate".into(), text(p.request_date.as_ref().map(|t| &t.text)));
    out.insert("ids".into(), p.ids.iter().map(|i| json!({"source": i.source, "value": i.value})).collect());
    out.insert("vehicles".into(), p.vehicles.iter().enumerate().map(|(i, v)| vehicle(v, &like["vehicles"][i])).collect());
    if let Some(customer) = &p.customer {
        out.insert("customer".into(), self::customer(customer, &like["customer"]));
    }
    if let Some(vendor) = &p.vendor {
        out.insert("vendorname".into(), text(vendor.name.as_ref()));
    }
    if let Some(provider) = &p.provider {
        out.insert("provider".into(), text(provider.name.as_ref()));
    }
    Value::Object(out)
}

fn vehicle(v: &Vehicle, like: &Value) -> Value {
    let mut out = Map::new();
    out.insert("interest".into(), text(v.interest.as_ref().map(|t| &t.text)));
    out.insert("status".into(), text(v.status.as_ref().map(|t| &t.text)));
    let mut plain = |key: &str, value: Option<&String>| {
        if value.is_some() || like.get(key).is_some() {
            out.insert(key.into(), text(value));
        }
    };
    plain("year", v.year.as_ref().map(|t| &t.text));
    plain("make", v.make.as_ref());
    plain("model", v.model.as_ref());
    plain("trim", v.trim.as_ref());
    plain("vin", v.vin.as_ref());
    plain("stock", v.stock.as_ref());
    plain("bodystyle", v.body_style.as_ref());
    plain("transmission", v.transmission.as_ref());
    plain("condition", v.condition.as_ref());
    if let Some(o) = &v.odometer {
        let units = text(o.units.as_ref().map(|t| &t.text));
        out.insert("odometer".into(), json!({"value": text(o.reading.as_ref().map(|t| &t.text)), "units": units}));
    }
    if let Some(p) = v.prices.first() {
        out.insert("price".into(), json!({"value": p.text, "currency": p.currency, "type": p.kind}));
    }
    if !v.colours.is_empty() {
        let choice = |c: &ColourChoice| json!({"exterior": c.exterior, "interior": c.interior, "preference": text(c.preference.as_ref().map(|t| &t.text))});
        out.insert("colours".into(), v.colours.iter().map(choice).collect());
    }
    if let Some(f) = &v.finance {
        let amounts: Value =
            f.amounts.iter().map(|a| json!({"type": text(a.kind.as_ref().map(|t| &t.text)), "value": a.price.text})).collect();
        out.insert("finance".into(), json!({"method": f.method, "amounts": amounts, "balance": f.balance.as_ref().map(|b| &b.text)}));
    }
    Value::Object(out)
}

fn customer(c: &Customer, like: &Value) -> Value {
    let contact = c.contacts.first().cloned().unwrap_or_default();
    let names: Map<String, Value> = contact.names.iter().map(|n| (n.part.clone(), json!(n.text))).collect();
    let emails: Value = contact.emails.iter().map(|e| json!(e.text)).collect();
    let phones: Value = contact.phones.iter().map(|p| json!({"type": p.kind, "value": p.text})).collect();
    let mut out = json!({"names": names, "emails": emails, "phones": phones, "comment": c.comments});
    if let Some(a) = contact.addresses.first() {
        out["address"] =
            json!({"street": a.street, "city": a.city, "regioncode": a.region, "postalcode": a.postal_code, "country": a.country});
    }
    let _ = like;
    out
}

fn differences(path: &str, got: &Value, want: &Value, out: &mut Vec<String>) {
    match (got, want) {
        (Value::Object(g), Value::Object(w)) => {
            for key in g.keys().chain(w.keys().filter(|k| !g.contains_key(*k))) {
                let none = json!("(no such key)");
                differences(&format!("{path}.{key}"), g.get(key).unwrap_or(&none), w.get(key).unwrap_or(&none), out);
            }
        }
        (Value::Array(g), Value::Array(w)) if g.len() == w.len() => {
            for (i, (g, w)) in g.iter().zip(w).enumerate() {
                differences(&format!("{path}[{i}]"), g, w, out);
            }
        }
        _ if got == want => {}
        _ => out.push(format!("{path}: read {got}, expected {want}")),
    }
}

#[test]
fn reads_every_real_lead_as_the_independent_parser_does() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/adf");
    let folder = if folder.exists() { folder } else { std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/adf") };
    let Ok(expected) = std::fs::read_to_string(folder.join("expected.json")) else {
        println!("skipped: no {}", folder.display());
        return;
    };
    let expected: Map<String, Value> = serde_json::from_str(&expected).unwrap();
    let mut wrong = Vec::new();
    for (file, want) in &expected {
        let document = parse(&std::fs::read(folder.join(file)).unwrap(), None);
        let none = Vec::new();
        let want = want["prospects"].as_array().unwrap_or(&none);
        if want.len() != document.prospects.len() {
            wrong.push(format!("{file}: {} prospects, expected {}", document.prospects.len(), want.len()));
        }
        if want.is_empty() != document.fault.is_some() {
            wrong.push(format!("{file}: fault {:?}", document.fault));
        }
        for (i, (got, want)) in document.prospects.iter().zip(want).enumerate() {
            differences(&format!("{file}[{i}]"), &shaped(got, want), want, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} differences in {} files:\n{}", wrong.len(), expected.len(), wrong.join("\n"));
}

#[test]
fn finds_the_document_in_what_surrounds_it() {
    let adf = "<adf><prospect><customer><contact><name>A B</name></contact></customer></prospect></adf>";
    for text in [
        format!("From: x@example.com\nSubject: a < b\n\n{adf}\n-- \nsent by <robot>"),
        format!("<ADF:adf xmlns:ADF='x'>{}</ADF:adf>", &adf[5..adf.len() - 6]),
        adf[5..adf.len() - 6].to_owned(),
        adf.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        format!("<?xml version='1.0' encoding='utf-16'?>\n<!-- c -->\n<?adf version='1.0'?>{adf}"),
        adf.to_uppercase(),
    ] {
        let document = parse(text.as_bytes(), None);
        assert_eq!((document.prospects.len(), &document.fault), (1, &None), "{text}");
        let name = document.prospects[0].customer.as_ref().unwrap().contacts[0].names[0].text.clone();
        assert_eq!(name.as_deref(), Some("A B"), "{text}");
    }
}

#[test]
fn hostile_documents_give_a_reason_and_no_prospect() {
    let adf = "<adf><prospect><customer><contact><name>&x;</name></contact></customer></prospect></adf>";
    let laughs: String = (0..10).map(|i| format!("<!ENTITY l{} \"{}\">", i + 1, format!("&l{i};").repeat(10))).collect();
    let many = "<prospect/>".repeat(200);
    let cases = [
        (format!("<!DOCTYPE adf [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{adf}"), "document type"),
        (format!("mail text <!DocType adf [{laughs}]>{adf}"), "document type"),
        ("<adf><!DOCTYPE adf SYSTEM \"http://192.0.2.1/x\"><prospect/></adf>".to_owned(), "document type"),
        (format!("<!DOCTYPE adf [<!ENTITY x \"y\">]>{adf}").replace('<', "&lt;").replace('>', "&gt;"), "document type"),
        ("<adf>".repeat(20_000), "nested deeper"),
        (format!("<adf><prospect>{}", "<a>".repeat(1000)), "nested deeper"),
        ("<".repeat(64 << 10), "no <adf>"),
        (format!("<adf>{}", "</".repeat(32 << 10)), "not well formed"),
        (format!("<adf>{}", "<".repeat(64 << 10)), "not well formed"),
        (format!("<adf>{}", "&".repeat(64 << 10)), "not well formed"),
        (format!("<adf>{}", "<![CDATA[".repeat(8 << 10)), "not well formed"),
        (format!("<adf>{}", "<!--".repeat(16 << 10)), "not well formed"),
        (format!("<adf>{}", "</a>".repeat(16 << 10)), "not well formed"),
        (String::new(), "no <adf>"),
        ("<adf/>".to_owned(), "no <prospect>"),
        ("<adf><broken></adf>".to_owned(), "not well formed"),
    ];
    for (text, reason) in cases {
        let started = std::time::Instant::now();
        let document = parse(text.as_bytes(), None);
        assert!(document.prospects.is_empty() && document.fault.as_deref().is_some_and(|f| f.contains(reason)), "{reason}: {document:?}");
        // The promise is 50 ms; an unoptimised build on a busy machine is given more.
        let limit = std::time::Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });
        assert!(started.elapsed() < limit, "{reason}: {:?}", started.elapsed());
    }
    let document = parse(format!("<adf>{many}</adf>").as_bytes(), None);
    assert!(document.prospects.len() == PROSPECTS_MAX && document.fault.is_some());
}

#[test]
fn a_broken_prospect_does_not_take_its_neighbour_along() {
    let document = parse(b"<adf><prospect><id>1</id></prospect><prospect><id>2</prospect><prospect><id>3</id></prospect></adf>", None);
    let damage: Vec<_> = document.prospects.iter().map(|p| p.damage.is_some()).collect();
    assert_eq!((damage, document.fault), (vec![false, true, false], None));
    let cut = parse(b"<adf><prospect><id>1</id></prospect><prospect><id>2</id><veh", None);
    assert_eq!(cut.prospects.iter().map(|p| p.damage.is_some()).collect::<Vec<_>>(), [false, true]);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000)) {
        let _ = parse(&bytes, None);
    }

    #[test]
    fn any_mutation_of_a_lead_is_read_without_panic(at in 0_usize..700, cut in 0_usize..40, put in "[<>&;/!\\[\\]a-z\"'= \u{0}\u{ff}]{0,8}") {
        let lead = "<?xml version='1.0'?><adf><prospect status='new'><id sequence='1' source='s'>7</id><requestdate>2020-01-01T00:00:00-08:0</requestdate>\
            <vehicle interest='buy' status='used'><year>2020</year><make>A</make><odometer unit='km'>1,5</odometer><price currency='USD'>$1.0</price>\
            <colorcombination><preference>1</preference></colorcombination><option><weighting>+5</weighting></option><finance><amount type='monthly'>4</amount></finance>\
            </vehicle><customer><contact><name part='full'>\u{e9}</name><email>a@b.de</email><phone>3125550142</phone></contact><comments><![CDATA[x]]></comments></customer></prospect></adf>";
        let mut text: Vec<char> = lead.chars().collect();
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        text.splice(at..end, put.chars());
        let _ = parse(text.into_iter().collect::<String>().as_bytes(), None);
    }
}
