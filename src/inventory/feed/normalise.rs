//! What feeds write, turned into what we mean. Every function is total: known, nothing, or not understood.

use rust_decimal::Decimal;

use crate::inventory::fuel_economy::plain;
use crate::inventory::model::{BodyStyle, ColorFamily, Drivetrain, FuelType, Transmission, VehicleStatus};
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
        // "Call (555) 123-4567 for price"
        _ if ["call", "contact", "request", "inquire", "enquire"].iter().any(|w| lower.contains(w)) => return Ok(None),
        _ => return Err(Senseless),
    };
    let t = t.trim_end_matches(['-', '–', '*', '+', ' ']).trim_end_matches(['.', ',']);
    let digits: String = t.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-')).collect();
    let amount = decimal(&digits).ok_or(Senseless)?;
    let cents = Cents::round_half_up(amount).filter(|c| c.0 >= 0 && *c <= Cents::LIMIT).ok_or(Senseless)?;
    Ok((cents > Cents::ZERO).then_some((cents, currency)))
}

/// Reads digits with `.` and `,` in either role. The last separator is the decimal one when one or two digits follow it, or
/// when both kinds occur; otherwise it separates thousands. Thousands come in threes: `1,2345` is no number.
fn decimal(digits: &str) -> Option<Decimal> {
    let (last_dot, last_comma) = (digits.rfind('.'), digits.rfind(','));
    let point = match (last_dot, last_comma) {
        (Some(dot), Some(comma)) => Some(dot.max(comma)),
        (Some(at), None) | (None, Some(at)) => {
            let mark = if last_dot.is_some() { '.' } else { ',' };
            let after = digits.get(at.saturating_add(1)..).unwrap_or("");
            let single = digits.matches(mark).count() == 1;
            // "28.500" is twenty-eight thousand; "28500.000" is a number with three decimals, as programs write it.
            let decimals = match (mark, after.len()) {
                (_, 0..=2) => true,
                (',', _) => false,
                (_, 3) => at > 3,
                _ => at > 3 || after.bytes().all(|b| b == b'0'),
            };
            (single && decimals).then_some(at)
        }
        (None, None) => None,
    };
    let (whole, part) = point.map_or((digits, ""), |at| (digits.get(..at).unwrap_or(""), digits.get(at.saturating_add(1)..).unwrap_or("")));
    let mut groups = whole.split(['.', ',']);
    let first = groups.next()?.trim_start_matches('-').len();
    let grouped = whole.contains(['.', ',']);
    if grouped && (!(1..=3).contains(&first) || groups.any(|group| group.len() != 3)) {
        return None;
    }
    let plain = format!("{}.{part}", whole.replace(['.', ','], ""));
    if plain.len() > 21 { None } else { Decimal::from_str_exact(plain.trim_end_matches('.')).ok() }
}

/// Whether digits are parted in groups that are no thousands, so that nobody knows the number: `1,2345`.
pub fn is_misgrouped(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).collect();
    digits.contains(['.', ',']) && digits.len() <= 20 && digits.contains(|c: char| c.is_ascii_digit()) && decimal(&digits).is_none()
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

/// A number with its noun: `4 doors`, `4dr`, `5 passengers`, `28 mpg`. Not a range, and no part of one.
pub fn count(text: &str) -> Option<i32> {
    let t = text.trim();
    if let Ok(Some(n)) = whole(t) {
        return i32::try_from(n).ok();
    }
    let end = t.find(|c: char| !c.is_ascii_digit())?;
    let (digits, noun) = t.split_at_checked(end)?;
    let noun = noun.trim_start_matches([' ', '-']);
    (noun.starts_with(char::is_alphabetic) && !noun.contains(|c: char| c.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Whether a unit is kilometres; `SMI` and `KMT` are the codes of trade. None when it is not understood.
pub fn is_kilometres(unit: &str) -> Option<bool> {
    let unit = plain(unit);
    match unit.as_str() {
        "mi" | "mile" | "miles" | "m" | "smi" | "statutemile" | "statutemiles" => Some(false),
        "km" | "kms" | "k" | "kmt" | "kilometer" | "kilometers" | "kilometre" | "kilometres" => Some(true),
        _ => None,
    }
}

/// A currency: `USD`, `cad`, `US Dollars`, `CA$`. None when it is not understood.
pub fn currency(text: &str) -> Option<Currency> {
    let t = text.trim().to_ascii_uppercase();
    match t.as_str() {
        "$" | "US$" | "U.S. DOLLAR" | "US DOLLAR" | "US DOLLARS" | "DOLLARS" | "US" => Some(Currency::USD),
        "C$" | "CA$" | "CDN" | "CAN$" | "CDN$" | "CANADIAN DOLLAR" | "CANADIAN DOLLARS" | "CA" => Some(Currency::CAD),
        "€" | "EURO" | "EUROS" => "EUR".parse().ok(),
        "£" => "GBP".parse().ok(),
        _ => t.parse().ok(),
    }
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
        "mi" | "mile" | "miles" | "m" | "smi" => (false, false),
        "km" | "kms" | "kilometers" | "kilometres" | "kilometer" | "kilometre" | "kmt" => (true, false),
        "k" | "kmi" => (km, true),
        // The title says that nobody knows.
        "newcar" | "new" | "exempt" | "tmu" | "truemileageunknown" | "notactual" | "notactualmileage" | "exceedslimits" => return Ok(None),
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
    // "https://schema.org/InStock"
    let last = if text.contains("://") { text.trim_end_matches('/').rsplit('/').next().unwrap_or(text) } else { text };
    let t = plain(last);
    Some(match t.as_str() {
        "available"
        | "instock"
        | "onlot"
        | "onground"
        | "active"
        | "forsale"
        | "live"
        | "frontline"
        | "ready"
        | "instoreonly"
        | "limitedavailability"
        | "new"
        | "used"
        | "retail"
        | "frontlineready"
        | "availableforsale"
        | "published"
        | "onsale" => VehicleStatus::Available,
        "intransit" | "transit" | "comingsoon" | "incoming" | "onorder" => VehicleStatus::InTransit,
        "ordered" | "preorder" | "allocated" | "build" | "inproduction" => VehicleStatus::Ordered,
        "recon" | "inrecon" | "reconditioning" | "service" | "inservice" | "inspection" => VehicleStatus::InRecon,
        "sold" | "outofstock" | "soldout" | "delivered" | "retailed" | "notinstock" | "discontinued" => VehicleStatus::Sold,
        "wholesale" | "wholesaled" | "auction" => VehicleStatus::Wholesale,
        "pending" | "pendingsale" | "salepending" | "saleinprogress" | "dealpending" => VehicleStatus::PendingSale,
        "onhold" | "hold" | "held" | "reserved" | "deposit" | "deposittaken" => VehicleStatus::OnHold,
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

/// Whether a body is only "4dr Car", which says nothing about its shape.
pub fn is_any_body(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    words.all(|w| {
        let w = w.trim_start_matches(|c: char| c.is_ascii_digit());
        matches!(w, "" | "d" | "dr" | "door" | "doors" | "car" | "cars" | "vehicle" | "passenger" | "auto" | "automobile")
    })
}

/// Which wheels are driven.
pub fn drivetrain(text: &str) -> Option<Drivetrain> {
    let t = plain(text);
    let any = |words: &[&str]| words.iter().any(|w| t.contains(w));
    Some(match () {
        () if any(&["awd", "allwheel", "xdrive", "4matic", "quattro", "4motion"]) => Drivetrain::Awd,
        () if any(&["4wd", "4x4", "fourwheel", "4wheel"]) => Drivetrain::FourWd,
        () if any(&["fwd", "front"]) => Drivetrain::Fwd,
        () if any(&["rwd", "rear"]) => Drivetrain::Rwd,
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
        () if any(&["hybrid", "hev"]) || (any(&["gas", "petrol"]) && any(&["electric"])) => FuelType::Hybrid,
        () if any(&["flex", "e85", "ffv", "ethanol"]) => FuelType::FlexFuel,
        () if any(&["hydrogen", "fuel cell"]) => FuelType::Hydrogen,
        () if any(&["electric", "battery"]) || matches!(t.as_str(), "ev" | "bev" | "e") => FuelType::Electric,
        () if any(&["diesel", "tdi"]) || t == "d" => FuelType::Diesel,
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
    // "6A", "M6", "8-Speed AT"
    let speedless: String = t.replace("speed", "").replace("spd", "").chars().filter(char::is_ascii_alphabetic).collect();
    Some(match () {
        () if any(&["cvt", "variable", "ivt", "e-cvt"]) => Transmission::Cvt,
        () if any(&["automatic", "auto", "a/t", "tronic", "pdk", "dct", "dsg", "dual clutch", "dual shift", "shiftable"])
            || any(&["direct drive", "single speed", "single-speed", "1-speed"])
            || matches!(speedless.as_str(), "a" | "at") =>
        {
            Transmission::Automatic
        }
        () if any(&["manual", "m/t", "stick"]) || matches!(speedless.as_str(), "m" | "mt") => Transmission::Manual,
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
            ("28500.0000", 2_850_000),
            ("500.0000", 50_000),
            ("23,499.-", 2_349_900),
            ("$23,499*", 2_349_900),
            ("1.234.567,5", 123_456_750),
        ] {
            assert_eq!(usd(text), Ok(Some(cents)), "{text}");
        }
        for text in ["", "0", "0.00", "Not Priced", "Call for price", "Call (555) 123-4567", "—", "â€”", "N/A", "$0"] {
            assert_eq!(usd(text), Ok(None), "{text}");
        }
        for text in [
            "abc",
            "-5000",
            "12,34,5.6.7x",
            "1e9",
            "999999999999",
            "28500 apples",
            "1-2",
            "1,2345",
            "1,23,456",
            "28500,000",
            "1.2345",
            ",500",
            "1,234,56.7",
        ] {
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
        for text in ["-5", "lots", "2,000,001", "12 furlongs", "1,2345"] {
            assert_eq!(odometer(text, false), Err(Senseless), "{text}");
        }
    }

    #[test]
    fn words_of_the_trade_are_understood() {
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
        assert!(is_any_body("4dr Car") && !is_any_body("4dr Sedan"));
        assert_eq!(drivetrain("AllWheelDriveConfiguration"), Some(Drivetrain::Awd));
        assert_eq!(drivetrain("Four-wheel Drive"), Some(Drivetrain::FourWd));
        assert_eq!(fuel("Gasoline / Electric Hybrid"), Some(FuelType::Hybrid));
        assert_eq!(fuel("Gasoline/Mild Electric Hybrid"), Some(FuelType::Gasoline));
        assert_eq!(fuel("E85 Flex Fuel"), Some(FuelType::FlexFuel));
        assert_eq!(transmission("8-SPEED A/T"), Some(Transmission::Automatic));
        assert_eq!(transmission("xtronic continuously variable (cvt)"), Some(Transmission::Cvt));
        assert_eq!(transmission("6-Speed M/T"), Some(Transmission::Manual));
        assert_eq!((transmission("6M"), transmission("A8")), (Some(Transmission::Manual), Some(Transmission::Automatic)));
        assert_eq!((fuel("Gas/Electric"), fuel("Natural Gas")), (Some(FuelType::Hybrid), Some(FuelType::NaturalGas)));
        assert_eq!((drivetrain("Front"), drivetrain("2WD")), (Some(Drivetrain::Fwd), None));
        assert_eq!((status("https://schema.org/InStock"), status("SoldOut")), (Some(VehicleStatus::Available), Some(VehicleStatus::Sold)));
        assert_eq!((status("Not Available"), status("unavailable")), (None, None));
    }

    #[test]
    fn numbers_may_bring_their_noun() {
        for (text, want) in
            [("4", Some(4)), ("4 doors", Some(4)), ("4dr", Some(4)), ("28 MPG", Some(28)), ("22-25", None), ("8.9", None), ("two", None)]
        {
            assert_eq!(count(text), want, "{text}");
        }
        for (text, want) in [("KM", Some(true)), ("kmt", Some(true)), ("Miles", Some(false)), ("SMI", Some(false)), ("hours", None)] {
            assert_eq!(is_kilometres(text), want, "{text}");
        }
        assert_eq!((currency("cad"), currency("C$"), currency("dollars?")), (Some(Currency::CAD), Some(Currency::CAD), None));
        assert!(is_misgrouped("1,2345 mi") && !is_misgrouped("lots") && !is_misgrouped("12,345"));
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

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_panic(text in "\\PC{0,60}") {
            let _ = (price(&text), odometer(&text, true), whole(&text), body(&text), cylinders(&text));
            let _ = (drivetrain(&text), fuel(&text), transmission(&text), color_family(&text), status(&text));
        }
    }
}
