//! What a customer gets back with a car they return.

use async_graphql::{Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::deliveries::{LastDayNode, MILES_MAX};
use crate::deals::delivery::ReturnRight;
use crate::deals::settlement::{CarReturned, ReturnCharges, ReturnLine, ReturnLineCode};
use crate::graphql::{GqlError, GqlResult, MoneyObject, Percentage};
use crate::kernel::money::{Cents, Currency};

/// What the store may keep for taking a car back.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "RestockingFee")]
pub struct RestockingFeeNode {
    /// Percent points of the car's price.
    percent: Percentage,
    /// At least this. Null: nothing.
    min: Option<MoneyObject>,
    /// At most this. Null: no limit.
    max: Option<MoneyObject>,
    /// What it comes to for this car; a share is rounded down to the cent.
    amount: MoneyObject,
    /// False while no person has checked the rule behind it.
    verified: bool,
}

/// What the store may keep for the miles driven with a car that comes back.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "MileageFee")]
pub struct MileageFeeNode {
    /// For each mile beyond the free ones.
    per_mile: MoneyObject,
    /// So many miles cost nothing.
    free_miles: i32,
    /// At most this in all. Null: no limit.
    max: Option<MoneyObject>,
    /// False while no person has checked this part of the rule.
    verified: bool,
}

/// A line of what a customer gets back with a car.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "ReturnLine")]
pub struct ReturnLineNode {
    /// What it is.
    code: ReturnLineCode,
    /// In words a customer understands.
    label: String,
    /// What the customer gets; negative for what the store keeps.
    amount: MoneyObject,
    /// False while no person has checked the rule behind it.
    verified: bool,
}

/// What a customer gets back with a car they return, line by line. The trade-in goes back beside it.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "ReturnSettlement")]
pub struct SettlementNode {
    /// What the odometer shows, in miles.
    odometer_miles: i32,
    /// How far the car was driven since the hand-over.
    miles_driven: i32,
    /// What was paid at signing, then what the store keeps of it; their sum is `refund` less `due`.
    lines: Vec<ReturnLineNode>,
    /// What the customer gets back, a captured deposit with it: that part the payment partner gives back.
    refund: MoneyObject,
    /// What the customer still pays, where the fees are more than what was paid. Zero otherwise.
    due: MoneyObject,
    /// When the car came back. Null while it has not.
    settled_at: Option<DateTime<Utc>>,
}

/// The customer's right to bring the car back (`dealReturn`).
#[derive(Debug, Clone)]
pub struct ReturnRightNode {
    right: ReturnRight,
    delivered_at_miles: i32,
    currency: Currency,
}

impl ReturnRightNode {
    pub(super) fn new(right: ReturnRight, delivered_at_miles: i32, currency: Currency) -> Self {
        Self { right, delivered_at_miles, currency }
    }

    /// What became of it when the car came back.
    pub(super) fn settled(&self, done: CarReturned) -> SettlementNode {
        self.with(done.odometer_miles, |_| done.charges, Some(done.at))
    }

    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.currency)
    }

    fn with(&self, odometer_miles: i32, charges: impl FnOnce(i32) -> ReturnCharges, settled_at: Option<DateTime<Utc>>) -> SettlementNode {
        let driven = odometer_miles.saturating_sub(self.delivered_at_miles);
        let settlement = self.right.settle(driven, charges(driven));
        let line = |line: ReturnLine| ReturnLineNode {
            code: line.code,
            label: line.label,
            amount: self.money(line.amount),
            verified: line.verified,
        };
        SettlementNode {
            odometer_miles,
            miles_driven: driven,
            lines: settlement.lines.into_iter().map(line).collect(),
            refund: self.money(settlement.refund),
            due: self.money(settlement.due),
            settled_at,
        }
    }
}

/// The customer's right to bring the car back (`dealReturn`), as it stood when the car was handed over.
#[Object(name = "ReturnRight")]
impl ReturnRightNode {
    /// Until when.
    async fn until(&self) -> LastDayNode {
        self.right.until.clone().into()
    }
    /// Only when driven no more than so many miles. Null: however far.
    async fn max_miles(&self) -> Option<i32> {
        self.right.max_miles
    }
    /// What the store may keep for taking the car back. Null: nothing.
    async fn restocking_fee(&self) -> Option<RestockingFeeNode> {
        self.right.fees.restocking.map(|fee| RestockingFeeNode {
            percent: Percentage(fee.percent),
            min: fee.min.map(|least| self.money(least)),
            max: fee.max.map(|most| self.money(most)),
            amount: self.money(fee.on(self.right.price)),
            verified: self.right.until.verified,
        })
    }
    /// What the store may keep for the miles driven. Null: nothing.
    async fn mileage_fee(&self) -> Option<MileageFeeNode> {
        self.right.fees.mileage.map(|fee| MileageFeeNode {
            per_mile: self.money(fee.per_mile),
            free_miles: fee.free_miles,
            max: fee.max.map(|most| self.money(most)),
            verified: self.right.until.verified && fee.verified,
        })
    }
    /// What the customer would get back with this on the odometer. Nothing is stored; that the right is still open is not looked at.
    async fn settlement(
        &self,
        #[graphql(desc = "What the odometer shows, in miles; 0 to 2,000,000, and not less than at the hand-over.")] odometer_miles: i32,
    ) -> GqlResult<SettlementNode> {
        if !(self.delivered_at_miles..=MILES_MAX).contains(&odometer_miles) {
            return Err(GqlError::bad_input(format!("odometerMiles: from {} to 2000000", self.delivered_at_miles)));
        }
        Ok(self.with(odometer_miles, |driven| self.right.charges(driven), None))
    }
}
