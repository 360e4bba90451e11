//! The GraphQL schema: merges what the slices offer.

use async_graphql::{MergedObject, MergedSubscription, Schema, SchemaBuilder};

use crate::auth::graphql::{AuthMutation, AuthQuery};
use crate::channels::graphql::{ChannelsMutation, ChannelsQuery};
use crate::customers::graphql::{CustomersMutation, CustomersQuery};
use crate::dealers::graphql::DealersQuery;
use crate::deals::graphql::{
    AffectedQuery, ApprovalsMutation, ApprovalsQuery, ApprovalsSubscription, DealsMutation, DealsQuery, DealsSubscription,
    DeliveriesMutation, DepositsMutation, FundingsMutation, HoldsMutation, ReplayMutation, SeatsMutation,
};
use crate::finance::graphql::FinanceQuery;
use crate::insights::graphql::{InsightsMutation, InsightsQuery};
use crate::inventory::graphql::{InventoryMutation, InventoryQuery, InventorySubscription};
use crate::node::NodeQuery;

/// All queries.
#[derive(Debug, Default, MergedObject)]
pub struct Query(
    NodeQuery,
    AuthQuery,
    DealersQuery,
    InventoryQuery,
    CustomersQuery,
    ChannelsQuery,
    DealsQuery,
    ApprovalsQuery,
    AffectedQuery,
    FinanceQuery,
    InsightsQuery,
);

/// All mutations.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    AuthMutation,
    InventoryMutation,
    CustomersMutation,
    ChannelsMutation,
    DealsMutation,
    DeliveriesMutation,
    FundingsMutation,
    ApprovalsMutation,
    HoldsMutation,
    DepositsMutation,
    InsightsMutation,
    SeatsMutation,
    ReplayMutation,
);

/// All subscriptions.
#[derive(Debug, Default, MergedSubscription)]
pub struct Subscription(InventorySubscription, DealsSubscription, ApprovalsSubscription);

/// The product's schema.
pub type DesklessSchema = Schema<Query, Mutation, Subscription>;

/// A schema without services: enough to print it.
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
}

/// The schema in its definition language, as committed in `schema.graphql`.
pub fn sdl() -> String {
    builder().finish().sdl_with_options(async_graphql::SDLExportOptions::new().sorted_fields().sorted_enum_items().include_specified_by())
}
