//! The house's rules on what a salesperson may decide alone: dated rows of a group, or of a store for itself.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::id::{GroupId, StoreId};

crate::text_enum! {
    /// What a rule looks at.
    pub enum ApprovalKind {
        /// How far the price after the store's own rebate lies below the asking price, in percent of it.
        Discount = "DISCOUNT",
        /// Price after the store's own rebate, less the car's cost and what is allowed for trade-ins beyond their worth.
        FrontGross = "FRONT_GROSS",
        /// What is allowed for trade-ins beyond their worth.
        OverAllowance = "OVER_ALLOWANCE",
        /// What the store adds to the lender's rate, in percent points.
        RateMarkup = "RATE_MARKUP",
        /// Months of a contract or lease.
        Term = "TERM",
        /// Amount financed, in percent of what the car is worth: the maker's list price of a new one, else the asking price.
        LoanToValue = "LOAN_TO_VALUE",
        /// The price of all protection products together.
        BackEnd = "BACK_END",
        /// What of the store's own fees is waived, all together.
        FeeWaiver = "FEE_WAIVER",
    }
}

crate::text_enum! {
    /// What a limit is counted in.
    pub enum ApprovalUnit {
        /// The store's currency.
        Money = "MONEY",
        /// Percent points.
        Percent = "PERCENT",
        /// Months.
        Months = "MONTHS",
    }
}

impl ApprovalKind {
    /// What its limits are counted in; they are kept in hundredths of it.
    pub const fn unit(self) -> ApprovalUnit {
        match self {
            Self::Discount | Self::RateMarkup | Self::LoanToValue => ApprovalUnit::Percent,
            Self::Term => ApprovalUnit::Months,
            Self::FrontGross | Self::OverAllowance | Self::BackEnd | Self::FeeWaiver => ApprovalUnit::Money,
        }
    }

    /// Whether its measure shows what only managers may see: cost, the trade-in's worth, the lender's rate.
    pub const fn is_confidential(self) -> bool {
        matches!(self, Self::FrontGross | Self::OverAllowance | Self::RateMarkup)
    }

    /// Whether less of it is worse.
    pub const fn is_floor(self) -> bool {
        matches!(self, Self::FrontGross)
    }
}

/// A dated row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRule {
    /// The version of the rule.
    pub id: Uuid,
    /// The group it belongs to.
    pub group_id: GroupId,
    /// The one store it is for; none for all that have no row of their own.
    pub store_id: Option<StoreId>,
    /// What it looks at.
    pub kind: ApprovalKind,
    /// First day; none since ever.
    pub effective_from: Option<NaiveDate>,
    /// First day no longer.
    pub effective_to: Option<NaiveDate>,
    /// Beyond it a manager is asked; in hundredths of the kind's unit.
    pub limit: i64,
    /// Beyond it only a group admin may say yes.
    pub admin_limit: Option<i64>,
    /// Minutes without an answer until the group's admins are told too.
    pub escalate_minutes: i32,
    /// Minutes until the question is given up.
    pub answer_minutes: i32,
    /// Minutes an answer stands.
    pub valid_minutes: i32,
}
