//! The vehicle as clients see it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, InputValueError, InputValueResult, Lookahead, Object, Scalar, ScalarType, SimpleObject, Value};
use chrono::{DateTime, Utc};

use crate::dealers::{Dealers, StoreNode};
use crate::graphql::context::{actor, service};
use crate::graphql::{Date, GqlResult, MoneyObject};
use crate::inventory::model::{
    BodyStyle, ColorFamily, Drivetrain, FuelType, Hold, HoldReason, PriceKind, Transmission, Vehicle, VehicleCondition, VehicleStatus,
    VinStatus,
};
use crate::inventory::service::Inventory;
use crate::inventory::store::{Disagreement, PriceChange, VehicleParts};
use crate::inventory::vin::Vin;
use crate::kernel::id::VehicleId;
use crate::kernel::money::Cents;

/// A vehicle identification number: 17 capital letters and digits (fewer before 1981). In arguments, lower case, spaces and
/// dashes are accepted; a wrong check digit is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VinText(pub String);

/// A vehicle identification number: 17 letters and digits, shorter before model year 1981.
#[Scalar(name = "Vin")]
impl ScalarType for VinText {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Vin::parse(text).map(|vin| Self(vin.into_string())).map_err(InputValueError::custom),
            _ => Err(InputValueError::expected_type(value)),
        }
    }
    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A vehicle with what was read with it.
#[derive(Debug, Clone)]
pub struct VehicleNode {
    vehicle: Arc<Vehicle>,
    /// Which heavy columns were read.
    parts: VehicleParts,
    with: Prefetched,
}

/// Parts read for a whole list at once; absent ones are read when asked for.
#[derive(Debug, Clone, Default)]
struct Prefetched {
    #[expect(clippy::option_option, reason = "not read, or read and absent")]
    hold: Option<Option<Hold>>,
    prices: Option<Vec<PriceChange>>,
    disagreements: Option<Vec<Disagreement>>,
}

impl From<Vehicle> for VehicleNode {
    fn from(vehicle: Vehicle) -> Self {
        Self { vehicle: Arc::new(vehicle), parts: VehicleParts::ALL, with: Prefetched::default() }
    }
}

/// Which heavy columns these selections need.
pub(super) fn parts_of(looks: &[Lookahead<'_>]) -> VehicleParts {
    let asked = |name: &str| looks.iter().any(|look| look.field(name).exists());
    VehicleParts { description: asked("description"), photos: asked("photos") }
}

impl VehicleNode {
    /// Vehicles, read with the heavy columns of these selections, with whatever else they ask for in one statement per kind.
    pub async fn of_list(ctx: &Context<'_>, vehicles: Vec<Vehicle>, looks: &[Lookahead<'_>]) -> GqlResult<Vec<Self>> {
        let asked = |name: &str| !vehicles.is_empty() && looks.iter().any(|look| look.field(name).exists());
        let ids: Vec<VehicleId> = vehicles.iter().map(|v| v.id).collect();
        let parts = parts_of(looks);
        let (scope, inventory) = (actor(ctx)?.selling_scope(), service::<Inventory>(ctx)?);
        let mut holds = if asked("hold") { Some(inventory.holds(&scope, &ids).await?) } else { None };
        let mut prices = if asked("priceHistory") { Some(inventory.price_history(&scope, &ids).await?) } else { None };
        let mut disagreements = if asked("disagreements") { Some(inventory.disagreements(&scope, &ids).await?) } else { None };
        let node = |vehicle: Vehicle| {
            let id = vehicle.id;
            let with = Prefetched {
                hold: holds.as_mut().map(|map| map.remove(&id)),
                prices: prices.as_mut().map(|map| take(map, id)),
                disagreements: disagreements.as_mut().map(|map| take(map, id)),
            };
            Self { vehicle: Arc::new(vehicle), parts, with }
        };
        Ok(vehicles.into_iter().map(node).collect())
    }

    /// Vehicles by id with everything the selection of the field being resolved asks for; those outside the actor's stores are
    /// left out.
    pub async fn load_many(ctx: &Context<'_>, ids: &[VehicleId]) -> GqlResult<HashMap<VehicleId, Self>> {
        let looks = [ctx.look_ahead()];
        let vehicles = service::<Inventory>(ctx)?.find_many(&actor(ctx)?.selling_scope(), ids, parts_of(&looks)).await?;
        let nodes = Self::of_list(ctx, vehicles, &looks).await?;
        Ok(nodes.into_iter().map(|node| (node.vehicle.id, node)).collect())
    }

    /// One vehicle by id, or none in the actor's stores.
    pub async fn load(ctx: &Context<'_>, id: VehicleId) -> GqlResult<Option<Self>> {
        Ok(service::<Inventory>(ctx)?.find(&actor(ctx)?.selling_scope(), id).await?.map(Self::from))
    }

    /// The vehicle itself.
    pub fn vehicle(&self) -> &Vehicle {
        &self.vehicle
    }

    /// The vehicle with `has` read. Two aliases of one field may ask for different columns; the second then reads anew.
    async fn with(&self, ctx: &Context<'_>, has: impl Fn(VehicleParts) -> bool) -> GqlResult<Arc<Vehicle>> {
        if has(self.parts) {
            return Ok(Arc::clone(&self.vehicle));
        }
        let found = service::<Inventory>(ctx)?.find(&actor(ctx)?.selling_scope(), self.vehicle.id).await?;
        Ok(found.map_or_else(|| Arc::clone(&self.vehicle), Arc::new))
    }

    fn money(&self, cents: Option<Cents>) -> Option<MoneyObject> {
        cents.map(|cents| MoneyObject::new(cents, self.vehicle.currency))
    }

    fn managers_only(&self, ctx: &Context<'_>, cents: Option<Cents>) -> Option<MoneyObject> {
        self.money(cents.filter(|_| actor(ctx).is_ok_and(|a| a.manages(self.vehicle.store_id))))
    }
}

fn take<T>(map: &mut HashMap<VehicleId, Vec<T>>, id: VehicleId) -> Vec<T> {
    map.remove(&id).unwrap_or_default()
}

/// A vehicle of a store.
#[Object(name = "Vehicle")]
impl VehicleNode {
    /// Opaque id, `veh_…`.
    pub async fn id(&self) -> ID {
        self.vehicle.id.into()
    }
    /// The vehicle identification number.
    async fn vin(&self) -> VinText {
        VinText(self.vehicle.vin.clone())
    }
    /// How far the VIN was checked.
    async fn vin_status(&self) -> VinStatus {
        self.vehicle.vin_status
    }
    /// The store's own number; the last eight characters of the VIN when the feed has none.
    async fn stock_number(&self) -> &str {
        &self.vehicle.stock_number
    }
    /// The store that has it.
    async fn store(&self, ctx: &Context<'_>) -> GqlResult<StoreNode> {
        StoreNode::load(ctx, self.vehicle.store_id)
    }
    /// "2021 Honda Accord Sport", as one says it.
    async fn title(&self) -> String {
        self.vehicle.title()
    }
    /// New, used or certified.
    async fn condition(&self) -> VehicleCondition {
        self.vehicle.condition
    }
    /// Where it stands, live.
    async fn status(&self) -> VehicleStatus {
        self.vehicle.status
    }
    /// The model year.
    async fn model_year(&self) -> i32 {
        self.vehicle.model_year
    }
    /// The make.
    async fn make(&self) -> &str {
        &self.vehicle.make
    }
    /// The model.
    async fn model(&self) -> &str {
        &self.vehicle.model
    }
    /// The trim level.
    async fn trim(&self) -> Option<&str> {
        self.vehicle.trim.as_deref()
    }
    /// The shape of the body.
    async fn body_style(&self) -> Option<BodyStyle> {
        self.vehicle.body_style
    }
    /// Which wheels are driven.
    async fn drivetrain(&self) -> Option<Drivetrain> {
        self.vehicle.drivetrain
    }
    /// What it runs on.
    async fn fuel(&self) -> Option<FuelType> {
        self.vehicle.fuel
    }
    /// How gears are changed.
    async fn transmission(&self) -> Option<Transmission> {
        self.vehicle.transmission
    }
    /// The engine in the feed's words.
    async fn engine(&self) -> Option<&str> {
        self.vehicle.engine.as_deref()
    }
    /// Number of cylinders.
    async fn cylinders(&self) -> Option<i32> {
        self.vehicle.cylinders
    }
    /// Number of doors.
    async fn doors(&self) -> Option<i32> {
        self.vehicle.doors
    }
    /// Number of seats.
    async fn seats(&self) -> Option<i32> {
        self.vehicle.seats
    }
    /// The maker's name of the outer colour.
    async fn exterior_color(&self) -> Option<&str> {
        self.vehicle.exterior_color.as_deref()
    }
    /// The outer colour as a customer would say it.
    async fn exterior_color_family(&self) -> Option<ColorFamily> {
        self.vehicle.exterior_color_family
    }
    /// The inner colour.
    async fn interior_color(&self) -> Option<&str> {
        self.vehicle.interior_color.as_deref()
    }
    /// Miles driven; feeds in kilometres are converted.
    async fn odometer_miles(&self) -> Option<i32> {
        self.vehicle.odometer_miles
    }
    /// The asking price; none means "ask".
    async fn price(&self) -> Option<MoneyObject> {
        self.money(self.vehicle.price_cents)
    }
    /// The maker's suggested retail price.
    async fn msrp(&self) -> Option<MoneyObject> {
        self.money(self.vehicle.msrp_cents)
    }
    /// The maker's invoice. Managers of the store only; null for others.
    async fn invoice(&self, ctx: &Context<'_>) -> Option<MoneyObject> {
        self.managers_only(ctx, self.vehicle.invoice_cents)
    }
    /// What the store paid. Managers of the store only; null for others.
    async fn cost(&self, ctx: &Context<'_>) -> Option<MoneyObject> {
        self.managers_only(ctx, self.vehicle.cost_cents)
    }
    /// A lower price from the feed that was not taken over, because it fell further than the store allows unseen. Managers of
    /// the store only; null for others. `vehicleConfirmPrice` takes it over.
    async fn held_price(&self, ctx: &Context<'_>) -> Option<MoneyObject> {
        self.managers_only(ctx, self.vehicle.held_price_cents)
    }
    /// Changes of price and MSRP, newest first, at most 100.
    async fn price_history(&self, ctx: &Context<'_>) -> GqlResult<Vec<PriceChangeNode>> {
        let id = self.vehicle.id;
        let changes = match &self.with.prices {
            Some(changes) => changes.clone(),
            None => take(&mut service::<Inventory>(ctx)?.price_history(&actor(ctx)?.selling_scope(), &[id]).await?, id),
        };
        let node = |c: PriceChange| PriceChangeNode { at: c.at, kind: c.kind, from: self.money(c.old_cents), to: self.money(c.new_cents) };
        Ok(changes.into_iter().map(node).collect())
    }
    /// Fuel economy by the feed, else by the EPA's label where the facts leave no doubt.
    async fn fuel_economy(&self) -> Option<FuelEconomyNode> {
        let v = &self.vehicle;
        let known = v.mpg_city.is_some() || v.mpg_highway.is_some() || v.mpg_combined.is_some();
        known.then_some(FuelEconomyNode { city_mpg: v.mpg_city, highway_mpg: v.mpg_highway, combined_mpg: v.mpg_combined })
    }
    /// The dealer's words.
    async fn description(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(self.with(ctx, |parts| parts.description).await?.description.clone())
    }
    /// Photos, first one first; at most 60.
    async fn photos(&self, ctx: &Context<'_>) -> GqlResult<Vec<PhotoNode>> {
        let vehicle = self.with(ctx, |parts| parts.photos).await?;
        let photo =
            |(at, url): (usize, &String)| PhotoNode { position: i32::try_from(at).unwrap_or(i32::MAX).saturating_add(1), url: url.clone() };
        Ok(vehicle.photo_urls.iter().enumerate().map(photo).collect())
    }
    /// The day it came onto the lot.
    async fn received_on(&self) -> Date {
        Date(self.vehicle.received_on)
    }
    /// Whole days on the lot; 0 on the first.
    async fn days_in_stock(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(self.vehicle.days_in_stock(service::<Dealers>(ctx)?.today(self.vehicle.store_id)))
    }
    /// Since when the store's feed no longer names it. It is never sold by that: look for it.
    async fn missing_since(&self) -> Option<DateTime<Utc>> {
        self.vehicle.missing_since
    }
    /// Where the feed and the VIN say different things. The vehicle shows the feed's word.
    async fn disagreements(&self, ctx: &Context<'_>) -> GqlResult<Vec<DisagreementNode>> {
        let id = self.vehicle.id;
        let found = match &self.with.disagreements {
            Some(found) => found.clone(),
            None => take(&mut service::<Inventory>(ctx)?.disagreements(&actor(ctx)?.selling_scope(), &[id]).await?, id),
        };
        let node =
            |d: Disagreement| DisagreementNode { attribute: d.attribute, feed_value: d.feed_value, vin_value: d.vin_value, since: d.at };
        Ok(found.into_iter().map(node).collect())
    }
    /// Who holds it, if anybody does.
    async fn hold(&self, ctx: &Context<'_>) -> GqlResult<Option<HoldNode>> {
        let id = self.vehicle.id;
        let hold = match &self.with.hold {
            Some(hold) => hold.clone(),
            None => service::<Inventory>(ctx)?.holds(&actor(ctx)?.selling_scope(), &[id]).await?.remove(&id),
        };
        Ok(hold.map(|h| HoldNode { deal_id: h.deal_id.into(), reason: h.reason, placed_at: h.placed_at, expires_at: h.expires_at }))
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        self.vehicle.version
    }
    /// When it was first seen.
    async fn created_at(&self) -> DateTime<Utc> {
        self.vehicle.created_at
    }
    /// When it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.vehicle.updated_at
    }
}

/// A photo.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "VehiclePhoto")]
struct PhotoNode {
    /// Its place, from 1.
    position: i32,
    /// Its address, http or https, as the feed gave it.
    url: String,
}

/// A change of a price.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "VehiclePriceChange")]
struct PriceChangeNode {
    /// When.
    at: DateTime<Utc>,
    /// Which price.
    kind: PriceKind,
    /// Before; none when there was none.
    from: Option<MoneyObject>,
    /// After; none when it was taken away.
    to: Option<MoneyObject>,
}

/// Fuel economy in miles per gallon; for electric cars the equivalent (MPGe).
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "FuelEconomy")]
struct FuelEconomyNode {
    /// In the city.
    city_mpg: Option<i32>,
    /// On the highway.
    highway_mpg: Option<i32>,
    /// 55 % city, 45 % highway.
    combined_mpg: Option<i32>,
}

/// A fact about which the feed and the VIN disagree.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "VehicleDisagreement")]
struct DisagreementNode {
    /// The field of `Vehicle`: `modelYear`, `make`, `model`, `bodyStyle`, `drivetrain`, `fuel`.
    attribute: String,
    /// What the feed says.
    feed_value: String,
    /// What the VIN says.
    vin_value: String,
    /// Since when.
    since: DateTime<Utc>,
}

/// A hold of a vehicle.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "VehicleHold")]
struct HoldNode {
    /// The deal that has it, `deal_…`.
    deal_id: ID,
    /// Why.
    reason: HoldReason,
    /// Since when.
    placed_at: DateTime<Utc>,
    /// When it ends by itself.
    expires_at: Option<DateTime<Utc>>,
}
