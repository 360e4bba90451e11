//! What a VIN says about its vehicle: an offline decoder over NHTSA's vPIC tables (public domain, see `assets/README.md`).
//!
//! The WMI (characters 1 to 3, for small makers 12 to 14 too) and the model year name one or more schemas. A schema is a list
//! of patterns over characters 4 to 8, `|`, 10 to 17: `*` is any character, `#` a digit, `[A-CF]` a class; a pattern matches
//! as a prefix. For each fact the most specific match wins.
//!
//! Where a manufacturer has several makes (Toyota, Lexus), the EPA's list of models tells which one builds this model.
//! The tables take about 4 MiB once read, which happens when the first VIN is decoded.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fuel_economy;
use super::model::{BodyStyle, Drivetrain, FuelType};
use super::vin::Vin;

static WMI: &[u8] = include_bytes!("../../assets/vpic/wmi.csv.gz");
static SCHEMA: &[u8] = include_bytes!("../../assets/vpic/schema.csv.gz");
static PATTERN: &[u8] = include_bytes!("../../assets/vpic/pattern.csv.gz");

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);

/// The facts a VIN gives. Everything it does not give is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The model year.
    pub model_year: Option<i32>,
    /// The make, when the VIN leaves no doubt.
    pub make: Option<&'static str>,
    /// Every make this manufacturer uses with this identifier.
    pub makes: Vec<&'static str>,
    /// The model.
    pub model: Option<&'static str>,
    /// The shape of the body.
    pub body_style: Option<BodyStyle>,
    /// Which wheels are driven; the tables rarely know.
    pub drivetrain: Option<Drivetrain>,
    /// The main fuel; hybrids appear as gasoline in most schemas.
    pub fuel: Option<FuelType>,
    /// Number of cylinders.
    pub cylinders: Option<i32>,
    /// Number of doors.
    pub doors: Option<i32>,
    /// Displacement in tenths of a litre.
    pub displacement_dl: Option<u16>,
}

/// Decodes a VIN. Numbers from before 1981 give nothing.
pub fn decode(vin: &Vin) -> Decoded {
    TABLES.decode(vin)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Element {
    Model,
    Body,
    Drive,
    Fuel,
    Cylinders,
    Doors,
    Displacement,
}

impl Element {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "model" => Self::Model,
            "body" => Self::Body,
            "drive" => Self::Drive,
            "fuel" => Self::Fuel,
            "cylinders" => Self::Cylinders,
            "doors" => Self::Doors,
            "displacement_l" => Self::Displacement,
            _ => return None,
        })
    }
}

#[derive(Debug)]
struct Pattern {
    schema: u32,
    keys: u32,
    value: u32,
    element: Element,
    specificity: u8,
}

#[derive(Debug)]
struct Schema {
    wmi: [u8; 6],
    from: u16,
    to: u16,
    id: u32,
}

/// Strings kept once.
#[derive(Debug, Default)]
struct Pool {
    ids: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Pool {
    fn id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.ids.insert(text.into(), id);
        self.texts.push(text.into());
        id
    }
}

#[derive(Debug)]
struct Tables {
    wmi: Vec<([u8; 6], u32, bool)>,
    schemas: Vec<Schema>,
    patterns: Vec<Pattern>,
    texts: Vec<Box<str>>,
}

impl Tables {
    fn read() -> Self {
        let mut pool = Pool::default();
        let mut wmi = Vec::new();
        rows(WMI, |row| {
            let [key, makes, kind] = row else { return };
            wmi.push((wmi_key(key), pool.id(makes), *kind == "Motorcycle"));
        });
        wmi.sort_unstable();
        let mut schemas = Vec::new();
        rows(SCHEMA, |row| {
            let [key, from, to, id] = row else { return };
            let Ok(id) = id.parse() else { return };
            schemas.push(Schema { wmi: wmi_key(key), from: from.parse().unwrap_or(0), to: to.parse().unwrap_or(u16::MAX), id });
        });
        schemas.sort_unstable_by_key(|s| s.wmi);
        let mut patterns = Vec::with_capacity(220_000);
        rows(PATTERN, |row| {
            let [schema, element, keys, value] = row else { return };
            let (Ok(schema), Some(element)) = (schema.parse(), Element::parse(element)) else { return };
            patterns.push(Pattern { schema, element, keys: pool.id(keys), value: pool.id(value), specificity: specificity(keys) });
        });
        patterns.sort_unstable_by_key(|p| p.schema);
        patterns.shrink_to_fit();
        Self { wmi, schemas, patterns, texts: pool.texts }
    }

    fn text(&self, id: u32) -> &str {
        usize::try_from(id).ok().and_then(|at| self.texts.get(at)).map_or("", |text| text)
    }

    fn decode(&'static self, vin: &Vin) -> Decoded {
        let Some(wmi) = vin.wmi().map(|w| wmi_key(&w)) else { return Decoded::default() };
        let entry = self.wmi.binary_search_by_key(&wmi, |(key, ..)| *key).ok().and_then(|at| self.wmi.get(at));
        let makes: Vec<&'static str> =
            entry.map(|(_, makes, _)| self.text(*makes).split('|').filter(|m| !m.is_empty()).collect()).unwrap_or_default();
        let mut decoded = Decoded { model_year: vin.model_year(), makes, ..Decoded::default() };
        if entry.is_some_and(|(.., motorcycle)| *motorcycle) {
            decoded.body_style = Some(BodyStyle::Motorcycle);
        }
        let Some(year) = decoded.model_year.and_then(|y| u16::try_from(y).ok()) else { return self.with_make(decoded) };
        let key = match (vin.as_str().get(3..8), vin.as_str().get(9..)) {
            (Some(descriptor), Some(rest)) => format!("{descriptor}|{rest}"),
            _ => return self.with_make(decoded),
        };
        let mut best: [Option<(u8, u32)>; 7] = [None; 7];
        let first = self.schemas.partition_point(|s| s.wmi < wmi);
        let of_wmi = self.schemas.get(first..).unwrap_or(&[]).iter().take_while(|s| s.wmi == wmi);
        for schema in of_wmi.filter(|s| s.from <= year && year <= s.to) {
            let first = self.patterns.partition_point(|p| p.schema < schema.id);
            for pattern in self.patterns.get(first..).unwrap_or(&[]).iter().take_while(|p| p.schema == schema.id) {
                let Some(slot) = best.get_mut(slot_of(pattern.element)) else { continue };
                if slot.is_none_or(|(specificity, _)| pattern.specificity > specificity) && matches(self.text(pattern.keys), &key) {
                    *slot = Some((pattern.specificity, pattern.value));
                }
            }
        }
        let value = |element| best.get(slot_of(element)).copied().flatten().map(|(_, value)| self.text(value));
        decoded.model = value(Element::Model).filter(|m| !m.is_empty());
        decoded.body_style = value(Element::Body).and_then(body_style).or(decoded.body_style);
        decoded.drivetrain = value(Element::Drive).and_then(drivetrain);
        decoded.fuel = value(Element::Fuel).and_then(fuel);
        decoded.cylinders = value(Element::Cylinders).and_then(|v| v.parse().ok());
        decoded.doors = value(Element::Doors).and_then(|v| v.parse().ok());
        decoded.displacement_dl = value(Element::Displacement).and_then(decilitres);
        self.with_make(decoded)
    }

    /// One make of several: the one that is part of the model's name, else the one the EPA knows to build the model.
    #[expect(clippy::unused_self, reason = "keeps the static lifetime of the makes visible")]
    fn with_make(&'static self, mut decoded: Decoded) -> Decoded {
        decoded.make = match (decoded.makes.as_slice(), decoded.model) {
            ([one], _) => Some(one),
            (many, Some(model)) => {
                let named = many.iter().find(|make| starts_with_word(model, make));
                named
                    .or_else(|| {
                        let mut builders = many.iter().filter(|make| fuel_economy::builds(make, model));
                        builders.next().filter(|_| builders.next().is_none())
                    })
                    .copied()
            }
            _ => None,
        };
        decoded
    }
}

const fn slot_of(element: Element) -> usize {
    match element {
        Element::Model => 0,
        Element::Body => 1,
        Element::Drive => 2,
        Element::Fuel => 3,
        Element::Cylinders => 4,
        Element::Doors => 5,
        Element::Displacement => 6,
    }
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)) && text.get(word.len()..).is_some_and(|t| t.starts_with(' '))
}

/// Reads a packed table row by row, without its head. The tables are part of the program; a damaged one reads as empty.
pub(super) fn rows(packed: &[u8], mut each: impl FnMut(&[&str])) {
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(packed));
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).unwrap_or(false) {
        let fields: Vec<&str> = record.iter().collect();
        each(&fields);
    }
}

fn wmi_key(text: &str) -> [u8; 6] {
    let mut key = [0; 6];
    key.iter_mut().zip(text.bytes()).for_each(|(slot, byte)| *slot = byte);
    key
}

/// Two for a character, one for a class, none for "any".
fn specificity(keys: &str) -> u8 {
    let (mut points, mut in_class) = (0_u8, false);
    for c in keys.chars() {
        match c {
            '[' => {
                in_class = true;
                points = points.saturating_add(1);
            }
            ']' => in_class = false,
            '*' | '|' => {}
            _ if in_class => {}
            '#' => points = points.saturating_add(1),
            _ => points = points.saturating_add(2),
        }
    }
    points
}

/// Whether the pattern matches the beginning of the key.
fn matches(pattern: &str, key: &str) -> bool {
    let mut key = key.bytes();
    let mut pattern = pattern.bytes();
    while let Some(p) = pattern.next() {
        let Some(k) = key.next() else { return false };
        let fits = match p {
            b'*' => true,
            b'#' => k.is_ascii_digit(),
            b'[' => class(&mut pattern, k),
            literal => literal == k,
        };
        if !fits {
            return false;
        }
    }
    true
}

/// Reads a class up to its `]` and tells whether `k` is in it.
fn class(pattern: &mut impl Iterator<Item = u8>, k: u8) -> bool {
    let (mut found, mut before, mut range) = (false, None, false);
    for c in pattern {
        match c {
            b']' => return found,
            b'-' if before.is_some() => range = true,
            c => {
                let from = if range { before.unwrap_or(c) } else { c };
                found |= (from..=c).contains(&k);
                range = false;
                before = Some(c);
            }
        }
    }
    false
}

fn body_style(text: &str) -> Option<BodyStyle> {
    let t = text.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| t.contains(w));
    Some(match () {
        () if any(&["convertible", "roadster"]) => BodyStyle::Convertible,
        () if any(&["sport utility truck", "pickup"]) => BodyStyle::Pickup,
        () if any(&["sport utility", "crossover"]) => BodyStyle::Suv,
        () if any(&["sedan"]) => BodyStyle::Sedan,
        () if any(&["hatchback"]) => BodyStyle::Hatchback,
        () if any(&["coupe"]) => BodyStyle::Coupe,
        () if any(&["step van", "walk-in"]) => BodyStyle::Other,
        () if any(&["minivan", "van"]) && !any(&["incomplete"]) => BodyStyle::Van,
        () if any(&["wagon"]) => BodyStyle::Wagon,
        () if any(&["motorcycle", "scooter", "moped"]) => BodyStyle::Motorcycle,
        // "Truck" is both a pickup and a lorry in the tables; that is no fact.
        () if t == "truck" => return None,
        () => BodyStyle::Other,
    })
}

fn drivetrain(text: &str) -> Option<Drivetrain> {
    match text.get(..3)? {
        "AWD" => Some(Drivetrain::Awd),
        "RWD" => Some(Drivetrain::Rwd),
        "FWD" => Some(Drivetrain::Fwd),
        "4WD" => Some(Drivetrain::FourWd),
        _ => None,
    }
}

fn fuel(text: &str) -> Option<FuelType> {
    let t = text.to_ascii_lowercase();
    Some(match () {
        () if t.starts_with("gasoline") => FuelType::Gasoline,
        () if t.starts_with("diesel") => FuelType::Diesel,
        () if t.starts_with("electric") => FuelType::Electric,
        () if t.starts_with("flexible") || t.contains("ethanol") => FuelType::FlexFuel,
        () if t.contains("hydrogen") || t.contains("fuel cell") => FuelType::Hydrogen,
        () if t.contains("natural gas") => FuelType::NaturalGas,
        () => FuelType::Other,
    })
}

/// "3.5" and "2" litres in tenths.
pub(super) fn decilitres(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let tenth = rest.chars().next()?.to_digit(10)?;
    let hundredth = rest.chars().nth(1).and_then(|c| c.to_digit(10)).unwrap_or(0);
    let tenths = whole.parse::<u16>().ok()?.checked_mul(10)?.checked_add(u16::try_from(tenth).ok()?)?;
    tenths.checked_add(u16::from(hundredth >= 5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_prefixes_with_classes() {
        for (pattern, fits) in [
            ("CV1F4", true),
            ("CV1", true),
            ("**1", true),
            ("C[UV]1", true),
            ("C[A-F]1", false),
            ("CV#F", true),
            ("C#", false),
            ("CV1F4|M", true),
            ("*****|*B", false),
            ("[ABDEFK-NPR-Z]", false),
            ("[A-C", false),
            ("CV1F4|MA038035X", false),
        ] {
            assert_eq!(matches(pattern, "CV1F4|MA038035"), fits, "{pattern}");
        }
    }

    #[test]
    fn decodes_a_well_known_car() {
        let decoded = decode(&Vin::parse("1HGCV1F49MA038035").unwrap());
        assert_eq!((decoded.model_year, decoded.make, decoded.model), (Some(2021), Some("Honda"), Some("Accord")));
        assert_eq!(
            (decoded.body_style, decoded.fuel, decoded.cylinders, decoded.doors),
            (Some(BodyStyle::Sedan), Some(FuelType::Gasoline), Some(4), Some(4))
        );
        assert_eq!(decoded.displacement_dl, Some(15));
    }

    #[test]
    fn an_unknown_maker_gives_its_year_only() {
        let decoded = decode(&Vin::parse("WVWZZZ1JZXW000001").unwrap());
        assert_eq!((decoded.model_year, decoded.model), (Some(1999), None));
        assert_eq!(decode(&Vin::parse("1q87t3n166389").unwrap()), Decoded::default());
    }

    /// 628 real VINs: what an independent decoder over the same source says.
    #[test]
    fn agrees_with_an_independent_decoder() {
        let Some(rows) = crate::inventory::testdata::csv("vin/vin_oracle.csv") else { return };
        let (mut total, mut make, mut model, mut cylinders, mut doors, mut body, mut fuels) = (0, 0, 0, 0, 0, 0, 0);
        for row in &rows {
            let Ok(vin) = Vin::parse(&row["vin"]) else { continue };
            let decoded = decode(&vin);
            total += 1;
            let number = |n: Option<i32>| n.map(|n| n.to_string()).unwrap_or_default();
            make += i32::from(decoded.make.is_some_and(|m| m.eq_ignore_ascii_case(&row["vpic_make"])));
            assert!(decoded.make.is_none_or(|m| m.eq_ignore_ascii_case(&row["vpic_make"])), "{vin} is not a {:?}: {row:?}", decoded.make);
            model += i32::from(decoded.model.unwrap_or("") == row["vpic_model"]);
            cylinders += i32::from(number(decoded.cylinders) == row["vpic_cylinders"]);
            doors += i32::from(number(decoded.doors) == row["vpic_doors"]);
            body += i32::from(
                decoded.body_style == body_style(&row["vpic_body"])
                    || decoded.body_style == Some(BodyStyle::Suv) && row["vpic_body"] == "SUV",
            );
            fuels += i32::from(decoded.fuel == fuel(&row["vpic_fuel"]) || row["vpic_fuel"].is_empty());
        }
        assert_eq!(total, 628);
        assert!(
            make >= 615 && model >= 626 && cylinders >= 625 && doors >= 625 && fuels >= 615 && body >= 600,
            "{make} {model} {cylinders} {doors} {body} {fuels}"
        );
    }
}
