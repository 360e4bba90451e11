//! Make, model and trim: one spelling, and what the VIN says about them.

use super::layout::Field;
use crate::inventory::fuel_economy::{self, plain};
use crate::inventory::model::{BodyStyle, Drivetrain, FuelType};
use crate::inventory::vpic::Decoded;

/// Make, model, trim, and where feed and VIN disagree (attribute, feed, VIN).
pub type Name = (String, String, Option<String>, Vec<(&'static str, String, String)>);

/// Spellings of makes that feeds use, plain, and the trade's own.
const MAKES: &[(&str, &str)] = &[
    ("chevy", "Chevrolet"),
    ("chev", "Chevrolet"),
    ("mercedes", "Mercedes-Benz"),
    ("mercedesbenz", "Mercedes-Benz"),
    ("benz", "Mercedes-Benz"),
    ("vw", "Volkswagen"),
    ("land", "Land Rover"),
    ("landrover", "Land Rover"),
    ("rangerover", "Land Rover"),
    ("alfa", "Alfa Romeo"),
    ("alfaromeo", "Alfa Romeo"),
    ("aston", "Aston Martin"),
    ("rolls", "Rolls-Royce"),
    ("rollsroyce", "Rolls-Royce"),
    ("bmw", "BMW"),
    ("gmc", "GMC"),
    ("fiat", "FIAT"),
    ("mini", "MINI"),
    ("ram", "Ram"),
    ("saab", "Saab"),
    ("infiniti", "INFINITI"),
    ("harleydavidson", "Harley-Davidson"),
    ("gmctruck", "GMC"),
    ("dodgetk", "Dodge"),
    ("fordtruck", "Ford"),
    ("chevrolettruck", "Chevrolet"),
];

/// Words that stand in a model column and are no model.
const NO_MODELS: &[&str] = &[
    "door",
    "doors",
    "d",
    "dr",
    "mpv",
    "srw",
    "drw",
    "pk",
    "pickup",
    "truck",
    "cutaway",
    "coupe",
    "sedan",
    "wagon",
    "van",
    "cab",
    "suv",
    "convertible",
    "hatchback",
    "hybrid",
    "utility",
    "other",
    "car",
    "vehicle",
    "2door",
    "4door",
    "chassis",
];

/// Puts the name together. The error is the fact that nobody tells.
pub fn name(make: Option<String>, model: Option<String>, trim: Option<String>, decoded: &Decoded) -> Result<Name, Field> {
    let mut disagreements = Vec::new();
    let make = match make {
        Some(told) => {
            let make = spell_make(&told, decoded);
            let known = decoded.makes.is_empty() || decoded.makes.iter().any(|m| same_make(m, &make));
            if let Some(of_vin) = decoded.make.or(decoded.makes.first().copied()).filter(|_| !known) {
                disagreements.push(("make", told, of_vin.to_owned()));
            }
            make
        }
        None => {
            let of_model = decoded.makes.iter().copied().find(|make| model.as_deref().is_some_and(|m| is_built_by(m, make)));
            spell_make(decoded.make.or(of_model).ok_or(Field::Make)?, decoded)
        }
    };
    let (model, trim) = match (model, decoded.model) {
        (Some(told), Some(of_vin)) if NO_MODELS.contains(&plain(&told).as_str()) && plain(&told) != plain(of_vin) => {
            disagreements.push(("model", told, of_vin.to_owned()));
            (of_vin.to_owned(), trim)
        }
        (Some(told), of_vin) => {
            if let Some(of_vin) = of_vin.filter(|m| !related(&told, m, &make)) {
                disagreements.push(("model", told.clone(), of_vin.to_owned()));
            }
            split_trim(told, trim, of_vin)
        }
        (None, Some(of_vin)) => (of_vin.to_owned(), trim),
        (None, None) => return Err(Field::Model),
    };
    Ok((make, spell(&model, decoded.model), trim, disagreements))
}

/// Compares body, fuel and drive where both sides know them. A hybrid's VIN may say gasoline; "other" says nothing.
pub fn compare_facts(
    disagreements: &mut Vec<(&'static str, String, String)>,
    (body, fuel, drive): (Option<BodyStyle>, Option<FuelType>, Option<Drivetrain>),
    decoded: &Decoded,
) {
    let mut differ = |attribute, feed: &str, vin: &str| disagreements.push((attribute, feed.to_owned(), vin.to_owned()));
    if let (Some(feed), Some(vin)) = (body, decoded.body_style)
        && feed != vin
        && ![feed, vin].contains(&BodyStyle::Other)
    {
        differ("bodyStyle", feed.as_str(), vin.as_str());
    }
    if let (Some(feed), Some(vin)) = (fuel, decoded.fuel) {
        let burns = |f| matches!(f, FuelType::Gasoline | FuelType::Hybrid | FuelType::PlugInHybrid | FuelType::FlexFuel);
        let plugs = |f| matches!(f, FuelType::Electric | FuelType::PlugInHybrid);
        let same =
            feed == vin || feed == FuelType::Other || vin == FuelType::Other || burns(feed) && burns(vin) || plugs(feed) && plugs(vin);
        if !same {
            differ("fuel", feed.as_str(), vin.as_str());
        }
    }
    if let (Some(feed), Some(vin)) = (drive, decoded.drivetrain) {
        let all = |d| matches!(d, Drivetrain::Awd | Drivetrain::FourWd);
        if feed != vin && !(all(feed) && all(vin)) {
            differ("drivetrain", feed.as_str(), vin.as_str());
        }
    }
}

fn spell_make(told: &str, decoded: &Decoded) -> String {
    let key = plain(told);
    if let Some((_, right)) = MAKES.iter().find(|(name, _)| *name == key) {
        return (*right).to_owned();
    }
    let of_vin = decoded.makes.iter().find(|m| plain(m) == key);
    of_vin.map_or_else(|| spell(told, None), |m| (*m).to_owned())
}

/// Whether the model's words begin with the make, or the EPA lists the model (or its first word) under it.
fn is_built_by(model: &str, make: &str) -> bool {
    let first = model.split(' ').next().unwrap_or("");
    plain(model).starts_with(&plain(make)) || fuel_economy::builds(make, model) || fuel_economy::builds(make, first)
}

/// Dodge trucks became Ram trucks, and Toyota's tables hold Scion.
fn same_make(a: &str, b: &str) -> bool {
    let key = |m: &str| match plain(m).as_str() {
        "ram" => "dodge".to_owned(),
        "scion" => "toyota".to_owned(),
        "genesis" => "hyundai".to_owned(),
        "maybach" => "mercedesbenz".to_owned(),
        other => other.to_owned(),
    };
    let (a, b) = (key(a), key(b));
    a == b || a.starts_with(&b) || b.starts_with(&a)
}

/// Text all in one case gets the VIN's spelling, else capitals at word starts; short or numbered words stay capital (F-150).
fn spell(text: &str, of_vin: Option<&str>) -> String {
    if let Some(vin) = of_vin.filter(|v| plain(v) == plain(text)) {
        return vin.to_owned();
    }
    let mixed = text.chars().any(char::is_lowercase) && text.chars().any(char::is_uppercase);
    if mixed || !text.chars().any(char::is_lowercase) && text.chars().count() <= 4 {
        return text.to_owned();
    }
    let word = |w: &str| {
        if w.chars().any(|c| c.is_ascii_digit()) || w.chars().count() <= 2 {
            return w.to_uppercase();
        }
        let mut chars = w.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect()).unwrap_or_default()
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// "Accord Sport SE" without a trim is the Accord, trim Sport SE, when the VIN says Accord.
fn split_trim(model: String, trim: Option<String>, of_vin: Option<&str>) -> (String, Option<String>) {
    let (None, Some(of_vin)) = (&trim, of_vin) else { return (model, trim) };
    let (Some(head), Some(rest)) = (model.get(..of_vin.len()), model.get(of_vin.len()..)) else { return (model, trim) };
    let mut next = rest.chars();
    let boundary = match (head.chars().last(), next.next()) {
        (_, Some(' ')) => true,
        // "ILX6-Speed" and "TSXSpecial" were glued together by their sender.
        (Some(before), Some(after)) if before.is_ascii_alphabetic() && after.is_ascii_digit() => true,
        (Some(_), Some(after)) => after.is_uppercase() && next.next().is_some_and(char::is_lowercase),
        _ => false,
    };
    if boundary && head.eq_ignore_ascii_case(of_vin) {
        let trim = rest.trim().to_owned();
        return (head.to_owned(), (!trim.is_empty()).then_some(trim));
    }
    (model, trim)
}

/// Whether two names can mean one model: "3 Series" and "328i", "GLE 350" and "GLE-Class", "Silverado 1500" and "Silverado".
fn related(feed: &str, vin: &str, make: &str) -> bool {
    let strip = |name: &str| {
        let words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).filter(|w| {
            !w.is_empty()
                && !matches!(
                    w.as_str(),
                    "class" | "series" | "sedan" | "coupe" | "convertible" | "wagon" | "van" | "hatchback" | "new" | "gran" | "turismo"
                )
        });
        let joined: String = words.collect();
        joined.strip_prefix(&plain(make)).filter(|rest| !rest.is_empty()).map_or(joined.clone(), str::to_owned)
    };
    let (a, b) = (strip(feed), strip(vin));
    // Trucks go by their load class alone: a "1500" is a Ram, a Silverado or a Sierra.
    let load_class = a.len() == 4 && a.ends_with("500") && a.chars().all(|c| c.is_ascii_digit());
    load_class || a.is_empty() || b.is_empty() || a.contains(&b) || b.contains(&a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(makes: &[&'static str], model: &'static str) -> Decoded {
        Decoded { makes: makes.to_vec(), make: makes.first().copied(), model: Some(model), ..Decoded::default() }
    }

    fn told(make: &str, model: &str, decoded: &Decoded) -> Name {
        name(Some(make.into()), Some(model.into()), None, decoded).unwrap()
    }

    #[test]
    fn a_trim_inside_the_model_is_split_off() {
        let accord = decoded(&["Honda"], "Accord");
        assert_eq!(told("honda", "Accord Sport SE", &accord), ("Honda".into(), "Accord".into(), Some("Sport SE".into()), vec![]));
        assert_eq!(told("Acura", "ILX6-Speed", &decoded(&["Acura"], "ILX")).2.as_deref(), Some("6-Speed"));
        assert_eq!(told("Acura", "TSXSpecial", &decoded(&["Acura"], "TSX")).1, "TSX");
        assert_eq!(told("Ford", "F-150 XL", &decoded(&["Ford"], "F-150")), ("Ford".into(), "F-150".into(), Some("XL".into()), vec![]));
        // F-1500 is not an F-150 with trim "0".
        assert_eq!(told("Ford", "F-1500", &decoded(&["Ford"], "F-150")).2, None);
    }

    #[test]
    fn makes_get_one_spelling() {
        let spelled = |text: &str| told(text, "X", &Decoded { model: None, ..Decoded::default() }).0;
        for (text, want) in [
            ("bmw", "BMW"),
            ("CHEVROLET", "Chevrolet"),
            ("chevy", "Chevrolet"),
            ("mercedes", "Mercedes-Benz"),
            ("land rover", "Land Rover"),
            ("Kia", "Kia"),
        ] {
            assert_eq!(spelled(text), want);
        }
    }

    #[test]
    fn disagreements_are_told_apart_from_spellings() {
        assert_eq!(told("BMW", "3 Series", &decoded(&["BMW"], "328i")).3, vec![]);
        assert_eq!(told("Mercedes-Benz", "GLE 350 Base", &decoded(&["Mercedes-Benz"], "GLE-Class")).3, vec![]);
        assert_eq!(told("Ram", "1500", &decoded(&["Dodge"], "Ram 1500")).3, vec![]);
        assert_eq!(told("Honda", "Civic", &decoded(&["Honda"], "Accord")).3, vec![("model", "Civic".into(), "Accord".into())]);
        assert_eq!(told("Ford", "Fiesta", &decoded(&["Kia"], "Fiesta")).3, vec![("make", "Ford".into(), "Kia".into())]);
        let door = told("ford", "door", &decoded(&["Ford"], "Fusion"));
        assert_eq!((door.1.as_str(), door.3), ("Fusion", vec![("model", "door".into(), "Fusion".into())]));
    }

    #[test]
    fn nobody_knows_the_model() {
        assert_eq!(name(Some("Ford".into()), None, None, &Decoded::default()), Err(Field::Model));
        assert_eq!(name(None, Some("X".into()), None, &Decoded::default()), Err(Field::Make));
    }
}
