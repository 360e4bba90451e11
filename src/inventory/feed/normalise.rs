//! What feeds write, turned into what we mean. Every function is total: known, nothing, or not understood.

use rust_decimal::Decimal;

use crate::inventory::fuel_economy::plain;
use crate::inventory::model::{BodyStyle, ColorFamily, Drivetrain, FuelType, Transmission, VehicleCondition, VehicleStatus};
use crate::kernel::money::{Cents, Currency};

/// A value that was there and made no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Senseless;

/// Whether a text stands for nothing: empty, dashes (also when mangled by a wrong decoding), `N/A`, `null` …
pub fn is_nothing(text: &str) -> bool {
    let t = text.trim();
    t.chars().all(|c| matches!(c, '-' | '–' | '—' | '_' | '.' | '?' | ' '))
        || matches!(t, "â€”" | "â€“" | "\\N" | "#N/A" | "#REF!" | "#VALUE!")
        || matches!(
            t.to_ascii_lowercase().as_str(),
            "n/a"
                | "na"
                | "nan"
                | "null"
                | "none"
                | "nil"
                | "unknown"
                | "unspecified"
                | "not specified"
                | "tbd"
                | "tba"
                | "no_color"
                | "color:"
                | "undefined"
        )
}

/// A price: `"$28,500 "`, `48900.00 CAD`, `US$ 28 500`, `28.500,00 €`. None when it is not told (empty, zero, "Not Priced",
/// "call"). More than two decimals are rounded half up.
pub fn price(text: &str) -> Result<Option<(Cents, Option<Currency>)>, Senseless> {
    let t = text.trim();
    if is_nothing(t) {
        return Ok(None);
    }
    let lower = t.to_ascii_lowercase();
    if !t.chars().any(|c| c.is_ascii_digit()) {
        let told = [
            "not priced",
            "call",
            "contact",
            "ask",
            "request",
            "inquire",
            "enquire",
            "email",
            "market",
            "dealer",
            "see ",
            "no price",
            "sold",
            "best offer",
            "tbd",
            "poa",
        ];
        return if told.iter().any(|w| lower.contains(w)) { Ok(None) } else { Err(Senseless) };
    }
    let letters: String = t.chars().filter(|c| c.is_alphabetic()).collect::<String>().to_uppercase();
    let currency = match (letters.as_str(), t.contains('€'), t.contains('£')) {
        ("" | "US" | "USD", false, false) => (!letters.is_empty()).then_some(Currency::USD),
        ("C" | "CA" | "CAD" | "CDN", false, false) => Some(Currency::CAD),
        ("" | "EUR", true, false) | ("EUR", false, false) => "EUR".parse().ok(),
        ("" | "GBP", false, true) | ("GBP", false, false) => "GBP".parse().ok(),
        ("MXN", false, false) => "MXN".parse().ok(),
        _ => return Err(Senseless),
    };
    let digits: String = t.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-')).collect();
    let amount = decimal(&digits).ok_or(Senseless)?;
    let cents = Cents::round_half_up(amount).filter(|c| c.0 >= 0 && *c <= Cents::LIMIT).ok_or(Senseless)?;
    Ok((cents > Cents::ZERO).then_some((cents, currency)))
}

/// Reads digits with `.` and `,` in either role. The last separator is the decimal one when one or two digits follow it, or
/// when both kinds occur; otherwise it separates thousands.
fn decimal(digits: &str) -> Option<Decimal> {
    let (last_dot, last_comma) = (digits.rfind('.'), digits.rfind(','));
    let point = match (last_dot, last_comma) {
        (Some(dot), Some(comma)) => Some(dot.max(comma)),
        (Some(at), None) | (None, Some(at)) => {
            let mark = if last_dot.is_some() { '.' } else { ',' };
            let after = digits.len().saturating_sub(at).saturating_sub(1);
            let single = digits.matches(mark).count() == 1;
            // "28.500" is twenty-eight thousand; "28500.000" is a number with three decimals.
            let groups = after == 3 && (mark == ',' || at <= 3);
            (single && !groups).then_some(at)
        }
        (None, None) => None,
    };
    let plain: String = digits
        .char_indices()
        .filter_map(|(at, c)| match c {
            '.' | ',' => (Some(at) == point).then_some('.'),
            c => Some(c),
        })
        .collect();
    if plain.len() > 20 { None } else { Decimal::from_str_exact(plain.trim_end_matches('.')).ok() }
}

/// A whole number: `2014`, `2014.0`, `1,234`. None when nothing is there.
pub fn whole(text: &str) -> Result<Option<i64>, Senseless> {
    let t = text.trim().trim_end_matches('+');
    if is_nothing(t) {
        return Ok(None);
    }
    let t = t.strip_suffix(".0").or_else(|| t.strip_suffix(".00")).unwrap_or(t);
    let t: String = t.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '\'')).collect();
    t.parse().map(Some).map_err(|_| Senseless)
}

/// What an odometer shows, in miles: `45,120`, `45120 mi`, `7560 km`. `km` says that plain numbers are kilometres.
/// None when nothing is there or it is a stand-in (999999).
pub fn odometer(text: &str, km: bool) -> Result<Option<i32>, Senseless> {
    let t = text.trim();
    if is_nothing(t) {
        return Ok(None);
    }
    let lower = t.to_ascii_lowercase();
    let unit: String = lower.chars().filter(char::is_ascii_alphabetic).collect();
    let (km, thousands) = match unit.as_str() {
        "" => (km, false),
        "mi" | "mile" | "miles" | "m" => (false, false),
        "km" | "kms" | "kilometers" | "kilometres" | "kilometer" | "kilometre" => (true, false),
        "k" | "kmi" => (km, true),
        "newcar" | "new" => return Ok(None),
        _ => return Err(Senseless),
    };
    let digits: String = t.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-')).collect();
    let mut amount = decimal(&digits).ok_or(Senseless)?;
    if thousands {
        amount = amount.checked_mul(Decimal::ONE_THOUSAND).ok_or(Senseless)?;
    }
    if amount == Decimal::from(999_999) || amount == Decimal::from(9_999_999) {
        return Ok(None);
    }
    if km {
        // One international mile is 1.609344 km.
        amount = amount.checked_div(Decimal::new(1_609_344, 6)).ok_or(Senseless)?;
    }
    let miles = i32::try_from(rust_decimal::prelude::ToPrimitive::to_i64(&amount.round()).ok_or(Senseless)?).map_err(|_| Senseless)?;
    if (0..=2_000_000).contains(&miles) { Ok(Some(miles)) } else { Err(Senseless) }
}

/// New, used or certified. None for grades ("31", "good") and anything else.
pub fn condition(text: &str) -> Option<VehicleCondition> {
    let t = text.trim().to_ascii_lowercase();
    Some(match t.as_str() {
        _ if t.contains("certified") && !t.contains("not certified") => VehicleCondition::Certified,
        "cpo" | "c" => VehicleCondition::Certified,
        "new" | "n" | "brand new" | "new vehicle" | "new car" | "demo" => VehicleCondition::New,
        "used" | "u" | "pre-owned" | "preowned" | "pre owned" | "second hand" | "used vehicle" | "used car" => VehicleCondition::Used,
        _ => return None,
    })
}

/// Yes or no.
pub fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" | "1" | "t" | "x" | "certified" => Some(true),
        "n" | "no" | "false" | "0" | "f" => Some(false),
        _ => None,
    }
}

/// Where a vehicle stands, in a feed's words.
pub fn status(text: &str) -> Option<VehicleStatus> {
    let t = plain(text);
    Some(match t.as_str() {
        "available" | "instock" | "onlot" | "onground" | "active" | "forsale" | "live" | "frontline" | "ready" => VehicleStatus::Available,
        "intransit" | "transit" | "comingsoon" | "incoming" | "onorder" => VehicleStatus::InTransit,
        "ordered" | "preorder" | "allocated" | "build" | "inproduction" => VehicleStatus::Ordered,
        "recon" | "inrecon" | "reconditioning" | "service" | "inservice" | "inspection" => VehicleStatus::InRecon,
        "sold" | "outofstock" | "delivered" | "retailed" => VehicleStatus::Sold,
        "wholesale" | "wholesaled" | "auction" => VehicleStatus::Wholesale,
        "pending" | "pendingsale" | "salepending" | "saleinprogress" => VehicleStatus::PendingSale,
        "onhold" | "hold" | "reserved" | "deposit" => VehicleStatus::OnHold,
        _ => return None,
    })
}

/// The shape of the body.
pub fn body(text: &str) -> Option<BodyStyle> {
    let t = text.trim().to_ascii_lowercase();
    if is_nothing(&t) {
        return None;
    }
    let any = |words: &[&str]| words.iter().any(|w| t.contains(w));
    Some(match () {
        () if any(&["cabriolet", "convertible", "roadster", "spyder", "spider"]) => BodyStyle::Convertible,
        () if any(&["cab", "crew", "pickup", "pick-up", "truck", "supercrew", "crewmax"]) || t == "pk" => BodyStyle::Pickup,
        () if any(&["suv", "sport utility", "sports utility", "crossover", "mpv", "cuv", "utility"]) => BodyStyle::Suv,
        () if any(&["sedan", "saloon"]) => BodyStyle::Sedan,
        () if any(&["wagon", "estate"]) => BodyStyle::Wagon,
        () if any(&["hatch", "liftback"]) => BodyStyle::Hatchback,
        () if any(&["coupe", "coupé", "koup"]) => BodyStyle::Coupe,
        () if any(&["van"]) => BodyStyle::Van,
        () if any(&["motorcycle", "scooter", "moped"]) => BodyStyle::Motorcycle,
        () if any(&["other", "bus", "chassis", "cutaway", "motorhome"]) => BodyStyle::Other,
        () => return None,
    })
}

/// Which wheels are driven.
pub fn drivetrain(text: &str) -> Option<Drivetrain> {
    let t = plain(text);
    let any = |words: &[&str]| words.iter().any(|w| t.contains(w));
    Some(match () {
        () if any(&["awd", "allwheel", "xdrive", "4matic", "quattro", "4motion"]) => Drivetrain::Awd,
        () if any(&["4wd", "4x4", "fourwheel", "4wheel"]) => Drivetrain::FourWd,
        () if any(&["fwd", "frontwheel"]) => Drivetrain::Fwd,
        () if any(&["rwd", "rearwheel"]) => Drivetrain::Rwd,
        () => return None,
    })
}

/// What it runs on. A mild hybrid runs on gasoline.
pub fn fuel(text: &str) -> Option<FuelType> {
    let t = text.trim().to_ascii_lowercase();
    if is_nothing(&t) {
        return None;
    }
    let any = |words: &[&str]| words.iter().any(|w| t.contains(w));
    Some(match () {
        () if any(&["mild"]) => FuelType::Gasoline,
        () if any(&["plug", "phev"]) => FuelType::PlugInHybrid,
        () if any(&["hybrid", "hev"]) => FuelType::Hybrid,
        () if any(&["flex", "e85", "ffv", "ethanol"]) => FuelType::FlexFuel,
        () if any(&["hydrogen", "fuel cell"]) => FuelType::Hydrogen,
        () if any(&["electric", "battery"]) || matches!(t.as_str(), "ev" | "bev") => FuelType::Electric,
        () if any(&["diesel", "tdi"]) => FuelType::Diesel,
        () if any(&["natural gas", "cng", "lng"]) => FuelType::NaturalGas,
        () if any(&["gas", "petrol", "unleaded", "premium", "regular"]) || t == "g" => FuelType::Gasoline,
        () if any(&["other", "propane", "lpg"]) => FuelType::Other,
        () => return None,
    })
}

/// How gears are changed.
pub fn transmission(text: &str) -> Option<Transmission> {
    let t = text.trim().to_ascii_lowercase();
    if is_nothing(&t) {
        return None;
    }
    let any = |words: &[&str]| words.iter().any(|w| t.contains(w));
    Some(match () {
        () if any(&["cvt", "variable", "ivt", "e-cvt"]) => Transmission::Cvt,
        () if any(&["automatic", "auto", "a/t", "tronic", "pdk", "dct", "dsg", "dual clutch", "dual shift", "shiftable"])
            || t == "a"
            || t == "at" =>
        {
            Transmission::Automatic
        }
        () if any(&["manual", "m/t", "stick"]) || t == "m" || t == "mt" => Transmission::Manual,
        () if t == "other" => Transmission::Other,
        () => return None,
    })
}

/// The number in "6 cylinders", "V6", "4Cyl", "3.5L V6 24V", "Intercooled Turbo I-4": digits only where they mean cylinders.
pub fn cylinders(text: &str) -> Option<i32> {
    let t = text.trim().to_ascii_lowercase();
    if let Ok(Some(n)) = whole(&t) {
        return i32::try_from(n).ok().filter(|n| (1..=16).contains(n));
    }
    let words: Vec<&str> = t.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let in_range = |n: i32| (1..=16).contains(&n).then_some(n);
    for (at, word) in words.iter().enumerate() {
        let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
        let rest = word.get(digits.len()..).unwrap_or("");
        let next = words.get(at.saturating_add(1)).copied().unwrap_or("");
        if !digits.is_empty() && (rest.starts_with("cyl") || rest.is_empty() && next.starts_with("cyl")) {
            return digits.parse().ok().and_then(in_range);
        }
        let layout = word.strip_prefix(['v', 'i', 'h', 'l', 'w']).and_then(|n| n.parse().ok()).and_then(in_range);
        if layout.is_some_and(|n| n >= 3) {
            return layout;
        }
        if matches!(*word, "v" | "i")
            && next.len() <= 2
            && let Some(n) = next.parse().ok().and_then(in_range).filter(|n| *n >= 3)
        {
            return Some(n);
        }
    }
    None
}

/// The colour a customer would say. The last plain colour word decides ("Black Sapphire Metallic" is black), else the last
/// word that names a colour poetically ("Blizzard Pearl" is white).
pub fn color_family(text: &str) -> Option<ColorFamily> {
    let t = text.trim().to_lowercase();
    if is_nothing(&t) {
        return None;
    }
    let words: Vec<&str> = t.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let plain_word = |word: &&str| if *word == "grey" { Some(ColorFamily::Gray) } else { word.to_uppercase().parse().ok() };
    let known = |family: &ColorFamily| *family != ColorFamily::Other;
    words.iter().rev().filter_map(plain_word).find(known).or_else(|| words.iter().rev().find_map(|w| color_word(w)))
}

fn color_word(word: &str) -> Option<ColorFamily> {
    Some(match word {
        "black" | "ebony" | "onyx" | "obsidian" | "noir" | "blk" | "caviar" | "tuxedo" | "nero" => ColorFamily::Black,
        "white" | "ivory" | "blizzard" | "starfire" | "snow" | "wht" | "alabaster" | "blanc" | "bianco" | "chalk" | "frost" | "wind" => {
            ColorFamily::White
        }
        "silver" | "platinum" | "slv" | "ingot" | "argento" | "quicksilver" | "aluminum" => ColorFamily::Silver,
        "gray" | "grey" | "charcoal" | "graphite" | "gunmetal" | "gun" | "magnetic" | "magnetite" | "granite" | "steel" | "slate"
        | "gry" | "titanium" | "carbon" | "pewter" | "anthracite" | "cement" | "cavalry" | "shadow" | "smoke" | "tungsten" | "nardo"
        | "stone" => ColorFamily::Gray,
        "red" | "maroon" | "burgundy" | "ruby" | "crimson" | "scarlet" | "cherry" | "garnet" | "cayenne" | "rosso" | "merlot" | "wine"
        | "pink" | "flame" | "redline" => ColorFamily::Red,
        "blue" | "navy" | "turquoise" | "teal" | "azure" | "sapphire" | "cobalt" | "aqua" | "indigo" | "cyan" | "blu" | "denim" => {
            ColorFamily::Blue
        }
        "green" | "olive" | "lime" | "emerald" | "jade" | "forest" | "army" | "grn" | "sage" | "verde" => ColorFamily::Green,
        "brown" | "bronze" | "mocha" | "espresso" | "chestnut" | "cocoa" | "java" | "coffee" | "walnut" | "mahogany" => ColorFamily::Brown,
        "beige" | "tan" | "sand" | "champagne" | "cream" | "khaki" | "sandstone" | "cashmere" | "linen" | "pebble" | "quicksand" => {
            ColorFamily::Beige
        }
        "gold" => ColorFamily::Gold,
        "yellow" => ColorFamily::Yellow,
        "orange" | "copper" | "tangerine" => ColorFamily::Orange,
        "purple" | "plum" | "violet" | "amethyst" | "lavender" => ColorFamily::Purple,
        _ => return None,
    })
}

/// Addresses of photos: separated by `|`, `;`, spaces, or a comma before `http`. Only http and https, at most 60.
pub fn photos(text: &str) -> Vec<String> {
    text.split(|c: char| matches!(c, '|' | ';') || c.is_whitespace())
        .flat_map(split_at_addresses)
        .map(|url| url.trim_matches([',', '"', '\'', '[', ']']))
        .filter(|url| (url.starts_with("https://") || url.starts_with("http://")) && url.len() <= 2000)
        .filter(|url| !url.chars().any(|c| c.is_control() || matches!(c, '<' | '>' | '"')))
        .take(60)
        .map(str::to_owned)
        .collect()
}

fn split_at_addresses(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text.match_indices(",http").map(|(at, _)| at).collect();
    starts.push(text.len());
    let mut from = 0;
    starts
        .into_iter()
        .filter_map(|end| {
            let part = text.get(from..end);
            from = end.saturating_add(1);
            part
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_come_in_many_spellings() {
        let usd = |text: &str| price(text).map(|p| p.map(|(c, _)| c.0));
        for (text, cents) in [
            ("$28,500 ", 2_850_000),
            ("28500", 2_850_000),
            ("48900.00 CAD", 4_890_000),
            ("USD 28500.5", 2_850_050),
            ("US$ 28 500", 2_850_000),
            ("28.500,00 €", 2_850_000),
            ("28.500", 2_850_000),
            ("1,234,567", 123_456_700),
            ("28500.000", 2_850_000),
            ("500", 50_000),
            ("$1,234.56", 123_456),
        ] {
            assert_eq!(usd(text), Ok(Some(cents)), "{text}");
        }
        for text in ["", "0", "0.00", "Not Priced", "Call for price", "—", "â€”", "N/A", "$0"] {
            assert_eq!(usd(text), Ok(None), "{text}");
        }
        for text in ["abc", "-5000", "12,34,5.6.7x", "1e9", "999999999999", "28500 apples", "1-2"] {
            assert_eq!(usd(text), Err(Senseless), "{text}");
        }
        assert_eq!(price("48900.00 CAD").unwrap().unwrap().1, Some(Currency::CAD));
    }

    #[test]
    fn odometers_become_miles() {
        for (text, km, miles) in [
            ("7560 km", false, Some(4698)),
            ("45,120", false, Some(45_120)),
            ("45120 mi", true, Some(45_120)),
            ("100000", true, Some(62_137)),
            ("39590.0", false, Some(39_590)),
            ("999999", false, None),
            ("12k", false, Some(12_000)),
            ("", false, None),
            ("0", false, Some(0)),
        ] {
            assert_eq!(odometer(text, km), Ok(miles), "{text}");
        }
        for text in ["-5", "lots", "2,000,001", "12 furlongs"] {
            assert_eq!(odometer(text, false), Err(Senseless), "{text}");
        }
    }

    #[test]
    fn words_of_the_trade_are_understood() {
        assert_eq!(condition("Honda Certified"), Some(VehicleCondition::Certified));
        assert_eq!((condition("31"), condition("2 days left"), condition("NEW")), (None, None, Some(VehicleCondition::New)));
        for (text, want) in [
            ("SuperCrew", BodyStyle::Pickup),
            ("G Sedan", BodyStyle::Sedan),
            ("G37 Convertible", BodyStyle::Convertible),
            ("Koup", BodyStyle::Coupe),
            ("E-Series Van", BodyStyle::Van),
            ("CTS Wagon", BodyStyle::Wagon),
            ("mini-van", BodyStyle::Van),
            ("Sport Utility", BodyStyle::Suv),
            ("regular-cab", BodyStyle::Pickup),
        ] {
            assert_eq!(body(text), Some(want), "{text}");
        }
        assert_eq!(drivetrain("AllWheelDriveConfiguration"), Some(Drivetrain::Awd));
        assert_eq!(drivetrain("Four-wheel Drive"), Some(Drivetrain::FourWd));
        assert_eq!(fuel("Gasoline / Electric Hybrid"), Some(FuelType::Hybrid));
        assert_eq!(fuel("Gasoline/Mild Electric Hybrid"), Some(FuelType::Gasoline));
        assert_eq!(fuel("E85 Flex Fuel"), Some(FuelType::FlexFuel));
        assert_eq!(transmission("8-SPEED A/T"), Some(Transmission::Automatic));
        assert_eq!(transmission("xtronic continuously variable (cvt)"), Some(Transmission::Cvt));
        assert_eq!(transmission("6-Speed M/T"), Some(Transmission::Manual));
    }

    #[test]
    fn cylinders_are_read_where_they_are_meant() {
        for (text, want) in [
            ("6 cylinders", Some(6)),
            ("4Cyl", Some(4)),
            ("3.5L V6 24V GDI DOHC", Some(6)),
            ("1.5L I4 16V GDI DOHC Turbo", Some(4)),
            ("Intercooled Turbo Gas I-4 2.0 L/122", Some(4)),
            ("8", Some(8)),
            ("Electric", None),
            ("2.0L", None),
        ] {
            assert_eq!(cylinders(text), want, "{text}");
        }
    }

    #[test]
    fn colours_fall_into_families() {
        for (text, want) in [
            ("Midnight Black Metallic", Some(ColorFamily::Black)),
            ("Modern Steel Metallic", Some(ColorFamily::Gray)),
            ("Blizzard Pearl", Some(ColorFamily::White)),
            ("Black Sapphire Metallic", Some(ColorFamily::Black)),
            ("off-white", Some(ColorFamily::White)),
            ("–", None),
            ("Eminent", None),
        ] {
            assert_eq!(color_family(text), want, "{text}");
        }
    }

    #[test]
    fn photo_lists_are_split_and_cleaned() {
        assert_eq!(photos("https://a/1,2.jpg,https://a/3.jpg|http://b/4.png"), ["https://a/1,2.jpg", "https://a/3.jpg", "http://b/4.png"]);
        assert!(photos("javascript:alert(1) ftp://x data:image/png;base64,AAA").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_panic(text in "\\PC{0,60}") {
            let _ = (price(&text), odometer(&text, true), whole(&text), condition(&text), body(&text), cylinders(&text));
            let _ = (drivetrain(&text), fuel(&text), transmission(&text), color_family(&text), photos(&text), status(&text));
        }
    }
}
