//! The available vehicles of a store in columns. Names are interned, so that comparing the whole lot compares numbers.

use std::collections::HashMap;

use crate::customers::wish::{color_family, compare_key};
use crate::inventory::{BodyStyle, ColorFamily, Drivetrain, FuelType, Transmission, VehicleFacts};
use crate::kernel::id::VehicleId;

/// Stands for a name that is not known of a vehicle.
pub(super) const UNKNOWN: u32 = 0;
/// Stands for a number that is not known of a vehicle.
pub(super) const NO_NUMBER: i64 = i64::MIN;

/// Names as numbers. Shared by all lots, so that a demand is compiled once. Grows only with the names that exist.
#[derive(Debug, Clone, Default)]
pub struct Names {
    codes: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    /// The number of a name; a new one when it was not seen before. 0 for nothing.
    pub(super) fn intern(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return UNKNOWN };
        let key = compare_key(name);
        if key.is_empty() {
            return UNKNOWN;
        }
        if let Some(code) = self.codes.get(&key) {
            return *code;
        }
        self.texts.push(name.to_owned());
        let code = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.codes.insert(key, code);
        code
    }

    /// The number of a name that was seen; none when no vehicle has it.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.codes.get(&compare_key(name)).copied()
    }

    /// The name as it was first written.
    pub fn text(&self, code: u32) -> Option<&str> {
        let at = usize::try_from(code).ok()?.checked_sub(1)?;
        self.texts.get(at).map(String::as_str)
    }
}

/// Vehicles of a store in columns; position `i` of every column is one vehicle.
#[derive(Debug, Clone, Default)]
pub struct Lot {
    pub(super) ids: Vec<VehicleId>,
    pub(super) positions: HashMap<VehicleId, usize>,
    pub(super) price_cents: Vec<i64>,
    pub(super) model_year: Vec<i64>,
    pub(super) odometer_miles: Vec<i64>,
    pub(super) seats: Vec<i64>,
    pub(super) doors: Vec<i64>,
    pub(super) mpg: Vec<i64>,
    pub(super) condition: Vec<u32>,
    pub(super) make: Vec<u32>,
    pub(super) model: Vec<u32>,
    pub(super) trim: Vec<u32>,
    pub(super) body_style: Vec<u32>,
    pub(super) drivetrain: Vec<u32>,
    pub(super) fuel: Vec<u32>,
    pub(super) transmission: Vec<u32>,
    pub(super) exterior_color: Vec<u32>,
    pub(super) interior_color: Vec<u32>,
}

impl Lot {
    /// Puts vehicles into columns.
    pub fn build(vehicles: &[VehicleFacts], names: &mut Names) -> Self {
        let mut lot = Self::default();
        for facts in vehicles {
            lot.put(facts, names);
        }
        lot
    }

    /// How many vehicles.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// No vehicle.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Adds a vehicle, or replaces what was known of it.
    pub fn put(&mut self, facts: &VehicleFacts, names: &mut Names) {
        self.remove(facts.id);
        let number = |value: Option<i32>| value.map_or(NO_NUMBER, i64::from);
        self.positions.insert(facts.id, self.ids.len());
        self.ids.push(facts.id);
        self.price_cents.push(facts.price.map_or(NO_NUMBER, |p| p.0));
        self.model_year.push(i64::from(facts.model_year));
        self.odometer_miles.push(number(facts.odometer_miles));
        self.seats.push(number(facts.seats));
        self.doors.push(number(facts.doors));
        self.mpg.push(number(facts.mpg_combined));
        self.condition.push(names.intern(Some(facts.condition.as_str())));
        self.make.push(names.intern(Some(&facts.make)));
        self.model.push(names.intern(Some(&facts.model)));
        self.trim.push(names.intern(facts.trim.as_deref()));
        self.body_style.push(names.intern(facts.body_style.map(BodyStyle::as_str)));
        self.drivetrain.push(names.intern(facts.drivetrain.map(Drivetrain::as_str)));
        self.fuel.push(names.intern(facts.fuel.map(FuelType::as_str)));
        self.transmission.push(names.intern(facts.transmission.map(Transmission::as_str)));
        self.exterior_color.push(names.intern(facts.exterior_color.map(ColorFamily::as_str)));
        self.interior_color.push(names.intern(facts.interior_color.as_deref().and_then(color_family)));
    }

    /// Takes a vehicle out; the last one moves to its place.
    pub fn remove(&mut self, id: VehicleId) {
        let Some(at) = self.positions.remove(&id) else { return };
        self.ids.swap_remove(at);
        for column in
            [&mut self.price_cents, &mut self.model_year, &mut self.odometer_miles, &mut self.seats, &mut self.doors, &mut self.mpg]
        {
            column.swap_remove(at);
        }
        for column in [
            &mut self.condition,
            &mut self.make,
            &mut self.model,
            &mut self.trim,
            &mut self.body_style,
            &mut self.drivetrain,
            &mut self.fuel,
            &mut self.transmission,
            &mut self.exterior_color,
            &mut self.interior_color,
        ] {
            column.swap_remove(at);
        }
        if let Some(moved) = self.ids.get(at) {
            self.positions.insert(*moved, at);
        }
    }
}
