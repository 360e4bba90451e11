//! Deals through the API. Thin: read the input, call one use case, shape the answer.
//!
//! A resolver that returns a deal looks ahead and reads the deal with every selected part in one statement (`node::parts`).

mod affected;
mod answers;
mod approvals;
mod approve;
mod declined;
mod deliveries;
mod deposits;
mod desk;
mod fundings;
mod holds;
mod inputs;
mod menu;
mod menu_decisions;
mod mutation;
mod node;
mod out_of_sync;
mod parts;
mod payloads;
mod plan;
mod query;
mod quotes;
mod replay;
mod returns;
mod seat;
mod siblings;
mod subscription;

pub use affected::AffectedQuery;
pub use approvals::{ApprovalsQuery, ApprovalsSubscription};
pub use approve::ApprovalsMutation;
pub use deliveries::DeliveriesMutation;
pub use deposits::DepositsMutation;
pub use fundings::FundingsMutation;
pub use holds::HoldsMutation;
pub use mutation::DealsMutation;
pub use node::DealNode;
pub use query::DealsQuery;
pub use replay::ReplayMutation;
pub use seat::SeatsMutation;
pub use subscription::DealsSubscription;

use super::service::DealError;
use crate::graphql::GqlError;

impl From<DealError> for GqlError {
    fn from(error: DealError) -> Self {
        match error {
            DealError::Claim(error) => error.into(),
            DealError::Db(error) => error.into(),
            // Use cases turn refusals into answers; one that arrives here is a bug.
            DealError::Refused(_) | DealError::Undone(_) => Self::internal(error),
        }
    }
}
