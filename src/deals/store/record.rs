//! Rows inside a row: `ARRAY(SELECT ROW(…))` read in binary, so that a deal and its lists come in one statement.

use sqlx::error::BoxDynError;
use sqlx::postgres::types::PgRecordDecoder;
use sqlx::postgres::{PgHasArrayType, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};

/// A record of unnamed columns that decodes into a struct, field by field in the order of `ROW(…)`.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub(in crate::deals) struct $name { $(pub(in crate::deals) $field: $type),+ }

        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo { <(i64,) as Type<Postgres>>::type_info() }
        }
        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo { <(i64,) as PgHasArrayType>::array_type_info() }
        }
        impl<'r> Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                let mut fields = PgRecordDecoder::new(value)?;
                Ok(Self { $($field: fields.try_decode()?),+ })
            }
        }
    };
}

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::deals::model::{DealKind, QuoteStatus};
use crate::kernel::money::Cents;

record!(
    /// A trade-in: the columns of `trade_in` after the deal and the ordinal.
    TradeInRow {
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
    }
);

record!(
    /// A product on a deal.
    ProductRow { product_id: Uuid, price: Cents }
);

record!(
    /// The head of a finance quote: everything but its inputs and lines.
    FinanceQuoteRow {
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
    InsuranceQuoteRow {
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
