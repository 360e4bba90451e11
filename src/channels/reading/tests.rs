//! What leads mean, rule by rule.

use super::*;

fn reading(xml: &str) -> Reading {
    let document = adf::parse(xml.as_bytes(), None);
    let place = Place { currency: Currency::USD, zone: chrono_tz::Tz::America__Chicago };
    read(&document.prospects[0], "ADF", place, DateTime::from_timestamp(1_790_000_000, 0).unwrap())
}
fn said(reading: &Reading) -> Vec<String> {
    reading.wishes.iter().map(|p| format!("{} {} {} {}", p.wish.attribute(), p.wish.operator(), p.wish.value(), p.importance)).collect()
}
const WHO: &str =
    "<customer><contact><name part='first'>Ada</name><name part='last'>Unknown</name><phone>312-555-0142</phone></contact></customer>";

#[test]
fn wishes_come_from_wanted_vehicles_with_their_weight() {
    let r = reading(&format!(
        "<adf><prospect><vehicle interest='lease' status='NEW'><year>2020</year><make>chevy</make><model>Blazer</model><bodystyle>Sport Utility</bodystyle>\
         <transmission>A</transmission><doors>5</doors>\
         <colorcombination><interiorcolor>Red</interiorcolor><exteriorcolor>Gray</exteriorcolor><preference>2</preference></colorcombination>\
         <colorcombination><exteriorcolor>Midnight Black</exteriorcolor><preference>1</preference></colorcombination>\
         <option><optionname>Sport seats</optionname><weighting>+50</weighting></option>\
         <option><optionname>Sunroof</optionname><weighting>-80</weighting></option><option><optionname>[opt]</optionname></option>\
         <price type='asking'>1</price><price type='offer'>21000</price>\
         <finance><method>finance</method><amount type='monthly' limit='maximum' currency='usd'>450</amount><amount type='downpayment' limit='minimum'>1000</amount>\
         <amount type='nonsense'>3</amount><term>5 years</term></finance></vehicle>\
         <vehicle interest='trade-in'><make>Ford</make><model>Focus</model></vehicle>{WHO}</prospect></adf>"
    ));
    assert_eq!(
        said(&r),
        [
            "CONDITION IS NEW SHOULD",
            "MAKE IS Chevrolet SHOULD",
            "MODEL IS Blazer SHOULD",
            "MODEL_YEAR IS 2020 NICE",
            "BODY_STYLE IS SUV SHOULD",
            "TRANSMISSION IS AUTOMATIC NICE",
            "DOORS IS 5 NICE",
            "EXTERIOR_COLOR IS BLACK SHOULD",
            "EXTERIOR_COLOR IS GRAY NICE",
            "INTERIOR_COLOR IS RED NICE",
            "FEATURE IS sport seats SHOULD",
            "FEATURE IS_NOT sunroof MUST",
            "PRICE AT_MOST 21000.00 MUST",
            "MONTHLY_PAYMENT AT_MOST 450.00 MUST",
            "DOWN_PAYMENT AT_LEAST 1000.00 SHOULD",
            "TERM_MONTHS IS 60 SHOULD",
        ]
    );
    assert_eq!(r.person.person.family_name, None, "a filler is no name");
    assert_eq!(r.needs_person, None);
}

#[test]
fn a_trade_in_alone_is_no_wish_and_a_foreign_amount_only_a_hint() {
    let trade = reading(&format!("<adf><prospect><vehicle interest='TRADE IN'><make>Ford</make></vehicle>{WHO}</prospect></adf>"));
    assert!(trade.wishes.is_empty() && trade.needs_person.is_none());
    assert_eq!(trade.summary["vehicles"][0]["wanted"], false);
    let cad = reading(&format!(
        "<adf><prospect><vehicle><finance><amount type='monthly' currency='CAD'>425.25</amount></finance></vehicle>{WHO}</prospect></adf>"
    ));
    assert_eq!((said(&cad), cad.wishes[0].confidence_permille), (vec!["MONTHLY_PAYMENT AT_MOST 425.25 NICE".to_owned()], 500));
}

#[test]
fn unfilled_templates_and_leads_nobody_can_answer_go_to_a_person() {
    for (customer, reason) in [
        ("<name part='first'>[first_name]</name><phone>312-555-0142</phone>", "not filled in: [first_name]"),
        ("<name>Ada</name><email>{{ email }}</email>", "not filled in: {{ email }}"),
        ("<name>Ada</name><phone>%%PHONE%%</phone>", "not filled in: %%PHONE%%"),
        ("<name>Ada</name>", "no e-mail address and no phone"),
        ("<name>Ada</name><email>emailaddress</email><phone>12</phone>", "is usable"),
    ] {
        let r = reading(&format!("<adf><prospect><customer><contact>{customer}</contact></customer></prospect></adf>"));
        assert!(r.needs_person.as_deref().is_some_and(|why| why.contains(reason)), "{customer}: {:?}", r.needs_person);
    }
    assert!(reading("<adf><prospect/></adf>").needs_person.is_some());
    assert!(reading(&format!("<adf><prospect>{WHO}<id>1</prospect></adf>")).needs_person.unwrap().contains("not well formed"));
}

#[test]
fn several_contact_details_in_one_element_are_all_read() {
    let r = reading(
        "<adf><prospect><customer><contact><name>Ada</name><email>Ada <ada@example.com>; b@example.com</email>\
         <phone type='mobile'>512-555-0142 / 512-555-0143</phone></contact></customer></prospect></adf>",
    );
    let emails: Vec<&str> = r.person.emails.iter().map(|e| e.address.as_str()).collect();
    let phones: Vec<&str> = r.person.phones.iter().map(|p| p.number.as_str()).collect();
    assert_eq!((emails, phones), (vec!["ada@example.com", "b@example.com"], vec!["+15125550142", "+15125550143"]));
    assert_eq!((r.person.phones[0].label.as_deref(), r.needs_person), (Some("cell"), None));
    assert!(!r.summary.to_string().contains('@'));
}

#[test]
fn consents_are_taken_when_said_outright() {
    let r = reading(
        "<adf><prospect><customer><contact><phone>3125550142</phone></contact><comments><![CDATA[Email Opt-In: Yes <br />\nPhone Opt-In: No <br />\
         Mail Opt-In: maybe<br/>SMS consent: true. Email me! Opt-in]]></comments></customer><textoptin>no</textoptin></prospect></adf>",
    );
    assert_eq!(r.consents, [(ConsentPurpose::Email, true), (ConsentPurpose::Phone, false), (ConsentPurpose::Text, false)]);
}

#[test]
fn ids_that_name_a_kind_of_lead_tell_nothing_apart() {
    let r = reading("<adf><prospect><id source='leadtype'>Email</id><provider><name>CarGurus</name></provider></prospect></adf>");
    assert_eq!((r.source.as_deref(), r.external_id), (Some("CarGurus"), None));
    let r = reading("<adf><prospect><id source='Cobalt'>38889</id></prospect></adf>");
    assert_eq!((r.source.as_deref(), r.external_id.as_deref()), (Some("Cobalt"), Some("38889")));
}

#[test]
fn the_summary_holds_no_personal_data_wherever_the_sender_put_it() {
    let ssn = "123-45-6789";
    let r = reading(&format!(
        "<adf><prospect><id source='{ssn}'>x1</id><vehicle><make>Ford {ssn}</make><model>ada@example.com F-150</model><vin>{ssn}</vin><trim>call 312 555 0142</trim>\
         <stock>{ssn}</stock><comments>SSN {ssn}</comments><pricecomments>{ssn}</pricecomments></vehicle><customer><contact><name>Ada Lovelace</name>\
         <phone>312-555-0142</phone></contact><comments>Date of Birth: 1980-11-17 income 5500 {ssn}</comments></customer><provider><name>P {ssn}</name></provider></prospect></adf>"
    ));
    let shown = format!("{} {:?} {:?}", r.summary, r.source, r.person);
    for secret in [ssn, "1980-11-17", "5500", "Ada", "Lovelace", "555", "example.com"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    assert!(shown.contains("F-150"));
}

fn warned(reading: &Reading) -> String {
    reading.summary["warnings"].to_string()
}
fn wanting(vehicles: &str) -> Reading {
    reading(&format!("<adf><prospect>{vehicles}{WHO}</prospect></adf>"))
}

#[test]
fn amounts_are_taken_whole_or_not_at_all() {
    for (inside, want, warning) in [
        ("<price type='offer'>25k</price>", "PRICE AT_MOST 25000.00 MUST", ""),
        ("<price type='offer'>20000-25000</price>", "PRICE AT_MOST 25000.00 MUST", "a range of $20,000 to $25,000 was sent"),
        ("<price type='offer'>under $25,000</price>", "PRICE AT_MOST 25000.00 MUST", ""),
        ("<price type='offer'>25</price>", "", "offer \\\"25\\\" was not understood"),
        ("<price type='offer'>10%</price>", "", "offer \\\"10%\\\" was not understood"),
        ("<price type='offer' delta='percentage'>10</price>", "", "relative to another price"),
        ("<price type='offer'>0.00</price>", "", ""),
        ("<finance><amount type='downpayment'>10%</amount></finance>", "", "down payment \\\"10%\\\" was not understood"),
        ("<finance><amount type='downpayment'>3k</amount></finance>", "DOWN_PAYMENT AT_MOST 3000.00 SHOULD", ""),
        ("<finance><amount type='downpayment'>5000+</amount></finance>", "DOWN_PAYMENT AT_LEAST 5000.00 SHOULD", ""),
        ("<finance><amount type='monthly'>4 hundred</amount></finance>", "MONTHLY_PAYMENT AT_MOST 400.00 MUST", ""),
        ("<finance><amount type='monthly'>four hundred</amount></finance>", "", "monthly payment \\\"four hundred\\\" was not understood"),
        ("<finance><amount type='monthly'>400-450</amount></finance>", "MONTHLY_PAYMENT AT_MOST 450.00 MUST", "kept as at most $450"),
        ("<finance><amount type='monthly' limit='minimum'>400-450</amount></finance>", "MONTHLY_PAYMENT AT_LEAST 400.00 MUST", "range"),
        ("<finance><amount type='weekly'>120</amount></finance>", "", "of type \\\"weekly\\\" was not understood"),
        (
            "<finance><amount type='monthly'>425.25</amount><frequency>bi-weekly</frequency></finance>",
            "",
            "$425.25 each is about $921.38 a month",
        ),
        ("<finance><amount type='monthly'>100</amount><frequency>now and then</frequency></finance>", "", "another rhythm"),
        ("<finance><amount type='monthly'>400</amount><frequency>Monthly</frequency></finance>", "MONTHLY_PAYMENT AT_MOST 400.00 MUST", ""),
        ("<finance><term>48-60</term></finance>", "", "term \\\"48-60\\\" was not understood"),
        ("<finance><term>5 yrs</term></finance>", "TERM_MONTHS IS 60 SHOULD", ""),
        ("<price type='offer'>£20,000</price>", "PRICE AT_MOST 20000.00 NICE", ""),
    ] {
        let r = wanting(&format!("<vehicle>{inside}</vehicle>"));
        assert_eq!(said(&r).join("; "), want, "{inside}");
        let warnings = warned(&r);
        assert!(warnings.contains(warning) && (!warning.is_empty() || warnings == "[]"), "{inside}: {warnings}");
    }
}

#[test]
fn a_balance_is_taken_whole_or_named_in_a_warning() {
    for (balance, amount, warned_of) in [("7,500", json!("7500.00"), false), ("0", Value::Null, false), ("about 7k", Value::Null, true)] {
        let r = wanting(&format!("<vehicle interest='trade-in'><finance><balance>{balance}</balance></finance></vehicle>"));
        assert_eq!(r.summary["vehicles"][0]["balance"]["amount"], amount, "{balance}");
        assert_eq!(warned(&r).contains("a balance was not understood"), warned_of, "{balance}");
    }
}

#[test]
fn several_wanted_vehicles_are_alternatives_and_never_speak_against_each_other() {
    let two = |first: &str, second: &str| wanting(&format!("<vehicle>{first}</vehicle><vehicle>{second}</vehicle>"));
    let r = two(
        "<year>2019</year><make>Toyota</make><model>RAV4</model><doors>4</doors><price type='offer'>21000</price>\
         <finance><amount type='monthly'>400</amount><amount type='downpayment' limit='minimum'>3000</amount><term>60</term></finance>",
        "<year>2021</year><make>Honda</make><model>CR-V</model><doors>4</doors><price type='offer'>26000</price>\
         <finance><amount type='monthly'>450</amount><amount type='downpayment' limit='minimum'>2000</amount><term>72</term></finance>",
    );
    assert_eq!(
        said(&r),
        [
            "MAKE IS Toyota SHOULD",
            "MODEL IS RAV4 SHOULD",
            "MODEL_YEAR AT_LEAST 2019 NICE",
            "MODEL_YEAR AT_MOST 2021 NICE",
            "DOORS IS 4 NICE",
            "PRICE AT_MOST 26000.00 MUST",
            "MONTHLY_PAYMENT AT_MOST 450.00 MUST",
            "DOWN_PAYMENT AT_LEAST 2000.00 SHOULD",
            "TERM_MONTHS AT_LEAST 60 SHOULD",
            "TERM_MONTHS AT_MOST 72 SHOULD",
            "MAKE IS Honda SHOULD",
            "MODEL IS CR-V SHOULD",
        ]
    );
    assert!(warned(&r).contains("several figures for price; the widest were kept"), "{}", warned(&r));
    let mirrored = two("<price type='offer'>26000</price>", "<price type='offer'>21000</price>");
    assert_eq!(said(&mirrored), ["PRICE AT_MOST 26000.00 MUST"], "whatever the order");
    assert_eq!(said(&two("<price type='offer'>26000</price>", "<make>Kia</make>")), ["PRICE AT_MOST 26000.00 MUST", "MAKE IS Kia SHOULD"]);
    let refused = two(
        "<option><optionname>Sunroof</optionname><weighting>-90</weighting></option>",
        "<option><optionname>Sunroof</optionname><weighting>50</weighting></option>",
    );
    assert_eq!(said(&refused), ["FEATURE IS sunroof SHOULD"]);
    assert!(warned(&refused).contains("wanted and not wanted"));
    // One vehicle with a lower and an upper bound keeps both; bounds that exclude each other are none.
    let range = wanting(
        "<vehicle><finance><amount type='monthly' limit='minimum'>300</amount><amount type='monthly'>400</amount></finance></vehicle>",
    );
    assert_eq!(said(&range), ["MONTHLY_PAYMENT AT_LEAST 300.00 MUST", "MONTHLY_PAYMENT AT_MOST 400.00 MUST"]);
    let none = wanting(
        "<vehicle><finance><amount type='monthly' limit='minimum'>500</amount><amount type='monthly'>400</amount></finance></vehicle>",
    );
    assert!(none.wishes.is_empty() && warned(&none).contains("exclude each other"));
}

#[test]
fn colours_are_refused_as_they_are_said_and_fillers_are_no_wishes() {
    for (colour, want) in [
        ("Anything but white", "EXTERIOR_COLOR IS_NOT WHITE"),
        ("no red", "EXTERIOR_COLOR IS_NOT RED"),
        ("no red, no white", "EXTERIOR_COLOR IS_NOT RED; EXTERIOR_COLOR IS_NOT WHITE"),
        ("not red or white", "EXTERIOR_COLOR IS_NOT RED; EXTERIOR_COLOR IS_NOT WHITE"),
        ("except black", "EXTERIOR_COLOR IS_NOT BLACK"),
        ("black, not red", "EXTERIOR_COLOR IS BLACK; EXTERIOR_COLOR IS_NOT RED"),
        ("black or grey", "EXTERIOR_COLOR IS BLACK; EXTERIOR_COLOR IS GRAY"),
        ("not red, black", ""),
        ("black but not red", ""),
        ("nice", ""),
    ] {
        let r = wanting(&format!("<vehicle><colorcombination><exteriorcolor>{colour}</exteriorcolor></colorcombination></vehicle>"));
        let got: Vec<String> = said(&r).iter().map(|w| w.trim_end_matches(" SHOULD").to_owned()).collect();
        assert_eq!(got.join("; "), want, "{colour}");
        assert_eq!(warned(&r).contains("exterior color"), want.is_empty(), "{colour}: {}", warned(&r));
    }
    for filler in ["Any", "N/A", "None", "unknown", "-", "TBD", "No preference", "Any color"] {
        let r = wanting(&format!(
            "<vehicle><make>{filler}</make><model>{filler}</model><trim>{filler}</trim><bodystyle>{filler}</bodystyle>\
             <colorcombination><exteriorcolor>{filler}</exteriorcolor></colorcombination></vehicle>"
        ));
        assert_eq!((said(&r), warned(&r)), (Vec::new(), "[]".to_owned()), "{filler}");
    }
    assert_eq!(
        said(&wanting("<vehicle><make>Anyware</make><model>Allroad</model></vehicle>")),
        ["MAKE IS Anyware SHOULD", "MODEL IS Allroad SHOULD"]
    );
}

#[test]
fn refusals_are_heard_however_they_are_put() {
    use ConsentPurpose::{Email, Mail, Phone, Text};
    for (comments, want) in [
        ("Email Opt-Out: Yes", vec![(Email, false)]),
        ("Do Not Call: Yes", vec![(Phone, false)]),
        ("Do not text = true", vec![(Text, false)]),
        ("Email Opt-In: Yes\nEmail Opt-Out: Yes", vec![(Email, false)]),
        ("Email Opt-Out: No", vec![]),
        ("Unsubscribe: yes", vec![(Email, false), (Phone, false), (Text, false), (Mail, false)]),
        ("Is it there? Please don't call me. Thanks", vec![(Phone, false)]),
        ("please do not email", vec![(Email, false)]),
        ("Do not call before five", vec![]),
        ("I do not call that cheap", vec![]),
    ] {
        let r = reading(&format!(
            "<adf><prospect><customer><contact><phone>3125550142</phone></contact><comments>{comments}</comments></customer></prospect></adf>"
        ));
        assert_eq!(r.consents, want, "{comments}");
    }
}

fn asks(customer: &str) -> Reading {
    reading(&format!("<adf><prospect>{customer}</prospect></adf>"))
}
fn reached(r: &Reading) -> Vec<&str> {
    let emails = r.person.emails.iter().map(|e| e.address.as_str());
    emails.chain(r.person.phones.iter().map(|p| p.number.as_str())).collect()
}
fn name(r: &Reading) -> String {
    let p = &r.person.person;
    [&p.given_name, &p.middle_name, &p.family_name].map(|part| part.as_deref().unwrap_or("-")).join("|")
}

#[test]
fn contact_details_are_used_or_named_in_a_warning() {
    for (inside, want, warning) in [
        ("<phone>tel:+1-512-555-0153</phone>", "+15125550153", ""),
        ("<phone>011 49 30 901820</phone>", "+4930901820", ""),
        ("<phone>0049 30 901820</phone>", "+4930901820", ""),
        ("<phone>512 555 0150 or 512 555 0151</phone>", "+15125550150 +15125550151", ""),
        ("<phone>Cell: 512 555 0150, (work) 512-555-0151</phone>", "+15125550150 +15125550151", ""),
        ("<phone>512-555-0150 x123</phone>", "+15125550150", "has the extension 123"),
        ("<phone>(512) 555-0150 ext. 4</phone>", "+15125550150", "has the extension 4"),
        ("<phone>000-000-0000</phone><phone>512 555 0150</phone>", "+15125550150", "a phone number in it is a filler"),
        ("<phone>111-111-1111</phone><email>a@b.de</email>", "a@b.de", "a phone number in it is a filler"),
        ("<phone>12</phone><email>a@b.de</email>", "a@b.de", "a phone number in it is not usable"),
        ("<phone>N/A</phone><email>a@b.de</email>", "a@b.de", ""),
        ("<email>a@b.de</email><email>nonsense</email>", "a@b.de", "an e-mail address in it is not usable"),
        ("<email>noemail@noemail.com</email><phone>512 555 0150</phone>", "+15125550150", "an e-mail address in it is a filler"),
        ("<email>none@none.com</email><phone>512 555 0150</phone>", "+15125550150", "filler"),
        ("<email>test@test.com</email><phone>512 555 0150</phone>", "+15125550150", "filler"),
        ("<email>test@crm.example</email>", "test@crm.example", ""),
        ("<email>nona@example.com</email>", "nona@example.com", ""),
    ] {
        let r = asks(&format!("<customer><contact><name>Ada King</name>{inside}</contact></customer>"));
        assert_eq!(reached(&r).join(" "), want, "{inside}");
        let warnings = warned(&r);
        assert!(warnings.contains(warning) && (!warning.is_empty() || warnings == "[]"), "{inside}: {warnings}");
        assert_eq!(r.needs_person, None, "{inside}");
    }
    let nobody = asks("<customer><contact><name>Ada</name><email>none@none.com</email><phone>000-000-0000</phone></contact></customer>");
    assert!(nobody.needs_person.is_some());
}

#[test]
fn a_co_buyer_is_named_and_never_mixed_into_the_buyer() {
    let two = asks(
        "<customer><contact><name>Ada King</name><phone>512 555 0150</phone></contact>\
         <contact><name>Bob King</name><email>bob@example.com</email></contact></customer>",
    );
    assert_eq!((name(&two).as_str(), reached(&two)), ("Ada|-|King", vec!["+15125550150"]));
    assert!(warned(&two).contains("another person"));
    let second = asks(
        "<customer><contact><name>Ada King</name><phone>512 555 0150</phone></contact></customer>\
         <customer><contact><name>Bob King</name><email>bob@example.com</email></contact></customer>",
    );
    assert!(warned(&second).contains("another person") && reached(&second) == ["+15125550150"]);
    // The same person, told in two places.
    for more in
        ["<contact><email>ada@example.com</email></contact>", "<contact><name>ada king</name><email>ada@example.com</email></contact>"]
    {
        let r = asks(&format!("<customer><contact><name>Ada King</name></contact>{more}</customer>"));
        assert_eq!((reached(&r), r.needs_person.as_deref(), warned(&r).as_str()), (vec!["ada@example.com"], None, "[]"), "{more}");
    }
    let other = asks(
        "<customer><contact><name>Ada King</name></contact><contact><name>Bob King</name><email>bob@example.com</email></contact></customer>",
    );
    assert!(other.needs_person.as_deref().is_some_and(|why| why.contains("only another person in it has")), "{:?}", other.needs_person);
    assert!(other.person.emails.is_empty());
}

#[test]
fn names_are_taken_as_people_and_companies_have_them() {
    for (names, want) in [
        ("<name part='full' type='business'>Acme Plumbing &amp; Heating, LLC</name>", "-|-|Acme Plumbing & Heating, LLC"),
        ("<name>Acme Plumbing, Inc.</name>", "-|-|Acme Plumbing, Inc."),
        ("<name part='full'>Martin King, Jr.</name>", "Martin|-|King Jr."),
        ("<name part='full'>Dr. María José García López Jr.</name>", "María|José García|López Jr."),
        ("<name part='full'>Sam Carter</name><name part='first'>Sam</name>", "Sam|-|Carter"),
        ("<name part='full'>Mary Ann Carter</name><name part='first'>Mary Ann</name>", "Mary Ann|-|Carter"),
        ("<name part='full'>Sam Carter</name><name part='last'>Carter</name>", "Sam|-|Carter"),
        ("<name part='given'>Sam</name><name part='surname'>Carter</name>", "Sam|-|Carter"),
        (
            "<name part='first'>Sam</name><name part='middle'>J</name><name part='last'>Carter</name><name part='suffix'>Sr.</name>",
            "Sam|J|Carter Sr.",
        ),
        ("<name part='full' type='business'>Acme</name><name part='first'>Sam</name><name part='last'>Carter</name>", "Sam|-|Carter"),
    ] {
        let r = asks(&format!("<customer><contact>{names}<phone>512 555 0150</phone></contact></customer>"));
        assert_eq!(name(&r), want, "{names}");
    }
}

#[test]
fn moments_without_an_offset_are_the_stores() {
    let r = asks(
        "<requestdate>2026-11-20 10:00 AM</requestdate><customer><contact><phone>512 555 0150</phone></contact><timeframe>\
         <description>soon</description><earliestdate>2026-12-01</earliestdate><latestdate>12/31/2026</latestdate></timeframe></customer>",
    );
    assert_eq!(r.requested_at, "2026-11-20T16:00:00Z".parse().ok());
    assert_eq!((&r.summary["earliest"], &r.summary["latest"]), (&json!("2026-12-01T06:00:00Z"), &json!("2027-01-01T05:59:59Z")));
    assert_eq!(warned(&r), "[]");
    let lost = asks("<requestdate>one</requestdate><customer><timeframe><earliestdate>soon</earliestdate></timeframe></customer>");
    assert!(warned(&lost).contains("requestdate names no moment") && warned(&lost).contains("earliestdate names no moment"));
}
