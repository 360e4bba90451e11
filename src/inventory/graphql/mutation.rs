//! What managers decide: held feeds and held prices.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::feed::FeedImportNode;
use super::vehicle::VehicleNode;
use crate::dealers::Dealers;
use crate::graphql::context::{actor, by, service};
use crate::graphql::{GqlError, GqlResult, input};
use crate::inventory::import::{FeedImport, ImportError};
use crate::inventory::service::{Inventory, PriceError};

/// Which held feed import to apply.
#[derive(Debug, InputObject)]
struct FeedImportReleaseInput {
    /// The import, `imp_…`.
    import_id: ID,
}

/// Which held feed import to throw away.
#[derive(Debug, InputObject)]
struct FeedImportDiscardInput {
    /// The import, `imp_…`.
    import_id: ID,
}

/// Why a decision about a feed import was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum FeedImportErrorCode {
    /// There is no such import in the stores you manage.
    NotFound,
    /// It is not waiting for a decision.
    NotHeld,
    /// A newer feed has landed since.
    Superseded,
}

/// A refusal of `feedImportRelease` or `feedImportDiscard`.
#[derive(Debug, SimpleObject)]
struct FeedImportUserError {
    /// For programs.
    code: FeedImportErrorCode,
    /// For people: a sentence to read aloud.
    message: String,
    /// Path into the input.
    field: Option<Vec<String>>,
}

/// What a decision about a feed import gives.
#[derive(Debug, SimpleObject)]
struct FeedImportDecidePayload {
    /// The import as it stands now; null when refused.
    feed_import: Option<FeedImportNode>,
    /// Why not.
    user_errors: Vec<FeedImportUserError>,
}

fn decided(outcome: Result<FeedImport, ImportError>) -> GqlResult<FeedImportDecidePayload> {
    let error = match outcome {
        Ok(import) => return Ok(FeedImportDecidePayload { feed_import: Some(FeedImportNode(import)), user_errors: Vec::new() }),
        Err(error) => error,
    };
    let code = match &error {
        ImportError::NotFound => FeedImportErrorCode::NotFound,
        ImportError::NotHeld => FeedImportErrorCode::NotHeld,
        ImportError::Superseded => FeedImportErrorCode::Superseded,
        ImportError::Feed(_) | ImportError::Reader | ImportError::Db(_) => return Err(error.into()),
    };
    let refusal = FeedImportUserError { code, message: error.to_string(), field: Some(vec!["input".into(), "importId".into()]) };
    Ok(FeedImportDecidePayload { feed_import: None, user_errors: vec![refusal] })
}

impl From<ImportError> for GqlError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Db(error) => error.into(),
            other => Self::internal(other.to_string()),
        }
    }
}

/// Which held price to take over.
#[derive(Debug, InputObject)]
struct VehicleConfirmPriceInput {
    /// The vehicle, `veh_…`.
    vehicle_id: ID,
    /// Its version as you saw it.
    expected_version: i32,
}

/// Why `vehicleConfirmPrice` was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum VehicleConfirmPriceErrorCode {
    /// There is no such vehicle in the stores you manage.
    NotFound,
    /// It has no price that waits.
    NothingHeld,
    /// It changed since you read it; the payload has the present one.
    VehicleOutOfSync,
}

/// A refusal of `vehicleConfirmPrice`.
#[derive(Debug, SimpleObject)]
struct VehicleConfirmPriceUserError {
    /// For programs.
    code: VehicleConfirmPriceErrorCode,
    /// For people: a sentence to read aloud.
    message: String,
    /// Path into the input.
    field: Option<Vec<String>>,
}

/// What `vehicleConfirmPrice` gives.
#[derive(Debug, SimpleObject)]
struct VehicleConfirmPricePayload {
    /// The vehicle as it stands now; null when there is none.
    vehicle: Option<VehicleNode>,
    /// Why not.
    user_errors: Vec<VehicleConfirmPriceUserError>,
}

/// Mutations of managers about inventory.
#[derive(Debug, Default)]
pub struct InventoryMutation;

#[Object]
impl InventoryMutation {
    /// Applies a held feed import after all: flags what it does not name, takes over the rest. Managers of its store.
    async fn feed_import_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: FeedImportReleaseInput,
    ) -> GqlResult<FeedImportDecidePayload> {
        let scope = actor(ctx)?.managing_scope();
        let dealers = service::<Dealers>(ctx)?;
        let id = input::id("input.importId", &input.import_id)?;
        decided(service::<Inventory>(ctx)?.release_import(&scope, id, |store| dealers.store(store), by(ctx)?).await)
    }

    /// Throws a held feed import away; the lot stays as it is. Managers of its store.
    async fn feed_import_discard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: FeedImportDiscardInput,
    ) -> GqlResult<FeedImportDecidePayload> {
        let scope = actor(ctx)?.managing_scope();
        let id = input::id("input.importId", &input.import_id)?;
        decided(service::<Inventory>(ctx)?.discard_import(&scope, id, by(ctx)?).await)
    }

    /// Takes over a price from the feed that was held because it fell far. Managers of the vehicle's store.
    async fn vehicle_confirm_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key or version that guards it.")] input: VehicleConfirmPriceInput,
    ) -> GqlResult<VehicleConfirmPricePayload> {
        let scope = actor(ctx)?.managing_scope();
        let id = input::id("input.vehicleId", &input.vehicle_id)?;
        let inventory = service::<Inventory>(ctx)?;
        let error = match inventory.confirm_price(&scope, id, input.expected_version, by(ctx)?).await {
            Ok(()) => return Ok(VehicleConfirmPricePayload { vehicle: VehicleNode::load(ctx, id).await?, user_errors: Vec::new() }),
            Err(error) => error,
        };
        let message = error.to_string();
        let (code, field) = match error {
            PriceError::NotFound => (VehicleConfirmPriceErrorCode::NotFound, "vehicleId"),
            PriceError::NothingHeld => (VehicleConfirmPriceErrorCode::NothingHeld, "vehicleId"),
            PriceError::OutOfSync => (VehicleConfirmPriceErrorCode::VehicleOutOfSync, "expectedVersion"),
            PriceError::Db(error) => return Err(error.into()),
        };
        let vehicle = inventory.find(&scope, id).await?.map(VehicleNode::from);
        let refusal = VehicleConfirmPriceUserError { code, message, field: Some(vec!["input".into(), field.into()]) };
        Ok(VehicleConfirmPricePayload { vehicle, user_errors: vec![refusal] })
    }
}
