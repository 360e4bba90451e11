//! The product menu of a deal as clients see it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use crate::deals::menu::{Menu, MenuColumn, MenuItem};
use crate::deals::model::Figures;
use crate::finance::graphql::{ProductNode, product};
use crate::finance::{CancelMethod, ProductRule, Refund, RefundPayee};
use crate::graphql::{GqlResult, MoneyObject};
use crate::kernel::id::StoreId;
use crate::kernel::money::{Cents, Currency};

/// The menu of a deal.
#[derive(Debug, Clone)]
pub struct MenuNode {
    pub(super) menu: Arc<Menu>,
    pub(super) currency: Currency,
    pub(super) store: StoreId,
    pub(super) manager: bool,
}

/// Protection products on this car, for this customer: four columns, each product with its payment with and without it.
#[Object(name = "ProductMenu")]
impl MenuNode {
    /// Every product on the store's list, by code, also those this customer cannot have, with the reasons.
    async fn items(&self) -> Vec<MenuItemNode> {
        (0..self.menu.items.len()).map(|position| MenuItemNode { menu: self.clone(), position }).collect()
    }
    /// Four columns; the first holds everything that fits, each further one less.
    async fn columns(&self) -> Vec<MenuColumnNode> {
        self.menu.columns.iter().map(|column| MenuColumnNode { menu: self.clone(), column: column.clone() }).collect()
    }
    /// The payment without any product. Null for cash and while no program takes the deal.
    async fn payment_without_products(&self) -> Option<MoneyObject> {
        self.menu.base.payment.map(|cents| self.money(cents))
    }
    /// What is financed without any product; for cash what is due.
    async fn amount_financed_without_products(&self) -> MoneyObject {
        self.money(self.menu.base.amount_financed)
    }
    /// The class of the car in the products' rate sheets.
    async fn vehicle_class(&self) -> &str {
        &self.menu.vehicle_class
    }
}

impl MenuNode {
    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.currency)
    }

    /// What more is paid each month, and over all months.
    fn more(&self, with: &Figures, without: &Figures) -> (Option<MoneyObject>, Option<MoneyObject>) {
        let Some((with, without)) = with.payment.zip(without.payment) else { return (None, None) };
        let difference = with - without;
        let months = i64::from(self.menu.term_months.unwrap_or(0));
        (Some(self.money(difference)), Some(self.money(Cents(difference.0.saturating_mul(months)))))
    }
}

/// A product on the menu.
#[derive(Debug, Clone)]
pub struct MenuItemNode {
    menu: MenuNode,
    position: usize,
}

impl MenuItemNode {
    fn item(&self) -> GqlResult<&MenuItem> {
        self.menu.menu.items.get(self.position).ok_or_else(|| crate::graphql::GqlError::internal("a menu without its item"))
    }
}

/// A rule that stands against a product.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "ProductRefusal")]
pub struct ProductRefusalNode {
    /// Which rule.
    rule: ProductRule,
    /// In words to read aloud.
    message: String,
}

/// A product on the menu of a deal.
#[Object(name = "ProductMenuItem")]
impl MenuItemNode {
    /// The product. Null when it is not on file any more.
    async fn product(&self, ctx: &Context<'_>) -> GqlResult<Option<ProductNode>> {
        product(ctx, self.item()?.product.id, self.menu.store)
    }
    /// Its price on this car; the agreed one when it is on the deal.
    async fn price(&self) -> GqlResult<MoneyObject> {
        Ok(self.menu.money(self.item()?.price.price))
    }
    /// What it costs the dealer on this car. Managers only.
    async fn cost(&self) -> GqlResult<Option<MoneyObject>> {
        let cost = self.item()?.price.cost;
        Ok(self.menu.manager.then(|| self.menu.money(cost)))
    }
    /// The most the law lets it cost here. Null where there is no such cap.
    async fn price_cap(&self) -> GqlResult<Option<MoneyObject>> {
        Ok(self.item()?.law_cap.map(|cents| self.menu.money(cents)))
    }
    /// On the deal now.
    async fn selected(&self) -> GqlResult<bool> {
        Ok(self.item()?.selected)
    }
    /// Whether this customer can have it.
    async fn eligible(&self) -> GqlResult<bool> {
        Ok(self.item()?.entry.refusals.is_empty())
    }
    /// Why not; empty when it is eligible. A product that could not be of use is refused as `NO_BENEFIT`.
    async fn refusals(&self) -> GqlResult<Vec<ProductRefusalNode>> {
        Ok(self.item()?.entry.refusals.iter().map(|r| ProductRefusalNode { rule: r.rule, message: r.message.clone() }).collect())
    }
    /// The columns it stands in, from 1.
    async fn columns(&self) -> GqlResult<Vec<i32>> {
        Ok(self.item()?.entry.columns.iter().map(|column| i32::from(*column)).collect())
    }
    /// Why it is suggested: from what the customer answered and from the deal. Empty when nothing points to it.
    async fn suggested_because(&self) -> GqlResult<&[String]> {
        Ok(&self.item()?.entry.reasons)
    }
    /// The payment with it, everything else as agreed. Null for cash, and when it cannot be sold.
    async fn payment_with(&self) -> GqlResult<Option<MoneyObject>> {
        Ok(self.item()?.with.as_ref().and_then(|f| f.payment).map(|cents| self.menu.money(cents)))
    }
    /// The payment without it, everything else as agreed. Null for cash.
    async fn payment_without(&self) -> GqlResult<Option<MoneyObject>> {
        Ok(self.item()?.without.payment.map(|cents| self.menu.money(cents)))
    }
    /// What it adds to each payment. Null for cash, and when it cannot be sold.
    async fn payment_difference(&self) -> GqlResult<Option<MoneyObject>> {
        let item = self.item()?;
        Ok(item.with.as_ref().and_then(|with| self.menu.more(with, &item.without).0))
    }
    /// What it adds over all payments: its price with the interest on it. Null for cash, and when it cannot be sold.
    async fn cost_over_term(&self) -> GqlResult<Option<MoneyObject>> {
        let item = self.item()?;
        Ok(item.with.as_ref().and_then(|with| self.menu.more(with, &item.without).1))
    }
    /// Days in which it can be given back in full.
    async fn free_look_days(&self) -> GqlResult<i32> {
        Ok(i32::from(self.item()?.free_look_days))
    }
}

/// A column of the menu.
#[derive(Debug, Clone)]
pub struct MenuColumnNode {
    menu: MenuNode,
    column: MenuColumn,
}

/// A column of the menu: some products together.
#[Object(name = "ProductMenuColumn")]
impl MenuColumnNode {
    /// From 1, the fullest, to 4.
    async fn number(&self) -> i32 {
        i32::from(self.column.number)
    }
    /// Ids of its products, `prd_…`, by code.
    async fn product_ids(&self) -> Vec<ID> {
        self.column.products.iter().map(|id| ID::from(*id)).collect()
    }
    /// What they cost together.
    async fn price(&self) -> MoneyObject {
        self.menu.money(self.column.price)
    }
    /// The payment with exactly these products. Null for cash and while no program takes the deal.
    async fn payment(&self) -> Option<MoneyObject> {
        self.column.figures.payment.map(|cents| self.menu.money(cents))
    }
    /// What is financed with exactly these products; for cash what is due.
    async fn amount_financed(&self) -> MoneyObject {
        self.menu.money(self.column.figures.amount_financed)
    }
    /// What they add to each payment. Null for cash.
    async fn payment_difference(&self) -> Option<MoneyObject> {
        self.menu.more(&self.column.figures, &self.menu.menu.base).0
    }
    /// What they add over all payments: their price with the interest on it. Null for cash.
    async fn cost_over_term(&self) -> Option<MoneyObject> {
        self.menu.more(&self.column.figures, &self.menu.menu.base).1
    }
}

/// What a product gives back when it is cancelled. `refund` is `unearned` less `claims` and `fee`.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "ProductRefund")]
pub struct ProductRefundNode {
    /// What comes back.
    refund: MoneyObject,
    /// The part of the price that was not used up.
    unearned: MoneyObject,
    /// Taken off for claims that were paid.
    claims: MoneyObject,
    /// Taken off for the cancellation; never more than the law allows.
    fee: MoneyObject,
    /// How the unearned part was counted. The rule of 78 only where the law allows it.
    method: CancelMethod,
    /// Within the days in which it can be given back in full.
    free_look: bool,
    /// Who gets the money: the lender while the product's price is owed.
    payee: RefundPayee,
    /// How it came about, in words.
    explanation: String,
}

impl ProductRefundNode {
    pub(super) fn new(refund: Refund, currency: Currency) -> Self {
        let money = |cents| MoneyObject::new(cents, currency);
        Self {
            refund: money(refund.refund),
            unearned: money(refund.unearned),
            claims: money(refund.claims),
            fee: money(refund.fee),
            method: refund.method,
            free_look: refund.free_look,
            payee: refund.payee,
            explanation: refund.words,
        }
    }
}
