//! Lender programs that do not take a deal: which rules stand in the way, and what would clear them.

use async_graphql::{Context, ID, Object, SimpleObject};

use crate::deals::pricing::Declined;
use crate::finance::graphql::{ProgramNode, program};
use crate::finance::{Refusal, RefusalRule};
use crate::graphql::{GqlResult, MoneyObject};
use crate::kernel::id::StoreId;
use crate::kernel::money::Currency;

/// A lender program that does not fit the deal, and why.
#[derive(Debug, Clone)]
pub struct DeclinedNode {
    declined: Declined,
    store: StoreId,
    currency: Currency,
}

impl DeclinedNode {
    /// For a deal of this store.
    pub(super) fn new(declined: Declined, store: StoreId, currency: Currency) -> Self {
        Self { declined, store, currency }
    }
}

/// A lender program that does not fit the deal, and why.
#[Object(name = "DeclinedProgram")]
impl DeclinedNode {
    /// The program, `prg_…`.
    async fn program_id(&self) -> ID {
        self.declined.program_id.into()
    }
    /// The program with its lender and credit tier. Null when it is not on file any more.
    async fn program(&self, ctx: &Context<'_>) -> GqlResult<Option<ProgramNode>> {
        program(ctx, self.declined.program_id, self.store)
    }
    /// Every rule that is not met, in words.
    async fn reasons(&self) -> Vec<String> {
        self.declined.refusals.iter().map(Refusal::sentence).collect()
    }
    /// Every rule that is not met, and the smallest change that clears each.
    async fn refusals(&self) -> Vec<ProgramRefusalNode> {
        self.declined.refusals.iter().map(|refusal| ProgramRefusalNode::new(refusal, self.currency)).collect()
    }
    /// The nearest term, in months and whole years, for which this lender takes the deal, all else as it stands. Null when no
    /// other term helps.
    async fn fitting_term_months(&self) -> Option<i32> {
        self.declined.fitting_term.map(i32::from)
    }
}

/// A rule of a lender program that a deal does not meet.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "ProgramRefusal")]
pub struct ProgramRefusalNode {
    /// Which rule.
    pub rule: RefusalRule,
    /// In words a salesperson can read aloud.
    pub message: String,
    /// The smallest change that clears it, in words; null when none does.
    pub change: Option<String>,
    /// That change as money where it is money: more down is positive, more to finance negative.
    pub change_amount: Option<MoneyObject>,
}

impl ProgramRefusalNode {
    fn new(refusal: &Refusal, currency: Currency) -> Self {
        Self {
            rule: refusal.rule,
            message: refusal.message.clone(),
            change: refusal.change.clone(),
            change_amount: refusal.change_amount.map(|cents| MoneyObject::new(cents, currency)),
        }
    }
}
