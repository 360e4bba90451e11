//! How clients search the lot.

use async_graphql::{ID, InputObject};

use crate::graphql::scalar::DecimalText;
use crate::graphql::{GqlError, GqlResult, input};
use crate::inventory::model::{BodyStyle, ColorFamily, Drivetrain, FuelType, VehicleCondition, VehicleFilter, VehicleStatus};

/// A range of whole numbers; either end may be open.
#[derive(Debug, Clone, Copy, InputObject)]
pub(super) struct IntRange {
    /// At least.
    min: Option<i32>,
    /// At most.
    max: Option<i32>,
}

/// A range of amounts in the store's currency; either end may be open.
#[derive(Debug, Clone, Copy, InputObject)]
pub(super) struct AmountRange {
    /// At least.
    min: Option<DecimalText>,
    /// At most.
    max: Option<DecimalText>,
}

/// Which vehicles to list. Everything given must hold; a list means "one of these". Lists hold at most 100 items.
#[derive(Debug, Default, InputObject)]
pub(super) struct VehicleFilterInput {
    /// Stores, `sto_…`; all of yours when not given.
    store_ids: Option<Vec<ID>>,
    /// Conditions.
    conditions: Option<Vec<VehicleCondition>>,
    /// Makes; case does not matter.
    makes: Option<Vec<String>>,
    /// Models; case does not matter.
    models: Option<Vec<String>>,
    /// Model years.
    model_year: Option<IntRange>,
    /// Asking prices. Vehicles without a price are left out.
    price: Option<AmountRange>,
    /// Miles driven. Vehicles without an odometer reading are left out.
    odometer_miles: Option<IntRange>,
    /// Bodies.
    body_styles: Option<Vec<BodyStyle>>,
    /// Drivetrains.
    drivetrains: Option<Vec<Drivetrain>>,
    /// Fuels.
    fuels: Option<Vec<FuelType>>,
    /// Outer colours.
    color_families: Option<Vec<ColorFamily>>,
    /// Words that must all occur in year, make, model, trim, colour, engine, stock number, VIN or description; the last may
    /// be unfinished. At most 200 characters.
    text: Option<String>,
    /// Whole days on the lot.
    days_in_stock: Option<IntRange>,
    /// Where they stand; `[AVAILABLE]` when not given.
    statuses: Option<Vec<VehicleStatus>>,
    /// Only vehicles the newest feed does not name (true), or does (false).
    missing: Option<bool>,
}

impl VehicleFilterInput {
    pub(super) fn read(self) -> GqlResult<VehicleFilter> {
        let stores = input::list("filter.storeIds", self.store_ids.unwrap_or_default())?;
        let names = |field: &str, list: Option<Vec<String>>| -> GqlResult<Vec<String>> {
            let list = input::list(field, list.unwrap_or_default())?;
            list.iter().map(|name| input::required(field, name, 120)).collect()
        };
        let (year_min, year_max) = ends("filter.modelYear", self.model_year)?;
        let (mileage_min, mileage_max) = ends("filter.odometerMiles", self.odometer_miles)?;
        let (days_in_stock_min, days_in_stock_max) = ends("filter.daysInStock", self.days_in_stock)?;
        let amount = |field: &str, end: Option<DecimalText>| end.map(|amount| input::amount(field, amount)).transpose();
        let price_min = amount("filter.price.min", self.price.and_then(|p| p.min))?;
        let price_max = amount("filter.price.max", self.price.and_then(|p| p.max))?;
        if price_min.zip(price_max).is_some_and(|(min, max)| min > max) {
            return Err(GqlError::bad_input("filter.price: min is larger than max"));
        }
        Ok(VehicleFilter {
            store_ids: stores.iter().map(|id| input::id("filter.storeIds", id)).collect::<GqlResult<_>>()?,
            conditions: input::list("filter.conditions", self.conditions.unwrap_or_default())?,
            makes: names("filter.makes", self.makes)?,
            models: names("filter.models", self.models)?,
            year_min,
            year_max,
            price_min,
            price_max,
            mileage_min,
            mileage_max,
            body_styles: input::list("filter.bodyStyles", self.body_styles.unwrap_or_default())?,
            drivetrains: input::list("filter.drivetrains", self.drivetrains.unwrap_or_default())?,
            fuels: input::list("filter.fuels", self.fuels.unwrap_or_default())?,
            color_families: input::list("filter.colorFamilies", self.color_families.unwrap_or_default())?,
            text: input::optional("filter.text", self.text.as_deref(), 200)?,
            days_in_stock_min,
            days_in_stock_max,
            statuses: input::list("filter.statuses", self.statuses.unwrap_or_default())?,
            missing: self.missing,
        })
    }
}

fn ends(field: &str, range: Option<IntRange>) -> GqlResult<(Option<i32>, Option<i32>)> {
    let (min, max) = range.map_or((None, None), |r| (r.min, r.max));
    if min.or(max).is_some() && (min.is_some_and(|v| v < 0) || max.is_some_and(|v| v < 0)) {
        return Err(GqlError::bad_input(format!("{field}: must not be negative")));
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err(GqlError::bad_input(format!("{field}: min is larger than max")));
    }
    Ok((min, max))
}
