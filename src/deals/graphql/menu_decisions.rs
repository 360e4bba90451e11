//! What the customer said to the menu, as clients send and read it.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::inputs::{key, target};
use super::parts::StaffMember;
use crate::deals::menu::MenuLine;
use crate::deals::service::DecideMenu;
use crate::deals::store::menu::MenuDecision;
use crate::finance::graphql::{ProductNode, product};
use crate::graphql::{GqlError, GqlResult, MoneyObject, input};
use crate::kernel::id::StoreId;
use crate::kernel::money::{Cents, Currency};

/// Most products that can be declined at once.
const DECLINED_MAX: usize = 100;

/// What the customer declines, and the key and version that guard it.
#[derive(Debug, InputObject)]
pub(super) struct DealMenuDecideInput {
    /// The deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key of your own for this operation: the same key again gives the first answer again.
    idempotency_key: String,
    /// Every product of the menu that the customer may have and does not want, `prd_…`; at most 100. Products on the deal are
    /// taken. One that is neither is refused by name.
    declined: Vec<ID>,
}

impl DealMenuDecideInput {
    pub(super) fn read(self) -> GqlResult<DecideMenu> {
        if self.declined.len() > DECLINED_MAX {
            return Err(GqlError::bad_input(format!("input.declined: at most {DECLINED_MAX} items")));
        }
        Ok(DecideMenu {
            target: target(&self.deal_id, self.expected_version, key(&self.idempotency_key))?,
            declined: self.declined.iter().map(|id| input::id("input.declined", id)).collect::<GqlResult<_>>()?,
        })
    }
}

/// What the customer said to the whole menu at once. It is never changed.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "MenuDecision")]
pub struct MenuDecisionNode {
    /// Who recorded it.
    decided_by: StaffMember,
    /// When.
    decided_at: DateTime<Utc>,
    /// It is about the car, the price, the way to pay and the products as they stand now.
    stands: bool,
    /// Every product that was shown, by code.
    products: Vec<MenuDecisionProductNode>,
}

/// A product of the menu, taken or declined.
#[derive(Debug, Clone)]
pub struct MenuDecisionProductNode {
    line: MenuLine,
    store: StoreId,
    currency: Currency,
}

impl MenuDecisionNode {
    pub(super) fn new(round: MenuDecision, store: StoreId, currency: Currency) -> Self {
        Self {
            decided_by: StaffMember { id: round.decided_by.into(), display_name: round.decided_by_name },
            decided_at: round.decided_at,
            stands: round.stands,
            products: round.lines.0.into_iter().map(|line| MenuDecisionProductNode { line, store, currency }).collect(),
        }
    }
}

impl MenuDecisionProductNode {
    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.currency)
    }
}

/// A product of the menu, taken or declined, as it was shown.
#[Object(name = "MenuDecisionProduct")]
impl MenuDecisionProductNode {
    /// The product. Null when it is not on file any more.
    async fn product(&self, ctx: &Context<'_>) -> GqlResult<Option<ProductNode>> {
        product(ctx, self.line.product_id, self.store)
    }
    /// Its code then.
    async fn code(&self) -> &str {
        &self.line.code
    }
    /// Its name, as the customer read it.
    async fn name(&self) -> &str {
        &self.line.name
    }
    /// True: on the deal. False: declined.
    async fn taken(&self) -> bool {
        self.line.taken
    }
    /// What it was offered for.
    async fn price(&self) -> MoneyObject {
        self.money(self.line.price)
    }
    /// The payment with it, everything else as it was. Null for cash.
    async fn payment_with(&self) -> Option<MoneyObject> {
        self.line.payment_with.map(|cents| self.money(cents))
    }
    /// The payment without it. Null for cash.
    async fn payment_without(&self) -> Option<MoneyObject> {
        self.line.payment_without.map(|cents| self.money(cents))
    }
}
