//! Fuel economy by the EPA's label values (public domain, see `assets/README.md`), where the facts leave no doubt.
//!
//! A vehicle matches the EPA's rows of its model year and make whose model (or base model) has its name. Whatever else is
//! known (fuel, drive, cylinders, displacement, transmission) narrows them. When the rest agree within
//! [`SPREAD_MAX`] combined miles per gallon, the thriftless one is given: better a pleasant surprise than a complaint.
//! Otherwise nothing is given.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::model::{Drivetrain, FuelType, Transmission};
use super::vpic::{decilitres, rows};

static TABLE: &[u8] = include_bytes!("../../assets/epa/fuel_economy.csv.gz");
static ROWS: LazyLock<Table> = LazyLock::new(Table::read);

/// How far rows may differ in combined miles per gallon and still count as one answer.
const SPREAD_MAX: u16 = 2;

/// Label values in miles per gallon (for electric cars the equivalent).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FuelEconomy {
    /// In the city.
    pub city: i32,
    /// On the highway.
    pub highway: i32,
    /// Combined.
    pub combined: i32,
}

/// What is known of a vehicle.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The model year.
    pub year: i32,
    /// The make.
    pub make: &'a str,
    /// Names the model may go by: the feed's, with and without trim, and the VIN's.
    pub models: [Option<&'a str>; 3],
    /// The fuel.
    pub fuel: Option<FuelType>,
    /// Which wheels are driven.
    pub drivetrain: Option<Drivetrain>,
    /// How gears are changed.
    pub transmission: Option<Transmission>,
    /// Number of cylinders.
    pub cylinders: Option<i32>,
    /// Displacement in tenths of a litre.
    pub displacement_dl: Option<u16>,
}

/// The label values, when the facts leave no doubt.
pub fn find(facts: &Facts<'_>) -> Option<FuelEconomy> {
    ROWS.find(facts)
}

/// Whether the EPA ever listed this model under this make.
pub(super) fn builds(make: &str, model: &str) -> bool {
    ROWS.models.get(&plain(model)).is_some_and(|makes| makes.contains(&plain(make)))
}

#[derive(Debug)]
struct Row {
    model: u32,
    base_model: u32,
    drivetrain: Option<Drivetrain>,
    transmission: Option<Transmission>,
    fuel: Option<FuelType>,
    cylinders: u8,
    displacement_dl: u16,
    city: u16,
    highway: u16,
    combined: u16,
}

#[derive(Debug, Default)]
struct Table {
    rows: HashMap<(i32, Box<str>), Vec<Row>>,
    names: HashMap<Box<str>, u32>,
    models: HashMap<String, Vec<String>>,
}

impl Table {
    fn read() -> Self {
        let mut table = Self::default();
        rows(TABLE, |row| {
            let [year, make, model, base, drivetrain, transmission, cylinders, displacement, fuel, city, highway, combined] = row else {
                return;
            };
            let (Ok(year), make) = (year.parse(), plain(make)) else { return };
            let row = Row {
                model: table.name(model, &make),
                base_model: table.name(base, &make),
                drivetrain: drivetrain.parse().ok(),
                transmission: transmission.parse().ok(),
                fuel: fuel.parse().ok(),
                cylinders: cylinders.parse().unwrap_or(0),
                displacement_dl: decilitres(displacement).unwrap_or(0),
                city: city.parse().unwrap_or(0),
                highway: highway.parse().unwrap_or(0),
                combined: combined.parse().unwrap_or(0),
            };
            table.rows.entry((year, make.into_boxed_str())).or_default().push(row);
        });
        table.rows.values_mut().for_each(Vec::shrink_to_fit);
        table
    }

    fn name(&mut self, model: &str, make: &str) -> u32 {
        let name = plain(model);
        let makes = self.models.entry(name.clone()).or_default();
        if !makes.iter().any(|m| m == make) {
            makes.push(make.to_owned());
        }
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        *self.names.entry(name.into_boxed_str()).or_insert(next)
    }

    fn find(&self, facts: &Facts<'_>) -> Option<FuelEconomy> {
        let rows = self.rows.get(&(facts.year, plain(facts.make).into_boxed_str()))?;
        let wanted = facts.models.iter().flatten().filter_map(|model| self.names.get(plain(model).as_str()).copied());
        // The most telling name that the EPA knows decides.
        for name in wanted {
            let exact: Vec<&Row> = rows.iter().filter(|row| row.model == name).collect();
            let found = if exact.is_empty() { rows.iter().filter(|row| row.base_model == name).collect() } else { exact };
            if !found.is_empty() {
                return narrow(found, facts);
            }
        }
        None
    }
}

fn narrow(mut rows: Vec<&Row>, facts: &Facts<'_>) -> Option<FuelEconomy> {
    rows.retain(|row| facts.fuel.is_none_or(|fuel| row.fuel.is_none_or(|f| same_fuel(f, fuel))));
    rows.retain(|row| facts.cylinders.is_none_or(|n| row.cylinders == 0 || i32::from(row.cylinders) == n));
    rows.retain(|row| facts.displacement_dl.is_none_or(|d| row.displacement_dl == 0 || row.displacement_dl.abs_diff(d) <= 1));
    rows.retain(|row| facts.drivetrain.is_none_or(|drive| row.drivetrain.is_none_or(|d| all_wheels(d) == all_wheels(drive))));
    if let Some(transmission) = facts.transmission.filter(|t| rows.iter().any(|row| row.transmission == Some(*t))) {
        rows.retain(|row| row.transmission == Some(transmission));
    }
    let worst = rows.iter().min_by_key(|row| (row.combined, row.city, row.highway))?;
    let best = rows.iter().map(|row| row.combined).max()?;
    if worst.combined == 0 || best.abs_diff(worst.combined) > SPREAD_MAX {
        return None;
    }
    Some(FuelEconomy { city: worst.city.into(), highway: worst.highway.into(), combined: worst.combined.into() })
}

/// Gasoline and flex fuel share their label on gasoline.
fn same_fuel(a: FuelType, b: FuelType) -> bool {
    let plain = |fuel| if fuel == FuelType::FlexFuel { FuelType::Gasoline } else { fuel };
    plain(a) == plain(b)
}

const fn all_wheels(drive: Drivetrain) -> bool {
    matches!(drive, Drivetrain::Awd | Drivetrain::FourWd)
}

/// Lower-case letters and digits only: "CR-V" is "crv".
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accord() -> Facts<'static> {
        Facts { year: 2014, make: "Honda", models: [Some("Accord"), None, None], ..Facts::default() }
    }

    #[test]
    fn gives_nothing_while_the_facts_leave_a_choice() {
        assert_eq!(find(&accord()), None);
        assert_eq!(find(&Facts { make: "Nobody", ..accord() }), None);
        assert_eq!(find(&Facts { year: 1901, ..accord() }), None);
    }

    #[test]
    fn more_facts_settle_it() {
        let facts = Facts { cylinders: Some(4), transmission: Some(Transmission::Cvt), fuel: Some(FuelType::Gasoline), ..accord() };
        assert_eq!(find(&facts).map(|e| e.combined), Some(29));
        let hybrid = Facts { models: [Some("Accord Hybrid"), Some("Accord"), None], fuel: Some(FuelType::Hybrid), ..accord() };
        assert_eq!(find(&hybrid).map(|e| e.combined), Some(47));
    }

    #[test]
    fn knows_who_builds_what() {
        assert!(builds("Lexus", "RX 350") && builds("Jeep", "Cherokee") && !builds("Ford", "Accord"));
    }
}
