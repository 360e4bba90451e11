//! Rows inside a row: `ARRAY(SELECT ROW(…))` read in binary, so that a deal and its lists come in one statement.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::db::record;
use crate::deals::approval::{ApprovalLevel, ApprovalStatus, Finding};
use crate::deals::model::{DealKind, QuoteStatus};
use crate::inventory::VehicleCondition;
use crate::kernel::money::Cents;

record!(
    /// A trade-in: the columns of `trade_in` after the deal and the ordinal.
    #[derive(Debug, Clone)]
    pub(in crate::deals) struct TradeInRow {
        id: Uuid,
        vin: Option<String>,
        model_year: i32,
        make: String,
        model: String,
        odometer_miles: Option<i32>,
        allowance: Cents,
        actual_cash_value: Option<Cents>,
        payoff: Cents,
        payoff_good_through: Option<NaiveDate>,
        payoff_per_diem: Cents,
    }
);

record!(
    /// A product on a deal.
    #[derive(Debug, Clone)]
    pub(in crate::deals) struct ProductRow {
        product_id: Uuid,
        price: Cents,
    }
);

record!(
    /// The head of a finance quote: everything but its inputs and lines.
    #[derive(Debug, Clone)]
    pub(in crate::deals) struct FinanceQuoteRow {
        id: Uuid,
        deal_version: i32,
        program_id: Uuid,
        kind: DealKind,
        status: QuoteStatus,
        term_months: i32,
        sell_rate: Option<Decimal>,
        money_factor: Option<Decimal>,
        apr: Option<Decimal>,
        payment: Cents,
        amount_financed: Cents,
        finance_charge: Cents,
        total_of_payments: Cents,
        due_at_signing: Cents,
        verified: bool,
        engine_version: String,
        created_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    }
);

record!(
    /// The head of an insurance quote.
    #[derive(Debug, Clone)]
    pub(in crate::deals) struct InsuranceQuoteRow {
        id: Uuid,
        deal_version: i32,
        insurer_id: Uuid,
        status: QuoteStatus,
        term_months: i32,
        premium: Cents,
        monthly_premium: Cents,
        verified: bool,
        engine_version: String,
        created_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    }
);

record!(
    /// Who has a deal open, and who asks for it.
    #[derive(Debug, Clone)]
    pub(in crate::deals) struct SeatRow {
        user_id: Uuid,
        user_name: String,
        session_id: Uuid,
        device_label: Option<String>,
        since: DateTime<Utc>,
        renewed_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        unsaved: Option<String>,
        asked_user_id: Option<Uuid>,
        asked_user_name: Option<String>,
        asked_session_id: Option<Uuid>,
        asked_device_label: Option<String>,
        asked_at: Option<DateTime<Utc>>,
        asked_note: Option<String>,
        take_over_from: Option<DateTime<Utc>>,
        answer: Option<String>,
        answer_note: Option<String>,
    }
);

record!(
    /// What the next steps depend on: quotes that can be accepted, whether the accepted one still stands, whether the car is
    /// gone, the other deal that holds it; what the rules on approvals look at, and the latest question to a manager.
    #[derive(Debug, Clone)]
    pub(in crate::deals) struct StepsRow {
        open_quotes: i64,
        quote_accepted: bool,
        vehicle_gone: bool,
        holder: Option<Uuid>,
        holder_number: Option<i64>,
        held_at: Option<String>,
        hold_is_contract: Option<bool>,
        group_id: Uuid,
        today: NaiveDate,
        condition: VehicleCondition,
        asking: Option<Cents>,
        msrp: Option<Cents>,
        cost: Option<Cents>,
        over_allowance: Option<Cents>,
        products: Cents,
        markup: Option<Decimal>,
        approval_status: Option<ApprovalStatus>,
        approval_level: Option<ApprovalLevel>,
        approval_expires_at: Option<DateTime<Utc>>,
        approval_findings: Option<sqlx::types::Json<Vec<Finding>>>,
        menu_decided: bool,
        vehicle_missing: bool,
    }
);
